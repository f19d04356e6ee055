//! What can go wrong: [`Error`] keeps a specialist from starting or from taking up a change of its
//! corpus, [`CallError`] ends one call. The only place that speaks gRPC status.

use std::{error, io, path::PathBuf};

use embedding::{EmbedError, LoadError};
use index::IndexError;
use proto::{Invalid, Space};
use tonic::{Code, Status};

use crate::{
    cache::CacheError, corpus::CorpusError, fit::QuestionsError, identity::IdentityError,
    lexical::LexicalError,
};

/// Why a specialist does not serve, or goes on serving what it had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings cannot be read.
    #[error(transparent)]
    Config(#[from] serve::ConfigError),
    /// A setting has no meaning.
    #[error("{}: {problem}", path.display())]
    Setting {
        /// The file.
        path: PathBuf,
        /// Field and problem.
        problem: String,
    },
    /// There is no key, or none that can be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The card breaks the contract.
    #[error("card cannot be published")]
    Card(#[from] Invalid),
    /// The corpus cannot be used.
    #[error("corpus cannot be read")]
    Corpus(#[from] CorpusError),
    /// The encoder cannot be loaded.
    #[error("encoder cannot be loaded")]
    Load(#[from] LoadError),
    /// The encoder's files cannot be hashed.
    #[error("the files of the encoder in {} cannot be read", path.display())]
    Weights {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The passages cannot be put into a tree.
    #[error("corpus cannot be hashed: {0}")]
    Tree(String),
    /// An extractive generator has nothing to find passages with.
    #[error("an extractive generator needs an encoder")]
    NoEncoder,
    /// Nothing is embedded without an encoder.
    #[error("there is nothing to index: the settings name no encoder")]
    NothingToIndex,
    /// The encoder's thread cannot be started.
    #[error("encoder cannot be started")]
    Encoder(#[source] io::Error),
    /// A passage cannot be embedded.
    #[error("corpus cannot be embedded")]
    Embed(#[from] EmbedError),
    /// Embeddings cannot be kept.
    #[error("embeddings cannot be kept")]
    Cache(#[from] CacheError),
    /// The passages cannot be searched.
    #[error("corpus cannot be indexed")]
    Index(#[from] IndexError),
    /// The words of the passages cannot be searched.
    #[error(transparent)]
    Lexical(#[from] LexicalError),
    /// The questions to fit to cannot be used.
    #[error(transparent)]
    Questions(#[from] QuestionsError),
    /// The address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] serve::ListenError),
    /// The server broke down.
    #[error("server has failed")]
    Serve(#[from] tonic::transport::Error),
    /// The system refused something that it never should.
    #[error("the system failed")]
    System(#[from] io::Error),
    /// Work on a thread of its own was cut off by a panic or by the end of the process.
    #[error("work was cut off")]
    Interrupted(#[from] tokio::task::JoinError),
}

/// Why a call fails. No message holds any of the conversation or the corpus.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The request breaks the contract.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// As many calls as there may be are under way.
    #[error("{max} {what} are under way, and that is the limit")]
    Overloaded {
        /// The limit.
        max: usize,
        /// Of what.
        what: &'static str,
    },
    /// There is no encoder.
    #[error("this specialist has no encoder: embed its card's example questions and sample texts")]
    CannotEmbed,
    /// Its owner wants no probes, or there is nothing to probe.
    #[error("this specialist is not probed: its card says so")]
    NotProbed,
    /// It signs nothing.
    #[error("this specialist has no key")]
    Keyless,
    /// The router's space is not this specialist's.
    #[error("asked for vectors of {}, but this specialist has {}", name(asked), name(own))]
    OtherSpace {
        /// The router's.
        asked: Box<Space>,
        /// This specialist's.
        own: Box<Space>,
    },
    /// No centroid can hide a single record.
    #[error("corpus has fewer than {} passages", proto::prototypes::PASSAGES_PER_PROTOTYPE_MIN)]
    FewPassages,
    /// The question cannot be embedded.
    #[error("question cannot be embedded: {0}")]
    Embed(#[from] EmbedError),
    /// The passages cannot be searched.
    #[error("corpus cannot be searched: {0}")]
    Index(#[from] IndexError),
    /// The words of the passages cannot be searched.
    #[error(transparent)]
    Lexical(#[from] LexicalError),
    /// A scripted answer fails on purpose.
    #[error("scripted failure")]
    Scripted,
    /// Work on a thread of its own was cut off by a panic or by the end of the process.
    #[error("work was cut off")]
    Interrupted,
}

/// A space as people tell it from others: two encoders may share a name, but not their weights.
fn name(space: &Space) -> String {
    let weights = space.weights.to_string();
    let weights = weights.get(..12).unwrap_or(&weights);
    format!("{} ({} numbers, weights {weights})", space.encoder, space.dimension)
}

impl From<CallError> for Status {
    fn from(error: CallError) -> Self {
        // No wildcard arm: a new failure must choose its code.
        let code = match &error {
            CallError::Invalid(_) => Code::InvalidArgument,
            CallError::Overloaded { .. } | CallError::Embed(EmbedError::Overloaded) => {
                Code::ResourceExhausted
            }
            CallError::CannotEmbed | CallError::NotProbed | CallError::Keyless => Code::Unimplemented,
            CallError::OtherSpace { .. } | CallError::FewPassages => Code::FailedPrecondition,
            CallError::Embed(EmbedError::Stopped) => Code::Unavailable,
            CallError::Embed(EmbedError::Tokenize(_) | EmbedError::Encode(_))
            | CallError::Index(_)
            | CallError::Lexical(_)
            | CallError::Scripted
            | CallError::Interrupted => Code::Internal,
        };
        Self::new(code, error.to_string())
    }
}

/// `error` and its causes as one line: "what happened: cause: its cause".
pub fn chain(error: &(dyn error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
