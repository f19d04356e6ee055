//! The handle that everybody holds.

use std::{
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream::FuturesOrdered};
use proto::{Embedding, Space, UnitVector};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch},
    task,
};

use crate::{
    Backend, EncodeError, Model, Timing, Tokens,
    thread::{self, Answer, Encoded, Job, Lane},
    tokens::Tokenizer,
};

/// The most questions in the thread's hands; one more is refused.
pub(crate) const QUESTIONS_MAX: usize = 4_096;

/// The most passages in the thread's hands, enough to fill any encoder's batch; more wait with their
/// callers.
const PASSAGES_MAX: usize = 256;

/// Turns texts into vectors. Cheap to clone: a handle to the thread that owns the encoder.
#[derive(Clone)]
pub struct Embedder {
    shared: Arc<Shared>,
    /// What is in it holds a permit, so it cannot grow.
    jobs: mpsc::UnboundedSender<Job>,
}

struct Shared {
    tokenizer: Tokenizer,
    space: Arc<Space>,
    backend: watch::Receiver<Backend>,
    questions: Arc<Semaphore>,
    passages: Arc<Semaphore>,
}

/// A text's vector, and what it took.
#[derive(Debug, Clone)]
pub struct Embedded {
    /// The vector in its space.
    pub embedding: Embedding,
    /// What computed it.
    pub backend: Backend,
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
    pub fn start(model: Model) -> std::io::Result<(Self, JoinHandle<()>)> {
        let Model { tokenizer, encoder } = model;
        let space = encoder.space().clone();
        let (announce, backend) = watch::channel(encoder.backend());
        let (jobs, inbox) = mpsc::unbounded_channel();
        let thread = std::thread::Builder::new()
            .name("encoder".into())
            .spawn(move || thread::run(encoder, inbox, &announce))?;
        let [questions, passages] = [QUESTIONS_MAX, PASSAGES_MAX].map(Semaphore::new).map(Arc::new);
        Ok((
            Self { shared: Arc::new(Shared { tokenizer, space, backend, questions, passages }), jobs },
            thread,
        ))
    }

    /// Where its vectors may be compared.
    pub fn space(&self) -> &Arc<Space> {
        &self.shared.space
    }

    /// What computes its vectors at present; what computed a certain one is said with it.
    pub fn backend(&self) -> Backend {
        *self.shared.backend.borrow()
    }

    /// Texts in the thread's hands: those that wait and those that it is encoding.
    pub fn waiting(&self) -> usize {
        let taken = |room: &Semaphore, max: usize| max - room.available_permits();
        taken(&self.shared.questions, QUESTIONS_MAX) + taken(&self.shared.passages, PASSAGES_MAX)
    }

    /// How many tokens `text` has in full, with prefix and marks; the encoder may read fewer.
    pub fn count_tokens(&self, text: &str) -> Result<usize, EmbedError> {
        self.shared.tokenizer.count(text).map_err(EmbedError::Tokenize)
    }

    /// Embeds one text, ahead of all bulk work. Fails at once with [`EmbedError::Overloaded`] where too
    /// many wait.
    pub async fn embed(&self, text: &str) -> Result<Embedded, EmbedError> {
        let permit = self.question_permit()?;
        let started = Instant::now();
        let tokens = self.shared.tokenizer.tokens(text).map_err(EmbedError::Tokenize)?;
        self.embed_question(tokens, started.elapsed(), permit).await
    }

    /// Embeds `text` as [`Embedder::embed`] does, with what was said before it. Where the encoder does not
    /// take all of it, the beginning of `before` is left out; `None` where `text` alone fills it.
    pub async fn embed_behind(&self, before: &str, text: &str) -> Result<Option<Embedded>, EmbedError> {
        let permit = self.question_permit()?;
        let started = Instant::now();
        let tokens = self.shared.tokenizer.tokens_behind(before, text).map_err(EmbedError::Tokenize)?;
        let Some(tokens) = tokens else { return Ok(None) };
        self.embed_question(tokens, started.elapsed(), permit).await.map(Some)
    }

    fn question_permit(&self) -> Result<OwnedSemaphorePermit, EmbedError> {
        self.shared.questions.clone().try_acquire_owned().map_err(|_| EmbedError::Overloaded)
    }

    async fn embed_question(
        &self,
        tokens: Tokens,
        tokenize: Duration,
        permit: OwnedSemaphorePermit,
    ) -> Result<Embedded, EmbedError> {
        let answer = self.queue(tokens, Lane::Question, permit)?;
        let Encoded { vector, backend, queue, encode } = answer.await.map_err(|_| EmbedError::Stopped)??;
        Ok(Embedded {
            embedding: Embedding { space: self.shared.space.clone(), vector },
            backend,
            timing: Timing { tokenize, queue, encode },
        })
    }

    /// Embeds texts in bulk, in their order; waits where the queue is full, and lets questions pass.
    /// After each text `done` is called with the number of texts finished so far. The first failure
    /// ends it.
    pub async fn embed_all(
        &self,
        texts: &[String],
        mut done: impl FnMut(usize),
    ) -> Result<Vec<UnitVector>, EmbedError> {
        let mut vectors = Vec::with_capacity(texts.len());
        let mut rest = texts.iter();
        let mut waiting = FuturesOrdered::new();
        while vectors.len() < texts.len() {
            let room = PASSAGES_MAX - waiting.len();
            waiting.extend(rest.by_ref().take(room).map(|text| self.embed_patiently(text)));
            if let Some(vector) = waiting.next().await {
                vectors.push(vector?);
                done(vectors.len());
            }
        }
        Ok(vectors)
    }

    async fn embed_patiently(&self, text: &str) -> Result<UnitVector, EmbedError> {
        // Cutting many texts at a stretch would hold up whatever else this thread has to do.
        task::yield_now().await;
        let permit = self.shared.passages.clone().acquire_owned().await.map_err(|_| EmbedError::Stopped)?;
        let tokens = self.shared.tokenizer.tokens(text).map_err(EmbedError::Tokenize)?;
        let answer = self.queue(tokens, Lane::Passage, permit)?;
        Ok(answer.await.map_err(|_| EmbedError::Stopped)??.vector)
    }

    /// Takes tokens, so that callers cut their own texts and the thread does nothing but encode.
    fn queue(&self, tokens: Tokens, lane: Lane, permit: OwnedSemaphorePermit) -> Result<Answer, EmbedError> {
        let (reply, answer) = oneshot::channel();
        let job = Job { tokens, lane, queued: Instant::now(), reply, permit };
        self.jobs.send(job).map_err(|_| EmbedError::Stopped)?;
        Ok(answer)
    }
}
