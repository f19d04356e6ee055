//! From a record to one finding for each rule.

use prost::Message as _;
use proto::wire::{self, AnswerResponse, answer_response::Event};
use tonic::Code;

use super::{
    Finding, Record, Rule, Verdict,
    answer::{self, DELAY_MAX, Ending, Reading, SILENCE_MAX, Transcript},
    calls, spelled, vouching,
};

/// The rules that each event of each answer is held to.
const EVENT_RULES: [Rule; 9] = [
    Rule::Events,
    Rule::EventBytes,
    Rule::Passages,
    Rule::PassagesMax,
    Rule::PassagesFirst,
    Rule::CitationRanges,
    Rule::CitationWords,
    Rule::Words,
    Rule::Heartbeats,
];

/// One finding for each rule but admission, in their order.
pub(super) fn judge(record: &Record) -> Vec<Finding> {
    let mut findings = calls::judge(record);
    let alone = answer::read("answer 1", &record.alone);
    let at_once = ["answer 2", "answer 3"].into_iter().zip(&record.at_once);
    let at_once = at_once.map(|(name, transcript)| answer::read(name, transcript));
    let after = answer::read("answer 4", &record.after);
    let follow_up = record.follow_up.iter().map(|transcript| answer::read("answer 5", transcript));
    let readings: Vec<Reading> = [alone].into_iter().chain(at_once).chain([after]).chain(follow_up).collect();

    findings.extend(EVENT_RULES.map(|rule| events(rule, &readings)));
    findings.push(done(&record.alone, &readings));
    findings.push(outcome(&readings));
    let ended = unfinished(&record.alone, &readings[0]).is_none();
    findings.push(further(Rule::AtOnce, ended, record.at_once.iter().zip(&readings[1..])));
    findings.push(match &record.follow_up {
        Some(follow_up) => further(Rule::FollowUps, ended, [follow_up].into_iter().zip(&readings[4..])),
        None => Finding::passed(Rule::FollowUps, "its card takes no earlier turns"),
    });
    findings.push(refusals(&record.refused));
    findings.push(further(Rule::Departures, ended, [&record.after].into_iter().zip(&readings[3..])));
    let answers = [&record.alone].into_iter().chain(&record.at_once).chain([&record.after]);
    findings.extend(vouching::judge(record, answers.chain(&record.follow_up)));
    findings
}

/// What breaks `rule` in any answer; the first place, and how many more.
fn faults(rule: Rule, readings: &[Reading]) -> Option<Finding> {
    let mut broken = readings.iter().filter_map(|reading| reading.faults.get(&rule));
    let first = broken.next()?;
    let more = first.more + broken.map(|faults| faults.more + 1).sum::<usize>();
    let detail = match more {
        0 => first.first.clone(),
        more => format!("{}; {more} more", first.first),
    };
    Some(Finding::failed(rule, detail))
}

fn events(rule: Rule, readings: &[Reading]) -> Finding {
    if let Some(broken) = faults(rule, readings) {
        return broken;
    }
    let sum = |count: fn(&Reading) -> usize| readings.iter().map(count).sum::<usize>();
    let max = |size: fn(&Reading) -> usize| readings.iter().map(size).max().unwrap_or_default();
    let events = sum(|reading| reading.events);
    if events == 0 {
        return Finding::unexamined(rule, "no event of an answer came");
    }
    let citations = sum(|reading| reading.citations);
    let detail = match rule {
        Rule::EventBytes => format!("the largest has {}", max(|reading| reading.event_bytes_max)),
        Rule::Passages => format!("{} in all", sum(|reading| reading.passages)),
        Rule::PassagesMax => format!("at most {} in an answer", max(|reading| reading.passages)),
        Rule::PassagesFirst | Rule::CitationRanges | Rule::CitationWords => format!("{citations} citations"),
        Rule::Words => format!("at most {} bytes in an answer", max(|reading| reading.words_bytes)),
        Rule::Heartbeats => {
            let longest = readings.iter().map(|reading| reading.silence).max().unwrap_or_default();
            let (longest, max, delay) = (longest.as_millis(), SILENCE_MAX.as_secs(), DELAY_MAX.as_secs());
            format!("longest silence {longest} ms; {max} s are allowed, {delay} s of delay is forgiven")
        }
        _ => {
            let answers = readings.iter().filter(|reading| reading.events > 0).count();
            format!("{events} in {answers} answers")
        }
    };
    Finding::passed(rule, detail)
}

/// How an answer did not come to its end.
pub(super) fn unfinished(transcript: &Transcript, reading: &Reading) -> Option<(Verdict, String)> {
    let failed = |what: String| Some((Verdict::Failed, what));
    let unknown = |what: &str| Some((Verdict::NotExamined, what.to_owned()));
    match (transcript.ending, reading.done) {
        (Ending::Status(code), true) => failed(format!("failed with {} after done", spelled(code))),
        (_, true) => None,
        (Ending::Closed, false) => failed("ended without done".to_owned()),
        (Ending::Status(code), false) => failed(format!("failed with {} before done", spelled(code))),
        (Ending::Silent, false) => unknown("fell silent before done"),
        (Ending::Oversize, false) => unknown("was read up to an event that is too large"),
        (Ending::Flood, false) => unknown("sent more than is read of an answer"),
        (Ending::Long(limit), false) => unknown(&format!("was not done after {} s", limit.as_secs())),
        (Ending::LeftOpen | Ending::NoTime, false) => unknown("the examination ran out of time"),
    }
}

fn done(alone: &Transcript, readings: &[Reading]) -> Finding {
    if let Some(broken) = faults(Rule::Done, readings) {
        return broken;
    }
    match unfinished(alone, &readings[0]) {
        Some((verdict, what)) => Finding { rule: Rule::Done, verdict, detail: format!("answer 1 {what}") },
        None if alone.ending == Ending::LeftOpen => {
            Finding::passed(Rule::Done, "nothing comes after it, though the stream stays open")
        }
        None => Finding::passed(Rule::Done, "nothing comes after it"),
    }
}

fn outcome(readings: &[Reading]) -> Finding {
    if let Some(broken) = faults(Rule::Outcome, readings) {
        return broken;
    }
    let outcomes: Vec<wire::Outcome> = readings.iter().filter_map(|reading| reading.outcome).collect();
    if outcomes.is_empty() {
        return Finding::unexamined(Rule::Outcome, "no answer came to its end");
    }
    let answered = outcomes.iter().filter(|outcome| **outcome == wire::Outcome::Answered).count();
    Finding::passed(Rule::Outcome, format!("{answered} of {} answered", outcomes.len()))
}

/// Whether further answers came to their ends, as the one alone did.
fn further<'a>(
    rule: Rule,
    ended: bool,
    mut answers: impl Iterator<Item = (&'a Transcript, &'a Reading)>,
) -> Finding {
    if !ended {
        return Finding::unexamined(rule, "an answer alone did not come to its end");
    }
    // One alone came to its end, so whatever keeps these from it is a fault, lack of time excepted.
    let stuck = answers.find_map(|(transcript, reading)| {
        unfinished(transcript, reading).map(|(_, what)| (transcript.ending, what))
    });
    match stuck {
        None => Finding::passed(rule, "done is reached as by an answer alone"),
        Some((Ending::NoTime, what)) => Finding::unexamined(rule, what),
        Some((_, what)) => Finding::failed(rule, format!("an answer {what}")),
    }
}

fn refusals(refused: &[(&'static str, Transcript)]) -> Finding {
    let rule = Rule::Refusals;
    for (what, transcript) in refused {
        let came = transcript.events.iter().any(|(_, bytes)| is_said(bytes));
        let detail = match transcript.ending {
            _ if came => format!("a request {what} is answered"),
            Ending::Status(Code::InvalidArgument) => continue,
            Ending::Status(code) => format!("a request {what} is refused with {}", spelled(code)),
            Ending::NoTime => return Finding::unexamined(rule, "the examination ran out of time"),
            _ => format!("a request {what} is not refused"),
        };
        return Finding::failed(rule, format!("{detail}, where INVALID_ARGUMENT is due"));
    }
    Finding::passed(rule, "INVALID_ARGUMENT without turns, and for a blank one")
}

/// Whether an event says anything; a heartbeat does not.
fn is_said(bytes: &prost::bytes::Bytes) -> bool {
    let decoded = AnswerResponse::decode(bytes.clone());
    !matches!(decoded, Ok(AnswerResponse { event: Some(Event::Heartbeat(_)) }))
}
