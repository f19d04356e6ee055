use std::{
    panic,
    pin::pin,
    sync::{Arc, mpsc},
    thread::JoinHandle,
};

use futures_util::{FutureExt, poll};
use proto::{Space, UnitVector};

use crate::{EmbedError, Embedder, EncodeError, Encoder, Limits, Model, Tokens};

/// What the encoder is to do with a batch.
enum Order {
    Encode,
    Fail,
    Panic,
    Miscount,
}

/// Reports the lengths of each batch, then waits to be told what to do with it.
struct Puppet {
    encoder: Box<dyn Encoder>,
    batches: mpsc::Sender<Vec<usize>>,
    orders: mpsc::Receiver<Order>,
}

impl Encoder for Puppet {
    fn space(&self) -> &Arc<Space> {
        self.encoder.space()
    }

    fn device(&self) -> &str {
        self.encoder.device()
    }

    fn engine(&self) -> &str {
        self.encoder.engine()
    }

    fn encode(&mut self, batch: &[Tokens]) -> Result<Vec<UnitVector>, EncodeError> {
        self.batches.send(batch.iter().map(Tokens::len).collect()).unwrap();
        match self.orders.recv().unwrap() {
            Order::Encode => self.encoder.encode(batch),
            Order::Fail => Err(EncodeError::Failed("out of memory".into())),
            // As a panic, but without the hook's message amid the output of the tests.
            Order::Panic => panic::resume_unwind(Box::new(())),
            Order::Miscount => Ok(Vec::new()),
        }
    }
}

struct Stage {
    embedder: Embedder,
    thread: JoinHandle<()>,
    batches: mpsc::Receiver<Vec<usize>>,
    orders: mpsc::Sender<Order>,
}

fn stage(limits: Limits) -> Stage {
    let (report, batches) = mpsc::channel();
    let (orders, listen) = mpsc::channel();
    let Model { tokenizer, encoder } = Model::hashed();
    let encoder = Box::new(Puppet { encoder, batches: report, orders: listen });
    let (embedder, thread) = Embedder::start(Model { tokenizer, encoder }, limits).unwrap();
    Stage { embedder, thread, batches, orders }
}

#[tokio::test]
async fn a_caller_that_left_costs_nothing() {
    let Stage { embedder, batches, orders, .. } = stage(Limits::default());
    let mut first = pin!(embedder.embed("a"));
    assert!(poll!(&mut first).is_pending());
    assert_eq!(batches.recv(), Ok(vec![2]));
    // Queued behind the first by its first poll, then dropped.
    assert!(embedder.embed("somebody who left").now_or_never().is_none());
    let mut third = pin!(embedder.embed("it"));
    assert!(poll!(&mut third).is_pending());

    orders.send(Order::Encode).unwrap();
    orders.send(Order::Encode).unwrap();
    assert!(first.await.is_ok());
    assert!(third.await.is_ok());
    assert_eq!(batches.try_iter().collect::<Vec<_>>(), [vec![3]]);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let Stage { embedder, batches, orders, .. } = stage(Limits { jobs_max: 1, ..Limits::default() });
    let mut encoding = pin!(embedder.embed("first"));
    assert!(poll!(&mut encoding).is_pending());
    batches.recv().unwrap();
    let mut waiting = pin!(embedder.embed("second"));
    assert!(poll!(&mut waiting).is_pending());
    assert!(matches!(embedder.embed("third").await, Err(EmbedError::Overloaded)));

    orders.send(Order::Encode).unwrap();
    orders.send(Order::Encode).unwrap();
    assert!(encoding.await.is_ok());
    assert!(waiting.await.is_ok());
}

#[tokio::test]
async fn a_failing_encoder_fails_its_batch_only() {
    for (order, message) in [
        (Order::Fail, "encoder failed: out of memory"),
        (Order::Panic, "encoder panicked"),
        (Order::Miscount, "encoder gave 0 vectors for 1 texts"),
    ] {
        let stage = stage(Limits::default());
        stage.orders.send(order).unwrap();
        stage.orders.send(Order::Encode).unwrap();
        assert_eq!(stage.embedder.embed("a question").await.unwrap_err().to_string(), message);
        assert!(stage.embedder.embed("a question").await.is_ok());
    }
}

#[tokio::test]
async fn the_thread_ends_with_the_last_handle() {
    let Stage { embedder, thread, .. } = stage(Limits::default());
    let last = embedder.clone();
    drop(embedder);
    assert!(last.count_tokens("a").is_ok());
    drop(last);
    thread.join().unwrap();
}

#[tokio::test]
async fn batches_are_short_first_and_within_limits() {
    let limits = Limits { batch_tokens_max: 30, ..Limits::default() };
    let Stage { embedder, batches, orders, .. } = stage(limits);
    let mut blocker = pin!(embedder.embed("a"));
    assert!(poll!(&mut blocker).is_pending());
    assert_eq!(batches.recv(), Ok(vec![2]));

    let texts = ["seven letter worders", "ab", "abc", "abcd", "a", "abcdefghijklmnopqrstuvwxyzabcdefgh"]
        .map(String::from);
    let mut finished = Vec::new();
    let mut bulk = Box::pin(embedder.embed_all(&texts, |count| finished.push(count)));
    assert!(poll!(&mut bulk).is_pending());
    for _ in 0..5 {
        orders.send(Order::Encode).unwrap();
    }
    let vectors = bulk.await.unwrap();
    assert!(blocker.await.is_ok());
    // At most twice the shortest; then at most 30 tokens with padding, unless alone.
    let sizes: Vec<_> = batches.try_iter().collect();
    assert_eq!(sizes, [vec![4, 3, 2], vec![5], vec![21], vec![35]]);
    assert_eq!(vectors.len(), texts.len());
    for (text, vector) in texts.iter().zip(&vectors) {
        orders.send(Order::Encode).unwrap();
        assert_eq!(embedder.embed(text).await.unwrap().embedding.vector, *vector);
    }
    assert_eq!(finished, [1, 2, 3, 4, 5, 6]);
}

/// Compiles only where the futures may move between threads.
#[test]
fn the_futures_are_send() {
    fn send<T: Send>(_: T) {}
    let Stage { embedder, .. } = stage(Limits::default());
    let texts: [String; 0] = [];
    send(embedder.embed(""));
    send(embedder.embed_all(&texts, |_| {}));
}
