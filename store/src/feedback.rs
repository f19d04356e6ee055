//! Feedback: a reader's thumb for a turn. It stands beside the turn, whose answer holds the decision, and goes with it.

use sqlx::FromRow;

use super::{Store, StoreError};

/// How many ratings are read to learn from: those of the latest turns.
pub const RATINGS_MAX: u32 = 100_000;

/// How many of them one voter may have, so that it cannot crowd out what others say.
pub const VOTER_RATINGS_MAX: u32 = 200;

/// Who counts as one among those who rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voters {
    /// All sessions that began in one network, as far as that was kept; the others count by themselves. Sessions cost
    /// whoever makes them nothing, networks do.
    Networks,
    /// Every session.
    Sessions,
}

/// A rated turn, as it is learned from.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct RatingRow {
    /// Whom it is from: the digest of a network, or the SHA-256 of a session's cookie. 32 bytes.
    pub voter: Vec<u8>,
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
             SELECT turn.place, ?, ? FROM turn JOIN owned ON owned.place = turn.conversation
             WHERE owner = ? AND owned.id = ? AND turn.id = ? AND answer IS NOT NULL
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
                 SELECT turn.place FROM turn JOIN owned ON owned.place = turn.conversation
                 WHERE owner = ? AND owned.id = ? AND turn.id = ?)",
        )
        .bind(owner.as_slice())
        .bind(id)
        .bind(turn)
        .execute(&self.pool)
        .await?;
        Ok(removed.rows_affected() > 0)
    }

    /// The rated turns, the latest first: at most [`VOTER_RATINGS_MAX`] of a voter and [`RATINGS_MAX`] of all.
    pub async fn ratings(&self, voters: Voters) -> Result<Vec<RatingRow>, StoreError> {
        self.ratings_within(voters, VOTER_RATINGS_MAX, RATINGS_MAX).await
    }

    async fn ratings_within(
        &self,
        voters: Voters,
        voter_max: u32,
        all_max: u32,
    ) -> Result<Vec<RatingRow>, StoreError> {
        let rows = sqlx::query_as(
            "WITH rated AS (
                 SELECT feedback.turn, up, reason,
                     CASE WHEN ? THEN cookie_sha256 ELSE COALESCE(network, cookie_sha256) END AS voter
                 FROM feedback JOIN turn ON turn.place = feedback.turn
                 JOIN conversation ON conversation.place = turn.conversation
                 JOIN session ON session.place = conversation.session
             ), numbered AS (
                 SELECT *, ROW_NUMBER() OVER (PARTITION BY voter ORDER BY turn DESC) AS nth FROM rated
             )
             SELECT voter, created_at_ms AS asked_at_ms, up, reason,
                 json_extract(answer, '$.consilium.routing.considered') AS considered,
                 json_extract(answer, '$.consilium.spans') AS spans
             FROM numbered JOIN turn ON turn.place = numbered.turn
             WHERE nth <= ? ORDER BY turn.place DESC LIMIT ?",
        )
        .bind(voters == Voters::Sessions);
        Ok(rows.bind(voter_max).bind(all_max).fetch_all(&self.pool).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NewTurn, TurnState};

    const ANSWER: &str =
        r#"{"consilium":{"routing":{"considered":[{"id":"a"}]},"spans":[{"specialist":"a"}]}}"#;

    /// A conversation of `owner`, who has a network to itself, with turns that are named by the conversation's name
    /// and their number, and answered.
    async fn talks(store: &Store, owner: u8, conversation: &str, turns: i64) {
        store.create_conversation(&[owner; 32], &[owner], conversation, 0).await.unwrap();
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
            voter: vec![1; 32],
            asked_at_ms,
            up,
            reason: reason.map(str::to_owned),
            considered: Some(r#"[{"id":"a"}]"#.to_owned()),
            spans: Some(r#"[{"specialist":"a"}]"#.to_owned()),
        };
        assert_eq!(
            store.ratings(Voters::Sessions).await.unwrap(),
            [row(1, false, Some("other")), row(0, true, None)]
        );
        assert!(!store.remove_feedback(&other, "c", "c1").await.unwrap());
        assert!(store.remove_feedback(&owner, "c", "c1").await.unwrap());
        assert!(!store.remove_feedback(&owner, "c", "c1").await.unwrap());
        assert_eq!(store.ratings(Voters::Sessions).await.unwrap(), [row(0, true, None)]);
        assert!(store.delete_conversation(&owner, "c").await.unwrap());
        let left: u32 =
            sqlx::query_scalar("SELECT COUNT(*) FROM feedback").fetch_one(&store.pool).await.unwrap();
        assert_eq!(left, 0);
    }

    /// A thumb for each of so many turns in a conversation of each owner.
    async fn rated(store: &Store, talked: &[(u8, &str, i64)]) {
        for &(owner, name, count) in talked {
            talks(store, owner, name, count).await;
            for at in 0..count {
                let turn = format!("{name}{at}");
                assert!(store.put_feedback(&[owner; 32], name, &turn, true, None).await.unwrap());
            }
        }
    }

    #[tokio::test]
    async fn a_voter_crowds_nobody_out() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("router.db")).await.unwrap();
        rated(&store, &[(1, "first", 1), (2, "flood", 9)]).await;
        let rated = async |voter_max, all_max| -> Vec<(u8, i64)> {
            let rows = store.ratings_within(Voters::Sessions, voter_max, all_max).await.unwrap();
            rows.into_iter().map(|row| (row.voter[0], row.asked_at_ms)).collect()
        };
        assert_eq!(rated(3, 10).await, [(2, 8), (2, 7), (2, 6), (1, 0)]);
        assert_eq!(rated(3, 2).await, [(2, 8), (2, 7)]);
    }

    #[tokio::test]
    async fn sessions_of_one_network_are_one_voter() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("router.db")).await.unwrap();
        rated(&store, &[(1, "a", 1), (2, "b", 1), (3, "c", 1), (4, "d", 1), (5, "e", 1)]).await;
        // The second and third ask from where the first does; of the others it was not kept.
        for change in [
            "UPDATE session SET network = (SELECT network FROM session WHERE place = 1) WHERE place IN (2, 3)",
            "UPDATE session SET network = NULL WHERE place > 3",
        ] {
            sqlx::query(change).execute(&store.pool).await.unwrap();
        }
        let voters = async |voters| -> Vec<Vec<u8>> {
            let rows = store.ratings_within(voters, 2, 10).await.unwrap();
            rows.into_iter().map(|row| row.voter).collect()
        };
        let sessions = [5, 4, 3, 2, 1].map(|owner| vec![owner; 32]);
        assert_eq!(voters(Voters::Sessions).await, sessions);
        let networks = voters(Voters::Networks).await;
        assert_eq!((&networks[..2], networks.len()), (&sessions[..2], 4));
        assert!(networks[2] == networks[3] && !sessions.contains(&networks[2]), "{networks:?}");
    }

    #[tokio::test]
    async fn a_network_is_kept_as_a_digest_that_differs_from_database_to_database() {
        let digest = async |network: &[u8]| {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(&folder.path().join("router.db")).await.unwrap();
            store.create_conversation(&[1; 32], network, "a", 0).await.unwrap();
            store.create_conversation(&[2; 32], network, "b", 0).await.unwrap();
            let kept = sqlx::query_scalar("SELECT network FROM session").fetch_all(&store.pool).await;
            let kept: Vec<Vec<u8>> = kept.unwrap();
            assert_eq!(kept[0], kept[1]);
            kept[0].clone()
        };
        let digests = [digest(&[192, 0, 2]).await, digest(&[192, 0, 2]).await];
        assert_ne!(digests[0], digests[1]);
        assert!(digests.iter().all(|digest| digest.len() == 32 && !digest.starts_with(&[192, 0, 2])));
    }
}
