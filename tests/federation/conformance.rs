//! `registry test --conformance`: what our own specialists keep, and what one that somebody wrote
//! badly is told.

mod faults;

use std::{
    collections::BTreeSet,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::{Stream, StreamExt, stream};
use prost::Message;
use proto::wire::{
    AnswerRequest, AnswerResponse, Card, Citation, DescribeRequest, DescribeResponse, Done, Outcome, Passage,
    ProbeRequest, ProbeResponse, Prototype, PrototypesRequest, PrototypesResponse, ProveRequest,
    ProveResponse, Space, Words,
    answer_response::Event,
    specialist_service_server::{SpecialistService, SpecialistServiceServer},
};
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, time::timeout};
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};

use self::faults::{Fault, faults};
use crate::{
    answers::planets,
    harness::{Institution, PATIENCE, Router},
};

/// Which answers of an examination are left in the middle.
const LEAVES: std::ops::Range<usize> = 3..6;

/// A small specialist with a fault.
struct Sample {
    fault: Fault,
    /// The weights of its encoder: those that it was asked for first.
    weights: OnceLock<Vec<u8>>,
    answers: AtomicUsize,
    /// How often it described itself.
    described: watch::Sender<usize>,
    /// Whether it does so at once.
    open: watch::Receiver<bool>,
    /// How many answers were left in the middle.
    left: Arc<watch::Sender<usize>>,
}

/// Says when a stream is dropped.
struct Guard(Arc<watch::Sender<usize>>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.send_modify(|left| *left += 1);
    }
}

fn card() -> Card {
    Card {
        specialist_id: "sample".into(),
        title: "Sample".into(),
        institution: "Institute".into(),
        description: "All about rust.".into(),
        example_questions: vec!["why is Mars red".into(), "what is rust".into()],
        license: "CC0-1.0".into(),
        public_endpoint: "http://127.0.0.1:1".into(),
        generator: "sample".into(),
        revision: "1".into(),
        ..Default::default()
    }
}

fn prototypes(space: Space, count: usize) -> PrototypesResponse {
    let prototype = |at: usize| {
        let mut vector = vec![0.0; space.dimension as usize];
        vector[at] = 1.0;
        Prototype { vector, passage_count: 5 }
    };
    let prototypes = (0..count).map(prototype).collect();
    PrototypesResponse { space: Some(space), prototypes, revision: "1".into() }
}

fn passage(id: &str, text: &str) -> Event {
    Event::Passage(Passage { passage_id: id.into(), text: text.into(), ..Default::default() })
}

fn words(text: &str, range: Option<(u32, u32)>) -> Event {
    let citation =
        range.map(|(start_bytes, end_bytes)| Citation { passage_id: "a".into(), start_bytes, end_bytes });
    Event::Words(Words { text: text.into(), citation })
}

fn done(outcome: Outcome) -> Event {
    Event::Done(Done { outcome: outcome.into(), ..Default::default() })
}

fn answer() -> Vec<Event> {
    let quoted = words("Rouillé.", Some((0, 9)));
    vec![passage("a", "Rouillé. Red."), quoted, words(" Mine.", None), done(Outcome::Answered)]
}

type Events = Pin<Box<dyn Stream<Item = Result<AnswerResponse, Status>> + Send>>;

#[tonic::async_trait]
impl SpecialistService for Sample {
    async fn describe(&self, _: Request<DescribeRequest>) -> Result<Response<DescribeResponse>, Status> {
        let mut card = card();
        self.described.send_modify(|times| *times += 1);
        let times = *self.described.borrow();
        match self.fault {
            Fault::Unready => return Err(Status::unavailable("not yet")),
            Fault::Card(spoil) => spoil(&mut card),
            Fault::Fickle => card.notice = times.to_string(),
            Fault::OneTurn => card.history_turns_max = 1,
            Fault::Restless => card.revision = format!("{times}th"),
            _ => {}
        }
        let _ = self.open.clone().wait_for(|open| *open).await;
        Ok(Response::new(DescribeResponse { card: card.encode_to_vec(), ..Default::default() }))
    }

    async fn prototypes(
        &self,
        request: Request<PrototypesRequest>,
    ) -> Result<Response<PrototypesResponse>, Status> {
        let PrototypesRequest { space, prototypes_max } = request.into_inner();
        let space = space.unwrap();
        let known = *self.weights.get_or_init(|| space.weights_sha256.clone()) == space.weights_sha256;
        let count =
            if matches!(self.fault, Fault::TwoPrototypes) { 2 } else { prototypes_max.min(2) as usize };
        let mut response = prototypes(space, count);
        match self.fault {
            Fault::Declines(how) => return Err(how()),
            Fault::AnySpace => {}
            _ if !known => return Err(Status::failed_precondition("another encoder")),
            Fault::Prototypes(spoil) => spoil(&mut response),
            _ => {}
        }
        Ok(Response::new(response))
    }

    async fn prove(&self, _: Request<ProveRequest>) -> Result<Response<ProveResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn probe(&self, _: Request<ProbeRequest>) -> Result<Response<ProbeResponse>, Status> {
        Err(Status::unimplemented("not probed"))
    }

    type AnswerStream = Events;

    async fn answer(&self, request: Request<AnswerRequest>) -> Result<Response<Events>, Status> {
        let AnswerRequest { turns, .. } = request.into_inner();
        let blank = turns.last().is_none_or(|turn| turn.text.trim().is_empty());
        match self.fault {
            Fault::Credulous => {}
            Fault::Miscoded if blank => return Err(Status::internal("index out of range")),
            Fault::OneTurn if turns.len() > 1 => return Err(Status::invalid_argument("turns: too many")),
            _ if blank => return Err(Status::invalid_argument("turns: no question")),
            _ => {}
        }
        let number = if blank { 0 } else { self.answers.fetch_add(1, Ordering::Relaxed) };
        let mut events = answer();
        match self.fault {
            Fault::Answer(spoil) => spoil(&mut events),
            Fault::FailsFrom(first) if number >= first => return Err(Status::internal("exhausted")),
            _ => {}
        }
        let events = events.into_iter().map(|event| Ok(AnswerResponse { event: Some(event) }));
        if LEAVES.contains(&number) {
            // Whoever waits for the end of this one waits for ever.
            let guard = Guard(self.left.clone());
            let stuck = stream::once(async move {
                std::future::pending::<()>().await;
                drop(guard);
                Err(Status::internal("never"))
            });
            return Ok(Response::new(stream::iter(events).take(1).chain(stuck).boxed()));
        }
        if matches!(self.fault, Fault::Breaks) {
            let broken = stream::iter([Err(Status::internal("broken"))]);
            return Ok(Response::new(stream::iter(events).take(2).chain(broken).boxed()));
        }
        Ok(Response::new(stream::iter(events).boxed()))
    }
}

/// A sample that serves until the test ends.
struct Serving {
    url: String,
    described: watch::Receiver<usize>,
    left: watch::Receiver<usize>,
    open: watch::Sender<bool>,
}

async fn serve(fault: Fault, open: bool) -> Serving {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (described, left, open) =
        (watch::Sender::new(0), Arc::new(watch::Sender::new(0)), watch::Sender::new(open));
    let serving =
        Serving { url, described: described.subscribe(), left: left.subscribe(), open: open.clone() };
    let sample = Sample {
        fault,
        weights: OnceLock::new(),
        answers: AtomicUsize::new(0),
        described,
        open: open.subscribe(),
        left,
    };
    let (reporter, health) = tonic_health::server::health_reporter();
    if matches!(fault, Fault::NotServing) {
        reporter.set_not_serving::<SpecialistServiceServer<Sample>>().await;
    } else {
        reporter.set_serving::<SpecialistServiceServer<Sample>>().await;
    }
    let health = (!matches!(fault, Fault::NoHealth)).then_some(health);
    let server =
        Server::builder().add_optional_service(health).add_service(SpecialistServiceServer::new(sample));
    #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true))));
    serving
}

/// What an examination says: the rules that fail, and those that were not examined.
async fn examined(router: &Router, url: &str) -> (Option<i32>, BTreeSet<String>, BTreeSet<String>, Value) {
    let output = router.registry(&["test", url, "--conformance", "-o", "json"]).await;
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&output.stderr));
    });
    let rules = |examined: bool| {
        let wrong =
            printed["findings"].as_array().unwrap().iter().filter(|finding| finding["passed"] == false);
        let wrong = wrong.filter(|finding| finding["examined"] == examined);
        wrong.map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect()
    };
    (output.status.code(), rules(true), rules(false), printed)
}

fn rules(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn our_own_specialists_keep_the_whole_contract() {
    let router = Router::start().await;
    let extractive = planets().start().await;
    let steps = r#"{ passage = "Rust." }, { say = "Rust." }, { say = " Red." }"#;
    let scripted = Institution::new("scripted").scripted("why is Mars red", steps).start().await;
    let signing = planets().signs().start().await;
    for specialist in [&extractive, &scripted, &signing] {
        let (code, failed, unexamined, printed) = examined(&router, &specialist.url).await;
        assert_eq!((code, failed, unexamined), (Some(0), rules(&[]), rules(&[])), "{printed:#}");
        assert_eq!(printed["findings"].as_array().unwrap().len(), 28);
        assert_eq!(printed["report"]["endpoint"], specialist.url.as_str());
    }
    // Nobody was admitted.
    assert_eq!(router.registry_json(&["list"]).await, serde_json::json!([]));
}

#[tokio::test]
async fn whoever_writes_a_specialist_is_told_each_fault() {
    let router = Router::start().await;
    for (at, (fault, broken)) in faults().into_iter().enumerate() {
        let sample = serve(fault, true).await;
        let (code, failed, _, printed) = examined(&router, &sample.url).await;
        assert_eq!(failed, rules(broken), "fault {at}: {printed:#}");
        assert_eq!(code, Some(if broken.is_empty() { 0 } else { 4 }), "fault {at}");
        assert_eq!(printed["report"].is_null(), broken.contains(&"admission"), "fault {at}");
    }
}

#[tokio::test]
async fn what_an_earlier_fault_hides_is_not_called_kept() {
    let router = Router::start().await;
    let sample = serve(Fault::FailsFrom(0), true).await;
    let output = router.registry(&["test", &sample.url, "--conformance"]).await;
    assert_eq!(output.status.code(), Some(4));
    let printed = String::from_utf8(output.stdout).unwrap();
    for line in [
        "ok            health               SERVING",
        "FAIL          done                 answer 1 failed with INTERNAL before done",
        "not examined  at-once              an answer alone did not come to its end",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line:?} is missing in {printed}");
    }
    let why = String::from_utf8(output.stderr).unwrap();
    assert!(why.contains("1 of 28 rules are broken, 14 could not be examined"), "{why}");
}

#[tokio::test]
async fn answers_are_left_in_the_middle() {
    let router = Router::start().await;
    let mut sample = serve(Fault::None, true).await;
    assert!(router.registry(&["test", &sample.url, "--conformance"]).await.status.success());
    timeout(PATIENCE, sample.left.wait_for(|left| *left == LEAVES.len())).await.expect("a leave").unwrap();
}

#[tokio::test]
async fn nobody_there_is_unreachable_as_ever() {
    let router = Router::start().await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let output = router.registry(&["test", &format!("http://{free}"), "--conformance"]).await;
    assert_eq!(output.status.code(), Some(3));
    assert!(output.stdout.is_empty());
}

#[tokio::test]
async fn only_so_many_are_examined_at_a_time() {
    let router = Router::start().await;
    // Two examinations at once would be in each other's way, so its answers are none.
    let mut sample = serve(Fault::FailsFrom(0), false).await;
    let args = ["test", &sample.url, "--conformance"];
    let third = async {
        // Both are inside: each waits for the card.
        timeout(PATIENCE, sample.described.wait_for(|times| *times == 2)).await.expect("two looks").unwrap();
        let refused = router.registry(&args).await;
        sample.open.send_replace(true);
        refused
    };
    let (_, _, refused) = tokio::join!(router.registry(&args), router.registry(&args), third);
    assert_eq!(refused.status.code(), Some(1));
    let why = String::from_utf8(refused.stderr).unwrap();
    assert!(why.contains("2 specialists are being examined"), "{why}");
    assert!(router.registry(&["test", &sample.url]).await.status.success());
}
