//! What is said of all that was measured.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{FLEET, Measured, Paces, Runner};
use crate::{limits::Pace, statistics::Estimate};

const MICROSECOND: Duration = Duration::from_micros(1);
const MILLISECOND: Duration = Duration::from_millis(1);

/// Medians over all rounds but the warm-up.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// A question of 12 tokens, from its arrival to the decision.
    pub(crate) route_ms_p50: Estimate,
    /// The decision alone.
    pub(crate) decide_us_p50: Estimate,
    /// The time of our fastest engine on the processor over candle's, round by round, for one question.
    pub(crate) packed_over_candle: Option<Estimate>,
    /// Our engine of this machine.
    pub(crate) engine: String,
    /// Prototypes that are searched.
    pub(crate) prototypes: usize,
    pub(crate) stages_us: StagesUs,
    pub(crate) encode: Vec<Encode>,
    pub(crate) limits: Vec<Limit>,
}

/// Microseconds of each stage of a route.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StagesUs {
    pub(crate) tokenize: Estimate,
    pub(crate) encode: Estimate,
    pub(crate) search: Estimate,
    pub(crate) decide: Estimate,
    #[serde(rename = "whole route")]
    pub(crate) route: Estimate,
}

/// How long an engine takes for a work.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Encode {
    pub(crate) engine: String,
    pub(crate) work: String,
    pub(crate) ms: Estimate,
    /// How much of what the machine can do at most is reached; see [`limit_share`].
    pub(crate) limit_share: Estimate,
}

/// What the machine can do at most.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Limit {
    /// Which numbers on what: `f32 on 2 threads`, `f16 on the card`.
    pub(crate) of: String,
    /// 10^9 additions and multiplications a second.
    pub(crate) gflops: Estimate,
    /// 10^9 bytes a second: on threads read from as much memory as the weights fill, on a card copied.
    pub(crate) gbytes: Estimate,
}

impl Figures {
    /// Of all rounds behind the first `warm_up`.
    pub(super) fn of(measured: &Measured, warm_up: usize) -> Self {
        let Measured { network: _, works, runners, stages, paces } = measured;
        let median = |times: &[Duration], unit| Estimate::median_time(counted(times, warm_up), unit);
        let mut ours = runners.iter().filter(|runner| runner.is_ours() && !runner.on_card());
        let (first, last) = (ours.next(), ours.next_back());
        let own = runners.iter().rfind(|runner| runner.is_ours());
        let over = first.zip(last).map(|(first, last)| {
            let pairs = counted(&last.took[0], warm_up).iter().zip(counted(&first.took[0], warm_up));
            Estimate::median(pairs.map(|(last, first)| last.as_secs_f64() / first.as_secs_f64()))
        });
        let all = |work: usize, runner: &Runner| Encode {
            engine: runner.name(),
            work: works[work].name.to_owned(),
            ms: median(&runner.took[work], MILLISECOND),
            limit_share: limit_share(measured, runner, work, warm_up),
        };
        Self {
            route_ms_p50: median(&stages.route, MILLISECOND),
            decide_us_p50: median(&stages.decide, MICROSECOND),
            packed_over_candle: over,
            engine: own.map(Runner::name).unwrap_or_default(),
            prototypes: FLEET.0 * FLEET.1,
            stages_us: StagesUs {
                tokenize: median(&stages.tokenize, MICROSECOND),
                encode: median(&stages.encode, MICROSECOND),
                search: median(&stages.search, MICROSECOND),
                decide: median(&stages.decide, MICROSECOND),
                route: median(&stages.route, MICROSECOND),
            },
            encode: (0..works.len()).flat_map(|work| runners.iter().map(move |r| all(work, r))).collect(),
            limits: limits(paces, warm_up),
        }
    }

    pub(crate) fn table(&self) -> String {
        let mut out = format!("{:<26}  {:<22} {:>9}  95 % interval\n", "milliseconds", "engine", "median");
        let mut before = "";
        for Encode { engine, work, ms, limit_share } in &self.encode {
            let name = if work == before { "" } else { work };
            before = work;
            line(&mut out, name, engine, *ms);
            let Estimate { value, low, high } = limit_share;
            out.pop();
            out += &format!(", {value:.2} ({low:.2} to {high:.2}) of the limit\n");
        }
        if let Some(ratio) = self.packed_over_candle {
            line(&mut out, "1 question of 12 tokens", "packed over candle", ratio);
        }
        out += &format!("\na question of 12 tokens over {} prototypes, microseconds\n", self.prototypes);
        for (name, time) in self.stages_us.named() {
            line(&mut out, name, &self.engine, time);
        }
        out += "\nthe limit\n";
        for Limit { of, gflops, gbytes } in &self.limits {
            line(&mut out, "GFLOP/s", of, *gflops);
            line(&mut out, "GB/s", of, *gbytes);
        }
        out
    }
}

impl StagesUs {
    pub(crate) fn named(&self) -> [(&'static str, Estimate); 5] {
        let Self { tokenize, encode, search, decide, route } = *self;
        [
            ("tokenize", tokenize),
            ("encode", encode),
            ("search", search),
            ("decide", decide),
            ("whole route", route),
        ]
    }
}

/// The time that the machine's limit allows over the time that `runner` took, round by round: the
/// larger of operations / (operations a second) and weight bytes / (bytes a second), both of all
/// threads, or of the card and of weights in `f16`.
fn limit_share(measured: &Measured, runner: &Runner, work: usize, warm_up: usize) -> Estimate {
    let Measured { network, works, paces, .. } = measured;
    let texts = u32::try_from(works[work].at_once).unwrap_or(u32::MAX);
    let flops = network.flops(texts, works[work].tokens);
    let (paces, bytes) = if runner.on_card() {
        (&paces.card, network.weight_bytes() / 2.0)
    } else {
        (&paces.all_threads, network.weight_bytes())
    };
    let rounds = counted(paces, warm_up).iter().zip(counted(&runner.took[work], warm_up));
    Estimate::median(rounds.map(|(pace, took)| {
        let least = (flops / pace.flops).max(bytes / pace.bytes);
        least / took.as_secs_f64()
    }))
}

fn limits(paces: &Paces, warm_up: usize) -> Vec<Limit> {
    let threads = format!("f32 on {} threads", rayon::current_num_threads());
    let all = [
        ("f32 on 1 thread".to_owned(), &paces.one_thread),
        (threads, &paces.all_threads),
        ("f16 on the card".to_owned(), &paces.card),
    ];
    let limit = |(of, paces): (String, &Vec<Pace>)| {
        let median = |figure: fn(&Pace) -> f64| Estimate::median(counted(paces, warm_up).iter().map(figure));
        let (gflops, gbytes) = (median(|pace| pace.flops / 1e9), median(|pace| pace.bytes / 1e9));
        Limit { of, gflops, gbytes }
    };
    all.into_iter().filter(|(_, paces)| !paces.is_empty()).map(limit).collect()
}

/// Without the warm-up.
fn counted<T>(rounds: &[T], warm_up: usize) -> &[T] {
    rounds.get(warm_up..).unwrap_or_default()
}

fn line(out: &mut String, name: &str, engine: &str, median: Estimate) {
    let Estimate { value, low, high } = median;
    *out += &format!("{name:<26}  {engine:<22} {value:>9.3}  {low:.3} to {high:.3}\n");
}
