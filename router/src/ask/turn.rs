//! From a decision to an answer: asks, merges, and falls back on the reserves.

use std::{sync::Arc, time::Duration};

use embedding::Embedder;
use futures_util::{Stream, StreamExt, stream::SelectAll};
use tokio::time::Instant;

use super::{AskError, Event, Finish, Reason, Routed};
use crate::{
    dispatch::{Dispatch, Heard, Loss},
    merge::{self, Ending, Input, Merge, Part, Speaker},
    metrics::Metrics,
    route::{Candidate, Status, Verdict},
};

/// What a turn needs of the house.
#[derive(Clone)]
pub struct Means {
    /// Asks specialists.
    pub dispatch: Arc<Dispatch>,
    /// Ranks what several of them cite.
    pub embedder: Embedder,
    /// Counts.
    pub metrics: Arc<Metrics>,
}

/// One question on its way to an answer.
pub struct Turn {
    means: Means,
    /// What a specialist is shown.
    question: String,
    routed: Arc<Routed>,
    merge: Merge,
    /// The candidate behind each place in the merge.
    places: Vec<usize>,
    statuses: Vec<Status>,
    spoke: Vec<usize>,
    arrived: Instant,
    deadline: Instant,
    first_words: Option<Duration>,
}

impl Turn {
    /// A turn over `question`, which arrived when `arrived` says and has `patience` from then.
    pub fn new(
        means: Means,
        question: String,
        routed: Arc<Routed>,
        arrived: Instant,
        patience: Duration,
    ) -> Self {
        let statuses = routed.decision.candidates.iter().map(|candidate| candidate.status).collect();
        Self {
            means,
            question,
            routed,
            merge: Merge::new(),
            places: Vec::new(),
            statuses,
            spoke: Vec::new(),
            arrived,
            deadline: arrived + patience,
            first_words: None,
        }
    }

    /// Carries the decision out.
    pub fn answer(mut self) -> impl Stream<Item = Result<Event, AskError>> + Send {
        async_stream::stream! {
            let (asked, reserves) = match self.routed.decision.verdict.clone() {
                Verdict::Ask { asked, reserves } => (asked, reserves),
                Verdict::Abstain => {
                    let words = self.abstention();
                    yield Ok(Event::Part(words));
                    yield Ok(Event::Finish(self.finish(Reason::Abstained)));
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
                Ending::Answered => Reason::Answered,
                Ending::Incomplete => Reason::Incomplete,
                Ending::NoAnswer => {
                    let words = self.no_answer();
                    yield Ok(Event::Part(words));
                    Reason::NoAnswer
                }
                Ending::Failed => {
                    let asked = self.places.iter().map(|&at| self.candidate(at).registration.id().to_string());
                    let error = AskError::Unanswered(asked.collect());
                    self.means.metrics.request(error.code());
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
        let (dispatch, request_id) = (&self.means.dispatch, &self.routed.request_id);
        let heard = dispatch.ask(&registration.endpoint, request_id, &self.question, self.deadline);
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
            self.means.metrics.specialist_ended(id, status, self.arrived.elapsed());
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
            self.means.metrics.first_words(took);
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
        let Ok(vectors) = self.means.embedder.embed_all(&texts, |_| {}).await else {
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
        let candidates = &self.routed.decision.candidates;
        let considered: Vec<Speaker> = candidates.iter().map(speaker).collect();
        let out = |candidate: &Candidate| matches!(candidate.status, Status::Excluded | Status::Disabled);
        let words = match considered.as_slice() {
            [_, ..] if candidates.iter().all(out) => merge::left_out(&considered),
            considered => merge::abstention(considered),
        };
        self.merge.own_words(words)
    }

    fn no_answer(&mut self) -> Part {
        let asked: Vec<Speaker> = self.places.iter().map(|&at| speaker(self.candidate(at))).collect();
        self.merge.own_words(merge::no_answer(&asked))
    }

    fn finish(&self, reason: Reason) -> Finish {
        let candidates = self.routed.decision.candidates.iter().zip(&self.statuses);
        let candidates =
            candidates.map(|(candidate, status)| Candidate { status: *status, ..candidate.clone() });
        self.means.metrics.finished(reason);
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
