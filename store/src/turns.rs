//! The turns of a conversation: a tree, in which those with one parent are versions of each other. Whose it is, whoever
//! names it has to know.

use sqlx::{FromRow, SqliteConnection};

use super::{Store, StoreError};

/// How many turns one conversation may have, all versions counted.
pub const TURNS_MAX: u32 = 500;

/// How far a turn is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(rename_all = "lowercase")]
pub enum TurnState {
    /// It is being answered.
    Running,
    /// Its answer came to its end.
    Done,
    /// Its reader left before the end.
    Stopped,
    /// There is no answer, or it broke off.
    Failed,
}

/// A turn, as stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct TurnRow {
    /// Its id, which is the request's.
    pub id: String,
    /// The id of the turn that it follows; `None` where it is the first.
    pub parent: Option<String>,
    /// What was asked.
    pub question: String,
    /// Milliseconds since 1970-01-01 UTC.
    pub created_at_ms: i64,
    /// How far it is.
    pub state: TurnState,
    /// What was said, as JSON; `None` while it runs.
    pub answer: Option<String>,
    /// Why it failed, as JSON.
    pub error: Option<String>,
    /// Whether its owner's thumb points up; `None` where there is none.
    pub up: Option<bool>,
    /// Why it points down.
    pub reason: Option<String>,
}

/// A turn that another one follows.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Said {
    /// Its id.
    pub id: String,
    /// What was asked.
    pub question: String,
    /// What was said; `None` where nothing was.
    pub said: Option<String>,
    /// Whether its receipt is written down.
    pub has_receipt: bool,
}

/// A turn that begins.
#[derive(Debug, Clone)]
pub struct NewTurn<'a> {
    /// Its id.
    pub id: &'a str,
    /// The id of the turn that it follows.
    pub parent: Option<&'a str>,
    /// What is asked.
    pub question: &'a str,
    /// What the conversation is called from now on where it has no title.
    pub title: &'a str,
    /// Milliseconds since 1970-01-01 UTC.
    pub created_at_ms: i64,
}

impl Store {
    /// All turns of the conversation `id`, oldest first.
    pub async fn turns(&self, id: &str) -> Result<Vec<TurnRow>, StoreError> {
        let rows = sqlx::query_as(
            "SELECT id, (SELECT id FROM turn AS earlier WHERE earlier.place = turn.parent) AS parent,
                 question, created_at_ms, state, answer, error, up, reason
             FROM turn LEFT JOIN feedback ON feedback.turn = turn.place
             WHERE conversation = (SELECT place FROM conversation WHERE id = ?) ORDER BY place",
        );
        Ok(rows.bind(id).fetch_all(&self.pool).await?)
    }

    /// What a turn that is to follow `parent` follows, oldest first: the last `count` turns on the way there; `None`
    /// where no such turn is in the conversation `id`. Fails where that takes no more turns.
    pub async fn before_turn(
        &self,
        id: &str,
        parent: Option<&str>,
        count: usize,
    ) -> Result<Option<Vec<Said>>, StoreError> {
        check_room(&mut *self.pool.acquire().await?, id).await?;
        let Some(parent) = parent else { return Ok(Some(Vec::new())) };
        let path: Vec<Said> = sqlx::query_as(
            "WITH RECURSIVE path (place, parent, id, question, said, depth) AS (
                 SELECT place, parent, id, question, said, 1 FROM turn
                 WHERE id = ?1 AND conversation = (SELECT place FROM conversation WHERE id = ?2)
                 UNION ALL
                 SELECT turn.place, turn.parent, turn.id, turn.question, turn.said, depth + 1
                 FROM turn JOIN path ON turn.place = path.parent WHERE depth < ?3
             )
             SELECT id, question, said, EXISTS (SELECT 1 FROM receipt WHERE request_id = id) AS has_receipt
             FROM path ORDER BY depth DESC",
        )
        .bind(parent)
        .bind(id)
        .bind(i64::try_from(count).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await?;
        Ok(Some(path).filter(|path| !path.is_empty()))
    }

    /// Writes down that `turn` of the conversation `id` runs; whether that is still there.
    pub async fn begin_turn(&self, id: &str, turn: &NewTurn<'_>) -> Result<bool, StoreError> {
        let mut change = self.change().await?;
        check_room(&mut change, id).await?;
        let asked: Option<i64> = sqlx::query_scalar(
            "UPDATE conversation SET updated_at_ms = ?, title = CASE title WHEN '' THEN ? ELSE title END
             WHERE id = ? RETURNING place",
        )
        .bind(turn.created_at_ms)
        .bind(turn.title)
        .bind(id)
        .fetch_optional(&mut *change)
        .await?;
        let Some(place) = asked else { return Ok(false) };
        sqlx::query(
            "INSERT INTO turn (id, conversation, parent, question, created_at_ms, state)
             VALUES (?, ?, (SELECT place FROM turn WHERE id = ?), ?, ?, ?)",
        )
        .bind(turn.id)
        .bind(place)
        .bind(turn.parent)
        .bind(turn.question)
        .bind(turn.created_at_ms)
        .bind(TurnState::Running)
        .execute(&mut *change)
        .await?;
        change.commit().await?;
        Ok(true)
    }

    /// Writes down how the turn `id` ended, with JSON of its `answer` and `error`; whether it is still there.
    pub async fn end_turn(
        &self,
        id: &str,
        state: TurnState,
        answer: &str,
        error: Option<&str>,
    ) -> Result<bool, StoreError> {
        let ended = sqlx::query("UPDATE turn SET state = ?, answer = ?, error = ? WHERE id = ?")
            .bind(state)
            .bind(answer)
            .bind(error)
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(ended.rows_affected() > 0)
    }

    /// Writes down that whatever runs has failed, with the JSON `error`: nobody answers it any more.
    pub async fn fail_running_turns(&self, error: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE turn SET state = ?, error = ? WHERE state = 'running'")
            .bind(TurnState::Failed)
            .bind(error)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

/// Makes sure that the conversation `id` takes one more turn.
async fn check_room(connection: &mut SqliteConnection, id: &str) -> Result<(), StoreError> {
    let count =
        "SELECT COUNT(*) FROM turn WHERE conversation = (SELECT place FROM conversation WHERE id = ?)";
    let count: u32 = sqlx::query_scalar(count).bind(id).fetch_one(connection).await?;
    if count < TURNS_MAX {
        return Ok(());
    }
    Err(StoreError::Limit {
        what: "turns in this conversation",
        max: TURNS_MAX,
        next: "begin a new conversation",
    })
}
