//! The specialist in Python of `examples/python-specialist`, as a member of a federation: skipped, with a
//! word, where `make setup` has not made its environment.

use std::{fs, path::Path};

use audit::SecretKey;
use proto::wire::{
    AnswerRequest, AskOptions, CandidateStatus, FinishReason, Role, Turn,
    specialist_service_client::SpecialistServiceClient,
};
use tempfile::TempDir;
use tonic::Code;

use crate::{
    answers::{every_word_has_an_owner, planets},
    harness::{Process, Router},
};

/// A running specialist in Python over a text of its own.
struct InPython {
    process: Process,
    _folder: TempDir,
}

impl InPython {
    /// One that signs.
    async fn start(id: &str, file: &str, text: &str) -> Option<Self> {
        Self::start_with(id, file, text, true).await
    }

    async fn start_with(id: &str, file: &str, text: &str, signs: bool) -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let environment = root.join("target/python");
        if !environment.join("ready").exists() {
            println!("skipped: no Python environment, run `make setup`");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(file), text).unwrap();
        let script = root.join("examples/python-specialist/specialist.py");
        let (title, institution) = (format!("About {id}"), format!("Institute of {id}"));
        let names = ["--id", id, "--title", &title, "--institution", &institution];
        let key = folder.path().join("its.key");
        SecretKey::generate().unwrap().save(&key).unwrap();
        let key = ["--key", key.to_str().unwrap()].into_iter().take(if signs { 2 } else { 0 });
        let args =
            [script.to_str().unwrap(), folder.path().to_str().unwrap()].into_iter().chain(names).chain(key);
        let process = Process::start_program(&environment.join("bin/python"), args).await;
        Some(Self { process, _folder: folder })
    }
}

/// Characters of one to four bytes, in front of every range that is cited.
const TOWER: &str = "Zoë’s tower – “Turm” in old papers 🗼 – was built in 1723… It is 41 m tall. \
    The café below it is closed in winter.";

#[tokio::test]
async fn its_words_stand_in_the_passage_that_they_cite() {
    let text = format!("# Tower\n\n{TOWER}\n");
    let Some(tower) = InPython::start("tower", "Türme.md", &text).await else { return };
    let router = Router::start().await;
    router.add(&tower.process).await;
    let listed = router.registry_json(&["list"]).await;
    assert!(listed.to_string().contains("\"tower\""), "{listed}");

    let answer = router.ask("how tall is Zoë’s tower").await;
    every_word_has_an_owner(&answer);
    assert_eq!((answer.reason(), answer.words_of("tower").as_str()), (FinishReason::Answered, TOWER));
    let cited: Vec<_> = answer.spans.iter().filter(|span| span.citation.is_some()).collect();
    assert_eq!(cited.len(), 3, "a span for each sentence");
    assert_eq!(answer.sources[0].passage.as_ref().unwrap().title, "Tower");

    // It is asked because it is named, and does not claim to know.
    let pinned = AskOptions { only: vec!["tower".into()], ..Default::default() };
    let answer = router.ask_with("how do I file taxes", pinned).await;
    assert_eq!(
        (answer.reason(), answer.status_of("tower")),
        (FinishReason::NoAnswer, CandidateStatus::NoAnswer)
    );
    let answer = router.ask("quarterly payroll withholding forms").await;
    assert_eq!(answer.reason(), FinishReason::Abstained);

    assert!(tower.process.stop().await.success());
}

#[tokio::test]
async fn it_is_merged_beside_one_in_rust() {
    let moons = "Phobos, in Greek Φόβος, is a moon of Mars. It comes nearer every year.\n\n\
        Deimos is the outer moon of Mars.\n";
    let Some(moons) = InPython::start("moons", "moons.txt", moons).await else { return };
    let planets = planets().start().await;
    let router = Router::generous().await;
    router.add(&planets).await;
    router.add(&moons.process).await;

    let answer = router.ask("which moons does Mars have, is Phobos one").await;
    every_word_has_an_owner(&answer);
    for id in ["planets", "moons"] {
        assert!(answer.words_of(id).contains("Mars"), "{id}: {}", answer.text());
        assert_eq!(answer.status_of(id), CandidateStatus::Answered);
    }
    assert!(answer.words_of("moons").contains("Φόβος"), "{}", answer.text());
}

#[tokio::test]
async fn another_answers_when_it_is_killed() {
    let Some(lead) = InPython::start("lead", "first.txt", "Why is Mars red? Nobody knows.").await else {
        return;
    };
    let planets = planets().start().await;
    // Only the best is asked at first.
    let router = Router::asking("encoder = { kind = \"hashed\" }\n", "0.0").await;
    router.add(&lead.process).await;
    router.add(&planets).await;
    lead.process.kill().await;

    let answer = router.ask("why is Mars red").await;
    assert!(answer.text().starts_with("Mars is red"), "{}", answer.text());
    assert_eq!(
        (answer.status_of("lead"), answer.status_of("planets")),
        (CandidateStatus::Failed, CandidateStatus::Answered)
    );
}

#[tokio::test]
async fn it_keeps_the_whole_contract() {
    let router = Router::start().await;
    let texts = format!("{TOWER}\n\nThe tower has a bell.\n\nA second bell broke.\n");
    for (signs, stated) in [(true, "each signed with the key in the card"), (false, "nothing is signed")] {
        let Some(tower) = InPython::start_with("tower", "tower.txt", &texts, signs).await else { return };
        let output = router.registry(&["test", &tower.process.url, "--conformance"]).await;
        let (findings, why) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{findings}{why}");
        assert!(findings.contains(stated), "{findings}");
    }
}

#[tokio::test]
async fn it_refuses_what_breaks_the_contract() {
    let Some(tower) = InPython::start("tower", "tower.txt", TOWER).await else { return };
    let mut client = SpecialistServiceClient::connect(tower.process.url.clone()).await.unwrap();
    let turn = |role: Role, text: &str| Turn { role: role.into(), text: text.into() };
    let asks =
        |turns: Vec<Turn>| AnswerRequest { request_id: "r".into(), turns, passages_max: 1, salt: Vec::new() };
    let user = || vec![turn(Role::User, "tower")];
    for (request, field) in [
        (asks(vec![]), "turns: "),
        (asks(vec![turn(Role::User, " \n")]), "turns[0].text: "),
        (asks(vec![turn(Role::User, &"ü".repeat(32_769))]), "turns[0].text: "),
        (asks(vec![turn(Role::Unspecified, "tower")]), "turns[0].role: "),
        (asks(vec![turn(Role::User, "tower"), turn(Role::Assistant, "tall")]), "turns: "),
        (asks(vec![turn(Role::User, "tower"); 65]), "turns: "),
        (AnswerRequest { request_id: String::new(), ..asks(user()) }, "request_id: "),
        (AnswerRequest { passages_max: 0, ..asks(user()) }, "passages_max: "),
        (AnswerRequest { passages_max: 33, ..asks(user()) }, "passages_max: "),
        (AnswerRequest { salt: vec![1; 31], ..asks(user()) }, "salt: "),
    ] {
        let refused = match client.answer(request).await {
            Ok(stream) => stream.into_inner().message().await.unwrap_err(),
            Err(refused) => refused,
        };
        assert_eq!(refused.code(), Code::InvalidArgument, "{field}");
        assert!(refused.message().starts_with(field), "{field}: {}", refused.message());
    }
    let mut answer = client.answer(asks(user())).await.unwrap().into_inner();
    assert!(answer.message().await.unwrap().is_some(), "it still answers");
}
