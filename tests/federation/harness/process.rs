//! Processes that end with the test.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{ExitStatus, Output, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    task::JoinHandle,
    time::{sleep, timeout},
};

/// How long a test waits for what must come; never how long it takes.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// How long nobody looks again for what is not there yet.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks until it finds something.
pub(crate) async fn eventually<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            sleep(PAUSE).await;
        }
    };
    timeout(PATIENCE, found).await.expect("it comes")
}

/// One of the workspace's programs, which stand beside the folder of this test's own.
pub(crate) fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join(name);
    assert!(program.exists(), "{} is not there: run `cargo build` first", program.display());
    program
}

/// Runs a program to its end.
pub(crate) async fn run<S: AsRef<OsStr>>(name: &str, args: impl IntoIterator<Item = S>) -> Output {
    let ended = Command::new(program(name)).args(args).stdin(Stdio::null()).kill_on_drop(true).output();
    timeout(PATIENCE, ended).await.expect("the program ends").unwrap()
}

/// A running server, killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    /// Reads the log; a full pipe would stop the server.
    log: JoinHandle<String>,
    pub(crate) url: String,
}

impl Process {
    /// Starts one of our servers, and waits until it says where it listens.
    pub(crate) async fn start<S: AsRef<OsStr>>(name: &str, args: impl IntoIterator<Item = S>) -> Self {
        Self::start_program(&program(name), args).await
    }

    /// Starts any server that says where it listens as ours do, and waits until it does.
    pub(crate) async fn start_program<S: AsRef<OsStr>>(
        program: &Path,
        args: impl IntoIterator<Item = S>,
    ) -> Self {
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, stdout.next_line()).await.expect("a line").unwrap();
        let Some(url) = line.as_deref().and_then(|line| line.strip_prefix("listening on ")) else {
            let mut why = String::new();
            child.stderr.take().unwrap().read_to_string(&mut why).await.unwrap();
            panic!("{} did not start: {why}", program.display());
        };
        let url = url.to_owned();
        let mut stderr = child.stderr.take().unwrap();
        #[expect(clippy::disallowed_methods, reason = "ends with the process whose log it reads")]
        let log = tokio::spawn(async move {
            let mut log = String::new();
            stderr.read_to_string(&mut log).await.unwrap();
            log
        });
        Self { child, stdout, log, url }
    }

    pub(crate) fn port(&self) -> &str {
        self.url.rsplit(':').next().unwrap()
    }

    /// Ends the process as a crash would; all that it logged.
    pub(crate) async fn kill(mut self) -> String {
        self.child.kill().await.unwrap();
        self.log.await.unwrap()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Ends the process as an operator would, and waits until it has.
    pub(crate) async fn stop(self) -> ExitStatus {
        self.stop_and_read().await.0
    }

    /// Ends the process as an operator would; how it ended, and all that it logged.
    pub(crate) async fn stop_and_read(mut self) -> (ExitStatus, String) {
        let id = self.id().to_string();
        assert!(Command::new("kill").arg(id).status().await.unwrap().success());
        let status = timeout(PATIENCE, self.child.wait()).await.expect("the process stops").unwrap();
        while self.stdout.next_line().await.unwrap().is_some() {}
        (status, self.log.await.unwrap())
    }
}
