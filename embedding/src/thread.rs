//! The thread that owns an encoder: jobs in, batches through, vectors out.
//!
//! It keeps no text and starts nothing else.

use std::{
    cmp::Reverse,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use proto::UnitVector;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};

use crate::{Backend, BatchLimits, EncodeError, Encoder, Tokens};

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

/// Who waits for a text's vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Somebody who asked; goes first.
    Question,
    /// Bulk work; goes when no question waits.
    Passage,
}

/// One text to encode.
pub(crate) struct Job {
    pub(crate) tokens: Tokens,
    pub(crate) lane: Lane,
    pub(crate) queued: Instant,
    pub(crate) reply: oneshot::Sender<Result<Encoded, EncodeError>>,
    /// Its place among the jobs that may wait, given back when it is answered.
    pub(crate) permit: OwnedSemaphorePermit,
}

/// Where the caller waits.
pub(crate) type Answer = oneshot::Receiver<Result<Encoded, EncodeError>>;

/// What becomes of a job.
pub(crate) struct Encoded {
    pub(crate) vector: UnitVector,
    pub(crate) backend: Backend,
    pub(crate) queue: Duration,
    pub(crate) encode: Duration,
}

/// Works until the last sender is gone and the queue is empty. `backend` is told what encodes.
pub(crate) fn run(
    mut encoder: Box<dyn Encoder>,
    mut inbox: mpsc::UnboundedReceiver<Job>,
    backend: &watch::Sender<Backend>,
) {
    let mut waiting = Vec::new();
    loop {
        if waiting.is_empty() {
            let Some(job) = inbox.blocking_recv() else { return };
            waiting.push(job);
        }
        while let Ok(job) = inbox.try_recv() {
            waiting.push(job);
        }
        // A caller that went away costs nothing.
        waiting.retain(|job| !job.reply.is_closed());
        // Last what goes first: questions, then what is short.
        waiting.sort_by_key(|job| (job.lane == Lane::Question, Reverse(job.tokens.len())));
        let batch = cut(&mut waiting, encoder.batch_limits());
        if !batch.is_empty() {
            answer(encoder.as_mut(), batch, backend);
        }
    }
}

/// Takes the jobs that go first off the end of `jobs`: of one lane, as many as the encoder likes at
/// once. Where it pads, none is padded to more than twice its length.
fn cut(jobs: &mut Vec<Job>, limits: BatchLimits) -> Vec<Job> {
    let Some(first) = jobs.last() else { return Vec::new() };
    let (lane, shortest) = (first.lane, first.tokens.len());
    let mut total = 0;
    let fits = |(count, job): &(usize, &Job)| {
        let length = job.tokens.len();
        total = if limits.padded { length * count } else { total + length };
        let alike = !limits.padded || length <= 2 * shortest;
        job.lane == lane && alike && total <= limits.tokens_max
    };
    let count = (1..).zip(jobs.iter().rev()).take_while(fits).count();
    jobs.split_off(jobs.len() - count.max(1))
}

fn answer(encoder: &mut dyn Encoder, batch: Vec<Job>, backend: &watch::Sender<Backend>) {
    let started = Instant::now();
    let (tokens, callers): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|job| (job.tokens, (job.queued, job.reply, job.permit))).unzip();
    let vectors = encode(encoder, &tokens);
    let encode = started.elapsed();
    let now = encoder.backend();
    backend.send_if_modified(|before| std::mem::replace(before, now) != now);
    // A send fails where the caller left meanwhile, which is its right.
    match vectors {
        Ok(vectors) => {
            for ((queued, reply, _permit), vector) in callers.into_iter().zip(vectors) {
                let queue = started - queued;
                let _ = reply.send(Ok(Encoded { vector, backend: now, queue, encode }));
            }
        }
        Err(error) => {
            tracing::error!(%error, texts = tokens.len(), "batch not encoded");
            for (_, reply, _permit) in callers {
                let _ = reply.send(Err(error.clone()));
            }
        }
    }
}

/// A failing encoder fails its batch, never the thread.
pub(crate) fn encode(encoder: &mut dyn Encoder, batch: &[Tokens]) -> Result<Vec<UnitVector>, EncodeError> {
    let vectors =
        catch_unwind(AssertUnwindSafe(|| encoder.encode(batch))).unwrap_or(Err(EncodeError::Panicked))?;
    if vectors.len() != batch.len() {
        return Err(EncodeError::Miscounted { texts: batch.len(), vectors: vectors.len() });
    }
    Ok(vectors)
}

#[cfg(test)]
mod tests;
