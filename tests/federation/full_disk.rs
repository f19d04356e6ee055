//! A disk without room, as a file system of its own in memory: skipped, with a word, where the tests
//! may not mount one.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

use audit::{
    Trust,
    log::{LogError, Reader},
};
use futures_util::{StreamExt, stream};
use proto::wire::{AskOptions, Done, Outcome, answer_response::Event};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;
use tonic::{Code, Status};

use crate::{
    answers::{cheese, planets},
    harness::{Institution, PATIENCE, Router, Slip, run},
    hostile::{Answers, Hostile, event, words},
    receipts::{begun, reason},
};

/// A folder with room for little.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={size}");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder.path()).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        println!("skipped: no file system may be mounted here");
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all the room that is left; what to remove to have it back.
    fn fill(&self) -> std::path::PathBuf {
        let ballast = self.path().join("ballast");
        let filled = fs::write(&ballast, vec![0; 16 << 20]);
        assert_eq!(filled.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
        ballast
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("--lazy").arg(self.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()));
    }
}

#[tokio::test]
async fn a_registration_that_cannot_be_written_is_not_made() {
    let Some(disk) = SmallDisk::mount("1m") else { return };
    let (planets, cheese) = (planets().start().await, cheese().start().await);
    let router = Router::on(disk.path()).await;
    router.add(&planets).await;
    let ballast = disk.fill();

    let refused = router.registry(&["add", &cheese.url, "--yes"]).await;
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{why}");
    assert!(why.contains("no room left on the disk"), "{why}");
    assert_eq!(router.registry_json(&["list"]).await.as_array().unwrap().len(), 1);

    fs::remove_file(ballast).unwrap();
    router.add(&cheese).await;
    assert_eq!(router.registry_json(&["list"]).await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_specialist_that_cannot_keep_its_embeddings_says_so() {
    let Some(disk) = SmallDisk::mount("64k") else { return };
    let texts: Vec<String> = (0..200).map(|n| format!("Passage number {n}.")).collect();
    let passages: Vec<(&str, &str)> = texts.iter().map(|text| ("Title", text.as_str())).collect();
    let institution = Institution::new("large").knows(&passages);
    let file = institution.file();
    let args = ["serve", "--config", file.to_str().unwrap(), "--data", disk.path().to_str().unwrap()];

    let served = run("specialist", args).await;
    let why = String::from_utf8_lossy(&served.stderr).into_owned();
    assert_eq!(served.status.code(), Some(1), "{why}");
    assert!(why.contains("cannot write") && why.contains("No space left"), "{why}");
    // What was begun was taken back.
    let cache = fs::read_dir(disk.path()).unwrap().next().unwrap().unwrap();
    assert_eq!(cache.metadata().unwrap().len(), 0);
}

const QUESTION: &str = "why is Mars red";

/// How often the specialist was asked.
static ASKED: AtomicUsize = AtomicUsize::new(0);

fn counted() -> Answers {
    ASKED.fetch_add(1, Ordering::SeqCst);
    let done = Done { outcome: Outcome::Answered.into(), ..Default::default() };
    stream::iter([Ok(words("Rust.")), Ok(event(Event::Done(done)))]).boxed()
}

/// What opens the receipt of an answer, and why it came to no end.
async fn asked(router: &Router) -> Result<(Slip, Option<Status>), Status> {
    let mut events = router.events(QUESTION, AskOptions::default()).await?;
    let slip = begun(&mut events).await;
    Ok((slip, events.failure().await))
}

#[track_caller]
fn is_unrecorded(status: &Status) {
    assert_eq!((status.code(), reason(status).as_str()), (Code::Unavailable, "UNRECORDED"), "{status}");
}

#[tokio::test]
async fn an_answer_whose_receipt_has_no_room_comes_to_no_end() {
    let Some(disk) = SmallDisk::mount("12m") else { return };
    let url = Hostile::new(counted).serve(None).await;
    let router = Router::on(disk.path()).await;
    router.add_at(&url).await;
    let trust = Trust::read(&router.trust().await).unwrap();
    let (before, None) = asked(&router).await.unwrap() else { panic!("there is room") };
    let ballast = disk.fill();

    let mut acknowledged = vec![before];
    let lost = loop {
        // The database uses up first what it has set aside.
        match asked(&router).await.expect("nobody knows yet that the disk is full") {
            (slip, None) => acknowledged.push(slip),
            (slip, Some(status)) => {
                is_unrecorded(&status);
                break slip;
            }
        }
    };
    let before = ASKED.load(Ordering::SeqCst);
    assert!(before > acknowledged.len());
    is_unrecorded(&asked(&router).await.expect_err("it is refused at once"));
    let url = format!("{}/v1/chat/completions", router.process.url);
    let body = json!({ "model": "consilium/auto", "messages": [{ "role": "user", "content": QUESTION }] });
    let refused = reqwest::Client::new().post(url).json(&body).send().await.unwrap();
    assert_eq!(refused.status(), 503);
    let why: Value = refused.json().await.unwrap();
    assert!(why["error"]["message"].as_str().unwrap().contains("no room is left"), "{why}");
    assert_eq!(ASKED.load(Ordering::SeqCst), before, "nobody is asked whose answer has no place");

    fs::remove_file(ballast).unwrap();
    let again = async {
        loop {
            match asked(&router).await {
                Ok((slip, None)) => return slip,
                Ok((_, Some(status))) | Err(status) => is_unrecorded(&status),
            }
        }
    };
    acknowledged.push(timeout(PATIENCE, again).await.expect("there is room again"));
    for slip in &acknowledged {
        router.verified(&trust, &slip.fetch(&router).await.expect("it was acknowledged"));
    }
    assert_eq!(lost.fetch(&router).await, None);
    for key in [trust.receipts(), trust.registry()] {
        let folder = disk.path().join("log").join(key.name().rsplit('/').next().unwrap());
        Reader::folder(&folder).audit(key, &[], |_, _| Ok::<_, LogError>(())).unwrap();
    }
}
