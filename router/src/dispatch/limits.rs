//! The limits of asking, phase by phase.

use std::time::Duration;

use proto::answer::{ANSWER_BYTES_MAX, EVENT_BYTES_MAX, EVENTS_MAX};
use serde::{Deserialize, Serialize};

/// The limits of asking one specialist.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Milliseconds to connect, further tries counted.
    pub connect_ms: u64,
    /// Milliseconds between two signs of life that a connection is asked for.
    pub keep_alive_ms: u64,
    /// Milliseconds that it has to give one.
    pub keep_alive_timeout_ms: u64,
    /// Milliseconds until the first words.
    pub first_words_ms: u64,
    /// Milliseconds between two events, heartbeats counted.
    pub idle_ms: u64,
    /// The least that must come once the first words have, in bytes a second.
    pub rate_bytes_min: u64,
    /// Milliseconds over which that rate is taken; so long may it speak of nothing.
    pub rate_ms: u64,
    /// Bytes of one event; at most what the contract allows.
    pub event_bytes_max: usize,
    /// Events of one answer; at most what the contract allows.
    pub events_max: usize,
    /// Bytes of the words of one answer; at most what the contract allows.
    pub answer_bytes_max: usize,
    /// Answers of one specialist at a time; more are not sent to it.
    pub in_flight_max: usize,
    /// Whether specialists at private, link-local and reserved addresses are dialled.
    pub allow_private: bool,
    /// When one that is unavailable is called again.
    pub retry: Retry,
    /// When one that fails is left alone.
    pub eject: Eject,
}

/// When a specialist that is unavailable is called again: only before its first event.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retry {
    /// Further calls of one specialist for one question.
    pub calls_max: u32,
    /// Milliseconds of the longest first wait; it doubles with each further call.
    pub wait_ms: u64,
    /// Milliseconds of the longest wait.
    pub wait_ms_max: u64,
    /// Share of the calls of a specialist that may be further ones: 0 to 1. One a second is free, so
    /// that a quiet router has some.
    pub share_max: f32,
}

/// When a specialist that fails is left alone. The next question that comes afterwards is its probe:
/// it is asked that one, and nothing else until it has answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Eject {
    /// Failures in a row.
    pub failures_max: u32,
    /// Share of good answers in a window, below which it has failed: 0 to 1.
    pub success_min: f32,
    /// Milliseconds of a window.
    pub window_ms: u64,
    /// Answers of a window, below which its share says nothing.
    pub answers_min: u32,
    /// Milliseconds for which it is left alone; twice as long the second time, and so on.
    pub out_ms: u64,
    /// Milliseconds of the longest time; after as long without trouble the count begins anew.
    pub out_ms_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect_ms: 1_000,
            keep_alive_ms: 10_000,
            keep_alive_timeout_ms: 5_000,
            first_words_ms: 10_000,
            idle_ms: 5_000,
            rate_bytes_min: 4,
            rate_ms: 20_000,
            event_bytes_max: EVENT_BYTES_MAX,
            events_max: EVENTS_MAX,
            answer_bytes_max: ANSWER_BYTES_MAX,
            in_flight_max: 64,
            allow_private: false,
            retry: Retry::default(),
            eject: Eject::default(),
        }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self { calls_max: 2, wait_ms: 50, wait_ms_max: 1_000, share_max: 0.1 }
    }
}

impl Default for Eject {
    fn default() -> Self {
        Self {
            failures_max: 5,
            success_min: 0.5,
            window_ms: 10_000,
            answers_min: 10,
            out_ms: 30_000,
            out_ms_max: 300_000,
        }
    }
}

impl Limits {
    /// Whether every number is in its range; if not, which is not.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Self { retry, eject, .. } = self;
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let ranges = [
            ("connect_ms", self.connect_ms, u64::MAX),
            ("keep_alive_ms", self.keep_alive_ms, u64::MAX),
            ("keep_alive_timeout_ms", self.keep_alive_timeout_ms, u64::MAX),
            ("first_words_ms", self.first_words_ms, u64::MAX),
            ("idle_ms", self.idle_ms, u64::MAX),
            ("rate_bytes_min", self.rate_bytes_min, u64::MAX),
            ("rate_ms", self.rate_ms, u64::MAX),
            ("event_bytes_max", count(self.event_bytes_max), count(EVENT_BYTES_MAX)),
            ("events_max", count(self.events_max), count(EVENTS_MAX)),
            ("answer_bytes_max", count(self.answer_bytes_max), count(ANSWER_BYTES_MAX)),
            ("in_flight_max", count(self.in_flight_max), u64::MAX),
            ("eject.failures_max", eject.failures_max.into(), u64::MAX),
            ("eject.window_ms", eject.window_ms, u64::MAX),
            ("eject.answers_min", eject.answers_min.into(), u64::MAX),
            ("eject.out_ms", eject.out_ms, eject.out_ms_max),
        ];
        for (name, value, max) in ranges {
            if value == 0 {
                return Err(format!("dispatch.{name} must be at least 1"));
            }
            if value > max {
                return Err(format!("dispatch.{name} must be at most {max}"));
            }
        }
        for (name, share) in [("retry.share_max", retry.share_max), ("eject.success_min", eject.success_min)]
        {
            if !(0.0..=1.0).contains(&share) {
                return Err(format!("dispatch.{name} must lie between 0 and 1"));
            }
        }
        Ok(())
    }

    /// The least that must come within `rate_ms`.
    pub(super) fn rate_bytes(&self) -> u64 {
        self.rate_bytes_min.saturating_mul(self.rate_ms) / 1_000
    }

    pub(super) fn connect(&self) -> Duration {
        Duration::from_millis(self.connect_ms)
    }
}
