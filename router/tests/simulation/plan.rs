//! What a seed decides: who is there, what is asked, and what goes wrong.

use std::{ops::RangeInclusive, time::Duration};

use router::{
    dispatch::Eject,
    route::{ByPrototypes, Calibration, Policy, Strength},
};
use tonic::Code;

use crate::{
    dice::Dice,
    script::{Breach, End, Line, Script},
};

/// Enough for everybody who may be asked to fail in the slowest way, one after another, and for the encoder's
/// thread to rank however busy the machine is: virtual time goes on while the router waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_mins(10);

/// One run, decided to the last detail.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// Their ways with each question; their names are [`name`]s.
    pub(crate) specialists: Vec<Vec<Script>>,
    pub(crate) questions: Vec<Question>,
    pub(crate) policy: Policy,
    pub(crate) calibration: Calibration,
    /// Answers of one specialist at a time.
    pub(crate) in_flight_max: usize,
    /// When a specialist is left alone.
    pub(crate) eject: Eject,
    /// Milliseconds that a message is on its way.
    pub(crate) latency_ms: RangeInclusive<u64>,
    /// By time.
    pub(crate) faults: Vec<Fault>,
}

/// Somebody asks.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// When.
    pub(crate) at: Duration,
    /// How long the asker waits.
    pub(crate) patience: Duration,
    /// How near it is to each specialist: cosines.
    pub(crate) near: Vec<f32>,
    /// The reader goes away after so many events.
    pub(crate) leaves_after: Option<usize>,
    /// How many turns the user said before it.
    pub(crate) earlier: usize,
    /// Whether it follows up on them.
    pub(crate) follows: bool,
}

/// Something happens to a specialist's host or to the network between it and the router.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) at: Duration,
    pub(crate) whom: usize,
    pub(crate) what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// The host stops, and its connections are closed.
    Crash,
    /// It starts anew.
    Bounce,
    /// Nothing comes through, and nobody is told.
    Partition,
    /// What the router sends is lost.
    PartitionTo,
    /// What the specialist sends is lost.
    PartitionFrom,
    /// Messages come through again; what was lost stays lost.
    Repair,
    /// Messages wait on the way.
    Hold,
    /// Those that wait go on.
    Release,
}

/// What the `at`th specialist is called.
pub(crate) fn name(at: usize) -> String {
    format!("s{at}")
}

/// How many of the user's earlier turns the `at`th specialist may see, by its card.
pub(crate) fn history_turns_max(at: usize) -> usize {
    [0, 2, 16, 1, 0][at]
}

/// Refused is who is less than 0.1 near; asked is whose probability is at least 1 less `miss_max`.
pub(crate) fn calibration(miss_max: f32) -> Calibration {
    Calibration {
        temperature: 0.05,
        miss_max,
        by_prototypes: ByPrototypes { slope: 100.0, background_weight: 0.0, offset: -10.0 },
        strength: Strength { nearness: 20.0, covered: 0.0, titled: 0.0, familiar: 0.0 },
        ..Calibration::default()
    }
}

impl Plan {
    /// The plan of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let specialists = dice.pick(&[3, 3, 4, 5]);
        let questions = dice.pick(&[1, 1, 2, 3, 5, 8]);
        let scripts = |dice: &mut Dice| {
            let reliable = dice.one_in(2);
            (0..questions).map(|_| if reliable { good(dice) } else { script(dice) }).collect()
        };
        let latency_max = dice.pick(&[10, 50, 100]);
        let calibration = calibration(dice.pick(&[0.5, 0.75, 0.9]));
        let policy = Policy { specialists_max: dice.pick(&[1, 2, 3, 3]), ..Policy::default() };
        Self {
            seed,
            specialists: (0..specialists).map(|_| scripts(&mut dice)).collect(),
            questions: (0..questions).map(|_| question(&mut dice, specialists)).collect(),
            policy,
            calibration,
            in_flight_max: dice.pick(&[1, 2, 64, 64, 64]),
            eject: Eject {
                failures_max: dice.pick(&[2, 5]),
                answers_min: dice.pick(&[4, 10]),
                out_ms: dice.pick(&[500, 5_000, 30_000]),
                ..Eject::default()
            },
            latency_ms: 1..=latency_max,
            faults: faults(&mut dice, specialists),
        }
    }

    /// How many earlier turns `whom` is to see with each question.
    pub(crate) fn shown(&self, whom: usize) -> Vec<usize> {
        let shown =
            |asked: &Question| if asked.follows { asked.earlier.min(history_turns_max(whom)) } else { 0 };
        self.questions.iter().map(shown).collect()
    }

    /// Whether nothing ever happens to it.
    pub(crate) fn is_spared(&self, whom: usize) -> bool {
        self.faults.iter().all(|fault| fault.whom != whom)
    }

    /// Whether it answers whatever it is asked, so that there is never a reason to leave it alone.
    pub(crate) fn is_reliable(&self, whom: usize) -> bool {
        self.specialists[whom].iter().all(|script| script.answers().is_some())
    }
}

fn question(dice: &mut Dice, specialists: usize) -> Question {
    let mut near: Vec<f32> =
        (0..specialists).map(|_| dice.pick(&[0.3, 0.29, 0.27, 0.22, 0.15, 0.05])).collect();
    // Somebody covers it, or there is nothing to see.
    let best = dice.roll(0..=u64::try_from(specialists - 1).unwrap());
    near[usize::try_from(best).unwrap()] = 0.31;
    Question {
        at: dice.millis(0..=8_000),
        patience: if dice.one_in(6) { dice.millis(500..=8_000) } else { PATIENCE },
        near,
        leaves_after: dice.one_in(8).then(|| usize::try_from(dice.roll(1..=4)).unwrap()),
        earlier: dice.pick(&[0, 0, 1, 2, 20]),
        follows: dice.one_in(2),
    }
}

/// A script that answers.
fn good(dice: &mut Dice) -> Script {
    let ready = Script { refusals: 0, lines: lines(dice, 1), end: (dice.millis(1..=300), End::Answered) };
    match dice.roll(0..=9) {
        0..6 => ready,
        6 => Script { refusals: 1, ..ready },
        7 => Script { lines: Vec::new(), end: (ready.end.0, End::NoAnswer), ..ready },
        _ => slow(dice),
    }
}

/// A script that may do anything.
fn script(dice: &mut Dice) -> Script {
    let soon = dice.millis(1..=300);
    let steady = |lines, end| Script { refusals: 0, lines, end: (soon, end) };
    let any = |dice: &mut Dice| lines(dice, 0);
    match dice.roll(0..=99) {
        0..40 => good(dice),
        40..55 => steady(any(dice), End::Silence),
        55..65 => steady(any(dice), End::Heartbeats),
        65..75 => {
            let breach = dice.pick(&[
                Breach::NoEvent,
                Breach::CitesNothing,
                Breach::SamePassageTwice,
                Breach::WordsTooLong,
                Breach::EventTooLong,
                Breach::NoAnswerAfterWords,
            ]);
            let least = u64::from(breach == Breach::NoAnswerAfterWords);
            steady(lines(dice, least), End::Breaks(breach))
        }
        75..82 => Script { refusals: usize::MAX, ..good(dice) },
        82..90 => steady(any(dice), End::Unfinished),
        _ => {
            let code = dice.pick(&[Code::Unavailable, Code::Internal, Code::ResourceExhausted]);
            steady(any(dice), End::Fails(code))
        }
    }
}

/// Words with passages here and there, at least `least` times something.
fn lines(dice: &mut Dice, least: u64) -> Vec<(Duration, Line)> {
    let gap_ms = dice.roll(5..=150)..=dice.roll(150..=300);
    let mut lines = Vec::new();
    let mut sent = false;
    for _ in 0..dice.roll(least..=6) {
        if dice.one_in(3) {
            sent = true;
            lines.push((dice.millis(0..=20), Line::Passage));
        }
        let line = if sent && dice.one_in(2) { Line::Cited } else { Line::Words };
        let gap = if lines.is_empty() { 1..=100 } else { gap_ms.clone() };
        lines.push((dice.millis(gap), line));
    }
    lines
}

/// An answer that takes its time, with the heartbeats that the contract asks for.
fn slow(dice: &mut Dice) -> Script {
    let beat = (Duration::from_millis(1_800), Line::Heartbeat);
    let mut lines = Vec::new();
    for _ in 0..dice.roll(1..=3) {
        // First words within the ten seconds that they have.
        for _ in 0..dice.roll(0..=2) {
            lines.push(beat);
        }
        lines.push((dice.millis(100..=1_800), Line::Words));
    }
    Script { refusals: 0, lines, end: (dice.millis(1..=1_800), End::Answered) }
}

fn faults(dice: &mut Dice, specialists: usize) -> Vec<Fault> {
    let mut faults = Vec::new();
    for whom in 0..specialists {
        if !dice.one_in(3) {
            continue;
        }
        let at = dice.millis(0..=5_000);
        let (what, undone) = dice.pick(&[
            (What::Crash, What::Bounce),
            (What::Partition, What::Repair),
            (What::PartitionTo, What::Repair),
            (What::PartitionFrom, What::Repair),
            (What::Hold, What::Release),
        ]);
        faults.push(Fault { at, whom, what });
        if dice.one_in(2) {
            faults.push(Fault { at: at + dice.millis(50..=4_000), whom, what: undone });
        }
    }
    faults.sort_by_key(|fault| fault.at);
    faults
}
