//! The OpenAI-compatible interface, byte for byte as its clients read it.

use serde_json::{Value, json};

use crate::{
    answers::planets,
    harness::{Institution, Router},
};

async fn post(router: &Router, body: &Value) -> reqwest::Response {
    let url = format!("{}/v1/chat/completions", router.process.url);
    reqwest::Client::new().post(url).json(body).send().await.unwrap()
}

fn question(text: &str) -> Value {
    json!({
        "model": "consilium/auto",
        "messages": [{ "role": "system", "content": "Be brief." }, { "role": "user", "content": text }],
    })
}

/// The data of every event, `[DONE]` left out, and whether it came.
fn events(body: &str) -> (Vec<Value>, bool) {
    let data: Vec<&str> = body.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    let done = data.last() == Some(&"[DONE]");
    let chunks = data.iter().filter(|data| **data != "[DONE]");
    (chunks.map(|data| serde_json::from_str(data).unwrap()).collect(), done)
}

#[tokio::test]
async fn a_streamed_answer_has_the_shape_that_clients_expect() {
    let planets = planets().start().await;
    let router = Router::start().await;
    router.add(&planets).await;
    let mut body = question("why is Mars red");
    body["stream"] = json!(true);
    body["stream_options"] = json!({ "include_usage": true });

    let response = post(&router, &body).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["x-consilium-specialists"], "planets");
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    assert!(response.headers().contains_key("x-request-id"));
    let (chunks, done) = events(&response.text().await.unwrap());
    assert!(done);

    assert_eq!(chunks[0]["choices"][0]["delta"], json!({ "role": "assistant", "content": "" }));
    assert_eq!(chunks[0]["consilium"]["routing"]["considered"][0]["status"], "asked");
    let text: String =
        chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(text, "Mars is red because iron dust on its ground rusted. Its sky is pale. [1]");

    let [.., annotations, finish, usage] = chunks.as_slice() else { panic!("{} chunks", chunks.len()) };
    let annotation = &annotations["choices"][0]["delta"]["annotations"][0];
    let cited = json!({ "url": "https://example.org/planets/0", "title": "Mars, colour", "start_index": 0, "end_index": 68 });
    assert_eq!((&annotation["index"], &annotation["url_citation"]), (&json!(0), &cited));
    assert_eq!(finish["choices"][0], json!({ "index": 0, "delta": {}, "finish_reason": "stop" }));
    assert_eq!(finish["consilium"]["routing"]["considered"][0]["status"], "answered");
    assert_eq!(finish["citations"][0]["specialist"], "planets");
    assert_eq!(usage["choices"], json!([]));
    assert!(usage["usage"]["prompt_tokens"].as_u64().unwrap() > 0);
    let same = ["id", "object", "created", "model"];
    assert!(chunks.iter().all(|chunk| same.iter().all(|key| chunk[key] == chunks[0][key])));
}

#[tokio::test]
async fn a_whole_answer_carries_the_same_and_counts_in_code_points() {
    let accents = Institution::new("accents").knows(&[
        ("Café", "Ein Café öffnet früh. Es schließt spät."),
        ("Tee", "Tee zieht fünf Minuten."),
        ("Käse", "Käse reift lange."),
        ("Brot", "Brot wird gebacken."),
        ("Öl", "Öl wird gepresst."),
    ]);
    let accents = accents.start().await;
    let router = Router::start().await;
    router.add(&accents).await;

    let mut body = question("Ein Café öffnet früh");
    body["model"] = json!("consilium/accents");
    body["consilium"] = json!({ "footer": true });
    let answer: Value = post(&router, &body).await.json().await.unwrap();
    let message = &answer["choices"][0]["message"];
    let text = message["content"].as_str().unwrap();
    assert!(
        text.starts_with("Ein Café öffnet früh. Es schließt spät. [1]\n\nSources:\n[1] Café (accents)"),
        "{text}"
    );
    let spans = answer["consilium"]["spans"].as_array().unwrap();
    assert_eq!(spans.last().unwrap()["end"], text.chars().count());
    assert_eq!(message["annotations"][0]["url_citation"]["end_index"], 39);
    assert_eq!(answer["consilium"]["notices"][0]["text"], "Checked by nobody: accents.");
}

#[tokio::test]
async fn models_are_the_federation_and_each_specialist() {
    let planets = planets().start().await;
    let router = Router::start().await;
    router.add(&planets).await;
    let models: Value =
        reqwest::get(format!("{}/v1/models", router.process.url)).await.unwrap().json().await.unwrap();
    let ids: Vec<_> = models["data"].as_array().unwrap().iter().map(|model| model["id"].clone()).collect();
    assert_eq!(ids, ["consilium/auto", "consilium/planets"]);
    let one = reqwest::get(format!("{}/v1/models/consilium/planets", router.process.url)).await.unwrap();
    assert_eq!(one.json::<Value>().await.unwrap()["owned_by"], "Institute of planets");

    let mut pinned = question("why is Mars so red");
    pinned["model"] = json!("consilium/planets");
    let answer: Value = post(&router, &pinned).await.json().await.unwrap();
    assert!(answer["choices"][0]["message"]["content"].as_str().unwrap().contains("Mars"));
}

#[tokio::test]
async fn a_failure_in_mid_stream_is_an_error_and_no_done() {
    let lead = Institution::new("lead").scripted("why is Mars red", r#""fail""#).start().await;
    let router = Router::start().await;
    router.add(&lead).await;
    let mut body = question("why is Mars red");
    let whole = post(&router, &body).await;
    assert_eq!((whole.status().as_u16(), whole.headers()["retry-after"].to_str().unwrap()), (503, "1"));
    assert_eq!(whole.json::<Value>().await.unwrap()["error"]["code"], "unanswered");

    body["stream"] = json!(true);
    let (chunks, done) = events(&post(&router, &body).await.text().await.unwrap());
    assert_eq!((&chunks.last().unwrap()["error"]["code"], done), (&json!("unanswered"), false));
}
