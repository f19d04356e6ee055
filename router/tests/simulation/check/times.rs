//! What a failure costs, in virtual time.

use std::time::Duration;

use proto::Outcome;

use super::{Case, ensure};
use crate::{plan::What, script::End};

/// From a crash to the first words of the next one.
pub(crate) const AFTER_CRASH: Duration = Duration::from_secs(1);

/// From the last words of one that falls silent to the first words of the next one.
pub(crate) const AFTER_SILENCE: Duration = Duration::from_secs(6);

/// From the call of one that sends heartbeats alone, and from the last words of one that sends nothing else
/// from then on, to the first words of the next one.
pub(crate) const AFTER_NO_WORDS: Duration = Duration::from_secs(11);
pub(crate) const AFTER_FEW_WORDS: Duration = Duration::from_secs(9);

/// Between a deadline and what follows from it: the clock counts milliseconds.
const GRACE: Duration = Duration::from_millis(10);

/// The deadline is kept, and a failure costs no more than it may.
pub(super) fn kept(case: &Case) -> Result<(), String> {
    let answer = case.answer;
    let deadline = answer.began + case.plan.questions[case.question].patience + GRACE;
    let timed = answer.timed();
    let last = match answer.heard.get(timed.saturating_sub(1)) {
        _ if timed > answer.heard.len() => answer.ended,
        Some(heard) if timed > 0 => heard.at,
        _ => answer.began,
    };
    ensure!(last <= deadline, "it goes on until {last:?}, past its deadline at {deadline:?}");
    if let &[lead] = case.asked {
        let line: Vec<usize> = [lead].into_iter().chain(case.reserves.iter().copied()).collect();
        for pair in line.windows(2) {
            hand_over(case, pair[0], pair[1])?;
        }
    }
    Ok(())
}

/// Where it is plain when `one` was lost, and the `next` is well and prompt, that one speaks in time.
fn hand_over(case: &Case, one: usize, next: usize) -> Result<(), String> {
    let prompt = case.lives(next) == Some(Outcome::Answered) && case.script(next).is_prompt();
    let words = case
        .answer
        .heard
        .iter()
        .find(|heard| heard.span().is_some_and(|span| span.specialist() == Some(case.id(next))));
    let (Some(words), Some(by), true) = (words, gone_by(case, one), prompt) else { return Ok(()) };
    let (from, allowed) = by;
    let who = (case.id(one), case.id(next));
    ensure!(words.at <= from + allowed, "{who:?}: lost at {from:?}, and the next speaks at {:?}", words.at);
    Ok(())
}

/// When `one` was lost, and how long the next one may take from then.
fn gone_by(case: &Case, one: usize) -> Option<(Duration, Duration)> {
    let [called] = case.calls(one)[..] else { return None };
    let script = case.script(one);
    if script.refusals > 0 {
        return None;
    }
    let fault = case.plan.faults.iter().find(|fault| fault.whom == case.whom(one));
    let stalls = matches!(script.end.1, End::Silence | End::Heartbeats);
    match fault {
        None if script.end.1 == End::Silence => Some((called + script.lasts(), AFTER_SILENCE)),
        None if stalls && script.words() == 0 => Some((called, AFTER_NO_WORDS)),
        None if stalls => Some((called + script.lasts(), AFTER_FEW_WORDS)),
        Some(fault) if fault.what == What::Crash => {
            // It was called before, and something of its answer was to come after the crash.
            let ends = if stalls { Duration::MAX } else { called + script.lasts() };
            (called < fault.at && fault.at < ends).then_some((fault.at, AFTER_CRASH))
        }
        _ => None,
    }
}
