//! Who sees a question, and that nobody sees it who asks for consent and was not given it.

use proto::wire::{
    AskOptions, Candidate, CandidateStatus, Decision, FinishReason, Role, RouteRequest, Turn, Verdict,
};
use serde_json::{Value, json};

use crate::{
    answers::planets,
    harness::{Institution, Router, run},
};

const QUESTION: &str = "why is Mars red";

/// A specialist that would lead and asks for consent.
fn discreet() -> Institution {
    Institution::new("discreet")
        .scripted(QUESTION, r#"{ say = "Between us: rust." }"#)
        .set("asks_consent = true\n")
}

fn agreed() -> AskOptions {
    AskOptions { consent: vec!["discreet".into()], ..Default::default() }
}

async fn preview(router: &Router, options: AskOptions) -> Decision {
    let turns = vec![Turn { role: Role::User.into(), text: QUESTION.into() }];
    let request = RouteRequest { turns, options: Some(options), derivation: false };
    router.client().await.route(request).await.unwrap().into_inner().decision.unwrap()
}

#[tokio::test]
async fn whoever_asks_for_consent_sees_nothing_without_it() {
    let discreet = discreet().start().await;
    let router = Router::start().await;
    router.add(&discreet).await;

    assert_eq!(router.registry_json(&["show", "discreet"]).await["card"]["asks_consent"], true);
    let decision = preview(&router, AskOptions::default()).await;
    assert_eq!((decision.verdict(), decision.seen_by.len()), (Verdict::Abstain, 0));
    let candidate = &decision.candidates[0];
    assert_eq!((candidate.status(), candidate.asks_consent), (CandidateStatus::ConsentMissing, true));

    let answer = router.ask(QUESTION).await;
    assert_eq!(
        (answer.status_of("discreet"), answer.candidate("discreet").calls, answer.reason()),
        (CandidateStatus::ConsentMissing, 0, FinishReason::Abstained)
    );
    let text = answer.text();
    assert!(text.ends_with("that it is seen by: About discreet (Institute of discreet)."), "{text}");

    let answer = router.ask_with(QUESTION, agreed()).await;
    assert_eq!((answer.text().as_str(), answer.candidate("discreet").calls), ("Between us: rust.", 1));
}

#[tokio::test]
async fn the_preview_names_who_would_see_the_question() {
    let (discreet, planets) = (discreet().start().await, planets().start().await);
    let router = Router::thrifty().await;
    router.add(&discreet).await;
    router.add(&planets).await;

    assert_eq!(preview(&router, AskOptions::default()).await.seen_by, ["planets"]);
    let decision = preview(&router, agreed()).await;
    assert_eq!(decision.seen_by, ["discreet", "planets"], "the second only if the first fails");
    assert_eq!(
        decision.candidates.iter().map(Candidate::status).collect::<Vec<_>>(),
        [CandidateStatus::Asked, CandidateStatus::Outranked]
    );
}

#[tokio::test]
async fn a_failover_asks_nobody_whose_consent_is_missing() {
    let lead = Institution::new("lead").scripted(QUESTION, r#""fail""#).start().await;
    let discreet = Institution::new("discreet").scripted("what colour has Mars", r#"{ say = "Rust." }"#);
    let discreet = discreet.set("asks_consent = true\n").start().await;
    let router = Router::thrifty().await;
    router.add(&lead).await;
    router.add(&discreet).await;

    let Some(status) = router.failure(QUESTION, AskOptions::default()).await else { panic!("an answer") };
    assert_eq!(
        status.message(),
        "none of the specialists that were asked could answer: lead (it failed with Internal)"
    );
    let answer = router.ask_with(QUESTION, agreed()).await;
    assert_eq!(answer.text(), "Rust.");
}

#[tokio::test]
async fn consent_counts_at_every_door() {
    let discreet = discreet().start().await;
    let router = Router::start().await;
    router.add(&discreet).await;
    let url = format!("{}/v1/chat/completions", router.process.url);
    let chat = async |model: &str, ours: Value| -> Value {
        let messages = json!([{ "role": "user", "content": QUESTION }]);
        let body = json!({ "model": model, "messages": messages, "consilium": ours });
        reqwest::Client::new().post(&url).json(&body).send().await.unwrap().json().await.unwrap()
    };

    // To pin is to choose, not to agree.
    for model in ["consilium/auto", "consilium/discreet"] {
        let answer = chat(model, json!({})).await;
        let candidate = &answer["consilium"]["routing"]["considered"][0];
        assert_eq!((&candidate["status"], &candidate["calls"]), (&json!("consent_missing"), &json!(0)));
        assert_eq!(answer["consilium"]["routing"]["seen_by"], json!([]));
        let answer = chat(model, json!({ "consent": ["discreet"] })).await;
        assert_eq!(answer["choices"][0]["message"]["content"], "Between us: rust.");
        assert_eq!(answer["consilium"]["routing"]["seen_by"], json!(["discreet"]));
    }

    let terminal = async |command: &str, further: &[&str]| {
        let args = [&[command, QUESTION, "--router", &router.process.url], further].concat();
        String::from_utf8(run("router", args).await.stdout).unwrap()
    };
    let said = terminal("route", &[]).await;
    assert!(said.contains("consent missing") && said.contains("--consent"), "{said}");
    let said = terminal("route", &["--consent", "discreet"]).await;
    assert!(said.contains("Seen by: discreet\n"), "{said}");
    let said = terminal("ask", &["--consent", "discreet"]).await;
    assert!(said.contains("Between us: rust."), "{said}");
}
