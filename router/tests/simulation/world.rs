//! A plan carried out: the shipped dispatch, merge and turn in a simulated network.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::{pending, poll_fn},
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    pin::{Pin, pin},
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use audit::Salt;
use embedding::{Embedder, Model, Timing};
use futures_util::{
    Stream,
    future::{BoxFuture, join_all},
};
use prost::Message as _;
use proto::{
    AskOptions, Conversation, Embedding, Endpoint, Prototype, Prototypes, PublishedCard, Space, SpecialistId,
    UnitVector,
    wire::{self, Role, Turn as Said, specialist_service_server::SpecialistServiceServer},
};
use registry::{Registration, Snapshot};
use router::{
    ask::{self, Means, Question, Routed, Timings, Turn, record},
    dial::{Dialler, Network, Policy as Dialling, Wire},
    dispatch::{Dispatch, Limits},
    metrics::Metrics,
    route::{self, Case, History, HistoryReason, Seen, Shown, Survey},
    trust::Trust,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, sleep},
};
use tonic::transport::server::{Connected, Server};
use turmoil::{
    Builder, Sim,
    net::{TcpListener, TcpStream},
};

use crate::{
    plan::{Fault, Plan, What, history_turns_max, name},
    record::{Answer, End, Heard, Record, Run, turns},
    script::Scripted,
};

const ROUTER: &str = "router";
const PORT: u16 = 50_051;

/// How often messages are delivered. Timers are as exact as the clock, which counts milliseconds.
const TICK: Duration = Duration::from_millis(10);

/// Carries `plan` out to the end.
pub(crate) fn run(plan: &Plan) -> Run {
    let record = Record::default();
    let cuts = Cuts::default();
    let mut sim = Builder::new()
        .rng_seed(plan.seed)
        .tick_duration(TICK)
        .simulation_duration(Duration::from_hours(1))
        .min_message_latency(Duration::from_millis(*plan.latency_ms.start()))
        .max_message_latency(Duration::from_millis(*plan.latency_ms.end()))
        .tcp_capacity(1_024)
        .build();
    for (at, scripts) in plan.specialists.iter().enumerate() {
        let scripted = Scripted {
            id: name(at),
            scripts: scripts.clone(),
            shown: plan.shown(at),
            record: record.clone(),
        };
        sim.host(name(at), move || serve(scripted.clone()));
    }
    let outcome = Arc::new(Mutex::new(None));
    sim.client(ROUTER, {
        let (plan, outcome) = (plan.clone(), outcome.clone());
        let network = Simulated { record: record.clone(), cuts: cuts.clone() };
        async move {
            let answered = answer(&plan, network).await;
            *outcome.lock().unwrap() = Some(answered);
            Ok(())
        }
    });
    let mut faults = plan.faults.iter().peekable();
    while !sim.step().unwrap() {
        while let Some(fault) = faults.next_if(|fault| fault.at <= sim.elapsed()) {
            happen(&mut sim, &cuts, fault);
        }
    }
    let (answers, in_flight) = outcome.lock().unwrap().take().unwrap();
    Run { answers, seen: record.all(), in_flight }
}

fn happen(sim: &mut Sim<'_>, cuts: &Cuts, fault: &Fault) {
    let whom = name(fault.whom);
    match fault.what {
        What::Partition | What::PartitionTo => cuts.lock().unwrap().insert(sim.lookup(whom.as_str())),
        What::Repair => cuts.lock().unwrap().remove(&sim.lookup(whom.as_str())),
        _ => false,
    };
    match fault.what {
        What::Crash => sim.crash(whom),
        What::Bounce => sim.bounce(whom),
        What::Partition => sim.partition(ROUTER, whom),
        What::PartitionTo => sim.partition_oneway(ROUTER, whom),
        What::PartitionFrom => sim.partition_oneway(whom, ROUTER),
        What::Repair => sim.repair(ROUTER, whom),
        What::Hold => sim.hold(ROUTER, whom),
        What::Release => sim.release(ROUTER, whom),
    }
}

async fn serve(scripted: Scripted) -> turmoil::Result {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
    let accepted = async_stream::stream! {
        loop {
            yield listener.accept().await.map(|(stream, _)| Accepted(stream));
        }
    };
    Server::builder()
        .add_service(SpecialistServiceServer::new(scripted))
        .serve_with_incoming(accepted)
        .await?;
    Ok(())
}

/// The router's side: asks all questions at their times, and counts what is under way at the end.
async fn answer(plan: &Plan, network: Simulated) -> (Vec<Answer>, usize) {
    // Its thread ends with the last handle.
    let (embedder, _) = Embedder::start(Model::hashed()).unwrap();
    let limits = Limits {
        in_flight_max: plan.in_flight_max,
        allow_private: true,
        // A shorter window than the shipped one, so that a stall takes less virtual time.
        rate_ms: 8_000,
        eject: plan.eject.clone(),
        ..Limits::default()
    };
    let dialler = Dialler::over(
        Arc::new(network),
        Dialling::new(limits.allow_private, IpAddr::V4(Ipv4Addr::LOCALHOST)),
    );
    let means = Means {
        dispatch: Arc::new(Dispatch::new(limits, dialler)),
        metrics: Arc::new(Metrics::new(embedder.space())),
        trust: Trust::new().0,
        embedder,
    };
    let snapshot = Arc::new(fleet(plan, means.embedder.space()));
    let readers = (0..plan.questions.len()).map(|question| read(plan, &means, &snapshot, question));
    let answers = join_all(readers).await;
    (answers, means.dispatch.in_flight())
}

/// Asks one question and reads its answer.
async fn read(plan: &Plan, means: &Means, snapshot: &Arc<Snapshot>, question: usize) -> Answer {
    let asked = &plan.questions[question];
    sleep(asked.at).await;
    let (began, arrived) = (now(), Instant::now());
    let routed = Arc::new(route(plan, means, snapshot, question));
    let put = Question {
        request_id: routed.request_id.clone(),
        conversation: conversation(question, asked.earlier),
        options: AskOptions::default(),
        patience: None,
        footer: false,
        previous: None,
    };
    let record = record::Record::new(Salt::read(&[0; 32]).unwrap());
    let turn = Turn::new(means.clone(), &put, routed.clone(), arrived, asked.patience, record);
    let mut stream = pin!(turn.answer());
    let mut heard = Vec::new();
    let end = loop {
        if asked.leaves_after.is_some_and(|count| heard.len() == count) {
            break End::Left;
        }
        match next(stream.as_mut(), &means.embedder).await {
            None => break End::Finished,
            Some(Err(error)) => break End::Failed(error),
            Some(Ok(event)) => {
                heard.push(Heard { at: now(), event, in_flight: means.dispatch.in_flight() });
            }
        }
    };
    Answer { routed, began, heard, end, ended: now() }
}

/// The next event of an answer. The encoder's thread does not live in simulated time: while it works, that
/// stands still, so that a busy machine changes nothing.
async fn next<S: Stream>(mut stream: Pin<&mut S>, embedder: &Embedder) -> Option<S::Item> {
    poll_fn(|context| {
        loop {
            let polled = stream.as_mut().poll_next(context);
            if polled.is_ready() || embedder.waiting() == 0 {
                return polled;
            }
            while embedder.waiting() > 0 {
                std::thread::yield_now();
            }
        }
    })
    .await
}

/// Decides as `router::ask` does.
fn route(plan: &Plan, means: &Means, snapshot: &Arc<Snapshot>, question: usize) -> Routed {
    let space = means.embedder.space().clone();
    let embedding = Embedding { vector: axis(space.dimension, question), space };
    let options = AskOptions::default();
    let out = snapshot.members().filter(|member| means.dispatch.is_out(&member.endpoint));
    let ejected: BTreeSet<SpecialistId> = out.map(|member| member.id().clone()).collect();
    let Plan { policy, calibration, .. } = plan;
    let case = Case { policy, calibration, options: &options, snapshot, ejected: &ejected };
    let hits = case.nearest(&embedding).unwrap();
    let asked = &plan.questions[question];
    let reason = if asked.follows { HistoryReason::FollowsByWords } else { HistoryReason::Unrelated };
    let history = History { reason, ..History::NONE };
    let scores = route::score(&hits, calibration.temperature);
    let survey = Survey { scores, seen: Seen { background: 0.0, terms: 0 } };
    Routed {
        request_id: question.to_string(),
        decision: case.decide(&survey, &Shown::new()),
        calibration: Arc::new(calibration.clone()),
        snapshot: snapshot.clone(),
        question: embedding,
        earlier: ask::earlier(&conversation(question, asked.earlier), &history),
        history,
        claims: BTreeMap::new(),
        foreign: None,
        backend: means.embedder.backend(),
        timings: Timings {
            embedding: Timing::default(),
            search: Duration::ZERO,
            probe: Duration::ZERO,
            decide: Duration::ZERO,
        },
    }
}

/// What was said up to a question: by the user, and in between by the federation.
fn conversation(question: usize, earlier: usize) -> Conversation {
    let answer = || Said { role: Role::Assistant.into(), text: "It was answered.".to_owned() };
    let said = turns(question, earlier).into_iter().flat_map(|turn| [answer(), turn]);
    Conversation::try_from(said.collect::<Vec<_>>()).unwrap()
}

/// Everybody, each as near to each question as the plan says.
fn fleet(plan: &Plan, space: &Arc<Space>) -> Snapshot {
    let mut snapshot = Snapshot::empty(space.clone()).unwrap();
    for at in 0..plan.specialists.len() {
        let mut values = vec![0.0; space.dimension];
        for (axis, question) in values.iter_mut().zip(&plan.questions) {
            *axis = question.near[at];
        }
        // What is left of its length lies where no question does; cosines below 1/3 leave some to eight.
        let rest = 1.0 - values.iter().map(|value| value * value).sum::<f32>();
        values[plan.questions.len() + at] = rest.sqrt();
        let point = Prototype { vector: UnitVector::scale(values).unwrap(), passage_count: 5 };
        let prototypes = Prototypes { space: (**space).clone(), points: vec![point], revision: "1".into() };
        let made_up = Registration::made_up(&name(at), prototypes).unwrap();
        let endpoint = Endpoint::parse("endpoint", &format!("http://{}:{PORT}", name(at))).unwrap();
        let mut card = wire::Card::decode(made_up.card.bytes()).unwrap();
        card.history_turns_max = u32::try_from(history_turns_max(at)).unwrap();
        let card = Arc::new(PublishedCard::publish(&card).unwrap());
        snapshot = snapshot.with(Arc::new(Registration { endpoint, card, ..made_up })).unwrap();
    }
    snapshot
}

fn axis(dimension: usize, at: usize) -> UnitVector {
    let mut values = vec![0.0; dimension];
    values[at] = 1.0;
    UnitVector::scale(values).unwrap()
}

fn now() -> Duration {
    turmoil::sim_elapsed().unwrap()
}

/// Who is behind a partition now, on the way there.
type Cuts = Arc<Mutex<BTreeSet<IpAddr>>>;

/// turmoil's names and connections.
#[derive(Debug)]
struct Simulated {
    record: Record,
    cuts: Cuts,
}

impl Network for Simulated {
    fn resolve(&self, host: String, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(vec![SocketAddr::new(turmoil::lookup(host), port)]) })
    }

    fn connect(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Box<dyn Wire>>> {
        let (record, cuts) = (self.record.clone(), self.cuts.clone());
        Box::pin(async move {
            record.dialled(&turmoil::reverse_lookup(address.ip()).unwrap_or_default());
            let connected = TcpStream::connect(address).await;
            // turmoil refuses a connection whose request is lost; in the world nothing is heard.
            if connected.is_err() && cuts.lock().unwrap().contains(&address.ip()) {
                return pending().await;
            }
            Ok(Box::new(connected?) as Box<dyn Wire>)
        })
    }
}

/// A connection as tonic's server takes it.
struct Accepted(TcpStream);

impl Connected for Accepted {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Accepted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Accepted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
