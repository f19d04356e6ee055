//! What a turn does, taken down as it does it, so that a receipt can be made of it however it ends.

use std::{
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use audit::{Salt, Transcript};
use proto::SpecialistId;

use crate::{
    dispatch::Minutes,
    merge::{Origin, Part, Span},
    route::Candidate,
};

/// What a turn has done so far. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Record {
    salt: Salt,
    deeds: Arc<Mutex<Deeds>>,
}

/// The same, to be read.
#[derive(Debug, Default)]
pub struct Deeds {
    /// Everybody, with what became of them so far.
    pub candidates: Vec<Candidate>,
    /// Who was called, in that order.
    pub calls: Vec<Called>,
    /// Whose passages the numbers of the answer name, and which, from the first on.
    pub sources: Vec<(SpecialistId, String)>,
    /// The answer's parts, end to end.
    pub spans: Vec<Placed>,
    /// The answer.
    pub text: String,
}

/// A specialist that was called.
#[derive(Debug)]
pub struct Called {
    /// Its place among the candidates.
    pub candidate: usize,
    /// What it was asked and said.
    pub minutes: Minutes,
    /// How far it vouches for that.
    pub vouching: Vouching,
}

/// How far a specialist vouches for what it said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vouching {
    /// It signed it.
    Signed,
    /// It has no key.
    Unsigned,
    /// It gave out before its end, or the turn ended before.
    Unfinished,
    /// What it signed was refused.
    Refused,
}

/// A part of the answer.
#[derive(Debug)]
pub struct Placed {
    /// Its bytes.
    pub length: usize,
    /// Where it is from.
    pub origin: Origin,
    /// The source's number and the range of bytes in its passage's text.
    pub citation: Option<(usize, Range<usize>)>,
}

impl Called {
    /// What it was asked and said so far.
    pub fn transcript(&self) -> MutexGuard<'_, Transcript> {
        self.minutes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    /// Nothing was done yet; what will be is hidden by `salt`.
    pub fn new(salt: Salt) -> Self {
        Self { salt, deeds: Arc::default() }
    }

    /// What hides it.
    pub fn salt(&self) -> &Salt {
        &self.salt
    }

    /// What was done.
    pub fn deeds(&self) -> MutexGuard<'_, Deeds> {
        self.deeds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deeds {
    /// A candidate is called, for the first time or again.
    pub(super) fn called(&mut self, candidate: usize, minutes: Minutes) {
        self.candidates[candidate].calls += 1;
        if self.calls.iter().all(|call| call.candidate != candidate) {
            self.calls.push(Called { candidate, minutes, vouching: Vouching::Unfinished });
        }
    }

    /// It is known how far a candidate vouches for what it said.
    pub(super) fn vouched(&mut self, candidate: usize, vouching: Vouching) {
        let mut calls = self.calls.iter_mut();
        if let Some(call) = calls.find(|call| call.candidate == candidate) {
            call.vouching = vouching;
        }
    }

    /// A part of the answer goes out.
    pub(super) fn out(&mut self, part: &Part) {
        match part {
            Part::Source(source) => {
                self.sources.push((source.specialist.clone(), source.passage.id.clone()));
            }
            Part::Span(Span { text, start: _, origin, citation }) => {
                let (origin, citation) = (origin.clone(), citation.clone());
                self.spans.push(Placed { length: text.len(), origin, citation });
                self.text.push_str(text);
            }
            Part::Agreement(_) | Part::Disagreement(_) => {}
        }
    }
}
