//! Conversations in JSON.

use serde_json::{Value, json};
use store::{ConversationRow, Snippet, TurnRow, TurnState};

/// One among others.
pub(super) fn summary(row: &ConversationRow, snippet: Option<&Snippet>) -> Value {
    let snippet = snippet.map(|snippet| {
        let Snippet { before, matched, after } = snippet;
        json!({ "before": before, "match": matched, "after": after })
    });
    json!({
        "id": row.id,
        "title": row.title,
        "folder": folder(row),
        "pinned": row.pinned,
        "shared": row.share_token.is_some(),
        "updated_at_ms": row.updated_at_ms,
        "snippet": snippet,
    })
}

/// All of it, for its owner.
pub(super) fn conversation(row: &ConversationRow, turns: Vec<TurnRow>) -> Value {
    json!({
        "id": row.id,
        "title": row.title,
        "folder": folder(row),
        "pinned": row.pinned,
        "share": row.share_token,
        "created_at_ms": row.created_at_ms,
        "updated_at_ms": row.updated_at_ms,
        "turns": turns.into_iter().map(turn).collect::<Vec<_>>(),
    })
}

/// What others read of it under a link: the words, without anything that is its owner's alone.
pub(super) fn shared(row: &ConversationRow, turns: Vec<TurnRow>) -> Value {
    let turns = newest_path(turns).into_iter().map(|row| {
        let mut turn = turn(TurnRow { up: None, reason: None, ..row });
        if let Some(receipt) = turn.pointer_mut("/answer/consilium/receipt").and_then(Value::as_object_mut) {
            receipt.remove("capability");
        }
        turn
    });
    json!({
        "title": row.title,
        "created_at_ms": row.created_at_ms,
        "updated_at_ms": row.updated_at_ms,
        "turns": turns.collect::<Vec<_>>(),
    })
}

/// One turn.
fn turn(row: TurnRow) -> Value {
    let TurnRow { id, parent, question, created_at_ms, state, answer, error, up, reason } = row;
    let state = match state {
        TurnState::Running => "running",
        TurnState::Done => "done",
        TurnState::Stopped => "stopped",
        TurnState::Failed => "failed",
    };
    let parsed = |json: Option<String>| json.and_then(|json| serde_json::from_str::<Value>(&json).ok());
    json!({
        "id": id,
        "parent": parent,
        "question": question,
        "created_at_ms": created_at_ms,
        "state": state,
        "answer": parsed(answer),
        "error": parsed(error),
        "feedback": up.map(|up| json!({ "rating": if up { "up" } else { "down" }, "reason": reason })),
    })
}

/// The way to the newest turn: what a reader sees who chose no other version.
fn newest_path(mut turns: Vec<TurnRow>) -> Vec<TurnRow> {
    let mut path: Vec<TurnRow> = Vec::new();
    // A turn is younger than what it follows.
    while let Some(turn) = turns.pop() {
        let wanted = path.last().is_none_or(|later| later.parent.as_ref() == Some(&turn.id));
        if wanted {
            path.push(turn);
        }
    }
    path.reverse();
    path
}

fn folder(row: &ConversationRow) -> Option<&str> {
    Some(row.folder.as_str()).filter(|folder| !folder.is_empty())
}
