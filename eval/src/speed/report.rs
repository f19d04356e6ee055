//! What was measured, as a table and as JSON.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    time::Duration,
};

use anyhow::Result;
use serde_json::{Value, json};

use super::{Encoder, FLEET, Format, Measured, Runner, Speed};
use crate::statistics::Median;

const MICROSECOND: Duration = Duration::from_micros(1);
const MILLISECOND: Duration = Duration::from_millis(1);

/// Prints what counts of `measured`.
pub(super) fn print(speed: &Speed, measured: &Measured) -> Result<()> {
    let counted = Counted { measured, warm_up: speed.rounds / 10 };
    let text = match speed.format {
        Format::Json => format!("{:#}\n", counted.json()),
        Format::Table => counted.table()?,
    };
    Ok(io::stdout().lock().write_all(text.as_bytes())?)
}

/// Rounds after the warm-up.
struct Counted<'a> {
    measured: &'a Measured,
    warm_up: usize,
}

impl Counted<'_> {
    fn median(&self, times: &[Duration], unit: Duration) -> Median {
        Median::of_times(times.get(self.warm_up..).unwrap_or_default(), unit)
    }

    /// Our two engines, where both run here.
    fn ours(&self) -> Option<(&Runner, &Runner)> {
        let mut ours = self.measured.runners.iter().filter(|r| matches!(r.encoder, Encoder::Ours(_)));
        Some((ours.next()?, ours.next()?))
    }

    /// The packed engine's time over candle's, round by round.
    fn packed_over_candle(&self, work: usize) -> Option<Median> {
        let (candle, packed) = self.ours()?;
        let pairs = packed.took[work].iter().zip(&candle.took[work]).skip(self.warm_up);
        Some(Median::of(pairs.map(|(p, c)| p.as_secs_f64() / c.as_secs_f64()).collect()))
    }

    fn stages(&self) -> [(&'static str, &[Duration]); 5] {
        let stages = &self.measured.stages;
        [
            ("tokenize", &stages.tokenize),
            ("encode", &stages.encode),
            ("search", &stages.search),
            ("decide", &stages.decide),
            ("whole route", &stages.route),
        ]
    }

    fn json(&self) -> Value {
        let Measured { works, runners, stages } = self.measured;
        let encode = runners.iter().flat_map(|runner| {
            works.iter().zip(&runner.took).map(|(work, took)| {
                let ms = self.median(took, MILLISECOND).json();
                json!({ "engine": runner.name(), "work": work.name, "ms": ms })
            })
        });
        let stages_us: serde_json::Map<String, Value> = self
            .stages()
            .into_iter()
            .map(|(name, times)| (name.to_owned(), self.median(times, MICROSECOND).json()))
            .collect();
        json!({
            "route_ms_p50": self.median(&stages.route, MILLISECOND).json(),
            "decide_us_p50": self.median(&stages.decide, MICROSECOND).json(),
            "packed_over_candle": self.packed_over_candle(0).map(Median::json),
            "stages_us": stages_us,
            "encode": encode.collect::<Vec<_>>(),
        })
    }

    fn table(&self) -> Result<String> {
        let Measured { works, runners, .. } = self.measured;
        let mut out = String::new();
        writeln!(out, "{:<26}  {:<22} {:>9}  95 % interval", "milliseconds", "engine", "median")?;
        for (at, work) in works.iter().enumerate() {
            for runner in runners {
                line(&mut out, work.name, runner.name(), self.median(&runner.took[at], MILLISECOND))?;
            }
            if let Some(ratio) = self.packed_over_candle(at) {
                line(&mut out, "", "packed over candle", ratio)?;
            }
        }
        let (specialists, each) = FLEET;
        writeln!(out, "\na question of 12 tokens over {} prototypes", specialists * each)?;
        let engine = self.ours().map_or("candle", |(_, packed)| packed.name());
        for (name, times) in self.stages() {
            line(&mut out, name, engine, self.median(times, MILLISECOND))?;
        }
        Ok(out)
    }
}

fn line(out: &mut String, name: &str, engine: &str, median: Median) -> Result<()> {
    let Median { value, low, high } = median;
    Ok(writeln!(out, "{name:<26}  {engine:<22} {value:>9.3}  {low:.3} to {high:.3}")?)
}
