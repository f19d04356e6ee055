//! A turn's way through the router: every stage is named here, in order.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use embedding::{EmbedError, Timing};
use futures_util::{Stream, StreamExt, stream::SelectAll};
use proto::{AskOptions, Conversation, Embedding, SpecialistId, wire};
use registry::{Snapshot, SnapshotError};
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    app::App,
    dispatch::{Heard, Loss},
    merge::{self, Ending, Input, Merge, Part, Speaker},
    route::{self, Candidate, Decision, Status, Verdict},
};

/// How many passages a specialist is asked for.
const PASSAGES_MAX: u32 = 8;

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
    /// Everybody who was asked failed before the first word.
    #[error("none of the specialists that were asked could answer: {}", .0.join(", "))]
    Unanswered(Vec<String>),
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
}

/// A question that was routed.
#[derive(Debug)]
pub struct Routed {
    /// The router's name for it.
    pub request_id: String,
    /// Whom to ask, and why.
    pub decision: Decision,
    /// Confidence below this was "nobody covers it".
    pub confidence_min: f32,
    /// The fleet that it saw.
    pub snapshot: Arc<Snapshot>,
    /// Where it lies.
    pub question: Embedding,
    /// What the stages took.
    pub timings: Timings,
}

/// What the stages of a route took.
#[derive(Debug, Clone)]
pub struct Timings {
    /// Text to tokens, waiting, and tokens to vector.
    pub embedding: Timing,
    /// Vector to nearest prototypes.
    pub search: Duration,
    /// Prototypes to decision.
    pub decide: Duration,
}

/// What goes out after the decision.
#[derive(Debug)]
pub enum Event {
    /// A source, or words.
    Part(Part),
    /// The end.
    Finish(Finish),
}

/// The end of an answer.
#[derive(Debug)]
pub struct Finish {
    /// Everybody, with what became of them.
    pub candidates: Vec<Candidate>,
    /// How it ended.
    pub reason: wire::FinishReason,
    /// Candidates whose words stand in the answer, in order of appearance.
    pub spoke: Vec<usize>,
    /// From the question's arrival to the first words of a specialist, where there are any.
    pub first_words: Option<Duration>,
}

/// A new name for a question; it says nothing of the asker.
pub fn request_id() -> String {
    format!("req_{}", uuid::Uuid::now_v7().simple())
}

/// Decides whom a question is for, and asks nobody.
pub async fn route(app: &App, question: &Question) -> Result<Routed, AskError> {
    let snapshot = app.fleet.snapshot();
    let options = &question.options;
    if let Some(unknown) = options.only.iter().find(|id| snapshot.get(id).is_none()) {
        return Err(AskError::UnknownSpecialist(unknown.clone()));
    }
    let embedded = app.embedder.embed(question.conversation.question()).await?;
    let began = Instant::now();
    let hits = route::nearest(&snapshot, &embedded.embedding, options, app.policy.hits_max)?;
    let searched = Instant::now();
    let scores = route::score(&hits, app.policy.temperature);
    let background = app.background.score(&embedded.embedding.vector, app.policy.temperature);
    let decision = route::decide(&app.policy, options, &snapshot, &scores, background);
    let timings =
        Timings { embedding: embedded.timing, search: searched - began, decide: searched.elapsed() };
    app.metrics.routed(&decision);
    Ok(Routed {
        request_id: question.request_id.clone(),
        decision,
        confidence_min: app.policy.confidence_min,
        snapshot,
        question: embedded.embedding,
        timings,
    })
}

/// Answers a question: the decision at once, the answer as a stream.
pub async fn ask(
    app: Arc<App>,
    question: Question,
) -> Result<(Arc<Routed>, impl Stream<Item = Result<Event, AskError>> + Send), AskError> {
    let arrived = Instant::now();
    let begun = async {
        let permit = app.admit()?;
        Ok((permit, Arc::new(route(&app, &question).await?)))
    };
    let (permit, routed) = begun.await.inspect_err(|error: &AskError| app.metrics.request(error.code()))?;
    let turn = Turn::new(app, question, routed.clone(), arrived, permit);
    Ok((routed, turn.answer()))
}

/// One question on its way to an answer.
struct Turn {
    app: Arc<App>,
    question: Question,
    routed: Arc<Routed>,
    merge: Merge,
    /// The candidate behind each place in the merge.
    places: Vec<usize>,
    statuses: Vec<Status>,
    spoke: Vec<usize>,
    arrived: Instant,
    first_words: Option<Duration>,
    /// Held until the last word is out.
    _permit: OwnedSemaphorePermit,
}

impl Turn {
    fn new(
        app: Arc<App>,
        question: Question,
        routed: Arc<Routed>,
        arrived: Instant,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let statuses = routed.decision.candidates.iter().map(|candidate| candidate.status).collect();
        Self {
            app,
            question,
            routed,
            merge: Merge::new(),
            places: Vec::new(),
            statuses,
            spoke: Vec::new(),
            arrived,
            first_words: None,
            _permit: permit,
        }
    }

    fn answer(mut self) -> impl Stream<Item = Result<Event, AskError>> + Send {
        async_stream::stream! {
            let (asked, reserves) = match self.routed.decision.verdict.clone() {
                Verdict::Ask { asked, reserves } => (asked, reserves),
                Verdict::Abstain => {
                    let words = self.abstention();
                    yield Ok(Event::Part(words));
                    yield Ok(Event::Finish(self.finish(wire::FinishReason::Abstained)));
                    return;
                }
            };
            let mut answers = SelectAll::new();
            for candidate in asked {
                answers.push(Box::pin(self.dispatch(candidate)));
            }
            let mut reserves = reserves.into_iter();
            loop {
                while let Some((place, heard)) = answers.next().await {
                    for part in self.hear(place, heard) {
                        yield Ok(Event::Part(part));
                    }
                }
                // A failing specialist costs time, not the answer, as long as another can serve.
                let Some(reserve) = reserves.next().filter(|_| self.merge.wants_another()) else { break };
                answers.push(Box::pin(self.dispatch(reserve)));
            }
            let ranked = self.rank().await;
            for part in self.merge.append(&ranked) {
                self.note(&part);
                yield Ok(Event::Part(part));
            }
            let reason = match self.merge.ending() {
                Ending::Answered => wire::FinishReason::Answered,
                Ending::Incomplete => wire::FinishReason::Incomplete,
                Ending::NoAnswer => {
                    let words = self.no_answer();
                    yield Ok(Event::Part(words));
                    wire::FinishReason::NoAnswer
                }
                Ending::Failed => {
                    let asked = self.places.iter().map(|&at| self.candidate(at).registration.id().to_string());
                    let error = AskError::Unanswered(asked.collect());
                    self.app.metrics.request(error.code());
                    yield Err(error);
                    return;
                }
            };
            yield Ok(Event::Finish(self.finish(reason)));
        }
    }

    /// Asks a candidate; what it says comes with its place in the merge.
    fn dispatch(&mut self, candidate: usize) -> impl Stream<Item = (usize, Heard)> + Send + use<> {
        let registration = self.candidate(candidate).registration.clone();
        let place = self.merge.join(speaker(&self.routed.decision.candidates[candidate]));
        self.places.push(candidate);
        self.statuses[candidate] = Status::Asked;
        let request = wire::AnswerRequest {
            request_id: self.routed.request_id.clone(),
            // The question and nothing before it: what others said earlier is not this institution's
            // to see.
            turns: vec![wire::Turn {
                role: wire::Role::User.into(),
                text: self.question.conversation.question().to_owned(),
            }],
            passages_max: PASSAGES_MAX,
        };
        let patience = self.question.patience.unwrap_or(Duration::MAX).min(self.app.answer_max);
        let deadline = tokio::time::Instant::from_std(self.arrived) + patience;
        let heard = self.app.dispatch.ask(&registration.endpoint, request, deadline);
        heard.map(move |heard| (place, heard))
    }

    /// Takes in what a specialist sent; what goes out now.
    fn hear(&mut self, place: usize, heard: Heard) -> Vec<Part> {
        let candidate = self.places[place];
        let ended = match &heard {
            Heard::Event(proto::AnswerEvent::Done(proto::Outcome::Answered)) => Some(Status::Answered),
            Heard::Event(proto::AnswerEvent::Done(proto::Outcome::NoAnswer)) => Some(Status::NoAnswer),
            Heard::Event(_) => None,
            Heard::Lost(Loss::Timeout(_) | Loss::Deadline) => Some(Status::Timeout),
            Heard::Lost(_) => Some(Status::Failed),
        };
        if let Some(status) = ended {
            self.statuses[candidate] = status;
            let id = self.candidate(candidate).registration.id();
            self.app.metrics.specialist_ended(id, status, self.arrived.elapsed());
        }
        let input = match heard {
            Heard::Event(event) => Input::Event(event),
            Heard::Lost(loss) => {
                let id = self.candidate(candidate).registration.id();
                tracing::warn!(request = self.routed.request_id, specialist = %id, %loss, "gave out");
                Input::Failed
            }
        };
        let parts = self.merge.on(place, input);
        for part in &parts {
            self.note(part);
        }
        parts
    }

    /// Notes who speaks, and when the first word went out.
    fn note(&mut self, part: &Part) {
        let Part::Span(merge::Span { specialist: Some(specialist), .. }) = part else { return };
        let mut places = self.places.iter().copied();
        let Some(candidate) = places.find(|&at| self.candidate(at).registration.id() == specialist) else {
            return;
        };
        if self.first_words.is_none() {
            let took = self.arrived.elapsed();
            self.app.metrics.first_words(took);
            self.first_words = Some(took);
        }
        if !self.spoke.contains(&candidate) {
            self.spoke.push(candidate);
        }
    }

    /// The places of those whose words wait, by the cosine of the question and what they cite as the
    /// router itself measures it; who cites nothing comes last.
    async fn rank(&self) -> Vec<usize> {
        let waiting = self.merge.waiting();
        let mut order: Vec<usize> = waiting.iter().map(|(place, _)| *place).collect();
        if order.len() < 2 {
            return order;
        }
        let texts = waiting.iter().map(|(_, passage)| {
            passage.map_or_else(String::new, |passage| format!("{}: {}", passage.title, passage.text))
        });
        let texts: Vec<String> = texts.collect();
        let Ok(vectors) = self.app.embedder.embed_all(&texts, |_| {}).await else {
            // Without the encoder the decision's own order stands.
            return order;
        };
        let cosine = |at: usize| match waiting[at].1 {
            Some(_) => vectors[at].cosine(&self.routed.question.vector),
            None => f32::NEG_INFINITY,
        };
        let mut ranked: Vec<usize> = (0..order.len()).collect();
        ranked.sort_by(|&a, &b| cosine(b).total_cmp(&cosine(a)));
        order = ranked.into_iter().map(|at| order[at]).collect();
        order
    }

    fn abstention(&mut self) -> Part {
        let considered: Vec<Speaker> = self.routed.decision.candidates.iter().map(speaker).collect();
        self.merge.own_words(merge::abstention(&considered))
    }

    fn no_answer(&mut self) -> Part {
        let asked: Vec<Speaker> = self.places.iter().map(|&at| speaker(self.candidate(at))).collect();
        self.merge.own_words(merge::no_answer(&asked))
    }

    fn finish(&self, reason: wire::FinishReason) -> Finish {
        let candidates = self.routed.decision.candidates.iter().zip(&self.statuses);
        let candidates =
            candidates.map(|(candidate, status)| Candidate { status: *status, ..candidate.clone() });
        self.app.metrics.finished(reason);
        Finish {
            candidates: candidates.collect(),
            reason,
            spoke: self.spoke.clone(),
            first_words: self.first_words,
        }
    }

    fn candidate(&self, at: usize) -> &Candidate {
        &self.routed.decision.candidates[at]
    }
}

fn speaker(candidate: &Candidate) -> Speaker {
    let card = candidate.registration.card.card();
    Speaker { id: card.id.clone(), title: card.title.clone(), institution: card.institution.clone() }
}
