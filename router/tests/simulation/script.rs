//! What a specialist does with a question, well or badly.

use std::time::Duration;

use futures_util::{Stream, stream::BoxStream};
use proto::wire::{
    self, AnswerRequest, AnswerResponse, answer_response::Event, specialist_service_server::SpecialistService,
};
use tokio::time::sleep;
use tonic::{Code, Request, Response, Status};

use crate::record::{Record, turns};

/// The longest that a specialist which keeps to the contract is without an event.
pub(crate) const EVENT_EVERY: Duration = Duration::from_secs(2);

/// One specialist's way with one question.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    /// So many calls fail with `UNAVAILABLE` before anything else happens.
    pub(crate) refusals: usize,
    /// What it sends, each so long after the one before.
    pub(crate) lines: Vec<(Duration, Line)>,
    /// How it ends, and how long after the last line.
    pub(crate) end: (Duration, End),
}

/// One event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    Heartbeat,
    Passage,
    Words,
    /// Words that cite the latest passage.
    Cited,
}

/// What comes after the last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Answered,
    NoAnswer,
    /// The stream ends without `done`.
    Unfinished,
    /// Nothing ever comes.
    Silence,
    /// Heartbeats come, and nothing else.
    Heartbeats,
    Fails(Code),
    Breaks(Breach),
}

/// A way to break the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Breach {
    NoEvent,
    CitesNothing,
    SamePassageTwice,
    WordsTooLong,
    EventTooLong,
    NoAnswerAfterWords,
}

impl Script {
    /// How it ends where nothing goes wrong on the way, one refusal aside; `None` where it does not answer.
    pub(crate) fn answers(&self) -> Option<proto::Outcome> {
        if self.refusals > 1 {
            return None;
        }
        match self.end.1 {
            End::Answered if self.words() > 0 => Some(proto::Outcome::Answered),
            End::NoAnswer if self.words() == 0 => Some(proto::Outcome::NoAnswer),
            _ => None,
        }
    }

    /// Whether it answers with its first words soon.
    pub(crate) fn is_prompt(&self) -> bool {
        let first = self.lines.iter().position(|(_, line)| line.is_words());
        let took: Duration =
            self.lines.iter().take(first.map_or(0, |at| at + 1)).map(|(after, _)| *after).sum();
        self.answers() == Some(proto::Outcome::Answered)
            && self.refusals == 0
            && took <= Duration::from_millis(300)
    }

    /// How many times it says something.
    pub(crate) fn words(&self) -> usize {
        self.lines.iter().filter(|(_, line)| line.is_words()).count()
    }

    /// From its call to the last line.
    pub(crate) fn lasts(&self) -> Duration {
        self.lines.iter().map(|(after, _)| *after).sum()
    }
}

impl Line {
    pub(crate) fn is_words(self) -> bool {
        matches!(self, Self::Words | Self::Cited)
    }
}

/// The words with which specialist `who` goes on for the `nth` time: one sentence that it says once, and with
/// which the others' `nth` one agrees. Long enough for any minimum rate, with characters of more than a byte.
pub(crate) fn words(who: &str, question: usize, nth: usize) -> String {
    format!(
        "To question {question}, {who} says for the {nth}th time – and says it in so many words – just this. "
    )
}

/// The `nth` passage that `who` sends.
pub(crate) fn passage(who: &str, question: usize, nth: usize) -> wire::Passage {
    wire::Passage {
        passage_id: format!("p{nth}"),
        title: format!("{who} on {question}"),
        text: format!("{who} has {nth} things to say about question {question}."),
        ..Default::default()
    }
}

/// A specialist that keeps to its scripts.
#[derive(Debug, Clone)]
pub(crate) struct Scripted {
    pub(crate) id: String,
    /// One for each question.
    pub(crate) scripts: Vec<Script>,
    /// How many earlier turns are to come with each question.
    pub(crate) shown: Vec<usize>,
    pub(crate) record: Record,
}

#[tonic::async_trait]
impl SpecialistService for Scripted {
    async fn describe(
        &self,
        _: Request<wire::DescribeRequest>,
    ) -> Result<Response<wire::DescribeResponse>, Status> {
        Err(Status::unimplemented("not in the script"))
    }

    async fn prototypes(
        &self,
        _: Request<wire::PrototypesRequest>,
    ) -> Result<Response<wire::PrototypesResponse>, Status> {
        Err(Status::unimplemented("not in the script"))
    }

    async fn prove(&self, _: Request<wire::ProveRequest>) -> Result<Response<wire::ProveResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn probe(&self, _: Request<wire::ProbeRequest>) -> Result<Response<wire::ProbeResponse>, Status> {
        Err(Status::unimplemented("not probed"))
    }

    type AnswerStream = BoxStream<'static, Result<AnswerResponse, Status>>;

    async fn answer(&self, request: Request<AnswerRequest>) -> Result<Response<Self::AnswerStream>, Status> {
        let request = request.into_inner();
        let question: usize = request.request_id.parse().unwrap();
        let earlier = self.record.arrived(&self.id, &request, &turns(question, self.shown[question]));
        let script = self.scripts[question].clone();
        if earlier < script.refusals {
            return Err(Status::unavailable("in the script"));
        }
        Ok(Response::new(Box::pin(play(self.id.clone(), question, script))))
    }
}

fn play(
    who: String,
    question: usize,
    script: Script,
) -> impl Stream<Item = Result<AnswerResponse, Status>> + Send {
    async_stream::stream! {
        let (mut said, mut sent) = (0, 0);
        for (after, line) in script.lines {
            sleep(after).await;
            let event = match line {
                Line::Heartbeat => Event::Heartbeat(wire::Heartbeat {}),
                Line::Passage => {
                    sent += 1;
                    Event::Passage(passage(&who, question, sent))
                }
                Line::Words | Line::Cited => {
                    said += 1;
                    let cited = (line == Line::Cited).then(|| passage(&who, question, sent));
                    Event::Words(wire::Words { text: words(&who, question, said), citation: cited.map(whole) })
                }
            };
            yield Ok(event.into_response());
        }
        let (after, end) = script.end;
        sleep(after).await;
        match end {
            End::Answered => yield Ok(done(wire::Outcome::Answered)),
            End::NoAnswer => yield Ok(done(wire::Outcome::NoAnswer)),
            End::Unfinished => {}
            End::Silence => std::future::pending().await,
            End::Heartbeats => loop {
                yield Ok(Event::Heartbeat(wire::Heartbeat {}).into_response());
                sleep(EVENT_EVERY).await;
            },
            End::Fails(code) => yield Err(Status::new(code, "in the script")),
            End::Breaks(breach) => for response in breach.responses(&who, question) {
                yield Ok(response);
            },
        }
    }
}

impl Breach {
    /// What it sends, the last of it against the contract. It goes on as if it had kept to it.
    fn responses(self, who: &str, question: usize) -> Vec<AnswerResponse> {
        let foul = "These words break the contract. ";
        let words = |text: String, citation| Event::Words(wire::Words { text, citation }).into_response();
        let passage = |text: String| {
            let passage = wire::Passage { text, ..passage(who, question, 99) };
            Event::Passage(passage).into_response()
        };
        let short = || passage("Short.".to_owned());
        let mut responses = match self {
            Self::NoEvent => vec![AnswerResponse { event: None }],
            Self::CitesNothing => {
                let cited = wire::Citation { passage_id: "none".to_owned(), start_bytes: 0, end_bytes: 1 };
                vec![words(foul.to_owned(), Some(cited))]
            }
            Self::SamePassageTwice => vec![short(), short()],
            Self::WordsTooLong => vec![words(foul.repeat(1_100), None)],
            Self::EventTooLong => vec![passage(foul.repeat(2_200))],
            Self::NoAnswerAfterWords => vec![done(wire::Outcome::NoAnswer)],
        };
        responses.push(done(wire::Outcome::Answered));
        responses
    }
}

trait IntoResponse {
    fn into_response(self) -> AnswerResponse;
}

impl IntoResponse for Event {
    fn into_response(self) -> AnswerResponse {
        AnswerResponse { event: Some(self) }
    }
}

fn done(outcome: wire::Outcome) -> AnswerResponse {
    Event::Done(wire::Done { outcome: outcome.into(), ..Default::default() }).into_response()
}

fn whole(passage: wire::Passage) -> wire::Citation {
    let end_bytes = u32::try_from(passage.text.len()).unwrap();
    wire::Citation { passage_id: passage.passage_id, start_bytes: 0, end_bytes }
}
