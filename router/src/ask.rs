//! A turn's way through the router: every stage is named here, in order.

mod query;
pub mod record;
mod turn;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use embedding::{Backend, EmbedError, Timing};
use futures_util::{Stream, StreamExt, future::join_all};
use proto::{
    AskOptions, Card, Conversation, Embedding, Evidence, Probe, Probing, Space, SpecialistId, Terms,
    card::HISTORY_TURNS_MAX,
};
use registry::{Slot, Snapshot, SnapshotError};

use crate::{
    app::App,
    merge::{LeftOut, Part},
    receipt::{Capability, Pending, ReceiptError},
    route::{self, Calibration, Candidate, Case, Decision, Foreign, History, Shown, Survey},
};
pub use query::{Query, query};
pub use turn::{Means, Turn};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The question is not within the contract.
    #[error(transparent)]
    Invalid(#[from] proto::Invalid),
    /// The asker names somebody who is not registered.
    #[error("no specialist {0} is registered")]
    UnknownSpecialist(SpecialistId),
    /// As many questions are under way as the router takes.
    #[error("the router is at its limit of questions under way: try again in a moment")]
    Overloaded,
    /// The encoder failed or is overloaded.
    #[error("the question could not be embedded")]
    Embed(#[from] EmbedError),
    /// The fleet could not be searched.
    #[error("the fleet could not be searched")]
    Snapshot(#[from] SnapshotError),
    /// There is no receipt of it, and without one there is no answer.
    #[error(transparent)]
    Unrecorded(#[from] ReceiptError),
    /// Everybody who was asked failed before the first word; these are all candidates.
    #[error("none of the specialists that were asked could answer: {}", failures(.0))]
    Unanswered(Vec<Candidate>),
}

/// Who was asked, and why each gave out.
fn failures(candidates: &[Candidate]) -> String {
    let failures = candidates.iter().filter_map(|candidate| {
        let failure = candidate.failure.as_ref()?;
        Some(format!("{} ({failure})", candidate.registration.id()))
    });
    failures.collect::<Vec<_>>().join(", ")
}

impl AskError {
    /// Its name in metrics.
    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::UnknownSpecialist(_) => "unknown_specialist",
            Self::Overloaded | Self::Embed(EmbedError::Overloaded) => "overloaded",
            Self::Embed(_) => "embed_failed",
            Self::Snapshot(_) => "search_failed",
            Self::Unrecorded(_) => "unrecorded",
            Self::Unanswered(_) => "unanswered",
        }
    }
}

/// A question, and what the asker wants of the routing.
#[derive(Debug, Clone)]
pub struct Question {
    /// The router's name for it, from [`request_id`].
    pub request_id: String,
    /// The turns; the last is the question.
    pub conversation: Conversation,
    /// The asker's wishes.
    pub options: AskOptions,
    /// How long the asker waits; the router's own limit holds besides.
    pub patience: Option<Duration>,
    /// Whether plain sources follow the answer.
    pub footer: bool,
    /// The router's name for the question before it in the conversation, if the asker gives it.
    pub previous: Option<String>,
}

/// A question that was routed.
#[derive(Debug)]
pub struct Routed {
    /// The router's name for it.
    pub request_id: String,
    /// Whom to ask, and why.
    pub decision: Decision,
    /// The numbers that it was decided by.
    pub calibration: Arc<Calibration>,
    /// The fleet that it saw.
    pub snapshot: Arc<Snapshot>,
    /// Where it lies.
    pub question: Embedding,
    /// Whether that is where the question lies with what the user said before it.
    pub history: History,
    /// What the user said before it, oldest first, where the question follows up on that; else nothing.
    pub earlier: Vec<String>,
    /// Where nobody covers the question: its language, if that is none that the encoder covers.
    pub foreign: Option<Foreign>,
    /// What those claimed who were probed, before it was held to earlier answers.
    pub claims: BTreeMap<SpecialistId, Evidence>,
    /// What computed the question's vector.
    pub backend: Backend,
    /// What the stages took.
    pub timings: Timings,
}

impl Routed {
    /// What `card` allows its specialist to see of what the user said before the question: the latest turns.
    pub fn shown(&self, card: &Card) -> &[String] {
        let from = self.earlier.len().saturating_sub(card.history_turns_max);
        self.earlier.get(from..).unwrap_or_default()
    }
}

/// What the stages of a route took.
#[derive(Debug, Clone)]
pub struct Timings {
    /// Text to tokens, waiting, and tokens to vector; of earlier turns too, where they were looked at.
    pub embedding: Timing,
    /// Vector to nearest prototypes.
    pub search: Duration,
    /// Waiting for those who were probed; nothing where nobody was.
    pub probe: Duration,
    /// Prototypes and evidence to decision.
    pub decide: Duration,
}

/// What goes out after the decision.
#[derive(Debug)]
pub enum Event {
    /// A source, words, or what is to be known of words.
    Part(Part),
    /// The end.
    Finish(Finish),
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// At least one specialist answered in full.
    Answered,
    /// Some words came, but no specialist came to its end.
    Incomplete,
    /// Nobody covers the question.
    Abstained,
    /// Everybody who was asked says that their corpus holds no answer.
    NoAnswer,
    /// Everybody who was asked gave out before the first word; only in receipts.
    Failed,
    /// The asker left; only in receipts.
    Abandoned,
}

impl Reason {
    /// Its name in metrics.
    fn code(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Incomplete => "incomplete",
            Self::Abstained => "abstained",
            Self::NoAnswer => "no_answer",
            Self::Failed => "unanswered",
            Self::Abandoned => "abandoned",
        }
    }
}

/// The end of an answer.
#[derive(Debug)]
pub struct Finish {
    /// Everybody, with what became of them.
    pub candidates: Vec<Candidate>,
    /// How it ended.
    pub reason: Reason,
    /// Candidates whose words or sources stand in the answer, in order of appearance.
    pub spoke: Vec<usize>,
    /// What others said that does not stand there.
    pub left_out: Vec<LeftOut>,
    /// From the question's arrival to the first words of a specialist, where there are any.
    pub first_words: Option<Duration>,
}

/// A new name for a question; it says nothing of the asker.
pub fn request_id() -> String {
    format!("req_{}", uuid::Uuid::new_v4().simple())
}

/// Decides whom a question is for, and asks nobody.
pub async fn preview(app: &App, question: &Question) -> Result<Routed, AskError> {
    let _permit = app.room().ok_or(AskError::Overloaded)?;
    route(app, question).await
}

async fn route(app: &App, question: &Question) -> Result<Routed, AskError> {
    let snapshot = app.fleet.snapshot();
    let options = &question.options;
    if let Some(unknown) = options.only.iter().find(|id| snapshot.get(id).is_none()) {
        return Err(AskError::UnknownSpecialist(unknown.clone()));
    }
    let ejected = app.ejected(&snapshot);
    let case = app.rules.case(options, &snapshot, &ejected);
    let Query { embedded, history } = query(&app.embedder, &case, &question.conversation).await?;
    let terms = Terms::of(question.conversation.question());
    let began = Instant::now();
    let hits = case.nearest(&embedded.embedding)?;
    let searched = Instant::now();
    let survey = case.survey(&embedded.embedding, terms.hashes().len(), &hits, &app.rules.background);
    let surveyed = Instant::now();
    // What was said before a question is not shown to those who are not asked, not even as a vector.
    let claims = if history.used() {
        BTreeMap::new()
    } else {
        probe(app, &case, &survey, &embedded.embedding, &terms).await
    };
    let believed = |(slot, claim): (&Slot, &Option<Evidence>)| {
        let believe = |evidence| Some(app.trust.believed(snapshot.owner(*slot)?.id(), evidence));
        (*slot, claim.and_then(believe))
    };
    let shown: Shown = claims.iter().map(believed).collect();
    let probed = Instant::now();
    let decision = case.decide(&survey, &shown);
    let timings = Timings {
        embedding: embedded.timing,
        search: searched - began,
        probe: probed - surveyed,
        decide: (surveyed - searched) + probed.elapsed(),
    };
    let foreign = if decision.is_uncovered() {
        route::foreign(question.conversation.question(), &app.rules.policy.languages)
    } else {
        None
    };
    app.metrics.routed(&decision);
    let claims = claims.into_iter().filter_map(|(slot, claim)| {
        let owner = snapshot.owner(slot)?;
        Some((owner.id().clone(), claim?))
    });
    Ok(Routed {
        claims: claims.collect(),
        request_id: question.request_id.clone(),
        decision,
        calibration: app.rules.calibration.clone(),
        snapshot,
        question: embedded.embedding,
        earlier: earlier(&question.conversation, &history),
        history,
        foreign,
        backend: embedded.backend,
        timings,
    })
}

/// The turns that a question follows up on, as many as anybody may see.
pub fn earlier(conversation: &Conversation, history: &History) -> Vec<String> {
    if !history.used() {
        return Vec::new();
    }
    let mut latest: Vec<String> =
        conversation.earlier().rev().take(HISTORY_TURNS_MAX).map(str::to_owned).collect();
    latest.reverse();
    latest
}

/// Probes those whom the prototypes leave in doubt, all at once; whoever does not answer is judged by its
/// prototypes.
async fn probe(app: &App, case: &Case<'_>, survey: &Survey, question: &Embedding, terms: &Terms) -> Shown {
    let limit = Duration::from_millis(app.rules.policy.probe_ms);
    let probes = case.probes(survey).into_iter().filter_map(|slot| {
        let registration = case.snapshot.owner(slot)?;
        let probe = Probe {
            space: Space::clone(&question.space),
            vector: question.vector.clone(),
            terms: if registration.card.card().probing == Probing::Terms {
                terms.clone()
            } else {
                Terms::default()
            },
        };
        Some(async move {
            let shown = app.dispatch.probe(&registration.endpoint, probe.into(), limit).await;
            let shown = shown.inspect_err(|loss| {
                tracing::debug!(specialist = %registration.id(), %loss, "probed in vain");
            });
            (slot, shown.ok())
        })
    });
    join_all(probes).await.into_iter().collect()
}

/// A question whose answer has begun.
pub struct Answering<Events> {
    /// Whom it is for, and why.
    pub routed: Arc<Routed>,
    /// What opens its receipt.
    pub capability: Capability,
    /// The answer. The last event comes when the receipt is written down.
    pub events: Events,
}

/// Answers a question: the decision at once, the answer as a stream.
pub async fn ask(
    app: Arc<App>,
    question: Question,
) -> Result<Answering<impl Stream<Item = Result<Event, AskError>> + Send>, AskError> {
    let arrived = tokio::time::Instant::now();
    let begun = async {
        let permit = app.room().ok_or(AskError::Overloaded)?;
        let begun = app.receipts.begin(&question).await?;
        Ok((permit, begun, Arc::new(route(&app, &question).await?)))
    };
    let (permit, begun, routed) =
        begun.await.inspect_err(|error: &AskError| app.metrics.request(error.code()))?;
    let patience = question.patience.unwrap_or(Duration::MAX).min(app.answer_max);
    let means = Means {
        dispatch: app.dispatch.clone(),
        embedder: app.embedder.clone(),
        metrics: app.metrics.clone(),
        trust: app.trust.clone(),
    };
    let (capability, record) = (begun.capability.clone(), begun.record.clone());
    let turn = Turn::new(means, &question, routed.clone(), arrived, patience, record);
    let pending = Pending::new(app.receipts.clone(), question, routed.clone(), begun);
    let events = recorded(turn.answer(), pending).inspect(move |_| {
        // Moved in here, so that the question counts as long as its answer lives.
        let _permit = &permit;
    });
    Ok(Answering { routed, capability, events })
}

/// The same answer, whose end waits until its receipt is written down.
fn recorded(
    answer: impl Stream<Item = Result<Event, AskError>> + Send,
    mut pending: Pending,
) -> impl Stream<Item = Result<Event, AskError>> + Send {
    async_stream::stream! {
        let mut answer = std::pin::pin!(answer);
        while let Some(event) = answer.next().await {
            let reason = match &event {
                Ok(Event::Part(_)) => None,
                Ok(Event::Finish(finish)) => Some(finish.reason),
                Err(_) => Some(Reason::Failed),
            };
            let closed = match reason {
                Some(reason) => pending.close(reason).await,
                None => Ok(()),
            };
            yield closed.map_err(AskError::from).and(event);
        }
    }
}
