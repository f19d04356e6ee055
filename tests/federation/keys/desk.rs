//! A specialist in this process whose card, signature and key a test chooses.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
};

use audit::{Kind as Signing, SecretKey, signed};
use prost::Message;
use proto::wire::{
    AnswerRequest, AnswerResponse, Card, DescribeRequest, DescribeResponse, Possession, ProbeRequest,
    ProbeResponse, Prototype, PrototypesRequest, PrototypesResponse, ProveRequest, ProveResponse, Signed,
    Succession,
    specialist_service_server::{SpecialistService, SpecialistServiceServer},
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

/// What a specialist shows of itself, and how it answers a challenge.
pub(crate) struct Showing {
    pub(crate) described: DescribeResponse,
    pub(crate) prove: Box<dyn Fn(ProveRequest) -> Option<Signed> + Send>,
}

/// What it says when it is asked.
type Saying = Box<dyn Fn(AnswerRequest) -> Vec<AnswerResponse> + Send>;

/// A specialist whose card can be changed while it stands.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) url: String,
    showing: Arc<Mutex<Showing>>,
    saying: Arc<Mutex<Option<Saying>>>,
}

#[tonic::async_trait]
impl SpecialistService for Desk {
    async fn describe(&self, _: Request<DescribeRequest>) -> Result<Response<DescribeResponse>, Status> {
        Ok(Response::new(self.showing.lock().unwrap().described.clone()))
    }

    async fn prototypes(
        &self,
        request: Request<PrototypesRequest>,
    ) -> Result<Response<PrototypesResponse>, Status> {
        let space = request.into_inner().space.unwrap();
        let mut vector = vec![0.0; space.dimension as usize];
        vector[0] = 1.0;
        let prototypes = vec![Prototype { vector, passage_count: 5 }];
        let card = Card::decode(self.showing.lock().unwrap().described.card.as_slice()).unwrap();
        let revision = card.revision;
        Ok(Response::new(PrototypesResponse { space: Some(space), prototypes, revision }))
    }

    async fn prove(&self, request: Request<ProveRequest>) -> Result<Response<ProveResponse>, Status> {
        let possession = (self.showing.lock().unwrap().prove)(request.into_inner());
        if possession.is_none() {
            return Err(Status::unimplemented("no key"));
        }
        Ok(Response::new(ProveResponse { possession }))
    }

    async fn probe(&self, _: Request<ProbeRequest>) -> Result<Response<ProbeResponse>, Status> {
        Err(Status::unimplemented("not probed"))
    }

    type AnswerStream = Pin<Box<dyn futures_util::Stream<Item = Result<AnswerResponse, Status>> + Send>>;

    async fn answer(&self, request: Request<AnswerRequest>) -> Result<Response<Self::AnswerStream>, Status> {
        let saying = self.saying.lock().unwrap();
        let Some(says) = saying.as_ref() else { return Err(Status::unavailable("never")) };
        let events = says(request.into_inner());
        Ok(Response::new(Box::pin(tokio_stream::iter(events.into_iter().map(Ok)))))
    }
}

impl Desk {
    /// Serves until the test ends.
    pub(crate) async fn open(showing: Showing) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let desk = Self { url, showing: Arc::new(Mutex::new(showing)), saying: Arc::default() };
        let (reporter, health) = tonic_health::server::health_reporter();
        reporter.set_serving::<SpecialistServiceServer<Self>>().await;
        let service = SpecialistServiceServer::new(desk.clone());
        let server = Server::builder().add_service(health).add_service(service);
        #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        desk
    }

    /// What it says from now on.
    pub(crate) fn say(&self, saying: impl Fn(AnswerRequest) -> Vec<AnswerResponse> + Send + 'static) {
        *self.saying.lock().unwrap() = Some(Box::new(saying));
    }

    pub(crate) fn show(&self, showing: Showing) {
        *self.showing.lock().unwrap() = showing;
    }
}

pub(crate) fn card(revision: &str, key: Option<&SecretKey>) -> Vec<u8> {
    card_of("keyed", revision, key)
}

fn card_of(id: &str, revision: &str, key: Option<&SecretKey>) -> Vec<u8> {
    let card = Card {
        specialist_id: id.into(),
        title: "Keyed".into(),
        institution: "Keepers".into(),
        description: "Keys.".into(),
        license: "CC0-1.0".into(),
        public_endpoint: "http://127.0.0.1:1".into(),
        generator: "none".into(),
        revision: revision.into(),
        public_key: key.map(|key| key.public().as_bytes().to_vec()).unwrap_or_default(),
        retention: "Nothing is kept.".into(),
        ..Default::default()
    };
    card.encode_to_vec()
}

pub(crate) fn possession(id: &str, request: ProveRequest, key: &SecretKey) -> Possession {
    Possession {
        nonce: request.nonce,
        router: request.router,
        specialist_id: id.into(),
        public_key: key.public().as_bytes().to_vec(),
    }
}

/// A sound specialist, with this key.
pub(crate) fn sound(revision: &str, key: &SecretKey) -> Showing {
    sound_as("keyed", revision, key)
}

/// The same under another id.
pub(crate) fn sound_as(id: &'static str, revision: &str, key: &SecretKey) -> Showing {
    let card = card_of(id, revision, Some(key));
    let signature = signed::signature(key, Signing::Card, &card).to_vec();
    let holder = key.clone();
    Showing {
        described: DescribeResponse { card, signature, successions: Vec::new() },
        prove: Box::new(move |request| {
            let possession = possession(id, request, &holder).encode_to_vec();
            Some(signed::sign(&holder, Signing::Possession, possession))
        }),
    }
}

/// A sound specialist, under a key that each of `keys` appointed in turn.
pub(crate) fn rotated(revision: &str, keys: &[&SecretKey]) -> Showing {
    let succession = |pair: &[&SecretKey]| {
        let succession = Succession {
            specialist_id: "keyed".into(),
            old_public_key: pair[0].public().as_bytes().to_vec(),
            new_public_key: pair[1].public().as_bytes().to_vec(),
        };
        signed::sign(pair[0], Signing::Succession, succession.encode_to_vec())
    };
    let mut showing = sound(revision, keys.last().unwrap());
    showing.described.successions = keys.windows(2).map(succession).collect();
    showing
}

pub(crate) fn unsigned(revision: &str) -> Showing {
    let described = DescribeResponse { card: card(revision, None), ..Default::default() };
    Showing { described, prove: Box::new(|_| None) }
}

pub(crate) fn keys<const N: usize>() -> [SecretKey; N] {
    std::array::from_fn(|_| SecretKey::generate().unwrap())
}
