//! The router among specialists that fail in every way, in a simulated network: the shipped dispatch,
//! merge and turn over turmoil, in virtual time, where a seed decides everything.
//!
//! `CONSILIUM_SEED=1234` runs that seed alone and prints what happens, `CONSILIUM_SEEDS=100000` runs so
//! many; `make simulate` sets them.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod check;
mod dice;
mod named;
mod plan;
mod record;
mod script;
mod trace;
mod world;

use std::{
    any::Any,
    env,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    thread::{self, ScopedJoinHandle},
    time::Instant,
};

use plan::Plan;

/// How many seeds run where nobody says otherwise.
const SEEDS: u64 = 500;

/// The most failing seeds that are reported.
const REPORTED_MAX: usize = 8;

#[test]
fn what_must_hold_does_whatever_goes_wrong() {
    if let Some(seed) = setting("CONSILIUM_SEED") {
        let plan = Plan::of(seed);
        println!("{}{}", trace::plan(&plan), trace::run(&plan, &world::run(&plan)));
        assert_eq!(fails(seed), None);
        return;
    }
    let seeds = setting("CONSILIUM_SEEDS").unwrap_or(SEEDS);
    let began = Instant::now();
    let count = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let failed: Vec<String> = thread::scope(|scope| {
        let share = |first| {
            scope.spawn(move || (first..seeds).step_by(count).filter_map(fails).take(REPORTED_MAX).collect())
        };
        let shares: Vec<ScopedJoinHandle<'_, Vec<String>>> = (0..).take(count).map(share).collect();
        shares.into_iter().flat_map(|share| share.join().unwrap()).collect()
    });
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    println!("{seeds} seeds, each twice, in {:?}", began.elapsed());
}

/// What is wrong with the run of a seed, and how to see it again.
fn fails(seed: u64) -> Option<String> {
    let plan = Plan::of(seed);
    let twice = catch_unwind(AssertUnwindSafe(|| [world::run(&plan), world::run(&plan)]));
    let why = match &twice {
        Ok([run, again]) => {
            let [one, other] = [run, again].map(|run| trace::same_everywhere(&plan, run));
            check::check(&plan, run).and_then(|()| same(&one, &other))
        }
        Err(panic) => Err(format!("it panics: {}", said(panic.as_ref()))),
    };
    why.err().map(|why| format!("seed {seed}: {why}; see it again with `make simulate SEED={seed}`"))
}

/// The same seed gives the same run.
fn same(one: &str, other: &str) -> Result<(), String> {
    let differs = one.lines().zip(other.lines()).find(|(one, other)| one != other);
    match differs {
        Some((one, other)) => Err(format!("a second run differs: {one:?} became {other:?}")),
        None if one.len() != other.len() => Err("a second run has another end".to_owned()),
        None => Ok(()),
    }
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("it does not say why")
}

fn setting(name: &str) -> Option<u64> {
    let value = env::var(name).ok().filter(|value| !value.is_empty())?;
    let number = value.parse();
    assert!(number.is_ok(), "{name} must be a number, and is {value:?}");
    number.ok()
}
