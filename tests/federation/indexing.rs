//! `specialist index`: the corpus is embedded ahead of serving.

use std::{fs, os::unix::process::ExitStatusExt as _, path::Path, process::Stdio};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
    time::timeout,
};

use crate::harness::{Institution, PATIENCE, program, run};

/// The bytes of one record of the cache: a digest and a hashed vector.
const RECORD_BYTES: u64 = 32 + 4 * 256;

fn passages(count: usize) -> String {
    (0..count)
        .map(|n| json!({ "id": format!("{n}"), "text": format!("Number {n}.") }).to_string() + "\n")
        .collect()
}

fn institution() -> Institution {
    Institution::new("library").set("corpus = \"corpus\"\nencoder = { kind = \"hashed\" }\n")
}

async fn index(file: &Path, args: &[&str]) -> Value {
    let all = ["index", "-o", "json", "--config", file.to_str().unwrap()];
    let ended = run("specialist", all.iter().chain(args)).await;
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    serde_json::from_slice(&ended.stdout).unwrap()
}

#[tokio::test]
async fn a_run_that_was_killed_is_taken_up_where_it_was() {
    let institution = institution();
    institution.writes("a.jsonl", &passages(2_000));
    let file = institution.file();
    let data = tempfile::tempdir().unwrap();
    // The system kills the process in the middle of the write that makes a file longer than this.
    let limited = "ulimit -f 600; exec \"$0\" index --config \"$1\" --data \"$2\"";
    let killed = Command::new("sh")
        .args(["-c", limited])
        .arg(program("specialist"))
        .args([&file, data.path()])
        .output()
        .await
        .unwrap();
    let file_too_large = 25;
    assert_eq!(killed.status.signal(), Some(file_too_large), "{}", String::from_utf8_lossy(&killed.stderr));

    let cache = fs::read_dir(data.path()).unwrap().next().unwrap().unwrap();
    let kept = cache.metadata().unwrap().len() / RECORD_BYTES;
    assert!((1..2_000).contains(&kept), "{kept}");
    let args = ["--data", data.path().to_str().unwrap()];
    let resumed = index(&file, &args).await;
    assert_eq!((&resumed["passages"], &resumed["embedded"]), (&json!(2_000), &json!(2_000 - kept)));
    assert_eq!(index(&file, &args).await["embedded"], 0);
}

#[tokio::test]
async fn the_report_names_all_that_is_skipped() {
    let institution = institution();
    institution.writes("a.jsonl", &(passages(2) + "{\"id\": secret\n"));
    institution.writes("b.pdf", "%PDF-1.4 secret");
    institution.writes("c.html", "<h1>Guide</h1><p>Words.");
    institution.writes("d.pptx", "");
    let file = institution.file();
    let printed = index(&file, &[]).await;
    let report = &printed["report"];
    assert_eq!((&printed["passages"], &printed["embedded"]), (&json!(3), &json!(4)), "texts and a heading");
    assert_eq!(report["formats"].as_array().unwrap().len(), 3);
    assert_eq!(report["formats"][0], json!({ "format": "jsonl", "files": 1, "passages": 2 }));
    assert_eq!((&report["ignored"], &report["skipped"][0]["line"]), (&json!(1), &json!(3)));
    assert!(report["skipped"][1]["file"].as_str().unwrap().ends_with("b.pdf"));

    let ended = run("specialist", ["index", "--report", "--config", file.to_str().unwrap()]).await;
    let (said, logged) = (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap());
    for expected in
        ["a.jsonl:3: is not JSON", "b.pdf: is no PDF", "ignored: 1", "0 texts newly embedded, 2 skipped"]
    {
        assert!(said.contains(expected), "{expected:?} is missing in {said}");
    }
    assert!(!said.contains("secret") && !logged.contains("secret"), "{said}{logged}");
}

#[tokio::test]
async fn changes_are_followed_with_a_line_for_each() {
    let institution = institution();
    institution.writes("a.jsonl", &passages(2));
    let file = institution.file();
    let mut process = Command::new(program("specialist"))
        .args(["index", "--watch", "--config"])
        .arg(&file)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut next = async || timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
    assert_eq!(next().await, "2 passages from 1 files, 2 texts newly embedded, 0 skipped");
    // Moved there whole, so that no look finds it half written.
    let folder = file.parent().unwrap();
    fs::write(folder.join("b.txt"), "One more.").unwrap();
    fs::rename(folder.join("b.txt"), folder.join("corpus/b.txt")).unwrap();
    assert_eq!(next().await, "3 passages from 2 files, 2 texts newly embedded, 0 skipped");

    let id = process.id().unwrap().to_string();
    assert!(Command::new("kill").arg(id).status().await.unwrap().success());
    assert!(timeout(PATIENCE, process.wait()).await.unwrap().unwrap().success());
}

#[tokio::test]
async fn shares_are_fitted_to_questions_with_known_passages() {
    let institution = institution();
    let passage = |n: usize| {
        let text = format!("word{} again and again.", (n + 1) % 20);
        json!({ "id": format!("p{n}"), "title": format!("word{n}"), "text": text }).to_string() + "\n"
    };
    institution.writes("a.jsonl", &(0..20).map(passage).collect::<String>());
    let question =
        |n: usize| json!({ "query": format!("word{n}"), "gold_ids": [format!("p{n}")] }).to_string();
    let lost = json!({ "query": "secret", "gold_ids": ["nowhere"] }).to_string();
    let lines: Vec<String> = (0..20).map(question).chain([lost]).collect();
    let questions = tempfile::NamedTempFile::new().unwrap();
    fs::write(questions.path(), lines.join("\n")).unwrap();
    let file = institution.file();
    let args = ["fit", "--config", file.to_str().unwrap(), "--questions", questions.path().to_str().unwrap()];

    let ended = run("specialist", args.iter().chain(&["-o", "json"])).await;
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let fitted: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!((&fitted["questions"], &fitted["left_out"]), (&json!(20), &json!(1)));
    assert!(fitted["title_share"].as_f64() > Some(0.4) && fitted["gain"].as_f64() > Some(0.0), "{fitted}");

    let put = format!(
        "\n\ntitle_share = {}\nlexical_share = {:?}\n",
        fitted["title_share"],
        fitted["lexical_share"].as_f64().unwrap()
    );
    let said = String::from_utf8(run("specialist", args).await.stdout).unwrap();
    assert!(said.ends_with(&put) && !said.contains("secret"), "{said}");

    fs::write(questions.path(), "{\"query\": \"secret\"}").unwrap();
    let ended = run("specialist", args).await;
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(
        !ended.status.success() && said.contains("has no question whose") && !said.contains("secret"),
        "{said}"
    );
}
