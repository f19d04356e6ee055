//! The one writer of receipts. Turns that end while the disk is busy share its next write: a batch closes when
//! the write before it has returned, so that a lone turn waits for one write, and many wait for one too.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use store::{ReceiptRow, Store, StoreError};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::sleep,
};

/// The most receipts that one write takes.
const BATCH_MAX: usize = 256;

/// How many receipts may wait for the disk.
const QUEUE_MAX: usize = 4_096;

/// How often a disk that was full is tried.
const FULL_PAUSE: Duration = Duration::from_secs(1);

/// Why a receipt was not written down; nothing of it was.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// No room on the disk.
    #[error("no room is left on the router's disk for the record of an answer: try again later")]
    DiskFull,
    /// More turns wait for the disk than may.
    #[error("too many answers wait for their record to be written: try again in a moment")]
    Busy,
    /// The database failed, or the router stops.
    #[error("the record of the answer could not be written")]
    Failed,
}

/// A receipt that waits to be written down, and who waits for that; none where somebody only waits for those before.
struct Waiting {
    row: Option<ReceiptRow>,
    done: oneshot::Sender<Result<(), LedgerError>>,
}

/// Where receipts are handed in. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    queue: mpsc::Sender<Waiting>,
    full: Arc<AtomicBool>,
    written: watch::Receiver<u64>,
    writes: Arc<AtomicU64>,
}

/// What writes them down.
pub struct Writer {
    store: Store,
    queue: mpsc::Receiver<Waiting>,
    full: Arc<AtomicBool>,
    written: watch::Sender<u64>,
    writes: Arc<AtomicU64>,
}

/// A ledger over `store`, and its writer, which has to run.
pub(super) async fn ledger(store: Store) -> Result<(Ledger, Writer), StoreError> {
    let (send, receive) = mpsc::channel(QUEUE_MAX);
    let full = Arc::new(AtomicBool::new(false));
    let (announce, written) = watch::channel(store.receipt_count().await?);
    let writes = Arc::new(AtomicU64::new(0));
    let writer =
        Writer { store, queue: receive, full: full.clone(), written: announce, writes: writes.clone() };
    Ok((Ledger { queue: send, full, written, writes }, writer))
}

impl Ledger {
    /// Whether there was room for receipts when one was last written: a turn whose receipt has no place is not
    /// begun.
    pub(super) fn has_room(&self) -> bool {
        !self.full.load(Ordering::Relaxed)
    }

    /// How many receipts are written down.
    pub(super) fn written(&self) -> watch::Receiver<u64> {
        self.written.clone()
    }

    /// How many writes that took since the start.
    pub(super) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// Writes `row` down; it is on the disk when this returns.
    pub(super) async fn write(&self, row: ReceiptRow) -> Result<(), LedgerError> {
        self.hand_in(Some(row))?.await.unwrap_or(Err(LedgerError::Failed))
    }

    /// Waits until what was handed in before is written down, or has failed to be.
    pub(super) async fn flush(&self) {
        if let Ok(outcome) = self.hand_in(None) {
            // Those whose receipts they are were told how it went.
            let _ = outcome.await;
        }
    }

    /// Has `row` written down, which nobody waits for.
    pub(super) fn leave(&self, row: ReceiptRow) -> Result<(), LedgerError> {
        self.hand_in(Some(row)).map(drop)
    }

    fn hand_in(
        &self,
        row: Option<ReceiptRow>,
    ) -> Result<oneshot::Receiver<Result<(), LedgerError>>, LedgerError> {
        let (done, outcome) = oneshot::channel();
        self.queue.try_send(Waiting { row, done }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => LedgerError::Busy,
            mpsc::error::TrySendError::Closed(_) => LedgerError::Failed,
        })?;
        Ok(outcome)
    }
}

impl Writer {
    /// Writes until nobody can hand anything in any more, or `stop` ends and nothing waits.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut batch = Vec::with_capacity(BATCH_MAX);
        loop {
            batch.clear();
            tokio::select! {
                biased;
                taken = self.queue.recv_many(&mut batch, BATCH_MAX) => {
                    if taken == 0 {
                        return;
                    }
                    self.write(&mut batch).await;
                }
                () = sleep(FULL_PAUSE), if self.full.load(Ordering::Relaxed) => self.try_room().await,
                () = &mut stop => return,
            }
        }
    }

    async fn write(&mut self, batch: &mut Vec<Waiting>) {
        let (rows, waiting): (Vec<_>, Vec<_>) =
            batch.drain(..).map(|waiting| (waiting.row, waiting.done)).unzip();
        let rows: Vec<ReceiptRow> = rows.into_iter().flatten().collect();
        let place = *self.written.borrow();
        let outcome = self.store.put_receipts(place, &rows).await.map_err(|error| self.failed(&error));
        if outcome.is_ok() {
            self.writes.fetch_add(1, Ordering::Relaxed);
            self.written.send_replace(place + rows.len() as u64);
        }
        for done in waiting {
            // Whoever left does not wait for it.
            let _ = done.send(outcome.clone());
        }
    }

    fn failed(&self, error: &StoreError) -> LedgerError {
        tracing::error!(%error, "receipts were not written");
        if matches!(error, StoreError::DiskFull) {
            self.full.store(true, Ordering::Relaxed);
            return LedgerError::DiskFull;
        }
        LedgerError::Failed
    }

    async fn try_room(&self) {
        if self.store.try_room().await.is_ok() {
            tracing::info!("there is room for receipts again");
            self.full.store(false, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    fn row(name: usize) -> ReceiptRow {
        ReceiptRow {
            request_id: format!("r{name}"),
            payload: vec![0],
            signature: vec![0; 64],
            leaf_salt: vec![0; 32],
            leaf: vec![0; 73],
            capability_sha256: vec![0; 32],
            sealed: None,
        }
    }

    #[tokio::test]
    async fn turns_that_end_together_share_a_write() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("router.db")).await.unwrap();
        let (ledger, writer) = ledger(store.clone()).await.unwrap();
        let all = join_all((0..200).map(|name| ledger.write(row(name))));
        let stopped = std::future::pending::<()>();
        let outcomes = tokio::select! {
            outcomes = all => outcomes,
            () = writer.run(stopped) => panic!("the writer stopped"),
        };
        assert!(outcomes.iter().all(Result::is_ok));
        assert_eq!(store.receipt_count().await.unwrap(), 200);
        assert_eq!(ledger.writes(), 1, "all were handed in before the first write began");
    }

    #[tokio::test]
    async fn what_was_handed_in_is_written_before_the_writer_stops() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("router.db")).await.unwrap();
        let (ledger, writer) = ledger(store.clone()).await.unwrap();
        ledger.leave(row(1)).unwrap();
        writer.run(std::future::ready(())).await;
        assert_eq!(store.receipt_count().await.unwrap(), 1);
        assert!(matches!(ledger.write(row(2)).await, Err(LedgerError::Failed)), "nobody writes any more");
    }
}
