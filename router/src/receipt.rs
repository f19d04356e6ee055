//! Receipts: what the router did with a question, signed and written down before the last word of the answer goes
//! out. Nobody's question stands in one: what is personal is committed to, and what opens that is sealed for the
//! asker.

mod bundle;
mod derivation;
mod draft;
mod ledger;
mod logs;
mod seal;
mod tally;

use std::sync::Arc;

use audit::{Kind, Salt, SecretKey, leaf, signed};
use prost::Message as _;
use proto::{Digest, Terms, wire};
use store::{PlacedReceipt, ReceiptRow, Store, StoreError};
use tokio::sync::Mutex;

use crate::{
    ask::{Question, Reason, Routed, record::Record},
    clock::now_ms,
    messages,
    policy::Policy,
    route::Rules,
};
pub use bundle::ReadError;
pub(crate) use derivation::derivation;
use draft::{Frame, draft};
use ledger::{Ledger, ledger};
pub use ledger::{LedgerError, Writer};
pub use logs::{Logs, LogsError, Which};
pub use seal::Capability;
use tally::Window;
pub use tally::{Counts, Pair, TALLY_TURNS_MAX, Tally};

/// A receipt's time is rounded down to so many seconds.
const TIME_S: u64 = 3_600;

/// Why there is no receipt.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// It was not written down.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The conversation's turn before this one has none here.
    #[error("this router has no receipt of a turn {0}: leave the turn before this one out")]
    UnknownPrevious(String),
    /// The system has no random numbers.
    #[error("the system gives no random numbers, so that nothing can be kept private")]
    Random,
    /// Its parts could not be put together.
    #[error("the record of the answer could not be made")]
    Unmade,
}

/// Makes receipts and keeps them.
pub struct Receipts {
    /// The router's name.
    name: String,
    key: SecretKey,
    policy: Policy,
    rules: Arc<Rules>,
    ledger: Ledger,
    logs: Logs,
    store: Store,
    latest: Mutex<Window>,
}

impl Receipts {
    /// Those of the router with this `name` and `key`, whose `policy` is what `rules` and limits amount to, in
    /// `store` and `logs`; and what writes them, which has to run.
    pub async fn open(
        name: String,
        key: SecretKey,
        policy: Policy,
        rules: Arc<Rules>,
        (store, logs): (Store, Logs),
    ) -> Result<(Arc<Self>, Writer), StoreError> {
        let (ledger, writer) = ledger(store.clone()).await?;
        Ok((
            Arc::new(Self { name, key, policy, rules, ledger, logs, store, latest: Mutex::default() }),
            writer,
        ))
    }

    /// The router's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What became of the latest turns that are written down. The first reader after a start waits for some
    /// thousand receipts to be read, later ones for what is new.
    pub async fn tally(&self) -> Result<Arc<Tally>, StoreError> {
        self.latest.lock().await.tally(&self.store, self.written()).await
    }

    /// The logs.
    pub fn logs(&self) -> &Logs {
        &self.logs
    }

    /// What stands for the key in an envelope.
    fn keyid(&self) -> [u8; 4] {
        crate::key::vkey(&self.name, Which::Receipts, &self.key).map_or([0; 4], |vkey| vkey.id())
    }

    /// The keys that its receipts and logs are signed with, as a trust file. Whoever has it from here trusts the router
    /// to name its own keys. None where its name is none for a key.
    pub fn trust(&self) -> Option<serde_json::Value> {
        crate::key::trust_file(&self.name, &self.key, self.logs.witnesses()).ok()
    }

    /// What is in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// How many receipts are written down.
    pub fn written(&self) -> u64 {
        *self.ledger.written().borrow()
    }

    /// How many writes that took since the start.
    pub fn writes(&self) -> u64 {
        self.ledger.writes()
    }

    /// Begins the receipt of a turn; none where the disk has no room for it.
    pub async fn begin(self: &Arc<Self>, question: &Question) -> Result<Begun, ReceiptError> {
        let previous_sha256 = match &question.previous {
            Some(id) => self.payload_sha256(id).await?,
            None => Vec::new(),
        };
        if !self.ledger.has_room() {
            return Err(LedgerError::DiskFull.into());
        }
        let salt = Salt::random().map_err(|_| ReceiptError::Random)?;
        let capability = Capability::random().ok_or(ReceiptError::Random)?;
        Ok(Begun { capability, record: Record::new(salt), previous_sha256 })
    }

    /// Waits until the receipts of all turns that have ended are written down, those of turns whose reader left
    /// too, or have failed to be.
    pub async fn flush(&self) {
        self.ledger.flush().await;
    }

    async fn payload_sha256(&self, request_id: &str) -> Result<Vec<u8>, ReceiptError> {
        let found = self.store.receipt(request_id).await?;
        let PlacedReceipt { row, .. } =
            found.ok_or_else(|| ReceiptError::UnknownPrevious(request_id.to_owned()))?;
        Ok(Digest::of(row.payload).as_bytes().to_vec())
    }

    /// The receipt of the turn `request_id` and its place, for whoever shows its `capability`.
    async fn find(&self, request_id: &str, capability: &Capability) -> Result<(u64, ReceiptRow), ReadError> {
        let found = self.store.receipt(request_id).await?;
        let shown = capability.digest();
        let PlacedReceipt { place, row } = found
            .filter(|found| found.row.capability_sha256 == shown.as_bytes())
            .ok_or(ReadError::Unknown)?;
        Ok((place.unsigned_abs(), row))
    }
}

/// What a turn needs before it begins.
pub struct Begun {
    /// What opens its receipt.
    pub capability: Capability,
    /// Where what it does is taken down.
    pub record: Record,
    previous_sha256: Vec<u8>,
}

/// The receipt of one turn on its way. If the turn is dropped before its end, that is written down too.
pub struct Pending {
    receipts: Arc<Receipts>,
    question: Question,
    routed: Arc<Routed>,
    begun: Begun,
    closed: bool,
}

impl Pending {
    /// The receipt of `question`, which was `routed`.
    pub fn new(receipts: Arc<Receipts>, question: Question, routed: Arc<Routed>, begun: Begun) -> Self {
        Self { receipts, question, routed, begun, closed: false }
    }

    /// Signs it and writes it down, now that the turn has ended by `reason`; it is on the disk when this returns.
    pub async fn close(&mut self, reason: Reason) -> Result<(), ReceiptError> {
        self.closed = true;
        let row = self.row(reason).ok_or(ReceiptError::Unmade)?;
        Ok(self.receipts.ledger.write(row).await?)
    }

    fn row(&self, reason: Reason) -> Option<ReceiptRow> {
        let Self { receipts, question, routed, begun, closed: _ } = self;
        let options = wire::AskOptions::from(&question.options);
        let terms = Terms::of(question.conversation.question()).hashes().len();
        let derivation = derivation(routed, &receipts.rules.policy, options.clone(), terms).ok()?;
        let asked = wire::AskRequest {
            turns: (&question.conversation).into(),
            options: Some(options),
            previous_request_id: question.previous.clone().unwrap_or_default(),
        };
        let log = routed.snapshot.log();
        let frame = Frame {
            router: &receipts.name,
            time_s: hour(),
            previous_sha256: begun.previous_sha256.clone(),
            registry: wire::LogState { size: log.size, root: log.root.as_bytes().to_vec() },
            policy: &receipts.policy,
            reason: messages::reason(reason),
        };
        let deeds = begun.record.deeds();
        let (question, derivation) = (asked.encode_to_vec(), derivation.encode_to_vec());
        let (receipt, opening) = draft(frame, begun.record.salt(), routed, &deeds, question, derivation);
        let signed = signed::sign(&receipts.key, Kind::Receipt, receipt.encode_to_vec());
        let leaf_salt = Salt::random().ok()?;
        let opening = serde_json::to_vec(&opening).ok()?;
        Some(ReceiptRow {
            request_id: routed.request_id.clone(),
            leaf: leaf(&leaf_salt, &signed, &receipts.name).to_vec(),
            payload: signed.payload,
            signature: signed.signature,
            leaf_salt: leaf_salt.as_bytes().to_vec(),
            capability_sha256: begun.capability.digest().as_bytes().to_vec(),
            sealed: Some(begun.capability.seal(&routed.request_id, &opening)?),
        })
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.closed
            && let Some(row) = self.row(Reason::Abandoned)
            && let Err(error) = self.receipts.ledger.leave(row)
        {
            tracing::error!(request = self.routed.request_id, %error, "an abandoned turn has no receipt");
        }
    }
}

/// This hour: seconds since 1970-01-01 UTC, rounded down, so that a receipt says little of when it was.
fn hour() -> u64 {
    let now = now_ms() / 1_000;
    now - now % TIME_S
}
