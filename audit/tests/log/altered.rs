//! No bit of a log can be altered unnoticed.

use std::fs;

use audit::{checkpoint::CheckpointError, log::LogError};

use crate::{Log, files};

/// Whether the refusal says which file it is, or what is wrong with the checkpoint.
fn names(error: &LogError, file: &str) -> bool {
    let stem = file.split_once(".p/").map_or(file, |(stem, _)| stem);
    match error {
        LogError::Checkpoint(CheckpointError::Note(_)) => file == "checkpoint",
        LogError::Torn(named) | LogError::Missing(named) => named.contains(stem),
        LogError::Long { path, .. } => path.contains(stem),
        _ => false,
    }
}

#[track_caller]
fn refused_with(log: &Log, file: &str, bytes: &[u8], bit: usize) {
    let mut flipped = bytes.to_vec();
    flipped[bit / 8] ^= 1 << (bit % 8);
    fs::write(log.path().join(file), &flipped).unwrap();
    let error = log.audit().unwrap_err();
    assert!(names(&error, file), "bit {bit} of {file}: {error}");
}

#[test]
fn every_flipped_bit_of_a_small_log_is_refused_by_name() {
    for size in [1, 40, 300] {
        let log = Log::of(size);
        assert_eq!(log.audit().unwrap(), u64::from(size));
        for file in files(log.path()) {
            let path = log.path().join(&file);
            let bytes = fs::read(&path).unwrap();
            // In large files one bit of each byte.
            let step = if bytes.len() > 512 { 9 } else { 1 };
            for bit in (0..bytes.len() * 8).step_by(step) {
                refused_with(&log, &file, &bytes, bit);
            }
            fs::write(&path, &bytes).unwrap();
        }
    }
}

#[test]
fn ten_thousand_flipped_bits_of_a_large_log_are_refused_by_name() {
    let log = Log::of(3_000);
    let (mut random, files) = (fastrand::Rng::with_seed(7), files(log.path()));
    for _ in 0..10_000 {
        let file = random.choice(&files).unwrap();
        let path = log.path().join(file);
        let bytes = fs::read(&path).unwrap();
        refused_with(&log, file, &bytes, random.usize(..bytes.len() * 8));
        fs::write(&path, &bytes).unwrap();
    }
}

#[test]
fn whatever_is_missing_cut_or_longer_is_refused_by_name() {
    let log = Log::of(600);
    for file in files(log.path()) {
        let path = log.path().join(&file);
        let bytes = fs::read(&path).unwrap();
        let longer = [bytes.as_slice(), b"\0\0"].concat();
        for altered in [&bytes[..bytes.len() - 1], &[], &longer] {
            fs::write(&path, altered).unwrap();
            let error = log.audit().unwrap_err();
            assert!(names(&error, &file), "{file}: {error}");
        }
        fs::remove_file(&path).unwrap();
        let error = log.audit().unwrap_err();
        assert!(matches!(&error, LogError::Missing(named) if *named == file), "{file}: {error}");
        fs::write(&path, &bytes).unwrap();
    }
    assert_eq!(log.audit().unwrap(), 600);
}
