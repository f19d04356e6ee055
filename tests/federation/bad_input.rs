//! Rubbish in, a clear error out; nothing panics and nothing is half-written.

use std::process::Output;

use proto::wire::{AskOptions, AskRequest, FinishReason, Role, Turn};
use serde_json::{Value, json};
use tonic::Code;

use crate::{
    answers::planets,
    harness::{Institution, Router, run},
};

#[tokio::test]
async fn over_http_every_refusal_has_its_status_and_code() {
    let router = Router::start().await;
    let url = format!("{}/v1/chat/completions", router.process.url);
    let ask = |content: Value| json!({ "model": "consilium/auto", "messages": [{ "role": "user", "content": content }] });
    let with = |key: &str, value: Value| {
        let mut body = ask(json!("why"));
        body[key] = value;
        body.to_string().into_bytes()
    };
    let body = |content: Value| ask(content).to_string().into_bytes();
    // One byte over the limit: the router has read it all when it refuses, so that the refusal is
    // never lost to a connection that breaks under a body still on its way.
    let mut too_long = body(json!("why"));
    too_long.resize((1 << 20) + 1, b' ');
    let cases: Vec<(Vec<u8>, u16, &str)> = vec![
        (b"{\"model\":".to_vec(), 400, "invalid_request"),
        (b"".to_vec(), 400, "invalid_request"),
        (b"[]".to_vec(), 400, "invalid_request"),
        (
            b"{\"model\":\"consilium/auto\",\"messages\":[{\"role\":\"user\",\"content\":\"\xff\"}]}"
                .to_vec(),
            400,
            "invalid_request",
        ),
        (body(json!("")), 400, "invalid_value"),
        (body(json!("  \n")), 400, "invalid_value"),
        (body(json!(" x".repeat(65 * 512))), 400, "invalid_value"),
        (too_long, 413, "invalid_body"),
        (body(json!([{ "type": "image_url", "image_url": {} }])), 400, "unsupported_parameter"),
        (with("messages", json!([])), 400, "invalid_value"),
        (with("messages", json!([{ "role": "assistant", "content": "hi" }])), 400, "invalid_value"),
        (with("messages", json!([{ "role": "robot", "content": "hi" }])), 400, "unsupported_parameter"),
        (with("model", json!("gpt-4o")), 404, "model_not_found"),
        (with("model", json!("consilium/Nobody")), 404, "model_not_found"),
        (with("model", json!("consilium/nobody")), 404, "specialist_not_found"),
        (with("tools", json!([{ "type": "function" }])), 400, "unsupported_parameter"),
        (with("n", json!(2)), 400, "unsupported_parameter"),
        (with("consilium", json!({ "only": ["No Body"] })), 400, "invalid_value"),
        (with("consilium", json!({ "onyl": [] })), 400, "invalid_request"),
    ];
    let client = reqwest::Client::new();
    for (at, (body, status, code)) in cases.into_iter().enumerate() {
        let response = client.post(&url).body(body).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "case {at}");
        let error: Value = response.json().await.unwrap();
        assert_eq!(error["error"]["code"], code, "case {at}: {error}");
        assert!(!error["error"]["message"].as_str().unwrap().is_empty(), "case {at}");
    }
    let nowhere = client.get(format!("{}/v2/nothing", router.process.url)).send().await.unwrap();
    assert_eq!(nowhere.status().as_u16(), 404);
    assert_eq!(nowhere.json::<Value>().await.unwrap()["error"]["code"], "unknown_path");
    // It still answers.
    assert_eq!(router.ask("why").await.reason(), FinishReason::Abstained);
}

#[tokio::test]
async fn over_grpc_every_refusal_has_its_code_and_names_the_field() {
    let router = Router::start().await;
    let mut client = router.client().await;
    let turn = |role: Role, text: &str| Turn { role: role.into(), text: text.into() };
    let long = "x".repeat(65 * 1024);
    let cases = [
        (vec![], AskOptions::default(), Code::InvalidArgument, "turns: has 0 entries"),
        (
            vec![turn(Role::User, " ")],
            AskOptions::default(),
            Code::InvalidArgument,
            "turns[0].text: has 0 bytes",
        ),
        (
            vec![turn(Role::User, &long)],
            AskOptions::default(),
            Code::InvalidArgument,
            "turns[0].text: has 66560 bytes",
        ),
        (
            vec![turn(Role::Unspecified, "x")],
            AskOptions::default(),
            Code::InvalidArgument,
            "turns[0].role: is missing",
        ),
        (
            vec![turn(Role::Assistant, "x")],
            AskOptions::default(),
            Code::InvalidArgument,
            "turns: must end with",
        ),
        (
            vec![turn(Role::User, "x")],
            AskOptions { only: vec!["nobody".into()], ..Default::default() },
            Code::NotFound,
            "no specialist nobody is registered",
        ),
    ];
    for (turns, options, code, why) in cases {
        let refused =
            client.ask(AskRequest { turns, options: Some(options), ..Default::default() }).await.unwrap_err();
        assert_eq!(refused.code(), code, "{why}");
        assert!(refused.message().starts_with(why), "{}", refused.message());
    }
}

#[track_caller]
fn fails(output: &Output, expected: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    for expected in expected {
        assert!(stderr.contains(expected), "{expected:?} is missing in {stderr}");
    }
}

#[tokio::test]
async fn a_server_that_cannot_start_says_why() {
    let planets = planets().start().await;
    let taken = format!("127.0.0.1:{}", planets.port());
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let serve = async |rest: &[&str]| run("router", [&["serve", "--data", data], rest].concat()).await;

    fails(&serve(&["--listen", &taken]).await, &["is taken by another process", "--listen"]);
    let nowhere = folder.path().join("nowhere");
    let no_weights = ["--listen", "127.0.0.1:0", "--model", nowhere.to_str().unwrap()];
    fails(&serve(&no_weights).await, &["make setup"]);
    let broken = folder.path().join("router.toml");
    std::fs::write(&broken, "[route]\nconfidence = 1\n").unwrap();
    fails(&serve(&["--config", broken.to_str().unwrap()]).await, &["router.toml is not valid", "confidence"]);
    std::fs::write(&broken, "[route]\nhits_max = 0\n").unwrap();
    fails(&serve(&["--config", broken.to_str().unwrap()]).await, &["route.hits_max must be at least 1"]);

    std::fs::write(&broken, "[fleet]\nrefresh_ms = 0\n").unwrap();
    fails(&serve(&["--config", broken.to_str().unwrap()]).await, &["fleet.refresh_ms must be at least 1"]);

    let hashed = "encoder = { kind = \"hashed\" }\n";
    std::fs::write(&broken, hashed).unwrap();
    std::fs::write(folder.path().join("router.db"), "this is no database, and long enough to be read as one")
        .unwrap();
    let args = ["--listen", "127.0.0.1:0", "--config", broken.to_str().unwrap()];
    fails(&serve(&args).await, &["cannot open the database"]);
}

#[tokio::test]
async fn a_corpus_without_a_readable_line_is_named_by_file_and_line() {
    let institution =
        Institution::new("broken").set("corpus = \"corpus\"\nencoder = { kind = \"hashed\" }\n");
    institution.writes("second.jsonl", "\n{\"id\":\n");
    let file = institution.file();
    let config = ["--config", file.to_str().unwrap()];
    let served = run("specialist", ["serve"].into_iter().chain(config)).await;
    fails(&served, &["second.jsonl:2"]);
    fails(&run("specialist", ["check"].into_iter().chain(config)).await, &["second.jsonl:2"]);
}

#[tokio::test]
async fn a_broken_line_costs_only_itself() {
    let institution = Institution::new("broken").knows(&[("a", "A sentence."), ("b", "Another one.")]);
    institution.writes("second.jsonl", "{\"id\":\"x\",\"title\":\"t\",\"text\":\"fine\"}\n{\"id\": secret\n");
    let file = institution.file();
    let checked = run("specialist", ["check", "--config", file.to_str().unwrap()]).await;
    let said = String::from_utf8(checked.stdout).unwrap();
    assert!(said.contains("passages: 3 from 2 files\nskipped: 1; `specialist index --report`"), "{said}");

    let (status, log) = institution.start().await.stop_and_read().await;
    assert!(status.success() && log.contains("second.jsonl:2") && log.contains("is not JSON"), "{log}");
    assert!(!log.contains("secret"), "{log}");
}
