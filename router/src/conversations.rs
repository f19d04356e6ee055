//! Conversations that people have at the page: they are kept in the router's database for whoever owns them, as long
//! as its operator says, and deleted for good.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use proto::{
    Conversation, Invalid, Role, Turn,
    conversation::{TURN_BYTES_MAX, TURNS_MAX},
};
use store::{Said, Store, StoreError};
use tokio::{sync::watch, time::MissedTickBehavior};

use crate::clock;

/// How many turns before a question go along with it: as many as the contract takes, question and answer each.
pub const EARLIER_MAX: usize = (TURNS_MAX - 1) / 2;

/// How often what is kept no longer is looked for.
const SWEEP: Duration = Duration::from_hours(1);

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Why a turn has no answer that ran when the router ended.
const INTERRUPTED: &str = r#"{"message":"the router ended before the answer did: ask again","type":"server_error","param":null,"code":"interrupted"}"#;

/// All conversations, and which turns are under way in them.
pub struct Conversations {
    store: Store,
    retention_days: u32,
    /// What tells those who answer a turn of a conversation that it is deleted, by the conversation's id.
    under_way: Mutex<HashMap<String, watch::Sender<()>>>,
}

impl Conversations {
    /// Those in `store`, each kept for `retention_days` after its last question. What ran when the last router over
    /// it ended has failed.
    pub async fn open(store: Store, retention_days: u32) -> Result<Self, StoreError> {
        store.fail_running_turns(INTERRUPTED).await?;
        Ok(Self { store, retention_days, under_way: Mutex::default() })
    }

    /// Where they are.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// How many days a conversation is kept after its last question.
    pub fn retention_days(&self) -> u32 {
        self.retention_days
    }

    /// Told, or ended, when the conversation `id` is deleted; whoever answers a turn of it keeps this until nothing
    /// of the turn is left to write.
    pub fn enter(&self, id: &str) -> watch::Receiver<()> {
        let mut under_way = self.under_way();
        under_way.retain(|_, turns| turns.receiver_count() > 0);
        under_way.entry(id.to_owned()).or_default().subscribe()
    }

    /// Deletes the conversation `id` if it is `owner`'s; whether it is. Turns under way in it end; when this returns
    /// nothing of them is left on the disk either.
    pub async fn delete(&self, owner: &[u8; 32], id: &str) -> Result<bool, StoreError> {
        let deleted = self.store.delete_conversation(owner, id).await?;
        let turns = if deleted { self.under_way().remove(id) } else { None };
        if let Some(turns) = turns {
            turns.send_replace(());
            turns.closed().await;
        }
        Ok(deleted)
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<()>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Deletes what is kept no longer, at once and every hour, until `stopping` ends.
pub async fn sweep(conversations: Arc<Conversations>, stopping: impl Future<Output = ()>) {
    let mut stopping = std::pin::pin!(stopping);
    let mut tick = tokio::time::interval(SWEEP);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = &mut stopping => return,
            _ = tick.tick() => {}
        }
        let before_ms = now_ms() - i64::from(conversations.retention_days) * DAY_MS;
        match conversations.store.sweep_conversations(before_ms).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "conversations were deleted whose time was over"),
            Err(error) => tracing::error!(%error, "conversations whose time is over were not deleted"),
        }
    }
}

/// Milliseconds since 1970-01-01 UTC.
pub fn now_ms() -> i64 {
    i64::try_from(clock::now_ms()).unwrap_or(i64::MAX)
}

/// What is asked with `question` after what was said on the `path` to it, oldest first.
pub fn spoken(path: Vec<Said>, question: String) -> Result<Conversation, Invalid> {
    let mut turns = Vec::with_capacity(2 * path.len() + 1);
    for Said { question, said, .. } in path {
        turns.push(Turn { role: Role::User, text: question });
        // Nothing may have been said, and specialists may say more than a turn takes.
        if let Some(mut said) = said.filter(|said| !said.trim().is_empty()) {
            said.truncate(said.floor_char_boundary(TURN_BYTES_MAX));
            turns.push(Turn { role: Role::Assistant, text: said });
        }
    }
    turns.push(Turn { role: Role::User, text: question });
    // Those before were within the contract when they were asked.
    Conversation::new(turns).map_err(|invalid| Invalid { field: "text".to_owned(), ..invalid })
}
