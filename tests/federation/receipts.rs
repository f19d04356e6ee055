//! Every turn has a receipt, however it ends, and what opens it can be erased for good.

use std::{fs, path::Path};

use audit::{Bundle, Trust};
use proto::{
    Digest,
    wire::{AskOptions, FinishReason, Receipt, Role, Turn, ask_response::Event},
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::{
    harness::{Answer, Events, Router, Slip, run},
    soap::{ANSWER, QUESTION, soap, stalling, talking},
};

/// Why a call failed, as programs read it.
pub(crate) fn reason(status: &Status) -> String {
    status.get_details_error_info().expect("a reason").reason
}

/// What opens the receipt of an answer that has begun.
pub(crate) async fn begun(events: &mut Events) -> Slip {
    match events.next().await {
        Some(Event::Decision(decision)) => Slip::of(&decision),
        event => panic!("no decision first: {event:?}"),
    }
}

/// The receipt of a turn that came to its end.
async fn receipt_of(router: &Router, answer: &Answer) -> (Vec<u8>, Receipt) {
    let bytes = Slip::of(answer.decision.as_ref().unwrap()).fetch(router).await.expect("it was acknowledged");
    let trust = Trust::read(&router.trust().await).unwrap();
    let receipt = router.verified(&trust, &bytes);
    assert_eq!(receipt.reason(), answer.reason());
    (bytes, receipt)
}

/// The receipt of a turn whose reader was told no end.
async fn receipt_of_unended(router: &Router, slip: &Slip) -> Receipt {
    let trust = Trust::read(&router.trust().await).unwrap();
    router.verified(&trust, &slip.written(router).await)
}

#[tokio::test]
async fn a_turn_whose_reader_leaves_has_a_receipt() {
    let soap = stalling().await;
    let router = Router::start().await;
    router.add(&soap).await;
    let mut events = router.events(QUESTION, AskOptions::default()).await.unwrap();
    let slip = begun(&mut events).await;
    while !matches!(events.next().await, Some(Event::Span(_))) {}
    drop(events);

    let receipt = receipt_of_unended(&router, &slip).await;
    assert_eq!((receipt.reason(), receipt.calls.len()), (FinishReason::Abandoned, 1));
    assert!(!receipt.spans.is_empty());
}

#[tokio::test]
async fn a_turn_that_everybody_fails_has_a_receipt() {
    let soap = soap(r#""fail""#).await;
    let router = Router::start().await;
    router.add(&soap).await;
    let mut events = router.events(QUESTION, AskOptions::default()).await.unwrap();
    let slip = begun(&mut events).await;
    assert_eq!(reason(&events.failure().await.unwrap()), "UNANSWERED");

    let receipt = receipt_of_unended(&router, &slip).await;
    assert_eq!((receipt.reason(), receipt.calls.len()), (FinishReason::Failed, 1));
}

#[tokio::test]
async fn an_abstention_has_a_receipt() {
    let soap = soap(&format!(r#"{{ say = "{ANSWER}" }}"#)).await;
    let router = Router::start().await;
    router.add(&soap).await;
    let answer = router.ask("which tax does a partnership pay").await;
    let (_, receipt) = receipt_of(&router, &answer).await;
    assert_eq!((receipt.reason(), receipt.calls.len()), (FinishReason::Abstained, 0));
    assert_eq!(receipt.decision.unwrap().candidates.len(), 1);
}

#[tokio::test]
async fn a_conversations_second_receipt_names_the_first() {
    let soap = soap(&format!(r#"{{ say = "{ANSWER}" }}"#)).await;
    let router = Router::start().await;
    router.add(&soap).await;
    let turn = Turn { role: Role::User.into(), text: QUESTION.into() };
    let first = router.ask(QUESTION).await;
    let id = &first.decision.as_ref().unwrap().request_id;
    let turns = vec![turn.clone(), turn];
    let second = router.events_after(turns.clone(), AskOptions::default(), id).await.unwrap().whole().await;

    let ((bytes, first), (_, second)) =
        (receipt_of(&router, &first).await, receipt_of(&router, &second).await);
    let payload = Bundle::read(&bytes).unwrap().receipt().payload;
    assert_eq!(second.previous_sha256, Digest::of(payload).as_bytes());
    assert!(first.previous_sha256.is_empty());

    let unknown = router.events_after(turns, AskOptions::default(), "req_unknown").await;
    let status = unknown.err().expect("nobody knows it");
    assert_eq!((status.code(), reason(&status)), (Code::NotFound, "RECEIPT_UNKNOWN".to_owned()));
}

/// Every file under `folder`, and what it holds.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    files
}

fn holds(bytes: &[u8], secret: &[u8]) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret)
}

/// The names of the files under `folder` that hold any of `secrets`.
pub(crate) fn holding(folder: &Path, secrets: &[Vec<u8>]) -> Vec<String> {
    let mut files = files(folder);
    files.retain(|(_, bytes)| secrets.iter().any(|secret| holds(bytes, secret)));
    files.into_iter().map(|(name, _)| name).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `bytes` as they may stand in a file or a line.
pub(crate) fn written(bytes: &[u8]) -> Vec<Vec<u8>> {
    let base64 = serde_json::to_string(&audit::Base64(bytes.to_vec())).unwrap();
    let base64 = base64.trim_matches(['"', '=']).to_owned();
    let listed = format!("{bytes:?}");
    vec![bytes.to_vec(), hex(bytes).into_bytes(), base64.into_bytes(), listed.trim_matches(['[', ']']).into()]
}

#[tokio::test]
async fn what_was_deleted_is_nowhere() {
    let soap = talking().await;
    let router = Router::telling().await;
    router.add(&soap).await;
    let asked = format!("{QUESTION}, aubergine");
    let answer = router.ask(&asked).await;
    assert_eq!(answer.words_of("soap"), ANSWER);
    let slip = Slip::of(answer.decision.as_ref().unwrap());
    let (bytes, _) = receipt_of(&router, &answer).await;
    let opening = Bundle::read(&bytes).unwrap().opening().cloned().unwrap();
    let raw = (0..32).map(|at| u8::from_str_radix(&slip.capability[2 * at..2 * at + 2], 16).unwrap());
    let capability: Vec<u8> = raw.collect();
    let mut secrets = [written(&opening.salt.0), written(&capability)].concat();
    for plain in [asked.as_bytes(), ANSWER.as_bytes(), &serde_json::to_vec(&opening).unwrap()[..64]] {
        secrets.extend(written(plain));
    }
    let nowhere: [String; 0] = [];
    assert_eq!(holding(router.data(), &secrets), nowhere);
    let pieces = slip.sealed(&router).await.unwrap();
    assert!(!holding(router.data(), &pieces).is_empty(), "what opens it is sealed, but there");

    slip.forget(&router).await;
    assert_eq!(holding(router.data(), &[secrets.clone(), pieces].concat()), nowhere);
    assert_eq!(slip.sealed(&router).await, None);

    let (bytes, _) = receipt_of(&router, &answer).await;
    assert!(Bundle::read(&bytes).unwrap().opening().is_none());
    let folder = tempfile::tempdir().unwrap();
    let (receipt, trust) = (folder.path().join("receipt.json"), folder.path().join("trust.json"));
    fs::write(&receipt, &bytes).unwrap();
    fs::write(&trust, router.trust().await).unwrap();
    let said = audit(&["verify", receipt.to_str().unwrap(), "--trust", trust.to_str().unwrap()]).await;
    assert!(said.starts_with("VERIFIED\n") && said.contains("(opening_deleted)"), "{said}");
    let log = router.data().join("log/receipts");
    let said = audit(&["log", log.to_str().unwrap(), "--trust", trust.to_str().unwrap()]).await;
    assert!(said.contains("entries     1, every one"), "{said}");

    let killed = router.kill().await;
    assert!(killed.log.contains("DEBUG"), "it was to tell all: {}", killed.log);
    let told: Vec<&Vec<u8>> = secrets.iter().filter(|secret| holds(killed.log.as_bytes(), secret)).collect();
    assert!(told.is_empty(), "{told:?} in {}", killed.log);
}

/// What the program of auditors says of what is sound.
async fn audit(args: &[&str]) -> String {
    let output = run("audit", args).await;
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
