//! CLINC150 (Larson et al. 2019) and BANKING77 (Casanueva et al. 2020) as their authors publish them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use super::{Data, Level, Split};
use crate::texts::{Asked, NOBODYS};

/// Of CLINC150's test questions, so many of so many belong to nobody.
const CLINC_PRIOR: f64 = 1_000.0 / 5_500.0;

/// A question and its fine intent.
type Labelled = (String, String);

/// Who is to be asked, and what.
pub(super) struct Published {
    /// Each specialist's questions for training, intent by intent.
    pub(super) train: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// Questions to judge by; empty where those for training are to be cut into parts.
    pub(super) asked: Vec<Asked>,
    /// Questions that numbers are fitted on, besides or in place of those.
    pub(super) fit: Vec<Asked>,
    /// The share of questions that belong to nobody; `None` where there are none.
    pub(super) prior: Option<f64>,
    /// What was read.
    pub(super) files: Vec<PathBuf>,
}

pub(super) fn read(data: Data, folder: &Path, level: Level, split: Split) -> Result<Published> {
    match data {
        Data::Clinc150 => clinc150(folder, level, split),
        Data::Banking77 => banking77(folder, level, split),
    }
}

fn clinc150(folder: &Path, level: Level, split: Split) -> Result<Published> {
    let files = ["data_full.json", "data_oos_plus.json", "domains.json"].map(|name| folder.join(name));
    let [full, plus, domains] = &files;
    let mut full: BTreeMap<String, Vec<Labelled>> = json(full)?;
    let mut plus: BTreeMap<String, Vec<Labelled>> = json(plus)?;
    let domains: BTreeMap<String, Vec<String>> = json(domains)?;
    let pairs =
        domains.iter().flat_map(|(domain, intents)| intents.iter().map(move |intent| (intent, domain)));
    let domains: BTreeMap<&String, &String> = pairs.collect();
    let part = |parts: &mut BTreeMap<String, Vec<Labelled>>, name: &str| {
        let part = parts.remove(name).filter(|part| !part.is_empty());
        part.with_context(|| format!("the folder holds no `{name}` questions: name one that does"))
    };
    let asked = |(query, intent): Labelled| {
        let Some(domain) = domains.get(&intent) else { return nobodys(query) };
        let (domain, kind) = match level {
            Level::Domains => (domain.as_str(), intent.as_str()),
            Level::Intents => (intent.as_str(), domain.as_str()),
        };
        Asked { query, domain: id(domain), kind: id(kind), maybe_in_domain: false, gold_ids: Vec::new() }
    };
    let mut train: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for (query, intent) in part(&mut full, "train")? {
        let domain = domains.get(&intent).with_context(|| format!("{intent} has no domain"))?;
        let specialist = id(if level == Level::Domains { domain } else { &intent });
        train.entry(specialist).or_default().entry(intent).or_default().push(query);
    }
    let mut of = |names: [&str; 2]| -> Result<Vec<Asked>> {
        let parts = names.map(|name| part(&mut full, name)).into_iter().collect::<Result<Vec<_>>>()?;
        Ok(parts.into_iter().flatten().map(asked).collect())
    };
    let validation = of(["val", "oos_val"])?;
    let mut fit: Vec<Asked> = part(&mut plus, "oos_train")?.into_iter().map(asked).collect();
    let judged = match split {
        Split::Val => validation,
        Split::Test => {
            fit.extend(validation);
            of(["test", "oos_test"])?
        }
    };
    Ok(Published { train, asked: judged, fit, prior: Some(CLINC_PRIOR), files: files.into() })
}

fn banking77(folder: &Path, level: Level, split: Split) -> Result<Published> {
    ensure!(level == Level::Intents, "BANKING77 has one domain: add --level intents");
    let path = folder.join("train.csv");
    let mut train: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for (query, intent) in csv(&path)? {
        train.entry(id(&intent)).or_default().entry(intent).or_default().push(query);
    }
    let mut files = vec![path];
    let mut asked = Vec::new();
    if split == Split::Test {
        let path = folder.join("test.csv");
        let test = |(query, intent): Labelled| own(query, &id(&intent));
        asked = csv(&path)?.into_iter().map(test).collect();
        files.push(path);
    }
    Ok(Published { train, asked, fit: Vec::new(), prior: None, files })
}

/// A question of the specialist `id`, all of whose questions are of one kind.
pub(super) fn own(query: String, id: &str) -> Asked {
    Asked {
        query,
        domain: id.to_owned(),
        kind: "all".to_owned(),
        maybe_in_domain: false,
        gold_ids: Vec::new(),
    }
}

fn nobodys(query: String) -> Asked {
    Asked {
        query,
        domain: NOBODYS.to_owned(),
        kind: NOBODYS.to_owned(),
        maybe_in_domain: false,
        gold_ids: Vec::new(),
    }
}

/// What a domain or an intent is called in the fleet.
fn id(name: &str) -> String {
    let letters = name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' });
    letters.collect::<String>().trim_matches('-').to_ascii_lowercase()
}

fn text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| {
        format!("cannot read {}: name the folder of the published files, with this split", path.display())
    })
}

fn json<T: for<'a> serde::Deserialize<'a>>(path: &Path) -> Result<T> {
    serde_json::from_str(&text(path)?)
        .with_context(|| format!("{} is not laid out as published", path.display()))
}

/// The questions and intents of a table whose first line names its two columns.
fn csv(path: &Path) -> Result<Vec<Labelled>> {
    let rows = rows(&text(path)?).into_iter().skip(1);
    let pair = |row: Vec<String>| <[String; 2]>::try_from(row).ok().map(|[query, intent]| (query, intent));
    let pairs = rows.map(pair).collect::<Option<Vec<Labelled>>>();
    let pairs = pairs.with_context(|| format!("{} has lines without two columns", path.display()))?;
    ensure!(!pairs.is_empty(), "{} holds no questions", path.display());
    Ok(pairs)
}

/// The fields of each record (RFC 4180): they may be quoted, and then hold commas, breaks and doubled quotes.
fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => field.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            letter => field.push(letter),
        }
    }
    if !(row.is_empty() && field.is_empty()) {
        row.push(field);
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_fields_hold_commas_breaks_and_quotes() {
        let text = "text,category\r\n\"a, \"\"b\"\"\nc\",x\nplain,y";
        assert_eq!(rows(text), [["text", "category"], ["a, \"b\"\nc", "x"], ["plain", "y"]]);
    }

    #[test]
    fn intents_are_named_as_specialists_may_be() {
        assert_eq!(id("Refund_not_showing_up"), "refund-not-showing-up");
        assert_eq!(id("reverted_card_payment?"), "reverted-card-payment");
    }
}
