//! Tasks with an owner, and the end of the process.

use std::{future::Future, time::Duration};

use tokio::signal::unix::{SignalKind, signal as on};
use tokio_util::{
    sync::{CancellationToken, WaitForCancellationFutureOwned},
    task::TaskTracker,
};
use tracing::Instrument;

/// All background work of a process: whatever starts through it is waited for, or dropped, when the
/// process stops. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
    abort: CancellationToken,
    grace: Duration,
}

impl Tasks {
    /// No tasks yet; when told to stop, they have `grace` to end by themselves.
    pub fn new(grace: Duration) -> Self {
        Self {
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
            abort: CancellationToken::new(),
            grace,
        }
    }

    /// Starts `work`, which should end soon after [`Tasks::stopping`] does.
    pub fn spawn(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let abort = self.abort.clone();
        let work = async move {
            tokio::select! {
                () = work => {}
                () = abort.cancelled() => tracing::warn!(task = name, "dropped at the end of the grace period"),
            }
        };
        self.tracker.spawn(work.instrument(tracing::debug_span!("task", name)));
    }

    /// Ends when the process begins to stop.
    pub fn stopping(&self) -> WaitForCancellationFutureOwned {
        self.stop.clone().cancelled_owned()
    }

    /// Tells every task to stop, waits for them, and drops what is left after the grace period.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        self.tracker.close();
        if tokio::time::timeout(self.grace, self.tracker.wait()).await.is_err() {
            self.abort.cancel();
            self.tracker.wait().await;
        }
    }
}

/// Ends at the first SIGINT or SIGTERM after this call, or with an error where the system refuses signal
/// handlers. Call it before you say that the process is there: until then a signal ends it at once.
pub fn signal() -> impl Future<Output = std::io::Result<()>> {
    let handlers = (on(SignalKind::interrupt()), on(SignalKind::terminate()));
    async move {
        let (mut interrupt, mut terminate) = (handlers.0?, handlers.1?);
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_listens_ends_and_one_that_does_not_is_dropped() {
        let tasks = Tasks::new(Duration::from_secs(5));
        let (ended, mut end) = tokio::sync::mpsc::unbounded_channel();
        let stopping = tasks.stopping();
        let polite = ended.clone();
        tasks.spawn("polite", async move {
            stopping.await;
            let _ = polite.send("polite");
        });
        tasks.spawn("deaf", async move {
            std::future::pending::<()>().await;
            let _ = ended.send("deaf");
        });
        tasks.shutdown().await;
        assert_eq!((end.recv().await, end.recv().await), (Some("polite"), None));
    }
}
