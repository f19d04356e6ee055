//! `/v1/fleet`: who is there, how they are, and what became of the questions.

use proto::wire::{AskOptions, FinishReason, watch_response::Kind};
use serde_json::{Value, json};

use crate::{
    answers::{cheese, planets},
    harness::{Institution, Router, SETTINGS},
};

async fn fleet(router: &Router) -> Value {
    listed(router, "").await
}

/// What `query` asks for.
async fn listed(router: &Router, query: &str) -> Value {
    let response = reqwest::get(format!("{}/v1/fleet{query}", router.process.url)).await.unwrap();
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

/// What it says of a specialist.
fn of<'a>(fleet: &'a Value, id: &str) -> &'a Value {
    fleet["specialists"].as_array().unwrap().iter().find(|one| one["id"] == id).unwrap()
}

/// In how many turns it was considered, asked, answered, failed or timed out, and won.
fn counts(fleet: &Value, id: &str) -> [i64; 5] {
    let one = of(fleet, id);
    let count = |name: &str| one[name].as_i64().unwrap();
    [count("considered"), count("asked"), count("answered"), count("failed") + count("timeout"), count("won")]
}

#[tokio::test]
async fn the_fleet_says_who_is_there_how_they_are_and_who_won() {
    let planets = planets().signs().set("example_questions = [\"why is Mars red\"]\n").start().await;
    let cheese = cheese().start().await;
    let router = Router::start().await;
    assert_eq!(fleet(&router).await["specialists"], json!([]));
    router.add(&planets).await;
    router.add(&cheese).await;

    for question in ["why is Mars red", "why is Venus hot", "how does gouda cheese ripen"] {
        assert_eq!(router.ask(question).await.reason(), FinishReason::Answered);
    }
    assert_eq!(router.ask("which tax does a partnership pay").await.reason(), FinishReason::Abstained);

    for (query, found, ids) in [
        ("", 2, &["planets", "cheese"][..]),
        ("?limit=1", 2, &["planets"]),
        ("?limit=1&offset=1", 2, &["cheese"]),
        ("?query=CHEESE", 1, &["cheese"]),
        ("?query=nobody", 0, &[]),
    ] {
        let seen = listed(&router, query).await;
        let listed: Vec<_> =
            seen["specialists"].as_array().unwrap().iter().map(|one| one["id"].as_str()).collect();
        assert_eq!(listed, ids.iter().map(|id| Some(*id)).collect::<Vec<_>>(), "{query}");
        assert_eq!([&seen["found"], &seen["registered"], &seen["up"]], [found, 2, 2], "{query}");
    }
    let refused = reqwest::get(format!("{}/v1/fleet?limit=all", router.process.url)).await.unwrap();
    assert_eq!(refused.status(), 400);

    let seen = fleet(&router).await;
    let tally = &seen["tally"];
    assert_eq!([&tally["turns"], &tally["asked"], &tally["abstained"]], [4, 3, 1]);
    assert_eq!(counts(&seen, "planets")[1..], [2, 2, 0, 2]);
    assert_eq!(counts(&seen, "cheese")[1..], [1, 1, 0, 1]);
    let shown = of(&seen, "planets");
    assert_eq!(shown["health"], "up");
    assert_eq!(
        (&shown["passage_count"], &shown["notice"]),
        (&json!(6), &json!("Checked by nobody: planets."))
    );
    assert_eq!(shown["example_questions"], json!(["why is Mars red"]));
    assert_eq!(
        (shown["key"].as_str().unwrap().len(), shown["card_sha256"].as_str().unwrap().len()),
        (64, 64)
    );
    assert_eq!((&of(&seen, "cheese")["has_key"], &of(&seen, "cheese")["key"]), (&json!(false), &Value::Null));
    assert_eq!(shown["exam"]["own"], json!({ "asked": 1, "led": 1, "uncovered": 0 }));
    assert!(!seen.to_string().contains("gouda cheese ripen"), "it tells what was asked: {seen}");

    let mut changes = router.watch().await;
    cheese.kill().await;
    changes.until(Kind::Health).await;
    assert!(router.failure("how does gouda cheese ripen", AskOptions::default()).await.is_some());
    assert!(router.registry(&["disable", "planets"]).await.status.success());
    let seen = fleet(&router).await;
    assert_eq!(
        (&of(&seen, "cheese")["health"], &of(&seen, "planets")["health"]),
        (&json!("down"), &json!("disabled"))
    );
    assert_eq!(counts(&seen, "cheese")[3..], [1, 1]);

    let again = fleet(&router.restart().await).await;
    assert_eq!(again["tally"], seen["tally"], "a restart loses no turn");
    assert_eq!(counts(&again, "planets"), counts(&seen, "planets"));
}

#[tokio::test]
async fn the_fleet_says_who_was_asked_beside_the_winner() {
    let question = "why is Mars red";
    let one = Institution::new("one").scripted(question, r#"{ say = "Iron rusted there." }"#).start().await;
    let two = Institution::new("two").scripted(question, r#"{ say = "Sheep are grazing." }"#).start().await;
    let router = Router::generous().await;
    router.add(&one).await;
    router.add(&two).await;
    let answer = router.ask(question).await;

    let seen = fleet(&router).await;
    let first = answer.spans.iter().find(|span| !span.specialist_id.is_empty()).unwrap();
    let other = if first.specialist_id == "one" { "two" } else { "one" };
    let pair = json!([{ "won": first.specialist_id, "other": other, "asked": 1, "second": 1 }]);
    assert_eq!(seen["tally"]["pairs"], pair);
    assert_eq!([counts(&seen, &first.specialist_id)[4], counts(&seen, other)[4]], [1, 0]);

    assert!(router.registry(&["remove", other]).await.status.success());
    assert_eq!(fleet(&router).await["tally"]["pairs"], json!([]), "nobody is shown who is not registered");
}

#[tokio::test]
async fn the_fleet_says_who_is_left_alone() {
    let question = "why is Mars red";
    let lead = Institution::new("lead").scripted(question, r#""fail""#).start().await;
    let eject = "[dispatch]\neject = { failures_max = 2, out_ms = 300000 }\nretry = { calls_max = 0 }\n";
    let router = Router::with(&format!("{SETTINGS}{eject}")).await;
    router.add(&lead).await;
    for _ in 0..2 {
        assert!(router.failure(question, AskOptions::default()).await.is_some());
    }
    let seen = fleet(&router).await;
    assert_eq!((of(&seen, "lead")["health"].as_str(), counts(&seen, "lead")[3]), (Some("ejected"), 2));
}
