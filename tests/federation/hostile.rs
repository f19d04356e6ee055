//! Specialists that mean harm: each costs little, is named with its reason, and keeps nobody from an
//! answer.

use std::{
    convert::Infallible,
    fs,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{body::Body, http::header, response::Response as HttpResponse, routing::post};
use futures_util::{
    Stream, StreamExt,
    future::join_all,
    stream::{self, BoxStream},
};
use prost::Message;
use proto::wire::{
    AnswerRequest, AnswerResponse, AskOptions, CandidateStatus, Card, DescribeRequest, DescribeResponse,
    Done, FinishReason, Heartbeat, Outcome, Passage, ProbeRequest, ProbeResponse, Probing, Prototype,
    PrototypesRequest, PrototypesResponse, ProveRequest, ProveResponse, Wording, Words,
    answer_response::Event,
    specialist_service_server::{SpecialistService, SpecialistServiceServer},
};
use tokio::{
    net::TcpListener,
    sync::watch,
    time::{interval, timeout},
};
use tokio_stream::wrappers::IntervalStream;
use tonic::{Request, Response, Status};

use crate::{
    answers::{every_word_has_an_owner, planets},
    harness::{Answer, Institution, PATIENCE, Router, SETTINGS},
};

const QUESTION: &str = "why is Mars red";

/// Questions that meet the hostile specialist at once, so that what one of them costs stands out from
/// what a process's memory does of itself.
const QUESTIONS: usize = 16;

/// What a hostile specialist may cost for each question under way.
const COST_KIB_MAX: u64 = 2 << 10;

/// Limits that end soon, for the streams that would never end.
/// Nobody is left alone, so that all questions meet it, however soon the first ones are over.
const IMPATIENT: &str = "[dispatch]\nidle_ms = 2000\nrate_ms = 1000\nrate_bytes_min = 1000\n\
    eject = { failures_max = 1000, success_min = 0.0 }\n";

pub(crate) type Answers = BoxStream<'static, Result<AnswerResponse, Status>>;

/// A specialist in this process whose answers are whatever `answers` makes of them.
#[derive(Clone)]
pub(crate) struct Hostile {
    answers: fn() -> Answers,
    /// Its card's revision; its prototypes are no numbers from the second on.
    revision: Arc<AtomicU32>,
    /// How often it was asked for its card.
    looks: watch::Sender<usize>,
    /// Texts of its card.
    samples: Vec<String>,
    /// What it shows to probes; `None` where it takes none.
    boast: Option<ProbeResponse>,
}

impl Hostile {
    pub(crate) fn new(answers: fn() -> Answers) -> Self {
        Self {
            answers,
            revision: Arc::new(AtomicU32::new(1)),
            looks: watch::Sender::new(0),
            samples: Vec::new(),
            boast: None,
        }
    }

    /// Serves on a free port; `raw` takes the place of its typed answers. Its address.
    pub(crate) async fn serve(&self, raw: Option<fn() -> Body>) -> String {
        let (reporter, health) = tonic_health::server::health_reporter();
        reporter.set_serving::<SpecialistServiceServer<Self>>().await;
        let mut routes = tonic::service::Routes::new(health)
            .add_service(SpecialistServiceServer::new(self.clone()))
            .into_axum_router();
        if let Some(raw) = raw {
            let answer = move || async move {
                HttpResponse::builder().header(header::CONTENT_TYPE, "application/grpc").body(raw()).unwrap()
            };
            routes = routes.route("/consilium.v1.SpecialistService/Answer", post(answer));
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
        tokio::spawn(async move { axum::serve(listener, routes).await });
        format!("http://{address}")
    }
}

#[tonic::async_trait]
impl SpecialistService for Hostile {
    async fn describe(&self, _: Request<DescribeRequest>) -> Result<Response<DescribeResponse>, Status> {
        let card = Card {
            specialist_id: "hostile".into(),
            title: "About hostile".into(),
            institution: "Institute of hostile".into(),
            description: "Means harm.".into(),
            example_questions: vec![QUESTION.into()],
            sample_texts: self.samples.clone(),
            license: "CC0-1.0".into(),
            public_endpoint: "http://127.0.0.1:1".into(),
            generator: "hostile".into(),
            revision: self.revision.load(Ordering::SeqCst).to_string(),
            probing: if self.boast.is_some() { Probing::Terms } else { Probing::Unspecified }.into(),
            ..Default::default()
        };
        self.looks.send_modify(|looks| *looks += 1);
        Ok(Response::new(DescribeResponse { card: card.encode_to_vec(), ..Default::default() }))
    }

    async fn prototypes(
        &self,
        request: Request<PrototypesRequest>,
    ) -> Result<Response<PrototypesResponse>, Status> {
        let revision = self.revision.load(Ordering::SeqCst);
        if revision == 1 {
            return Err(Status::unimplemented("the router embeds the card's texts"));
        }
        let space = request.into_inner().space.unwrap();
        let vector = vec![f32::NAN; space.dimension as usize];
        let prototypes = vec![Prototype { vector, passage_count: 5 }];
        Ok(Response::new(PrototypesResponse {
            space: Some(space),
            prototypes,
            revision: revision.to_string(),
        }))
    }

    async fn prove(&self, _: Request<ProveRequest>) -> Result<Response<ProveResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn probe(&self, _: Request<ProbeRequest>) -> Result<Response<ProbeResponse>, Status> {
        self.boast.map(Response::new).ok_or_else(|| Status::unimplemented("not probed"))
    }

    type AnswerStream = Answers;

    async fn answer(&self, _: Request<AnswerRequest>) -> Result<Response<Answers>, Status> {
        Ok(Response::new((self.answers)()))
    }
}

pub(crate) fn event(event: Event) -> AnswerResponse {
    AnswerResponse { event: Some(event) }
}

pub(crate) fn words(text: &str) -> AnswerResponse {
    event(Event::Words(Words { text: text.to_owned(), citation: None }))
}

fn passage(at: usize) -> AnswerResponse {
    let (passage_id, text) = (at.to_string(), "x".repeat(32_768));
    event(Event::Passage(Passage { passage_id, text, similarity: 1.0, ..Default::default() }))
}

fn nothing() -> Answers {
    stream::empty().boxed()
}

fn every_second() -> impl Stream<Item = ()> {
    IntervalStream::new(interval(Duration::from_secs(1))).map(|_| ())
}

/// A gRPC frame that says it holds `length` bytes, then `bytes`, then nothing for ever.
fn frame(compressed: u8, length: u32, bytes: &'static [u8]) -> Body {
    let head = [&[compressed][..], &length.to_be_bytes(), bytes].concat();
    let chunks = stream::iter([head]).chain(stream::pending()).map(Ok::<_, Infallible>);
    Body::from_stream(chunks)
}

/// The peak of `process`'s memory in KiB since [`forget_peak`], and what it has now.
fn memory_kib(process: u32) -> (u64, u64) {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    };
    (field("VmHWM:"), field("VmRSS:"))
}

fn forget_peak(process: u32) {
    fs::write(format!("/proc/{process}/clear_refs"), "5").unwrap();
}

async fn ask_all(router: &Router, only: &[&str]) -> Vec<Answer> {
    let only: Vec<String> = only.iter().map(ToString::to_string).collect();
    let ask = |_| router.ask_with(QUESTION, AskOptions { only: only.clone(), ..Default::default() });
    join_all((0..QUESTIONS).map(ask)).await
}

/// Many questions at once meet a hostile specialist that leads, with an honest one behind it. What
/// became of the hostile one, and why.
async fn meets(answers: fn() -> Answers, raw: Option<fn() -> Body>, status: CandidateStatus, why: &str) {
    let url = Hostile::new(answers).serve(raw).await;
    let planets = planets().start().await;
    let router = Router::asking(&format!("{SETTINGS}{IMPATIENT}"), "1.0").await;
    router.add(&planets).await;
    // What many answers at once cost, hostile or not, has been paid before.
    ask_all(&router, &["planets"]).await;
    router.add_at(&url).await;
    let process = router.process.id();
    forget_peak(process);
    let (_, before) = memory_kib(process);
    let answers = ask_all(&router, &["hostile", "planets"]).await;
    let (peak, _) = memory_kib(process);

    let cost = peak.saturating_sub(before) / QUESTIONS as u64;
    println!("{cost} KiB for each question: {why}");
    assert!(cost < COST_KIB_MAX, "{cost} KiB for each question");
    for answer in &answers {
        every_word_has_an_owner(answer);
        assert!(answer.words_of("planets").starts_with("Mars is red"), "{}", answer.text());
        let hostile = answer.candidate("hostile");
        assert_eq!((hostile.status(), answer.reason()), (status, FinishReason::Answered));
        assert!(hostile.failure.starts_with(why), "{}", hostile.failure);
    }
    let (_, log) = router.process.stop_and_read().await;
    for answer in &answers {
        let request = format!("request=\"{}\"", answer.decision.as_ref().unwrap().request_id);
        let warnings = log.lines().filter(|line| line.contains("WARN") && line.contains(&request));
        assert_eq!(warnings.count(), 1, "{log}");
    }
}

#[tokio::test]
async fn words_without_end() {
    let answers = || stream::repeat_with(|| Ok(words(&"x".repeat(32_768)))).boxed();
    meets(answers, None, CandidateStatus::Failed, "it broke the contract: answer: has 294912 bytes").await;
}

#[tokio::test]
async fn many_small_words() {
    let answers = || stream::repeat_with(|| Ok(words("x"))).boxed();
    meets(answers, None, CandidateStatus::Failed, "it broke the contract: events: has 4097 entries").await;
}

#[tokio::test]
async fn heartbeats_without_end() {
    let answers = || stream::repeat_with(|| Ok(event(Event::Heartbeat(Heartbeat {})))).boxed();
    meets(answers, None, CandidateStatus::Failed, "it broke the contract: events: has 4097 entries").await;
}

#[tokio::test]
async fn ten_thousand_passages() {
    let answers = || stream::iter(0..10_000).map(|at| Ok(passage(at))).boxed();
    meets(answers, None, CandidateStatus::Failed, "it broke the contract: passages: has 9 entries").await;
}

#[tokio::test]
async fn one_byte_a_second_of_words() {
    let answers = || every_second().map(|()| Ok(words("x"))).boxed();
    meets(answers, None, CandidateStatus::Timeout, "it sent less than 1000 bytes in 1000 ms").await;
}

#[tokio::test]
async fn one_byte_a_second_of_an_event() {
    let drip = || {
        let head = vec![0, 0, 0, 0xff, 0xff];
        let bytes = every_second().map(|()| vec![0x12]);
        Body::from_stream(stream::iter([head]).chain(bytes).map(Ok::<_, Infallible>))
    };
    meets(nothing, Some(drip), CandidateStatus::Timeout, "it said nothing within 2000 ms").await;
}

#[tokio::test]
async fn an_event_of_two_gibibytes() {
    let huge = || frame(0, 1 << 31, &[0x12]);
    meets(nothing, Some(huge), CandidateStatus::Failed, "it failed with OutOfRange").await;
}

#[tokio::test]
async fn an_event_that_nobody_asked_to_be_compressed() {
    let bomb = || frame(1, 4, &[0x1f, 0x8b, 0x08, 0x00]);
    meets(nothing, Some(bomb), CandidateStatus::Failed, "it failed with Internal").await;
}

#[tokio::test]
async fn words_that_are_not_utf_8() {
    let garbage = || frame(0, 5, &[0x12, 3, 0x0a, 1, 0xff]);
    meets(nothing, Some(garbage), CandidateStatus::Failed, "it failed with Internal").await;
}

#[tokio::test]
async fn prototypes_that_are_no_numbers_are_refused_and_the_old_ones_stand() {
    let hostile = Hostile::new(nothing);
    let url = hostile.serve(None).await;
    let router = Router::start().await;
    hostile.revision.store(2, Ordering::SeqCst);
    let output = router.registry(&["test", &url]).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("prototypes[0].vector"), "{said}");

    hostile.revision.store(1, Ordering::SeqCst);
    router.add_at(&url).await;
    hostile.revision.store(2, Ordering::SeqCst);
    // Several looks later it is still the card that was admitted, and one line of warning says why.
    let mut looks = hostile.looks.subscribe();
    let enough = *looks.borrow() + 10;
    looks.wait_for(|looks| *looks >= enough).await.unwrap();
    assert_eq!(router.registry_json(&["show", "hostile"]).await["card"]["revision"], "1");
    let (_, log) = router.process.stop_and_read().await;
    assert_eq!(log.lines().filter(|line| line.contains("WARN")).count(), 1, "{log}");
    assert!(log.contains("its new card was not taken"), "{log}");
}

#[tokio::test]
async fn a_card_as_large_as_it_may_be() {
    // Looked at again and again at once, and never admitted.
    let samples = vec!["x".repeat(4_000); 64];
    let url = Hostile { samples, ..Hostile::new(nothing) }.serve(None).await;
    let small = Hostile::new(nothing).serve(None).await;
    let router = Router::start().await;
    let look_all = async |url: &str| {
        let look = async |_| router.registry(&["test", url]).await;
        let looks = join_all((0..QUESTIONS).map(look));
        assert!(looks.await.iter().all(|look| look.status.success()));
    };
    look_all(&small).await;
    let process = router.process.id();
    forget_peak(process);
    let (_, before) = memory_kib(process);
    look_all(&url).await;
    let (peak, _) = memory_kib(process);
    let cost = peak.saturating_sub(before) / QUESTIONS as u64;
    println!("{cost} KiB for each look");
    assert!(cost < COST_KIB_MAX, "{cost} KiB for each look");
}

#[tokio::test]
async fn nobody_takes_over_anothers_id() {
    let url = Hostile::new(nothing).serve(None).await;
    let honest = Institution::new("hostile").scripted(QUESTION, r#"{ say = "Iron rusts." }"#).start().await;
    let router = Router::start().await;
    router.add(&honest).await;
    let output = router.registry(&["add", &url, "--yes"]).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("registered already"), "{said}");
    assert_eq!(router.ask(QUESTION).await.words_of("hostile"), "Iron rusts.");
}

/// Whatever it is asked, it says that its index holds just that, and then speaks of bread.
#[tokio::test]
async fn who_shows_more_than_it_cites_is_believed_less() {
    let answers: fn() -> Answers = || {
        let passage =
            Passage { passage_id: "1".into(), text: "Rye rises slowly.".into(), ..Default::default() };
        let done = event(Event::Done(Done { outcome: Outcome::Answered.into(), ..Default::default() }));
        stream::iter([event(Event::Passage(passage)), words("Rye."), done]).map(Ok).boxed()
    };
    let wording = Some(Wording { covered: 1.0, titled: 1.0, familiar: 0.0 });
    let boast = Some(ProbeResponse { nearness: 1.0, wording });
    let url = Hostile { boast, ..Hostile::new(answers) }.serve(None).await;
    let planets = planets().start().await;
    // Everybody is in doubt, and everybody is asked.
    let settings = format!("{SETTINGS}[route]\nprobe_window = 2.0\nprobe_ms = 60000\n");
    let router = Router::asking(&settings, "1.0").await;
    router.add(&planets).await;
    router.add_at(&url).await;

    let shows = async || {
        let answer = router.ask(QUESTION).await;
        let evidence = |id: &str| answer.candidate(id).probe.unwrap().evidence.unwrap().nearness;
        (evidence("hostile"), evidence("planets"))
    };
    let (claimed, honest) = shows().await;
    assert!((claimed - 1.0).abs() < 1e-6, "{claimed}");
    // Claims are held to what was cited after the answers, one after another.
    let believed = async { while shows().await.0 > 0.6 {} };
    timeout(PATIENCE, believed).await.expect("its claims are believed to the end");
    assert!((shows().await.1 - honest).abs() < 1e-6, "an honest one is believed as before");
}
