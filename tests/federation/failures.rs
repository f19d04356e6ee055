//! What fails costs time, never the answer, as long as another can serve.

use std::time::Instant;

use proto::wire::{AskOptions, CandidateStatus, FinishReason, ask_response::Event};

use crate::{
    answers::{every_word_has_an_owner, planets},
    harness::{Answer, Events, Institution, PATIENCE, Router, SETTINGS},
};

const QUESTION: &str = "why is Mars red";

/// A specialist whose only example is the very question, so that it leads.
fn lead(steps: &str) -> Institution {
    Institution::new("lead").scripted(QUESTION, steps)
}

/// Reads on until `id` says something, and prints how long that took: a figure, not a bar.
async fn until_words_of(id: &str, events: &mut Events, answer: &mut Answer, after: &str) {
    let since = Instant::now();
    while answer.words_of(id).is_empty() {
        answer.take(events.next().await.expect("more of the answer"));
    }
    println!("from {after} to the first words of {id}: {:?}", since.elapsed());
}

#[tokio::test]
async fn a_lead_that_is_killed_in_mid_stream_leaves_its_words_and_the_next_answers() {
    let lead = lead(r#"{ say = "Well, " }, "stall""#).start().await;
    let planets = planets().start().await;
    let router = Router::thrifty().await;
    router.add(&lead).await;
    router.add(&planets).await;

    let mut events = router.events(QUESTION, AskOptions::default()).await.unwrap();
    let mut answer = Answer::default();
    until_words_of("lead", &mut events, &mut answer, "the decision").await;
    assert_eq!(answer.text(), "Well, ");
    lead.kill().await;
    until_words_of("planets", &mut events, &mut answer, "the crash").await;
    while let Some(event) = events.next().await {
        answer.take(event);
    }

    every_word_has_an_owner(&answer);
    assert_eq!(answer.words_of("lead"), "Well, ");
    assert!(answer.text().contains("*About lead broke off here"), "{}", answer.text());
    assert!(answer.words_of("planets").starts_with("Mars is red"), "{}", answer.text());
    assert_eq!(
        (answer.status_of("lead"), answer.reason()),
        (CandidateStatus::Failed, FinishReason::Answered)
    );
}

#[tokio::test]
async fn a_lead_that_hangs_is_given_up_and_the_next_answers() {
    let (lead, planets) = (lead(r#""hang""#).start().await, planets().start().await);
    let router = Router::thrifty().await;
    router.add(&lead).await;
    router.add(&planets).await;

    let mut events = router.events(QUESTION, AskOptions::default()).await.unwrap();
    let mut answer = Answer::default();
    until_words_of("planets", &mut events, &mut answer, "a silent stall").await;
    while let Some(event) = events.next().await {
        answer.take(event);
    }
    assert!(answer.text().starts_with("Mars is red"), "{}", answer.text());
    assert_eq!(
        (answer.status_of("lead"), answer.reason()),
        (CandidateStatus::Timeout, FinishReason::Answered)
    );
}

#[tokio::test]
async fn a_reserve_is_asked_when_the_only_choice_is_dead() {
    let (lead, planets) = (lead(r#"{ say = "Never heard." }"#).start().await, planets().start().await);
    let router = Router::thrifty().await;
    router.add(&lead).await;
    router.add(&planets).await;
    lead.kill().await;

    let answer = router.ask(QUESTION).await;
    assert!(answer.text().starts_with("Mars is red"), "{}", answer.text());
    assert_eq!(
        (answer.status_of("lead"), answer.status_of("planets")),
        (CandidateStatus::Failed, CandidateStatus::Answered)
    );
}

#[tokio::test]
async fn when_everybody_fails_the_asker_is_told_who() {
    let lead = lead(r#""fail""#).start().await;
    let router = Router::start().await;
    router.add(&lead).await;

    let mut client = router.client().await;
    let turn = proto::wire::Turn { role: proto::wire::Role::User.into(), text: QUESTION.into() };
    let request = proto::wire::AskRequest { turns: vec![turn], ..Default::default() };
    let mut stream = client.ask(request).await.unwrap().into_inner();
    assert!(matches!(stream.message().await.unwrap().unwrap().event, Some(Event::Decision(_))));
    let status = stream.message().await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unavailable);
    assert_eq!(
        status.message(),
        "none of the specialists that were asked could answer: lead (it failed with Internal)"
    );
}

#[tokio::test]
async fn who_says_that_its_corpus_has_no_answer_is_believed() {
    let lead = lead("").start().await;
    let router = Router::start().await;
    router.add(&lead).await;

    let answer = router.ask(QUESTION).await;
    assert_eq!(
        (answer.status_of("lead"), answer.reason()),
        (CandidateStatus::NoAnswer, FinishReason::NoAnswer)
    );
    assert!(answer.text().starts_with("Nothing in their texts answers this question"), "{}", answer.text());
}

#[tokio::test]
async fn a_router_without_room_refuses_at_once_and_says_when_to_come_back() {
    let lead = lead(r#"{ say = "Well, " }, "stall""#).start().await;
    let settings = format!("{SETTINGS}[limits]\nin_flight_max = 1\n");
    let router = Router::with(&settings).await;
    router.add(&lead).await;
    let mut first = router.events(QUESTION, AskOptions::default()).await.unwrap();
    assert!(matches!(first.next().await, Some(Event::Decision(_))));

    let Err(refused) = router.events(QUESTION, AskOptions::default()).await else { panic!("there was room") };
    assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
    let body = r#"{"model":"consilium/auto","messages":[{"role":"user","content":"why"}]}"#;
    let url = format!("{}/v1/chat/completions", router.process.url);
    let refused = reqwest::Client::new().post(url).body(body).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (429, "1"));

    // A reader who leaves gives the room back, though the specialist would have gone on for ever.
    drop(first);
    let room = async { while router.events(QUESTION, AskOptions::default()).await.is_err() {} };
    tokio::time::timeout(PATIENCE, room).await.expect("room for another question");
}
