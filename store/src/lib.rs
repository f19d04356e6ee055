//! The router's database: one SQLite file. It keeps what must survive a restart and interprets none
//! of it; there is no second backend, so there is no trait.

mod conversations;
mod entries;
mod feedback;
mod receipts;
mod turns;

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use sqlx::{
    Connection, FromRow, Sqlite, SqliteConnection, SqlitePool, Transaction,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub use conversations::{CONVERSATIONS_MAX, Changes, ConversationRow, SESSION_CONVERSATIONS_MAX, Snippet};
pub use entries::{ENTRIES_MAX, LogEntry};
pub use feedback::{RATINGS_MAX, RatingRow, VOTER_RATINGS_MAX, Voters};
pub use receipts::{PlacedReceipt, ReceiptRow};
pub use turns::{NewTurn, Said, TURNS_MAX, TurnRow, TurnState};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// `SQLITE_FULL`, as SQLite numbers its errors.
const DISK_FULL: &str = "13";

/// How many connections read at once; SQLite writes one at a time whatever this says.
const CONNECTIONS_MAX: u32 = 4;

/// How many bytes of cards and prototypes are kept that no registration has any more.
pub const PAST_BYTES_MAX: i64 = 1 << 30;

/// Why the database did not do it. Nothing is half-written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No room on the disk.
    #[error("no room left on the disk that holds the router's database: free some and try again")]
    DiskFull,
    /// Others are at the file, so that what was erased still stands in its log of writes.
    #[error("the database is in use, so that what was erased is not gone yet: try again")]
    Busy,
    /// As many as there may be.
    #[error("there are {max} {what}, and no more than that may be: {next}")]
    Limit {
        /// Of what, and where.
        what: &'static str,
        /// How many.
        max: u32,
        /// What to do.
        next: &'static str,
    },
    /// The file cannot be opened or brought up to date.
    #[error("cannot open the database {}", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        source: MigrateError,
    },
    /// The registry log has grown under somebody else's hand.
    #[error(
        "another process has changed the router's database: run one router over a folder, and restart it"
    )]
    Overtaken,
    /// The registry log lacks an entry.
    #[error("entry {0} of the registry log is missing in the router's database: restore a backup")]
    Gap(i64),
    /// Anything else.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error().and_then(sqlx::error::DatabaseError::code) {
            Some(code) if code == DISK_FULL => Self::DiskFull,
            _ => Self::Database(error),
        }
    }
}

/// A registered specialist, as stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct RegistrationRow {
    /// Its id.
    pub specialist_id: String,
    /// Where the router dials.
    pub endpoint: String,
    /// Whether it takes part in routing.
    pub enabled: bool,
    /// The published card.
    pub card: Vec<u8>,
    /// Who made the prototypes: `specialist` or `router`.
    pub prototype_origin: String,
    /// A serialized `consilium.v1.PrototypesResponse`.
    pub prototypes: Vec<u8>,
    /// Milliseconds since 1970-01-01 UTC.
    pub registered_at_ms: i64,
    /// Milliseconds since 1970-01-01 UTC.
    pub updated_at_ms: i64,
    /// A serialized `consilium.v1.Exam`; `None` where it was never examined.
    pub exam: Option<Vec<u8>>,
    /// Whether an operator wants it whatever its exam says.
    pub despite_exam: bool,
    /// The card's signature, 64 bytes; `None` where the card has no key.
    pub signature: Option<Vec<u8>>,
}

/// The open database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
}

impl Store {
    /// Opens the file at `path`, makes it where there is none, and brings its tables up to date.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            // What is deleted is overwritten: some of it is erased because somebody asked for that.
            .pragma("secure_delete", "ON")
            .foreign_keys(true);
        let open = async {
            // A full disk ends a transaction without the connection's knowing: such a one begins no other.
            let usable = |connection: &SqliteConnection| !connection.is_in_transaction();
            let pool = SqlitePoolOptions::new()
                .max_connections(CONNECTIONS_MAX)
                .before_acquire(move |connection, _| Box::pin(std::future::ready(Ok(usable(connection)))))
                .connect_with(options)
                .await?;
            MIGRATIONS.run(&pool).await?;
            Ok(pool)
        };
        match open.await {
            Ok(pool) => Ok(Self { pool }),
            Err(source) => Err(StoreError::Open { path: path.to_owned(), source }),
        }
    }

    /// A transaction that writes. It takes its turn when it begins: one that began by reading could not write any
    /// more once another has.
    async fn change(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// All registrations, by id.
    pub async fn registrations(&self) -> Result<Vec<RegistrationRow>, StoreError> {
        let rows = sqlx::query_as("SELECT * FROM registration ORDER BY specialist_id");
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// Writes `row` whole, in place of the one with its id where there is one. What that had is kept as past,
    /// as far as `row` does not have it. `entries` of the registry log stand from `first` on, as in
    /// [`Store::append_entries`].
    pub async fn put_registration(
        &self,
        row: &RegistrationRow,
        first: u64,
        entries: &[LogEntry<'_>],
    ) -> Result<(), StoreError> {
        let RegistrationRow {
            specialist_id,
            endpoint,
            enabled,
            card,
            prototype_origin,
            prototypes,
            registered_at_ms,
            updated_at_ms,
            exam,
            despite_exam,
            signature,
        } = row;
        let mut change = self.change().await?;
        let mut gone = contents(&mut change, specialist_id).await?;
        gone.retain(|old| old != card && old != prototypes);
        keep(&mut change, &gone, PAST_BYTES_MAX).await?;
        sqlx::query("INSERT OR REPLACE INTO registration VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .bind(specialist_id)
            .bind(endpoint)
            .bind(enabled)
            .bind(card)
            .bind(prototype_origin)
            .bind(prototypes)
            .bind(registered_at_ms)
            .bind(updated_at_ms)
            .bind(exam)
            .bind(despite_exam)
            .bind(signature)
            .execute(&mut *change)
            .await?;
        entries::append(&mut change, first, entries).await?;
        Ok(change.commit().await?)
    }

    /// Forgets the registration of `specialist_id`, if there is one. Its card and prototypes are kept as past.
    /// `entries` of the registry log stand from `first` on, as in [`Store::append_entries`].
    pub async fn remove_registration(
        &self,
        specialist_id: &str,
        first: u64,
        entries: &[LogEntry<'_>],
    ) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        let gone = contents(&mut change, specialist_id).await?;
        keep(&mut change, &gone, PAST_BYTES_MAX).await?;
        sqlx::query("DELETE FROM registration WHERE specialist_id = ?")
            .bind(specialist_id)
            .execute(&mut *change)
            .await?;
        entries::append(&mut change, first, entries).await?;
        Ok(change.commit().await?)
    }

    /// The card or prototypes with this SHA-256 that a registration had before; `None` where nobody had, or
    /// too much came after.
    pub async fn past(&self, sha256: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        let content = sqlx::query_scalar("SELECT content FROM past WHERE sha256 = ?").bind(sha256.as_slice());
        Ok(content.fetch_optional(&self.pool).await?)
    }

    /// Writes out what is pending and closes the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Card and prototypes of `specialist_id`; nothing where it is not registered.
async fn contents(
    connection: &mut SqliteConnection,
    specialist_id: &str,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let row = sqlx::query_as("SELECT card, prototypes FROM registration WHERE specialist_id = ?");
    let row: Option<(Vec<u8>, Vec<u8>)> = row.bind(specialist_id).fetch_optional(connection).await?;
    Ok(row.map(|(card, prototypes)| vec![card, prototypes]).unwrap_or_default())
}

/// Keeps `contents` as past, and as many of the others, the newest first, as stay below `bytes_max` together.
async fn keep(
    connection: &mut SqliteConnection,
    contents: &[Vec<u8>],
    bytes_max: i64,
) -> Result<(), StoreError> {
    if contents.is_empty() {
        return Ok(());
    }
    for content in contents {
        // What comes again is the newest again.
        sqlx::query("INSERT OR REPLACE INTO past (sha256, content) VALUES (?, ?)")
            .bind(Sha256::digest(content).as_slice())
            .bind(content)
            .execute(&mut *connection)
            .await?;
    }
    sqlx::query(
        "DELETE FROM past WHERE place IN (SELECT place FROM (
             SELECT place, SUM(length(content)) OVER (ORDER BY place DESC) AS bytes FROM past
         ) WHERE bytes > ?)",
    )
    .bind(bytes_max)
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn row(specialist_id: &str, endpoint: &str) -> RegistrationRow {
        RegistrationRow {
            specialist_id: specialist_id.into(),
            endpoint: endpoint.into(),
            enabled: true,
            card: vec![1],
            prototype_origin: "router".into(),
            prototypes: vec![2],
            registered_at_ms: 3,
            updated_at_ms: 4,
            exam: None,
            despite_exam: false,
            signature: None,
        }
    }

    #[tokio::test]
    async fn what_was_written_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("router.db");
        let store = Store::open(&path).await.unwrap();
        let examined = RegistrationRow {
            exam: Some(vec![5]),
            despite_exam: true,
            signature: Some(vec![6; 64]),
            ..row("b", "new")
        };
        for row in [row("b", "old"), row("a", "x"), examined.clone(), row("c", "y")] {
            store.put_registration(&row, 0, &[]).await.unwrap();
        }
        store.remove_registration("c", 0, &[]).await.unwrap();
        store.close().await;

        let store = Store::open(&path).await.unwrap();
        assert_eq!(store.registrations().await.unwrap(), [row("a", "x"), examined]);
    }

    #[tokio::test]
    async fn a_registration_from_before_there_were_exams_and_keys_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("router.db");
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let pool = SqlitePoolOptions::new().connect_with(options).await.unwrap();
        let mut first = sqlx::migrate!("./migrations");
        first.migrations.to_mut().truncate(1);
        first.run(&pool).await.unwrap();
        sqlx::query("INSERT INTO registration VALUES ('a', 'x', TRUE, x'01', 'router', x'02', 3, 4)")
            .execute(&pool)
            .await
            .unwrap();
        pool.close().await;

        let store = Store::open(&path).await.unwrap();
        assert_eq!(store.registrations().await.unwrap(), [row("a", "x")]);
    }

    #[tokio::test]
    async fn what_a_registration_had_before_is_found_by_its_digest() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("router.db")).await.unwrap();
        let with = |card, prototypes| RegistrationRow {
            card: vec![card],
            prototypes: vec![prototypes],
            ..row("a", "x")
        };
        let past = async |content: u8| store.past(&Sha256::digest([content]).into()).await.unwrap();
        store.put_registration(&with(1, 2), 0, &[]).await.unwrap();
        let disabled = RegistrationRow { enabled: false, ..with(1, 2) };
        store.put_registration(&disabled, 0, &[]).await.unwrap();
        assert_eq!((past(1).await, past(2).await), (None, None));
        store.put_registration(&with(1, 3), 0, &[]).await.unwrap();
        assert_eq!((past(1).await, past(2).await, past(3).await), (None, Some(vec![2]), None));
        store.remove_registration("a", 0, &[]).await.unwrap();
        assert_eq!((past(1).await, past(3).await), (Some(vec![1]), Some(vec![3])));
        assert_eq!(past(4).await, None);
    }

    #[tokio::test]
    async fn the_oldest_of_the_past_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("router.db")).await.unwrap();
        let contents: Vec<Vec<u8>> = (0..5).map(|content| vec![content; 10]).collect();
        let mut connection = store.pool.acquire().await.unwrap();
        // The second comes twice, so it is newer than the third.
        for at in [0, 1, 2, 1, 3, 4] {
            keep(&mut connection, &contents[at..=at], 35).await.unwrap();
        }
        drop(connection);
        let mut kept = Vec::new();
        for content in &contents {
            kept.push(store.past(&Sha256::digest(content).into()).await.unwrap().is_some());
        }
        assert_eq!(kept, [false, true, false, true, true]);
    }

    #[tokio::test]
    async fn a_full_database_is_said_and_keeps_what_it_had() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("router.db")).await.unwrap();
        store.put_registration(&row("a", "x"), 0, &[]).await.unwrap();
        // SQLite's own limit stands in for the disk's: both end in SQLITE_FULL.
        let mut connection = store.pool.acquire().await.unwrap();
        sqlx::query("PRAGMA max_page_count = 1").execute(&mut *connection).await.unwrap();
        let big = RegistrationRow { card: vec![0; 1 << 20], ..row("a", "y") };
        let written = sqlx::query("UPDATE registration SET card = ?").bind(&big.card);
        let error = StoreError::from(written.execute(&mut *connection).await.unwrap_err());
        assert!(matches!(error, StoreError::DiskFull), "{error:?}");
        drop(connection);
        assert_eq!(store.registrations().await.unwrap(), [row("a", "x")]);
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("router.db");
        std::fs::write(&path, "not a database, but long enough to look like a header of one").unwrap();
        let error = Store::open(&path).await.unwrap_err();
        assert!(error.to_string().starts_with("cannot open the database"), "{error}");
    }
}
