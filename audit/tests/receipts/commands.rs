//! `audit verify`, as people run it, and the same with node.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use super::{
    agreement::{FOLDER, node},
    flips::first,
    registry::served,
    samples::{made::make, seal},
};

fn audit(folder: &Path, args: &[&str], input: &[u8]) -> Output {
    let mut audit = Command::new(env!("CARGO_BIN_EXE_audit"))
        .current_dir(folder)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Whoever reads no input has closed it.
    let _ = audit.stdin.take().unwrap().write_all(input);
    audit.wait_with_output().unwrap()
}

#[test]
fn the_exit_code_says_what_came_of_it() {
    let mut plan = first(|plan| plan.calls.len() > 1 && !plan.closed);
    let made = make(&mut plan);
    let (json, log) = (seal(&plan.world, &made).to_json(), served(&plan, &made.entries));
    let folder = tempfile::tempdir().unwrap();
    let altered = json.replacen("Domain", "Demain", 1).replacen("Mars", "Nars", 1);
    for (name, text) in
        [("receipt.json", &json), ("trust.json", &plan.world.trust()), ("altered.json", &altered)]
    {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let said = |args: &[&str], input: &[u8], code: i32| {
        let output = audit(folder.path(), &[&["verify"], args].concat(), input);
        let (out, err) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(code), "{args:?}: {out}{err}");
        out + &err
    };
    let trusting = ["receipt.json", "--trust", "trust.json"];
    assert!(said(&trusting, b"", 0).starts_with("VERIFIED\n"));
    assert!(said(&["-", "--trust", "trust.json"], json.as_bytes(), 0).contains("revocations_unchecked"));
    let registry = ["--registry", log.path().to_str().unwrap()];
    assert!(!said(&[&trusting[..], &registry].concat(), b"", 0).contains("revocations_unchecked"));
    assert!(said(&["receipt.json"], b"", 3).starts_with("SIGNERS UNKNOWN\n"));
    let refused = said(&["altered.json", "-o", "json"], b"", 1);
    assert!(refused.contains(r#""verified":false"#) && refused.contains("not_committed"), "{refused}");
    said(&["missing.json"], b"", 2);
    said(&["receipt.json", "--trust", "receipt.json"], b"", 2);
    said(&["receipt.json", "--registry", "."], b"", 2);
}

#[test]
fn node_says_the_same_on_the_command_line() {
    if !node() {
        return;
    }
    let mut plan = first(|plan| plan.calls.len() > 1 && !plan.closed);
    let made = make(&mut plan);
    let folder = tempfile::tempdir().unwrap();
    let json = seal(&plan.world, &made).to_json();
    fs::write(folder.path().join("receipt.json"), json).unwrap();
    fs::write(folder.path().join("trust.json"), plan.world.trust()).unwrap();
    for (args, code, verdict) in [
        (&["receipt.json", "--trust", "trust.json"][..], 0, "VERIFIED\n"),
        (&["receipt.json"], 3, "SIGNERS UNKNOWN\n"),
        (&["trust.json"], 1, "REFUSED\n"),
        (&["missing.json"], 2, ""),
    ] {
        let cli = format!("{FOLDER}/cli.mjs");
        let by_node = Command::new("node").current_dir(folder.path()).arg(cli).args(args).output().unwrap();
        let by_rust = audit(folder.path(), &[&["verify"], args].concat(), b"");
        assert_eq!((by_node.status.code(), by_rust.status.code()), (Some(code), Some(code)));
        for output in [by_node, by_rust] {
            assert!(String::from_utf8(output.stdout).unwrap().starts_with(verdict));
        }
    }
}
