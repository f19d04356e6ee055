//! The program `audit`, as people run it.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use audit::{SecretKey, Vkey, note::Algorithm};
use tempfile::TempDir;

use crate::{Log, RECEIPTS, entry, served::serve};

pub(crate) fn audit(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_audit")).args(args).output().unwrap()
}

/// What it printed, where it found nothing wrong.
#[track_caller]
pub(crate) fn fine(args: &[&str]) -> String {
    let output = audit(args);
    let (said, why) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!((output.status.code(), why.as_str()), (Some(0), ""), "{said}");
    said
}

/// Why it refused, with this exit code.
#[track_caller]
pub(crate) fn refused(args: &[&str], code: i32) -> String {
    let output = audit(args);
    let why = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{why}");
    assert_eq!(output.stdout, b"", "a refusal says nothing else");
    why
}

impl Log {
    fn place(&self) -> &str {
        self.path().to_str().unwrap()
    }

    /// More of the same, published.
    fn grow(&mut self, count: u32) {
        let (mut writer, _) = self.open().unwrap();
        let size = u32::try_from(self.entries.len()).unwrap();
        (size..size + count).for_each(|index| self.append(&mut writer, entry(index)));
        writer.publish().unwrap();
    }

    /// A copy of it as it is, with the same key.
    fn copy(&self) -> Self {
        let mut copy = Log { key: self.key.clone(), entries: self.entries.clone(), ..Log::new(self.origin) };
        copy.grow(0);
        copy
    }
}

#[test]
fn a_whole_log_is_checked_by_its_key_or_a_trust_file() {
    let log = Log::of(300);
    let key = log.vkey().to_string();
    let said = fine(&["log", log.place(), "--key", &key]);
    assert!(said.contains("r/receipts") && said.contains("300, every one"), "{said}");

    let registry = Vkey::new("r/registry", Algorithm::Ed25519, log.key.public()).unwrap();
    let trust = log.path().join("trust.json");
    let json =
        format!(r#"{{"v":1,"receipts":"{key}","registry":"{registry}","witnesses":[],"witnesses_min":0}}"#);
    fs::write(&trust, &json).unwrap();
    assert_eq!(fine(&["log", log.place(), "--trust", trust.to_str().unwrap()]), said);
    let (url, _) = serve(log.path());
    assert_eq!(fine(&["log", &url, "--key", &key]), said);

    fs::write(log.path().join("tile/entries/000"), "torn").unwrap();
    let why = refused(&["log", log.place(), "--key", &key], 1);
    assert!(why.starts_with("audit: tile/entries/000 is not what the log signed"), "{why}");
}

#[test]
fn what_cannot_be_checked_is_no_refusal() {
    let log = Log::of(3);
    let (place, key) = (log.place(), log.vkey().to_string());
    refused(&["log", place], 2);
    refused(&["log", place, "--key", "x"], 2);
    refused(&["log", place, "--trust", "/does/not/exist"], 2);
    let https = refused(&["log", "https://example.org", "--key", &key], 2);
    assert!(https.contains("https is not spoken here"), "{https}");
    let nothing = refused(&["log", "/does/not/exist", "--key", &key], 2);
    assert!(nothing.contains("the log has no checkpoint"), "{nothing}");
    refused(&["log", "http://127.0.0.1:1", "--key", &key], 2);
    let other = Vkey::new(RECEIPTS, Algorithm::Ed25519, SecretKey::generate().unwrap().public()).unwrap();
    let why = refused(&["log", place, "--key", &other.to_string()], 1);
    assert!(why.contains("names another key"), "{why}");
}

#[test]
fn a_closed_pipe_is_fine() {
    let log = Log::of(3);
    let mut child = Command::new(env!("CARGO_BIN_EXE_audit"))
        .args(["log", log.place(), "--key", &log.vkey().to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

#[test]
fn growth_rollback_and_fork_have_their_names() {
    let mut log = Log::of(300);
    let key = log.vkey().to_string();
    let earlier = log.path().join("earlier");
    fs::copy(log.path().join("checkpoint"), &earlier).unwrap();
    let earlier = earlier.to_str().unwrap();
    let (before, mut fork) = (log.copy(), log.copy());
    let same = fine(&["diff", earlier, log.place(), "--key", &key]);
    assert_eq!(same, "r/receipts has the same 300 entries\n");

    log.grow(300);
    for was in [earlier, before.place()] {
        let grew = fine(&["diff", was, log.place(), "--key", &key]);
        assert_eq!(grew, "r/receipts grew from 300 to 600 entries, and only grew\n");
    }
    let rollback = refused(&["diff", log.place(), earlier, "--key", &key], 1);
    assert!(rollback.contains("rollback: the log r/receipts had 600 entries, and now has 300"), "{rollback}");

    fork.entries[7] = b"another history".to_vec();
    fs::remove_file(fork.path().join("checkpoint")).unwrap();
    fork.grow(400);
    let why = refused(&["diff", earlier, fork.place(), "--key", &key], 1);
    assert!(why.contains("fork: the log r/receipts shows two different histories"), "{why}");
    let of_600 = log.path().join("checkpoint");
    let why = refused(&["diff", earlier, of_600.to_str().unwrap(), "--key", &key], 2);
    assert!(why.contains("no tiles show how 300 entries became 600"), "{why}");
}

/// A witness with its key and its memory.
struct Witness {
    folder: TempDir,
    vkey: String,
}

impl Witness {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let vkey = fine(&["keygen", file.to_str().unwrap(), "--name", "w"]);
        Self { folder, vkey: vkey.trim_end().to_owned() }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn args<'a>(&self, log: &'a str, key: &'a str, more: &[&'a str]) -> Vec<String> {
        let (file, state) = (self.path("key"), self.path("state"));
        let args = ["witness", log, "--key", &file, "--name", "w", "--state", &state, "--log-key", key];
        args.iter().chain(more).map(|arg| (*arg).to_owned()).collect()
    }
}

#[test]
fn a_key_is_made_once_and_for_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let witness = Witness::new();
    assert!(witness.vkey.starts_with("w+"), "{}", witness.vkey);
    let mode = fs::metadata(witness.path("key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let why = refused(&["keygen", &witness.path("key"), "--name", "w"], 2);
    assert!(why.contains("exists already"), "{why}");
    refused(&["keygen", &witness.path("other"), "--name", "a b"], 2);
    assert!(!Path::new(&witness.path("other")).exists());
}

#[test]
fn a_witness_signs_growth_and_sends_it() {
    let (mut log, witness) = (Log::of(10), Witness::new());
    log.witnesses = vec![witness.vkey.parse().unwrap()];
    let (url, posted) = serve(log.path());
    let key = log.vkey().to_string();
    for size in [10, 310] {
        let args = witness.args(&url, &key, &["--post", &url]);
        let line = fine(&args.iter().map(String::as_str).collect::<Vec<_>>());
        let note = posted.recv().unwrap();
        assert!(note.ends_with(&line) && line.starts_with("\u{2014} w "), "{note}");
        let (mut writer, _) = log.open().unwrap();
        assert_eq!(writer.cosign(&note).unwrap(), 1);
        assert_eq!(log.check(&writer.prove(0).unwrap()), size);
        drop(writer);
        let said = fine(&["log", &url, "--key", &key]);
        assert!(said.contains("1 signatures with keys that are not known"), "{said}");
        log.grow(300);
    }
}

#[test]
fn a_witness_refuses_rollback_and_fork_and_remembers() {
    let (mut log, witness) = (Log::of(300), Witness::new());
    let mut fork = log.copy();
    let key = log.vkey().to_string();
    let sign = |log: &Log| {
        let args = witness.args(log.place(), &key, &[]);
        audit(&args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    assert!(sign(&log).status.success());
    log.grow(10);
    assert!(sign(&log).status.success());
    assert!(sign(&log).status.success(), "the same once more");
    fork.grow(5);
    let (mut other, rollback) = (fork.copy(), sign(&fork));
    let why = String::from_utf8(rollback.stderr).unwrap();
    assert!(why.contains("rollback: the log r/receipts had 310 entries, and now has 305"), "{why}");
    assert_eq!((rollback.status.code(), rollback.stdout), (Some(1), Vec::new()));

    other.entries.truncate(300);
    other.entries.extend([b"another".to_vec(), b"history".to_vec()]);
    fs::remove_file(other.path().join("checkpoint")).unwrap();
    other.grow(20);
    let forked = sign(&other);
    let why = String::from_utf8(forked.stderr).unwrap();
    assert!(why.contains("fork: the log r/receipts shows two different histories of its first 310"), "{why}");
    assert_eq!((forked.status.code(), forked.stdout), (Some(1), Vec::new()));
    assert!(sign(&log).status.success(), "and it still knows the right one");

    let memory = fs::read_dir(witness.path("state")).unwrap().map(|file| file.unwrap().path());
    let memory = memory.into_iter().find(|path| !path.ends_with(".lock")).unwrap();
    fs::write(memory, "torn").unwrap();
    let lost = sign(&log);
    assert_eq!((lost.status.code(), lost.stdout), (Some(2), Vec::new()));
}
