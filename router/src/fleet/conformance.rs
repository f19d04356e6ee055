//! Whether a specialist keeps the whole contract, rule by rule: for whoever writes one.
//!
//! `record` makes the calls and writes down what came; everything else judges the record, without
//! network or clock. A look stops at the first fault, since nothing faulty is admitted; here nothing is,
//! so an implementer reads everything that is wrong at once. No finding holds what the specialist said:
//! it names fields, the numbers of events, and sizes.

mod answer;
mod calls;
mod heard;
mod record;
#[cfg(test)]
mod tests;
mod verdicts;
mod vouching;

use std::{fmt, time::Duration};

use proto::{Endpoint, Space, wire};
use tonic::Code;

use self::answer::Transcript;
pub(super) use self::heard::{Heard, hear};
use super::{Fleet, FleetError, LookError, Tested};

/// How many specialists are examined at a time.
pub(super) const EXAMINATIONS_MAX: usize = 2;

/// A rule of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// It serves `grpc.health.v1.Health` and says that it is serving.
    Health,
    /// Its card is within all bounds.
    Card,
    /// The card is the same bytes as long as its revision is the same.
    CardBytes,
    /// Prototypes are well made and in the space that was asked for, or declined.
    Prototypes,
    /// Prototypes name the revision of a card that was shown.
    PrototypesRevision,
    /// Where one prototype is asked for, at most one comes.
    PrototypesMax,
    /// Vectors of a space that nobody has are declined.
    OtherSpace,
    /// There are prototypes or texts to route by.
    RouteBy,
    /// Where the card takes probes, one is answered with evidence within all bounds.
    Probes,
    /// Every event can be read and is one of the four, and there are not too many.
    Events,
    /// No event is larger than it may be.
    EventBytes,
    /// Passages are within all bounds, each sent once.
    Passages,
    /// There are no more passages than were asked for.
    PassagesMax,
    /// Words come after the passage that they cite.
    PassagesFirst,
    /// Citations are ranges of characters of their passage.
    CitationRanges,
    /// Words that cite a range are the words of that range.
    CitationWords,
    /// Words are within all bounds, piece by piece and together.
    Words,
    /// There is an event every two seconds.
    Heartbeats,
    /// An answer ends with `done`, and nothing comes after it.
    Done,
    /// `done` says how it ended, and that is so.
    Outcome,
    /// Two answers at once come to their ends as one alone does.
    AtOnce,
    /// Where the card takes earlier turns, a question behind one comes to its end as one alone does.
    FollowUps,
    /// A request outside its bounds is refused with `INVALID_ARGUMENT`.
    Refusals,
    /// An answer comes to its end after others were left in the middle.
    Departures,
    /// Where the card has a key, every whole answer ends with a signed statement of what was asked and said;
    /// otherwise none does.
    Statement,
    /// Where the card has a root, each passage comes with the path that leads to it.
    PassagePaths,
    /// It proves that it holds the key in its card, if there is one.
    Possession,
    /// The router would admit it.
    Admission,
}

impl Rule {
    /// Its name on the wire and on terminals.
    pub fn name(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Card => "card",
            Self::CardBytes => "card-bytes",
            Self::Prototypes => "prototypes",
            Self::PrototypesRevision => "prototypes-revision",
            Self::PrototypesMax => "prototypes-max",
            Self::OtherSpace => "other-space",
            Self::RouteBy => "route-by",
            Self::Probes => "probes",
            Self::Events => "events",
            Self::EventBytes => "event-bytes",
            Self::Passages => "passages",
            Self::PassagesMax => "passages-max",
            Self::PassagesFirst => "passages-first",
            Self::CitationRanges => "citation-ranges",
            Self::CitationWords => "citation-words",
            Self::Words => "words",
            Self::Heartbeats => "heartbeats",
            Self::Done => "done",
            Self::Outcome => "outcome",
            Self::AtOnce => "at-once",
            Self::FollowUps => "follow-ups",
            Self::Refusals => "refusals",
            Self::Departures => "departures",
            Self::Statement => "statement",
            Self::PassagePaths => "passage-paths",
            Self::Possession => "possession",
            Self::Admission => "admission",
        }
    }
}

/// How a rule is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Passed,
    /// It is not.
    Failed,
    /// Something before it failed, or time ran out.
    NotExamined,
}

/// What was seen of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub rule: Rule,
    /// How it is kept.
    pub verdict: Verdict,
    /// What was seen, for people.
    pub detail: String,
}

impl Finding {
    fn passed(rule: Rule, detail: impl Into<String>) -> Self {
        Self { rule, verdict: Verdict::Passed, detail: detail.into() }
    }

    fn failed(rule: Rule, detail: impl Into<String>) -> Self {
        Self { rule, verdict: Verdict::Failed, detail: detail.into() }
    }

    fn unexamined(rule: Rule, detail: impl Into<String>) -> Self {
        Self { rule, verdict: Verdict::NotExamined, detail: detail.into() }
    }
}

/// A call's reply, or why there is none.
type Reply<T> = Result<T, Unanswered>;

/// Why a call has no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unanswered {
    /// It was refused.
    Status(Code),
    /// The reply is larger than was read.
    Oversize {
        /// What was read, bytes.
        read_max: usize,
    },
    /// It took too long.
    TooLate(Duration),
    /// The examination had no time left for it.
    NoTime,
}

impl Unanswered {
    fn finding(self, rule: Rule) -> Finding {
        match self {
            Self::NoTime => Finding::unexamined(rule, self.to_string()),
            _ => Finding::failed(rule, self.to_string()),
        }
    }
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(code) => write!(f, "the call failed with {}", spelled(*code)),
            Self::Oversize { read_max } => write!(f, "the reply has more than {read_max} bytes"),
            Self::TooLate(limit) => write!(f, "no reply came within {} s", limit.as_secs()),
            Self::NoTime => f.write_str("the examination ran out of time"),
        }
    }
}

/// Everything that came of the calls of one examination.
struct Record {
    /// The serving status that health names.
    health: Reply<i32>,
    /// The card's bytes: twice before prototypes were asked for, once after.
    cards: Vec<Reply<Vec<u8>>>,
    /// The space that the router routes in.
    space: Space,
    /// How many prototypes were asked for in it.
    prototypes_max: usize,
    /// What came.
    prototypes: Reply<wire::PrototypesResponse>,
    /// What came where one was asked for.
    one_prototype: Reply<wire::PrototypesResponse>,
    /// How many came in a space that nobody has.
    other_space: Reply<usize>,
    /// What it shows to a probe with terms.
    probe: Reply<wire::ProbeResponse>,
    /// An answer with nothing beside it.
    alone: Transcript,
    /// Two answers at the same time.
    at_once: [Transcript; 2],
    /// An answer to a question with an earlier turn; `None` where the card takes none.
    follow_up: Option<Transcript>,
    /// The challenge to prove that it holds its key, and what came of it.
    nonce: Vec<u8>,
    possession: Reply<wire::ProveResponse>,
    /// What came of requests outside their bounds, each with what is wrong with it.
    refused: Vec<(&'static str, Transcript)>,
    /// An answer after others were left in the middle.
    after: Transcript,
}

/// What an examination gives.
#[derive(Debug)]
pub struct Examined {
    /// What stands there, if a look admits it; its exam is without answers.
    pub tested: Option<Tested>,
    /// One for each rule, in their order.
    pub findings: Vec<Finding>,
}

impl Fleet {
    /// Looks at `endpoint`, then holds it to every rule; changes nothing. An error only where nobody
    /// can be examined.
    pub async fn examine(&self, endpoint: &Endpoint) -> Result<Examined, FleetError> {
        let room = self.examinations.try_acquire();
        let _room = room.map_err(|_| FleetError::Examining(EXAMINATIONS_MAX))?;
        let looked = self.look(endpoint).await;
        let channel = self.dispatch.channel(endpoint);
        let (found, admission) = match looked {
            Ok(found) => (Some(found), Finding::passed(Rule::Admission, "a look finds nothing wrong")),
            Err(error @ FleetError::Look(LookError::Refused { .. } | LookError::Embed(_))) => {
                return Err(error);
            }
            // A specialist can say itself that it is unavailable; then somebody is there.
            Err(error @ FleetError::Look(LookError::Unreachable(_)))
                if !record::is_somebody(channel.clone()).await =>
            {
                return Err(error);
            }
            Err(FleetError::Look(error)) => (None, Finding::failed(Rule::Admission, refusal(&error))),
            Err(error) => (None, Finding::failed(Rule::Admission, error.to_string())),
        };
        let record = record::record(channel, self.embedder.space(), self.limits.prototypes_max).await;
        let mut findings = verdicts::judge(&record);
        findings.push(admission);
        let tested = match found {
            Some(found) => Some(self.routed(endpoint, found).await?),
            None => None,
        };
        Ok(Examined { tested, findings })
    }
}

/// `code` as the contract writes it, `FAILED_PRECONDITION`.
fn spelled(code: Code) -> String {
    let mut spelled = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_ascii_uppercase() && !spelled.is_empty() {
            spelled.push('_');
        }
        spelled.push(letter.to_ascii_uppercase());
    }
    spelled
}

/// Why a look would not admit; without the specialist's own words, which may be anything.
fn refusal(error: &LookError) -> String {
    match error {
        LookError::Unreachable(_) => {
            format!("a look ends: a call failed with {}", spelled(Code::Unavailable))
        }
        LookError::Failed { code, .. } => format!("a look ends: a call failed with {}", spelled(*code)),
        error => format!("a look ends: {error}"),
    }
}
