//! Receipts: one row a turn, in the order in which they were written down.

use sqlx::FromRow;

use super::{Store, StoreError};

/// How many bytes a disk must take for [`Store::try_room`] to call it free again: more than one batch of
/// receipts of usual length.
const ROOM_BYTES: i64 = 1 << 20;

/// A receipt, as stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ReceiptRow {
    /// The router's name for the turn.
    pub request_id: String,
    /// The receipt that was signed.
    pub payload: Vec<u8>,
    /// The router's signature: 64 bytes.
    pub signature: Vec<u8>,
    /// What hides the receipt in its leaf: 32 bytes.
    pub leaf_salt: Vec<u8>,
    /// What the log holds of it: 73 bytes.
    pub leaf: Vec<u8>,
    /// SHA-256 of what its reader has to show: 32 bytes.
    pub capability_sha256: Vec<u8>,
    /// What opens its commitments, sealed; `None` once it was forgotten.
    pub sealed: Option<Vec<u8>>,
}

/// A receipt and its place in the log.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct PlacedReceipt {
    /// From 0, without a gap.
    pub place: i64,
    /// It.
    #[sqlx(flatten)]
    pub row: ReceiptRow,
}

impl Store {
    /// How many receipts there are: the place of the next one.
    pub async fn receipt_count(&self) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(place) + 1, 0) FROM receipt")
            .fetch_one(&self.pool)
            .await?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Writes `rows` from `place` on, all or none; on the disk when it returns.
    pub async fn put_receipts(&self, place: u64, rows: &[ReceiptRow]) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        for (place, row) in (place..).zip(rows) {
            sqlx::query("INSERT INTO receipt VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
                .bind(i64::try_from(place).unwrap_or(i64::MAX))
                .bind(&row.request_id)
                .bind(&row.payload)
                .bind(&row.signature)
                .bind(&row.leaf_salt)
                .bind(&row.leaf)
                .bind(&row.capability_sha256)
                .bind(&row.sealed)
                .execute(&mut *change)
                .await?;
        }
        Ok(change.commit().await?)
    }

    /// The receipt of the turn with this name.
    pub async fn receipt(&self, request_id: &str) -> Result<Option<PlacedReceipt>, StoreError> {
        let row = sqlx::query_as("SELECT * FROM receipt WHERE request_id = ?").bind(request_id);
        Ok(row.fetch_optional(&self.pool).await?)
    }

    /// What the log holds of the receipts from `place` on: at most `count` leaves.
    pub async fn leaves(&self, place: u64, count: u32) -> Result<Vec<Vec<u8>>, StoreError> {
        let leaves = sqlx::query_scalar("SELECT leaf FROM receipt WHERE place >= ? ORDER BY place LIMIT ?");
        let leaves = leaves.bind(i64::try_from(place).unwrap_or(i64::MAX)).bind(count);
        Ok(leaves.fetch_all(&self.pool).await?)
    }

    /// What was signed of the receipts from `place` on: at most `count` payloads.
    pub async fn receipt_payloads(&self, place: u64, count: u32) -> Result<Vec<Vec<u8>>, StoreError> {
        let rows = sqlx::query_scalar("SELECT payload FROM receipt WHERE place >= ? ORDER BY place LIMIT ?");
        let rows = rows.bind(i64::try_from(place).unwrap_or(i64::MAX)).bind(count);
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// Forgets what opens the receipt of a turn: its bytes are gone from the database and from its log of writes
    /// when this returns. The receipt itself stays, as the log does. Where it fails, it can be tried again.
    pub async fn forget_opening(&self, request_id: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE receipt SET sealed = NULL WHERE request_id = ?")
            .bind(request_id)
            .execute(&self.pool)
            .await?;
        self.empty_write_log().await
    }

    /// Empties the write-ahead log into the database. The pages there that held what was erased are overwritten
    /// (`secure_delete`), but the log has their old content until then.
    pub(crate) async fn empty_write_log(&self) -> Result<(), StoreError> {
        let (busy, _, _): (i64, i64, i64) =
            sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&self.pool).await?;
        if busy == 0 { Ok(()) } else { Err(StoreError::Busy) }
    }

    /// Whether the disk has room for receipts again: writes so much and takes it back.
    pub async fn try_room(&self) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        // Where the disk was full again before it could be taken back, it still stands there.
        sqlx::query("DROP TABLE IF EXISTS room").execute(&mut *change).await?;
        sqlx::query("CREATE TABLE room (bytes BLOB)").execute(&mut *change).await?;
        sqlx::query("INSERT INTO room VALUES (zeroblob(?))").bind(ROOM_BYTES).execute(&mut *change).await?;
        change.commit().await?;
        sqlx::query("DROP TABLE room").execute(&self.pool).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str) -> ReceiptRow {
        let mut leaf = name.as_bytes().to_vec();
        leaf.resize(73, 0);
        ReceiptRow {
            request_id: name.into(),
            payload: name.as_bytes().to_vec(),
            signature: vec![1; 64],
            leaf_salt: vec![2; 32],
            leaf,
            capability_sha256: vec![3; 32],
            sealed: Some(b"seldom seen by anybody".to_vec()),
        }
    }

    #[tokio::test]
    async fn receipts_come_back_in_their_places() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("router.db")).await.unwrap();
        assert_eq!(store.receipt_count().await.unwrap(), 0);
        store.put_receipts(0, &[row("a"), row("b")]).await.unwrap();
        store.put_receipts(2, &[row("c")]).await.unwrap();
        assert_eq!(store.receipt_count().await.unwrap(), 3);
        let second = store.receipt("b").await.unwrap().unwrap();
        assert_eq!(second, PlacedReceipt { place: 1, row: row("b") });
        assert_eq!(store.leaves(1, 10).await.unwrap(), [row("b").leaf, row("c").leaf]);
        assert_eq!(store.leaves(0, 1).await.unwrap(), [row("a").leaf]);
        assert_eq!(store.receipt_payloads(1, 10).await.unwrap(), [b"b", b"c"]);
    }

    #[tokio::test]
    async fn a_batch_is_written_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("router.db")).await.unwrap();
        store.put_receipts(0, &[row("a")]).await.unwrap();
        assert!(store.put_receipts(1, &[row("b"), row("a")]).await.is_err());
        assert_eq!(store.receipt_count().await.unwrap(), 1);
    }

    #[tokio::test]
    async fn two_that_write_at_once_take_turns() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("router.db")).await.unwrap();
        let receipts = async {
            for place in 0..50 {
                store.put_receipts(place, &[row(&place.to_string())]).await.unwrap();
            }
        };
        let registrations = async {
            for _ in 0..50 {
                store.remove_registration("nobody", 0, &[]).await.unwrap();
            }
        };
        tokio::join!(receipts, registrations);
        assert_eq!(store.receipt_count().await.unwrap(), 50);
    }

    #[tokio::test]
    async fn what_was_forgotten_is_in_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("router.db")).await.unwrap();
        store.put_receipts(0, &[row("a"), row("b")]).await.unwrap();
        let holding = || {
            let holds = |path: &std::path::Path| {
                std::fs::read(path).unwrap().windows(22).any(|bytes| bytes == b"seldom seen by anybody")
            };
            std::fs::read_dir(folder.path())
                .unwrap()
                .filter(|file| holds(&file.as_ref().unwrap().path()))
                .count()
        };
        assert!(holding() > 0);
        for name in ["a", "b"] {
            store.forget_opening(name).await.unwrap();
        }
        assert_eq!(holding(), 0);
        assert_eq!(store.receipt("a").await.unwrap().unwrap().row.sealed, None);
        assert_eq!(store.leaves(0, 10).await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn nothing_counts_as_forgotten_while_a_reader_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("router.db")).await.unwrap();
        store.put_receipts(0, &[row("a")]).await.unwrap();
        let mut reader = store.pool.begin().await.unwrap();
        sqlx::query("SELECT * FROM receipt").fetch_all(&mut *reader).await.unwrap();
        assert!(matches!(store.forget_opening("a").await, Err(StoreError::Busy)));
        reader.rollback().await.unwrap();
        store.forget_opening("a").await.unwrap();
        assert_eq!(std::fs::metadata(folder.path().join("router.db-wal")).unwrap().len(), 0);
    }

    #[tokio::test]
    async fn room_is_tried_without_a_trace() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("router.db")).await.unwrap();
        for _ in 0..2 {
            store.try_room().await.unwrap();
        }
        // What was not taken back the last time is no hindrance.
        sqlx::query("CREATE TABLE room (bytes BLOB)").execute(&store.pool).await.unwrap();
        store.try_room().await.unwrap();
    }
}
