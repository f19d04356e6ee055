//! What happened in one run, as the specialists and the reader saw it.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use proto::{
    SpecialistId,
    wire::{AnswerRequest, Role, Turn},
};
use router::{
    ask::{AskError, Event, Finish, Routed},
    merge::{Part, Span},
    route::Candidate,
};

/// Everything that the specialists and the network saw, in order. It outlives their crashes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record(Arc<Mutex<Vec<Seen>>>);

/// Something that reached a specialist's side.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Virtual time since the start.
    pub(crate) at: Duration,
    /// Which specialist.
    pub(crate) who: String,
    pub(crate) what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// The router dialled it.
    Dialled,
    /// A call with this question arrived.
    Called(usize),
    /// A call arrived that shows it something else than this question with the turns that it may see.
    CalledOddly(usize),
}

impl Record {
    /// A call of `who` arrived, which is to show it `turns`; how many came before it for the same question.
    pub(crate) fn arrived(&self, who: &str, request: &AnswerRequest, turns: &[Turn]) -> usize {
        let question: usize = request.request_id.parse().unwrap();
        // A panic in here would be the specialist's failure, not the test's.
        let what = if request.turns == turns { What::Called(question) } else { What::CalledOddly(question) };
        let earlier = self.lock().iter().filter(|seen| seen.who == who && seen.what == what).count();
        self.push(who, what);
        earlier
    }

    pub(crate) fn dialled(&self, who: &str) {
        self.push(who, What::Dialled);
    }

    pub(crate) fn all(&self) -> Vec<Seen> {
        self.lock().clone()
    }

    fn push(&self, who: &str, what: What) {
        let at = turmoil::sim_elapsed().unwrap();
        self.lock().push(Seen { at, who: who.to_owned(), what });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.0.lock().unwrap()
    }
}

/// What the user says: the last `earlier` turns before a question, oldest first, and the question.
pub(crate) fn turns(question: usize, earlier: usize) -> Vec<Turn> {
    let before = (1..=earlier).rev().map(|ago| format!("Said {ago} turns before {question}."));
    let said = before.chain([text(question)]);
    said.map(|text| Turn { role: Role::User.into(), text }).collect()
}

/// What is asked.
pub(crate) fn text(question: usize) -> String {
    format!("What of {question}?")
}

/// One answer, as its reader saw it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) routed: Arc<Routed>,
    /// When the question came: virtual time since the start.
    pub(crate) began: Duration,
    pub(crate) heard: Vec<Heard>,
    pub(crate) end: End,
    /// When the last of it came.
    pub(crate) ended: Duration,
}

/// What came out of the router.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) at: Duration,
    pub(crate) event: Event,
    /// Answers of specialists that were under way at that moment, of all questions.
    pub(crate) in_flight: usize,
}

impl Heard {
    pub(crate) fn span(&self) -> Option<&Span> {
        match &self.event {
            Event::Part(Part::Span(span)) => Some(span),
            Event::Part(Part::Source(_) | Part::Agreement(_) | Part::Disagreement(_)) | Event::Finish(_) => {
                None
            }
        }
    }

    /// The specialist whose words or source it is, or who agrees.
    pub(crate) fn owner(&self) -> Option<&SpecialistId> {
        match &self.event {
            Event::Part(Part::Source(source)) => Some(&source.specialist),
            Event::Part(Part::Span(span)) => span.specialist(),
            Event::Part(Part::Agreement(agreement)) => Some(&agreement.specialist),
            Event::Part(Part::Disagreement(_)) | Event::Finish(_) => None,
        }
    }
}

/// How an answer ended for its reader.
#[derive(Debug)]
pub(crate) enum End {
    /// The stream did.
    Finished,
    /// With an error.
    Failed(AskError),
    /// The reader went away.
    Left,
}

/// One run of a plan.
#[derive(Debug)]
pub(crate) struct Run {
    /// In the order of the questions.
    pub(crate) answers: Vec<Answer>,
    pub(crate) seen: Vec<Seen>,
    /// Answers of specialists that still counted as under way when everybody had gone.
    pub(crate) in_flight: usize,
}

impl Answer {
    /// Everybody, with what became of them, where the reader waited for that.
    pub(crate) fn candidates(&self) -> Option<&[Candidate]> {
        match &self.end {
            End::Failed(AskError::Unanswered(candidates)) => Some(candidates),
            _ => self.finish().map(|finish| finish.candidates.as_slice()),
        }
    }

    /// The end of an answer that has one.
    pub(crate) fn finish(&self) -> Option<&Finish> {
        self.heard.iter().find_map(|heard| match &heard.event {
            Event::Finish(finish) => Some(finish),
            Event::Part(_) => None,
        })
    }
}
