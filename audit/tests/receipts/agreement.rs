//! The verifier in TypeScript finds what the one in Rust finds. Skipped where there is no node.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
    thread,
};

use audit::{Base64, Kind, signed, trust::Trust, verify::verify};
use proto::wire::Vouching;

use super::{
    flips::first,
    lies,
    samples::{Plan, made::make, plan, seal},
};

/// How many receipts both verifiers check.
const RECEIPTS: usize = 1_000;

/// How many flips of one receipt.
const FLIPS: usize = 2_000;

/// The folder of the TypeScript verifier.
pub(crate) const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/ts");

/// A receipt.json, and whom its reader trusts.
struct Case {
    what: String,
    receipt: Vec<u8>,
    trust: Option<String>,
}

/// Whether there is a node that can check signatures; says so where there is none.
pub(crate) fn node() -> bool {
    let script = "process.exit(Number(process.versions.node.split('.')[0]) < 20 ? 1 : 0)";
    let found = Command::new("node").args(["-e", script]).status().is_ok_and(|status| status.success());
    if !found {
        eprintln!("skipped: there is no node of version 20 or later");
    }
    found
}

/// What node finds in each of `cases`.
fn found_by_node(cases: &[Case]) -> Vec<BTreeSet<String>> {
    let mut node = Command::new("node")
        .arg(format!("{FOLDER}/agree.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut input, output) = (node.stdin.take().unwrap(), node.stdout.take().unwrap());
    let found = thread::scope(|scope| {
        scope.spawn(move || {
            for case in cases {
                let receipt = serde_json::to_value(Base64(&case.receipt)).unwrap();
                writeln!(input, "{}", serde_json::json!({ "receipt": receipt, "trust": case.trust }))
                    .unwrap();
            }
        });
        BufReader::new(output).lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
    });
    assert!(node.wait().unwrap().success());
    found
}

fn found_by_rust(case: &Case) -> BTreeSet<String> {
    let trust = case.trust.as_ref().map(|trust| Trust::read(trust).unwrap());
    let report = verify(&case.receipt, trust.as_ref());
    let failures = report.failures.iter().map(|(failure, place)| format!("{}@{place}", failure.name()));
    let remarks = report.remarks.iter().map(|(remark, place)| format!("{}@{place}", remark.name()));
    failures.chain(remarks).collect()
}

/// Checks that both find the same in all `cases`; how many different things they found.
fn agree(cases: &[Case]) -> BTreeSet<String> {
    let found = found_by_node(cases);
    assert_eq!(found.len(), cases.len());
    let mut names = BTreeSet::new();
    for (case, by_node) in cases.iter().zip(found) {
        assert_eq!(found_by_rust(case), by_node, "{}", case.what);
        names.extend(by_node.iter().filter_map(|one| one.split('@').next().map(str::to_owned)));
    }
    names
}

/// `bytes` with something changed by chance.
fn garbled(rng: &mut fastrand::Rng, bytes: &[u8]) -> Vec<u8> {
    let mut garbled = bytes.to_vec();
    let at = rng.usize(..=bytes.len());
    match rng.u8(..4) {
        0 => garbled.insert(at, rng.u8(..)),
        1 => drop(garbled.splice(at..(at + rng.usize(..4)).min(bytes.len()), [])),
        2 => garbled.extend_from_slice(&bytes[at..]),
        _ if bytes.is_empty() => {}
        _ => garbled[at % bytes.len()] ^= 1 << rng.u8(..8),
    }
    garbled
}

/// A receipt whose router, or whoever it calls, signs something garbled.
fn nonsense(seed: u64) -> (Plan, Vec<u8>) {
    let mut plan = plan(seed);
    let mut made = make(&mut plan);
    let rng = &mut fastrand::Rng::with_seed(seed);
    let payload = made.payload();
    let call = plan.calls.iter().position(|call| call.vouching == Vouching::Signed);
    match (rng.u8(..6), call, &mut made.opening) {
        (0, Some(at), _) => {
            let key = plan.world.specialists[plan.calls[at].who].key.as_ref().unwrap();
            let statement = made.receipt.calls[at].statement.take().unwrap().payload;
            made.receipt.calls[at].statement =
                Some(signed::sign(key, Kind::Statement, garbled(rng, &statement)));
        }
        (1, Some(_), _) => made.institutions[0].0 = garbled(rng, &made.institutions[0].0),
        (2, Some(_), _) => {
            let at = made.institutions[0].1;
            made.entries[at] = garbled(rng, &made.entries[at]);
        }
        (3, Some(at), Some(opening)) => {
            opening.calls[at].request.0 = garbled(rng, &opening.calls[at].request.0);
            let passage = &mut opening.calls[at].passages[0].passage;
            passage.0 = garbled(rng, &passage.0);
        }
        (4, _, Some(opening)) => opening.question.0 = garbled(rng, &opening.question.0),
        _ => made.garbled = Some(garbled(rng, &payload)),
    }
    let json = seal(&plan.world, &made).to_json().into_bytes();
    (plan, json)
}

#[test]
fn both_verifiers_find_the_same() {
    if !node() {
        return;
    }
    let (lies, mut cases): (Vec<_>, Vec<Case>) = (lies::all().collect(), Vec::new());
    // Two of four are nonsense, since what nobody thought of is found there.
    for seed in 0.. {
        let (what, _, _) = lies[usize::try_from(seed).unwrap() / 4 % lies.len()];
        let how = &lies[usize::try_from(seed).unwrap() / 4 % lies.len()].1;
        let (what, (plan, receipt)) = match seed % 4 {
            0 => {
                let mut plan = plan(seed);
                let made = make(&mut plan);
                let json = seal(&plan.world, &made).to_json().into_bytes();
                ("right", (plan, json))
            }
            1 | 2 => ("nonsense", nonsense(seed)),
            _ => match lies::told(seed, how) {
                Some((plan, json)) => (*what, (plan, json.into_bytes())),
                None => continue,
            },
        };
        let trust = (seed % 11 != 9).then(|| plan.world.trust());
        cases.push(Case { what: format!("{what}, seed {seed}"), receipt, trust });
        if cases.len() == RECEIPTS {
            break;
        }
    }
    let names = agree(&cases);
    assert!(names.len() > 45, "only {names:?}");
}

#[test]
fn both_verifiers_find_the_same_wherever_a_bit_is_flipped() {
    if !node() {
        return;
    }
    let mut plan = first(|plan| plan.calls.len() > 1 && !plan.closed && plan.world.witnessed);
    let made = make(&mut plan);
    let (json, trust) = (seal(&plan.world, &made).to_json().into_bytes(), plan.world.trust());
    let mut rng = fastrand::Rng::with_seed(5);
    let case = |_| {
        let bit = rng.usize(..json.len() * 8);
        let mut receipt = json.clone();
        receipt[bit / 8] ^= 1 << (bit % 8);
        Case { what: format!("bit {bit}"), receipt, trust: Some(trust.clone()) }
    };
    agree(&(0..FLIPS).map(case).collect::<Vec<_>>());
}

#[test]
fn both_verifiers_say_the_same_words() {
    let table = std::fs::read_to_string(format!("{FOLDER}/src/failures.ts")).unwrap();
    let failures = audit::verify::Failure::ALL.iter().map(|one| (one.name(), one.says()));
    let remarks = audit::verify::Remark::ALL.iter().map(|one| (one.name(), one.says()));
    for (name, says) in failures.chain(remarks) {
        let quote = if says.contains('\'') { '"' } else { '\'' };
        let line = format!("  {name}: {quote}{says}{quote},\n");
        assert!(table.contains(&line), "failures.ts has not{line}");
    }
}

#[test]
fn what_is_built_is_in_step() {
    let compiler = format!("{FOLDER}/node_modules/typescript/bin/tsc");
    if !node() || !std::path::Path::new(&compiler).exists() {
        eprintln!("skipped: there is no TypeScript; run `make verifier`");
        return;
    }
    let built = tempfile::tempdir().unwrap();
    let status = Command::new("node").arg(format!("{FOLDER}/build.mjs")).arg(built.path()).status().unwrap();
    assert!(status.success());
    for name in ["verify.js", "verify.html", "verify.html.sha256"] {
        let kept = std::fs::read(format!("{FOLDER}/dist/{name}")).unwrap();
        assert!(std::fs::read(built.path().join(name)).unwrap() == kept, "{name}: run `make verifier`");
    }
}
