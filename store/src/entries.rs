//! The registry log: entries in the order of their places, from 0 without a gap, and what they name by its
//! SHA-256. It only grows.

use sha2::{Digest as _, Sha256};
use sqlx::SqliteConnection;

use crate::{Store, StoreError};

/// How many entries one reading gives at the most.
pub const ENTRIES_MAX: i64 = 1_000;

/// An entry of the registry log that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry<'a> {
    /// A serialized `consilium.v1.RegistryEntry`.
    pub entry: Vec<u8>,
    /// The card or policy that it names, where it may be new.
    pub content: Option<&'a [u8]>,
}

impl Store {
    /// At most [`ENTRIES_MAX`] entries of the registry log, from place `from` on; none behind its end.
    pub async fn registry_entries(&self, from: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let first = place(from)?;
        let rows =
            sqlx::query_as("SELECT place, entry FROM registry_entry WHERE place >= ? ORDER BY place LIMIT ?");
        let rows: Vec<(i64, Vec<u8>)> = rows.bind(first).bind(ENTRIES_MAX).fetch_all(&self.pool).await?;
        let entry = |(expected, (found, entry)): (i64, (i64, Vec<u8>))| {
            if found == expected { Ok(entry) } else { Err(StoreError::Gap(expected)) }
        };
        (first..).zip(rows).map(entry).collect()
    }

    /// The card or policy with this SHA-256 that an entry of the registry log names.
    pub async fn registry_content(&self, sha256: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        let content = sqlx::query_scalar("SELECT content FROM registry_content WHERE sha256 = ?");
        Ok(content.bind(sha256.as_slice()).fetch_optional(&self.pool).await?)
    }

    /// Writes `entries` at `first` and the places behind it, all or none. `first` is how many there are: if
    /// somebody else has written meanwhile, nothing is.
    pub async fn append_entries(&self, first: u64, entries: &[LogEntry<'_>]) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        append(&mut change, first, entries).await?;
        Ok(change.commit().await?)
    }
}

/// Writes `entries` as a part of a change.
pub(crate) async fn append(
    connection: &mut SqliteConnection,
    first: u64,
    entries: &[LogEntry<'_>],
) -> Result<(), StoreError> {
    for (place, LogEntry { entry, content }) in (place(first)?..).zip(entries) {
        let insert = sqlx::query("INSERT INTO registry_entry (place, entry) VALUES (?, ?)");
        let written = insert.bind(place).bind(entry).execute(&mut *connection).await;
        written.map_err(|error| match error.as_database_error() {
            Some(taken) if taken.is_unique_violation() => StoreError::Overtaken,
            _ => error.into(),
        })?;
        let Some(content) = content else { continue };
        sqlx::query("INSERT OR IGNORE INTO registry_content (sha256, content) VALUES (?, ?)")
            .bind(Sha256::digest(content).as_slice())
            .bind(*content)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// A place as SQLite counts.
fn place(place: u64) -> Result<i64, StoreError> {
    i64::try_from(place).map_err(|_| StoreError::Gap(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::row;

    fn entry(byte: u8, content: Option<&[u8]>) -> LogEntry<'_> {
        LogEntry { entry: vec![byte], content }
    }

    async fn store(folder: &tempfile::TempDir) -> Store {
        Store::open(&folder.path().join("router.db")).await.unwrap()
    }

    #[tokio::test]
    async fn entries_stand_in_their_order_and_what_they_name_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let opened = store(&folder).await;
        let admitted = [entry(1, Some(b"card")), entry(2, None)];
        opened.put_registration(&row("a", "x"), 0, &admitted).await.unwrap();
        opened.append_entries(2, &[entry(3, Some(b"policy")), entry(4, Some(b"card"))]).await.unwrap();
        opened.remove_registration("a", 4, &[entry(5, None)]).await.unwrap();
        opened.close().await;

        let opened = store(&folder).await;
        let entries: Vec<Vec<u8>> = (1..=5).map(|byte| vec![byte]).collect();
        assert_eq!(opened.registry_entries(0).await.unwrap(), entries);
        assert_eq!(opened.registry_entries(3).await.unwrap(), entries[3..]);
        assert!(opened.registry_entries(5).await.unwrap().is_empty());
        for content in [b"card".as_slice(), b"policy"] {
            let found = opened.registry_content(&Sha256::digest(content).into()).await.unwrap();
            assert_eq!(found.as_deref(), Some(content));
        }
        assert_eq!(opened.registry_content(&[0; 32]).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_long_log_is_read_in_pages() {
        let folder = tempfile::tempdir().unwrap();
        let opened = store(&folder).await;
        let many: Vec<_> = (0..=ENTRIES_MAX).map(|at| entry(u8::try_from(at % 251).unwrap(), None)).collect();
        opened.append_entries(0, &many).await.unwrap();
        let pages =
            [opened.registry_entries(0).await.unwrap(), opened.registry_entries(1_000).await.unwrap()];
        assert_eq!(pages.each_ref().map(Vec::len), [1_000, 1]);
        assert!(pages.into_iter().flatten().eq(many.into_iter().map(|entry| entry.entry)));
    }

    #[tokio::test]
    async fn a_change_whose_entry_cannot_be_written_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let opened = store(&folder).await;
        opened.put_registration(&row("a", "x"), 0, &[entry(1, None)]).await.unwrap();
        for late in [
            opened.put_registration(&row("a", "y"), 0, &[entry(2, None)]).await,
            opened.remove_registration("a", 0, &[entry(2, None)]).await,
            opened.append_entries(0, &[entry(2, Some(b"card"))]).await,
        ] {
            assert!(matches!(late, Err(StoreError::Overtaken)), "{late:?}");
        }
        assert_eq!(opened.registrations().await.unwrap(), [row("a", "x")]);
        assert_eq!(opened.registry_entries(0).await.unwrap(), [[1]]);
        assert_eq!(opened.registry_content(&Sha256::digest(b"card").into()).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_missing_entry_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let opened = store(&folder).await;
        opened.append_entries(0, &[entry(1, None), entry(2, None), entry(3, None)]).await.unwrap();
        sqlx::query("DELETE FROM registry_entry WHERE place = 1").execute(&opened.pool).await.unwrap();
        assert!(matches!(opened.registry_entries(0).await, Err(StoreError::Gap(1))));
    }
}
