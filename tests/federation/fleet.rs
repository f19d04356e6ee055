//! `scripts/fleet`, which `make fleet` calls, on corpora made up here: skipped, with a word, where
//! `make setup` has not brought the encoder's weights.

use std::{
    fs,
    net::TcpStream,
    path::Path,
    process::{Command, Output},
};

use crate::harness::program;

/// Runs the script to its end: it asks one question, and stops.
fn fleet(corpora: &Path, data: &Path) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    Command::new(root.join("scripts/fleet"))
        .arg(corpora)
        .envs([("PORT", "0"), ("FLEET_ONCE", "1")])
        .env("BIN", program("router").parent().unwrap())
        .env("FLEET_DATA", data)
        .output()
        .unwrap()
}

fn corpus(title: &str, sentence: &str) -> String {
    let passage =
        |at: usize| format!("{{\"id\": \"{at}\", \"title\": \"{title}\", \"text\": \"{sentence}\"}}\n");
    (0..6).map(passage).collect()
}

#[test]
fn a_folder_becomes_a_fleet_that_ends_with_its_script() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    if !root.join("models/all-MiniLM-L6-v2/model.safetensors").exists() {
        println!("skipped: no weights, run `make setup`");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // A name that must be quoted wherever it is passed on.
    let corpora = folder.path().join("three \"corpora\"");
    fs::create_dir(&corpora).unwrap();
    for (name, title, sentence) in [
        ("a_bread", "Sourdough bread", "Sourdough rises by wild yeast in a starter of flour and water."),
        ("b_bees", "Bees in winter", "Honey bees keep warm in a cluster around their queen."),
        ("c_knots", "Bowline", "A bowline makes a loop that does not slip."),
    ] {
        fs::write(corpora.join(name).with_extension("jsonl"), corpus(title, sentence)).unwrap();
    }

    let ended = fleet(&corpora, &folder.path().join("data"));
    let said = String::from_utf8(ended.stdout).unwrap();
    assert!(ended.status.success(), "{said}{}", String::from_utf8_lossy(&ended.stderr));
    assert!(said.contains("router ask \"What is there to know about Sourdough bread?\""), "{said}");
    assert!(said.contains("Sourdough rises by wild yeast"), "{said}");
    let addresses: Vec<&str> =
        said.split_whitespace().filter_map(|word| word.strip_prefix("http://")).collect();
    assert_eq!(addresses.len(), 3, "{said}");
    for address in addresses {
        assert!(TcpStream::connect(address).is_err(), "{address} is still served");
    }
    for id in ["a-bread", "b-bees", "c-knots"] {
        assert!(folder.path().join("data").join(id).join("specialist.toml").exists(), "{id}");
    }
}

#[test]
fn a_folder_without_corpora_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |corpora: &Path, why: &str| {
        let ended = fleet(corpora, folder.path());
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(2), "{said}");
        assert!(said.starts_with("fleet: ") && said.contains(why), "{said}");
    };
    refused(folder.path(), "holds no .jsonl file");
    refused(&folder.path().join("missing"), "name a folder of corpora");
}
