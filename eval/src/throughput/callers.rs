//! Many callers of one embedder, on all cores.

use std::{future::ready, thread, time::Instant};

use anyhow::{Result, anyhow};
use embedding::Embedder;
use futures_util::{StreamExt, TryStreamExt, stream};
use proto::{Embedding, UnitVector};
use tokio::runtime::Handle;

/// `callers` ask for the vectors of `texts`, in turns and one after another, until `until`; each does
/// `then` with what it got. How many were answered.
pub(super) fn until(
    until: Instant,
    embedder: &Embedder,
    callers: usize,
    texts: &[String],
    then: impl Fn(&Embedding) -> Result<()> + Sync,
) -> Result<usize> {
    let threads = rayon::current_num_threads().min(callers);
    let ask = async |text: &String| then(&embedder.embed(text).await?.embedding);
    let counts = on_threads((0..threads).collect(), |thread| async move {
        let turns = texts.iter().cycle().skip(thread).step_by(threads);
        stream::iter(turns)
            .take_while(|_| ready(Instant::now() < until))
            .map(ask)
            .buffer_unordered(callers / threads)
            .try_fold(0, |count, ()| ready(Ok(count + 1)))
            .await
    })?;
    Ok(counts.into_iter().sum())
}

/// The vectors of all of `texts`, in their order.
pub(super) fn embed_all(embedder: &Embedder, texts: &[String]) -> Result<Vec<UnitVector>> {
    let each = texts.len().div_ceil(rayon::current_num_threads()).max(1);
    let parts = texts.chunks(each).collect();
    let parts = on_threads(parts, async |part| Ok(embedder.embed_all(part, |_| {}).await?))?;
    Ok(parts.into_iter().flatten().collect())
}

/// What `work` makes of each of `parts`, each on a thread of its own.
fn on_threads<P: Send, R: Send>(parts: Vec<P>, work: impl AsyncFn(P) -> Result<R> + Sync) -> Result<Vec<R>> {
    let (runtime, work) = (&Handle::current(), &work);
    thread::scope(|scope| {
        let start = |part| scope.spawn(move || runtime.block_on(work(part)));
        let threads: Vec<_> = parts.into_iter().map(start).collect();
        let join = |thread: thread::ScopedJoinHandle<Result<R>>| {
            thread.join().unwrap_or_else(|_| Err(anyhow!("a caller's thread panicked")))
        };
        threads.into_iter().map(join).collect()
    })
}
