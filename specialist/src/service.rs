//! `SpecialistService`: requests become checked types, events become messages. Decides nothing.

use std::sync::Arc;

use audit::{Kind, signed};
use futures_util::{StreamExt as _, stream::BoxStream};
use prost::Message as _;
use proto::{
    Conversation, Evidence, Invalid, Probe, Probing, Problem, Space, Terms, answer::PASSAGES_MAX,
    prototypes::PROTOTYPES_MAX, wire, wire::specialist_service_server::SpecialistService,
};
use tokio::sync::{Semaphore, watch};
use tonic::{Request, Response, Status};

use crate::{
    error::CallError,
    generator::{Generator, Question},
    library::Library,
    vouching::Vouching,
};

/// The most answers under way at a time.
pub(crate) const ANSWERS_MAX: usize = 64;

/// The most probes under way at a time.
const PROBES_MAX: usize = 256;

/// The most characters that a request's name may have.
const REQUEST_ID_MAX: usize = 64;

/// The most characters that a router's name may have.
const ROUTER_MAX: usize = 120;

/// How many bytes a challenge has.
const NONCE_BYTES: usize = 32;

/// The service over one specialist's library.
pub(crate) struct Service {
    library: watch::Receiver<Arc<Library>>,
    generator: Generator,
    /// The space of the library's vectors, where it has any.
    space: Option<Arc<Space>>,
    answers: Arc<Semaphore>,
    probes: Semaphore,
}

impl Service {
    pub(crate) fn new(
        library: watch::Receiver<Arc<Library>>,
        generator: Generator,
        space: Option<Arc<Space>>,
    ) -> Self {
        Self {
            library,
            generator,
            space,
            answers: Arc::new(Semaphore::new(ANSWERS_MAX)),
            probes: Semaphore::new(PROBES_MAX),
        }
    }

    /// One state of the library; a call sees no other.
    fn library(&self) -> Arc<Library> {
        self.library.borrow().clone()
    }

    async fn make_prototypes(
        &self,
        request: wire::PrototypesRequest,
    ) -> Result<wire::PrototypesResponse, CallError> {
        let Some(own) = &self.space else { return Err(CallError::CannotEmbed) };
        let wire::PrototypesRequest { space, prototypes_max } = request;
        let asked = Space::try_from(space.ok_or_else(|| Invalid::missing("space"))?)
            .map_err(|invalid| invalid.within("space"))?;
        let count = count("prototypes_max", prototypes_max, PROTOTYPES_MAX)?;
        self.library().prototypes(same_space(asked, own)?, count).await
    }

    async fn gather_evidence(&self, request: wire::ProbeRequest) -> Result<Evidence, CallError> {
        let library = self.library();
        let (Some(own), Probing::Vector | Probing::Terms) = (&self.space, library.card().card().probing)
        else {
            return Err(CallError::NotProbed);
        };
        let mut probe = Probe::try_from(request)?;
        same_space(probe.space.clone(), own)?;
        if library.card().card().probing == Probing::Vector {
            probe.terms = Terms::default();
        }
        let overloaded = |_| CallError::Overloaded { max: PROBES_MAX, what: "probes" };
        let _permit = self.probes.try_acquire().map_err(overloaded)?;
        library.evidence(probe).await
    }

    fn prove_possession(&self, request: wire::ProveRequest) -> Result<wire::ProveResponse, CallError> {
        let library = self.library();
        let key = library.identity().ok_or(CallError::Keyless)?.key();
        let wire::ProveRequest { nonce, router } = request;
        if nonce.len() != NONCE_BYTES {
            let problem = Problem::OutOfBounds {
                found: nonce.len(),
                min: NONCE_BYTES,
                max: NONCE_BYTES,
                unit: "bytes",
            };
            return Err(Invalid::new("nonce", problem).into());
        }
        characters("router", &router, ROUTER_MAX)?;
        let possession = wire::Possession {
            nonce,
            router,
            specialist_id: library.card().card().id.to_string(),
            public_key: key.public().as_bytes().to_vec(),
        };
        let possession = signed::sign(key, Kind::Possession, possession.encode_to_vec());
        Ok(wire::ProveResponse { possession: Some(possession) })
    }

    fn begin_answer(
        &self,
        request: wire::AnswerRequest,
    ) -> Result<BoxStream<'static, Result<wire::AnswerResponse, Status>>, CallError> {
        let library = self.library();
        let mut vouching = Vouching::new(library.clone(), self.generator.clone(), &request)?;
        let (question, request_id) = (question(&request)?, request.request_id);
        let overloaded = |_| CallError::Overloaded { max: ANSWERS_MAX, what: "answers" };
        let permit = self.answers.clone().try_acquire_owned().map_err(overloaded)?;
        tracing::debug!(?request_id, "answering");
        let events = self.generator.answer(library, question);
        let messages = events.map(move |event| {
            // Moved in here, so that the answer counts as long as its stream lives.
            let _permit = &permit;
            event.map(|event| vouching.message(event)).map_err(|error| {
                tracing::warn!(?request_id, %error, "answer failed");
                error.into()
            })
        });
        Ok(messages.boxed())
    }
}

/// What `request` asks.
pub(crate) fn question(request: &wire::AnswerRequest) -> Result<Question, Invalid> {
    let wire::AnswerRequest { request_id, turns, passages_max, salt: _ } = request;
    characters("request_id", request_id, REQUEST_ID_MAX)?;
    Ok(Question {
        conversation: Conversation::try_from(turns.clone())?,
        passages_max: count("passages_max", *passages_max, PASSAGES_MAX)?,
    })
}

/// The library's space, if it is the one that is `asked` for.
fn same_space(asked: Space, own: &Space) -> Result<&Space, CallError> {
    if asked == *own {
        Ok(own)
    } else {
        Err(CallError::OtherSpace { asked: asked.into(), own: Box::new(own.clone()) })
    }
}

/// Whether the text in `field` has 1 to `max` characters.
fn characters(field: &str, text: &str, max: usize) -> Result<(), Invalid> {
    let found = text.chars().count();
    let problem = Problem::OutOfBounds { found, min: 1, max, unit: "characters" };
    if (1..=max).contains(&found) { Ok(()) } else { Err(Invalid::new(field, problem)) }
}

/// The number in `field`, if it is from 1 to `max`.
fn count(field: &str, found: u32, max: usize) -> Result<usize, Invalid> {
    let found = found as usize;
    let problem = || Invalid::malformed(field, format!("is {found}, where 1 to {max} is allowed"));
    if (1..=max).contains(&found) { Ok(found) } else { Err(problem()) }
}

#[tonic::async_trait]
impl SpecialistService for Service {
    async fn describe(
        &self,
        request: Request<wire::DescribeRequest>,
    ) -> Result<Response<wire::DescribeResponse>, Status> {
        let wire::DescribeRequest {} = request.into_inner();
        Ok(Response::new(self.library().description()))
    }

    async fn prototypes(
        &self,
        request: Request<wire::PrototypesRequest>,
    ) -> Result<Response<wire::PrototypesResponse>, Status> {
        Ok(Response::new(self.make_prototypes(request.into_inner()).await?))
    }

    async fn prove(
        &self,
        request: Request<wire::ProveRequest>,
    ) -> Result<Response<wire::ProveResponse>, Status> {
        Ok(Response::new(self.prove_possession(request.into_inner())?))
    }

    async fn probe(
        &self,
        request: Request<wire::ProbeRequest>,
    ) -> Result<Response<wire::ProbeResponse>, Status> {
        Ok(Response::new(self.gather_evidence(request.into_inner()).await?.into()))
    }

    type AnswerStream = BoxStream<'static, Result<wire::AnswerResponse, Status>>;

    async fn answer(
        &self,
        request: Request<wire::AnswerRequest>,
    ) -> Result<Response<Self::AnswerStream>, Status> {
        Ok(Response::new(self.begin_answer(request.into_inner())?))
    }
}
