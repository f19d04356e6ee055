//! How long the router waits for a specialist, when it calls again, and when it leaves one alone.

use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::{StreamExt, stream};
use proto::wire::{AskOptions, CandidateStatus, Done, FinishReason, Outcome, answer_response::Event};
use tonic::Status;

use crate::{
    answers::planets,
    harness::{Institution, Router, SETTINGS},
    hostile::{Answers, Hostile, event, words},
};

const QUESTION: &str = "why is Mars red";

/// A specialist whose only example is the very question, so that it leads.
fn lead(steps: &str) -> Institution {
    Institution::new("lead").scripted(QUESTION, steps)
}

fn settings(dispatch: &str) -> String {
    format!("{SETTINGS}[dispatch]\n{dispatch}")
}

#[tokio::test]
async fn heartbeats_alone_keep_no_answer_open_for_ever() {
    let (lead, planets) = (lead(r#"{ say = "Well, " }, "stall""#).start().await, planets().start().await);
    // A heartbeat comes every two seconds, so the idle limit alone would wait for ever.
    let router = Router::asking(&settings("rate_ms = 3000\n"), "1.0").await;
    router.add(&lead).await;
    router.add(&planets).await;

    let answer = router.ask(QUESTION).await;
    let lead = answer.candidate("lead");
    assert_eq!((lead.status(), answer.reason()), (CandidateStatus::Timeout, FinishReason::Answered));
    assert_eq!(lead.failure, "it sent less than 12 bytes in 3000 ms");
    assert!(answer.text().contains("*About lead broke off here"), "{}", answer.text());
}

#[tokio::test]
async fn who_cannot_be_had_is_called_again_and_no_longer_than_connecting_may_take() {
    let (lead, planets) = (lead("").start().await, planets().start().await);
    let router = Router::asking(&settings("connect_ms = 60000\n"), "1.0").await;
    router.add(&lead).await;
    router.add(&planets).await;
    lead.kill().await;

    let answer = router.ask(QUESTION).await;
    let lead = answer.candidate("lead");
    assert_eq!((lead.status(), lead.calls), (CandidateStatus::Failed, 3));
    assert_eq!(lead.failure, "it cannot be reached");
    assert!(answer.text().starts_with("Mars is red"), "{}", answer.text());
}

/// How many calls find nobody.
static ABSENT: AtomicU32 = AtomicU32::new(0);

/// Not there for some calls.
fn late() -> Answers {
    let absent = ABSENT.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |calls| calls.checked_sub(1));
    if absent.is_ok() {
        return stream::iter([Err(Status::unavailable("starting"))]).boxed();
    }
    let done = Done { outcome: Outcome::Answered.into(), ..Default::default() };
    stream::iter([Ok(words("Rust.")), Ok(event(Event::Done(done)))]).boxed()
}

#[tokio::test]
async fn who_is_there_at_the_third_call_answers() {
    let url = Hostile::new(late).serve(None).await;
    let router = Router::asking(&settings("connect_ms = 60000\n"), "1.0").await;
    router.add_at(&url).await;
    ABSENT.store(2, Ordering::SeqCst);
    let answer = router.ask(QUESTION).await;
    let late = answer.candidate("hostile");
    assert_eq!((answer.text().as_str(), late.status(), late.calls), ("Rust.", CandidateStatus::Answered, 3));
    assert_eq!(late.failure, "");
}

#[tokio::test]
async fn who_fails_again_and_again_is_left_alone_and_probed_once() {
    let institution = lead(r#"{ say = "Rust." }"#);
    let lead = institution.start().await;
    let address = lead.url.trim_start_matches("http://").to_owned();
    let planets = planets().start().await;
    let eject = "eject = { failures_max = 3, out_ms = 1000, out_ms_max = 1000 }\nretry = { calls_max = 0 }\n";
    let router = Router::asking(&settings(eject), "1.0").await;
    router.add(&lead).await;
    router.add(&planets).await;
    lead.kill().await;

    for _ in 0..3 {
        assert_eq!(router.ask(QUESTION).await.status_of("lead"), CandidateStatus::Failed);
    }
    let answer = router.ask(QUESTION).await;
    assert_eq!((answer.status_of("lead"), answer.candidate("lead").calls), (CandidateStatus::CircuitOpen, 0));
    assert!(answer.text().starts_with("Mars is red"), "{}", answer.text());
    let metrics =
        reqwest::get(format!("{}/metrics", router.process.url)).await.unwrap().text().await.unwrap();
    for line in ["specialist_ejected{specialist=\"lead\"} 1", "specialist_ejected{specialist=\"planets\"} 0"]
    {
        assert!(metrics.contains(line), "{line} is missing in {metrics}");
    }
    // It is the last of its domain for whoever wants nobody else.
    let only = AskOptions { only: vec!["lead".into()], ..Default::default() };
    let failure = router.failure(QUESTION, only).await.unwrap();
    assert!(failure.message().ends_with("lead (it cannot be reached)"), "{}", failure.message());

    let _lead = institution.start_on(&address).await;
    // It is asked again once its time is over, and stays.
    let back = async { while router.ask(QUESTION).await.status_of("lead") != CandidateStatus::Answered {} };
    tokio::time::timeout(crate::harness::PATIENCE, back).await.expect("it is asked again");
    assert_eq!(router.ask(QUESTION).await.status_of("lead"), CandidateStatus::Answered);
}
