//! The thread that owns an encoder: jobs in, batches through, vectors out.
//!
//! It keeps no text and starts nothing else.

use std::{
    cmp::Reverse,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use proto::UnitVector;
use tokio::sync::{mpsc, oneshot};

use crate::{EncodeError, Encoder, Tokens};

/// The most jobs that are sorted together. More would pad a little less, and make a question wait
/// longer behind passages.
const ROUND_JOBS_MAX: usize = 64;

/// What the thread takes on at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most texts that wait in the queue; at least 1.
    pub jobs_max: usize,
    /// The most tokens in one call of the encoder, padding included. A longer text goes alone.
    pub batch_tokens_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { jobs_max: 1_024, batch_tokens_max: 4_096 }
    }
}

/// Where the time of one text went.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timing {
    /// Cutting it into tokens.
    pub tokenize: Duration,
    /// Waiting for its batch to start.
    pub queue: Duration,
    /// Encoding the whole batch that it was in.
    pub encode: Duration,
}

/// One text to encode.
pub(crate) struct Job {
    pub(crate) tokens: Tokens,
    pub(crate) queued: Instant,
    pub(crate) reply: oneshot::Sender<Result<Encoded, EncodeError>>,
}

/// Where the caller waits.
pub(crate) type Answer = oneshot::Receiver<Result<Encoded, EncodeError>>;

/// What becomes of a job.
pub(crate) struct Encoded {
    pub(crate) vector: UnitVector,
    pub(crate) queue: Duration,
    pub(crate) encode: Duration,
}

/// Works until the last sender is gone and the queue is empty.
pub(crate) fn run(mut encoder: Box<dyn Encoder>, mut inbox: mpsc::Receiver<Job>, batch_tokens_max: usize) {
    let mut jobs = Vec::with_capacity(ROUND_JOBS_MAX);
    while inbox.blocking_recv_many(&mut jobs, ROUND_JOBS_MAX) > 0 {
        // Shortest last, where batches are cut: a question goes before passages.
        jobs.sort_by_key(|job| Reverse(job.tokens.len()));
        loop {
            // A caller that went away costs nothing.
            jobs.retain(|job| !job.reply.is_closed());
            if jobs.is_empty() {
                break;
            }
            let batch = cut(&mut jobs, batch_tokens_max);
            answer(encoder.as_mut(), batch);
        }
    }
}

/// Takes the shortest jobs off the end of `jobs`, at least one of them: as many as fit when padded,
/// none padded to more than twice its length.
fn cut(jobs: &mut Vec<Job>, batch_tokens_max: usize) -> Vec<Job> {
    let shortest = jobs.last().map_or(0, |job| job.tokens.len());
    let count = (1..)
        .zip(jobs.iter().rev())
        .take_while(|(count, job)| {
            let length = job.tokens.len();
            length * count <= batch_tokens_max && length <= 2 * shortest
        })
        .count();
    jobs.split_off(jobs.len().saturating_sub(count.max(1)))
}

fn answer(encoder: &mut dyn Encoder, batch: Vec<Job>) {
    let started = Instant::now();
    let (tokens, callers): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|job| (job.tokens, (job.queued, job.reply))).unzip();
    let vectors = encode(encoder, &tokens);
    let encode = started.elapsed();
    // A send fails where the caller left meanwhile, which is its right.
    match vectors {
        Ok(vectors) => {
            for ((queued, reply), vector) in callers.into_iter().zip(vectors) {
                let _ = reply.send(Ok(Encoded { vector, queue: started - queued, encode }));
            }
        }
        Err(error) => {
            tracing::error!(%error, texts = tokens.len(), "batch not encoded");
            for (_, reply) in callers {
                let _ = reply.send(Err(error.clone()));
            }
        }
    }
}

/// A failing encoder fails its batch, never the thread.
fn encode(encoder: &mut dyn Encoder, batch: &[Tokens]) -> Result<Vec<UnitVector>, EncodeError> {
    let vectors =
        catch_unwind(AssertUnwindSafe(|| encoder.encode(batch))).unwrap_or(Err(EncodeError::Panicked))?;
    if vectors.len() != batch.len() {
        return Err(EncodeError::Miscounted { texts: batch.len(), vectors: vectors.len() });
    }
    Ok(vectors)
}

#[cfg(test)]
mod tests;
