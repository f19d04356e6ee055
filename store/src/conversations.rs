//! Conversations that people have at the page, each owned by one session. A session is named by the SHA-256 of its
//! cookie; whoever does not own a conversation learns nothing of it, not even that it is there.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use sqlx::{FromRow, SqliteConnection};

use super::{Store, StoreError};

/// How many conversations one session may have.
pub const SESSION_CONVERSATIONS_MAX: u32 = 1_000;

/// How many conversations all sessions may have together.
pub const CONVERSATIONS_MAX: u32 = 100_000;

/// How many turns that hold a query's words one search looks at, the newest first.
const HITS_MAX: u32 = 1_000;

/// How many words of a query count.
const WORDS_MAX: usize = 16;

/// What stands before and after a match in what FTS5 gives back; both are taken out again.
const MARKS: [char; 2] = ['\u{2}', '\u{3}'];

/// How many words a snippet has.
const SNIPPET_WORDS: u32 = 16;

/// A conversation without its turns, as stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ConversationRow {
    /// Its id, which no other conversation ever has.
    pub id: String,
    /// Its title; empty until something was asked.
    pub title: String,
    /// The folder that its owner put it into; empty where there is none.
    pub folder: String,
    /// Whether it stands before the others.
    pub pinned: bool,
    /// What a link to it holds; `None` where it is not shared.
    pub share_token: Option<String>,
    /// Milliseconds since 1970-01-01 UTC.
    pub created_at_ms: i64,
    /// When something was last asked: milliseconds since 1970-01-01 UTC.
    pub updated_at_ms: i64,
}

/// What an owner changes of a conversation; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// The title.
    pub title: Option<String>,
    /// The folder; empty for none.
    pub folder: Option<String>,
    /// Whether it stands before the others.
    pub pinned: Option<bool>,
}

/// Where a query's words stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// What stands before the first of them.
    pub before: String,
    /// It.
    pub matched: String,
    /// What follows it.
    pub after: String,
}

impl Store {
    /// Makes an empty conversation `id` of the session `owner`, and the session where there is none.
    ///
    /// With a session the `network` is kept that it began in, the first bytes of an address, as a digest with a secret
    /// of this database. Neither tells anything without the other; whoever has the whole database can try all
    /// networks, of which there are few enough.
    pub async fn create_conversation(
        &self,
        owner: &[u8; 32],
        network: &[u8],
        id: &str,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        make_room(&mut change).await?;
        let secret: Vec<u8> =
            sqlx::query_scalar("SELECT secret FROM network_key").fetch_one(&mut *change).await?;
        let network = Sha256::new().chain_update(secret).chain_update(network).finalize();
        let session: i64 = sqlx::query_scalar(
            "INSERT INTO session (cookie_sha256, network) VALUES (?, ?)
             ON CONFLICT DO UPDATE SET cookie_sha256 = excluded.cookie_sha256 RETURNING place",
        )
        .bind(owner.as_slice())
        .bind(network.as_slice())
        .fetch_one(&mut *change)
        .await?;
        let own: u32 = sqlx::query_scalar("SELECT COUNT(*) FROM conversation WHERE session = ?")
            .bind(session)
            .fetch_one(&mut *change)
            .await?;
        if own >= SESSION_CONVERSATIONS_MAX {
            return Err(StoreError::Limit {
                what: "conversations in this session",
                max: SESSION_CONVERSATIONS_MAX,
                next: "delete one of them",
            });
        }
        sqlx::query(
            "INSERT INTO conversation (id, session, title, folder, pinned, created_at_ms, updated_at_ms)
             VALUES (?1, ?2, '', '', FALSE, ?3, ?3)",
        )
        .bind(id)
        .bind(session)
        .bind(now_ms)
        .execute(&mut *change)
        .await?;
        Ok(change.commit().await?)
    }

    /// All conversations of `owner`: the pinned ones first, then those last asked in.
    pub async fn conversations(&self, owner: &[u8; 32]) -> Result<Vec<ConversationRow>, StoreError> {
        let rows = sqlx::query_as(
            "SELECT * FROM owned WHERE owner = ? ORDER BY pinned DESC, updated_at_ms DESC, place DESC",
        );
        Ok(rows.bind(owner.as_slice()).fetch_all(&self.pool).await?)
    }

    /// The conversation `id`, if it is `owner`'s.
    pub async fn conversation(
        &self,
        owner: &[u8; 32],
        id: &str,
    ) -> Result<Option<ConversationRow>, StoreError> {
        let row = sqlx::query_as("SELECT * FROM owned WHERE owner = ? AND id = ?");
        let row = row.bind(owner.as_slice()).bind(id);
        Ok(row.fetch_optional(&self.pool).await?)
    }

    /// The conversation that a link with `token` shows.
    pub async fn shared_conversation(&self, token: &str) -> Result<Option<ConversationRow>, StoreError> {
        let row = sqlx::query_as("SELECT * FROM conversation WHERE share_token = ?").bind(token);
        Ok(row.fetch_optional(&self.pool).await?)
    }

    /// The ids of `owner`'s conversations in whose title, questions or answers all words of `query` stand, each
    /// perhaps as the beginning of a longer one; with a snippet where they stand in a turn.
    pub async fn search_conversations(
        &self,
        owner: &[u8; 32],
        query: &str,
    ) -> Result<BTreeMap<String, Option<Snippet>>, StoreError> {
        let Some(terms) = terms(query) else { return Ok(BTreeMap::new()) };
        let turns: Vec<(String, String)> = sqlx::query_as(
            "SELECT owned.id, snippet(turn_words, -1, ?1, ?2, '…', ?3)
             FROM turn_words JOIN turn ON turn.place = turn_words.rowid
             JOIN owned ON owned.place = turn.conversation
             WHERE turn_words MATCH ?4 AND owner = ?5 ORDER BY turn_words.rowid DESC LIMIT ?6",
        )
        .bind(MARKS[0].to_string())
        .bind(MARKS[1].to_string())
        .bind(SNIPPET_WORDS)
        .bind(&terms)
        .bind(owner.as_slice())
        .bind(HITS_MAX)
        .fetch_all(&self.pool)
        .await?;
        let titles: Vec<String> = sqlx::query_scalar(
            "SELECT owned.id FROM title_words JOIN owned ON owned.place = title_words.rowid
             WHERE title_words MATCH ? AND owner = ?",
        )
        .bind(&terms)
        .bind(owner.as_slice())
        .fetch_all(&self.pool)
        .await?;
        let mut found: BTreeMap<_, _> = titles.into_iter().map(|id| (id, None)).collect();
        // The newest come first, and the last one stays.
        found.extend(turns.into_iter().rev().map(|(id, marked)| (id, snippet(&marked))));
        Ok(found)
    }

    /// Changes the conversation `id`, if it is `owner`'s; whether it is.
    pub async fn change_conversation(
        &self,
        owner: &[u8; 32],
        id: &str,
        changes: &Changes,
    ) -> Result<bool, StoreError> {
        let changed = sqlx::query(
            "UPDATE conversation SET title = COALESCE(?, title), folder = COALESCE(?, folder), pinned = COALESCE(?, pinned)
             WHERE id = ? AND session = (SELECT place FROM session WHERE cookie_sha256 = ?)",
        )
        .bind(&changes.title)
        .bind(&changes.folder)
        .bind(changes.pinned)
        .bind(id)
        .bind(owner.as_slice())
        .execute(&self.pool)
        .await?;
        Ok(changed.rows_affected() > 0)
    }

    /// Shares the conversation `id`, if it is `owner`'s, under `token` or the one that it is shared under already,
    /// which comes back.
    pub async fn share_conversation(
        &self,
        owner: &[u8; 32],
        id: &str,
        token: &str,
    ) -> Result<Option<String>, StoreError> {
        let token = sqlx::query_scalar(
            "UPDATE conversation SET share_token = COALESCE(share_token, ?)
             WHERE id = ? AND session = (SELECT place FROM session WHERE cookie_sha256 = ?) RETURNING share_token",
        )
        .bind(token)
        .bind(id)
        .bind(owner.as_slice());
        Ok(token.fetch_optional(&self.pool).await?)
    }

    /// Ends the sharing of the conversation `id`, if it is `owner`'s; whether it is.
    pub async fn revoke_share(&self, owner: &[u8; 32], id: &str) -> Result<bool, StoreError> {
        let revoked = sqlx::query(
            "UPDATE conversation SET share_token = NULL
             WHERE id = ? AND session = (SELECT place FROM session WHERE cookie_sha256 = ?)",
        )
        .bind(id)
        .bind(owner.as_slice())
        .execute(&self.pool)
        .await?;
        Ok(revoked.rows_affected() > 0)
    }

    /// Deletes the conversation `id`, if it is `owner`'s, and what opens its receipts; whether it is. When this
    /// returns the bytes are gone from the database and from its log of writes. Where it fails as busy, they are
    /// once it is tried again, though there is nothing left to find.
    pub async fn delete_conversation(&self, owner: &[u8; 32], id: &str) -> Result<bool, StoreError> {
        let mut change = self.change().await?;
        let place: Option<i64> = sqlx::query_scalar("SELECT place FROM owned WHERE owner = ? AND id = ?")
            .bind(owner.as_slice())
            .bind(id)
            .fetch_optional(&mut *change)
            .await?;
        delete(&mut change, place.as_slice()).await?;
        change.commit().await?;
        self.empty_write_log().await?;
        Ok(place.is_some())
    }

    /// Deletes every conversation in which nothing was asked since `before_ms`, as [`Store::delete_conversation`]
    /// does; how many they were.
    pub async fn sweep_conversations(&self, before_ms: i64) -> Result<usize, StoreError> {
        let mut change = self.change().await?;
        let old: Vec<i64> = sqlx::query_scalar("SELECT place FROM conversation WHERE updated_at_ms < ?")
            .bind(before_ms)
            .fetch_all(&mut *change)
            .await?;
        delete(&mut change, &old).await?;
        change.commit().await?;
        self.empty_write_log().await?;
        Ok(old.len())
    }
}

/// Makes sure that there may be one more conversation. Where the router is full, those in which nobody has asked
/// anything go first: a flood of them costs whoever sends it little, and their owners nothing.
async fn make_room(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let is_full = async |connection: &mut SqliteConnection| {
        let count: u32 =
            sqlx::query_scalar("SELECT COUNT(*) FROM conversation").fetch_one(connection).await?;
        Ok::<_, StoreError>(count >= CONVERSATIONS_MAX)
    };
    if !is_full(connection).await? {
        return Ok(());
    }
    let unused = "SELECT place FROM conversation WHERE place NOT IN (SELECT conversation FROM turn)";
    let unused: Vec<i64> = sqlx::query_scalar(unused).fetch_all(&mut *connection).await?;
    delete(connection, &unused).await?;
    if is_full(connection).await? {
        return Err(StoreError::Limit {
            what: "conversations on this router",
            max: CONVERSATIONS_MAX,
            next: "delete one of yours, or have its operator keep them for fewer days",
        });
    }
    Ok(())
}

/// Deletes the conversations at `places` with all that belongs to them, what opens their receipts too, and the
/// sessions that have none any more.
async fn delete(connection: &mut SqliteConnection, places: &[i64]) -> Result<(), StoreError> {
    // One statement for all of them: numbers in brackets are a list in JSON.
    let places = format!("{places:?}");
    for statement in [
        "UPDATE receipt SET sealed = NULL WHERE request_id IN (
             SELECT id FROM turn WHERE conversation IN (SELECT value FROM json_each(?)))",
        "DELETE FROM conversation WHERE place IN (SELECT value FROM json_each(?))",
    ] {
        sqlx::query(statement).bind(&places).execute(&mut *connection).await?;
    }
    let idle = "DELETE FROM session WHERE place NOT IN (SELECT session FROM conversation)";
    sqlx::query(idle).execute(connection).await?;
    Ok(())
}

/// The words of `query` in FTS5's language, of which none can be an operator; `None` where there is no word.
fn terms(query: &str) -> Option<String> {
    let words = query.split(|c: char| c.is_whitespace() || c.is_control());
    let words = words.filter(|word| word.contains(char::is_alphanumeric)).take(WORDS_MAX);
    let terms: Vec<String> = words.map(|word| format!("\"{}\"*", word.replace('"', "\"\""))).collect();
    Some(terms.join(" ")).filter(|terms| !terms.is_empty())
}

/// What FTS5 `marked`, taken apart at the first match.
fn snippet(marked: &str) -> Option<Snippet> {
    let (before, rest) = marked.split_once(MARKS[0])?;
    let (matched, after) = rest.split_once(MARKS[1])?;
    let clean = |text: &str| text.replace(MARKS, "");
    Some(Snippet { before: clean(before), matched: clean(matched), after: clean(after) })
}

#[cfg(test)]
mod tests;
