//! How answers are made. A generator gives events; it knows nothing of gRPC, and whoever drops the
//! stream stops the work.

pub mod extractive;
pub mod scripted;

use std::sync::Arc;

use embedding::Embedder;
use futures_util::{StreamExt as _, stream::BoxStream};
use proto::{AnswerEvent, Conversation, config::Step, wire::Generation};

use crate::{error::CallError, heartbeat::alive, library::Library};

/// What is asked of a specialist.
#[derive(Debug, Clone)]
pub struct Question {
    /// Its last turn is the question.
    pub conversation: Conversation,
    /// How many passages the router has use for, 1 to 32.
    pub passages_max: usize,
}

/// The events of one answer, with heartbeats.
pub type Events = BoxStream<'static, Result<AnswerEvent, CallError>>;

/// A way to make answers. Cheap to clone.
#[derive(Clone)]
pub enum Generator {
    /// The sentences of the best passage, and of its neighbours, that fit the question.
    Extractive {
        /// Embeds the question.
        embedder: Embedder,
        /// About how long an answer is, in words, at least 1; to finish a list at most twice as long.
        lead_words_max: usize,
    },
    /// Always the same.
    Scripted {
        /// What it does, in order.
        steps: Arc<[Step]>,
    },
}

impl Generator {
    /// How the words are made at present, for whoever audits them.
    pub fn generation(&self) -> Generation {
        let (name, device) = match self {
            Self::Extractive { embedder, .. } => ("extractive", embedder.backend().to_string()),
            Self::Scripted { .. } => ("scripted", String::new()),
        };
        Generation { engine: format!("{name} {}", env!("CARGO_PKG_VERSION")), device, sampling: None }
    }

    /// Begins an answer from what `library` holds.
    pub fn answer(&self, library: Arc<Library>, question: Question) -> Events {
        match self {
            Self::Extractive { embedder, lead_words_max } => {
                alive(extractive::answer(library, embedder.clone(), question, *lead_words_max)).boxed()
            }
            Self::Scripted { steps } => scripted::answer(steps.clone()),
        }
    }
}
