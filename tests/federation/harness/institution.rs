//! Institutions, each in a folder of its own.

use std::{fmt::Write as _, fs, path::PathBuf};

use audit::SecretKey;
use serde_json::json;
use tempfile::TempDir;

use super::Process;

/// An institution that is being set up, or runs.
pub(crate) struct Institution {
    id: String,
    folder: TempDir,
    settings: String,
}

impl Institution {
    /// An institution with a hashed encoder and no corpus yet.
    pub(crate) fn new(id: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("corpus")).unwrap();
        let settings = format!(
            "id = \"{id}\"\ntitle = \"About {id}\"\ninstitution = \"Institute of {id}\"\n\
             description = \"All about {id}.\"\nlicense = \"CC0-1.0\"\nnotice = \"Checked by nobody: {id}.\"\n\
             listen = \"127.0.0.1:0\"\nrescan_ms = 50\n"
        );
        Self { id: id.into(), folder, settings }
    }

    /// With these passages in a file of its corpus, each `(title, text)`.
    pub(crate) fn knows(self, passages: &[(&str, &str)]) -> Self {
        self.learns("first.jsonl", passages);
        self.set("corpus = \"corpus\"\nencoder = { kind = \"hashed\" }\n")
    }

    /// With a script in place of a corpus; the router embeds its one example question.
    pub(crate) fn scripted(self, question: &str, steps: &str) -> Self {
        self.set(&format!(
            "encoder = {{ kind = \"none\" }}\nexample_questions = [{question:?}]\n\
             generator = {{ kind = \"scripted\", steps = [{steps}] }}\n"
        ))
    }

    /// With a key of its own.
    pub(crate) fn signs(self) -> Self {
        let key = SecretKey::generate().unwrap();
        key.save(&self.folder.path().join("specialist.key")).unwrap();
        Self { settings: format!("key = \"specialist.key\"\n{}", self.settings), ..self }
    }

    /// With further settings.
    pub(crate) fn set(mut self, settings: &str) -> Self {
        self.settings.push_str(settings);
        self
    }

    /// Writes a file of its corpus; possible while it runs.
    pub(crate) fn learns(&self, file: &str, passages: &[(&str, &str)]) {
        let mut lines = String::new();
        for (at, (title, text)) in passages.iter().enumerate() {
            let (id, url) = (format!("{file}-{at}"), format!("https://example.org/{}/{at}", self.id));
            let passage = json!({ "id": id, "title": title, "text": text, "url": url, "license": "CC0-1.0" });
            writeln!(lines, "{passage}").unwrap();
        }
        self.writes(file, &lines);
    }

    /// Writes a file of its corpus, whatever it holds.
    pub(crate) fn writes(&self, file: &str, content: &str) {
        fs::write(self.folder.path().join("corpus").join(file), content).unwrap();
    }

    /// Its settings file.
    pub(crate) fn file(&self) -> PathBuf {
        let file = self.folder.path().join("specialist.toml");
        fs::write(&file, &self.settings).unwrap();
        file
    }

    /// Starts its specialist on a free port.
    pub(crate) async fn start(&self) -> Process {
        self.start_on("127.0.0.1:0").await
    }

    /// Starts its specialist on `address`.
    pub(crate) async fn start_on(&self, address: &str) -> Process {
        let file = self.file();
        Process::start("specialist", ["serve", "--config", file.to_str().unwrap(), "--listen", address]).await
    }
}
