//! The admission exam: what a newcomer would do to the others, and what becomes of it.

use std::process::Output;

use proto::wire::{
    AddRequest, TestRequest, registry_service_client::RegistryServiceClient, watch_response::Kind,
};
use serde_json::{Value, json};
use tonic::Code;

use crate::{
    answers::{cheese, planets},
    harness::{Institution, Process, Router},
};

const PLANETS: [&str; 5] = [
    "why is the ground of Mars red",
    "which two small moons does Mars have",
    "what are the thin rings of Saturn made of",
    "how wide is the red storm on Jupiter",
    "which planet is the smallest of all",
];

const CHEESE: [&str; 5] = [
    "how long does gouda cheese ripen",
    "may the white rind of brie cheese be eaten",
    "is feta cheese made of milk of sheep",
    "why are blocks of cheddar curd stacked",
    "what makes milk curdle into cheese",
];

/// With these example questions.
fn asks(institution: Institution, questions: &[&str]) -> Institution {
    institution.set(&format!("example_questions = {questions:?}\n"))
}

/// A router with specialists for planets and for cheese.
async fn fleet() -> (Router, [Process; 2]) {
    let standing = [asks(planets(), &PLANETS).start().await, asks(cheese(), &CHEESE).start().await];
    let router = Router::start().await;
    for one in &standing {
        router.add(one).await;
    }
    (router, standing)
}

/// One whose field is soap, with further texts to be routed by.
fn soap(texts: &[String]) -> Institution {
    Institution::new("soap")
        .scripted("why do soap bubbles shimmer", r#"{ say = "They are thin." }"#)
        .set(&format!("sample_texts = {texts:?}\n"))
}

/// Keywords of every field, in as many texts as a card may hold.
fn stuffing() -> Vec<String> {
    let reversed = |question: &str| question.split(' ').rev().collect::<Vec<_>>().join(" ");
    let questions = PLANETS.iter().chain(&CHEESE).map(|question| reversed(question));
    let words: Vec<&str> = PLANETS.iter().chain(&CHEESE).flat_map(|question| question.split(' ')).collect();
    let pairs = words.iter().flat_map(|one| words.iter().map(move |other| format!("{one} {other}")));
    questions.chain(pairs).take(512).collect()
}

#[track_caller]
fn refused(output: &Output, why: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains(why), "{why:?} is missing in {said}");
}

async fn ids(router: &Router) -> Vec<Value> {
    let list = router.registry_json(&["list"]).await;
    list.as_array().unwrap().iter().map(|one| one["card"]["id"].clone()).collect()
}

#[tokio::test]
async fn a_second_institution_of_a_field_is_admitted_and_its_overlap_reported() {
    let (router, _standing) = fleet().await;
    let observatory = Institution::new("observatory").knows(&[
        ("Mars, ground", "The ground of Mars is red with iron dust that rusted."),
        ("Mars, moons", "The two small moons of Mars are Phobos and Deimos."),
        ("Saturn, ice", "The thin rings of Saturn are made of ice and dust."),
        ("Jupiter, winds", "The wide red storm on Jupiter has blown for ages."),
        ("Mercury, smallest", "The smallest planet of all is Mercury."),
    ]);
    let questions =
        ["is the ground of Mars red with dust", "how thin are the rings of Saturn", "which moons has Mars"];
    let observatory = asks(observatory, &questions).start().await;
    let added = router.registry(&["add", &observatory.url, "--yes"]).await;
    let shown = String::from_utf8(added.stderr).unwrap();
    assert!(added.status.success(), "{shown}");
    assert!(shown.contains("Its own 3 example questions: "), "{shown}");
    assert!(shown.contains("Of 1 that it is not related to, would take 0 of 6 (0.0 %) questions"), "{shown}");
    assert!(shown.lines().any(|line| line.starts_with("planets") && line.contains("same")), "{shown}");
    assert!(shown.contains("Of 10 answers 10 had words"), "{shown}");

    let exam = router.registry_json(&["show", "observatory"]).await["exam"].clone();
    assert_eq!((&exam["refused"], &exam["unrelated_specialists"]), (&json!(false), &json!(1)));
    let overlap = &exam["overlaps"][0];
    assert_eq!((&overlap["specialist_id"], &overlap["neighbour"]), (&json!("planets"), &json!(true)));
    assert!(overlap["taken"].as_u64().unwrap() > 0, "{exam:#}");
    let answers = &exam["answers"];
    assert_eq!(
        (&answers["asked"], &answers["cited"], &answers["broken"]),
        (&json!(10), &json!(10), &json!(0))
    );
    assert!(answers["first_words"]["median_ms"].as_u64() <= answers["end"]["longest_ms"].as_u64());
}

#[tokio::test]
async fn who_is_stuffed_with_every_field_is_refused_unless_an_operator_wants_it() {
    let (router, _standing) = fleet().await;
    let stuffed = soap(&stuffing()).start().await;
    let exam = router.registry_json(&["test", &stuffed.url]).await["exam"].clone();
    assert_eq!((&exam["refused"], &exam["unrelated_specialists"]), (&json!(true), &json!(2)), "{exam:#}");
    refused(&router.registry(&["add", &stuffed.url, "--yes"]).await, "repeat with --despite-exam");

    // It is the router that refuses, whatever its client shows.
    let mut client = RegistryServiceClient::connect(router.process.url.clone()).await.unwrap();
    let test = TestRequest { endpoint: stuffed.url.clone(), conformance: false };
    let report = client.test(test).await.unwrap().into_inner().report.unwrap();
    let add = AddRequest { endpoint: report.endpoint, card_sha256: report.card_sha256, despite_exam: false };
    let status = client.add(add).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().contains(" of planets"), "{}", status.message());
    assert_eq!(ids(&router).await, ["cheese", "planets"]);

    let added = router.registry(&["add", &stuffed.url, "--yes", "--despite-exam"]).await;
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let shown = router.registry_json(&["show", "soap"]).await;
    assert_eq!((&shown["enabled"], &shown["despite_exam"]), (&json!(true), &json!(true)));
    assert_eq!(shown["exam"]["refused"], true);
}

#[tokio::test]
async fn a_new_revision_that_is_stuffed_is_taken_out_of_routing() {
    let (router, _standing) = fleet().await;
    let honest = soap(&[]).start().await;
    let address = format!("127.0.0.1:{}", honest.port());
    router.add(&honest).await;
    let first = router.registry_json(&["show", "soap"]).await;
    let mut changes = router.watch().await;

    honest.kill().await;
    let stuffed = soap(&stuffing()).start_on(&address).await;
    assert!(changes.until(Kind::Disabled).await.exam.unwrap().refused);
    let shown = router.registry_json(&["show", "soap"]).await;
    assert_eq!(shown["enabled"], false);
    assert_ne!(shown["card"]["revision"], first["card"]["revision"]);
    refused(&router.registry(&["enable", "soap"]).await, "have it added with --despite-exam");
    for question in PLANETS {
        assert_eq!(router.ask(question).await.words_of("soap"), "");
    }

    // What an operator wants all the same stays through its revisions.
    assert!(router.registry(&["remove", "soap"]).await.status.success());
    stuffed.kill().await;
    let honest = soap(&[]).start_on(&address).await;
    assert!(router.registry(&["add", &honest.url, "--yes", "--despite-exam"]).await.status.success());
    honest.kill().await;
    let _stuffed = soap(&stuffing()).start_on(&address).await;
    let updated = changes.until(Kind::Updated).await;
    assert!(updated.despite_exam && updated.exam.unwrap().refused);
    assert_eq!(router.registry_json(&["show", "soap"]).await["enabled"], true);

    let (_, log) = router.process.stop_and_read().await;
    let refused = log.lines().filter(|line| line.contains("its new revision is refused"));
    assert_eq!(refused.count(), 1, "{log}");
}

#[tokio::test]
async fn the_report_is_still_there_after_a_restart() {
    let (router, _standing) = fleet().await;
    let before = router.registry_json(&["show", "cheese"]).await;
    assert_eq!(before["exam"]["own"]["asked"], 5);
    let router = router.restart().await;
    assert_eq!(router.registry_json(&["show", "cheese"]).await, before);
}

#[tokio::test]
async fn how_it_answers_its_own_examples_is_told() {
    let router = Router::start().await;
    let told = async |institution: Institution| {
        let specialist = institution.start().await;
        let output = router.registry(&["test", &specialist.url]).await;
        String::from_utf8(output.stdout).unwrap()
    };
    let question = "why do soap bubbles shimmer";
    let mute = told(Institution::new("mute").scripted(question, "")).await;
    assert!(mute.contains("Of 10 answers 0 had words, 10 had none to give"), "{mute}");
    assert!(mute.contains("No answer to its own example: why do soap bubbles shimmer"), "{mute}");

    let failing = told(Institution::new("failing").scripted(question, r#"{ say = "They" }, "fail""#)).await;
    assert!(failing.contains("0 cited a passage, 10 broke the contract"), "{failing}");
    assert!(failing.contains("The first breach: answer 1 failed with INTERNAL before done."), "{failing}");

    // Heartbeats keep the contract, so it is time that ends it.
    let slow = told(Institution::new("slow").scripted(question, r#"{ say = "They" }, "stall""#)).await;
    assert!(slow.contains("Of 1 answers 0 had words"), "{slow}");
    assert!(slow.contains("1 did not come to an end in time."), "{slow}");

    let silent = told(planets()).await;
    assert!(silent.contains("It lists no example questions"), "{silent}");
    assert!(silent.contains("Its answers were not examined"), "{silent}");
}
