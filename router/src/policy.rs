//! The router's rules in the open: every number, list and text that stands between a question, those who
//! answer it and its reader, by name and digest. What is a list or a number in a setting is published as it is set;
//! what is code is published as the source that this program was built from.

use proto::{Digest, support::BACKGROUND};

use serde_json::json;

use crate::{dispatch::Limits, merge::Template, route::Rules};

/// A rule in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name, as receipts have it.
    pub name: &'static str,
    /// Its whole text.
    pub text: String,
    /// SHA-256 of the text.
    pub sha256: Digest,
}

/// All rules in force, in the order in which a question meets them.
#[derive(Debug, Clone)]
pub struct Policy {
    rules: Vec<Rule>,
    document: String,
}

/// The rooms that decide, file by file.
macro_rules! sources {
    ($($file:literal),* $(,)?) => { &[$(($file, include_str!($file))),*] };
}

/// What decides whom to ask.
const ROUTE: &[(&str, &str)] = sources![
    "route.rs",
    "route/background.rs",
    "route/calibration.rs",
    "route/decide.rs",
    "route/doubt.rs",
    "route/gate.rs",
    "route/language.rs",
    "route/policy.rs",
    "route/score.rs",
    "trust.rs",
];

/// What decides what of an answer stands in the merged one.
const MERGE: &[(&str, &str)] = sources![
    "cited.rs",
    "merge.rs",
    "merge/append.rs",
    "merge/block.rs",
    "merge/compare.rs",
    "merge/conflict.rs",
    "merge/conflict/facts.rs",
    "merge/conflict/quantity.rs",
    "merge/conflict/read.rs",
    "merge/conflict/scan.rs",
    "merge/templates.rs",
];

/// What is changed in a question before a specialist is shown it.
const REDACTION: &str = "Nothing is changed, added or left out. A specialist is shown the question as its asker \
    wrote it and, where it follows up on them, the asker's latest earlier turns, at most as many as the \
    specialist's card allows. Instructions that a client sends beside the conversation are shown to nobody.";

impl Policy {
    /// The rules of a router that routes by `rules` and asks within `limits`.
    pub fn new(rules: &Rules, limits: &Limits) -> Result<Self, serde_json::Error> {
        let texts = [
            ("route/policy", serde_json::to_string(&rules.policy)?),
            ("route/calibration", serde_json::to_string(&*rules.calibration)?),
            ("route/background", BACKGROUND.to_owned()),
            ("route/source", joined(ROUTE)),
            ("dispatch/redaction", REDACTION.to_owned()),
            ("dispatch/limits", serde_json::to_string(limits)?),
            ("merge/source", joined(MERGE)),
        ];
        let templates = Template::ALL.map(|template| (template.name(), template.text().to_owned()));
        let rule = |(name, text): (&'static str, String)| Rule { name, sha256: Digest::of(&text), text };
        let rules: Vec<Rule> = texts.into_iter().chain(templates).map(rule).collect();
        let listed = |Rule { name, text, sha256 }: &Rule| json!({ "name": name, "sha256": sha256.to_string(), "text": text });
        let document = json!({ "v": 1, "rules": rules.iter().map(listed).collect::<Vec<_>>() }).to_string();
        Ok(Self { rules, document })
    }

    /// The rules.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The place of a template among the rules.
    pub fn place(&self, template: Template) -> Option<usize> {
        self.rules.iter().position(|rule| rule.name == template.name())
    }

    /// All of them in one JSON document, as the registry log lists it.
    pub fn document(&self) -> &str {
        &self.document
    }
}

fn joined(files: &[(&str, &str)]) -> String {
    files.iter().map(|(name, text)| format!("// {name}\n{text}\n")).collect()
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::route::{Background, Calibration};

    #[test]
    fn no_deciding_file_is_left_out() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut found = Vec::new();
        let mut folders = vec!["route".to_owned(), "merge".to_owned()];
        while let Some(room) = folders.pop() {
            for entry in fs::read_dir(folder.join(&room)).unwrap() {
                let entry = entry.unwrap();
                let name = format!("{room}/{}", entry.file_name().to_string_lossy());
                if entry.file_type().unwrap().is_dir() {
                    folders.push(name);
                } else if !name.ends_with("tests.rs") {
                    found.push(name);
                }
            }
        }
        for name in found {
            assert!(ROUTE.iter().chain(MERGE).any(|(file, _)| *file == name), "{name} is not published");
        }
    }

    #[test]
    fn every_rule_has_its_own_name_and_its_digest() {
        let rules = Rules {
            policy: crate::route::Policy::default(),
            calibration: Calibration::default().into(),
            background: Background::new(Vec::new()),
        };
        let policy = Policy::new(&rules, &Limits::default()).unwrap();
        let names: std::collections::HashSet<&str> = policy.rules().iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), policy.rules().len());
        assert!(Template::ALL.iter().all(|template| policy.place(*template).is_some()));
        assert!(policy.rules().iter().all(|rule| policy.document().contains(&rule.sha256.to_string())));
    }
}
