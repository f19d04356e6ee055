//! Conversations of the page: kept for whoever holds their cookie, and deleted for good.

mod erasing;

use proto::wire::FinishReason;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    answers::planets,
    harness::{Browser, Router, Slip},
    soap::{ANSWER, QUESTION, soap, stalling, talking},
};

fn content(turn: &Value) -> &str {
    turn["answer"]["choices"][0]["message"]["content"].as_str().unwrap()
}

/// What opens the receipt of a turn that has ended.
fn slip(turn: &Value) -> Slip {
    let receipt = &turn["answer"]["consilium"]["receipt"];
    let text = |name: &str| receipt[name].as_str().unwrap().to_owned();
    Slip { id: text("id"), capability: text("capability") }
}

async fn code(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    (status, body["error"]["code"].as_str().unwrap().to_owned())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn what_was_asked_and_answered_comes_back() {
    let soap = talking().await;
    let router = Router::start().await;
    router.add(&soap).await;
    let mut browser = Browser::new(&router);
    let conversation = browser.begin().await;
    let first = browser.ask(&conversation, &Value::Null, QUESTION).await;
    let second = browser.ask(&conversation, &first, "and why do they burst").await;

    let router = router.restart().await;
    let browser = browser.at(&router);
    let shown = browser.json(&conversation).await;
    assert_eq!(
        (&shown["title"], &shown["share"], &shown["folder"]),
        (&json!(QUESTION), &Value::Null, &Value::Null)
    );
    let turns = shown["turns"].as_array().unwrap();
    assert_eq!(turns.len(), 2);
    assert_eq!(
        (&turns[0]["id"], &turns[0]["parent"], &turns[0]["state"]),
        (&first, &Value::Null, &json!("done"))
    );
    assert_eq!((&turns[1]["id"], &turns[1]["parent"]), (&second, &first));
    assert!(content(&turns[0]).starts_with(ANSWER), "{}", content(&turns[0]));
    let receipts = [slip(&turns[0]).fetch(&router).await, slip(&turns[1]).fetch(&router).await];
    let trust = audit::Trust::read(&router.trust().await).unwrap();
    let [first, second] = receipts.map(|bytes| bytes.expect("a receipt"));
    let payload = audit::Bundle::read(&first).unwrap().receipt().payload.clone();
    assert_eq!(router.verified(&trust, &second).previous_sha256, proto::Digest::of(payload).as_bytes());
    let listed = browser.json("conversations").await;
    assert_eq!(listed["retention_days"], 30);
    assert_eq!(listed["conversations"][0]["title"], QUESTION);
}

#[tokio::test]
async fn nobody_else_sees_a_conversation() {
    let soap = talking().await;
    let router = Router::start().await;
    router.add(&soap).await;
    let (mut owner, mut other) = (Browser::new(&router), Browser::new(&router));
    let conversation = owner.begin().await;
    let turn = owner.ask(&conversation, &Value::Null, QUESTION).await;
    let theirs = other.begin().await;
    let nobody = Browser::new(&router);
    let unknown = refused(404, "conversation_not_found");
    for browser in [&other, &nobody] {
        assert_eq!(code(browser.get(&conversation).await).await, unknown);
        assert_eq!(code(browser.post(&format!("{conversation}/share"), &json!({})).await).await, unknown);
        assert_eq!(code(browser.turn(&conversation, &Value::Null, QUESTION).await).await, unknown);
        let renamed = browser.send(Method::PATCH, &conversation, &json!({ "title": "mine" })).await;
        assert_eq!(code(renamed).await, unknown);
        assert_eq!(browser.delete(&conversation).await, StatusCode::NOT_FOUND);
        assert_eq!(browser.found("soap").await, [] as [Value; 0]);
    }
    assert_eq!(code(other.turn(&theirs, &turn, QUESTION).await).await, refused(404, "turn_not_found"));
    assert_eq!(nobody.json("conversations").await["conversations"], json!([]));
    assert_eq!(owner.json(&conversation).await["title"], QUESTION);
}

#[tokio::test]
async fn what_was_said_until_a_reader_leaves_is_kept() {
    let soap = stalling().await;
    let router = Router::start().await;
    router.add(&soap).await;
    let mut browser = Browser::new(&router);
    let conversation = browser.begin().await;
    drop(browser.hear(&conversation, QUESTION, "And so").await);
    let turn = browser.ended(&conversation).await;
    assert_eq!(turn["state"], "stopped");
    assert!(content(&turn).starts_with(ANSWER), "{}", content(&turn));
    let trust = audit::Trust::read(&router.trust().await).unwrap();
    let receipt = slip(&turn).fetch(&router).await.expect("it was written before the turn ended");
    assert_eq!(router.verified(&trust, &receipt).reason(), FinishReason::Abandoned);
}

#[tokio::test]
async fn what_fails_is_kept_with_its_reason() {
    let soap = soap(r#""fail""#).await;
    let router = Router::start().await;
    router.add(&soap).await;
    let mut browser = Browser::new(&router);
    let conversation = browser.begin().await;
    let body = browser.turn(&conversation, &Value::Null, QUESTION).await.text().await.unwrap();
    assert!(!body.contains("[DONE]"), "{body}");
    // Who has heard the end finds it kept.
    let turn = &browser.json(&conversation).await["turns"][0];
    assert_eq!((&turn["state"], &turn["error"]["code"]), (&json!("failed"), &json!("unanswered")));
}

#[tokio::test]
async fn asking_again_and_otherwise_makes_versions() {
    let soap = talking().await;
    let router = Router::start().await;
    router.add(&soap).await;
    let mut browser = Browser::new(&router);
    let conversation = browser.begin().await;
    let root = browser.ask(&conversation, &Value::Null, QUESTION).await;
    let first = browser.ask(&conversation, &root, "and at night").await;
    let again = browser.ask(&conversation, &root, "and at night").await;
    let edited = browser.ask(&conversation, &root, "and at noon").await;
    let shown = browser.json(&conversation).await;
    let turns = shown["turns"].as_array().unwrap();
    let children: Vec<&Value> =
        turns.iter().filter(|turn| turn["parent"] == root).map(|turn| &turn["id"]).collect();
    assert_eq!(children, [&first, &again, &edited]);
    assert!(turns.iter().all(|turn| turn["state"] == "done"), "who has heard the end finds it kept");
    assert_eq!(shown["title"], QUESTION);
}

#[tokio::test]
async fn conversations_are_found_renamed_and_put_away() {
    let soap = talking().await;
    let router = Router::start().await;
    router.add(&soap).await;
    let mut browser = Browser::new(&router);
    let bubbles = browser.begin().await;
    browser.ask(&bubbles, &Value::Null, QUESTION).await;
    let other = browser.begin().await;
    browser.ask(&other, &Value::Null, "why is Zürich grey").await;

    let ids = |found: &[Value]| -> Vec<String> {
        found.iter().map(|one| format!("conversations/{}", one["id"].as_str().unwrap())).collect()
    };
    assert_eq!(ids(&browser.found("SHIMM").await), [bubbles.as_str()]);
    assert_eq!(ids(&browser.found("grey zurich").await), [other.as_str()]);
    let found = browser.found("umbrellas").await;
    assert_eq!(found[0]["snippet"]["match"], "Umbrellas");
    assert!(found[0]["snippet"]["after"].as_str().unwrap().starts_with(" of thin soap"), "{found:?}");
    for query in ["shimmer zurich", "\"", "* OR )", "NEAR(", "zurich\" OR \"shimmer"] {
        assert_eq!(browser.found(query).await, [] as [Value; 0], "{query}");
    }

    let wanted = json!({ "title": " Bubbles \n and more", "folder": "Physics", "pinned": true });
    let changed: Value = browser.send(Method::PATCH, &bubbles, &wanted).await.json().await.unwrap();
    assert_eq!(
        (&changed["title"], &changed["folder"], &changed["pinned"]),
        (&json!("Bubbles and more"), &json!("Physics"), &json!(true))
    );
    assert_eq!(ids(&browser.found("more").await), [bubbles.as_str()]);
    let listed = browser.json("conversations?limit=1").await;
    assert_eq!(
        ids(listed["conversations"].as_array().unwrap()),
        [bubbles.as_str()],
        "what is pinned comes first"
    );
    let changed: Value =
        browser.send(Method::PATCH, &bubbles, &json!({ "folder": null })).await.json().await.unwrap();
    assert_eq!((&changed["title"], &changed["folder"]), (&json!("Bubbles and more"), &Value::Null));
    let long = browser.send(Method::PATCH, &bubbles, &json!({ "title": "x".repeat(81) })).await;
    assert_eq!(code(long).await, refused(400, "unsupported_parameter"));
}

#[tokio::test]
async fn a_shared_link_is_read_only_and_ends_when_it_is_revoked() {
    let soap = talking().await;
    let router = Router::start().await;
    router.add(&soap).await;
    let mut browser = Browser::new(&router);
    let conversation = browser.begin().await;
    let first = browser.ask(&conversation, &Value::Null, "an earlier version of it").await;
    let newest = browser.ask(&conversation, &Value::Null, QUESTION).await;
    let share = format!("{conversation}/share");
    let shared: Value = browser.post(&share, &json!({})).await.json().await.unwrap();
    let again: Value = browser.post(&share, &json!({})).await.json().await.unwrap();
    assert_eq!(shared, again);
    assert_eq!(browser.json(&conversation).await["share"], shared["token"]);

    let reader = Browser::new(&router);
    let link = format!("shared/{}", shared["token"].as_str().unwrap());
    let read = reader.json(&link).await;
    assert_eq!(read["turns"].as_array().unwrap().len(), 1, "{first} was replaced");
    assert_eq!(read["turns"][0]["id"], newest);
    assert!(content(&read["turns"][0]).starts_with(ANSWER));
    assert!(read["turns"][0]["answer"]["consilium"]["receipt"]["id"].is_string());
    let text = read.to_string();
    assert!(!text.contains("capability") && !text.contains(&conversation[14..]), "{text}");
    for method in [Method::POST, Method::PATCH, Method::DELETE] {
        let response = reader.send(method, &link, &json!({ "title": "mine" })).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
    assert_eq!(browser.delete(&share).await, StatusCode::NO_CONTENT);
    assert_eq!(code(reader.get(&link).await).await, refused(404, "not_shared"));
    let anew: Value = browser.post(&share, &json!({})).await.json().await.unwrap();
    assert_ne!(anew, shared);
}

#[tokio::test]
async fn another_site_changes_nothing() {
    let router = Router::start().await;
    let mut browser = Browser::new(&router);
    let conversation = browser.begin().await;
    let cross = refused(403, "cross_origin");
    let post = browser.request(Method::POST, "conversations").header("origin", "https://other.example");
    assert_eq!(code(post.json(&json!({})).send().await.unwrap()).await, cross);
    let form = browser.request(Method::POST, &format!("{conversation}/share")).body("{}");
    assert_eq!(code(form.header("content-type", "text/plain").send().await.unwrap()).await, cross);
    let delete = browser.request(Method::DELETE, &conversation).header("origin", "null");
    assert_eq!(code(delete.send().await.unwrap()).await, cross);
    let own = browser.request(Method::DELETE, &conversation).header("origin", &router.process.url);
    assert_eq!(own.send().await.unwrap().status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_question_is_previewed_and_asked_as_its_asker_wants() {
    let (soap, planets) = (talking().await, planets().start().await);
    let router = Router::generous().await;
    router.add(&soap).await;
    router.add(&planets).await;
    let mut browser = Browser::new(&router);
    let turns = json!([{ "role": "user", "text": QUESTION }]);
    let preview = browser.post("preview", &json!({ "turns": turns })).await.json::<Value>().await.unwrap();
    assert_eq!(preview["seen_by"].as_array().unwrap().len(), 2, "{preview}");
    let options = json!({ "exclude": ["soap"] });
    let body = json!({ "turns": turns, "options": options });
    let preview = browser.post("preview", &body).await.json::<Value>().await.unwrap();
    assert_eq!(preview["seen_by"], json!(["planets"]));

    let conversation = browser.begin().await;
    let body = json!({ "parent": null, "text": QUESTION, "options": options });
    let asked = browser.post(&format!("{conversation}/turns"), &body).await.text().await.unwrap();
    assert!(asked.contains("planets") && !asked.contains("Umbrellas"), "{asked}");
    let unknown = json!({ "parent": null, "text": QUESTION, "options": { "only": ["nobody"] } });
    let refusal = browser.post(&format!("{conversation}/turns"), &unknown).await;
    assert_eq!(code(refusal).await, refused(404, "specialist_not_found"));
    let blank = browser.turn(&conversation, &Value::Null, " ").await;
    assert_eq!(code(blank).await, refused(400, "invalid_value"));
    assert_eq!(
        browser.json(&conversation).await["turns"].as_array().unwrap().len(),
        1,
        "nobody answered the others"
    );
}
