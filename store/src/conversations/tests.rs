use std::path::Path;

use proptest::{collection::vec, prelude::*};
use tempfile::TempDir;

use super::*;
use crate::{NewTurn, ReceiptRow, TURNS_MAX, TurnState};

const OWNER: [u8; 32] = [1; 32];
const OTHER: [u8; 32] = [2; 32];

async fn open() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("router.db")).await.unwrap();
    (folder, store)
}

/// Runs `work` to its end, where a property is tested.
fn run(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
}

/// From where all ask.
const NETWORK: [u8; 3] = [192, 0, 2];

async fn begin(store: &Store, owner: &[u8; 32], id: &str, now_ms: i64) {
    store.create_conversation(owner, &NETWORK, id, now_ms).await.unwrap();
}

/// Asks and answers.
async fn turn(store: &Store, conversation: &str, id: &str, parent: Option<&str>, question: &str, said: &str) {
    let turn = NewTurn { id, parent, question, title: question, created_at_ms: 5 };
    assert!(store.begin_turn(conversation, &turn).await.unwrap());
    let said = said.replace('"', "'");
    let answer = format!(r#"{{"choices":[{{"message":{{"content":"{said}"}}}}]}}"#);
    assert!(store.end_turn(id, TurnState::Done, &answer, None).await.unwrap());
}

/// Whether any file of the database holds `secret`.
fn holds(folder: &Path, secret: impl AsRef<[u8]>) -> bool {
    let secret = secret.as_ref();
    let held = |path: &Path| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(secret.len()).any(|window| window == secret)
    };
    std::fs::read_dir(folder).unwrap().any(|file| held(&file.unwrap().path()))
}

#[tokio::test]
async fn a_conversation_is_its_owners_alone() {
    let (_folder, store) = open().await;
    begin(&store, &OWNER, "a", 1).await;
    begin(&store, &OTHER, "b", 2).await;
    turn(&store, "a", "t", None, "why is glass clear", "because").await;
    assert_eq!(store.conversation(&OTHER, "a").await.unwrap(), None);
    assert_eq!(store.conversations(&OTHER).await.unwrap().len(), 1);
    assert_eq!(store.search_conversations(&OTHER, "glass").await.unwrap(), BTreeMap::new());
    assert!(!store.change_conversation(&OTHER, "a", &Changes::default()).await.unwrap());
    assert_eq!(store.share_conversation(&OTHER, "a", "token").await.unwrap(), None);
    assert!(!store.delete_conversation(&OTHER, "a").await.unwrap());
    assert_eq!(store.conversation(&OWNER, "a").await.unwrap().unwrap().title, "why is glass clear");
}

#[tokio::test]
async fn a_turn_follows_the_way_to_its_parent() {
    let (_folder, store) = open().await;
    begin(&store, &OWNER, "a", 1).await;
    begin(&store, &OWNER, "b", 1).await;
    turn(&store, "a", "1", None, "first", "one").await;
    turn(&store, "a", "2", Some("1"), "second", "two").await;
    turn(&store, "a", "3", Some("1"), "another second", "three").await;
    turn(&store, "a", "4", Some("3"), "third", "four").await;
    let path = async |id, parent, count| {
        let path = store.before_turn(id, parent, count).await.unwrap();
        path.map(|path| path.into_iter().map(|said| said.said.unwrap()).collect::<Vec<_>>())
    };
    assert_eq!(path("a", Some("4"), 10).await.unwrap(), ["one", "three", "four"]);
    assert_eq!(path("a", Some("4"), 2).await.unwrap(), ["three", "four"]);
    assert_eq!(path("a", None, 10).await, Some(Vec::new()));
    assert_eq!(path("a", Some("5"), 10).await, None);
    assert_eq!(path("b", Some("4"), 10).await, None, "a turn of another conversation");
    let parents: Vec<_> = store.turns("a").await.unwrap().into_iter().map(|turn| turn.parent).collect();
    assert_eq!(parents, [None, Some("1".into()), Some("1".into()), Some("3".into())]);
}

#[tokio::test]
async fn what_was_deleted_is_not_taken_for_what_came_into_its_place() {
    let (_folder, store) = open().await;
    begin(&store, &OWNER, "a", 1).await;
    assert!(store.delete_conversation(&OWNER, "a").await.unwrap());
    begin(&store, &OTHER, "b", 1).await;
    turn(&store, "b", "theirs", None, "why is glass clear", "because").await;
    let late = NewTurn { id: "late", parent: None, question: "?", title: "", created_at_ms: 2 };
    assert!(!store.begin_turn("a", &late).await.unwrap());
    assert_eq!(store.turns("a").await.unwrap(), []);
    assert_eq!(store.before_turn("a", Some("theirs"), 1).await.unwrap(), None);
    assert_eq!(store.turns("b").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_title_comes_from_the_first_question_unless_it_was_given() {
    let (_folder, store) = open().await;
    begin(&store, &OWNER, "a", 1).await;
    turn(&store, "a", "1", None, "first", "").await;
    turn(&store, "a", "2", None, "second", "").await;
    let row = store.conversation(&OWNER, "a").await.unwrap().unwrap();
    assert_eq!((row.title.as_str(), row.created_at_ms, row.updated_at_ms), ("first", 1, 5));
    let changes = Changes { title: Some("mine".into()), ..Changes::default() };
    assert!(store.change_conversation(&OWNER, "a", &changes).await.unwrap());
    turn(&store, "a", "3", None, "third", "").await;
    assert_eq!(store.conversation(&OWNER, "a").await.unwrap().unwrap().title, "mine");
    assert_eq!(store.search_conversations(&OWNER, "mine").await.unwrap(), [("a".to_owned(), None)].into());
}

#[tokio::test]
async fn what_runs_when_a_router_ends_has_failed() {
    let (_folder, store) = open().await;
    begin(&store, &OWNER, "a", 1).await;
    turn(&store, "a", "done", None, "first", "").await;
    let runs = NewTurn { id: "runs", parent: None, question: "?", title: "", created_at_ms: 6 };
    store.begin_turn("a", &runs).await.unwrap();
    store.fail_running_turns("{}").await.unwrap();
    let states: Vec<_> = store.turns("a").await.unwrap().into_iter().map(|turn| turn.state).collect();
    assert_eq!(states, [TurnState::Done, TurnState::Failed]);
}

#[tokio::test]
async fn there_is_an_end_to_turns() {
    let (_folder, store) = open().await;
    begin(&store, &OWNER, "a", 1).await;
    sqlx::query(
        "WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < ?)
         INSERT INTO turn (id, conversation, question, created_at_ms, state)
         SELECT 't' || n, (SELECT place FROM conversation), 'again', 1, 'done' FROM many",
    )
    .bind(TURNS_MAX - 1)
    .execute(&store.pool)
    .await
    .unwrap();
    turn(&store, "a", "last", Some("t9"), "once more", "").await;
    let full = store.before_turn("a", None, 1).await;
    assert!(matches!(full, Err(StoreError::Limit { max: TURNS_MAX, .. })), "{full:?}");
    let new = NewTurn { id: "more", parent: None, question: "?", title: "", created_at_ms: 1 };
    assert!(matches!(store.begin_turn("a", &new).await, Err(StoreError::Limit { .. })));
}

/// Makes `count` conversations of `owner` at once.
async fn many(store: &Store, owner: &[u8; 32], name: &str, count: u32) {
    sqlx::query("INSERT INTO session (cookie_sha256) VALUES (?)")
        .bind(owner.as_slice())
        .execute(&store.pool)
        .await
        .unwrap();
    sqlx::query(
        "WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < ?)
         INSERT INTO conversation (id, session, title, folder, pinned, created_at_ms, updated_at_ms)
         SELECT ? || n, (SELECT MAX(place) FROM session), '', '', FALSE, 1, 1 FROM many",
    )
    .bind(count)
    .bind(name)
    .execute(&store.pool)
    .await
    .unwrap();
}

#[tokio::test]
async fn there_is_an_end_to_the_conversations_of_a_session() {
    let (_folder, store) = open().await;
    many(&store, &OWNER, "a", SESSION_CONVERSATIONS_MAX).await;
    let full = store.create_conversation(&OWNER, &NETWORK, "more", 1).await;
    assert!(matches!(full, Err(StoreError::Limit { max: SESSION_CONVERSATIONS_MAX, .. })), "{full:?}");
    begin(&store, &OTHER, "theirs", 1).await;
    assert!(store.delete_conversation(&OWNER, "a1").await.unwrap());
    store.create_conversation(&OWNER, &NETWORK, "more", 1).await.unwrap();
}

#[tokio::test]
async fn a_flood_of_empty_conversations_keeps_nobody_out() {
    let (_folder, store) = open().await;
    begin(&store, &OWNER, "a", 1).await;
    turn(&store, "a", "1", None, "first", "").await;
    many(&store, &OTHER, "b", CONVERSATIONS_MAX - 1).await;
    begin(&store, &OWNER, "c", 1).await;
    let ids: Vec<String> = sqlx::query_scalar("SELECT id FROM conversation ORDER BY place")
        .fetch_all(&store.pool)
        .await
        .unwrap();
    assert_eq!(ids, ["a", "c"]);
}

#[tokio::test]
async fn whose_time_is_over_goes_with_what_opens_its_receipts() {
    let (folder, store) = open().await;
    for (id, now_ms) in [("old", 99), ("new", 100)] {
        begin(&store, &OWNER, id, now_ms).await;
        let new = NewTurn {
            id: &format!("turn of {id}"),
            parent: None,
            question: &format!("aubergine {id}"),
            title: "",
            created_at_ms: now_ms,
        };
        store.begin_turn(id, &new).await.unwrap();
    }
    let receipt = |id: &str| ReceiptRow {
        request_id: format!("turn of {id}"),
        payload: vec![1],
        signature: vec![1; 64],
        leaf_salt: vec![2; 32],
        leaf: vec![3; 73],
        capability_sha256: vec![4; 32],
        sealed: Some(format!("opens {id}").into_bytes()),
    };
    store.put_receipts(0, &[receipt("old"), receipt("new")]).await.unwrap();
    assert_eq!(store.sweep_conversations(100).await.unwrap(), 1);
    assert!(!holds(folder.path(), "aubergine old") && !holds(folder.path(), "opens old"));
    assert!(holds(folder.path(), "aubergine new") && holds(folder.path(), "opens new"));
    assert_eq!(store.sweep_conversations(100).await.unwrap(), 0);
}

#[tokio::test]
async fn a_session_goes_with_its_last_conversation() {
    let (folder, store) = open().await;
    begin(&store, &OWNER, "a", 1).await;
    begin(&store, &OWNER, "b", 1).await;
    let network: Vec<u8> =
        sqlx::query_scalar("SELECT network FROM session").fetch_one(&store.pool).await.unwrap();
    let is_there = || [OWNER.as_slice(), &network].map(|secret| holds(folder.path(), secret));
    assert!(store.delete_conversation(&OWNER, "a").await.unwrap());
    assert_eq!(is_there(), [true, true]);
    assert!(store.delete_conversation(&OWNER, "b").await.unwrap());
    assert_eq!(is_there(), [false, false]);
}

#[tokio::test]
async fn a_deletion_that_was_busy_is_done_when_it_is_tried_again() {
    let (folder, store) = open().await;
    begin(&store, &OWNER, "a", 1).await;
    turn(&store, "a", "1", None, "aubergine", "").await;
    let mut reader = store.pool.begin().await.unwrap();
    sqlx::query("SELECT * FROM turn").fetch_all(&mut *reader).await.unwrap();
    assert!(matches!(store.delete_conversation(&OWNER, "a").await, Err(StoreError::Busy)));
    assert!(holds(folder.path(), "aubergine"));
    reader.rollback().await.unwrap();
    assert!(!store.delete_conversation(&OWNER, "a").await.unwrap(), "there is nothing left to find");
    assert!(!holds(folder.path(), "aubergine"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever was asked, answered, changed and in which order: after the deletion no word of it is on the disk.
    #[test]
    fn no_word_of_what_was_deleted_is_left(words in vec(("[a-z]{7,12}", "[a-z]{7,12}", any::<bool>()), 1..30)) {
        run(async {
            let (folder, store) = open().await;
            begin(&store, &OWNER, "a", 1).await;
            begin(&store, &OWNER, "b", 1).await;
            for (at, (question, said, other)) in words.iter().enumerate() {
                turn(&store, "a", &at.to_string(), None, &format!("q{question}"), &format!("s{said}")).await;
                if *other {
                    turn(&store, "b", &format!("kept {at}"), None, "something else", "entirely").await;
                    let title = Some(format!("t{question}"));
                    let changes = Changes { title, ..Changes::default() };
                    store.change_conversation(&OWNER, "a", &changes).await.unwrap();
                }
            }
            assert!(holds(folder.path(), format!("q{}", words[0].0)));
            assert!(store.delete_conversation(&OWNER, "a").await.unwrap());
            for (question, said, _) in &words {
                for word in [format!("q{question}"), format!("s{said}"), format!("t{question}")] {
                    assert!(!holds(folder.path(), &word), "{word}");
                }
            }
        });
    }

    /// What people type is never FTS5's language, and the words of a question find it.
    #[test]
    fn every_query_is_words(query in "\\PC{0,40}", question in "[a-zA-Z]{1,8} [a-zäöüé]{1,8} [0-9]{1,4}", at in 0..3_usize) {
        run(async {
            let (_folder, store) = open().await;
            begin(&store, &OWNER, "a", 1).await;
            turn(&store, "a", "1", None, &question, "").await;
            store.search_conversations(&OWNER, &query).await.unwrap();
            let word = question.split(' ').nth(at).unwrap();
            assert!(store.search_conversations(&OWNER, word).await.unwrap().contains_key("a"), "{word}");
        });
    }
}
