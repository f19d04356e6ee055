//! What the router found when it examined a specialist beside those that stand.

mod json;

use std::time::Duration;

use proto::{Invalid, SpecialistId, wire};

pub use json::json;

/// The share of unrelated specialists' questions that nobody may take more than: 1 in so many.
pub const TAKEN_ONE_IN: usize = 100;

/// The fewest questions that say something: one alone is chance, however few were tried.
pub const TAKEN_MIN: usize = 2;

/// The most overlaps that a report names.
pub const OVERLAPS_MAX: usize = 64;

/// How a specialist does beside those that stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exam {
    /// When: milliseconds since 1970-01-01 UTC.
    pub examined_at_ms: u64,
    /// It is asked what nobody covers, so no question is routed to it and none was tried.
    pub general: bool,
    /// Where its own example questions go.
    pub own: Own,
    /// Whom it shares questions with, and its neighbours; unrelated ones first, then by what it takes.
    /// At most [`OVERLAPS_MAX`].
    pub overlaps: Vec<Overlap>,
    /// What it would take of those that it is not related to.
    pub unrelated: Unrelated,
    /// How it answers; `None` where that was not examined.
    pub answers: Option<Answers>,
}

/// Where a specialist's own example questions go, in the fleet with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Own {
    /// How many there are.
    pub asked: usize,
    /// How many come to it.
    pub led: usize,
    /// How many are too far from everybody.
    pub uncovered: usize,
}

/// What a specialist shares with a standing one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// The standing one.
    pub id: SpecialistId,
    /// Whether it fits enough of the newcomer's own questions, so that what is taken there is welcome.
    pub neighbour: bool,
    /// Questions and prototypes of the standing one that were tried.
    pub asked: usize,
    /// How many of them go to the newcomer once it stands.
    pub taken: usize,
    /// How many of the newcomer's own example questions go to the standing one all the same.
    pub lost: usize,
}

/// What a specialist would take of standing ones that it is not related to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unrelated {
    /// How many these are.
    pub specialists: usize,
    /// Of what people wrote: their example questions and titles.
    pub questions: Share,
    /// Of their prototypes. These lie nearer to their own than any question does, so what is taken of
    /// them must not be hidden among the questions, nor the other way round.
    pub prototypes: Share,
}

/// A part of what was tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// How many were tried.
    pub asked: usize,
    /// How many of them it would take.
    pub taken: usize,
}

impl Share {
    /// Whether it is more than may be taken.
    pub fn is_too_much(self) -> bool {
        self.taken >= TAKEN_MIN && self.taken * TAKEN_ONE_IN > self.asked
    }
}

/// Ten answers to a specialist's own example questions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// How many were asked for; fewer where time ran out.
    pub asked: usize,
    /// How many had words.
    pub answered: usize,
    /// How many said that the corpus holds no answer.
    pub no_answer: usize,
    /// How many cited a passage.
    pub cited: usize,
    /// How many broke the contract.
    pub broken: usize,
    /// What the first of these broke; never what the specialist said.
    pub first_fault: Option<String>,
    /// Which of the card's example questions had no answer, from 0.
    pub unanswered: Vec<usize>,
    /// From the question to the first words.
    pub first_words: Option<Latency>,
    /// From the question to the end.
    pub end: Option<Latency>,
}

/// What several answers took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// Half of them took no longer.
    pub median: Duration,
    /// The longest.
    pub longest: Duration,
}

impl Exam {
    /// Whether it takes too much of what it is not related to.
    pub fn is_refused(&self) -> bool {
        self.unrelated.questions.is_too_much() || self.unrelated.prototypes.is_too_much()
    }
}

impl Latency {
    /// Of `times`, in any order; `None` where there are none.
    pub fn of(mut times: Vec<Duration>) -> Option<Self> {
        times.sort_unstable();
        let median = *times.get(times.len().checked_sub(1)? / 2)?;
        Some(Self { median, longest: *times.last()? })
    }
}

fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// What a count on the wire says; `usize` has at least 32 bits wherever this runs.
fn size(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

impl From<&Exam> for wire::Exam {
    fn from(exam: &Exam) -> Self {
        let overlap = |overlap: &Overlap| wire::exam::Overlap {
            specialist_id: overlap.id.to_string(),
            neighbour: overlap.neighbour,
            asked: count(overlap.asked),
            taken: count(overlap.taken),
            lost: count(overlap.lost),
        };
        let Own { asked, led, uncovered } = exam.own;
        Self {
            examined_at_ms: exam.examined_at_ms,
            general: exam.general,
            own: Some(wire::exam::Own { asked: count(asked), led: count(led), uncovered: count(uncovered) }),
            overlaps: exam.overlaps.iter().map(overlap).collect(),
            unrelated_specialists: count(exam.unrelated.specialists),
            unrelated_questions: Some(exam.unrelated.questions.into()),
            unrelated_prototypes: Some(exam.unrelated.prototypes.into()),
            refused: exam.is_refused(),
            answers: exam.answers.as_ref().map(Into::into),
        }
    }
}

impl From<Share> for wire::exam::Share {
    fn from(share: Share) -> Self {
        Self { asked: count(share.asked), taken: count(share.taken) }
    }
}

impl From<wire::exam::Share> for Share {
    fn from(share: wire::exam::Share) -> Self {
        let wire::exam::Share { asked, taken } = share;
        Self { asked: size(asked), taken: size(taken) }
    }
}

impl From<&Answers> for wire::exam::Answers {
    fn from(answers: &Answers) -> Self {
        Self {
            asked: count(answers.asked),
            answered: count(answers.answered),
            no_answer: count(answers.no_answer),
            cited: count(answers.cited),
            broken: count(answers.broken),
            first_fault: answers.first_fault.clone().unwrap_or_default(),
            unanswered: answers.unanswered.iter().copied().map(count).collect(),
            first_words: answers.first_words.map(Into::into),
            end: answers.end.map(Into::into),
        }
    }
}

impl From<Latency> for wire::exam::Latency {
    fn from(latency: Latency) -> Self {
        let ms = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
        Self { median_ms: ms(latency.median), longest_ms: ms(latency.longest) }
    }
}

impl TryFrom<wire::Exam> for Exam {
    type Error = Invalid;

    fn try_from(exam: wire::Exam) -> Result<Self, Invalid> {
        let wire::Exam {
            examined_at_ms,
            general,
            own,
            overlaps,
            unrelated_specialists,
            unrelated_questions,
            unrelated_prototypes,
            // Said again from the counts.
            refused: _,
            answers,
        } = exam;
        let wire::exam::Own { asked, led, uncovered } = own.unwrap_or_default();
        let overlap = |overlap: wire::exam::Overlap| {
            let wire::exam::Overlap { specialist_id, neighbour, asked, taken, lost } = overlap;
            let (asked, taken, lost) = (size(asked), size(taken), size(lost));
            Ok(Overlap { id: specialist_id.parse()?, neighbour, asked, taken, lost })
        };
        let overlaps = overlaps.into_iter().map(overlap).collect::<Result<_, Invalid>>();
        Ok(Self {
            examined_at_ms,
            general,
            own: Own { asked: size(asked), led: size(led), uncovered: size(uncovered) },
            overlaps: overlaps.map_err(|invalid| invalid.within("exam.overlaps"))?,
            unrelated: Unrelated {
                specialists: size(unrelated_specialists),
                questions: unrelated_questions.unwrap_or_default().into(),
                prototypes: unrelated_prototypes.unwrap_or_default().into(),
            },
            answers: answers.map(Into::into),
        })
    }
}

impl From<wire::exam::Answers> for Answers {
    fn from(answers: wire::exam::Answers) -> Self {
        let wire::exam::Answers {
            asked,
            answered,
            no_answer,
            cited,
            broken,
            first_fault,
            unanswered,
            first_words,
            end,
        } = answers;
        Self {
            asked: size(asked),
            answered: size(answered),
            no_answer: size(no_answer),
            cited: size(cited),
            broken: size(broken),
            first_fault: Some(first_fault).filter(|fault| !fault.is_empty()),
            unanswered: unanswered.into_iter().map(size).collect(),
            first_words: first_words.map(Into::into),
            end: end.map(Into::into),
        }
    }
}

impl From<wire::exam::Latency> for Latency {
    fn from(latency: wire::exam::Latency) -> Self {
        let wire::exam::Latency { median_ms, longest_ms } = latency;
        let ms = |ms: u32| Duration::from_millis(ms.into());
        Self { median: ms(median_ms), longest: ms(longest_ms) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(taken: usize, asked: usize, expected: bool) {
        let (share, ample) = (Share { asked, taken }, Share { asked: 5_000, taken: 1 });
        for (questions, prototypes) in [(share, ample), (ample, share)] {
            let unrelated = Unrelated { specialists: 3, questions, prototypes };
            assert_eq!(Exam { unrelated, ..Exam::default() }.is_refused(), expected, "{taken} of {asked}");
        }
    }

    #[test]
    fn more_than_one_in_a_hundred_is_too_much_unless_it_is_one_alone() {
        refused(0, 0, false);
        refused(1, 5, false);
        refused(2, 200, false);
        refused(2, 199, true);
        refused(40, 4_000, false);
        refused(41, 4_000, true);
    }

    #[test]
    fn what_was_written_down_is_read_again() {
        let ms = Duration::from_millis;
        let exam = Exam {
            examined_at_ms: 7,
            general: false,
            own: Own { asked: 8, led: 6, uncovered: 1 },
            overlaps: vec![Overlap {
                id: "cheese".parse().unwrap(),
                neighbour: true,
                asked: 9,
                taken: 4,
                lost: 1,
            }],
            unrelated: Unrelated {
                specialists: 2,
                questions: Share { asked: 50, taken: 2 },
                prototypes: Share { asked: 90, taken: 1 },
            },
            answers: Some(Answers {
                asked: 10,
                answered: 8,
                no_answer: 1,
                cited: 8,
                broken: 1,
                first_fault: Some("answer 3 ended without done".into()),
                unanswered: vec![4],
                first_words: Latency::of(vec![ms(3), ms(9), ms(5), ms(4)]),
                end: None,
            }),
        };
        let wire = wire::Exam::from(&exam);
        assert!(wire.refused);
        let first_words = wire.answers.as_ref().and_then(|answers| answers.first_words);
        assert_eq!(first_words, Some(wire::exam::Latency { median_ms: 4, longest_ms: 9 }));
        assert_eq!(Exam::try_from(wire).unwrap(), exam);
    }
}
