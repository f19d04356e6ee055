use std::{
    panic,
    pin::{Pin, pin},
    sync::{Arc, mpsc},
    thread::JoinHandle,
};

use futures_util::{FutureExt, poll};
use proto::{Space, UnitVector};
use tokio::task;

use crate::{
    Backend, BatchLimits, EmbedError, Embedder, EncodeError, Encoder, Model, Tokens, embedder::QUESTIONS_MAX,
    fallback::Fallback,
};

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
    limits: BatchLimits,
    batches: mpsc::Sender<Vec<usize>>,
    orders: mpsc::Receiver<Order>,
}

impl Encoder for Puppet {
    fn space(&self) -> &Arc<Space> {
        self.encoder.space()
    }

    fn backend(&self) -> Backend {
        Backend { engine: "puppet", device: "cuda" }
    }

    fn batch_limits(&self) -> BatchLimits {
        self.limits
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

const PADDED: BatchLimits = BatchLimits { tokens_max: 30, padded: true };
const PACKED: BatchLimits = BatchLimits { tokens_max: 30, padded: false };

fn stage(limits: BatchLimits) -> Stage {
    with(limits, |puppet| puppet)
}

/// The puppet, with the hashed encoder to fall back on.
fn stage_with_fallback() -> Stage {
    with(PADDED, |puppet| Box::new(Fallback::new(puppet, Model::hashed().encoder)))
}

fn with(limits: BatchLimits, wrap: impl FnOnce(Box<dyn Encoder>) -> Box<dyn Encoder>) -> Stage {
    let (report, batches) = mpsc::channel();
    let (orders, listen) = mpsc::channel();
    let Model { tokenizer, encoder } = Model::hashed();
    let encoder = wrap(Box::new(Puppet { encoder, limits, batches: report, orders: listen }));
    let (embedder, thread) = Embedder::start(Model { tokenizer, encoder }).unwrap();
    Stage { embedder, thread, batches, orders }
}

impl Stage {
    fn order(&self, orders: impl IntoIterator<Item = Order>) {
        for order in orders {
            self.orders.send(order).unwrap();
        }
    }

    /// Holds the encoder in a batch, so that what comes next has to wait.
    async fn busy<T>(&self, first: Pin<&mut impl Future<Output = T>>) {
        assert!(poll!(first).is_pending());
        self.batches.recv().unwrap();
    }
}

#[tokio::test]
async fn a_caller_that_left_costs_nothing() {
    let stage = stage(PADDED);
    let mut first = pin!(stage.embedder.embed("a"));
    stage.busy(first.as_mut()).await;
    // Queued behind the first by its first poll, then dropped.
    assert!(stage.embedder.embed("somebody who left").now_or_never().is_none());
    let mut third = pin!(stage.embedder.embed("it"));
    assert!(poll!(&mut third).is_pending());

    stage.order([Order::Encode, Order::Encode]);
    assert!(first.await.is_ok());
    assert!(third.await.is_ok());
    assert_eq!(stage.batches.try_iter().collect::<Vec<_>>(), [vec![3]]);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_gives_room_back() {
    let stage = stage(PADDED);
    let waiting: Vec<_> = (0..QUESTIONS_MAX)
        .map(|_| {
            let embedder = stage.embedder.clone();
            let mut question = Box::pin(async move { embedder.embed("a question").await });
            assert!(question.as_mut().now_or_never().is_none());
            question
        })
        .collect();
    assert!(matches!(stage.embedder.embed("one more").await, Err(EmbedError::Overloaded)));
    stage.order((0..QUESTIONS_MAX).map(|_| Order::Encode));
    for question in waiting {
        assert!(question.await.is_ok());
    }
    stage.order([Order::Encode]);
    assert!(stage.embedder.embed("one more").await.is_ok());
}

#[tokio::test]
async fn a_failing_encoder_fails_its_batch_only() {
    for (order, message) in [
        (Order::Fail, "encoder failed: out of memory"),
        (Order::Panic, "encoder panicked"),
        (Order::Miscount, "encoder gave 0 vectors for 1 texts"),
    ] {
        let stage = stage(PADDED);
        stage.order([order, Order::Encode]);
        assert_eq!(stage.embedder.embed("a question").await.unwrap_err().to_string(), message);
        assert!(stage.embedder.embed("a question").await.is_ok());
    }
}

#[tokio::test]
async fn a_failing_device_costs_no_turn() {
    let expected = {
        let (embedder, _thread) = Embedder::start(Model::hashed()).unwrap();
        embedder.embed("a question").await.unwrap()
    };
    for order in [Order::Fail, Order::Panic, Order::Miscount] {
        let stage = stage_with_fallback();
        assert_eq!(stage.embedder.backend().device, "cuda");
        stage.order([order, Order::Encode]);
        let embedded = stage.embedder.embed("a question").await.unwrap();
        assert_eq!(embedded.embedding.vector, expected.embedding.vector);
        assert_eq!(embedded.backend, expected.backend);
        assert_eq!(stage.embedder.backend(), expected.backend);
        // Memory may have come back meanwhile.
        assert_eq!(stage.embedder.embed("a question").await.unwrap().backend.device, "cuda");
        assert_eq!(stage.embedder.backend().device, "cuda");
    }
}

#[tokio::test]
async fn a_device_that_goes_on_failing_is_given_up() {
    let stage = stage_with_fallback();
    stage.order([Order::Fail, Order::Fail, Order::Encode, Order::Fail, Order::Panic, Order::Miscount]);
    let mut devices = Vec::new();
    for _ in 0..8 {
        devices.push(stage.embedder.embed("a question").await.unwrap().backend.device);
    }
    assert_eq!(devices, ["cpu", "cpu", "cuda", "cpu", "cpu", "cpu", "cpu", "cpu"]);
    assert_eq!(stage.batches.iter().count(), 6, "batches that the device was given");
}

#[tokio::test]
async fn the_thread_ends_with_the_last_handle() {
    let Stage { embedder, thread, .. } = stage(PADDED);
    let last = embedder.clone();
    drop(embedder);
    assert!(last.count_tokens("a").is_ok());
    drop(last);
    thread.join().unwrap();
}

/// The lengths of the batches of six texts that wait together, and of a question that came last.
async fn batches_of(limits: BatchLimits) -> Vec<Vec<usize>> {
    let stage = stage(limits);
    let mut blocker = pin!(stage.embedder.embed("a"));
    stage.busy(blocker.as_mut()).await;
    let texts = ["seven letter worders", "ab", "abc", "abcd", "a", "abcdefghijklmnopqrstuvwxyzabcdefgh"]
        .map(String::from);
    let mut finished = Vec::new();
    let mut bulk = Box::pin(stage.embedder.embed_all(&texts, |count| finished.push(count)));
    // A text is queued at the second poll of its future, and the runtime has to have run between.
    for _ in 0..2 * texts.len() {
        assert!(poll!(&mut bulk).is_pending());
        task::yield_now().await;
    }
    let mut question = pin!(stage.embedder.embed("a question"));
    assert!(poll!(&mut question).is_pending());

    stage.order((0..8).map(|_| Order::Encode));
    let vectors = bulk.await.unwrap();
    assert!(blocker.await.is_ok());
    assert!(question.await.is_ok());
    assert_eq!(finished, [1, 2, 3, 4, 5, 6]);
    let batches = stage.batches.try_iter().collect();
    stage.order((0..6).map(|_| Order::Encode));
    for (text, vector) in texts.iter().zip(&vectors) {
        assert_eq!(stage.embedder.embed(text).await.unwrap().embedding.vector, *vector);
    }
    batches
}

#[tokio::test]
async fn questions_first_then_short_ones_within_limits() {
    // With padding: at most twice the shortest, and at most 30 tokens, unless alone.
    let expected = [vec![11], vec![4, 3, 2], vec![5], vec![21], vec![35]];
    assert_eq!(batches_of(PADDED).await, expected);
    // Without: whatever fits.
    assert_eq!(batches_of(PACKED).await, [vec![11], vec![5, 4, 3, 2], vec![21], vec![35]]);
}

/// Compiles only where the futures may move between threads.
#[test]
fn the_futures_are_send() {
    fn send<T: Send>(_: T) {}
    let Stage { embedder, .. } = stage(PADDED);
    let texts: [String; 0] = [];
    send(embedder.embed(""));
    send(embedder.embed_all(&texts, |_| {}));
}
