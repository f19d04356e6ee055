//! Whatever happens to the files, the log that is opened from its entries is whole, and only grows.

use std::fs;

use audit::{Checkpoint, log::Writer};
use proptest::prelude::*;

use crate::{Log, entry, files};

/// Something that happens to a log.
#[derive(Debug, Clone)]
enum Step {
    Append(u32),
    Publish,
    /// It is opened anew. What was appended is kept elsewhere.
    Reopen,
    Delete(prop::sample::Index),
    Truncate(prop::sample::Index),
    Flip(prop::sample::Index, usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let file = any::<prop::sample::Index>;
    let step = prop_oneof![
        3 => prop_oneof![1..8_u32, 200..600_u32].prop_map(Step::Append),
        2 => Just(Step::Publish),
        2 => Just(Step::Reopen),
        2 => file().prop_map(Step::Delete),
        2 => file().prop_map(Step::Truncate),
        2 => (file(), any::<usize>()).prop_map(|(file, bit)| Step::Flip(file, bit)),
    ];
    prop::collection::vec(step, 1..24)
}

/// Tears the file that `at` picks, if there is one.
fn tear(log: &Log, at: prop::sample::Index, step: &Step) {
    let files = files(log.path());
    if files.is_empty() {
        return;
    }
    let path = log.path().join(at.get(&files));
    let mut bytes = fs::read(&path).unwrap();
    match step {
        Step::Delete(_) => return fs::remove_file(&path).unwrap(),
        Step::Flip(_, bit) if !bytes.is_empty() => {
            let bit = bit % (bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        _ => bytes.truncate(bytes.len() / 2),
    }
    fs::write(path, bytes).unwrap();
}

/// What readers saw: every checkpoint must be of those after it.
fn saw(log: &Log, seen: &mut Vec<Checkpoint>, checkpoint: Checkpoint) {
    for earlier in seen.iter() {
        assert!(earlier.size <= checkpoint.size, "it shrank");
        assert_eq!(log.reader().root_at(&checkpoint, earlier.size).unwrap(), earlier.root, "it forked");
    }
    seen.push(checkpoint);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_log_outlives_what_happens_to_its_files(steps in steps()) {
        let mut log = Log::new(crate::RECEIPTS);
        let mut writer: Writer = log.open().unwrap().0;
        let (mut seen, mut whole) = (Vec::new(), true);
        for step in &steps {
            match step {
                Step::Append(count) => {
                    for _ in 0..*count {
                        let next = entry(u32::try_from(log.entries.len()).unwrap());
                        log.append(&mut writer, next);
                    }
                }
                Step::Reopen => {
                    drop(writer);
                    writer = log.open().unwrap().0;
                    writer.publish().unwrap();
                    whole = true;
                }
                Step::Publish => drop(writer.publish().unwrap()),
                Step::Delete(at) | Step::Truncate(at) | Step::Flip(at, _) => {
                    tear(&log, *at, step);
                    whole = false;
                }
            }
            if whole && log.path().join("checkpoint").exists() {
                prop_assert!(log.audit().unwrap() <= log.entries.len() as u64);
                let opened = log.reader().checkpoint(&log.vkey(), &[]).unwrap();
                saw(&log, &mut seen, opened.checkpoint);
            }
        }
        drop(writer);
        let (mut writer, _) = log.open().unwrap();
        saw(&log, &mut seen, writer.publish().unwrap());
        prop_assert_eq!(log.audit().unwrap(), log.entries.len() as u64);
        drop(writer);
        prop_assert_eq!(log.open().unwrap().1, []);
    }
}
