//! The fleet changes while it serves.

use proto::{
    PublishedCard,
    wire::{CandidateStatus, FinishReason, watch_response::Kind},
};

use crate::{
    answers::{cheese, planets},
    harness::Router,
};

#[tokio::test]
async fn the_fleet_is_back_after_a_restart() {
    let (planets, cheese) = (planets().start().await, cheese().start().await);
    let router = Router::start().await;
    router.add(&planets).await;
    router.add(&cheese).await;
    let before = router.registry_json(&["show", "planets"]).await;

    let router = router.restart().await;
    let answer = router.ask("why is Mars red").await;
    assert!(answer.words_of("planets").starts_with("Mars is red"), "{}", answer.text());
    assert_eq!(router.registry_json(&["show", "planets"]).await, before);
    assert_eq!(router.registry_json(&["list"]).await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn disabling_holds_from_the_next_question_on() {
    let planets = planets().start().await;
    let router = Router::start().await;
    router.add(&planets).await;

    assert_eq!(router.registry_json(&["disable", "planets"]).await["enabled"], false);
    let answer = router.ask("why is Mars red").await;
    assert_eq!(
        (answer.status_of("planets"), answer.reason()),
        (CandidateStatus::Disabled, FinishReason::Abstained)
    );

    assert_eq!(router.registry_json(&["enable", "planets"]).await["enabled"], true);
    assert_eq!(router.ask("why is Mars red").await.reason(), FinishReason::Answered);

    assert!(router.registry(&["remove", "planets"]).await.status.success());
    assert_eq!(router.ask("why is Mars red").await.reason(), FinishReason::Abstained);
    assert_eq!(router.registry_json(&["list"]).await, serde_json::json!([]));
}

#[tokio::test]
async fn a_corpus_that_grew_is_noticed_and_routed_by() {
    let institution = planets();
    let planets = institution.start().await;
    let router = Router::start().await;
    router.add(&planets).await;
    let revision = router.registry_json(&["show", "planets"]).await["card"]["revision"].clone();
    assert_eq!(router.ask("sourdough bread with rye flour").await.reason(), FinishReason::Abstained);

    let mut changes = router.watch().await;
    let loaves: Vec<(String, String)> = (0..6)
        .map(|n| (format!("Sourdough {n}"), format!("Sourdough bread number {n} is baked with rye flour.")))
        .collect();
    let loaves: Vec<(&str, &str)> =
        loaves.iter().map(|(title, text)| (title.as_str(), text.as_str())).collect();
    institution.learns("second.jsonl", &loaves);

    let updated = changes.until(Kind::Updated).await;
    let card = PublishedCard::read(updated.card).unwrap();
    assert_eq!(card.card().passage_count, 12);
    assert_ne!(revision, card.card().revision.as_str());
    let answer = router.ask("sourdough bread with rye flour").await;
    assert!(answer.words_of("planets").starts_with("Sourdough bread"), "{}", answer.text());
}

#[tokio::test]
async fn who_serves_and_who_does_not_is_seen() {
    let institution = planets();
    let planets = institution.start().await;
    let address = format!("127.0.0.1:{}", planets.port());
    let router = Router::start().await;
    router.add(&planets).await;
    let mut changes = router.watch().await;
    assert!(changes.until(Kind::Present).await.healthy);

    planets.kill().await;
    assert!(!changes.until(Kind::Health).await.healthy);
    let list = router.registry(&["list"]).await;
    assert!(String::from_utf8_lossy(&list.stdout).contains("not serving"));

    let _back = institution.start_on(&address).await;
    assert!(changes.until(Kind::Health).await.healthy);
    assert_eq!(router.ask("why is Mars red").await.reason(), FinishReason::Answered);
}

#[tokio::test]
async fn another_one_at_the_endpoint_never_speaks_in_the_admitted_ones_name() {
    let planets = planets().start().await;
    let address = format!("127.0.0.1:{}", planets.port());
    let router = Router::start().await;
    router.add(&planets).await;
    let mut changes = router.watch().await;

    planets.kill().await;
    let _other = cheese().start_on(&address).await;
    let disabled = changes.until(Kind::Disabled).await;
    assert_eq!(PublishedCard::read(disabled.card).unwrap().card().id.as_str(), "planets");
    let answer = router.ask("why is Mars red").await;
    assert_eq!(answer.reason(), FinishReason::Abstained);
    assert!(answer.text().starts_with("Nobody is left to ask."), "{}", answer.text());
}

#[tokio::test]
async fn a_change_drops_no_question_under_way() {
    let (planets, cheese) = (planets().start().await, cheese().start().await);
    let router = Router::start().await;
    router.add(&planets).await;
    let changing = async {
        for _ in 0..5 {
            router.add(&cheese).await;
            router.registry_json(&["disable", "cheese"]).await;
            router.registry_json(&["enable", "cheese"]).await;
            assert!(router.registry(&["remove", "cheese"]).await.status.success());
        }
    };
    let asking = async {
        loop {
            let answer = router.ask("why is Mars red").await;
            assert!(answer.words_of("planets").starts_with("Mars is red"), "{}", answer.text());
        }
    };
    tokio::select! {
        () = changing => {}
        () = asking => {}
    }
}
