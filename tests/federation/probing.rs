//! Probes: whose index is shown a question's vector before anybody is asked, and what comes of it.

use std::{fs, process::Command};

use proto::wire::{AskOptions, Candidate, Decision, Role, RouteRequest, Turn};
use serde_json::json;

use crate::harness::{Institution, Process, Router, SETTINGS, run};

const QUESTION: &str = "why is Mars red";

/// An institution with five passages about Mars, one of which answers.
fn astronomers(id: &str) -> Institution {
    let passages = [
        ("Mars", "Why Mars is red: its dust holds rust."),
        ("Phobos", "Mars has a moon that falls."),
        ("Deimos", "Mars has a second moon."),
        ("Olympus", "Mars has a high volcano."),
        ("Valles", "Mars has a deep valley."),
    ];
    Institution::new(id).knows(&passages)
}

async fn route(router: &Router, turns: &[&str], options: AskOptions) -> Decision {
    let turns = turns.iter().map(|text| Turn { role: Role::User.into(), text: (*text).to_owned() });
    let request = RouteRequest { turns: turns.collect(), options: Some(options), derivation: false };
    router.client().await.route(request).await.unwrap().into_inner().decision.unwrap()
}

fn of<'a>(decision: &'a Decision, id: &str) -> &'a Candidate {
    decision.candidates.iter().find(|candidate| candidate.specialist_id == id).unwrap()
}

/// Two astronomers, of which the second has these further settings, and a router with its own.
async fn two(further: &str, settings: &str) -> (Process, Process, Router) {
    let first = astronomers("first").start().await;
    let second = astronomers("second").set(further).start().await;
    let router = Router::with(&format!("{SETTINGS}{settings}")).await;
    router.add(&first).await;
    router.add(&second).await;
    (first, second, router)
}

#[tokio::test]
async fn those_in_doubt_show_what_their_indexes_hold() {
    let (_first, _second, router) = two("probing = \"vector\"\n", "[route]\nprobe_ms = 60000\n").await;
    let decision = route(&router, &[QUESTION], AskOptions::default()).await;
    let evidence = |id| of(&decision, id).probe.unwrap().evidence.unwrap();
    let (with_terms, without) = (evidence("first"), evidence("second"));
    assert!(with_terms.nearness > 0.3, "{with_terms:?}");
    assert!((with_terms.nearness - without.nearness).abs() < 1e-6);
    // All terms of the question stand in one passage, and one of two in its title.
    let wording = with_terms.wording.unwrap();
    assert!((wording.covered - 1.0).abs() < 1e-6 && wording.titled > 0.03, "{wording:?}");
    assert_eq!(without.wording, None, "its card takes no terms");
    assert!(decision.timings.unwrap().probe_us > 0);
    let metrics =
        reqwest::get(format!("{}/metrics", router.process.url)).await.unwrap().text().await.unwrap();
    assert!(
        metrics.contains("consilium_probes_total{specialist=\"first\",outcome=\"showed\"} 1"),
        "{metrics}"
    );
}

#[tokio::test]
async fn nobody_is_probed_who_does_not_want_it_or_did_not_get_consent() {
    let (_first, _second, router) = two("probing = \"off\"\n", "[route]\nprobe_ms = 60000\n").await;
    let decision = route(&router, &[QUESTION], AskOptions::default()).await;
    assert_eq!((of(&decision, "second").probe, of(&decision, "first").probe.is_some()), (None, true));

    let (_first, _second, router) = two("asks_consent = true\n", "[route]\nprobe_ms = 60000\n").await;
    let decision = route(&router, &[QUESTION], AskOptions::default()).await;
    assert_eq!(of(&decision, "second").probe, None);
    let consent = AskOptions { consent: vec!["second".into()], ..Default::default() };
    assert!(of(&route(&router, &[QUESTION], consent).await, "second").probe.is_some());
}

#[tokio::test]
async fn a_deployment_may_probe_nobody() {
    let (_first, _second, router) = two("", "[route]\nprobes_max = 0\n").await;
    let decision = route(&router, &[QUESTION], AskOptions::default()).await;
    assert!(decision.candidates.iter().all(|candidate| candidate.probe.is_none()));
    assert_eq!(decision.seen_by.len(), 2);
}

#[tokio::test]
async fn what_was_said_before_a_follow_up_is_shown_to_nobody() {
    let (_first, _second, router) = two("", "[route]\nprobe_ms = 60000\n").await;
    let decision = route(&router, &[QUESTION, "and Mars has what moon"], AskOptions::default()).await;
    assert!(decision.history.unwrap().used, "{:?}", decision.history);
    assert!(decision.candidates.iter().all(|candidate| candidate.probe.is_none()));
}

#[tokio::test]
async fn who_does_not_answer_a_probe_is_judged_by_its_prototypes() {
    let (_first, second, router) = two("", "").await;
    let signal = |name: &str| {
        Command::new("kill").args([name, &second.id().to_string()]).status().unwrap();
    };
    signal("-STOP");
    let decision = route(&router, &[QUESTION], AskOptions::default()).await;
    signal("-CONT");
    let second = of(&decision, "second");
    assert_eq!(second.probe.unwrap().evidence, None);
    assert!(second.confidence > 0.5 && second.probability > 0.0, "{second:?}");
}

#[tokio::test]
async fn numbers_are_fitted_to_the_fleet_and_named_in_every_decision() {
    let (mars, bees) = (
        astronomers("mars").start().await,
        Institution::new("bees")
            .knows(&[
                ("Bees", "Bees keep warm in winter."),
                ("Queen", "Bees feed a queen."),
                ("Honey", "Bees make honey of nectar."),
                ("Swarm", "Bees swarm in May."),
                ("Wax", "Bees build combs of wax."),
            ])
            .start()
            .await,
    );
    let router = Router::start().await;
    router.add(&mars).await;
    router.add(&bees).await;
    assert_eq!(route(&router, &[QUESTION], AskOptions::default()).await.calibration, None);

    let folder = tempfile::tempdir().unwrap();
    let lines = |lines: &[(&str, &str)]| -> String {
        lines
            .iter()
            .map(|(query, domain)| format!("{}\n", json!({ "query": query, "domain": domain })))
            .collect()
    };
    let known = [
        (QUESTION, "mars"),
        ("which moon of Mars falls", "mars"),
        ("how high is the volcano on Mars", "mars"),
        ("how do bees keep warm", "bees"),
        ("what do bees make of nectar", "bees"),
        ("when do bees swarm", "bees"),
        ("whose is this", "somebody-else"),
    ];
    let outside = [("tie a bowline knot", "none"), ("bake rye bread", "none"), ("tune a guitar", "none")];
    let (queries, none) = (folder.path().join("queries"), folder.path().join("none.jsonl"));
    fs::create_dir(&queries).unwrap();
    fs::write(queries.join("all.jsonl"), lines(&known)).unwrap();
    fs::write(&none, lines(&outside)).unwrap();
    let config = router.data().join("router.toml");
    let paths = [&config, router.data(), &queries, &none].map(|path| path.to_str().unwrap().to_owned());
    let [config, data, queries, none] = &paths;
    let given = ["--config", config, "--data", data, "--queries", queries, "--out-of-domain", none];
    let fitted = run("router", ["calibrate", "--prior", "0.2"].into_iter().chain(given)).await;
    assert!(fitted.status.success(), "{}", String::from_utf8_lossy(&fitted.stderr));
    let said = String::from_utf8_lossy(&fitted.stdout).into_owned();
    assert!(said.contains("fitted on 6 questions of somebody's and 3 of nobody's"), "{said}");

    let router = router.restart().await;
    let decision = route(&router, &[QUESTION], AskOptions::default()).await;
    let calibration = decision.calibration.clone().unwrap();
    assert_eq!((calibration.questions, calibration.outside, calibration.prior.as_str()), (6, 3, "0.2"));
    assert_eq!(decision.candidates[0].specialist_id, "mars");
    let outside = route(&router, &["tie a bowline knot"], AskOptions::default()).await;
    assert!(decision.confidence > outside.confidence, "{} {}", decision.confidence, outside.confidence);
}
