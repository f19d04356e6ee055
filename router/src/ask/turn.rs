//! From a decision to an answer: asks, merges, and falls back on the reserves.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use embedding::Embedder;
use futures_util::{Stream, StreamExt, future::try_join, stream::SelectAll};
use proto::{AnswerEvent, Outcome, Passage, Terms};
use tokio::time::{Instant, timeout_at};

use super::{
    AskError, Event, Finish, Question, Reason, Routed,
    record::{Record, Vouching},
};
use crate::{
    cited,
    dispatch::{Asked, Dispatch, Heard, Loss},
    merge::{self, Ending, Input, Measure, Merge, Origin, OwnWords, Part, Said, Source, Span, Speaker},
    metrics::Metrics,
    route::{Candidate, Status, Verdict},
    trust::{self, Claim, Trust},
};

/// What a turn needs of the house.
#[derive(Clone)]
pub struct Means {
    /// Asks specialists.
    pub dispatch: Arc<Dispatch>,
    /// Measures what several of them say and cite.
    pub embedder: Embedder,
    /// Counts.
    pub metrics: Arc<Metrics>,
    /// Holds what was claimed to what is cited.
    pub trust: Arc<Trust>,
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
    spoke: Vec<usize>,
    /// What was done, and what became of everybody so far.
    record: Record,
    /// Whether plain sources follow the answer.
    footer: bool,
    /// The sources so far, where they do.
    sources: Vec<Source>,
    /// The first passages of those who were probed, by their places among the candidates.
    cited: BTreeMap<usize, Vec<Passage>>,
    arrived: Instant,
    deadline: Instant,
    first_words: Option<Duration>,
}

impl Turn {
    /// A turn over `question`, which arrived when `arrived` says and has `patience` from then. What it does is
    /// taken down in `record`.
    pub fn new(
        means: Means,
        question: &Question,
        routed: Arc<Routed>,
        arrived: Instant,
        patience: Duration,
        record: Record,
    ) -> Self {
        record.deeds().candidates.clone_from(&routed.decision.candidates);
        Self {
            means,
            question: question.conversation.question().to_owned(),
            record,
            footer: question.footer,
            sources: Vec::new(),
            routed,
            merge: Merge::new(),
            places: Vec::new(),
            spoke: Vec::new(),
            cited: BTreeMap::new(),
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
            if self.routed.decision.general {
                yield Ok(Event::Part(self.own_words(merge::general())));
            }
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
                let another = self.merge.wants_another() && Instant::now() < self.deadline;
                let Some(reserve) = reserves.next().filter(|_| another) else { break };
                answers.push(Box::pin(self.dispatch(reserve)));
            }
            let measures = self.measure().await;
            for part in self.merge.append(&measures) {
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
                    let error = AskError::Unanswered(self.record.deeds().candidates.clone());
                    self.means.metrics.request(error.code());
                    yield Err(error);
                    return;
                }
            };
            if self.footer && !self.sources.is_empty() {
                let words = merge::footer(&self.sources);
                yield Ok(Event::Part(self.own_words(words)));
            }
            yield Ok(Event::Finish(self.finish(reason)));
        }
    }

    /// Asks a candidate; what it says comes with its place in the merge.
    fn dispatch(&mut self, at: usize) -> impl Stream<Item = (usize, Heard)> + Send + use<> {
        let candidate = &self.routed.decision.candidates[at];
        let place = self.merge.join(speaker(candidate));
        self.places.push(at);
        self.record.deeds().candidates[at].status = Status::Asked;
        let heard = self.means.dispatch.ask(Asked {
            endpoint: &candidate.registration.endpoint,
            card: &candidate.registration.card,
            salt: self.record.salt().of_call(candidate.registration.id().as_str()),
            request_id: &self.routed.request_id,
            question: &self.question,
            earlier: self.routed.shown(candidate.registration.card.card()),
            deadline: self.deadline,
            insist: candidate.ejected,
        });
        heard.map(move |heard| (place, heard))
    }

    /// Takes in what a specialist sent; what goes out now.
    fn hear(&mut self, place: usize, heard: Heard) -> Vec<Part> {
        if let Heard::Event(AnswerEvent::Passage(passage)) = &heard {
            self.cite(self.places[place], passage);
        }
        let at = self.places[place];
        let registration = &self.routed.decision.candidates[at].registration;
        let id = registration.id();
        let ended = match &heard {
            Heard::Event(AnswerEvent::Done(Outcome::Answered)) => Some(Status::Answered),
            Heard::Event(AnswerEvent::Done(Outcome::NoAnswer)) => Some(Status::NoAnswer),
            Heard::Event(_) | Heard::Called(_) => None,
            Heard::Lost(Loss::Timeout(_) | Loss::Slow { .. } | Loss::Deadline) => Some(Status::Timeout),
            Heard::Lost(Loss::Ejected) => Some(Status::CircuitOpen),
            Heard::Lost(_) => Some(Status::Failed),
        };
        let mut deeds = self.record.deeds();
        if let Some(status) = ended {
            deeds.candidates[at].status = status;
            self.means.metrics.specialist_ended(id, status, self.arrived.elapsed());
        }
        let input = match heard {
            Heard::Event(event) => {
                if matches!(event, AnswerEvent::Done(_)) {
                    let has_key = registration.card.card().public_key.is_some();
                    deeds.vouched(at, if has_key { Vouching::Signed } else { Vouching::Unsigned });
                }
                Input::Event(event)
            }
            Heard::Called(minutes) => {
                deeds.called(at, minutes);
                return Vec::new();
            }
            Heard::Lost(loss) => {
                if matches!(loss, Loss::Unvouched(_)) {
                    deeds.vouched(at, Vouching::Refused);
                }
                tracing::warn!(request = self.routed.request_id, specialist = %id, %loss, "gave out");
                deeds.candidates[at].failure = Some(loss.to_string());
                Input::Failed
            }
        };
        drop(deeds);
        let parts = self.merge.on(place, input);
        for part in &parts {
            self.note(part);
        }
        parts
    }

    /// Keeps a passage of somebody who was probed, to hold its claims to it.
    fn cite(&mut self, candidate: usize, passage: &Passage) {
        let id = self.routed.decision.candidates[candidate].registration.id();
        if self.routed.claims.contains_key(id) {
            let cited = self.cited.entry(candidate).or_default();
            if cited.len() < trust::PASSAGES_MAX {
                cited.push(passage.clone());
            }
        }
    }

    /// Has the claims of those who cited anything checked.
    fn check_claims(&mut self) {
        for (candidate, passages) in std::mem::take(&mut self.cited) {
            let registration = &self.routed.decision.candidates[candidate].registration;
            let (specialist, title_share) = (registration.id().clone(), registration.card.card().title_share);
            if let Some(evidence) = self.routed.claims.get(&specialist).copied() {
                let (question, terms) = (self.routed.question.vector.clone(), Terms::of(&self.question));
                self.means.trust.claim(Claim {
                    specialist,
                    question,
                    terms,
                    evidence,
                    passages,
                    title_share,
                });
            }
        }
    }

    /// Notes whose words or sources go out, and when the first words do.
    fn note(&mut self, part: &Part) {
        self.record.deeds().out(part);
        if let Part::Source(source) = part
            && self.footer
        {
            self.sources.push(source.clone());
        }
        let specialist = match part {
            Part::Source(source) => &source.specialist,
            Part::Agreement(agreement) => &agreement.specialist,
            Part::Span(Span { origin: Origin::Said { specialist, .. }, .. }) => specialist,
            Part::Span(_) | Part::Disagreement(_) => return,
        };
        let mut places = self.places.iter().copied();
        let spoke = |at: &usize| self.routed.decision.candidates[*at].registration.id() == specialist;
        let Some(candidate) = places.find(spoke) else { return };
        if self.first_words.is_none() && matches!(part, Part::Span(_)) {
            let took = self.arrived.elapsed();
            self.means.metrics.first_words(took);
            self.first_words = Some(took);
        }
        if !self.spoke.contains(&candidate) {
            self.spoke.push(candidate);
        }
    }

    /// What the router itself measures of what everybody said, where somebody's words still wait. Without the
    /// encoder in time nothing is known, and the decision's own order stands.
    async fn measure(&self) -> HashMap<usize, Measure> {
        let said = self.merge.to_measure();
        let share = |place: usize| {
            self.routed.decision.candidates[self.places[place]].registration.card.card().title_share
        };
        let cited: Vec<(&Passage, f32)> = said
            .iter()
            .flat_map(|one| one.cited.iter().map(|&passage| (passage, share(one.place))))
            .collect();
        let sentences = said.iter().flat_map(|one| &one.sentences);
        let sentences: Vec<String> = sentences.map(|sentence| (*sentence).to_owned()).collect();
        let (question, terms) = (&self.routed.question.vector, Terms::of(&self.question));
        let measured = try_join(
            cited::supports(&self.means.embedder, question, &terms, &cited),
            self.means.embedder.embed_all(&sentences, |_| {}),
        );
        let Ok(Ok((supports, vectors))) = timeout_at(self.deadline, measured).await else {
            return HashMap::new();
        };
        let (mut supports, mut vectors) = (supports.into_iter(), vectors.into_iter());
        let measure = |one: &Said| {
            let supports = supports.by_ref().take(one.cited.len());
            let sentences = vectors.by_ref().take(one.sentences.len()).collect();
            // Whoever cites nothing has nothing that could support an answer.
            let support = supports.reduce(f32::max).unwrap_or(0.0);
            (one.place, Measure { support, sentences })
        };
        said.iter().map(measure).collect()
    }

    fn abstention(&mut self) -> Part {
        let candidates = &self.routed.decision.candidates;
        let considered: Vec<Speaker> = candidates.iter().map(speaker).collect();
        let asks = candidates.iter().filter(|candidate| candidate.status == Status::ConsentMissing);
        let asks: Vec<Speaker> = asks.map(speaker).collect();
        let out = |candidate: &Candidate| matches!(candidate.status, Status::Excluded | Status::Disabled);
        let words = if !asks.is_empty() {
            merge::consent_missing(&asks)
        } else if !considered.is_empty() && candidates.iter().all(out) {
            merge::left_out(&considered)
        } else {
            merge::abstention(&considered, self.routed.foreign.as_ref())
        };
        self.own_words(words)
    }

    fn no_answer(&mut self) -> Part {
        // Whoever failed has not said so.
        let deeds = self.record.deeds();
        let asked = self.places.iter().map(|&at| &deeds.candidates[at]);
        let said = asked.filter(|candidate| candidate.status == Status::NoAnswer);
        let said: Vec<Speaker> = said.map(speaker).collect();
        drop(deeds);
        self.own_words(merge::no_answer(&said))
    }

    /// Words of the router's own, outside of anybody's answer.
    fn own_words(&mut self, words: OwnWords) -> Part {
        let part = self.merge.own_words(words);
        self.note(&part);
        part
    }

    fn finish(&mut self, reason: Reason) -> Finish {
        self.check_claims();
        self.means.metrics.request(reason.code());
        Finish {
            candidates: self.record.deeds().candidates.clone(),
            reason,
            spoke: self.spoke.clone(),
            left_out: self.merge.left_out().to_vec(),
            first_words: self.first_words,
        }
    }
}

fn speaker(candidate: &Candidate) -> Speaker {
    let card = candidate.registration.card.card();
    Speaker { id: card.id.clone(), title: card.title.clone(), institution: card.institution.clone() }
}
