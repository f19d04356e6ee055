//! The institutions in `examples/`, with the real encoder: skipped, with a word, where `make setup`
//! has not brought its weights.

use std::{fs, path::Path};

use proto::wire::{CandidateStatus, FinishReason};
use tempfile::TempDir;

use crate::{
    answers::every_word_has_an_owner,
    harness::{Process, Router},
};

/// All of them, running and admitted.
pub(crate) struct Federation {
    pub(crate) router: Router,
    _specialists: Vec<Process>,
    _data: TempDir,
}

/// Starts them; `None`, with a word, where there are no weights.
pub(crate) async fn federation() -> Option<Federation> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let model = root.join("models/all-MiniLM-L6-v2");
    if !model.join("model.safetensors").exists() {
        println!("skipped: no weights, run `make setup`");
        return None;
    }
    let model = model.to_str().unwrap();
    let router = Router::with(&format!("model = {model:?}\n")).await;
    let data = tempfile::tempdir().unwrap();
    let mut specialists = Vec::new();
    for example in fs::read_dir(root.join("examples")).unwrap() {
        let config = example.unwrap().path().join("specialist.toml");
        // The specialist in Python has none: `python.rs` is about it.
        if !config.exists() {
            continue;
        }
        let data = data.path().join(specialists.len().to_string());
        fs::create_dir(&data).unwrap();
        let args = ["serve", "--config", config.to_str().unwrap(), "--listen", "127.0.0.1:0"];
        let places = ["--model", model, "--data", data.to_str().unwrap()];
        let specialist = Process::start("specialist", args.into_iter().chain(places)).await;
        router.add(&specialist).await;
        specialists.push(specialist);
    }
    Some(Federation { router, _specialists: specialists, _data: data })
}

#[tokio::test]
async fn each_question_finds_its_institution() {
    let Some(federation) = federation().await else { return };
    let router = &federation.router;
    for (question, specialist) in [
        ("My baby's pupil looks white in photos, what could it be?", "pediatric-oncology"),
        ("What happens during induction chemotherapy for leukemia in a child?", "pediatric-oncology"),
        ("Why does Mars look red?", "planetarium"),
        ("How can I watch a solar eclipse safely?", "planetarium"),
        ("How does my hospital register a specialist with the router?", "consilium"),
        ("What does a Consilium specialist publish about its corpus?", "consilium"),
        ("My landlord wants to keep the deposit for repainting, may he?", "tenants-advice"),
        ("How much can the rent of my flat go up each year?", "tenants-advice"),
        ("Why is my tap water brown today?", "water-utility"),
        ("How can I tell whether the pipes in my house are made of lead?", "water-utility"),
        ("Thousands of bees just landed on our fence, whom do I call?", "beekeepers"),
        ("How do I get rid of the mites in my hive?", "beekeepers"),
    ] {
        let answer = router.ask(question).await;
        every_word_has_an_owner(&answer);
        assert_eq!(answer.reason(), FinishReason::Answered, "{question}");
        let first = answer.spans.first().unwrap();
        assert_eq!(first.specialist_id, specialist, "{question}: {}", answer.text());
        assert_eq!(answer.status_of(specialist), CandidateStatus::Answered, "{question}");
    }
    for question in ["Which wine goes with grilled salmon?", "How do I file my taxes late?"] {
        assert_eq!(router.ask(question).await.reason(), FinishReason::Abstained, "{question}");
    }
}
