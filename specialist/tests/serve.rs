//! A specialist as its router sees it: real gRPC over loopback, a small corpus, hashed vectors.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{fs, path::Path, time::Duration};

use audit::{Kind, PublicKey, Salt, Transcript, merkle::leads, signed, transcript::passage_bytes};
use proto::{
    AnswerCheck, AnswerEvent, Card, Digest, Outcome, PublishedCard, Space,
    prototypes::Prototypes,
    wire::{self, answer_response::Event, specialist_service_client::SpecialistServiceClient},
};
use specialist::{Server, Settings, config::Overrides, error::chain, identity::keygen};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};
use tonic::{Code, Status, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

const PATIENCE: Duration = Duration::from_secs(20);

const MARS: &str = "Mars is red because its dust is full of rust. The planet Mars has two moons, e.g. Phobos. \
    A third sentence about Mars that is never reached.";

/// A specialist in a folder of its own, until it is dropped or stopped.
struct Running {
    folder: TempDir,
    client: SpecialistServiceClient<Channel>,
    url: String,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), specialist::Error>>,
}

fn institution(generator: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().join("corpus");
    fs::create_dir(&corpus).unwrap();
    let line = |id: &str, text: &str| {
        format!(
            "{{\"id\":\"{id}\",\"title\":\"About {id}\",\"text\":\"{text}\",\"url\":\"https://example.org/{id}\"}}\n"
        )
    };
    let planets = ["Mercury", "Venus", "Earth", "Jupiter", "Saturn", "Uranus", "Neptune", "Pluto", "Ceres"];
    let lines: String =
        planets.iter().map(|name| line(name, &format!("{name} goes round the sun."))).collect();
    fs::write(corpus.join("planets.jsonl"), lines + &line("Mars", MARS)).unwrap();
    fs::write(corpus.join("notes.md"), "# Telescope\n\nA telescope gathers light with a mirror.\n").unwrap();
    let toml = format!(
        "id = \"sky\"\ntitle = \"Sky\"\ninstitution = \"Planetarium\"\ndescription = \"Planets.\"\n\
         license = \"CC0-1.0\"\nlisten = \"127.0.0.1:0\"\ncorpus = \"corpus\"\nrescan_ms = 50\n{generator}"
    );
    fs::write(folder.path().join("specialist.toml"), toml).unwrap();
    folder
}

fn settings(folder: &Path) -> Settings {
    Settings::load(&folder.join("specialist.toml"), Overrides::default()).unwrap()
}

const EXTRACTIVE: &str =
    "encoder = { kind = \"hashed\" }\n[generator]\nkind = \"extractive\"\nlead_words_max = 12\n";

async fn serves(generator: &str) -> Running {
    serves_in(institution(generator)).await
}

/// One that signs.
async fn serves_signing() -> Running {
    let folder = institution(&format!("key = \"specialist.key\"\n{EXTRACTIVE}"));
    keygen(&folder.path().join("specialist.toml"), None).unwrap();
    serves_in(folder).await
}

async fn serves_in(folder: TempDir) -> Running {
    let server = Server::start(settings(folder.path())).await.unwrap();
    let url = server.url().to_owned();
    let client = SpecialistServiceClient::connect(url.clone()).await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    #[expect(clippy::disallowed_methods, reason = "the test waits for it where it matters")]
    let ended = tokio::spawn(server.run(async {
        let _ = stopped.await;
        Ok(())
    }));
    Running { folder, client, url, stop, ended }
}

impl Running {
    async fn describe(&mut self) -> wire::DescribeResponse {
        self.client.describe(wire::DescribeRequest {}).await.unwrap().into_inner()
    }

    async fn card(&mut self) -> Card {
        PublishedCard::read(self.describe().await.card).unwrap().card().clone()
    }

    async fn prototypes(&mut self, space: &Space, prototypes_max: u32) -> Result<Prototypes, Status> {
        let request = wire::PrototypesRequest { space: Some(space.into()), prototypes_max };
        let response = self.client.prototypes(request).await?.into_inner();
        Ok(Prototypes::try_from(response).unwrap())
    }

    /// Every event of an answer, each held to the contract.
    async fn answer(&mut self, question: &str) -> Result<Vec<AnswerEvent>, Status> {
        let mut stream = self.client.answer(ask(question, 4)).await?.into_inner();
        let (mut check, mut events) = (AnswerCheck::default(), Vec::new());
        while let Some(response) = stream.message().await? {
            events.push(check.read(response).unwrap());
        }
        Ok(events)
    }
}

fn ask(question: &str, passages_max: u32) -> wire::AnswerRequest {
    let turn = wire::Turn { role: wire::Role::User.into(), text: question.into() };
    wire::AnswerRequest { request_id: "test".into(), turns: vec![turn], passages_max, salt: Vec::new() }
}

fn salted(question: &str, salt_bytes: usize) -> wire::AnswerRequest {
    wire::AnswerRequest { salt: vec![9; salt_bytes], ..ask(question, 4) }
}

fn hashed() -> Space {
    Space::clone(embedding::Model::hashed().space())
}

#[tokio::test]
async fn it_describes_itself() {
    let mut running = serves(EXTRACTIVE).await;
    let card = running.card().await;
    assert_eq!((card.id.as_str(), card.generator.as_str()), ("sky", "extractive"));
    assert_eq!((card.passage_count, card.revision.len()), (11, 16));
    assert_eq!(card.public_endpoint.to_string(), running.url);
    let channel = Channel::from_shared(running.url.clone()).unwrap().connect().await.unwrap();
    let health = HealthClient::new(channel);
    for service in ["", "consilium.v1.SpecialistService"] {
        let request = HealthCheckRequest { service: service.into() };
        let status = health.clone().check(request).await.unwrap().into_inner().status;
        assert_eq!(status, 1, "{service:?} is serving");
    }
}

#[tokio::test]
async fn its_prototypes_hide_every_record() {
    let mut running = serves(EXTRACTIVE).await;
    let revision = running.card().await.revision;
    for _ in 0..2 {
        let prototypes = running.prototypes(&hashed(), 64).await.unwrap();
        assert!((1..=2).contains(&prototypes.points.len()));
        assert!(prototypes.points.iter().all(|point| point.passage_count >= 5));
        assert_eq!(prototypes.points.iter().map(|point| point.passage_count).sum::<u32>(), 11);
        assert_eq!((&prototypes.space, &prototypes.revision), (&hashed(), &revision));
    }
    assert_eq!(running.prototypes(&hashed(), 1).await.unwrap().points.len(), 1);

    let other = Space { encoder: "other".into(), dimension: 3, ..hashed() };
    let refused = running.prototypes(&other, 64).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(
        refused.message().contains("other (3 numbers") && refused.message().contains("hashed (256 numbers")
    );
    let refused = running.prototypes(&hashed(), 0).await.unwrap_err();
    assert_eq!(refused.message(), "prototypes_max: is 0, where 1 to 4096 is allowed");
}

#[tokio::test]
async fn its_answer_is_the_lead_of_the_best_passage() {
    let mut running = serves(EXTRACTIVE).await;
    let events = running.answer("Why is Mars red, full of rust?").await.unwrap();
    let [AnswerEvent::Passage(passage), words @ .., AnswerEvent::Done(Outcome::Answered)] = &events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!((passage.id.as_str(), passage.text.as_str()), ("Mars", MARS));
    assert_eq!((passage.url.as_str(), passage.license.as_str()), ("https://example.org/Mars", "CC0-1.0"));
    let mut said = String::new();
    for event in words {
        let AnswerEvent::Words(words) = event else { panic!("{event:?}") };
        let citation = words.citation.as_ref().unwrap();
        assert_eq!(passage.text[citation.range.clone()], words.text);
        assert_eq!(citation.range.start, said.len());
        said += &words.text;
    }
    assert!(MARS.starts_with(&said) && said.ends_with("e.g. Phobos."), "{said}");
}

#[tokio::test]
async fn its_answer_goes_on_in_the_next_passage() {
    let mut running = serves(EXTRACTIVE).await;
    let line = |id: &str, text: &str| format!("{{\"id\":\"{id}\",\"title\":\"Rain\",\"text\":\"{text}\"}}\n");
    let lines = line("one", "Rain is measured with:")
        + &line("two", "- a gauge for rain\\n- a ruler, for rain in a glass")
        + &line("three", "Snow is not.");
    fs::write(running.folder.path().join("corpus/rain.jsonl"), lines).unwrap();
    let learnt = async { while running.card().await.passage_count < 14 {} };
    timeout(PATIENCE, learnt).await.unwrap();

    let events = running.answer("rain is measured with what gauge").await.unwrap();
    let mut heard = Vec::new();
    for event in events {
        heard.push(match event {
            AnswerEvent::Passage(passage) => passage.id,
            AnswerEvent::Words(words) => {
                let of = words.citation.map_or("nothing".into(), |citation| citation.passage_id);
                format!("{:?} of {of}", words.text)
            }
            AnswerEvent::Heartbeat => continue,
            AnswerEvent::Done(outcome) => format!("{outcome:?}"),
        });
    }
    let expected = [
        "one",
        "\"Rain is measured with:\" of one",
        "\"\\n\\n\" of nothing",
        "two",
        "\"- a gauge for rain\\n\" of two",
        "\"- a ruler, for rain in a glass\" of two",
        "Answered",
    ];
    assert_eq!(heard, expected);
}

#[tokio::test]
async fn its_card_is_signed_and_its_words_are_vouched_for() {
    let mut running = serves_signing().await;
    let described = running.describe().await;
    let card = PublishedCard::read(described.card.clone()).unwrap();
    let says = card.card();
    let key = PublicKey::read(&says.public_key.unwrap()).unwrap();
    assert_eq!(signed::verify(&key, Kind::Card, &described.card, &described.signature), Ok(()));

    let request = salted("Why is Mars red, full of rust?", 32);
    let mut heard = Transcript::new(&request, Salt::read(&request.salt).unwrap());
    let (mut check, mut passages) = (AnswerCheck::default(), Vec::new());
    let mut stream = running.client.answer(request).await.unwrap().into_inner();
    while let Some(response) = stream.message().await.unwrap() {
        heard.hear(&response);
        if let AnswerEvent::Passage(passage) = check.read(response).unwrap() {
            passages.push(passage_bytes(&passage.into()));
        }
    }
    let statement: wire::Statement = signed::open(&key, Kind::Statement, heard.signed().unwrap()).unwrap();
    assert_eq!(heard.check(&statement), Ok(()));
    let generation = statement.generation.clone().unwrap();
    assert_eq!(generation.engine, format!("extractive {}", env!("CARGO_PKG_VERSION")));
    assert_eq!(generation.device, "hashed on cpu");
    assert_eq!(statement, heard.statement(&card, generation), "and says what the card says");

    assert!(!passages.is_empty());
    let root = says.passages_root.unwrap();
    for (passage, path) in passages.iter().zip(heard.paths()) {
        assert!(leads(root, says.passage_count, passage, path));
    }
    assert_eq!(passages.len(), heard.paths().len());
}

#[tokio::test]
async fn it_signs_only_with_a_key_and_a_salt() {
    let end = async |running: &mut Running, request| {
        let mut stream = running.client.answer(request).await?.into_inner();
        let mut last = None;
        while let Some(response) = stream.message().await? {
            last = response.event;
        }
        let Some(Event::Done(done)) = last else { panic!("{last:?}") };
        Ok::<_, Status>((done.statement.is_some(), done.paths.len()))
    };
    let (mut signing, mut silent) = (serves_signing().await, serves(EXTRACTIVE).await);
    let (rust, nothing) = ("Why is Mars red, full of rust?", "zygotic fjord quixotry");
    assert_eq!(end(&mut signing, salted(rust, 32)).await.unwrap(), (true, 1));
    assert_eq!(end(&mut signing, salted(rust, 0)).await.unwrap(), (false, 1));
    assert_eq!(end(&mut signing, salted(nothing, 32)).await.unwrap(), (true, 0));
    assert_eq!(end(&mut silent, salted(rust, 32)).await.unwrap(), (false, 1));
    let refused = end(&mut signing, salted(rust, 31)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(refused.message(), "salt: has 31 bytes, where 32 or none are allowed");
    let described = silent.describe().await;
    assert!(described.signature.is_empty() && silent.card().await.public_key.is_none());
}

#[tokio::test]
async fn it_proves_that_it_holds_its_key() {
    let mut running = serves_signing().await;
    let key = PublicKey::read(&running.card().await.public_key.unwrap()).unwrap();
    let request = |nonce: usize, router: usize| wire::ProveRequest {
        nonce: vec![7; nonce],
        router: "r".repeat(router),
    };
    let proof = running.client.prove(request(32, 120)).await.unwrap().into_inner().possession.unwrap();
    let possession: wire::Possession = signed::open(&key, Kind::Possession, &proof).unwrap();
    assert_eq!((possession.nonce, possession.router), (vec![7; 32], "r".repeat(120)));
    assert_eq!((possession.specialist_id.as_str(), possession.public_key), ("sky", key.as_bytes().to_vec()));
    for (nonce, router, field) in
        [(31, 1, "nonce: "), (33, 1, "nonce: "), (32, 0, "router: "), (32, 121, "router: ")]
    {
        let refused = running.client.prove(request(nonce, router)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().starts_with(field), "{}", refused.message());
    }
    let mut silent = serves(EXTRACTIVE).await;
    assert_eq!(silent.client.prove(request(32, 1)).await.unwrap_err().code(), Code::Unimplemented);
}

#[tokio::test]
async fn it_does_not_answer_what_it_does_not_know() {
    let mut running = serves(EXTRACTIVE).await;
    let events = running.answer("zygotic fjord quixotry").await.unwrap();
    assert_eq!(events, [AnswerEvent::Done(Outcome::NoAnswer)]);
    let refused = running.client.answer(ask(" ", 4)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(refused.message(), "turns[0].text: has 0 bytes, where 1 to 65536 are allowed");
    let refused = running.client.answer(ask("x", 33)).await.unwrap_err();
    assert_eq!(refused.message(), "passages_max: is 33, where 1 to 32 is allowed");
}

#[tokio::test]
async fn a_changed_corpus_is_served() {
    let mut running = serves(EXTRACTIVE).await;
    let first = running.card().await;
    let before = first.revision.clone();
    let corpus = running.folder.path().join("corpus");
    fs::write(corpus.join("moon.txt"), "The moon has phases.").unwrap();
    let changed = async {
        loop {
            let card = running.card().await;
            if card.revision != before {
                return card;
            }
        }
    };
    let second = timeout(PATIENCE, changed).await.unwrap();
    assert_eq!(second.passage_count, 12);
    assert_ne!(second.passages_root, first.passages_root);
    assert_ne!(second.data_sha256, first.data_sha256);
    // The digests of its files by their paths, as anybody computes them who has the folder.
    let digest = |name: &str| *Digest::of(fs::read(corpus.join(name)).unwrap()).as_bytes();
    let manifest = ["moon.txt", "notes.md", "planets.jsonl"].map(digest).concat();
    assert_eq!(second.data_sha256, Some(Digest::of(manifest)));

    fs::remove_file(corpus.join("moon.txt")).unwrap();
    let back = async { while running.card().await != first {} };
    timeout(PATIENCE, back).await.unwrap();
}

#[tokio::test]
async fn a_scripted_one_plays_its_script_and_cannot_embed() {
    let steps = "encoder = { kind = \"none\" }\n[generator]\nkind = \"scripted\"\n\
        steps = [{ passage = \"Words.\" }, { say = \"Words.\" }, \"fail\"]\n";
    let mut running = serves(steps).await;
    let refused = running.prototypes(&hashed(), 64).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented);
    assert_eq!(running.answer("x").await.unwrap_err().code(), Code::Internal);
    let mut stream = running.client.answer(ask("x", 1)).await.unwrap().into_inner();
    let mut check = AnswerCheck::default();
    let mut next = async || check.read(stream.message().await.unwrap().unwrap()).unwrap();
    assert!(matches!(next().await, AnswerEvent::Passage(_)));
    let AnswerEvent::Words(words) = next().await else { panic!("no words") };
    assert_eq!(words.citation.unwrap().range, 0..6);
}

#[tokio::test]
async fn answers_beyond_the_limit_are_shed_and_a_dropped_one_makes_room() {
    let stall = "encoder = { kind = \"none\" }\n[generator]\nkind = \"scripted\"\nsteps = [{ say = \"x\" }, \"hang\"]\n";
    let mut running = serves(stall).await;
    let mut open = Vec::new();
    for _ in 0..64 {
        open.push(running.client.answer(ask("x", 1)).await.unwrap().into_inner());
    }
    assert_eq!(running.client.answer(ask("x", 1)).await.unwrap_err().code(), Code::ResourceExhausted);
    open.pop();
    let room = async { while running.client.answer(ask("x", 1)).await.is_err() {} };
    timeout(PATIENCE, room).await.unwrap();
}

#[tokio::test]
async fn it_stops_when_told() {
    let running = serves(EXTRACTIVE).await;
    drop(running.client);
    running.stop.send(()).unwrap();
    timeout(PATIENCE, running.ended).await.unwrap().unwrap().unwrap();
    assert!(SpecialistServiceClient::connect(running.url).await.is_err());
}

#[tokio::test]
async fn a_corpus_without_passages_keeps_it_from_starting() {
    let folder = institution(EXTRACTIVE);
    fs::remove_dir_all(folder.path().join("corpus")).unwrap();
    fs::create_dir(folder.path().join("corpus")).unwrap();
    fs::write(folder.path().join("corpus/broken.jsonl"), "\n{\"id\":").unwrap();
    let Err(error) = Server::start(settings(folder.path())).await else { panic!("started") };
    let error = chain(&error);
    assert!(error.starts_with("corpus cannot be read: "), "{error}");
    assert!(error.ends_with("corpus/broken.jsonl:2: is not JSON (column 6)"), "{error}");
}
