//! Specialists that sign what they say, and some that lie in what they sign: what the router makes of it, and
//! what the receipt says.

use std::process::Output;

use audit::{
    Bundle, Kind, Salt, SecretKey, Transcript, Trust, merkle::Tree, signed, transcript::passage_bytes,
    verify::verify,
};
use prost::Message;
use proto::{
    Digest, PublishedCard,
    wire::{
        AnswerRequest, AnswerResponse, AskOptions, Card, Citation, Done, FinishReason, Generation,
        MerklePath, Outcome, Passage, Receipt, ReceiptRequest, Statement, Vouching, Words,
        answer_response::Event,
    },
};

use crate::{
    answers::{cheese, planets},
    harness::{Answer, Router, SETTINGS, run},
    keys::desk::{Desk, Showing, keys, sound},
};

/// What stands in the liar's corpus, and what it answers.
const TEXT: &str = "Mars is red.";

fn response(event: Event) -> AnswerResponse {
    AnswerResponse { event: Some(event) }
}

fn passage(text: &str) -> Passage {
    Passage { passage_id: "p".into(), text: text.into(), similarity: 0.5, ..Default::default() }
}

/// The tree over a corpus of two passages, of which the second is [`TEXT`].
fn corpus() -> Tree {
    let mut tree = Tree::default();
    for text in ["The Moon is grey.", TEXT] {
        tree.push(&passage_bytes(&passage(text))).unwrap();
    }
    tree
}

/// A specialist with this key and that corpus.
fn learned(key: &SecretKey) -> Showing {
    let mut showing = sound("1", key);
    let mut card = Card::decode(showing.described.card.as_slice()).unwrap();
    card.passages_root = corpus().root().unwrap().as_bytes().to_vec();
    card.passage_count = 2;
    showing.described.card = card.encode_to_vec();
    showing.described.signature = signed::signature(key, Kind::Card, &showing.described.card).to_vec();
    showing
}

/// How one that signs may lie.
#[derive(Default)]
struct Lies {
    /// It signs nothing.
    silent: bool,
    /// It signs with another key.
    key: Option<SecretKey>,
    /// It signs something else.
    statement: Option<fn(&mut Statement)>,
    /// It quotes what is not in its corpus.
    passage: Option<&'static str>,
}

/// What the specialist with `card` and `key` says.
fn says(request: &AnswerRequest, card: &PublishedCard, key: &SecretKey, lies: &Lies) -> Vec<AnswerResponse> {
    let passage = passage(lies.passage.unwrap_or(TEXT));
    let citation = Citation { passage_id: "p".into(), start_bytes: 0, end_bytes: 4 };
    let words = |text: &str, citation| Event::Words(Words { text: text.into(), citation });
    let mut events = vec![
        response(Event::Passage(passage)),
        response(words("Mars", Some(citation))),
        response(words(" is what you ask about.", None)),
    ];
    let hashes = corpus().path(1).unwrap().iter().map(|hash| hash.as_bytes().to_vec()).collect();
    let done = Done {
        outcome: Outcome::Answered.into(),
        statement: None,
        paths: vec![MerklePath { index: 1, hashes }],
    };
    let mut heard = Transcript::new(request, Salt::read(&request.salt).unwrap());
    for event in events.iter().chain([&response(Event::Done(done.clone()))]) {
        heard.hear(event);
    }
    let mut statement = heard.statement(card, Generation::default());
    if let Some(lie) = lies.statement {
        lie(&mut statement);
    }
    let signer = lies.key.as_ref().unwrap_or(key);
    let signed = signed::sign(signer, Kind::Statement, statement.encode_to_vec());
    let statement = (!lies.silent).then_some(signed);
    events.push(response(Event::Done(Done { statement, ..done })));
    events
}

fn only(id: &str) -> AskOptions {
    AskOptions { only: vec![id.into()], ..Default::default() }
}

/// The keys by which a router is checked.
async fn trust(router: &Router) -> (Trust, String) {
    let data = router.data().to_str().unwrap();
    let Output { stdout, status, .. } = run("router", ["trust", "--data", data]).await;
    assert!(status.success());
    let text = String::from_utf8(stdout).unwrap();
    (Trust::read(&text).unwrap(), text)
}

/// The receipt of an answer: it has to verify.
async fn receipt(router: &Router, answer: &Answer) -> (Receipt, Vec<u8>) {
    let decision = answer.decision.as_ref().unwrap();
    let request = ReceiptRequest {
        request_id: decision.request_id.clone(),
        capability: decision.receipt_capability.clone(),
    };
    let bytes = router.client().await.receipt(request).await.unwrap().into_inner().receipt_json;
    let report = verify(&bytes, Some(&trust(router).await.0));
    assert!(report.is_verified(), "{:?}", report.failures);
    (signed::canonical(&Bundle::read(&bytes).unwrap().receipt().payload).unwrap(), bytes)
}

#[tokio::test]
async fn whoever_lies_in_what_it_signs_is_refused_and_the_receipt_says_so() {
    let [key, other] = keys();
    let desk = Desk::open(learned(&key)).await;
    let card = PublishedCard::read(learned(&key).described.card).unwrap();
    let router = Router::start().await;
    router.add_at(&desk.url).await;
    let lies: [(Lies, &str); 7] = [
        (Lies { silent: true, ..Lies::default() }, "it did not sign its answer, though its card has a key"),
        (
            Lies { key: Some(other), ..Lies::default() },
            "its statement is not in order: the signature does not fit",
        ),
        (
            Lies { statement: Some(|says| says.request_id = "req_other".into()), ..Lies::default() },
            "its statement has another request id than what was asked and said",
        ),
        (
            Lies { statement: Some(|says| says.answer = vec![0; 32]), ..Lies::default() },
            "its statement has another answer than what was asked and said",
        ),
        (
            Lies { statement: Some(|says| says.specialist_id = "planets".into()), ..Lies::default() },
            "its statement is in another specialist's name",
        ),
        (
            Lies { statement: Some(|says| says.passages_root = vec![0; 32]), ..Lies::default() },
            "its statement names another passages than its card",
        ),
        (
            Lies { passage: Some("Mars is made of cheese."), ..Lies::default() },
            "a passage that it sent is not in the corpus of its card",
        ),
    ];
    for (lies, why) in lies {
        let (card, key) = (card.clone(), key.clone());
        desk.say(move |request| says(&request, &card, &key, &lies));
        let answer = router.ask_with("Is Mars red?", only("keyed")).await;
        assert_eq!(answer.reason(), FinishReason::Incomplete, "{why}");
        assert_eq!(answer.candidate("keyed").failure, why);
        let (receipt, _) = receipt(&router, &answer).await;
        assert_eq!(receipt.calls[0].vouching(), Vouching::Refused);
        assert_eq!(receipt.decision.unwrap().candidates[0].failure, why);
    }
    let (truth, holder) = (card.clone(), key.clone());
    desk.say(move |request| says(&request, &truth, &holder, &Lies::default()));
    // Whoever failed seven times is left alone for a while, but for those who pin it.
    let answer = router.ask_with("Is Mars red?", only("keyed")).await;
    assert_eq!(answer.text(), "Mars [1] is what you ask about.");
    let (receipt, _) = receipt(&router, &answer).await;
    assert_eq!(receipt.calls[0].vouching(), Vouching::Signed);
    assert_eq!(receipt.calls[0].card_sha256, card.digest().as_bytes());
}

#[tokio::test]
async fn anyone_can_check_an_answer_of_several_with_the_programs() {
    let (planets, cheese) = (planets().signs().start().await, cheese().start().await);
    let router = Router::generous().await;
    router.add(&planets).await;
    router.add(&cheese).await;
    let answer = router.ask("How long does cheddar ripen, and why is Mars red?").await;
    assert_eq!(answer.reason(), FinishReason::Answered);
    let (receipt, bytes) = receipt(&router, &answer).await;
    assert_eq!(receipt.calls.len(), 2);
    let vouching = |id| receipt.calls.iter().find(|call| call.specialist_id == id).unwrap().vouching();
    assert_eq!((vouching("planets"), vouching("cheese")), (Vouching::Signed, Vouching::Unsigned));
    let spans: u32 = receipt.spans.iter().map(|span| span.length_bytes).sum();
    assert_eq!(spans as usize, answer.text().len());

    let folder = tempfile::tempdir().unwrap();
    let [file, trusted] = ["receipt.json", "trust.json"].map(|name| folder.path().join(name));
    std::fs::write(&file, &bytes).unwrap();
    std::fs::write(&trusted, trust(&router).await.1).unwrap();
    let (file, trusted) = (file.to_str().unwrap(), trusted.to_str().unwrap());
    let registry = format!("{}/log/registry", router.process.url);
    let verified = run("audit", ["verify", file, "--trust", trusted, "--registry", &registry]).await;
    let said = String::from_utf8(verified.stdout).unwrap();
    assert!(verified.status.success() && said.starts_with("VERIFIED"), "{said}");
    assert_eq!(run("audit", ["verify", file]).await.status.code(), Some(3));
    for log in ["receipts", "registry"] {
        let log = format!("{}/log/{log}", router.process.url);
        let audited = run("audit", ["log", &log, "--trust", trusted]).await;
        assert!(audited.status.success(), "{}", String::from_utf8_lossy(&audited.stderr));
    }
    let mut altered = bytes;
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    std::fs::write(file, altered).unwrap();
    assert_eq!(run("audit", ["verify", file, "--trust", trusted]).await.status.code(), Some(1));
}

#[tokio::test]
async fn a_witness_watches_both_logs_and_proofs_carry_its_signature() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let made = run("audit", ["keygen", &path("w.key"), "--name", "witness.example"]).await;
    let witness = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let router = Router::with(&format!("witnesses = [{witness:?}]\n{SETTINGS}")).await;
    let config = router.data().join("router.toml");
    let args = ["trust", "--data", router.data().to_str().unwrap(), "--config", config.to_str().unwrap()];
    let trusted = String::from_utf8(run("router", args).await.stdout).unwrap();
    let strict = trusted.replace("\"witnesses_min\": 0", "\"witnesses_min\": 1");
    std::fs::write(path("trust.json"), &strict).unwrap();

    let answer = router.ask("Is Mars red?").await;
    let (_, alone) = receipt(&router, &answer).await;
    let strict = Trust::read(&strict).unwrap();
    assert!(!verify(&alone, Some(&strict)).is_verified(), "nobody has watched yet");
    for log in ["receipts", "registry"] {
        let url = format!("{}/log/{log}", router.process.url);
        let args = ["witness", &url, "--key", &path("w.key"), "--name", "witness.example", "--post", &url];
        let watched = ["--trust", &path("trust.json"), "--state", &path("seen")];
        let output = run("audit", args.into_iter().chain(watched)).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let (_, watched) = receipt(&router, &answer).await;
    let report = verify(&watched, Some(&strict));
    assert!(report.is_verified(), "{:?}", report.failures);
}

#[tokio::test]
async fn the_policy_in_force_is_public_and_nothing_unlisted_starts() {
    let router = Router::start().await;
    let url = format!("{}/v1/policy", router.process.url);
    let policy = reqwest::get(&url).await.unwrap().text().await.unwrap();
    let listed: serde_json::Value = serde_json::from_str(&policy).unwrap();
    let rules = listed["rules"].as_array().unwrap();
    for rule in rules {
        let digest = Digest::of(rule["text"].as_str().unwrap()).to_string();
        assert_eq!(rule["sha256"], digest, "{}", rule["name"]);
    }
    // The registry log names the document whole.
    let content = format!("{}/log/registry/content/{}", router.process.url, Digest::of(&policy));
    assert_eq!(reqwest::get(&content).await.unwrap().text().await.unwrap(), policy);
    let answer = router.ask("Is Mars red?").await;
    let (receipt, _) = receipt(&router, &answer).await;
    let named = receipt.rules.iter().map(|rule| (rule.name.as_str(), hex(&rule.sha256)));
    let shown = rules.iter().map(|rule| (rule["name"].as_str().unwrap(), rule["sha256"].as_str().unwrap()));
    assert!(named.eq(shown.map(|(name, digest)| (name, digest.to_owned()))));
    let data = router.data().to_owned();
    let _kept = router.stop().await;

    let config = data.join("router.toml");
    let start = async |settings: &str| {
        std::fs::write(&config, settings).unwrap();
        let args = ["serve", "--config", config.to_str().unwrap(), "--data", data.to_str().unwrap()];
        run("router", args.into_iter().chain(["--listen", "127.0.0.1:0", "--check-policy"])).await
    };
    let refused = start("encoder = { kind = \"hashed\" }\n[route]\nspecialists_max = 2\n").await;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("that the registry log does not list"), "{said}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
