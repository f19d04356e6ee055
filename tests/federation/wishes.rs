//! What askers may wish for, and that every door grants it: gRPC, the OpenAI-compatible interface and the
//! terminal.

use proto::wire::{AskOptions, FinishReason, Role, RouteRequest, Turn};
use serde_json::{Value, json};

use crate::{
    answers::planets,
    harness::{Institution, Router, run},
};

const QUESTION: &str = "why is Mars red";

/// Two specialists, either of which would be asked.
async fn two() -> (Router, [crate::harness::Process; 2]) {
    let rust = Institution::new("rust").scripted(QUESTION, r#"{ say = "Rust." }"#);
    let specialists = [planets().start().await, rust.start().await];
    let router = Router::generous().await;
    for specialist in &specialists {
        router.add(specialist).await;
    }
    (router, specialists)
}

/// Who sees the question, by each door in turn.
async fn seen_by(router: &Router, options: AskOptions, model: &str) -> [Vec<String>; 3] {
    let turns = vec![Turn { role: Role::User.into(), text: QUESTION.into() }];
    let request = RouteRequest { turns, options: Some(options.clone()), derivation: false };
    let decision = router.client().await.route(request).await.unwrap().into_inner().decision.unwrap();

    let AskOptions { only, exclude, specialists_max, consent: _ } = options;
    let body = json!({
        "model": model,
        "messages": [{ "role": "user", "content": QUESTION }],
        "consilium": { "only": only, "exclude": exclude, "max_specialists": specialists_max },
    });
    let url = format!("{}/v1/chat/completions", router.process.url);
    let answer = reqwest::Client::new().post(&url).json(&body).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();

    let mut args = vec!["route".to_owned(), QUESTION.to_owned(), "-o".to_owned(), "json".to_owned()];
    args.extend(["--router".to_owned(), router.process.url.clone()]);
    args.extend(only.iter().flat_map(|id| ["--only".to_owned(), id.clone()]));
    args.extend(exclude.iter().flat_map(|id| ["--exclude".to_owned(), id.clone()]));
    if specialists_max > 0 {
        args.extend(["--max-specialists".to_owned(), specialists_max.to_string()]);
    }
    let said = run("router", args.iter().map(String::as_str)).await.stdout;
    let said: Value = serde_json::from_slice(&said).unwrap();
    let ids = |value: &Value| {
        let ids = value.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned());
        ids.collect()
    };
    [decision.seen_by, ids(&answer["consilium"]["routing"]["seen_by"]), ids(&said["seen_by"])]
}

#[tokio::test]
async fn every_door_grants_the_same_wishes() {
    let (router, _specialists) = two().await;
    let wish = async |options: AskOptions, model: &str, expected: &[&str]| {
        for (door, seen) in seen_by(&router, options.clone(), model).await.into_iter().enumerate() {
            assert_eq!(seen, expected, "door {door}, {options:?}");
        }
    };
    let auto = "consilium/auto";
    wish(AskOptions::default(), auto, &["rust", "planets"]).await;
    wish(AskOptions { specialists_max: 1, ..Default::default() }, auto, &["rust"]).await;
    wish(AskOptions { exclude: vec!["rust".into()], ..Default::default() }, auto, &["planets"]).await;
    let only = AskOptions { only: vec!["planets".into()], ..Default::default() };
    wish(only.clone(), auto, &["planets"]).await;
    // The model's name pins as `only` does.
    wish(only, "consilium/planets", &["planets"]).await;
    let both = AskOptions { only: vec!["rust".into(), "planets".into()], ..Default::default() };
    wish(AskOptions { exclude: vec!["rust".into()], ..both }, auto, &["planets"]).await;
}

/// What the router says of itself in each answer; the question is nobody's.
async fn told(router: &Router, question: &str) -> (String, String) {
    let answer = router.ask(question).await;
    assert_eq!(answer.reason(), FinishReason::Abstained, "{question}: {}", answer.text());
    (answer.text(), answer.decision.unwrap().language)
}

#[tokio::test]
async fn a_question_in_another_language_is_told_so() {
    let planets = planets().start().await;
    let router = Router::start().await;
    let german = "Mein Vermieter will die Kaution behalten, darf er das?";
    let (text, language) = told(&router, german).await;
    assert!(text.starts_with("No specialist is registered") && language.is_empty(), "{text}");

    router.add(&planets).await;
    for (question, name, code) in [
        (german, "German", "deu"),
        ("¿Cómo se trata la leucemia en los niños?", "Spanish", "spa"),
        ("كيف أقدم إقراري الضريبي؟", "Arabic", "ara"),
        ("房东不退押金怎么办？", "Mandarin", "cmn"),
    ] {
        let (text, language) = told(&router, question).await;
        let expected = format!(
            "No specialist here covers this question. It seems to be in {name}, and this router's encoder \
             covers English: please ask again in English. Considered: About planets (Institute of planets)."
        );
        assert_eq!((text, language.as_str()), (expected, code));
    }
    for question in ["measles?", "taxes", "quarterly payroll withholding forms"] {
        let (text, language) = told(&router, question).await;
        assert!(!text.contains("seems to be") && language.is_empty(), "{question}: {text}");
    }

    let url = format!("{}/v1/chat/completions", router.process.url);
    let body = json!({ "model": "consilium/auto", "messages": [{ "role": "user", "content": german }] });
    let answer = reqwest::Client::new().post(&url).json(&body).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["consilium"]["routing"]["language"], "deu");
    let said = run("router", ["route", german, "--router", &router.process.url]).await.stdout;
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("The router's encoder does not cover its language: deu"), "{said}");
}

#[tokio::test]
async fn the_languages_are_a_setting() {
    let planets = planets().start().await;
    let settings = format!("{}[route]\nlanguages = []\n", crate::harness::SETTINGS);
    let router = Router::with(&settings).await;
    router.add(&planets).await;
    let (text, language) = told(&router, "Mein Vermieter will die Kaution behalten, darf er das?").await;
    assert!(!text.contains("seems to be") && language.is_empty(), "{text}");
}
