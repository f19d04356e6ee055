//! A decision can be told in words, kept, and derived again whatever has become of the fleet.

use std::{
    fs,
    path::{Path, PathBuf},
};

use proto::wire::watch_response::Kind;
use serde_json::{Value, json};

use crate::{
    answers::{cheese, planets},
    harness::{Institution, Process, Router, run},
};

/// For one specialist, beyond doubt.
const CLEAR: &str = "why is the ground of Mars red";

/// For two specialists, whose index is to resolve it.
const DOUBTFUL: &str = "are the two small moons of Mars made of gouda cheese";

/// A router with `planets`, and specialists for cheese and soap.
async fn fleet(planets: &Institution) -> (Router, [Process; 3]) {
    let soap = Institution::new("soap").scripted("why do bubbles shimmer", r#"{ say = "Thin." }"#);
    let standing = [planets.start().await, cheese().start().await, soap.start().await];
    let router = Router::start().await;
    for one in &standing {
        router.add(one).await;
    }
    (router, standing)
}

/// What `router explain` prints.
pub(crate) async fn explained(router: &Router, args: &[&str]) -> String {
    let output = run("router", [&["explain", "--router", &router.process.url], args].concat()).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What `router replay` says of a decision, on both outputs, and its exit code.
pub(crate) async fn replayed(router: &Router, decision: &Path) -> (String, Option<i32>) {
    let (data, config) = (router.data(), router.data().join("router.toml"));
    let args = ["replay".as_ref(), decision, "--data".as_ref(), data, "--config".as_ref(), config.as_path()];
    let output = run("router", args).await;
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (said, output.status.code())
}

/// Writes `decision` beside the router's database.
fn kept(router: &Router, decision: &Value) -> PathBuf {
    let path = router.data().join("decision.json");
    fs::write(&path, decision.to_string()).unwrap();
    path
}

async fn decided(router: &Router, args: &[&str]) -> Value {
    let said = explained(router, &[args, &["-o", "json"]].concat()).await;
    serde_json::from_str(&said).unwrap()
}

#[track_caller]
fn says(said: &str, expected: &[&str]) {
    for words in expected {
        assert!(said.contains(words), "{words:?} is missing in {said}");
    }
}

#[tokio::test]
async fn a_decision_is_told_in_words() {
    let (router, _standing) = fleet(&planets()).await;
    let said = explained(&router, &[CLEAR]).await;
    says(
        &said,
        &[
            "The question would go to planets.",
            "there is no earlier turn",
            "of 3 specialists registered",
            "Nobody was probed: the prototypes leave no doubt",
            "asked: confidence ",
            "Uncalibrated",
            "where a confidence reaches 0.50",
        ],
    );
    let said = explained(&router, &[DOUBTFUL]).await;
    says(
        &said,
        &["were probed", "planets: passages at a nearness of ", "cheese: passages at a nearness of "],
    );

    let said = explained(&router, &["xylophone quartet rehearsal"]).await;
    says(&said, &["Nobody would be asked: nobody covers the question", "refused: confidence 0."]);

    let said = explained(&router, &[CLEAR, "--exclude", "planets"]).await;
    says(&said, &["About planets (Institute of planets): no score; left out: you excluded it."]);

    let said = explained(&router, &[CLEAR, "--only", "soap"]).await;
    says(&said, &["soap, ", "asked: you chose it, whatever its score", "left out: you chose among others"]);
}

#[tokio::test]
async fn a_decision_can_be_derived_again_after_the_fleet_has_changed() {
    let planets = planets();
    let (router, _standing) = fleet(&planets).await;
    let decision = decided(&router, &[DOUBTFUL, "--with-question"]).await;
    assert_eq!(decision["turns"], json!([DOUBTFUL]));
    assert!(decision["candidates"][0]["probe"]["evidence"]["nearness"].is_f64(), "{decision}");
    let private = decided(&router, &[DOUBTFUL]).await;
    assert_eq!(private["turns"], Value::Null);
    let decision = kept(&router, &decision);
    assert_eq!(replayed(&router, &decision).await, ("same\n".to_owned(), Some(0)));

    let mut changes = router.watch().await;
    planets.learns("more.jsonl", &[("Pluto", "Pluto is small and far from the Sun.")]);
    changes.until(Kind::Updated).await;
    assert!(router.registry(&["remove", "cheese"]).await.status.success());
    assert!(router.registry(&["disable", "soap"]).await.status.success());
    let now = decided(&router, &[DOUBTFUL]).await;
    assert_eq!(now["candidates"].as_array().unwrap().len(), 2);
    let router = router.restart().await;
    assert_eq!(replayed(&router, &decision).await, ("same\n".to_owned(), Some(0)));
    assert_eq!(replayed(&router, &kept(&router, &now)).await, ("same\n".to_owned(), Some(0)));
}

#[tokio::test]
async fn what_differs_is_named() {
    let (router, _standing) = fleet(&planets()).await;
    let decision = decided(&router, &[DOUBTFUL, "--with-question"]).await;
    let changed = async |pointer: &str, value: Value| {
        let mut other = decision.clone();
        *other.pointer_mut(pointer).unwrap() = value;
        replayed(&router, &kept(&router, &other)).await
    };

    let best = decision["candidates"][0]["id"].as_str().unwrap();
    let (said, code) = changed("/candidates/0/probability", json!(0.125)).await;
    assert_eq!(code, Some(1), "{said}");
    says(&said, &["differs", &format!("probability of {best}: 0.125 recorded, ")]);
    let (said, code) = changed("/candidates/0/status", json!("disabled")).await;
    assert_eq!(code, Some(1), "{said}");
    says(&said, &[&format!("status of {best}: disabled recorded, asked derived")]);
    let (said, code) = changed("/derivation/calibration/confidence_min", json!(0.999_999)).await;
    assert_eq!(code, Some(1), "{said}");
    says(&said, &["confidence_min: 0.5 recorded, 0.999999 derived"]);
    let (said, code) = changed("/candidates/0/probe", Value::Null).await;
    assert_eq!(code, Some(1), "{said}");
    says(&said, &["probed: "]);
    let (said, code) = changed("/turns/0", json!("why does milk curdle")).await;
    assert_eq!(code, Some(1), "{said}");
    says(&said, &["the question's vector: its cosine with that of the text is "]);

    let confidence = decision["confidence"].as_f64().unwrap();
    let rounded = changed("/confidence", json!(confidence - 0.0005)).await;
    assert_eq!(rounded, ("same, within 0.001\n".to_owned(), Some(0)));

    let (said, code) = changed("/derivation/fleet/0/prototypes_sha256", json!("00".repeat(32))).await;
    assert_eq!(code, Some(1), "{said}");
    let first = decision["derivation"]["fleet"][0]["id"].as_str().unwrap();
    says(&said, &[&format!("no longer holds the prototypes of {first}")]);

    for (pointer, value) in [
        ("/derivation/vector", json!("far")),
        ("/derivation/calibration/temperature", json!(0)),
        ("/derivation/policy/specialists_max", json!(0)),
        ("/derivation/background_sha256", json!("é")),
    ] {
        let (said, code) = changed(pointer, value).await;
        assert_eq!(code, Some(2), "{pointer}: {said}");
        says(&said, &["is neither a decision as `router explain -o json` prints it nor a receipt"]);
    }
    let (said, code) = changed("/derivation/vector", json!([1.0])).await;
    assert_eq!(code, Some(1), "{said}");
    says(&said, &["derivation.vector"]);
}
