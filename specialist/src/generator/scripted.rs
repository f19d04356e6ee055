//! Answers by script, for tests of everything around a specialist.

use std::sync::Arc;

use async_stream::stream as events;
use futures_util::{Stream, StreamExt as _, stream};
use proto::{AnswerEvent, Citation, Outcome, Passage, Words, config::Step};

use super::Events;
use crate::{error::CallError, heartbeat::alive};

/// The script's events, with heartbeats until it hangs.
pub(super) fn answer(steps: Arc<[Step]>) -> Events {
    let last = |step: &Step| matches!(step, Step::Hang | Step::Stall | Step::Fail);
    let end = steps.iter().position(last);
    let hang = end.filter(|at| matches!(steps[*at], Step::Hang));
    let played = alive(play(steps));
    match hang {
        // Each step before it gives one event.
        Some(at) => played.take(at).chain(stream::pending()).boxed(),
        None => played.boxed(),
    }
}

/// Each step in order; then done, if no step keeps it from that. A `Stall` is silent, and so is a
/// `Hang`: the heartbeats are not made here.
fn play(steps: Arc<[Step]>) -> impl Stream<Item = Result<AnswerEvent, CallError>> {
    events! {
        let mut sent: Vec<Passage> = Vec::new();
        let mut outcome = Outcome::NoAnswer;
        for step in steps.iter() {
            match step {
                Step::Passage(text) => {
                    let passage = passage(sent.len() + 1, text);
                    sent.push(passage.clone());
                    yield Ok(AnswerEvent::Passage(passage));
                }
                Step::Say(text) => {
                    outcome = Outcome::Answered;
                    yield Ok(AnswerEvent::Words(Words { text: text.clone(), citation: cite(sent.last(), text) }));
                }
                Step::Stall | Step::Hang => std::future::pending().await,
                Step::Fail => {
                    yield Err(CallError::Scripted);
                    return;
                }
            }
        }
        yield Ok(AnswerEvent::Done(outcome));
    }
}

fn passage(number: usize, text: &str) -> Passage {
    Passage {
        id: format!("scripted-{number}"),
        title: format!("Scripted {number}"),
        text: text.to_owned(),
        url: String::new(),
        license: String::new(),
        section: String::new(),
        page: None,
        similarity: 1.0,
    }
}

/// All of `passage`, if these are its words: a citation of other words would be a lie.
fn cite(passage: Option<&Passage>, words: &str) -> Option<Citation> {
    let passage = passage.filter(|passage| passage.text == words)?;
    Some(Citation { passage_id: passage.id.as_str().into(), range: 0..words.len() })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    async fn plays(steps: &[Step]) -> Vec<String> {
        let events = answer(steps.into()).map(|event| match event {
            Ok(AnswerEvent::Passage(passage)) => format!("passage {}", passage.id),
            Ok(AnswerEvent::Words(words)) => match words.citation {
                Some(citation) => format!("{} [{} {:?}]", words.text, citation.passage_id, citation.range),
                None => words.text,
            },
            Ok(AnswerEvent::Heartbeat) => "heartbeat".into(),
            Ok(AnswerEvent::Done(outcome)) => format!("{outcome:?}"),
            Err(error) => error.to_string(),
        });
        events.take(8).collect().await
    }

    #[tokio::test(start_paused = true)]
    async fn steps_are_played() {
        let (passage, say) = (|text: &str| Step::Passage(text.into()), |text: &str| Step::Say(text.into()));
        let all = [passage("a"), passage("bc"), say("bc"), say("x")];
        let cited = "bc [scripted-2 0..2]";
        assert_eq!(plays(&all).await, ["passage scripted-1", "passage scripted-2", cited, "x", "Answered"]);
        assert_eq!(plays(&[]).await, ["NoAnswer"]);
        assert_eq!(plays(&[say("x"), Step::Fail, say("y")]).await, ["x", "scripted failure"]);
        let stalled = timeout(Duration::from_mins(1), plays(&[say("x"), Step::Stall])).await.unwrap();
        assert_eq!(stalled[1..], ["heartbeat"; 7]);
        let hung = timeout(Duration::from_mins(1), plays(&[say("x"), Step::Hang])).await;
        assert!(hung.is_err(), "not even a heartbeat");
    }
}
