//! Who failed too often lately and is left alone for a while. Pure: whoever calls says what time it is.
//!
//! A circuit breaker with one half-open probe (Nygard, *Release It!*, 2018, chapter 5), opened by
//! failures in a row or by the share of successes in a window, for longer each time, as Envoy's outlier
//! detection does it.

use std::time::Duration;

use tokio::time::Instant;

use super::limits::Eject;

/// How a specialist did lately.
#[derive(Debug)]
pub(super) struct Breaker {
    state: State,
    in_a_row: u32,
    window: Window,
    /// How often it was left alone without being well for long in between.
    times: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is asked; since when, if it ever was left alone.
    Asked { since: Option<Instant> },
    /// It is left alone, then probed.
    Alone { until: Instant },
    /// One question is its probe.
    Probed,
}

#[derive(Debug)]
struct Window {
    began: Instant,
    good: u32,
    bad: u32,
}

impl Breaker {
    /// Nothing is known yet.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            state: State::Asked { since: None },
            in_a_row: 0,
            window: Window { began: now, good: 0, bad: 0 },
            times: 0,
        }
    }

    /// Whether it is left alone at `now`.
    pub(super) fn is_out(&self, now: Instant) -> bool {
        match self.state {
            State::Asked { .. } => false,
            State::Alone { until } => now < until,
            State::Probed => true,
        }
    }

    /// Whether it may be asked at `now`; `Some(true)` is its one probe, which must end in
    /// [`Breaker::record`] or [`Breaker::release`].
    pub(super) fn admit(&mut self, now: Instant) -> Option<bool> {
        match self.state {
            _ if self.is_out(now) => None,
            State::Asked { .. } => Some(false),
            State::Alone { .. } | State::Probed => {
                self.state = State::Probed;
                Some(true)
            }
        }
    }

    /// The probe ended without saying anything about the specialist: the next question is the probe.
    pub(super) fn release(&mut self, now: Instant) {
        if self.state == State::Probed {
            self.state = State::Alone { until: now };
        }
    }

    /// Takes in how an answer ended at `now`; whether that was the one failure too many.
    pub(super) fn record(&mut self, good: bool, now: Instant, limits: &Eject) -> bool {
        if now.saturating_duration_since(self.window.began) >= Duration::from_millis(limits.window_ms) {
            self.window = Window { began: now, good: 0, bad: 0 };
        }
        if good {
            self.window.good += 1;
            self.in_a_row = 0;
            if !matches!(self.state, State::Asked { .. }) {
                self.state = State::Asked { since: Some(now) };
            }
            return false;
        }
        self.window.bad += 1;
        self.in_a_row += 1;
        match self.state {
            // Answers that began before it was left alone, and questions that nobody else covers.
            State::Alone { .. } => return false,
            State::Asked { .. } if !self.is_bad(limits) => return false,
            State::Asked { since } => {
                let calm = since.is_none_or(|since| {
                    now.saturating_duration_since(since) >= Duration::from_millis(limits.out_ms_max)
                });
                self.times = if calm { 0 } else { self.times };
            }
            State::Probed => {}
        }
        self.times += 1;
        let out_ms = limits.out_ms.saturating_mul(self.times.into()).min(limits.out_ms_max);
        self.state = State::Alone { until: now + Duration::from_millis(out_ms) };
        self.in_a_row = 0;
        self.window = Window { began: now, good: 0, bad: 0 };
        true
    }

    fn is_bad(&self, limits: &Eject) -> bool {
        let Window { good, bad, .. } = self.window;
        let enough = good + bad >= limits.answers_min;
        self.in_a_row >= limits.failures_max
            || enough && f64::from(good) < f64::from(good + bad) * f64::from(limits.success_min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What happens, a letter each: `g`ood and `b`ad ends, `?` a question that comes (printed as
    /// `-` where it is not let through, `p` where it is the probe, `.` otherwise), `r`eleased probes,
    /// digits that many seconds, `m` a minute.
    #[track_caller]
    fn goes(story: &str, expected: &str) {
        let limits = Eject::default();
        let mut now = Instant::now();
        let mut breaker = Breaker::new(now);
        let mut seen = String::new();
        for event in story.chars() {
            match event {
                'g' | 'b' => {
                    if breaker.record(event == 'g', now, &limits) {
                        seen.push('!');
                    }
                }
                'r' => breaker.release(now),
                '?' => {
                    let out = breaker.is_out(now);
                    let admitted = breaker.admit(now);
                    assert_eq!(out, admitted.is_none());
                    seen.push(admitted.map_or('-', |probe| if probe { 'p' } else { '.' }));
                }
                'm' => now += Duration::from_mins(1),
                digit => now += Duration::from_secs(digit.to_digit(10).unwrap().into()),
            }
        }
        assert_eq!(seen, expected, "{story}");
    }

    #[test]
    fn five_failures_in_a_row_are_too_many() {
        goes("bbbb?b?", ".!-");
        goes("bbbbgbbbb?b?", ".!-");
    }

    #[test]
    fn less_than_half_good_in_a_window_is_too_little() {
        goes("gbbgbbgbbg?b?", ".!-");
        // The window is over before there are enough.
        goes("gbbgbbgbb91gb?b?", "..");
        // Half is enough.
        goes("gbgbgbgbgbgb?", ".");
    }

    #[test]
    fn one_probe_comes_first_and_its_end_decides() {
        goes("bbbbb999??3??", "!--p-");
        goes("bbbbb9993?g??", "!p..");
        goes("bbbbb9993?b?", "!p!-");
        // A reader who left says nothing about the specialist.
        goes("bbbbb9993?r??", "!pp-");
    }

    #[test]
    fn it_is_left_alone_longer_each_time_until_it_was_well_for_long() {
        // After 30 s the first time, after 60 s the second, ten times as long at the most.
        goes("bbbbb9993?b9993?9993?", "!p!-p");
        goes(&format!("bbbbb{}mmmm?mmmmm?", "mmmmm?b".repeat(12)), &format!("!{}-p", "p!".repeat(12)));
        // Well for five minutes in between.
        goes("bbbbbm?gmmmmmbbbbb9993?", "!p!p");
        goes("bbbbbm?gbbbbb9993?", "!p!-");
    }

    #[test]
    fn what_began_before_it_was_left_alone_changes_nothing() {
        goes("bbbbbbbb9993?", "!p");
        // But a good end shows that it is well.
        goes("bbbbbg?", "!.");
    }
}
