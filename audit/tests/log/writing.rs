//! One writer, one history.

use std::{convert::Infallible, fs, io};

use audit::{
    Checkpoint, SecretKey, Vkey,
    checkpoint::cosign,
    log::{Damage, ENTRY_BYTES_MAX, LogError, OpenError, Writer},
    note::Algorithm,
};

use crate::{Log, entry, files};

#[test]
fn only_what_was_published_is_proven() {
    let mut log = Log::of(300);
    let (mut writer, repairs) = log.open().unwrap();
    assert_eq!(repairs, []);
    log.append(&mut writer, entry(300));
    assert!(matches!(writer.prove(300), Err(LogError::Unpublished(300))));
    assert_eq!(writer.publish().unwrap().size, 301);
    for index in 0..=300 {
        assert_eq!(log.check(&writer.prove(index).unwrap()), 301);
    }
    assert_eq!(log.audit().unwrap(), 301);
}

#[test]
fn it_may_be_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    let log = Log::of(3);
    shared(&log.open().unwrap().0);
    shared(&log.reader());
}

#[test]
fn an_empty_log_and_an_empty_or_longest_entry_are_fine() {
    let mut log = Log::of(0);
    assert_eq!(log.audit().unwrap(), 0);
    let (mut writer, _) = log.open().unwrap();
    log.append(&mut writer, Vec::new());
    log.append(&mut writer, vec![7; ENTRY_BYTES_MAX]);
    let long = writer.append(&vec![7; ENTRY_BYTES_MAX + 1]);
    assert!(matches!(long, Err(LogError::Entry(65_536))));
    writer.publish().unwrap();
    assert_eq!(log.audit().unwrap(), 2);
}

#[test]
fn what_it_was_before_it_was_complete_goes_once_it_is() {
    let mut log = Log::of(255);
    let (mut writer, _) = log.open().unwrap();
    log.append(&mut writer, entry(255));
    writer.publish().unwrap();
    assert_eq!(files(log.path()), ["checkpoint", "tile/0/000", "tile/1/000.p/1", "tile/entries/000"]);
    assert_eq!(log.audit().unwrap(), 256);
}

#[test]
fn a_reader_with_an_earlier_checkpoint_still_finds_its_tiles() {
    let mut log = Log::of(200);
    let earlier = log.reader().checkpoint(&log.vkey(), &[]).unwrap().checkpoint;
    let (mut writer, _) = log.open().unwrap();
    (200..400).for_each(|index| log.append(&mut writer, entry(index)));
    writer.publish().unwrap();
    let mut count = 0;
    let visit = |_, _: &[u8]| {
        count += 1;
        Ok::<_, LogError>(())
    };
    log.reader().entries(&earlier, 0, visit).unwrap();
    assert_eq!(count, 200);
}

#[test]
fn what_was_torn_is_named_and_put_right() {
    let log = Log::of(600);
    fs::remove_file(log.path().join("tile/entries/001")).unwrap();
    fs::write(log.path().join("tile/0/000"), b"torn").unwrap();
    fs::create_dir(log.path().join("tile/0/001.p")).unwrap();
    fs::write(log.path().join("tile/1/000.p/2"), [0; 64]).unwrap();
    let (_, repairs) = log.open().unwrap();
    let found: Vec<_> = repairs.iter().map(|repair| (repair.file.as_str(), repair.was)).collect();
    let expected = [
        ("tile/0/000", Damage::Altered),
        ("tile/entries/001", Damage::Missing),
        ("tile/0/001.p", Damage::Left),
        ("tile/1/000.p/2", Damage::Altered),
    ];
    assert_eq!(found, expected);
    assert_eq!(log.audit().unwrap(), 600);
}

#[test]
fn a_torn_tile_is_found_before_a_proof_goes_out() {
    let log = Log::of(600);
    let (writer, _) = log.open().unwrap();
    let path = log.path().join("tile/0/000");
    let mut bytes = fs::read(&path).unwrap();
    bytes[9] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(matches!(writer.prove(100), Err(LogError::Torn(tile)) if tile == "tile/0/000"));
    assert_eq!(log.check(&writer.prove(300).unwrap()), 600, "which needs another");
    fs::remove_file(&path).unwrap();
    assert!(matches!(writer.prove(100), Err(LogError::Missing(tile)) if tile == "tile/0/000"));
}

#[test]
fn files_ahead_of_their_checkpoint_are_no_trouble() {
    let mut log = Log::of(100);
    let (mut writer, _) = log.open().unwrap();
    (100..9_000).for_each(|index| log.append(&mut writer, entry(index)));
    drop(writer);
    assert!(log.path().join("tile/entries/031").exists(), "some were written");
    assert_eq!(log.audit().unwrap(), 100);
    let (mut writer, repairs) = log.open().unwrap();
    assert_eq!(repairs, []);
    assert_eq!(log.check(&writer.prove(99).unwrap()), 100);
    writer.publish().unwrap();
    assert_eq!(log.audit().unwrap(), 9_000);
    assert!(!log.path().join("tile/0/000.p").exists(), "what went before is gone");
}

#[test]
fn a_second_writer_is_refused_as_long_as_there_is_one() {
    let log = Log::of(3);
    let (writer, _) = log.open().unwrap();
    assert!(matches!(log.open(), Err(LogError::Locked(_))));
    drop(writer);
    log.open().unwrap();
}

#[test]
fn entries_that_were_signed_cannot_be_taken_back_or_changed() {
    let log = Log::of(600);
    fs::remove_file(log.path().join("tile/0/000")).unwrap();
    let before = files(log.path());
    let rollback = log.open_with(&log.entries[..599]).unwrap_err();
    assert!(matches!(rollback, LogError::Rollback { known: 600, found: 599, .. }));
    let mut other = log.entries.clone();
    other[17] = b"other".to_vec();
    let fork = log.open_with(&other).unwrap_err();
    assert!(matches!(fork, LogError::Fork { size: 600, .. }));
    assert_eq!(files(log.path()), before, "and the folder is as it was");

    fs::remove_file(log.path().join("checkpoint")).unwrap();
    let (mut writer, _) = log.open_with(&other).unwrap();
    writer.publish().unwrap();
    let read = log.reader().audit(&log.vkey(), &[], |_, _| Ok::<_, LogError>(())).unwrap();
    assert_eq!(read.checkpoint.size, 600, "unless nothing was signed");
}

#[test]
fn entries_that_cannot_be_read_are_reported() {
    let log = Log::of(3);
    let entries = [Ok(b"a".to_vec()), Err(io::Error::other("no disk"))].into_iter();
    assert!(matches!(Writer::open(log.settings(), entries), Err(OpenError::Entries(_))));
}

struct Witness(&'static str, SecretKey);

impl Witness {
    fn new(name: &'static str) -> Self {
        Self(name, SecretKey::generate().unwrap())
    }

    fn vkey(&self) -> Vkey {
        Vkey::new(self.0, Algorithm::Cosignature, self.1.public()).unwrap()
    }

    /// The note with its line.
    fn cosign(&self, log: &Log, checkpoint: &Checkpoint) -> String {
        let mut note = checkpoint.sign(&log.key).unwrap();
        note.lines.push(cosign(checkpoint, self.0, &self.1, 1_800_000_000).unwrap());
        note.to_string()
    }
}

#[test]
fn the_proof_that_most_witnesses_stand_behind_is_given() {
    let (one, other) = (Witness::new("w1"), Witness::new("w2"));
    let mut log = Log::of(10);
    log.witnesses = vec![one.vkey(), other.vkey()];
    let (mut writer, _) = log.open().unwrap();
    let at_10 = writer.publish().unwrap();
    assert_eq!(writer.cosign(&one.cosign(&log, &at_10)).unwrap(), 1);
    assert_eq!(writer.cosign(&other.cosign(&log, &at_10)).unwrap(), 2);
    assert_eq!(log.reader().checkpoint(&log.vkey(), &log.witnesses).unwrap().cosignatures.len(), 2);

    (10..300).for_each(|index| log.append(&mut writer, entry(index)));
    let at_300 = writer.publish().unwrap();
    assert_eq!(log.check(&writer.prove(9).unwrap()), 10, "by two witnesses");
    assert_eq!(log.check(&writer.prove_since(9, 10).unwrap()), 10, "which has enough");
    assert_eq!(log.check(&writer.prove_since(9, 11).unwrap()), 300, "by none");
    assert!(matches!(writer.prove_since(9, 301), Err(LogError::Unpublished(9))));
    assert_eq!(log.check(&writer.prove(10).unwrap()), 300, "by none");
    assert_eq!(writer.cosign(&one.cosign(&log, &at_300)).unwrap(), 1);
    log.append(&mut writer, entry(300));
    writer.publish().unwrap();
    assert_eq!(log.check(&writer.prove(10).unwrap()), 300, "by one");
    assert_eq!(log.check(&writer.prove(300).unwrap()), 301, "by none");

    drop(writer);
    let (mut writer, _) = log.open().unwrap();
    assert_eq!(log.check(&writer.prove(9).unwrap()), 10, "still by two");
    assert_eq!(log.check(&writer.prove(10).unwrap()), 300, "still by one");
    assert_eq!(writer.cosign(&other.cosign(&log, &at_300)).unwrap(), 2);
    assert_eq!(log.check(&writer.prove(9).unwrap()), 300, "the newest by two");
    assert_eq!(files(&log.path().join("witnessed")), ["2"]);
}

#[test]
fn only_known_witnesses_of_own_checkpoints_are_taken() {
    let (known, stranger) = (Witness::new("w1"), Witness::new("w2"));
    let mut log = Log::of(10);
    log.witnesses = vec![known.vkey()];
    let (mut writer, _) = log.open().unwrap();
    let own = writer.publish().unwrap();
    assert!(matches!(writer.cosign(&stranger.cosign(&log, &own)), Err(LogError::Uncosigned)));
    let later = Checkpoint { size: 11, ..own.clone() };
    assert!(matches!(writer.cosign(&known.cosign(&log, &later)), Err(LogError::Foreign)));
    let fork = Checkpoint { size: 9, ..own.clone() };
    assert!(matches!(writer.cosign(&known.cosign(&log, &fork)), Err(LogError::Foreign)));
    let wrong = known.cosign(&log, &own).replace("w1", "w3");
    assert!(matches!(writer.cosign(&wrong), Err(LogError::Checkpoint(_))));
    assert!(matches!(writer.cosign("no note"), Err(LogError::Checkpoint(_))));
    assert_eq!(files(log.path()), ["checkpoint", "tile/0/000.p/10", "tile/entries/000.p/10"]);
}

#[test]
fn a_cosigned_checkpoint_binds_though_the_newest_is_lost() {
    let witness = Witness::new("w1");
    let mut log = Log::of(10);
    log.witnesses = vec![witness.vkey()];
    let (mut writer, _) = log.open().unwrap();
    let own = writer.publish().unwrap();
    writer.cosign(&witness.cosign(&log, &own)).unwrap();
    drop(writer);
    fs::remove_file(log.path().join("checkpoint")).unwrap();
    let entries = log.entries[..9].iter().cloned().map(Ok::<_, Infallible>);
    let error = Writer::open(log.settings(), entries).unwrap_err();
    assert!(matches!(error, OpenError::Log(LogError::Rollback { known: 10, found: 9, .. })));
    let (_, repairs) = log.open().unwrap();
    assert_eq!(repairs.len(), 1);
    assert_eq!((repairs[0].file.as_str(), repairs[0].was), ("checkpoint", Damage::Missing));
}
