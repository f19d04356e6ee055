//! The router and two specialists on hosts of their own, and what each fault of the network costs:
//! skipped, with a word, where no network namespaces may be made, or `ip`, `nft` or `tc` is missing.

use proto::wire::{AskOptions, CandidateStatus, FinishReason, ask_response::Event, watch_response::Kind};

use crate::{
    answers::{every_word_has_an_owner, planets},
    harness::{Answer, Fault, Institution, Network, Process, Router},
};

const QUESTION: &str = "why is Mars red";

/// Only the lead is asked at first, and the other is its reserve. The limits of asking are those of use.
const SETTINGS: &str = "encoder = { kind = \"hashed\" }\n\
    [fleet]\nrefresh_ms = 1000\nexam_ms = 1000\n\
    [dispatch]\nallow_private = true\n";

/// Words, and then signs of life for ever.
const BEGINS: &str = r#"{ say = "Well, " }, "stall""#;

/// A router, a lead whose only example is the very question, and a specialist that knows the answer too.
struct Federation {
    router: Router,
    lead: Process,
    _next: Process,
    network: Network,
}

impl Federation {
    /// With this script for the lead; `None`, with a word, where no network may be laid.
    async fn with(steps: &str) -> Option<Self> {
        let network = Network::lay()?;
        let lead = network.start(&Institution::new("lead").scripted(QUESTION, steps), &network.lead).await;
        let next = network.start(&planets(), &network.next).await;
        let router = Router::asking(SETTINGS, "0.0").await;
        router.add(&lead).await;
        router.add(&next).await;
        Some(Self { router, lead, _next: next, network })
    }

    /// The answer, with a fault that strikes at its first words.
    async fn struck(&self, fault: Fault) -> Answer {
        let mut events = self.router.events(QUESTION, AskOptions::default()).await.unwrap();
        let mut answer = Answer::default();
        while let Some(event) = events.next().await {
            if matches!(event, Event::Span(_)) && answer.spans.is_empty() {
                self.network.strike(fault);
            }
            answer.take(event);
        }
        every_word_has_an_owner(&answer);
        answer
    }

    /// Whose words come first now.
    async fn leads(&self) -> String {
        let mut events = self.router.events(QUESTION, AskOptions::default()).await.unwrap();
        loop {
            if let Event::Span(span) = events.next().await.expect("words of somebody") {
                return span.specialist_id;
            }
        }
    }
}

/// A lead that is struck in mid-stream costs time only: its words stay and the next answers. When the
/// fault has passed, the lead speaks again.
async fn the_next_answers(fault: Fault, status: CandidateStatus) {
    let Some(federation) = Federation::with(BEGINS).await else { return };
    let answer = federation.struck(fault).await;
    assert_eq!(answer.words_of("lead"), "Well, ");
    assert!(answer.text().contains("*About lead broke off here"), "{}", answer.text());
    assert!(answer.words_of("planets").starts_with("Mars is red"), "{}", answer.text());
    assert_eq!((answer.status_of("lead"), answer.reason()), (status, FinishReason::Answered));

    federation.network.heal();
    assert_eq!(federation.leads().await, "lead");
}

#[tokio::test]
async fn a_lead_behind_a_partition_is_given_up_and_the_next_answers() {
    the_next_answers(Fault::Partition, CandidateStatus::Timeout).await;
}

#[tokio::test]
async fn a_lead_whose_link_goes_down_is_given_up_and_the_next_answers() {
    the_next_answers(Fault::LinkDown, CandidateStatus::Timeout).await;
}

#[tokio::test]
async fn a_lead_that_is_no_longer_heard_is_given_up_and_the_next_answers() {
    the_next_answers(Fault::LeadUnheard, CandidateStatus::Timeout).await;
}

/// TCP sends little before the first of it is acknowledged, and after the wait for that only the same
/// again: a heartbeat or two arrive, and then nothing.
#[tokio::test]
async fn a_lead_that_no_longer_hears_falls_silent_and_the_next_answers() {
    the_next_answers(Fault::RouterUnheard, CandidateStatus::Timeout).await;
}

#[tokio::test]
async fn a_reset_fails_the_lead_and_the_next_answers() {
    the_next_answers(Fault::Reset, CandidateStatus::Failed).await;
}

/// A script that says `count` kibibytes; and the words.
fn kibibytes(count: usize) -> (String, String) {
    let words: Vec<String> = (0..count).map(|number| format!("word {number:02} ").repeat(128)).collect();
    (words.iter().map(|words| format!("{{ say = {words:?} }},")).collect(), words.concat())
}

/// A lead whose wire is slow says all that it has to say, and nobody else is asked.
#[track_caller]
fn only_the_lead_answered(answer: &Answer, words: &str) {
    assert_eq!(answer.words_of("lead"), words);
    assert_eq!(
        (answer.status_of("lead"), answer.status_of("planets"), answer.reason()),
        (CandidateStatus::Answered, CandidateStatus::Outranked, FinishReason::Answered)
    );
}

/// What is under way takes longer than the longest silence, but there is no silence.
#[tokio::test]
async fn a_slow_wire_costs_time_only() {
    let (steps, words) = kibibytes(56);
    let Some(federation) = Federation::with(&steps).await else { return };
    federation.network.strike(Fault::Slow);
    only_the_lead_answered(&federation.router.ask(QUESTION).await, &words);
}

/// What TCP has sent is on its way, whether or not it is acknowledged. The first words come when 16 KiB,
/// an HTTP/2 frame, have arrived; by then the rest, in a second frame, is on the slow wire.
#[tokio::test]
async fn a_lead_that_no_longer_hears_loses_nothing_that_was_on_its_way() {
    let (steps, words) = kibibytes(22);
    let Some(federation) = Federation::with(&steps).await else { return };
    federation.network.strike(Fault::Slow);
    only_the_lead_answered(&federation.struck(Fault::RouterUnheard).await, &words);
}

/// The router has a connection and cannot know: the lead is given up for its silence.
#[tokio::test]
async fn a_lead_behind_a_partition_is_asked_over_the_old_connection_and_the_next_answers() {
    let Some(federation) = Federation::with(r#"{ say = "Well." }"#).await else { return };
    federation.network.strike(Fault::Partition);
    let answer = federation.router.ask(QUESTION).await;
    assert!(answer.text().starts_with("Mars is red"), "{}", answer.text());
    assert_eq!(
        (answer.status_of("lead"), answer.reason()),
        (CandidateStatus::Timeout, FinishReason::Answered)
    );

    federation.network.heal();
    assert_eq!(federation.leads().await, "lead");
}

/// The router has no connection: the lead fails when none can be made within the limit.
#[tokio::test]
async fn a_lead_behind_a_partition_cannot_be_dialled_and_the_next_answers() {
    let Some(federation) = Federation::with(r#"{ say = "Well." }"#).await else { return };
    let mut changes = federation.router.watch().await;
    federation.network.strike(Fault::Reset);
    let lost = changes.until(Kind::Health).await;
    assert_eq!((lost.endpoint, lost.healthy), (federation.lead.url.clone(), false));
    federation.network.strike(Fault::Partition);

    let answer = federation.router.ask(QUESTION).await;
    assert!(answer.text().starts_with("Mars is red"), "{}", answer.text());
    assert_eq!(
        (answer.status_of("lead"), answer.reason()),
        (CandidateStatus::Failed, FinishReason::Answered)
    );

    federation.network.heal();
    // A connection that is being made at this moment may fail yet.
    assert!(changes.until(Kind::Health).await.healthy);
    assert_eq!(federation.leads().await, "lead");
}
