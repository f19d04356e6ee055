//! The handle that everybody holds.

use std::{
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream::FuturesOrdered};
use proto::{Embedding, Space, UnitVector};
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    oneshot,
};

use crate::{
    EncodeError, Limits, Model, Timing,
    thread::{self, Answer, Encoded, Job},
    tokens::Tokenizer,
};

/// The most texts of one bulk call in the queue at a time: enough to fill batches, few enough that a
/// question asked meanwhile waits only seconds.
const BULK_JOBS_MAX: usize = 32;

/// Turns texts into vectors. Cheap to clone: a handle to the thread that owns the encoder.
#[derive(Clone)]
pub struct Embedder {
    shared: Arc<Shared>,
    jobs: mpsc::Sender<Job>,
}

struct Shared {
    tokenizer: Tokenizer,
    space: Arc<Space>,
    device: String,
    engine: String,
}

/// A text's vector, and what it took.
#[derive(Debug, Clone)]
pub struct Embedded {
    /// The vector in its space.
    pub embedding: Embedding,
    /// Where the time went.
    pub timing: Timing,
}

/// Why a text has no vector. No message holds any of the text.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// The queue is full; a later try may find room.
    #[error("too many texts wait for the encoder")]
    Overloaded,
    /// The encoder's thread has ended.
    #[error("encoder has stopped")]
    Stopped,
    /// The tokenizer does not take the text.
    #[error("text cannot be cut into tokens")]
    Tokenize(#[source] tokenizers::Error),
    /// The encoder failed on the batch that the text was in.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

impl Embedder {
    /// Starts the thread that owns the encoder. It ends when the last handle is dropped and what was
    /// queued is done.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn start(model: Model, limits: Limits) -> std::io::Result<(Self, JoinHandle<()>)> {
        let Model { tokenizer, encoder } = model;
        let space = encoder.space().clone();
        let (device, engine) = (encoder.device().to_owned(), encoder.engine().to_owned());
        let (jobs, inbox) = mpsc::channel(limits.jobs_max.max(1));
        let thread = std::thread::Builder::new()
            .name("encoder".into())
            .spawn(move || thread::run(encoder, inbox, limits.batch_tokens_max))?;
        Ok((Self { shared: Arc::new(Shared { tokenizer, space, device, engine }), jobs }, thread))
    }

    /// Where its vectors may be compared.
    pub fn space(&self) -> &Arc<Space> {
        &self.shared.space
    }

    /// What the encoder runs on: `cpu` or `cuda`.
    pub fn device(&self) -> &str {
        &self.shared.device
    }

    /// What does the encoder's arithmetic: `candle`, `packed avx512`, `packed avx2` or `hashed`.
    pub fn engine(&self) -> &str {
        &self.shared.engine
    }

    /// How many tokens `text` has in full, with prefix and marks; the encoder may read fewer.
    pub fn count_tokens(&self, text: &str) -> Result<usize, EmbedError> {
        self.shared.tokenizer.count(text).map_err(EmbedError::Tokenize)
    }

    /// Embeds one text. Fails at once with [`EmbedError::Overloaded`] where the queue is full.
    pub async fn embed(&self, text: &str) -> Result<Embedded, EmbedError> {
        let (tokenize, job, reply) = self.job(text)?;
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => EmbedError::Overloaded,
            TrySendError::Closed(_) => EmbedError::Stopped,
        })?;
        let Encoded { vector, queue, encode } = reply.await.map_err(|_| EmbedError::Stopped)??;
        Ok(Embedded {
            embedding: Embedding { space: self.shared.space.clone(), vector },
            timing: Timing { tokenize, queue, encode },
        })
    }

    /// Embeds texts in bulk, in their order; waits where the queue is full. After each text `done`
    /// is called with the number of texts finished so far. The first failure ends it.
    pub async fn embed_all(
        &self,
        texts: &[String],
        mut done: impl FnMut(usize),
    ) -> Result<Vec<UnitVector>, EmbedError> {
        let mut vectors = Vec::with_capacity(texts.len());
        let mut rest = texts.iter();
        let mut waiting = FuturesOrdered::new();
        while vectors.len() < texts.len() {
            let room = BULK_JOBS_MAX - waiting.len();
            waiting.extend(rest.by_ref().take(room).map(|text| self.embed_patiently(text)));
            if let Some(vector) = waiting.next().await {
                vectors.push(vector?);
                done(vectors.len());
            }
        }
        Ok(vectors)
    }

    async fn embed_patiently(&self, text: &str) -> Result<UnitVector, EmbedError> {
        let (_, job, reply) = self.job(text)?;
        self.jobs.send(job).await.map_err(|_| EmbedError::Stopped)?;
        Ok(reply.await.map_err(|_| EmbedError::Stopped)??.vector)
    }

    /// Tokenizes here, in the caller, so that the thread does nothing but encode.
    fn job(&self, text: &str) -> Result<(Duration, Job, Answer), EmbedError> {
        let started = Instant::now();
        let tokens = self.shared.tokenizer.tokens(text).map_err(EmbedError::Tokenize)?;
        let queued = Instant::now();
        let (reply, answer) = oneshot::channel();
        Ok((queued - started, Job { tokens, queued, reply }, answer))
    }
}
