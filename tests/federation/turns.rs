//! Follow-ups stay with whom the conversation was with, and whoever changes the subject leaves.

use proto::wire::{
    AskOptions, CandidateStatus, Decision, FinishReason, HistoryReason, Role, RouteRequest, Turn, Verdict,
};
use serde_json::{Value, json};

use crate::{
    answers::{cheese, planets},
    examples,
    harness::{Router, run},
};

pub(crate) fn user(text: &str) -> Turn {
    Turn { role: Role::User.into(), text: text.into() }
}

pub(crate) fn assistant(text: &str) -> Turn {
    Turn { role: Role::Assistant.into(), text: text.into() }
}

/// What the router decides of the last of `turns`.
async fn decides(router: &Router, turns: Vec<Turn>) -> Decision {
    let request = RouteRequest { turns, options: None, derivation: false };
    router.client().await.route(request).await.unwrap().into_inner().decision.unwrap()
}

/// Who would be asked first, if anybody, and why earlier turns count or do not.
fn lead(decision: &Decision) -> (Option<&str>, HistoryReason) {
    (decision.seen_by.first().map(String::as_str), decision.history.as_ref().unwrap().reason())
}

#[tokio::test]
async fn a_follow_up_stays_and_a_change_of_subject_leaves() {
    // Its texts share a word with the follow-up, its title none: hashed words know no meaning.
    let planets = planets().set("title_share = 0.0\n").start().await;
    let cheese = cheese().start().await;
    let router = Router::start().await;
    router.add(&planets).await;
    router.add(&cheese).await;

    let first = decides(&router, vec![user("why is Mars red")]).await;
    assert_eq!(lead(&first), (Some("planets"), HistoryReason::NoEarlierTurn));
    let history = first.history.unwrap();
    assert_eq!((history.used, history.cosine, history.margin), (false, None, None));

    let alone = decides(&router, vec![user("is that so?")]).await;
    assert_eq!(alone.verdict(), Verdict::Abstain);
    let follow_up = vec![user("why is Mars red"), assistant("Iron dust."), user("is that so?")];
    let decision = decides(&router, follow_up).await;
    assert_eq!(lead(&decision), (Some("planets"), HistoryReason::FollowsByCosine));
    assert!(decision.history.unwrap().used);

    // What the other side said counts for nothing.
    let decision = decides(&router, vec![assistant("Mars is red."), user("is that so?")]).await;
    assert_eq!((decision.verdict(), lead(&decision).1), (Verdict::Abstain, HistoryReason::NoEarlierTurn));

    let leaves = vec![user("why is Mars red"), user("how does gouda cheese ripen")];
    let decision = decides(&router, leaves).await;
    assert_eq!(lead(&decision), (Some("cheese"), HistoryReason::ClearAlone));
    let history = decision.history.unwrap();
    assert!(!history.used && history.margin.is_some_and(|margin| margin > 0.0));

    // By itself it says nothing that a passage could answer.
    let told = vec![user("why is Mars red, is it iron dust on its ground"), user("is that so?")];
    let answer = router.ask_turns(told, AskOptions::default()).await;
    assert_eq!(
        (answer.reason(), answer.status_of("planets")),
        (FinishReason::Answered, CandidateStatus::Answered)
    );
    assert!(answer.words_of("planets").starts_with("Mars is red because"), "{}", answer.text());
}

#[tokio::test]
async fn the_verdict_is_shown_at_every_door() {
    let (planets, cheese) = (planets().start().await, cheese().start().await);
    let router = Router::start().await;
    router.add(&planets).await;
    router.add(&cheese).await;

    let messages = json!([
        { "role": "system", "content": "Be brief." },
        { "role": "user", "content": "why is Mars red" },
        { "role": "assistant", "content": "Iron dust." },
        { "role": "user", "content": "is that so?" },
    ]);
    let url = format!("{}/v1/chat/completions", router.process.url);
    let body = json!({ "model": "consilium/auto", "messages": messages });
    let answer: Value =
        reqwest::Client::new().post(&url).json(&body).send().await.unwrap().json().await.unwrap();
    let history = &answer["consilium"]["routing"]["history"];
    assert_eq!((&history["used"], &history["reason"]), (&json!(true), &json!("follows_by_cosine")));
    assert!(history["cosine"].as_f64().is_some() && history["margin"].as_f64().is_some(), "{history}");
    assert_eq!(answer["consilium"]["routing"]["earlier_turns"][0], 1);

    let terminal = async |args: &[&str]| {
        let args = [args, &["--router", &router.process.url]].concat();
        let output = run("router", args).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let after = ["--after", "what colour is Mars", "--after", "why is Mars red"];
    let said = terminal(&[&["route", "is that so?"], after.as_slice()].concat()).await;
    assert!(said.contains("Earlier turns count: the question is about the same (cosine "), "{said}");
    assert!(said.contains("Seen by: planets (with 2 earlier turns)"), "{said}");
    let said = terminal(&["route", "why is Mars red"]).await;
    assert!(!said.contains("Earlier turns"), "{said}");
    let said = terminal(&["ask", "is that so?", "--after", "why is Mars red", "-o", "json"]).await;
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["decision"]["history"]["reason"], "follows_by_cosine");
    assert_eq!(said["decision"]["seen_by"][0], "planets");
    assert_eq!(said["decision"]["earlier_turns"][0], 1);
}

/// With the real encoder: skipped, with a word, where `make setup` has not brought its weights.
#[tokio::test]
async fn people_may_ask_on_and_may_change_the_subject() {
    let Some(federation) = examples::federation().await else { return };
    let router = &federation.router;
    let pediatric = "What happens during induction chemotherapy for leukemia in a child?";
    let rent = "My landlord wants to keep the deposit for repainting, may he?";
    let mars = "Why does Mars look red?";
    for (before, question, specialist) in [
        (pediatric, "and for infants?", "pediatric-oncology"),
        (pediatric, "How long does it take?", "pediatric-oncology"),
        (rent, "And if he refuses?", "tenants-advice"),
        (mars, "How far away is it?", "planetarium"),
        (pediatric, rent, "tenants-advice"),
        (rent, mars, "planetarium"),
        (mars, "How do I get rid of the mites in my hive?", "beekeepers"),
    ] {
        let decision = decides(router, vec![user(before), user(question)]).await;
        assert_eq!(lead(&decision).0, Some(specialist), "{question} after {before}: {:?}", decision.history);
    }
}
