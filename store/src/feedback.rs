//! Feedback: a reader's thumb for a turn. It stands beside the turn, whose answer holds the decision, and goes with it.

use sqlx::FromRow;

use super::{Store, StoreError};

/// How many ratings are read to learn from: those of the latest turns.
pub const RATINGS_MAX: u32 = 100_000;

/// How many of them one session may have, so that it cannot crowd out what others say.
pub const SESSION_RATINGS_MAX: u32 = 200;

/// A rated turn, as it is learned from.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct RatingRow {
    /// SHA-256 of the cookie of the session that it is from: 32 bytes.
    pub session: Vec<u8>,
    /// When the question came, in milliseconds since 1970-01-01 UTC.
    pub asked_at_ms: i64,
    /// Whether the thumb points up.
    pub up: bool,
    /// Why it points down, of a fixed list.
    pub reason: Option<String>,
    /// Who was considered, as the answer's JSON has it; `None` where it has no such thing.
    pub considered: Option<String>,
    /// Who said which part of the answer, as its JSON has it.
    pub spans: Option<String>,
}

impl Store {
    /// Writes down what the owner of the conversation `id` thinks of its turn `turn`, in place of what was said before;
    /// whether there is such a turn, with an answer.
    pub async fn put_feedback(
        &self,
        owner: &[u8; 32],
        id: &str,
        turn: &str,
        up: bool,
        reason: Option<&str>,
    ) -> Result<bool, StoreError> {
        let written = sqlx::query(
            "INSERT INTO feedback (turn, up, reason)
             SELECT turn.place, ?, ? FROM turn
             JOIN conversation ON conversation.place = turn.conversation
             JOIN session ON session.place = conversation.session
             WHERE cookie_sha256 = ? AND conversation.id = ? AND turn.id = ? AND answer IS NOT NULL
             ON CONFLICT (turn) DO UPDATE SET up = excluded.up, reason = excluded.reason",
        )
        .bind(up)
        .bind(reason)
        .bind(owner.as_slice())
        .bind(id)
        .bind(turn)
        .execute(&self.pool)
        .await?;
        Ok(written.rows_affected() > 0)
    }

    /// Takes back what the owner of the conversation `id` thought of its turn `turn`; whether that was anything.
    pub async fn remove_feedback(&self, owner: &[u8; 32], id: &str, turn: &str) -> Result<bool, StoreError> {
        let removed = sqlx::query(
            "DELETE FROM feedback WHERE turn = (
                 SELECT turn.place FROM turn
                 JOIN conversation ON conversation.place = turn.conversation
                 JOIN session ON session.place = conversation.session
                 WHERE cookie_sha256 = ? AND conversation.id = ? AND turn.id = ?)",
        )
        .bind(owner.as_slice())
        .bind(id)
        .bind(turn)
        .execute(&self.pool)
        .await?;
        Ok(removed.rows_affected() > 0)
    }

    /// The rated turns, the latest first: at most [`SESSION_RATINGS_MAX`] of a session and [`RATINGS_MAX`] of all.
    pub async fn ratings(&self) -> Result<Vec<RatingRow>, StoreError> {
        self.ratings_within(SESSION_RATINGS_MAX, RATINGS_MAX).await
    }

    async fn ratings_within(&self, session_max: u32, all_max: u32) -> Result<Vec<RatingRow>, StoreError> {
        let rows = sqlx::query_as(
            "SELECT cookie_sha256 AS session, created_at_ms AS asked_at_ms, up, reason,
                 json_extract(answer, '$.consilium.routing.considered') AS considered,
                 json_extract(answer, '$.consilium.spans') AS spans
             FROM (
                 SELECT feedback.turn, up, reason, cookie_sha256,
                     ROW_NUMBER() OVER (PARTITION BY session.place ORDER BY feedback.turn DESC) AS nth
                 FROM feedback JOIN turn ON turn.place = feedback.turn
                 JOIN conversation ON conversation.place = turn.conversation
                 JOIN session ON session.place = conversation.session
             ) AS rated JOIN turn ON turn.place = rated.turn
             WHERE nth <= ? ORDER BY turn.place DESC LIMIT ?",
        );
        Ok(rows.bind(session_max).bind(all_max).fetch_all(&self.pool).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NewTurn, TurnState};

    const ANSWER: &str =
        r#"{"consilium":{"routing":{"considered":[{"id":"a"}]},"spans":[{"specialist":"a"}]}}"#;

    /// A conversation of `owner` with turns, each named by the conversation's name and its number, and answered.
    async fn talks(store: &Store, owner: u8, conversation: &str, turns: i64) {
        store.create_conversation(&[owner; 32], conversation, 0).await.unwrap();
        for created_at_ms in 0..turns {
            let id = format!("{conversation}{created_at_ms}");
            let turn = NewTurn { id: &id, parent: None, question: "why", title: "", created_at_ms };
            assert!(store.begin_turn(conversation, &turn).await.unwrap());
            assert!(store.end_turn(&id, TurnState::Done, ANSWER, None).await.unwrap());
        }
    }

    #[tokio::test]
    async fn a_thumb_is_changed_taken_back_and_goes_with_its_conversation() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("router.db")).await.unwrap();
        talks(&store, 1, "c", 2).await;
        let (owner, other) = ([1; 32], [2; 32]);
        assert!(store.put_feedback(&owner, "c", "c0", false, Some("unclear")).await.unwrap());
        assert!(store.put_feedback(&owner, "c", "c0", true, None).await.unwrap());
        assert!(store.put_feedback(&owner, "c", "c1", false, Some("other")).await.unwrap());
        assert!(!store.put_feedback(&other, "c", "c0", false, None).await.unwrap());
        assert!(!store.put_feedback(&owner, "c", "c2", false, None).await.unwrap());
        let row = |asked_at_ms, up, reason: Option<&str>| RatingRow {
            session: vec![1; 32],
            asked_at_ms,
            up,
            reason: reason.map(str::to_owned),
            considered: Some(r#"[{"id":"a"}]"#.to_owned()),
            spans: Some(r#"[{"specialist":"a"}]"#.to_owned()),
        };
        assert_eq!(store.ratings().await.unwrap(), [row(1, false, Some("other")), row(0, true, None)]);
        assert!(!store.remove_feedback(&other, "c", "c1").await.unwrap());
        assert!(store.remove_feedback(&owner, "c", "c1").await.unwrap());
        assert!(!store.remove_feedback(&owner, "c", "c1").await.unwrap());
        assert_eq!(store.ratings().await.unwrap(), [row(0, true, None)]);
        assert!(store.delete_conversation(&owner, "c").await.unwrap());
        let left: u32 =
            sqlx::query_scalar("SELECT COUNT(*) FROM feedback").fetch_one(&store.pool).await.unwrap();
        assert_eq!(left, 0);
    }

    #[tokio::test]
    async fn a_session_crowds_nobody_out() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("router.db")).await.unwrap();
        for (owner, name, count) in [(1, "first", 1), (2, "flood", 9)] {
            talks(&store, owner, name, count).await;
            for at in 0..count {
                let turn = format!("{name}{at}");
                assert!(store.put_feedback(&[owner; 32], name, &turn, true, None).await.unwrap());
            }
        }
        let rated = async |session_max, all_max| -> Vec<(u8, i64)> {
            let rows = store.ratings_within(session_max, all_max).await.unwrap();
            rows.into_iter().map(|row| (row.session[0], row.asked_at_ms)).collect()
        };
        assert_eq!(rated(3, 10).await, [(2, 8), (2, 7), (2, 6), (1, 0)]);
        assert_eq!(rated(3, 2).await, [(2, 8), (2, 7)]);
    }
}
