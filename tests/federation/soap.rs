//! An institution whose words are nobody else's, so that a disk can be searched for them.

use crate::harness::{Institution, Process};

pub(crate) const QUESTION: &str = "why do soap bubbles shimmer";

/// What nobody else says.
pub(crate) const ANSWER: &str = "Umbrellas of thin soap bend plum light.";

pub(crate) async fn soap(steps: &str) -> Process {
    Institution::new("soap").signs().scripted(QUESTION, steps).start().await
}

/// It answers from a passage.
pub(crate) async fn talking() -> Process {
    soap(&format!(r#"{{ passage = "{ANSWER} It is blown." }}, {{ say = "{ANSWER}" }}"#)).await
}

/// It says something and comes to no end.
pub(crate) async fn stalling() -> Process {
    soap(&format!(r#"{{ say = "{ANSWER} " }}, {{ say = "And so" }}, "stall""#)).await
}
