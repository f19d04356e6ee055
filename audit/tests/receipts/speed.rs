//! What receipts cost: `cargo bench -p audit`. The first number is the median, the second the 99th percentile.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::print_stdout,
    clippy::unwrap_used
)]

#[allow(dead_code, reason = "the tests use the rest")]
mod samples;

use std::time::{Duration, Instant};

use audit::{
    Bundle, Salt, leaf, signed, signed::Kind, transcript::Commitments, trust::Trust, verify::verify,
};
use proto::wire::Vouching;

use samples::{
    Plan,
    made::{Made, make},
    plan, seal,
};

const ROUNDS: usize = 2_000;

fn main() {
    let mut plan = (0..10_000).map(plan).find(is_large).unwrap();
    let made = make(&mut plan);
    let bundle = seal(&plan.world, &made);
    let (json, trust) = (bundle.to_json(), Trust::read(&plan.world.trust()).unwrap());
    let passages: usize = plan.calls.iter().map(|call| call.passages.len()).sum();
    println!(
        "a receipt.json of {} bytes: {} calls, {passages} passages, {} registered cards",
        json.len(),
        plan.calls.len(),
        bundle.institutions().len()
    );
    time("a specialist's statement: commit and sign", || statement(&plan, &made));
    time("a router's receipt: commit to all of it, sign, hash its leaf", || receipt(&plan, &made));
    time("verify receipt.json", || assert!(verify(json.as_bytes(), Some(&trust)).is_verified()));
    time("read receipt.json and nothing else", || assert!(Bundle::read(json.as_bytes()).is_ok()));
}

/// Everybody signed, and the opening is there.
fn is_large(plan: &Plan) -> bool {
    plan.calls.len() == 4 && !plan.closed && plan.calls.iter().all(|call| call.vouching == Vouching::Signed)
}

fn time(what: &str, run: impl Fn()) {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    let [median, tail] = [ROUNDS / 2, ROUNDS * 99 / 100].map(|at| times[at].as_secs_f64() * 1e6);
    println!("{what}: {median:.0} µs, {tail:.0} µs");
}

fn commit(salt: &Salt, made: &Made, at: usize) -> Commitments {
    let open = &made.opening.as_ref().unwrap().calls[at];
    let passages = open.passages.iter().map(|one| one.passage.0.as_slice());
    Commitments::new(salt, &open.request.0, &open.answer, passages)
}

fn statement(plan: &Plan, made: &Made) {
    let call = &made.receipt.calls[0];
    let commitments = commit(&plan.salt.of_call(&call.specialist_id), made, 0);
    assert_eq!(commitments.answer.as_bytes(), call.answer.as_slice());
    let key = plan.world.specialists[plan.calls[0].who].key.as_ref().unwrap();
    signed::sign(key, Kind::Statement, call.statement.as_ref().unwrap().payload.clone());
}

fn receipt(plan: &Plan, made: &Made) {
    let opening = made.opening.as_ref().unwrap();
    let fields = [
        ("question", opening.question.0.as_slice()),
        ("derivation", &opening.derivation.0),
        ("text", opening.text.as_bytes()),
    ];
    for (label, bytes) in fields {
        std::hint::black_box(plan.salt.commit(label, bytes));
    }
    for (at, call) in made.receipt.calls.iter().enumerate() {
        std::hint::black_box(commit(&plan.salt.of_call(&call.specialist_id), made, at));
    }
    let signed = signed::sign(&plan.world.router, Kind::Receipt, made.payload());
    std::hint::black_box(leaf(&made.leaf_salt, &signed, &plan.world.name));
}
