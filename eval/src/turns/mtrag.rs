//! MTRAG's conversations (Katsis et al. 2025) as they are published: for each domain a folder with what was
//! asked and what people made of it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use proto::Digest;
use serde::Deserialize;

/// What stands before each of the user's turns.
const MARK: &str = "|user|: ";

/// What stands between a conversation's name and a turn's number.
const SEPARATOR: &str = "<::>";

/// A turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// Whose questions these are, as a specialist's id.
    pub(super) domain: String,
    pub(super) conversation: String,
    /// What the user said up to here, oldest first; the last is the question.
    pub(super) turns: Vec<String>,
    /// The question as people wrote it so that it can be understood alone.
    pub(super) rewrite: String,
}

/// All turns, and the files that they come from, each with the SHA-256 of its bytes.
#[derive(Debug)]
pub(super) struct Data {
    pub(super) asked: Vec<Asked>,
    pub(super) files: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "_id")]
    id: String,
    text: String,
}

/// Reads the domains' folders in `folder`.
pub(super) fn read(folder: &Path) -> Result<Data> {
    let mut data = Data { asked: Vec::new(), files: BTreeMap::new() };
    for domain in domains(folder)? {
        data.domain(folder, &domain)?;
    }
    Ok(data)
}

/// The names of the folders that hold a domain.
fn domains(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
    let names = paths.iter().filter_map(|path| path.file_name()?.to_str());
    let mut names: Vec<String> =
        names.filter(|name| path(folder, name, "questions").exists()).map(str::to_owned).collect();
    names.sort();
    ensure!(names.len() > 1, "{} holds fewer than two domains: name MTRAG's own folder", folder.display());
    Ok(names)
}

fn path(folder: &Path, domain: &str, what: &str) -> PathBuf {
    folder.join(domain).join(format!("{domain}_{what}.jsonl"))
}

impl Data {
    fn domain(&mut self, folder: &Path, domain: &str) -> Result<()> {
        let questions = self.lines(&path(folder, domain, "questions"))?;
        let mut last = self.lines(&path(folder, domain, "lastturn"))?;
        let mut rewrites = self.lines(&path(folder, domain, "rewrite"))?;
        for (id, text) in questions {
            let turns: Vec<String> = text.split(MARK).map(str::trim).map(str::to_owned).collect();
            let turns: Vec<String> = turns.into_iter().filter(|turn| !turn.is_empty()).collect();
            let (last, rewrite) = (last.remove(&id), rewrites.remove(&id));
            let alone = |text: Option<String>| text.map(|text| text.replacen(MARK, "", 1).trim().to_owned());
            let whole = turns.last().is_some() && alone(last).as_ref() == turns.last();
            ensure!(whole, "{id} of {domain} has another last turn: these files do not belong together");
            let rewrite = alone(rewrite).with_context(|| format!("{id} of {domain} has no rewrite"))?;
            let conversation = id.split(SEPARATOR).next().unwrap_or_default().to_owned();
            self.asked.push(Asked { domain: domain.replace('_', "-"), conversation, turns, rewrite });
        }
        Ok(())
    }

    /// The texts of `path` by their names.
    fn lines(&mut self, path: &Path) -> Result<BTreeMap<String, String>> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.files.insert(name, Digest::of(&bytes).to_string());
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let lines = lines.map(|line| {
            let Line { id, text } = serde_json::from_slice(line)?;
            Ok((id, text))
        });
        lines.collect::<Result<_>>().with_context(|| format!("{} has a line amiss", path.display()))
    }
}
