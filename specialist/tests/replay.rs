//! An answer over gRPC, put into a receipt, and derived again from a corpus that is the same or is not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use audit::{
    Base64, Bundle, Kind, Salt, SecretKey, Transcript,
    bundle::{OpenCall, OpenPassage, Opening},
    signed,
};
use prost::Message as _;
use proto::wire::{self, specialist_service_client::SpecialistServiceClient};
use specialist::{
    Server, Settings,
    config::Overrides,
    identity::keygen,
    replay::{ReplayError, replay},
};

const MARS: &str = "Mars is red because its dust is full of rust. It has two moons.";

fn settings(folder: &Path) -> Settings {
    let toml = "id = \"sky\"\ntitle = \"Sky\"\ninstitution = \"Planetarium\"\ndescription = \"Planets.\"\n\
        license = \"CC0-1.0\"\nlisten = \"127.0.0.1:0\"\ncorpus = \"corpus\"\nkey = \"specialist.key\"\n\
        encoder = { kind = \"hashed\" }\n";
    let path = folder.join("specialist.toml");
    if !path.exists() {
        fs::create_dir(folder.join("corpus")).unwrap();
        fs::write(folder.join("corpus/mars.txt"), MARS).unwrap();
        fs::write(&path, toml).unwrap();
        keygen(&path, None).unwrap();
    }
    Settings::load(&path, Overrides::default()).unwrap()
}

/// The receipt of a router that asked the specialist of `folder`.
async fn receipt(folder: &Path, specialist_id: &str) -> PathBuf {
    let server = Server::start(settings(folder)).await.unwrap();
    let mut client = SpecialistServiceClient::connect(server.url().to_owned()).await.unwrap();
    let turn = wire::Turn { role: wire::Role::User.into(), text: "Why is Mars red, full of rust?".into() };
    let salt = Salt::read(&[3; 32]).unwrap();
    let request = wire::AnswerRequest {
        request_id: "r".into(),
        turns: vec![turn],
        passages_max: 4,
        salt: salt.as_bytes().to_vec(),
    };
    let mut heard = Transcript::new(&request, salt.clone());
    let mut answer = client.answer(request.clone()).await.unwrap().into_inner();
    while let Some(event) = answer.message().await.unwrap() {
        heard.hear(&event);
    }
    let passages =
        heard.passages().map(|passage| OpenPassage { passage: Base64(passage.to_vec()), path: None });
    let opened = OpenCall {
        request: Base64(request.encode_to_vec()),
        answer: heard.answer().to_owned(),
        passages: passages.collect(),
    };
    let call = wire::Call {
        specialist_id: specialist_id.into(),
        statement: heard.signed().cloned(),
        ..Default::default()
    };
    let receipt = wire::Receipt { calls: vec![call], ..Default::default() };
    let signed = signed::sign(&SecretKey::generate().unwrap(), Kind::Receipt, receipt.encode_to_vec());
    let opening = Opening {
        salt: Base64(*salt.as_bytes()),
        question: Base64(Vec::new()),
        derivation: Base64(Vec::new()),
        text: heard.answer().to_owned(),
        calls: vec![opened],
    };
    let bundle =
        Bundle::new(signed, Default::default(), &salt, String::new(), Vec::new(), Some(opening)).unwrap();
    let path = folder.join("receipt.json");
    fs::write(&path, bundle.to_json()).unwrap();
    fs::write(folder.join("closed.json"), bundle.closed().to_json()).unwrap();
    path
}

#[tokio::test]
async fn the_same_corpus_says_the_same_again() {
    let folder = tempfile::tempdir().unwrap();
    let receipt = receipt(folder.path(), "sky").await;
    let replayed = replay(settings(folder.path()), &receipt).await.unwrap();
    let expected = "weights: as signed\ncorpus's files: as signed\ncorpus's passages: as signed\n\
        answer: the same\npassages: the same";
    assert_eq!((replayed.report.as_str(), replayed.same), (expected, true));

    fs::write(folder.path().join("corpus/mars.txt"), MARS.replace("rust", "rust and ash")).unwrap();
    let replayed = replay(settings(folder.path()), &receipt).await.unwrap();
    let expected = "weights: as signed\ncorpus's files: another than signed\n\
        corpus's passages: another than signed\nanswer: another from byte 44 on\npassages: another\n\
        statement: its statement has another answer than what was asked and said";
    assert_eq!((replayed.report.as_str(), replayed.same), (expected, false));
}

#[tokio::test]
async fn what_cannot_be_compared_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = receipt(folder.path(), "another").await;
    let fails =
        async |name: &str| replay(settings(folder.path()), &folder.path().join(name)).await.unwrap_err();
    assert!(matches!(fails("receipt.json").await, ReplayError::NotCalled(id) if id == "sky"));
    assert!(matches!(fails("closed.json").await, ReplayError::Closed));
    assert!(matches!(fails("none.json").await, ReplayError::Read { .. }));
    fs::write(&path, "{}").unwrap();
    assert!(matches!(fails("receipt.json").await, ReplayError::NotReceipt(_)));
}
