//! How a newcomer answers: ten of its card's own example questions, one after another, so that nobody's
//! question leaves.

use std::time::Duration;

use proto::wire::Outcome;
use registry::exam::{Answers, Latency};
use tokio::time::Instant;
use tonic::transport::Channel;

use crate::fleet::conformance::{Heard, hear};

/// How many answers are asked for.
const ANSWERS: usize = 10;

/// Asks for ten answers to `questions`, again where there are fewer, within `limit`; `None` where there
/// are none. Who does not come to an end is not asked again.
pub(super) async fn ask(channel: Channel, questions: &[String], limit: Duration) -> Option<Answers> {
    if questions.is_empty() {
        return None;
    }
    let deadline = Instant::now() + limit;
    let mut answers = Answers::default();
    let (mut first_words, mut ends) = (Vec::new(), Vec::new());
    for (number, (which, question)) in questions.iter().enumerate().cycle().take(ANSWERS).enumerate() {
        let name = format!("answer {}", number + 1);
        let Heard { outcome, citations, fault, first_words: began, done, drags } =
            hear(channel.clone(), &name, question, deadline).await;
        answers.asked += 1;
        answers.cited += usize::from(citations > 0);
        first_words.extend(began);
        ends.extend(done);
        if let Some(fault) = fault {
            answers.broken += 1;
            answers.first_fault.get_or_insert(fault);
        } else if outcome == Some(Outcome::Answered) {
            answers.answered += 1;
        } else if outcome == Some(Outcome::NoAnswer) {
            answers.no_answer += 1;
            if !answers.unanswered.contains(&which) {
                answers.unanswered.push(which);
            }
        }
        if drags {
            break;
        }
    }
    answers.first_words = Latency::of(first_words);
    answers.end = Latency::of(ends);
    Some(answers)
}
