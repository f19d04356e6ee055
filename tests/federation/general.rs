//! A general specialist answers what nobody covers, and says nothing else.

use proto::wire::{AskOptions, CandidateStatus, FinishReason, Verdict};

use crate::{
    answers::{every_word_has_an_owner, planets},
    harness::{Institution, Router, SETTINGS},
};

/// Near to every question about Mars too, so that it would win some.
fn general() -> Institution {
    Institution::new("general").scripted("why is Mars red", r#"{ say = "Bread is baked." }"#)
}

fn settings() -> String {
    format!("{SETTINGS}[route]\ngeneral = \"general\"\n")
}

#[tokio::test]
async fn what_nobody_covers_goes_to_the_general_specialist_and_the_answer_says_so() {
    let (general, planets) = (general().start().await, planets().start().await);
    let router = Router::with(&settings()).await;
    router.add(&general).await;
    router.add(&planets).await;

    let answer = router.ask("how is bread baked").await;
    every_word_has_an_owner(&answer);
    let decision = answer.decision.as_ref().unwrap();
    assert_eq!((decision.verdict(), decision.general), (Verdict::Ask, true));
    assert_eq!(decision.seen_by, ["general"]);
    let text = answer.text();
    assert!(
        text.starts_with("No specialist here covers this question, so the general one is asked."),
        "{text}"
    );
    assert!(text.contains("**Institute of general**"), "{text}");
    assert_eq!(
        (answer.words_of("general").as_str(), answer.reason()),
        ("Bread is baked.", FinishReason::Answered)
    );

    let answer = router.ask("why is Mars red").await;
    assert!(!answer.decision.as_ref().unwrap().general);
    assert!(answer.text().starts_with("Mars is red"), "{}", answer.text());
    assert_eq!((answer.words_of("general").as_str(), answer.candidate("general").calls), ("", 0));

    let without = AskOptions { exclude: vec!["general".into()], ..Default::default() };
    let answer = router.ask_with("how is bread baked", without).await;
    assert_eq!(
        (answer.status_of("general"), answer.reason()),
        (CandidateStatus::Excluded, FinishReason::Abstained)
    );
}

#[tokio::test]
async fn a_general_specialist_that_is_not_there_is_missed_by_nobody() {
    let planets = planets().start().await;
    let router = Router::with(&settings()).await;
    router.add(&planets).await;
    assert_eq!(router.ask("how is bread baked").await.reason(), FinishReason::Abstained);
    assert_eq!(router.ask("why is Mars red").await.reason(), FinishReason::Answered);
}
