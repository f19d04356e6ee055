//! The structure of the tree: who may import whom, what only edges may say, how long a file may be.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use toml::Table;

/// Floors from below: a crate imports only from floors below its own.
const FLOORS: [&[&str]; 5] = [
    &["proto"],
    &["index", "audit", "embedding", "store", "serve"],
    &["registry"],
    &["router", "specialist"],
    &["eval", "tests"],
];

/// All that `registry` imports of the house.
const REGISTRY_IMPORTS: [&str; 2] = ["index", "proto"];

const LINES_MAX: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn crates() -> impl Iterator<Item = &'static str> {
    FLOORS.into_iter().flatten().copied()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The house's crates that `name` imports, those of its tests left out.
fn imports(name: &str) -> Vec<String> {
    let manifest: Table = fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap().parse().unwrap();
    let Some(dependencies) = manifest.get("dependencies").and_then(|value| value.as_table()) else {
        return Vec::new();
    };
    let ours = |dependency: &&String| crates().any(|name| name == dependency.as_str());
    dependencies.keys().filter(ours).cloned().collect()
}

#[test]
fn every_crate_of_the_workspace_has_a_floor() {
    let manifest: Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let mut members: Vec<&str> = manifest["workspace"]["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member.as_str().unwrap())
        .collect();
    let mut floors: Vec<&str> = crates().collect();
    members.sort_unstable();
    floors.sort_unstable();
    assert_eq!(members, floors);
}

#[test]
fn a_crate_imports_only_from_floors_below() {
    for (floor, names) in FLOORS.iter().enumerate() {
        for name in *names {
            for import in imports(name) {
                let below = FLOORS[..floor].iter().any(|names| names.contains(&import.as_str()));
                assert!(below, "{name} imports {import}, which is not on a floor below");
            }
        }
    }
    assert_eq!(imports("registry"), REGISTRY_IMPORTS);
}

#[test]
fn what_people_run_beside_a_federation_stays_light() {
    for name in ["registry", "audit"] {
        let tree = Command::new(env!("CARGO"))
            .args(["tree", "--offline", "--locked", "-p", name, "-e", "normal", "--prefix", "none"])
            .current_dir(root())
            .output()
            .unwrap();
        let tree = String::from_utf8(tree.stdout).unwrap();
        assert!(tree.contains("tonic"), "cargo tree printed no tree: {tree}");
        for heavy in ["candle", "sqlx", "tokenizers", "axum"] {
            assert!(!tree.lines().any(|line| line.starts_with(heavy)), "{name} pulls in {heavy}");
        }
    }
}

/// The files of a room of the router, those of its tests left out.
fn room(name: &str) -> Vec<PathBuf> {
    let folder = root().join("router/src").join(name);
    let mut files = sources(&folder);
    files.push(folder.with_extension("rs"));
    files.retain(|file| !file.ends_with("tests.rs"));
    files
}

#[test]
fn wire_types_stop_at_the_edges() {
    for name in ["ask", "route", "merge"] {
        for file in room(name) {
            let text = fs::read_to_string(&file).unwrap();
            for outside in ["wire", "tonic", "axum", "serde_json"] {
                assert!(!text.contains(outside), "{} mentions {outside}", file.display());
            }
        }
    }
}

#[test]
fn decisions_do_no_io_and_read_no_clock() {
    for name in ["route", "merge"] {
        for file in room(name) {
            let text = fs::read_to_string(&file).unwrap();
            for outside in ["tokio", "axum", "std::fs", "std::net", "Instant", "SystemTime", "tracing"] {
                assert!(!text.contains(outside), "{} mentions {outside}", file.display());
            }
        }
    }
}

#[test]
fn only_edges_speak_status_codes() {
    for name in ["router", "specialist"] {
        for file in sources(&root().join(name).join("src")) {
            let text = fs::read_to_string(&file).unwrap();
            let made = [
                "Status::new(",
                "Status::with_error_details(",
                "Status::internal(",
                "Status::invalid_argument(",
            ];
            let makes = made.iter().any(|made| text.contains(made));
            assert!(!makes || file.ends_with("error.rs"), "{} makes a Status", file.display());
        }
    }
}

#[test]
fn only_the_dialler_dials_specialists() {
    for file in sources(&root().join("router/src")) {
        let text = fs::read_to_string(&file).unwrap();
        let path = file.strip_prefix(root().join("router/src")).unwrap();
        let dials = text.contains("TcpStream::connect") || text.contains("lookup_host");
        assert!(
            !dials || path.starts_with("dial") || path == Path::new("dial.rs"),
            "{} dials",
            path.display()
        );
        // `cli.rs` calls the router that a person names at the terminal.
        let calls = text.contains("Channel::") || text.contains("Client::connect");
        let may = ["dispatch/line.rs", "cli.rs"].map(Path::new).contains(&path);
        assert!(!calls || may, "{} makes connections of its own", path.display());
    }
}

#[test]
fn no_file_is_longer_than_it_may_be() {
    for name in crates() {
        for file in sources(&root().join(name)) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= LINES_MAX, "{} has {lines} lines", file.display());
        }
    }
}
