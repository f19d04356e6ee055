//! A writer that is killed leaves a whole log, and its lock goes with it.

use std::{
    env,
    io::{self, BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Command, Stdio},
};

use audit::{
    SecretKey,
    log::{LogError, Reader, Settings, Writer},
};

use crate::{Log, RECEIPTS, entry};

/// Names the folder to write to, for the process that is killed.
const FOLDER: &str = "CONSILIUM_TEST_LOG";

/// How often it is killed, each time after a few more checkpoints.
const KILLS: usize = 5;

#[test]
fn a_killed_writer_leaves_a_whole_log_and_no_lock() {
    let mut log = Log::of(0);
    log.key.save(&log.path().join("key")).unwrap();
    for kill in 1..=KILLS {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "killed::writes_until_it_is_killed", "--ignored", "--nocapture"])
            .env(FOLDER, log.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for _ in 0..kill * 3 {
            lines.find(|line| line.as_ref().unwrap().starts_with("published")).unwrap().unwrap();
        }
        assert!(matches!(log.open(), Err(LogError::Locked(_))), "it still writes");
        child.kill().unwrap();
        child.wait().unwrap();

        // All that it was told is kept elsewhere: here, whatever it had published and a little more.
        let published = log.reader().checkpoint(&log.vkey(), &[]).unwrap().checkpoint.size;
        log.entries = (0..u32::try_from(published).unwrap() + 10).map(entry).collect();
        assert_eq!(log.audit().unwrap(), published);
        let (mut writer, _) = log.open().unwrap();
        writer.publish().unwrap();
        assert_eq!(log.audit().unwrap(), published + 10);
    }
}

#[test]
#[ignore = "the process that the other test kills"]
fn writes_until_it_is_killed() {
    let folder = PathBuf::from(env::var_os(FOLDER).unwrap());
    let mut log = Log { key: SecretKey::load(&folder.join("key")).unwrap(), ..Log::new(RECEIPTS) };
    let published = Reader::folder(&folder).checkpoint(&log.vkey(), &[]).unwrap().checkpoint.size;
    log.entries = (0..u32::try_from(published).unwrap()).map(entry).collect();
    let entries = log.entries.iter().cloned().map(Ok::<_, LogError>);
    let (mut writer, _) = Writer::open(Settings { folder, ..log.settings() }, entries).unwrap();
    for index in u32::try_from(log.entries.len()).unwrap().. {
        writer.append(&entry(index)).unwrap();
        if index % 37 == 0 {
            let size = writer.publish().unwrap().size;
            writeln!(io::stdout(), "published {size}").unwrap();
        }
    }
}
