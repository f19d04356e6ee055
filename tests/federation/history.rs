//! What was said before a question reaches a specialist as far as its card allows, and no further.

use futures_util::{StreamExt as _, stream, stream::BoxStream};
use prost::Message as _;
use proto::wire::{
    AnswerRequest, AnswerResponse, AskOptions, Card, DescribeRequest, DescribeResponse, Done, Outcome,
    ProbeRequest, ProbeResponse, PrototypesRequest, PrototypesResponse, ProveRequest, ProveResponse, Turn,
    Words,
    answer_response::Event,
    specialist_service_server::{SpecialistService, SpecialistServiceServer},
};
use tokio::net::TcpListener;
use tonic::{Request, Response, Status};

use crate::{
    harness::Router,
    turns::{assistant, user},
};

/// A specialist in this process whose answers are all that it is shown, a line for each turn.
#[derive(Clone)]
struct Echo {
    id: &'static str,
    history_turns_max: u32,
}

impl Echo {
    /// Serves on a free port; its address.
    async fn serve(self) -> String {
        let (reporter, health) = tonic_health::server::health_reporter();
        reporter.set_serving::<SpecialistServiceServer<Self>>().await;
        let routes = tonic::service::Routes::new(health).add_service(SpecialistServiceServer::new(self));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
        tokio::spawn(async move { axum::serve(listener, routes.into_axum_router()).await });
        format!("http://{address}")
    }
}

#[tonic::async_trait]
impl SpecialistService for Echo {
    async fn describe(&self, _: Request<DescribeRequest>) -> Result<Response<DescribeResponse>, Status> {
        let card = Card {
            specialist_id: self.id.into(),
            title: "Echoes".into(),
            institution: "Institute of echoes".into(),
            description: "Says what it hears.".into(),
            sample_texts: vec![format!("why is Mars red, {}", self.id)],
            license: "CC0-1.0".into(),
            public_endpoint: "http://127.0.0.1:1".into(),
            generator: "echo".into(),
            revision: "1".into(),
            history_turns_max: self.history_turns_max,
            ..Default::default()
        };
        Ok(Response::new(DescribeResponse { card: card.encode_to_vec(), ..Default::default() }))
    }

    async fn prototypes(
        &self,
        _: Request<PrototypesRequest>,
    ) -> Result<Response<PrototypesResponse>, Status> {
        Err(Status::unimplemented("the router embeds the card's texts"))
    }

    async fn prove(&self, _: Request<ProveRequest>) -> Result<Response<ProveResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn probe(&self, _: Request<ProbeRequest>) -> Result<Response<ProbeResponse>, Status> {
        Err(Status::unimplemented("not probed"))
    }

    type AnswerStream = BoxStream<'static, Result<AnswerResponse, Status>>;

    async fn answer(&self, request: Request<AnswerRequest>) -> Result<Response<Self::AnswerStream>, Status> {
        let turns = request.into_inner().turns;
        let lines = turns.iter().map(|turn| format!("{:?}: {}\n", turn.role(), turn.text));
        let words = Event::Words(Words { text: lines.collect(), citation: None });
        let done = Event::Done(Done { outcome: Outcome::Answered.into(), ..Default::default() });
        let events = [words, done].map(|event| Ok(AnswerResponse { event: Some(event) }));
        Ok(Response::new(stream::iter(events).boxed()))
    }
}

/// What `id` alone is shown of a conversation, and of how many earlier turns the decision tells.
async fn shown(router: &Router, id: &str, turns: &[Turn]) -> (String, Vec<u32>) {
    let options = AskOptions { only: vec![id.into()], ..Default::default() };
    let answer = router.ask_turns(turns.to_vec(), options).await;
    let decision = answer.decision.as_ref().unwrap();
    assert_eq!(decision.seen_by, [id]);
    (answer.words_of(id), decision.earlier_turns.clone())
}

#[tokio::test]
async fn a_follow_up_comes_with_as_many_turns_as_the_card_allows() {
    let router = Router::start().await;
    for (id, history_turns_max) in [("deaf", 0), ("keen", 2)] {
        router.add_at(&Echo { id, history_turns_max }.serve().await).await;
    }
    let before = [
        user("why is Mars red"),
        assistant("Iron dust."),
        user("who found out why Mars is red"),
        assistant("A probe."),
        user("and is the sky of Mars red"),
        assistant("It is not."),
    ];
    let follows = [&before[..], &[user("is that so?")]].concat();
    let alone = ("User: is that so?\n".to_owned(), vec![0]);
    assert_eq!(shown(&router, "deaf", &follows).await, alone);
    let with = "User: who found out why Mars is red\nUser: and is the sky of Mars red\nUser: is that so?\n";
    assert_eq!(shown(&router, "keen", &follows).await, (with.to_owned(), vec![2]));

    let leaves = [&before[..], &[user("how does gouda cheese ripen")]].concat();
    let alone = ("User: how does gouda cheese ripen\n".to_owned(), vec![0]);
    assert_eq!(shown(&router, "keen", &leaves).await, alone);

    let first = [user("is that so?")];
    assert_eq!(shown(&router, "keen", &first).await, ("User: is that so?\n".to_owned(), vec![0]));
    let short = [user("why is Mars red"), assistant("Iron dust."), user("is that so?")];
    let with = "User: why is Mars red\nUser: is that so?\n".to_owned();
    assert_eq!(shown(&router, "keen", &short).await, (with, vec![1]));
}
