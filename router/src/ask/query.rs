//! The vector that a question is routed by: its own, or that of the question with what the user said
//! before it.

use std::time::Instant;

use embedding::{Embedded, Embedder, Timing};
use futures_util::future::try_join_all;
use proto::{Conversation, UnitVector};

use super::AskError;
use crate::route::{
    Case, History, HistoryReason, Policy,
    gate::{self, Gate},
};

/// Where a question is looked for, and why there.
#[derive(Debug, Clone)]
pub struct Query {
    /// The vector to route by; its timing is that of all texts that were embedded for it, and of the
    /// gate's search.
    pub embedded: Embedded,
    /// Whether it is the vector of earlier turns too.
    pub history: History,
}

/// Embeds the last turn of `conversation`; where the gate wants them, with the user's turns before it.
/// Who asks something clear pays for one text, whatever was said before.
pub async fn query(
    embedder: &Embedder,
    case: &Case<'_>,
    conversation: &Conversation,
) -> Result<Query, AskError> {
    let question = conversation.question();
    let mut alone = embedder.embed(question).await?;
    let mut earlier: Vec<&str> = conversation.earlier().rev().take(gate::TURNS_MAX).map(beginning).collect();
    earlier.reverse();
    if earlier.is_empty() {
        return Ok(Query { embedded: alone, history: History::NONE });
    }
    let began = Instant::now();
    let policy = Policy { hits_max: gate::HITS_MAX, ..case.policy.clone() };
    let hits = Case { policy: &policy, ..*case }.nearest(&alone.embedding)?;
    let margin = gate::margin(&hits, policy.hits_max);
    alone.timing.encode += began.elapsed();
    let opens = Gate::default();
    if let Some(history) = opens.clear(margin) {
        return Ok(Query { embedded: alone, history });
    }
    let embedded = try_join_all(earlier.iter().map(|turn| embedder.embed(turn))).await?;
    let timing = after(alone.timing, together(embedded.iter().map(|turn| turn.timing)));
    alone.timing = timing;
    let vectors: Vec<UnitVector> = embedded.into_iter().map(|turn| turn.embedding.vector).collect();
    let history = opens.follows(question, &alone.embedding.vector, &vectors, margin);
    if !history.used() {
        return Ok(Query { embedded: alone, history });
    }
    let Some(mut all) = embedder.embed_behind(&earlier.join(" "), question).await? else {
        let history = History { reason: HistoryReason::NoRoom, ..history };
        return Ok(Query { embedded: alone, history });
    };
    all.timing = after(timing, all.timing);
    Ok(Query { embedded: all, history })
}

/// What counts of an earlier turn.
fn beginning(turn: &str) -> &str {
    &turn[..turn.floor_char_boundary(gate::TURN_BYTES_MAX)]
}

/// One after the other.
fn after(first: Timing, second: Timing) -> Timing {
    Timing {
        tokenize: first.tokenize + second.tokenize,
        queue: first.queue + second.queue,
        encode: first.encode + second.encode,
    }
}

/// Cut one after the other, then encoded side by side.
fn together(timings: impl Iterator<Item = Timing>) -> Timing {
    timings.fold(Timing::default(), |all, one| Timing {
        tokenize: all.tokenize + one.tokenize,
        queue: all.queue.max(one.queue),
        encode: all.encode.max(one.encode),
    })
}
