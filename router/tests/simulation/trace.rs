//! A run as text: to compare two runs, and for a person to read.

use std::fmt::Write as _;

use proto::SpecialistId;
use router::{
    ask::{AskError, Event, Finish},
    merge::{Part, Span},
    route::{Candidate, Status, Verdict},
};

use crate::{
    plan::{PATIENCE, Plan, name},
    record::{Answer, End, Heard, Run},
};

/// What the seed decided.
pub(crate) fn plan(plan: &Plan) -> String {
    let mut text = format!(
        "seed {}: messages take {:?} ms, {} answers at a time, {:?}, {:?}\n",
        plan.seed, plan.latency_ms, plan.in_flight_max, plan.policy, plan.calibration.miss_max
    );
    for (at, scripts) in plan.specialists.iter().enumerate() {
        for (question, script) in scripts.iter().enumerate() {
            writeln!(text, "  {} on q{question}: {script:?}", name(at)).unwrap();
        }
    }
    for (at, question) in plan.questions.iter().enumerate() {
        writeln!(text, "  q{at}: {question:?}").unwrap();
    }
    for fault in &plan.faults {
        writeln!(text, "  at {:?} {}: {:?}", fault.at, name(fault.whom), fault.what).unwrap();
    }
    text
}

/// What came of it.
pub(crate) fn run(plan: &Plan, run: &Run) -> String {
    told(plan, run, true)
}

/// What came of it that is the same on every machine. Where answers are compared, the turn waits for
/// the encoder's thread in real time, so the times of all that follows are left out; and all of it where
/// the asker has little patience, since the deadline may come first.
pub(crate) fn same_everywhere(plan: &Plan, run: &Run) -> String {
    told(plan, run, false)
}

fn told(plan: &Plan, run: &Run, whole: bool) -> String {
    let mut text = String::new();
    for seen in &run.seen {
        writeln!(text, "{:?} {} {:?}", seen.at, seen.who, seen.what).unwrap();
    }
    for (question, one) in run.answers.iter().enumerate() {
        let until =
            if whole || plan.questions[question].patience == PATIENCE { usize::MAX } else { one.timed() };
        answer(&mut text, question, one, until);
    }
    writeln!(text, "{} answers still count as under way", run.in_flight).unwrap();
    text
}

fn answer(text: &mut String, question: usize, answer: &Answer, until: usize) {
    let decision = &answer.routed.decision;
    let names = |places: &[usize]| {
        let ids = places.iter().map(|&at| decision.candidates[at].registration.id().to_string());
        ids.collect::<Vec<_>>().join(" ")
    };
    match &decision.verdict {
        Verdict::Ask { asked, reserves } => {
            let (asked, reserves) = (names(asked), names(reserves));
            writeln!(text, "{:?} q{question}: asked {asked}, in reserve {reserves}", answer.began).unwrap();
        }
        Verdict::Abstain => writeln!(text, "{:?} q{question}: nobody is asked", answer.began).unwrap(),
    }
    let timed = answer.timed();
    for (at, heard) in answer.heard.iter().enumerate().take(until) {
        let when = if at < timed { format!("{:?}", heard.at) } else { "later".to_owned() };
        let what = match &heard.event {
            Event::Part(Part::Source(source)) => {
                format!("source {} {} {}", source.number, source.specialist, source.passage.id)
            }
            Event::Part(Part::Span(span)) => {
                let who = span.specialist().map_or("router".to_owned(), ToString::to_string);
                let Span { text, start, citation, .. } = span;
                format!("{start} {who}: {text:?} {citation:?}")
            }
            Event::Part(Part::Agreement(agreement)) => format!("{agreement:?}"),
            Event::Part(Part::Disagreement(disagreement)) => format!("{disagreement:?}"),
            Event::Finish(finish) => self::finish(finish, at < timed),
        };
        writeln!(text, "  {when} q{question} {what}").unwrap();
    }
    let when = if answer.heard.len() < timed { format!("{:?}", answer.ended) } else { "later".to_owned() };
    match &answer.end {
        End::Finished => {}
        End::Failed(AskError::Unanswered(all)) => {
            writeln!(text, "  {when} q{question} nobody answers{}", candidates(all)).unwrap();
        }
        End::Failed(error) => writeln!(text, "  {when} q{question} {error}").unwrap(),
        End::Left => writeln!(text, "  {when} q{question} the reader leaves").unwrap(),
    }
}

fn finish(finish: &Finish, timed: bool) -> String {
    let Finish { candidates, reason, spoke, left_out, first_words } = finish;
    let candidates = self::candidates(candidates);
    // The first words may be among those that wait for the measuring.
    let first = first_words.filter(|_| timed);
    format!("{reason:?}{candidates}; spoke {spoke:?}, left out {left_out:?}, first words {first:?}")
}

fn candidates(candidates: &[Candidate]) -> String {
    let mut text = String::new();
    for Candidate { registration, status, calls, failure, .. } in candidates {
        write!(text, ", {}={status:?} after {calls} calls", registration.id()).unwrap();
        if let Some(failure) = failure {
            write!(text, " ({failure})").unwrap();
        }
    }
    text
}

impl Answer {
    /// How many of its events, the end counted, came at a time that the machine has no part in: all up
    /// to those that wait until several answers are compared.
    pub(crate) fn timed(&self) -> usize {
        let all = self.heard.len() + 1;
        let mut spoke: Vec<&SpecialistId> = Vec::new();
        for who in self.heard.iter().filter_map(Heard::owner) {
            if spoke.last() != Some(&who) {
                spoke.push(who);
            }
        }
        let Some(finish) = self.finish() else {
            // Whoever leaves is not told who has answered; all is sure up to where the first one's words end.
            let first = self.heard.first().and_then(Heard::owner);
            let other = |heard: &Heard| heard.owner().is_none() || heard.owner() != first;
            return self.heard.iter().position(other).unwrap_or(all);
        };
        let status = |who: &SpecialistId| {
            let mut candidates = finish.candidates.iter();
            candidates.find(|candidate| candidate.registration.id() == who).map(|candidate| candidate.status)
        };
        let Some(first) = spoke.iter().position(|who| status(who) == Some(Status::Answered)) else {
            return all;
        };
        // One that answers alone is not compared.
        if spoke.len() - first <= 1 && finish.left_out.is_empty() {
            return all;
        }
        let says = |heard: &Heard| heard.span().is_some_and(|span| span.specialist() == Some(spoke[first]));
        let words = self.heard.iter().rposition(says).unwrap();
        let marked = self.heard[words + 1].span().is_some_and(|span| span.text.starts_with(" ["));
        words + 1 + usize::from(marked)
    }
}
