//! Routers, and what one says.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use futures_util::StreamExt;
use proto::wire::{
    self, Agreement, AnswerRange, AskOptions, AskRequest, AskResponse, Decision, Disagreement, Finish, Role,
    Source, Span, Turn, WatchRequest, WatchResponse, ask_response::Event,
    registry_service_client::RegistryServiceClient, router_service_client::RouterServiceClient,
    watch_response::Kind,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::timeout;
use tonic::{Status, Streaming, transport::Channel};

use super::{PATIENCE, Process, program, run};

/// Hashed vectors, frequent looks at the fleet, and little patience with newcomers that never come to an
/// end. The limits of asking stay as they are, so that a busy machine fails no test.
pub(crate) const SETTINGS: &str =
    "encoder = { kind = \"hashed\" }\n[fleet]\nrefresh_ms = 50\nexam_ms = 2000\n";

/// Numbers for hashed vectors: refused is whose score is less than 0.1 above half of the background's.
const CALIBRATION: &str = "temperature = 0.05\nconfidence_min = 0.5\nmiss_max = 0.726\n\
    by_prototypes = { slope = 100.0, background_weight = 0.5, offset = -10.0 }\n\
    by_evidence = { nearness = 100.0, covered = 0.0, titled = 0.0, familiar = 0.0, background = -50.0, \
    terms = 0.0, offset = -10.0 }\n\
    strength = { nearness = 20.0, covered = 0.0, titled = 0.0, familiar = 0.0 }\n\
    [filled_in]\nnearness = { offset = 0.0, slope = 1.0 }\ncovered = { offset = 0.0, slope = 0.0 }\n\
    titled = { offset = 0.0, slope = 0.0 }\nfamiliar = { offset = 0.0, slope = 0.0 }\n";

/// A free port that only this host reaches.
const LOOPBACK: &str = "127.0.0.1:0";

/// A running router with a database of its own.
pub(crate) struct Router {
    data: PathBuf,
    pub(crate) process: Process,
    /// Removed with the router, where it is its own.
    folder: Option<TempDir>,
}

impl Router {
    /// A router that logs all that it can say of its work.
    pub(crate) async fn telling() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().to_owned();
        let command = ["RUST_LOG=debug".to_owned(), program("router").to_str().unwrap().to_owned()];
        let args = command.into_iter().chain(arguments(&data, SETTINGS, LOOPBACK));
        let process = Process::start_program(Path::new("env"), args).await;
        Self { data, process, folder: Some(folder) }
    }

    /// A router that nobody is registered with.
    pub(crate) async fn start() -> Self {
        Self::with(SETTINGS).await
    }

    /// A router that asks both of two specialists that are anywhere near.
    pub(crate) async fn generous() -> Self {
        Self::asking(SETTINGS, "1.0").await
    }

    /// A router that asks only the best at first, and everybody else in reserve.
    pub(crate) async fn thrifty() -> Self {
        Self::asking(SETTINGS, "0.0").await
    }

    /// A router with these settings that refuses nothing, and asks whose probability is at least 1 less
    /// `miss_max`.
    pub(crate) async fn asking(settings: &str, miss_max: &str) -> Self {
        let changed = CALIBRATION.replace("offset = -10.0", "offset = 1000.0");
        let changed = changed.replace("miss_max = 0.726", &format!("miss_max = {miss_max}"));
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("calibration.toml"), changed).unwrap();
        Self::over(folder, settings).await
    }

    /// A router with these settings.
    pub(crate) async fn with(settings: &str) -> Self {
        Self::over(tempfile::tempdir().unwrap(), settings).await
    }

    async fn over(folder: TempDir, settings: &str) -> Self {
        let data = folder.path().to_owned();
        let process = Self::process(&data, settings, LOOPBACK, &[]).await;
        Self { data, process, folder: Some(folder) }
    }

    /// A router that listens on `address`, `host:port`, with further arguments.
    pub(crate) async fn listening(address: &str, further: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().to_owned();
        let process = Self::process(&data, SETTINGS, address, further).await;
        Self { data, process, folder: Some(folder) }
    }

    /// A router whose database is in the folder `data`.
    pub(crate) async fn on(data: &Path) -> Self {
        let process = Self::process(data, SETTINGS, LOOPBACK, &[]).await;
        Self { data: data.to_owned(), process, folder: None }
    }

    /// Stops it, and starts another one over its database.
    pub(crate) async fn restart(self) -> Self {
        let Self { data, process, folder } = self;
        assert!(process.stop().await.success());
        let process = Self::process(&data, SETTINGS, LOOPBACK, &[]).await;
        Self { data, process, folder }
    }

    /// Ends it as a crash would, and starts another one over its database.
    pub(crate) async fn crash(self) -> Self {
        self.kill().await.restart().await
    }

    /// Ends it as a crash would.
    pub(crate) async fn kill(self) -> Killed {
        let Self { data, process, folder } = self;
        Killed { log: process.kill().await, data, folder }
    }

    /// Stops it; its folder, where that is its own.
    pub(crate) async fn stop(self) -> Option<TempDir> {
        assert!(self.process.stop().await.success());
        self.folder
    }

    async fn process(data: &Path, settings: &str, address: &str, further: &[&str]) -> Process {
        let further = further.iter().copied().map(str::to_owned);
        Process::start("router", arguments(data, settings, address).into_iter().chain(further)).await
    }

    /// The folder of its database and settings.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Runs the `registry` program against it.
    pub(crate) async fn registry(&self, args: &[&str]) -> Output {
        run("registry", args.iter().copied().chain(["--router", &self.process.url])).await
    }

    /// What the `registry` program prints as JSON.
    pub(crate) async fn registry_json(&self, args: &[&str]) -> Value {
        let output = self.registry(&[args, &["-o", "json"]].concat()).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Admits a running specialist.
    pub(crate) async fn add(&self, specialist: &Process) {
        self.add_at(&specialist.url).await;
    }

    /// Admits what stands at `url`.
    pub(crate) async fn add_at(&self, url: &str) {
        let output = self.registry(&["add", url, "--yes"]).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) async fn client(&self) -> RouterServiceClient<Channel> {
        RouterServiceClient::connect(self.process.url.clone()).await.unwrap()
    }

    /// The events of an answer, as they come.
    pub(crate) async fn events(&self, question: &str, options: AskOptions) -> Result<Events, Status> {
        let turn = Turn { role: Role::User.into(), text: question.into() };
        self.events_of(vec![turn], options).await
    }

    async fn events_of(&self, turns: Vec<Turn>, options: AskOptions) -> Result<Events, Status> {
        self.events_after(turns, options, "").await
    }

    /// The events of an answer to the last of `turns`, the one before which has the receipt `previous`.
    pub(crate) async fn events_after(
        &self,
        turns: Vec<Turn>,
        options: AskOptions,
        previous: &str,
    ) -> Result<Events, Status> {
        let request = AskRequest { turns, options: Some(options), previous_request_id: previous.to_owned() };
        Ok(Events(self.client().await.ask(request).await?.into_inner()))
    }

    /// A whole answer.
    pub(crate) async fn ask(&self, question: &str) -> Answer {
        self.ask_with(question, AskOptions::default()).await
    }

    /// A whole answer, with wishes.
    pub(crate) async fn ask_with(&self, question: &str, options: AskOptions) -> Answer {
        self.events(question, options).await.unwrap().whole().await
    }

    /// A whole answer to the last of `turns`, with wishes.
    pub(crate) async fn ask_turns(&self, turns: Vec<Turn>, options: AskOptions) -> Answer {
        self.events_of(turns, options).await.unwrap().whole().await
    }

    /// Why a question has no answer; `None` where it has one.
    pub(crate) async fn failure(&self, question: &str, options: AskOptions) -> Option<Status> {
        self.events(question, options).await.unwrap().failure().await
    }

    /// Every change to its fleet from now on.
    pub(crate) async fn watch(&self) -> Changes {
        let mut client = RegistryServiceClient::connect(self.process.url.clone()).await.unwrap();
        Changes(client.watch(WatchRequest {}).await.unwrap().into_inner())
    }
}

/// How a router over the folder `data` is started, whose settings are put there.
fn arguments(data: &Path, settings: &str, address: &str) -> Vec<String> {
    let calibration = data.join("calibration.toml");
    if !calibration.exists() {
        fs::write(calibration, CALIBRATION).unwrap();
    }
    let config = data.join("router.toml");
    fs::write(&config, settings).unwrap();
    let (config, data) = (config.to_str().unwrap(), data.to_str().unwrap());
    ["serve", "--listen", address, "--config", config, "--data", data].map(str::to_owned).to_vec()
}

/// What a router leaves that was killed.
pub(crate) struct Killed {
    pub(crate) data: PathBuf,
    folder: Option<TempDir>,
    /// All that it logged.
    pub(crate) log: String,
}

impl Killed {
    /// Starts another one over its database.
    pub(crate) async fn restart(self) -> Router {
        let Self { data, folder, log: _ } = self;
        let process = Router::process(&data, SETTINGS, LOOPBACK, &[]).await;
        Router { data, process, folder }
    }
}

/// An answer on its way.
pub(crate) struct Events(Streaming<AskResponse>);

impl Events {
    pub(crate) async fn next(&mut self) -> Option<Event> {
        let response = timeout(PATIENCE, self.0.next()).await.expect("an event or the end")?;
        Some(response.unwrap().event.unwrap())
    }

    /// Why it comes to no end; `None` where it does.
    pub(crate) async fn failure(mut self) -> Option<Status> {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("an event or the end")? {
                Ok(_) => {}
                Err(status) => return Some(status),
            }
        }
    }

    /// All that is still to come.
    pub(crate) async fn whole(mut self) -> Answer {
        let mut answer = Answer::default();
        while let Some(event) = self.next().await {
            answer.take(event);
        }
        answer
    }
}

/// A fleet's changes.
pub(crate) struct Changes(Streaming<WatchResponse>);

impl Changes {
    /// Waits for a change of this kind; what it says of the specialist.
    pub(crate) async fn until(&mut self, kind: Kind) -> wire::Registration {
        loop {
            let change = timeout(PATIENCE, self.0.next()).await.expect("a change").unwrap().unwrap();
            if change.kind() == kind {
                return change.registration.unwrap();
            }
        }
    }
}

/// What was said, sorted.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) decision: Option<Decision>,
    pub(crate) spans: Vec<Span>,
    pub(crate) sources: Vec<Source>,
    pub(crate) agreements: Vec<Agreement>,
    pub(crate) disagreements: Vec<Disagreement>,
    pub(crate) finish: Option<Finish>,
}

impl Answer {
    pub(crate) fn take(&mut self, event: Event) {
        match event {
            Event::Decision(decision) => self.decision = Some(decision),
            Event::Span(span) => self.spans.push(span),
            Event::Source(source) => self.sources.push(source),
            Event::Agreement(agreement) => self.agreements.push(agreement),
            Event::Disagreement(disagreement) => self.disagreements.push(disagreement),
            Event::Finish(finish) => self.finish = Some(finish),
        }
    }

    /// What a reader reads.
    pub(crate) fn text(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }

    /// The words in a range, which must exist.
    pub(crate) fn words_in(&self, range: Option<&AnswerRange>) -> String {
        let range = range.expect("a range");
        self.text().get(range.start_bytes as usize..range.end_bytes as usize).expect("such words").to_owned()
    }

    /// The words of one specialist.
    pub(crate) fn words_of(&self, id: &str) -> String {
        let own = self.spans.iter().filter(|span| span.specialist_id == id);
        own.map(|span| span.text.as_str()).collect()
    }

    /// A candidate in the end.
    pub(crate) fn candidate(&self, id: &str) -> &wire::Candidate {
        let candidates = &self.finish.as_ref().expect("an answer that ended").candidates;
        candidates.iter().find(|candidate| candidate.specialist_id == id).unwrap()
    }

    /// What became of a candidate in the end.
    pub(crate) fn status_of(&self, id: &str) -> wire::CandidateStatus {
        self.candidate(id).status()
    }

    pub(crate) fn reason(&self) -> wire::FinishReason {
        self.finish.as_ref().expect("an answer that ended").reason()
    }
}
