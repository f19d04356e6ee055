//! What holds in every run, whatever goes wrong.

mod times;
mod words;

use std::time::Duration;

use proto::{Outcome, SpecialistId};
use router::{
    ask::{AskError, Event, Reason},
    route::{Candidate, Status, Verdict},
};

use crate::{
    plan::{PATIENCE, Plan},
    record::{Answer, End, Run, What},
    script::{self, Script},
};

/// Goes on where it holds, and says otherwise why the run is wrong.
macro_rules! ensure {
    ($holds:expr, $($why:tt)+) => {
        if !$holds {
            return Err(format!($($why)+));
        }
    };
}
pub(crate) use ensure;
pub(crate) use times::{AFTER_CRASH, AFTER_FEW_WORDS, AFTER_NO_WORDS, AFTER_SILENCE};

/// Whether the run of a plan is as it must be; if not, what is wrong with it.
pub(crate) fn check(plan: &Plan, run: &Run) -> Result<(), String> {
    ensure!(run.in_flight == 0, "{} permits are still taken when everybody has gone", run.in_flight);
    for seen in &run.seen {
        let shown_more = matches!(seen.what, What::CalledOddly(_));
        ensure!(
            !shown_more,
            "{} was shown something else than the question and the turns that it may see: {:?}",
            seen.who,
            seen.what
        );
    }
    for (question, answer) in run.answers.iter().enumerate() {
        let case = Case::new(plan, run, question, answer);
        let all = [permits, dispatched, goes_on, ends, completes, words::owned, times::kept];
        for holds in all {
            holds(&case).map_err(|why| format!("q{question}: {why}"))?;
        }
    }
    Ok(())
}

/// One answer, with what the plan says of those who may be asked.
struct Case<'a> {
    plan: &'a Plan,
    run: &'a Run,
    question: usize,
    answer: &'a Answer,
    /// Who is asked at once, and then who is in reserve, by their places among the candidates.
    asked: &'a [usize],
    reserves: &'a [usize],
}

impl<'a> Case<'a> {
    fn new(plan: &'a Plan, run: &'a Run, question: usize, answer: &'a Answer) -> Self {
        let (asked, reserves): (&[usize], &[usize]) = match &answer.routed.decision.verdict {
            Verdict::Ask { asked, reserves } => (asked, reserves),
            Verdict::Abstain => (&[], &[]),
        };
        Self { plan, run, question, answer, asked, reserves }
    }

    /// All who may be asked, in the order in which they are.
    fn line(&self) -> impl Iterator<Item = usize> {
        self.asked.iter().chain(self.reserves).copied()
    }

    fn id(&self, place: usize) -> &'a SpecialistId {
        self.answer.routed.decision.candidates[place].registration.id()
    }

    /// Its place in the plan.
    fn whom(&self, place: usize) -> usize {
        self.id(place).as_str()[1..].parse().unwrap()
    }

    fn script(&self, place: usize) -> &'a Script {
        &self.plan.specialists[self.whom(place)][self.question]
    }

    /// When this question's calls of it arrived.
    fn calls(&self, place: usize) -> Vec<Duration> {
        let its = |what: What| what == What::Called(self.question);
        let seen = self.run.seen.iter();
        seen.filter(|seen| seen.who == self.id(place).as_str() && its(seen.what))
            .map(|seen| seen.at)
            .collect()
    }

    /// What became of it, where the answer came to an end that says so.
    fn status(&self, place: usize) -> Option<Status> {
        self.answer.candidates().map(|candidates| candidates[place].status)
    }

    /// Whether there is time and room for everybody who may be asked.
    fn is_roomy(&self) -> bool {
        self.plan.in_flight_max >= self.plan.questions.len()
            && self.plan.questions[self.question].patience == PATIENCE
    }

    /// How it is bound to answer: by its script, where nothing ever happens to it.
    fn lives(&self, place: usize) -> Option<Outcome> {
        let whom = self.whom(place);
        let well = self.is_roomy() && self.plan.is_spared(whom) && self.plan.is_reliable(whom);
        self.script(place).answers().filter(|_| well)
    }
}

/// A permit is taken as long as its answer comes, and no more are than there may be.
fn permits(case: &Case) -> Result<(), String> {
    let most = case.plan.specialists.len() * case.plan.in_flight_max;
    for heard in &case.answer.heard {
        ensure!(heard.in_flight <= most, "{} permits are taken, where there are {most}", heard.in_flight);
    }
    let spans = case.answer.heard.iter().filter_map(|heard| Some((heard.span()?, heard)));
    let Some((span, heard)) = spans.into_iter().next() else { return Ok(()) };
    let Some(first) = span.specialist() else { return Ok(()) };
    // The first lead's words go out as they come, so its answer is still on its way.
    if case.asked.first().is_some_and(|&lead| case.id(lead) == first) {
        ensure!(heard.in_flight > 0, "no permit is taken while {first} answers");
    }
    Ok(())
}

/// Whoever is called stands in the decision's record, with what became of it; nobody else does.
fn dispatched(case: &Case) -> Result<(), String> {
    let count = case.answer.routed.decision.candidates.len();
    for place in (0..count).filter(|&place| !case.calls(place).is_empty()) {
        ensure!(case.line().any(|of| of == place), "{} is called, and was not to be", case.id(place));
    }
    in_order(case)?;
    let Some(candidates) = case.answer.candidates() else { return Ok(()) };
    for (place, candidate) in candidates.iter().enumerate() {
        recorded(case, place, candidate)?;
    }
    let line: Vec<usize> = case.line().collect();
    for (at, &place) in line.iter().enumerate() {
        let (id, before) = (case.id(place), &line[..at]);
        let asked = was_asked(&candidates[place]);
        if case.asked.contains(&place) {
            ensure!(asked, "{id} was to be asked, and was not");
        } else if asked {
            ensure!(
                before.iter().all(|&before| was_asked(&candidates[before])),
                "{id} is asked before its turn"
            );
            let answered = before.iter().any(|&before| candidates[before].status == Status::Answered);
            ensure!(!answered, "{id} is asked though another has answered");
        }
    }
    Ok(())
}

/// Whether the record says that its turn came. It may have been left alone even so, since then.
fn was_asked(candidate: &Candidate) -> bool {
    let ended = [Status::Answered, Status::NoAnswer, Status::Timeout, Status::Failed];
    ended.contains(&candidate.status)
        || candidate.status == Status::CircuitOpen && candidate.failure.is_some()
}

/// What the record says of a candidate is what happened.
fn recorded(case: &Case, place: usize, candidate: &Candidate) -> Result<(), String> {
    let Candidate { registration, status, calls, failure, .. } = candidate;
    let (id, whom) = (case.id(place), case.whom(place));
    let arrived = u32::try_from(case.calls(place).len()).unwrap();
    ensure!(id == registration.id(), "the candidates have changed places");
    ensure!(*status != Status::Asked, "{id} is still said to be asked");
    let asked = was_asked(candidate);
    ensure!(!asked || case.line().any(|of| of == place), "{id} is {status:?}, and nobody was to ask it");
    ensure!(asked || *calls == 0, "{id} is {status:?} after {calls} calls");
    ensure!(arrived <= *calls, "{arrived} calls of {id} arrive, and {calls} are said to be made");
    // Nothing is lost on the way to it.
    let exact = case.is_roomy() && case.plan.is_spared(whom);
    ensure!(!exact || arrived == *calls, "{calls} calls of {id} are said to be made, and {arrived} arrive");
    let end = case.script(place).end.1;
    ensure!(
        *status != Status::Answered || end == script::End::Answered,
        "{id} answers, and ends with {end:?}"
    );
    ensure!(*status != Status::NoAnswer || end == script::End::NoAnswer, "{id} has no answer, and {end:?}");
    let lost = asked && !matches!(status, Status::Answered | Status::NoAnswer);
    ensure!(lost == failure.is_some(), "{id} is {status:?}, and the failure is said to be {failure:?}");
    Ok(())
}

/// To connect and to call, over the slowest way.
const AT_ONCE: Duration = Duration::from_millis(500);

/// Calls of those who are asked at once arrive at once, the others' in the order of the line, where nothing
/// happened on the way.
fn in_order(case: &Case) -> Result<(), String> {
    let called = |place: usize| {
        let spared = case.plan.is_spared(case.whom(place));
        case.calls(place).into_iter().next().filter(|_| spared)
    };
    for &place in case.asked {
        let (id, began) = (case.id(place), case.answer.began);
        let late = called(place).filter(|called| *called > began + AT_ONCE);
        ensure!(late.is_none(), "{id} is called at {late:?}, where the question came at {began:?}");
    }
    let line: Vec<usize> = case.line().collect();
    for (at, &later) in line.iter().enumerate().skip(case.asked.len()) {
        for &earlier in &line[..at] {
            let (Some(first), Some(second)) = (called(earlier), called(later)) else { continue };
            let (one, other) = (case.id(later), case.id(earlier));
            ensure!(first < second, "{one} is called at {second:?}, {other} only at {first:?}");
        }
    }
    Ok(())
}

/// The end is one that follows from what became of everybody.
fn ends(case: &Case) -> Result<(), String> {
    let spoke = case.answer.heard.iter().any(|heard| heard.span().is_some_and(|s| s.specialist().is_some()));
    let line: Vec<usize> = case.line().collect();
    let finish = match (&case.answer.end, case.answer.finish()) {
        (End::Left, None) => return Ok(()),
        (End::Failed(AskError::Unanswered(candidates)), None) => {
            let said = |status| candidates.iter().any(|candidate| candidate.status == status);
            ensure!(!spoke, "it fails after words");
            ensure!(
                !said(Status::Answered) && !said(Status::NoAnswer),
                "it fails though somebody has answered"
            );
            return Ok(());
        }
        (End::Finished | End::Left, Some(finish)) => finish,
        (end, _) => return Err(format!("it ends with {end:?}")),
    };
    let last = case.answer.heard.last().is_some_and(|heard| matches!(heard.event, Event::Finish(_)));
    ensure!(last, "something comes after the end");
    let any = |status| finish.candidates.iter().any(|candidate| candidate.status == status);
    let expected = match () {
        () if line.is_empty() => Reason::Abstained,
        () if any(Status::Answered) => Reason::Answered,
        () if spoke => Reason::Incomplete,
        () if any(Status::NoAnswer) => Reason::NoAnswer,
        () => return Err("everybody failed, and it ends well".to_owned()),
    };
    ensure!(finish.reason == expected, "it ends as {:?}, where {expected:?} is true", finish.reason);
    Ok(())
}

/// As long as nobody has answered and there is time, the next one is asked.
fn goes_on(case: &Case) -> Result<(), String> {
    let deadline = case.answer.began + case.plan.questions[case.question].patience;
    let Some(candidates) = case.answer.candidates() else { return Ok(()) };
    let answered = candidates.iter().any(|candidate| candidate.status == Status::Answered);
    if answered || case.answer.ended >= deadline {
        return Ok(());
    }
    for place in case.line() {
        ensure!(was_asked(&candidates[place]), "it gives up before {} is asked", case.id(place));
    }
    Ok(())
}

/// One who lives is enough.
fn completes(case: &Case) -> Result<(), String> {
    let living = |outcome| case.line().find(|&place| case.lives(place) == Some(outcome));
    let unanswered = matches!(case.answer.end, End::Failed(_));
    let reason = case.answer.finish().map(|finish| finish.reason);
    if let Some(place) = living(Outcome::Answered) {
        let complete = !unanswered && reason.is_none_or(|reason| reason == Reason::Answered);
        ensure!(complete, "{} lives, and it ends as {reason:?}", case.id(place));
    }
    if let Some(place) = living(Outcome::NoAnswer) {
        ensure!(!unanswered, "{} lives, and nobody is said to", case.id(place));
    }
    for place in case.line() {
        let expected = match case.lives(place) {
            Some(Outcome::Answered) => Status::Answered,
            Some(Outcome::NoAnswer) => Status::NoAnswer,
            None => continue,
        };
        let Some(status) = case.status(place) else { continue };
        let right = status == expected || status == Status::Outranked;
        ensure!(right, "{} lives, and is said to be {status:?}", case.id(place));
    }
    Ok(())
}
