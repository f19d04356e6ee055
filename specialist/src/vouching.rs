//! The end of an answer vouches for all of it: a signed statement of what was asked and said, and where the
//! passages that were sent stand in the corpus.

use std::sync::Arc;

use audit::{Kind, Salt, Transcript, signed};
use prost::Message as _;
use proto::{
    AnswerEvent, Invalid,
    wire::{self, AnswerRequest, AnswerResponse, answer_response::Event},
};

use crate::{generator::Generator, library::Library};

/// One answer as it goes out.
pub(crate) struct Vouching {
    library: Arc<Library>,
    generator: Generator,
    /// What is to be signed; `None` where there is no key, or no salt to commit with.
    transcript: Option<Transcript>,
    /// Where the passages so far stand; `None` once one of them stands nowhere.
    paths: Option<Vec<wire::MerklePath>>,
}

impl Vouching {
    /// For the answer to `request` that `generator` makes from `library`.
    pub(crate) fn new(
        library: Arc<Library>,
        generator: Generator,
        request: &AnswerRequest,
    ) -> Result<Self, Invalid> {
        let salt = match request.salt.as_slice() {
            [] => None,
            salt => Some(Salt::read(salt).ok_or_else(|| {
                let problem = format!("has {} bytes, where 32 or none are allowed", salt.len());
                Invalid::malformed("salt", problem)
            })?),
        };
        let transcript = salt.filter(|_| library.identity().is_some());
        let transcript = transcript.map(|salt| Transcript::new(request, salt));
        Ok(Self { library, generator, transcript, paths: Some(Vec::new()) })
    }

    /// `event` as it is sent; the last one with what vouches for the answer.
    pub(crate) fn message(&mut self, event: AnswerEvent) -> AnswerResponse {
        if let (AnswerEvent::Passage(passage), Some(paths)) = (&event, &mut self.paths) {
            match self.library.path(&passage.id) {
                Some(path) => paths.push(path),
                None => self.paths = None,
            }
        }
        let mut message = AnswerResponse::from(event);
        if let Some(transcript) = &mut self.transcript {
            transcript.hear(&message);
        }
        if let Some(Event::Done(done)) = &mut message.event {
            done.statement = self.statement();
            done.paths = self.paths.take().unwrap_or_default();
        }
        message
    }

    fn statement(&self) -> Option<wire::Signed> {
        let (transcript, identity) = (self.transcript.as_ref()?, self.library.identity()?);
        let statement = transcript.statement(self.library.card(), self.generator.generation());
        Some(signed::sign(identity.key(), Kind::Statement, statement.encode_to_vec()))
    }
}
