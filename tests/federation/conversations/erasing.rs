//! What becomes of conversations when they are deleted, when their time is over, and when their router dies.

use std::time::UNIX_EPOCH;

use reqwest::StatusCode;
use serde_json::{Value, json};
use store::Store;
use tokio::time::timeout;

use super::slip;
use crate::{
    harness::{Browser, PATIENCE, Router, Slip, eventually},
    receipts::{holding, written},
    soap::{QUESTION, stalling, talking},
};

const MINUTE_MS: i64 = 60_000;

#[tokio::test]
async fn a_turn_that_ran_when_its_router_died_has_failed() {
    let soap = stalling().await;
    let router = Router::start().await;
    router.add(&soap).await;
    let mut browser = Browser::new(&router);
    let conversation = browser.begin().await;
    let _running = browser.hear(&conversation, QUESTION, "And so").await;
    let router = router.crash().await;
    let browser = browser.at(&router);
    let turn = &browser.json(&conversation).await["turns"][0];
    assert_eq!((&turn["state"], &turn["error"]["code"]), (&json!("failed"), &json!("interrupted")));
}

#[tokio::test]
async fn nothing_of_what_was_deleted_is_on_the_disk() {
    let soap = talking().await;
    let router = Router::telling().await;
    router.add(&soap).await;
    let mut browser = Browser::new(&router);
    let (conversation, kept) = (browser.begin().await, browser.begin().await);
    let asked = format!("{QUESTION}, quincunx aubergine");
    let first = browser.ask(&conversation, &Value::Null, &asked).await;
    browser.ask(&conversation, &first, "and the nightingale").await;
    browser.ask(&kept, &Value::Null, "why do soap kettles shimmer").await;
    let shown = browser.json(&conversation).await;
    let slips: Vec<Slip> = shown["turns"].as_array().unwrap().iter().map(slip).collect();
    let mut secrets: Vec<Vec<u8>> = Vec::new();
    for slip in &slips {
        let bundle = slip.fetch(&router).await.unwrap();
        secrets.extend(written(&audit::Bundle::read(&bundle).unwrap().opening().unwrap().salt.0));
        secrets.push(slip.capability.clone().into_bytes());
        secrets.extend(slip.sealed(&router).await.unwrap());
    }
    for plain in [asked.as_str(), "quincunx", "aubergine", "nightingale"] {
        secrets.push(plain.as_bytes().to_vec());
    }
    let there = holding(router.data(), &secrets);
    assert!(there.iter().any(|name| name.contains("router.db")), "{there:?}");

    assert_eq!(browser.delete(&conversation).await, StatusCode::NO_CONTENT);
    let nowhere: [String; 0] = [];
    assert_eq!(holding(router.data(), &secrets), nowhere);
    assert_eq!(browser.get(&conversation).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(browser.found("aubergine").await, [] as [Value; 0]);
    assert_eq!(browser.found("kettles").await.len(), 1, "others stay");
    for slip in &slips {
        let bundle = slip.fetch(&router).await.expect("the receipt itself stays");
        assert!(audit::Bundle::read(&bundle).unwrap().opening().is_none());
    }
    let killed = router.kill().await;
    assert!(!killed.log.contains("aubergine") && !killed.log.contains("nightingale"), "{}", killed.log);
}

#[tokio::test]
async fn a_conversation_is_deleted_while_it_is_answered() {
    let soap = stalling().await;
    let router = Router::start().await;
    router.add(&soap).await;
    let mut browser = Browser::new(&router);
    let conversation = browser.begin().await;
    let (said, mut running) = browser.hear(&conversation, "why do aubergine bubbles shimmer", "And so").await;
    let id = said.split("req_").nth(1).unwrap().get(..32).unwrap();
    assert_eq!(browser.delete(&conversation).await, StatusCode::NO_CONTENT);
    let slip = Slip { id: format!("req_{id}"), capability: String::new() };
    assert_eq!(slip.sealed(&router).await, None);
    let secrets = [b"aubergine".to_vec(), b"Umbrellas".to_vec(), b"umbrellas".to_vec()];
    let nowhere: [String; 0] = [];
    assert_eq!(holding(router.data(), &secrets), nowhere);
    while let Ok(Some(bytes)) = timeout(PATIENCE, running.chunk()).await.expect("an end") {
        assert!(!String::from_utf8_lossy(&bytes).contains("[DONE]"));
    }
}

#[tokio::test]
async fn a_conversation_whose_time_is_over_is_deleted_at_the_next_start() {
    let router = Router::start().await;
    let mut browser = Browser::new(&router);
    let fresh = browser.begin().await;
    let folder = router.stop().await.unwrap();
    let store = Store::open(&folder.path().join("router.db")).await.unwrap();
    let now_ms = i64::try_from(UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let month_ms = 30 * 24 * 60 * MINUTE_MS;
    let (owner, network) = ([7; 32], [192, 0, 2]);
    store.create_conversation(&owner, &network, "over", now_ms - month_ms - MINUTE_MS).await.unwrap();
    store.create_conversation(&owner, &network, "nearly", now_ms - month_ms + 60 * MINUTE_MS).await.unwrap();
    store.close().await;

    let router = Router::on(folder.path()).await;
    let store = Store::open(&folder.path().join("router.db")).await.unwrap();
    eventually(async || {
        let over = store.conversation(&owner, "over").await.unwrap();
        over.is_none().then_some(())
    })
    .await;
    assert!(store.conversation(&owner, "nearly").await.unwrap().is_some());
    let browser = browser.at(&router);
    browser.json(&fresh).await;
}
