//! Whoever was told the end of an answer has its receipt, wherever the router is killed and whatever becomes of
//! the files of its logs meanwhile.
//!
//! `CONSILIUM_KILLS=10000` kills so often, and `CONSILIUM_SEED=1234` chooses the same moments again, as far as
//! the machine lets them be the same; `make soak` sets them.

use std::{
    cell::RefCell,
    env, fs,
    path::{Path, PathBuf},
};

use audit::{
    Checkpoint, Trust, Vkey,
    log::{LogError, Reader},
};
use fastrand::Rng;
use futures_util::future::join_all;
use proto::{
    Digest,
    wire::{AskRequest, Role, Turn, ask_response::Event, router_service_client::RouterServiceClient},
};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use tonic::transport::Channel;

use crate::harness::{Institution, Killed, PATIENCE, Process, Router, Slip, run};

/// How often the router is killed where nobody says otherwise.
const KILLS: u64 = 20;

/// How often over one folder: opening it takes longer with every receipt.
const KILLS_A_FOLDER_MAX: u64 = 100;

/// Who ask, each one question after the other.
const CLIENTS: usize = 4;

/// The most events that they see before the next kill.
const EVENTS_MAX: usize = 150;

/// How many receipts of the kills before are looked at after each.
const EARLIER: usize = 10;

const QUESTION: &str = "why do soap bubbles shimmer";

#[tokio::test]
async fn what_was_acknowledged_outlives_every_kill() {
    let kills = setting("CONSILIUM_KILLS").unwrap_or(KILLS);
    let seed = setting("CONSILIUM_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("CONSILIUM_SEED={seed}");
    let (mut random, began) = (Rng::with_seed(seed), Instant::now());
    let script = r#"{ passage = "Soap is thin." }, { say = "Soap is thin." }, { say = " It splits light." }"#;
    let quick = Institution::new("quick").signs().scripted(QUESTION, script).start().await;
    let (mut left, mut receipts, mut repairs) = (kills, 0, 0);
    while left > 0 {
        let mut life = Life::begin(&quick).await;
        for _ in 0..left.min(KILLS_A_FOLDER_MAX) {
            life = life.killed(&mut random).await;
            left -= 1;
        }
        repairs += life.repairs;
        receipts += life.end().await;
    }
    println!("{kills} kills, {receipts} receipts, {repairs} files put right, in {:?}", began.elapsed());
    assert!(receipts > 0, "nobody was told any end");
}

fn setting(name: &str) -> Option<u64> {
    env::var(name).ok().filter(|value| !value.is_empty()).map(|value| value.parse().unwrap())
}

/// A router over one folder, and what others know of it.
struct Life {
    router: Router,
    trust: Trust,
    logs: [Log; 2],
    /// What opens the receipts of those who were told the end.
    acknowledged: Vec<Slip>,
    repairs: usize,
    /// The file that must have been put right at the start.
    damaged: Option<String>,
}

/// One of its logs, and all that was seen of it.
struct Log {
    folder: PathBuf,
    key: Vkey,
    seen: Vec<Checkpoint>,
}

impl Life {
    async fn begin(specialist: &Process) -> Self {
        let router = Router::start().await;
        router.add(specialist).await;
        let trust = Trust::read(&router.trust().await).unwrap();
        let logs = [trust.receipts(), trust.registry()].map(|key| {
            let name = key.name().rsplit('/').next().unwrap();
            Log { folder: router.data().join("log").join(name), key: key.clone(), seen: Vec::new() }
        });
        Self { router, trust, logs, acknowledged: Vec::new(), repairs: 0, damaged: None }
    }

    /// Kills it while it is asked, now and then spoils a file, starts it again and looks at everything.
    async fn killed(self, random: &mut Rng) -> Self {
        let Self { router, trust, mut logs, mut acknowledged, mut repairs, damaged } = self;
        let (killed, new) = kill_in_mid_work(router, random.usize(..EVENTS_MAX)).await;
        if let Some(file) = damaged {
            let line = format!("put right log=\"receipts\" repair={file} ");
            let other = line.replace("receipts", "registry");
            assert!(killed.log.contains(&line) || killed.log.contains(&other), "{file}: {}", killed.log);
        }
        repairs += killed.log.matches("put right").count();
        for log in &mut logs {
            // Others may have seen it.
            let note = Reader::folder(&log.folder).note().unwrap();
            log.seen.push(Checkpoint::open(&note, &log.key, &[]).unwrap().checkpoint);
        }
        let damaged = random.bool().then(|| logs[random.usize(..2)].spoil(random)).flatten();
        let router = killed.restart().await;
        for log in &mut logs {
            log.look();
        }
        let earlier = (0..EARLIER).filter_map(|_| random.choice(acknowledged.iter()).cloned());
        let earlier: Vec<Slip> = earlier.collect();
        for slip in new.iter().chain(&earlier) {
            let bytes = slip.fetch(&router).await;
            router.verified(&trust, &bytes.unwrap_or_else(|| panic!("{} is lost", slip.id)));
        }
        acknowledged.extend(new);
        Self { router, trust, logs, acknowledged, repairs, damaged }
    }

    /// Looks at every receipt once more, and at the logs as anybody can; how many receipts there are.
    async fn end(self) -> usize {
        let Self { router, trust, logs, acknowledged, .. } = self;
        for slip in &acknowledged {
            let receipt = router.verified(&trust, &slip.fetch(&router).await.unwrap());
            assert_eq!(receipt.request_id, slip.id);
        }
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let trust = put("trust.json", router.trust().await.as_bytes());
        for log in &logs {
            audit(&["log", log.folder.to_str().unwrap(), "--trust", &trust]).await;
        }
        if let Some(slip) = acknowledged.last() {
            let receipt = put("receipt.json", &slip.fetch(&router).await.unwrap());
            let registry = logs[1].folder.to_str().unwrap();
            audit(&["verify", &receipt, "--trust", &trust, "--registry", registry]).await;
        }
        acknowledged.len()
    }
}

/// Runs the program of auditors, which must find nothing wrong.
async fn audit(args: &[&str]) {
    let output = run("audit", args).await;
    assert!(output.status.success(), "{output:?}");
}

/// Asks until `events` of the answers were seen, and kills the router; what opens the receipts of those answers
/// whose end was.
async fn kill_in_mid_work(router: Router, events: usize) -> (Killed, Vec<Slip>) {
    let (seen, acknowledged) = (watch::Sender::new(0), RefCell::new(Vec::new()));
    let client = router.client().await;
    let clients = join_all((0..CLIENTS).map(|_| ask_on_and_on(client.clone(), &seen, &acknowledged)));
    let mut moment = seen.subscribe();
    let killing = async {
        timeout(PATIENCE, moment.wait_for(|seen| *seen >= events)).await.expect("an event").unwrap();
        router.kill().await
    };
    let (_, killed) = tokio::join!(clients, killing);
    (killed, acknowledged.into_inner())
}

/// Asks one question after the other until nobody answers any more.
async fn ask_on_and_on(
    mut client: RouterServiceClient<Channel>,
    seen: &watch::Sender<usize>,
    acknowledged: &RefCell<Vec<Slip>>,
) {
    let turns = vec![Turn { role: Role::User.into(), text: QUESTION.into() }];
    let request = AskRequest { turns, ..Default::default() };
    while let Ok(response) = client.ask(request.clone()).await {
        let (mut events, mut slip) = (response.into_inner(), None);
        while let Ok(Some(response)) = events.message().await {
            match response.event {
                Some(Event::Decision(decision)) => slip = Some(Slip::of(&decision)),
                Some(Event::Finish(_)) => acknowledged.borrow_mut().extend(slip.take()),
                _ => {}
            }
            seen.send_modify(|seen| *seen += 1);
        }
    }
}

impl Log {
    /// Looks at all of it, and whether it only grew.
    fn look(&mut self) {
        let reader = Reader::folder(&self.folder);
        let opened = reader.audit(&self.key, &[], |_, _| Ok::<_, LogError>(())).unwrap();
        for earlier in &self.seen {
            reader.grown(earlier, &opened.checkpoint).unwrap();
        }
        self.seen.push(opened.checkpoint);
        self.seen.dedup();
        for name in self.content() {
            let found = Digest::of(fs::read(self.folder.join(&name)).unwrap());
            assert_eq!(name, format!("content/{found}"));
        }
    }

    /// The files that lie beside it: cards and policies, by their digests.
    fn content(&self) -> Vec<String> {
        let files = fs::read_dir(self.folder.join("content")).into_iter().flatten();
        let names = files.map(|file| format!("content/{}", file.unwrap().file_name().display()));
        let mut names: Vec<String> =
            names.filter(|name| Path::new(name).extension().is_none_or(|it| it != "new")).collect();
        names.sort_unstable();
        names
    }

    /// Does something to one of the files that it consists of; which, unless that need not be noticed.
    fn spoil(&self, random: &mut Rng) -> Option<String> {
        let mut names = needed(self.seen.last().unwrap().size);
        names.extend(self.content());
        let name = random.choice(names).unwrap();
        let path = self.folder.join(&name);
        let mut bytes = fs::read(&path).unwrap();
        let is_content = name.starts_with("content/");
        match random.u8(..4) {
            0 => {
                fs::remove_file(&path).unwrap();
                if is_content {
                    // It is put there again as it was at first.
                    return None;
                }
            }
            1 => fs::write(&path, &bytes[..random.usize(..bytes.len())]).unwrap(),
            2 => {
                let at = random.usize(..bytes.len());
                bytes[at] ^= 1 << random.u8(..8);
                fs::write(&path, &bytes).unwrap();
            }
            _ => {
                fs::write(half(&path), &bytes[..bytes.len() / 2]).unwrap();
                return None;
            }
        }
        // A log without tiles has nothing that a checkpoint could be missing of.
        (name != "checkpoint" || self.folder.join("tile").exists()).then_some(name)
    }
}

/// Where a file is written before it is put in its place.
fn half(path: &Path) -> PathBuf {
    path.with_file_name(format!("{}.new", path.file_name().unwrap().to_str().unwrap()))
}

/// The files of a log of `size` entries, the checkpoint first.
fn needed(size: u64) -> Vec<String> {
    let mut names = vec!["checkpoint".to_owned()];
    for (row, count) in [("entries", size), ("0", size), ("1", size >> 8), ("2", size >> 16)] {
        let whole = count >> 8;
        names.extend((0..whole).map(|index| format!("tile/{row}/{}", number(index))));
        if count % 256 > 0 {
            names.push(format!("tile/{row}/{}.p/{}", number(whole), count % 256));
        }
    }
    names
}

/// A tile's number, as its path has it.
fn number(index: u64) -> String {
    let last = format!("{:03}", index % 1_000);
    if index < 1_000 { last } else { format!("x{:03}/{last}", index / 1_000) }
}
