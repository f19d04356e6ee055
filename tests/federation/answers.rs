//! A question goes in, the right specialist answers.

use proto::wire::{AskOptions, CandidateStatus, FinishReason, Verdict};

use crate::harness::{Answer, Institution, Router, run};

pub(crate) fn planets() -> Institution {
    Institution::new("planets").knows(&[
        ("Mars, colour", "Mars is red because iron dust on its ground rusted. Its sky is pale."),
        ("Mars, moons", "Mars has two small moons, Phobos and Deimos. Both are potato-shaped."),
        ("Saturn, rings", "The rings of Saturn are made of ice. They are very thin."),
        ("Jupiter, storm", "A red storm on Jupiter is wider than the Earth."),
        ("Venus, heat", "Venus is hot because its thick air traps heat."),
        ("Mercury, size", "Mercury is the smallest planet of all."),
    ])
}

pub(crate) fn cheese() -> Institution {
    Institution::new("cheese").knows(&[
        ("Gouda, ripening", "Gouda cheese ripens for months on wooden shelves. It turns sharp with age."),
        ("Brie, rind", "The white rind of brie cheese is a mould that may be eaten."),
        ("Feta, milk", "Feta cheese is made of the milk of sheep and goats."),
        ("Cheddar, cheddaring", "Blocks of cheddar curd are stacked and turned."),
        ("Cheese, whey", "Whey runs off when curd for cheese is cut."),
        ("Cheese, rennet", "Rennet makes milk curdle into cheese."),
    ])
}

/// Every byte of the answer stands in one span, and what is cited stands in its source.
#[track_caller]
pub(crate) fn every_word_has_an_owner(answer: &Answer) {
    let mut end = 0;
    for span in &answer.spans {
        assert_eq!(span.start_bytes as usize, end);
        end += span.text.len();
        if let Some(citation) = &span.citation {
            let source =
                answer.sources.iter().find(|source| source.number == citation.source_number).unwrap();
            assert_eq!(source.specialist_id, span.specialist_id);
            let passage = &source.passage.as_ref().unwrap().text;
            let range = citation.start_bytes as usize..citation.end_bytes as usize;
            assert_eq!(passage.get(range), Some(span.text.as_str()));
        }
    }
}

#[tokio::test]
async fn the_specialist_whose_domain_it_is_answers_with_its_source() {
    let (planets, cheese) = (planets().start().await, cheese().start().await);
    let router = Router::start().await;
    router.add(&planets).await;
    router.add(&cheese).await;

    let answer = router.ask("why is Mars red").await;
    every_word_has_an_owner(&answer);
    assert_eq!(
        answer.words_of("planets"),
        "Mars is red because iron dust on its ground rusted. Its sky is pale."
    );
    assert_eq!(answer.sources[0].passage.as_ref().unwrap().url, "https://example.org/planets/0");
    assert!(answer.text().ends_with(" [1]"), "{}", answer.text());
    assert_eq!(
        (answer.reason(), answer.status_of("planets")),
        (FinishReason::Answered, CandidateStatus::Answered)
    );
    let notices: Vec<_> =
        answer.finish.iter().flat_map(|finish| &finish.notices).map(|n| n.text.as_str()).collect();
    assert_eq!(notices, ["Checked by nobody: planets."]);

    let answer = router.ask("how does gouda cheese ripen").await;
    assert!(answer.words_of("cheese").starts_with("Gouda cheese ripens for months"), "{}", answer.text());
}

#[tokio::test]
async fn two_specialists_are_merged_and_each_word_keeps_its_owner() {
    let planets = planets().start().await;
    let moons = Institution::new("moons").knows(&[
        ("Mars, moons", "Mars has moons that a large telescope found in 1877."),
        ("Deimos", "Deimos is the outer moon of Mars."),
        ("Titan", "Titan is a moon of Saturn with thick air."),
        ("Europa", "Europa is a moon of Jupiter under ice."),
        ("Io", "Io is a moon of Jupiter full of volcanoes."),
    ]);
    let moons = moons.start().await;
    let router = Router::generous().await;
    router.add(&planets).await;
    router.add(&moons).await;

    let answer = router.ask("which moons has Mars").await;
    every_word_has_an_owner(&answer);
    assert!(answer.words_of("planets").contains("Mars"), "{}", answer.text());
    assert!(answer.words_of("moons").contains("Mars"), "{}", answer.text());
    assert_eq!(answer.status_of("planets"), CandidateStatus::Answered);
    assert_eq!(answer.status_of("moons"), CandidateStatus::Answered);
    // The router's own words are headings and marks, and nothing else.
    let headings = ["\n\n**Institute of moons**\n\n", "\n\n**Institute of planets**\n\n"];
    let own = answer.words_of("");
    assert!(headings.iter().any(|heading| own == format!(" [1]{heading} [2]")), "{own:?}");
}

#[tokio::test]
async fn nobody_is_asked_what_nobody_covers() {
    let planets = planets().start().await;
    let router = Router::start().await;
    let nobody = router.ask("how do I file my taxes").await;
    assert!(nobody.text().starts_with("No specialist is registered"), "{}", nobody.text());

    router.add(&planets).await;
    let answer = router.ask("quarterly payroll withholding forms").await;
    assert_eq!(answer.decision.as_ref().unwrap().verdict(), Verdict::Abstain);
    assert_eq!(answer.reason(), FinishReason::Abstained);
    assert_eq!(answer.status_of("planets"), CandidateStatus::BelowThreshold);
    let expected =
        "No specialist here covers this question. Considered: About planets (Institute of planets).";
    assert_eq!(answer.text(), expected);
}

#[tokio::test]
async fn the_asker_chooses_among_the_specialists() {
    let (planets, cheese) = (planets().start().await, cheese().start().await);
    let router = Router::start().await;
    router.add(&planets).await;
    router.add(&cheese).await;

    let without = AskOptions { exclude: vec!["planets".into()], ..Default::default() };
    let answer = router.ask_with("why is Mars red", without).await;
    assert_eq!(answer.status_of("planets"), CandidateStatus::Excluded);
    assert_eq!(answer.reason(), FinishReason::Abstained);

    let pinned = AskOptions { only: vec!["cheese".into()], ..Default::default() };
    let answer = router.ask_with("why is Mars red", pinned).await;
    assert_ne!(answer.reason(), FinishReason::Abstained, "{}", answer.text());
    assert_eq!(answer.status_of("planets"), CandidateStatus::Excluded);
}

#[tokio::test]
async fn a_terminal_shows_who_was_considered_the_answer_and_its_sources() {
    let planets = planets().start().await;
    let router = Router::start().await;
    router.add(&planets).await;
    let url = router.process.url.as_str();

    let asked = run("router", ["ask", "why is Mars red", "--router", url]).await;
    assert!(asked.status.success());
    let text = String::from_utf8(asked.stdout).unwrap();
    for expected in [
        "About planets (Institute of planets)",
        "iron dust",
        "[1] Mars, colour",
        "https://example.org/planets/0",
    ] {
        assert!(text.contains(expected), "{expected:?} is missing in {text}");
    }

    let asked = run("router", ["ask", "why is Mars red", "--router", url, "-o", "json"]).await;
    let json: serde_json::Value = serde_json::from_slice(&asked.stdout).unwrap();
    assert_eq!(json["reason"], "answered");
    assert_eq!(json["sources"][0]["specialist"], "planets");

    let routed = run("router", ["route", "why is Mars red", "--router", url, "-o", "json"]).await;
    let json: serde_json::Value = serde_json::from_slice(&routed.stdout).unwrap();
    assert_eq!((&json["verdict"], &json["candidates"][0]["status"]), (&"ask".into(), &"asked".into()));
}
