//! Institutions join: what the `registry` program shows, asks and refuses.

use std::pin::Pin;

use proto::wire::{
    AnswerRequest, AnswerResponse, Card, DescribeRequest, DescribeResponse, ProbeRequest, ProbeResponse,
    Prototype, PrototypesRequest, PrototypesResponse, ProveRequest, ProveResponse, Space,
    specialist_service_server::{SpecialistService, SpecialistServiceServer},
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

use crate::{
    answers::planets,
    harness::{Institution, Router, run},
};

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn what_is_shown_is_what_is_admitted() {
    let institution = planets();
    let planets = institution.start().await;
    let router = Router::start().await;

    let dry = router.registry(&["add", &planets.url, "--dry-run"]).await;
    assert!(dry.status.success());
    for expected in
        ["id           planets", "Institute of planets", "passages     6", "prototypes   1, made by"]
    {
        assert!(text(&dry.stdout).contains(expected), "{expected:?} is missing in {}", text(&dry.stdout));
    }
    assert_eq!(router.registry_json(&["list"]).await, serde_json::json!([]));

    // Nobody can be asked here, and nobody said yes.
    let unasked = router.registry(&["add", &planets.url]).await;
    assert_eq!(unasked.status.code(), Some(2), "{}", text(&unasked.stderr));
    assert_eq!(router.registry_json(&["list"]).await, serde_json::json!([]));

    let shown = router.registry_json(&["test", &planets.url]).await;
    let added = router.registry_json(&["add", &planets.url, "--yes"]).await;
    assert_eq!(added["card"], shown["card"]);
    let again = router.registry(&["add", &planets.url, "--yes"]).await;
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("registered already"), "{}", text(&again.stderr));
}

#[tokio::test]
async fn a_card_that_changed_since_it_was_shown_is_not_admitted() {
    let institution = planets();
    let planets = institution.start().await;
    let router = Router::start().await;
    let mut client =
        proto::wire::registry_service_client::RegistryServiceClient::connect(router.process.url.clone())
            .await
            .unwrap();
    let other = proto::wire::AddRequest {
        endpoint: planets.url.clone(),
        card_sha256: vec![7; 32],
        ..Default::default()
    };
    let refused = client.add(other).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Aborted);
    assert!(refused.message().contains("no longer the one that was shown"), "{}", refused.message());
    assert_eq!(router.registry_json(&["list"]).await, serde_json::json!([]));
}

#[tokio::test]
async fn an_institution_joins_by_its_file() {
    let institution = planets();
    let planets = institution.start().await;
    let router = Router::start().await;
    let institution = institution.set(&format!("public_endpoint = \"{}\"\n", planets.url));
    // The table of the encoder ends the top level, so the endpoint must stand before it.
    let file = institution.file();
    let added = router.registry(&["add", "-f", file.to_str().unwrap(), "--yes"]).await;
    assert!(added.status.success(), "{}", text(&added.stderr));
    let watched = router.registry_json(&["list"]).await;
    assert_eq!(watched[0]["endpoint"], planets.url.as_str());
}

#[tokio::test]
async fn one_that_cannot_embed_is_routed_by_its_texts() {
    let lead = Institution::new("lead").scripted("why is Mars red", r#"{ say = "Rust." }"#).start().await;
    let router = Router::start().await;
    router.add(&lead).await;
    assert_eq!(router.registry_json(&["show", "lead"]).await["prototype_origin"], "router");
    assert_eq!(router.ask("why is Mars red").await.text(), "Rust.");
}

#[track_caller]
fn refused(output: &std::process::Output, code: i32, why: &str) {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(stderr.contains(why), "{why:?} is missing in {stderr:?}");
    assert!(output.stdout.is_empty());
}

#[tokio::test]
async fn what_cannot_be_admitted_is_refused_with_its_own_exit_code() {
    let router = Router::start().await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let down = format!("http://{free}");
    refused(&router.registry(&["add", &down, "--yes"]).await, 3, "cannot be reached");
    let itself = router.process.url.clone();
    refused(&router.registry(&["add", &itself, "--yes"]).await, 4, "is not a Consilium specialist");
    refused(&router.registry(&["add", "planets", "--yes"]).await, 2, "must be of the form http://host:port");
    refused(&router.registry(&["show", "planets"]).await, 1, "no specialist planets is registered");
    refused(&run("registry", ["list", "--router", &down]).await, 3, "no router at");

    let mute = Institution::new("mute")
        .set("encoder = { kind = \"none\" }\ngenerator = { kind = \"scripted\", steps = [] }\n");
    let mute = mute.start().await;
    refused(
        &router.registry(&["add", &mute.url, "--yes"]).await,
        4,
        "neither prototypes nor example questions",
    );
    assert_eq!(router.registry_json(&["list"]).await, serde_json::json!([]));
}

/// What a specialist answers when it is asked for prototypes in a space.
type Make = fn(Space) -> PrototypesResponse;

/// A specialist that somebody wrote badly.
struct Broken {
    card: Vec<u8>,
    prototypes: Make,
}

#[tonic::async_trait]
impl SpecialistService for Broken {
    async fn describe(&self, _: Request<DescribeRequest>) -> Result<Response<DescribeResponse>, Status> {
        Ok(Response::new(DescribeResponse { card: self.card.clone(), ..Default::default() }))
    }

    async fn prototypes(
        &self,
        request: Request<PrototypesRequest>,
    ) -> Result<Response<PrototypesResponse>, Status> {
        Ok(Response::new((self.prototypes)(request.into_inner().space.unwrap())))
    }

    async fn prove(&self, _: Request<ProveRequest>) -> Result<Response<ProveResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn probe(&self, _: Request<ProbeRequest>) -> Result<Response<ProbeResponse>, Status> {
        Err(Status::unimplemented("not probed"))
    }

    type AnswerStream = Pin<Box<dyn futures_util::Stream<Item = Result<AnswerResponse, Status>> + Send>>;

    async fn answer(&self, _: Request<AnswerRequest>) -> Result<Response<Self::AnswerStream>, Status> {
        Err(Status::unavailable("never"))
    }
}

fn card() -> Card {
    Card {
        specialist_id: "broken".into(),
        title: "Broken".into(),
        institution: "Nobody".into(),
        description: "Broken.".into(),
        license: "CC0-1.0".into(),
        public_endpoint: "http://127.0.0.1:1".into(),
        generator: "none".into(),
        revision: "1".into(),
        ..Default::default()
    }
}

fn good(space: Space) -> PrototypesResponse {
    let mut vector = vec![0.0; space.dimension as usize];
    vector[0] = 1.0;
    let prototypes = vec![Prototype { vector, passage_count: 5 }];
    PrototypesResponse { space: Some(space), prototypes, revision: "1".into() }
}

/// `count` times the same one.
fn many(space: Space, count: usize) -> PrototypesResponse {
    let response = good(space);
    let prototypes = vec![response.prototypes[0].clone(); count];
    PrototypesResponse { prototypes, ..response }
}

/// Serves `broken` until the test ends; where.
async fn serve(card: &[u8], prototypes: Make) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<SpecialistServiceServer<Broken>>().await;
    let service = SpecialistServiceServer::new(Broken { card: card.to_vec(), prototypes });
    let server = Server::builder().add_service(health).add_service(service);
    #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    url
}

#[tokio::test]
async fn a_specialist_that_breaks_the_contract_is_told_how() {
    let router = Router::start().await;
    let encoded = prost_encode(&card());
    let cases: [(&str, Make); 8] = [
        ("space: is not the one that was asked for", |mut space| {
            space.weights_sha256 = vec![1; 32];
            good(space)
        }),
        ("prototypes[0].vector: holds a number that is not finite", |space| {
            let mut response = good(space);
            response.prototypes[0].vector[3] = f32::NAN;
            response
        }),
        ("prototypes[0].vector: is not of length one", |space| {
            let mut response = good(space);
            response.prototypes[0].vector[1] = 1.0;
            response
        }),
        ("prototypes[0].vector: has 1 numbers", |space| {
            let mut response = good(space);
            response.prototypes[0].vector.truncate(1);
            response
        }),
        ("prototypes[0].passage_count: must be at least 5", |space| {
            let mut response = good(space);
            response.prototypes[0].passage_count = 1;
            response
        }),
        ("prototypes: are more than the 256 that were asked for", |space| many(space, 257)),
        ("failed with OutOfRange", |space| many(space, 1_000)),
        ("prototypes: has 0 entries", |space| PrototypesResponse { prototypes: Vec::new(), ..good(space) }),
    ];
    for (why, prototypes) in cases {
        let url = serve(&encoded, prototypes).await;
        refused(&router.registry(&["add", &url, "--yes"]).await, 4, why);
    }
    let url = serve(&prost_encode(&Card { title: "\u{1b}[2J".into(), ..card() }), good).await;
    refused(&router.registry(&["add", &url, "--yes"]).await, 4, "card.title: holds a control character");
    for title in ["Soap\nand water", "\u{202e}retaw dna paoS"] {
        let url = serve(&prost_encode(&Card { title: title.into(), ..card() }), good).await;
        refused(
            &router.registry(&["add", &url, "--yes"]).await,
            4,
            "card.title: holds a line break, a tab, or",
        );
    }
    let url = serve(b"not a card", good).await;
    refused(&router.registry(&["add", &url, "--yes"]).await, 4, "is not a serialized consilium.v1.Card");
    assert_eq!(router.registry_json(&["list"]).await, serde_json::json!([]));

    let url = serve(&encoded, good).await;
    assert!(router.registry(&["add", &url, "--yes"]).await.status.success());
}

fn prost_encode(card: &Card) -> Vec<u8> {
    prost::Message::encode_to_vec(card)
}
