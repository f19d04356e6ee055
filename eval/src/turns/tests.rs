use std::{fs, path::Path};

use clap::Parser;

use super::{cases::Kind, *};
use crate::{Cli, Command};

/// MTRAG in small: two domains of ten conversations of two turns; nobody understands a second one alone.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (domain, subject) in [("red_wine", "grapes barrels cellar"), ("moon", "crater orbit eclipse")] {
        let mut files = [String::new(), String::new(), String::new()];
        for conversation in 0..10 {
            let (first, second) = (format!("{subject} {conversation}"), "and why?");
            let rewrites = [first.clone(), format!("why {subject}")];
            let questions = [first.clone(), format!("{first}\\n|user|: {second}")];
            let last = [first.clone(), second.to_owned()];
            for (file, texts) in files.iter_mut().zip([questions, last, rewrites]) {
                for (turn, text) in texts.iter().enumerate() {
                    let id = format!("{domain}{conversation}<::>{}", turn + 1);
                    *file += &format!("{{\"_id\": \"{id}\", \"text\": \"|user|: {text}\"}}\n");
                }
            }
        }
        fs::create_dir(folder.path().join(domain)).unwrap();
        for (what, lines) in ["questions", "lastturn", "rewrite"].iter().zip(files) {
            fs::write(folder.path().join(domain).join(format!("{domain}_{what}.jsonl")), lines).unwrap();
        }
    }
    folder
}

fn turns(folder: &Path) -> Turns {
    let args = ["eval", "turns", "--data", "mtrag", &folder.display().to_string()].map(str::to_owned);
    let Command::Turns(turns) = Cli::try_parse_from(args).unwrap().command else { panic!("another command") };
    turns
}

#[tokio::test]
async fn follow_ups_and_changes_of_subject_are_counted_apart() {
    let folder = folder();
    let figures = measure(&turns(folder.path()), Model::hashed()).await.unwrap();
    assert_eq!((figures.conversations, figures.folds, figures.files.len()), (20, 5, 6));
    let counts = |way: &figures::Way, kind: &str| (way.by_kind[kind].right, way.by_kind[kind].questions);
    let Figures { gate, never, always, .. } = &figures;
    assert_eq!((counts(gate, "opening"), counts(never, "opening")), ((20, 20), (20, 20)));
    // Alone nothing tells the domains apart; what was said before does.
    assert_eq!((counts(never, "follow_up"), counts(always, "follow_up")), ((10, 20), (20, 20)));
    assert_eq!(counts(gate, "follow_up"), (20, 20));
    // Each conversation has four, unless its fold has none of the other domain.
    assert_eq!(counts(gate, "switch").0, counts(gate, "switch").1);
    assert!(counts(gate, "switch").1 > 40, "{:?}", counts(gate, "switch"));
    assert_eq!(gate.by_domain["red-wine"].all.questions, 20);
    let json = serde_json::to_value(&figures).unwrap();
    // Whatever was chosen, nothing is lost where earlier turns decide everything.
    assert!((figures.out_of_fold.follow_ups.value - 1.0).abs() < 1e-9, "{:?}", figures.out_of_fold);
    for key in ["accuracy", "follow_ups", "switches"] {
        assert!(json[key]["value"].as_f64().zip(json[key]["low"].as_f64()).is_some(), "{key}");
    }
    assert!(figures.table().contains("follow-ups   "), "{}", figures.table());
}

#[tokio::test]
async fn files_that_do_not_belong_together_are_refused() {
    let folder = folder();
    let path = folder.path().join("moon/moon_lastturn.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("and why?", "and how?")).unwrap();
    let error = measure(&turns(folder.path()), Model::hashed()).await.unwrap_err().to_string();
    assert!(error.contains("moon has another last turn"), "{error}");
    fs::remove_dir_all(folder.path().join("red_wine")).unwrap();
    let error = measure(&turns(folder.path()), Model::hashed()).await.unwrap_err().to_string();
    assert!(error.contains("fewer than two domains"), "{error}");
}

#[test]
fn a_change_of_subject_stays_in_its_fold_and_begins_a_conversation() {
    let folder = folder();
    let Data { asked, .. } = mtrag::read(folder.path()).unwrap();
    let folds = cases::folds(&asked, 1);
    assert_eq!(folds.len(), 20);
    let all = cases::cases(&asked, &folds, 1);
    assert_eq!(all, cases::cases(&asked, &folds, 1), "drawn alike");
    for case in all.iter().filter(|case| case.kind == Kind::Switch) {
        assert_eq!(case.fold, folds[case.conversation.as_str()]);
        let next = asked.iter().find(|asked| asked.turns[0] == case.turns[case.turns.len() - 1]).unwrap();
        assert_eq!((folds[next.conversation.as_str()], &next.domain), (case.fold, &case.domain));
        assert!(!case.conversation.starts_with(&case.domain.replace('-', "_")));
    }
}
