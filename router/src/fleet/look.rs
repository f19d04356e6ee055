//! A look at an endpoint: connect, health, card, the key in it, prototypes.

use std::time::{Duration, Instant};

use audit::succession::SUCCESSIONS_MAX;
use embedding::{EmbedError, Embedder};
use proto::{
    Endpoint, Invalid, Prototype, Prototypes, PublishedCard, Space,
    card::CARD_BYTES_MAX,
    wire::{
        self, DescribeRequest, PrototypesRequest, ProveRequest,
        specialist_service_client::SpecialistServiceClient,
    },
};
use registry::PrototypeOrigin;
use tonic::{Code, Status, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::{
    Limits,
    keys::{self, SUCCESSION_BYTES_MAX, Shown, SignatureFault},
};
use crate::{
    dial::{self, DialError, Special},
    dispatch::Dispatch,
};

/// What gRPC and protobuf put around a message, and a health check's whole answer.
const FRAME_BYTES: usize = 1024;

/// The name under which a specialist's health is asked for.
pub(super) const SERVICE: &str = "consilium.v1.SpecialistService";

/// Why an endpoint cannot be admitted.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// Nobody answers there.
    #[error("{0} cannot be reached: is the specialist running, and is the address right?")]
    Unreachable(Endpoint),
    /// The router does not dial there.
    #[error("{endpoint} leads to {special}, and this router does not dial it: {}", special.remedy())]
    Refused {
        /// Where.
        endpoint: Endpoint,
        /// What is there.
        special: Special,
    },
    /// It took too long.
    #[error("{endpoint} did not answer within {limit_ms} ms")]
    Timeout {
        /// Where.
        endpoint: Endpoint,
        /// The limit.
        limit_ms: u64,
    },
    /// Somebody answers, but does not speak the contract.
    #[error("what answers at {0} is not a Consilium specialist")]
    NotSpecialist(Endpoint),
    /// A specialist that says that it is not ready.
    #[error("the specialist at {0} says that it is not serving yet")]
    NotServing(Endpoint),
    /// It refused a call.
    #[error("the specialist at {endpoint} failed with {code:?}: {message}")]
    Failed {
        /// Where.
        endpoint: Endpoint,
        /// How.
        code: Code,
        /// In its own words.
        message: String,
    },
    /// Its card or its prototypes break the contract.
    #[error("the specialist at {endpoint} breaks the contract: {invalid}")]
    Invalid {
        /// Where.
        endpoint: Endpoint,
        /// What is wrong.
        invalid: Invalid,
    },
    /// Its card is not its own.
    #[error(
        "the card at {endpoint} {fault}: have its institution start the specialist with its key, so that it \
         signs the card"
    )]
    Signature {
        /// Where.
        endpoint: Endpoint,
        /// What is wrong.
        fault: SignatureFault,
    },
    /// It has the card, but not its key.
    #[error(
        "the specialist at {0} does not show that it holds the key in its card: is the card a copy, or was \
         it started with another key?"
    )]
    Unproven(Endpoint),
    /// The router has no random numbers to challenge it with.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
    /// Neither prototypes nor texts.
    #[error(
        "the specialist at {0} has neither prototypes nor example questions nor sample texts to route by"
    )]
    NothingToRouteBy(Endpoint),
    /// Its corpus changed between card and prototypes.
    #[error("the specialist at {0} changed while it was looked at: look again")]
    Moving(Endpoint),
    /// The router could not embed its texts.
    #[error("the router could not embed the texts of its card")]
    Embed(#[from] EmbedError),
}

/// What stands at an endpoint, within the contract.
#[derive(Debug)]
pub(super) struct Found {
    /// Its card.
    pub(super) card: PublishedCard,
    /// The card's signature with the key in it, which it holds; `None` where there is no key.
    pub(super) signature: Option<[u8; 64]>,
    /// Where that key was another before, by its word.
    pub(super) successions: Vec<wire::Signed>,
    /// Its prototypes and its example questions.
    pub(super) prototypes: Prototypes,
    /// Who made them.
    pub(super) origin: PrototypeOrigin,
    /// What the look took.
    pub(super) took: Duration,
}

/// Looks at `endpoint` in the name of the router called `router`.
pub(super) async fn look(
    endpoint: &Endpoint,
    dispatch: &Dispatch,
    embedder: &Embedder,
    limits: &Limits,
    router: &str,
) -> Result<Found, LookError> {
    let started = Instant::now();
    let eye = Eye { endpoint, channel: dispatch.channel(endpoint) };
    let looked = async {
        eye.health().await?;
        let shown = eye.card().await?;
        let signature = keys::signature(&shown).map_err(|fault| eye.unsigned(fault))?;
        let Shown { card, successions, .. } = shown;
        eye.challenge(&card, router).await?;
        let made = eye.prototypes(embedder.space(), limits.prototypes_max).await?;
        if made.as_ref().is_some_and(|made| made.revision != card.card().revision) {
            return Err(LookError::Moving(endpoint.clone()));
        }
        let origin = if made.is_some() { PrototypeOrigin::Specialist } else { PrototypeOrigin::Router };
        let prototypes = with_texts(made, &card, embedder).await?;
        if prototypes.points.is_empty() {
            return Err(LookError::NothingToRouteBy(endpoint.clone()));
        }
        Ok(Found { card, signature, successions, prototypes, origin, took: started.elapsed() })
    };
    match tokio::time::timeout(Duration::from_millis(limits.look_ms), looked).await {
        Ok(found) => found,
        Err(_) => Err(LookError::Timeout { endpoint: endpoint.clone(), limit_ms: limits.look_ms }),
    }
}

/// What is shown at `endpoint`, if it serves; the cheap part of a look.
pub(super) async fn glance(endpoint: &Endpoint, dispatch: &Dispatch) -> Result<Shown, LookError> {
    let eye = Eye { endpoint, channel: dispatch.channel(endpoint) };
    eye.health().await?;
    eye.card().await
}

struct Eye<'a> {
    endpoint: &'a Endpoint,
    channel: Channel,
}

impl Eye<'_> {
    /// Takes messages of at most `bytes_max`, so that nobody makes the router hold more than it asked
    /// for.
    fn client(&self, bytes_max: usize) -> SpecialistServiceClient<Channel> {
        SpecialistServiceClient::new(self.channel.clone()).max_decoding_message_size(bytes_max + FRAME_BYTES)
    }

    async fn health(&self) -> Result<(), LookError> {
        let request = HealthCheckRequest { service: SERVICE.to_owned() };
        let mut client = HealthClient::new(self.channel.clone()).max_decoding_message_size(FRAME_BYTES);
        let checked = client.check(request).await;
        let status = checked.map_err(|status| self.failed(&status))?.into_inner().status();
        if status == ServingStatus::Serving {
            Ok(())
        } else {
            Err(LookError::NotServing(self.endpoint.clone()))
        }
    }

    async fn card(&self) -> Result<Shown, LookError> {
        let bytes_max = CARD_BYTES_MAX + SUCCESSIONS_MAX * SUCCESSION_BYTES_MAX;
        let described = self.client(bytes_max).describe(DescribeRequest {}).await;
        let wire::DescribeResponse { card, signature, successions } =
            described.map_err(|status| self.failed(&status))?.into_inner();
        if successions.len() > SUCCESSIONS_MAX {
            let why = format!("are more than {SUCCESSIONS_MAX}");
            return Err(self.invalid(Invalid::malformed("successions", why)));
        }
        let card = PublishedCard::read(card).map_err(|invalid| self.invalid(invalid))?;
        Ok(Shown { card, signature, successions })
    }

    /// That it holds the key in its card, where there is one: only whoever has the key answers what nobody
    /// was asked before.
    async fn challenge(&self, card: &PublishedCard, router: &str) -> Result<(), LookError> {
        let card = card.card();
        let Some(key) = &card.public_key else { return Ok(()) };
        let mut nonce = vec![0; 32];
        getrandom::fill(&mut nonce).map_err(LookError::Random)?;
        let request = ProveRequest { nonce, router: router.to_owned() };
        let answer = match self.client(FRAME_BYTES).prove(request.clone()).await {
            Ok(answer) => answer.into_inner(),
            Err(status) if status.code() == Code::Unavailable => return Err(self.failed(&status)),
            Err(_) => return Err(LookError::Unproven(self.endpoint.clone())),
        };
        let proven = keys::is_proof(&request, &card.id, key, &answer);
        if proven { Ok(()) } else { Err(LookError::Unproven(self.endpoint.clone())) }
    }

    /// Its prototypes in `space`; `None` where it makes none there.
    async fn prototypes(&self, space: &Space, count_max: usize) -> Result<Option<Prototypes>, LookError> {
        let prototypes_max = u32::try_from(count_max).unwrap_or(u32::MAX);
        let request = PrototypesRequest { space: Some(space.into()), prototypes_max };
        // A number has four bytes, and a fifth where it is not packed with the others.
        let vector_bytes = space.dimension * 5 + FRAME_BYTES;
        let response = match self.client(count_max * vector_bytes).prototypes(request).await {
            Ok(response) => response.into_inner(),
            Err(status) if matches!(status.code(), Code::Unimplemented | Code::FailedPrecondition) => {
                return Ok(None);
            }
            Err(status) => return Err(self.failed(&status)),
        };
        let prototypes = Prototypes::try_from(response).map_err(|invalid| self.invalid(invalid))?;
        if prototypes.space != *space {
            return Err(self.invalid(Invalid::malformed("space", "is not the one that was asked for")));
        }
        if prototypes.points.len() > count_max {
            let why = format!("are more than the {count_max} that were asked for");
            return Err(self.invalid(Invalid::malformed("prototypes", why)));
        }
        Ok(Some(prototypes))
    }

    fn invalid(&self, invalid: Invalid) -> LookError {
        LookError::Invalid { endpoint: self.endpoint.clone(), invalid }
    }

    fn unsigned(&self, fault: SignatureFault) -> LookError {
        LookError::Signature { endpoint: self.endpoint.clone(), fault }
    }

    fn failed(&self, status: &Status) -> LookError {
        let endpoint = self.endpoint.clone();
        if let Some(DialError::Refused(special)) = dial::error(status) {
            return LookError::Refused { endpoint, special: *special };
        }
        match status.code() {
            Code::Unavailable => LookError::Unreachable(endpoint),
            // A server that is no gRPC server shows as a broken protocol, one of another kind as
            // an unknown service.
            Code::Unimplemented | Code::Unknown | Code::NotFound | Code::Internal => {
                LookError::NotSpecialist(endpoint)
            }
            code => LookError::Failed { endpoint, code, message: status.message().to_owned() },
        }
    }
}

/// What the specialist made, and the card's texts as the router embeds them: its example questions
/// always, its sample texts where it made nothing.
async fn with_texts(
    made: Option<Prototypes>,
    card: &PublishedCard,
    embedder: &Embedder,
) -> Result<Prototypes, LookError> {
    let card = card.card();
    let mut texts = card.example_questions.clone();
    if made.is_none() {
        texts.extend(card.sample_texts.iter().cloned());
    }
    let vectors = embedder.embed_all(&texts, |_| {}).await?;
    let mut prototypes = made.unwrap_or_else(|| Prototypes {
        space: Space::clone(embedder.space()),
        points: Vec::new(),
        revision: card.revision.clone(),
    });
    prototypes.points.extend(vectors.into_iter().map(|vector| Prototype { vector, passage_count: 0 }));
    Ok(prototypes)
}
