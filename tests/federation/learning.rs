//! Readers' thumbs: kept beside their turns, and learned from within bounds.

use std::fs;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    deriving::{explained, replayed},
    harness::{Browser, Institution, Process, Router, run},
};

/// What two specialists would answer alike.
const QUESTION: &str = "why do soap bubbles shimmer";

/// What one of them alone would.
const CLEAR: &str = "how are candles dipped";

/// Two specialists, of whom `chemist` comes first by its name alone, and the best one is asked.
async fn two() -> (Router, [Process; 2]) {
    let one = |id: &str| Institution::new(id).scripted(QUESTION, r#"{ say = "Light." }"#);
    let chemist = Institution::new("chemist").set(&format!(
        "encoder = {{ kind = \"none\" }}\nexample_questions = [{QUESTION:?}, {CLEAR:?}]\n\
         generator = {{ kind = \"scripted\", steps = [{{ say = \"Light.\" }}] }}\n"
    ));
    let specialists = [chemist.start().await, one("physicist").start().await];
    let router = Router::thrifty().await;
    for specialist in &specialists {
        router.add(specialist).await;
    }
    (router, specialists)
}

/// Asks to the end; the path of the turn's thumb.
async fn asked(browser: &Browser, conversation: &str) -> String {
    let turn = browser.ask(conversation, &Value::Null, QUESTION).await;
    format!("{conversation}/turns/{}/feedback", turn.as_str().unwrap())
}

async fn rate(browser: &Browser, thumb: &str, rating: &Value) -> StatusCode {
    browser.send(Method::PUT, thumb, rating).await.status()
}

/// The thumb of a conversation's first turn, as its owner sees it.
async fn seen(browser: &Browser, conversation: &str) -> Value {
    browser.json(conversation).await["turns"][0]["feedback"].take()
}

/// Forty browsers, each at the address that its number makes, which ask and say that the wrong one was asked; with
/// their conversations.
async fn forty_object(router: &Router, address: impl Fn(u8) -> String) -> Vec<(Browser, String)> {
    let mut readers = Vec::new();
    for number in 0..40 {
        let mut browser = Browser::new(router).forwarded_for(&address(number));
        let conversation = browser.begin().await;
        let thumb = asked(&browser, &conversation).await;
        assert_eq!(rate(&browser, &thumb, &wrong()).await, StatusCode::NO_CONTENT);
        readers.push((browser, conversation));
    }
    readers
}

fn wrong() -> Value {
    json!({ "rating": "down", "reason": "wrong_specialist" })
}

/// What `router learn` prints as JSON.
async fn learned(router: &Router, further: &[&str]) -> Value {
    let (data, config) = (router.data(), router.data().join("router.toml"));
    let given =
        ["learn", "--data", data.to_str().unwrap(), "--config", config.to_str().unwrap(), "-o", "json"];
    let output = run("router", given.iter().chain(further)).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Who leads for a question, and the log-odds of the chemist against the physicist.
async fn leads(router: &Router, question: &str) -> (String, f32) {
    let decision = router.ask(question).await.decision.unwrap();
    let of = |id: &str| decision.candidates.iter().find(|c| c.specialist_id == id).unwrap().probability;
    (decision.candidates[0].specialist_id.clone(), (of("chemist") / of("physicist")).ln())
}

#[tokio::test]
async fn a_thumb_is_its_owners_and_goes_with_its_conversation() {
    let (router, _specialists) = two().await;
    let (mut reader, other) = (Browser::new(&router), Browser::new(&router));
    let conversation = reader.begin().await;
    let thumb = asked(&reader, &conversation).await;
    assert_eq!(seen(&reader, &conversation).await, Value::Null);
    assert_eq!(rate(&reader, &thumb, &json!({ "rating": "up" })).await, StatusCode::NO_CONTENT);
    assert_eq!(rate(&reader, &thumb, &wrong()).await, StatusCode::NO_CONTENT);
    assert_eq!(seen(&reader, &conversation).await, wrong());
    for refused in [
        json!({ "rating": "up", "reason": "unclear" }),
        json!({ "rating": "down", "reason": "in my own words" }),
        json!({ "rating": "sideways" }),
    ] {
        assert_eq!(rate(&reader, &thumb, &refused).await, StatusCode::BAD_REQUEST, "{refused}");
    }
    assert_eq!(rate(&other, &thumb, &wrong()).await, StatusCode::NOT_FOUND);
    let elsewhere = thumb.replace("/turns/", "/turns/no");
    assert_eq!(rate(&reader, &elsewhere, &wrong()).await, StatusCode::NOT_FOUND);
    assert_eq!(seen(&reader, &conversation).await, wrong());
    assert_eq!(learned(&router, &[]).await["stored"], 1);

    assert_eq!(reader.delete(&thumb).await, StatusCode::NO_CONTENT);
    assert_eq!(seen(&reader, &conversation).await, Value::Null);
    assert_eq!(rate(&reader, &thumb, &wrong()).await, StatusCode::NO_CONTENT);
    assert_eq!(reader.delete(&conversation).await, StatusCode::NO_CONTENT);
    assert_eq!(learned(&router, &[]).await["stored"], 0);
}

#[tokio::test]
async fn a_flood_of_cookies_from_one_network_moves_nothing() {
    let (router, _specialists) = two().await;
    forty_object(&router, |number| format!("198.51.100.{number}")).await;
    let before = fs::read(router.data().join("calibration.toml")).unwrap();
    let flood = learned(&router, &["--apply"]).await;
    assert_eq!((&flood["ratings"], &flood["voters"]), (&json!(40), &json!(1)), "{flood}");
    assert_eq!((&flood["offsets"], &flood["applied"]), (&json!({}), &json!(false)), "{flood}");
    assert_eq!(fs::read(router.data().join("calibration.toml")).unwrap(), before);

    let trusted = learned(&router, &["--by-session"]).await;
    assert_eq!(trusted["voters"], 40);
    assert!(trusted["offsets"]["chemist"].as_f64().unwrap() < 0.0, "{trusted}");
}

#[tokio::test]
async fn what_many_readers_say_moves_whom_to_ask_within_bounds() {
    let (router, _specialists) = two().await;
    let (was, even) = leads(&router, QUESTION).await;
    let (clearly, odds) = leads(&router, CLEAR).await;
    assert_eq!((was.as_str(), clearly.as_str()), ("chemist", "chemist"));
    // The proxy names last whom it heard itself.
    let readers = forty_object(&router, |number| format!("203.0.113.1, 198.51.{number}.7")).await;

    let shown = learned(&router, &[]).await;
    assert_eq!((&shown["ratings"], &shown["voters"]), (&json!(40), &json!(40)), "{shown}");
    let offset = shown["offsets"]["chemist"].as_f64().unwrap();
    assert!((-0.5..0.0).contains(&offset), "{shown}");
    assert!(shown["held"]["after"]["log_loss"].as_f64() < shown["held"]["before"]["log_loss"].as_f64());
    assert_eq!((&shown["applied"], &shown["in_force"]), (&json!(false), &json!({})));

    // What routes questions with known answers worse is not applied.
    let questions = router.data().join("questions.jsonl");
    fs::write(&questions, json!({ "query": QUESTION, "domain": "chemist" }).to_string()).unwrap();
    let against = learned(&router, &["--apply", "--questions", questions.to_str().unwrap()]).await;
    assert_eq!(against["questions"], json!({ "count": 1, "without": 1, "with": 0 }));
    assert_eq!((&against["applied"], &against["offsets"]), (&json!(false), &json!({})));

    assert_eq!(learned(&router, &["--apply"]).await["applied"], true);
    let router = router.restart().await;
    let (now, moved) = leads(&router, QUESTION).await;
    assert_eq!(now, "physicist");
    assert!((f64::from(moved - even) - offset).abs() < 1e-3, "{even} {moved} {offset}");
    let (still, moved) = leads(&router, CLEAR).await;
    assert!(still == "chemist" && (f64::from(moved - odds) - offset).abs() < 1e-3, "{odds} {moved}");

    // Readers see it, receipts hold it, and the policy in the open lists it.
    let said = explained(&router, &[QUESTION]).await;
    assert!(
        said.contains(&format!("Readers' thumbs moved, in log-odds: chemist by {offset:+.2}.")),
        "{said}"
    );
    let policy = reqwest::get(format!("{}/v1/policy", router.process.url)).await.unwrap();
    let policy: Value = policy.json().await.unwrap();
    let rules = policy["rules"].as_array().unwrap();
    let calibration = rules.iter().find(|rule| rule["name"] == "route/calibration").unwrap();
    assert!(calibration["text"].as_str().unwrap().contains(r#""offsets":{"chemist":-0."#), "{calibration}");
    let receipt = router.data().join("receipt.json");
    let asked = ["ask", QUESTION, "--router", &router.process.url, "--receipt", receipt.to_str().unwrap()];
    assert!(run("router", asked).await.status.success());
    // A receipt's numbers have six digits.
    assert_eq!(replayed(&router, &receipt).await, ("same, within 0.001\n".to_owned(), Some(0)));

    // Who learns again from the same thumbs learns the same, whatever is in force.
    let again = learned(&router, &["--apply"]).await;
    assert!((again["offsets"]["chemist"].as_f64().unwrap() - offset).abs() < 1e-3, "{again}");
    // What nobody says any more falls away.
    for (browser, conversation) in readers {
        assert_eq!(browser.at(&router).delete(&conversation).await, StatusCode::NO_CONTENT);
    }
    assert_eq!(learned(&router, &["--apply"]).await["applied"], true);
    let router = router.restart().await;
    assert_eq!(leads(&router, QUESTION).await.0, "chemist");
}
