//! `router learn`: from readers' thumbs to offsets of bounded effect. The router itself learns nothing while it
//! serves; what is learned follows from the stored thumbs alone, so learning twice says the same.

mod fit;
mod questions;
mod rating;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use proto::SpecialistId;
use serde_json::{Value, json};
use store::{RatingRow, Store, Voters};

use crate::{
    calibrate,
    cli::Output,
    config::Config,
    route::{Calibration, Fitted, OFFSET_MAX},
};
use fit::{Figure, Learned, Told, VOTER_EFFECT_MAX, learn};
use questions::Answered;
pub use rating::Reason;

/// What to learn from.
#[derive(Debug, clap::Args)]
pub struct Learning {
    /// The router's settings; every one has a default.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Folder of the router's database, in place of the settings'.
    #[arg(long)]
    data: Option<PathBuf>,
    /// .jsonl file of questions with known answers, as for `router calibrate`: nothing is applied that routes
    /// fewer of them right. The specialists must run.
    #[arg(long, value_name = "FILE")]
    questions: Option<PathBuf>,
    /// Let every session count by itself, also where several come from one network: only where all who reach the
    /// router are trusted, behind one address perhaps. Whoever throws cookies away then counts as many.
    #[arg(long)]
    by_session: bool,
    /// Write the offsets into calibration.toml in the data folder; without it they are only shown.
    #[arg(long)]
    apply: bool,
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// Offsets by specialist, as routing adds them.
type Offsets = BTreeMap<SpecialistId, f32>;

/// What came of it.
struct Outcome {
    /// Thumbs in the database.
    stored: usize,
    learned: Learned,
    questions: Option<Answered>,
    in_force: Offsets,
    /// What is worth applying.
    offsets: Offsets,
    /// Where it was written; `None` where nothing was.
    written: Option<PathBuf>,
}

/// Learns, shows what came of it, and applies it where that is wanted.
pub async fn run(learning: &Learning) -> Result<()> {
    let config = Config::offline(learning.config.as_deref(), learning.data.as_deref())?;
    let path = config.data.join(calibrate::FILE);
    let calibration = calibrate::read_file(&path)?;
    let store = Store::open(&config.database()).await?;
    let voters = if learning.by_session { Voters::Sessions } else { Voters::Networks };
    let rows = store.ratings(voters).await?;
    let fleet: BTreeSet<String> =
        store.registrations().await?.into_iter().map(|row| row.specialist_id).collect();
    let ratings = rows.iter().filter(|row| counts(row, calibration.fitted.as_ref())).filter_map(rating::read);
    let ratings: Vec<_> = ratings.filter(|rating| fleet.contains(rating.lead.as_str())).collect();
    let learned = learn(&ratings);
    let mut offsets = learned.offsets();
    let questions = match &learning.questions {
        Some(file) => Some(questions::route(&config, &store, &calibration, &offsets, file).await?),
        None => None,
    };
    store.close().await;
    if questions.is_some_and(|answered| answered.with < answered.without) {
        offsets.clear();
    }
    let in_force = calibration.offsets;
    let written = (learning.apply && offsets != in_force).then_some(path);
    if let Some(path) = &written {
        write(path, &offsets)?;
    }
    let outcome = Outcome { stored: rows.len(), learned, questions, in_force, offsets, written };
    let said = match learning.output {
        Output::Text => outcome.text(),
        Output::Json => format!("{:#}\n", outcome.json()),
    };
    Ok(io::stdout().write_all(said.as_bytes())?)
}

/// Whether what routing expected of the turn is what it expects now: the numbers were not fitted since.
fn counts(row: &RatingRow, fitted: Option<&Fitted>) -> bool {
    let asked = jiff::Timestamp::from_millisecond(row.asked_at_ms).unwrap_or_default();
    fitted.is_none_or(|fitted| asked.strftime("%Y-%m-%d").to_string() >= fitted.date)
}

/// Puts `offsets` into the file at `path`, and leaves the rest as it is.
fn write(path: &Path, offsets: &Offsets) -> Result<()> {
    let text = if path.exists() { fs::read_to_string(path)? } else { String::new() };
    let mut file: toml::Table = text.parse()?;
    file.insert("offsets".to_owned(), toml::Value::try_from(offsets)?);
    let text = format!("# Written by `router calibrate` and `router learn`.\n{}", toml::to_string(&file)?);
    toml::from_str::<Calibration>(&text)?.check().map_err(anyhow::Error::msg)?;
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

impl Outcome {
    fn json(&self) -> Value {
        let Self { stored, learned, questions, in_force, offsets, written } = self;
        json!({
            "stored": stored,
            "ratings": self.ratings(),
            "voters": learned.voters,
            "specialists": learned.specialists,
            "held": learned.held.map(|[before, after]| json!({ "before": before, "after": after })),
            "questions": questions,
            "in_force": in_force,
            "offsets": offsets,
            "applied": written.is_some(),
        })
    }

    fn ratings(&self) -> usize {
        self.learned.specialists.iter().map(|told| told.up + told.down).sum()
    }

    fn text(&self) -> String {
        let mut lines = vec![format!(
            "{} thumbs are stored; {} of them, from {} voters, say whom it is right to ask. No voter moves an \
             offset by more than {VOTER_EFFECT_MAX:.2}, nor do all of them by more than {OFFSET_MAX:.2}.",
            self.stored,
            self.ratings(),
            self.learned.voters
        )];
        if !self.learned.specialists.is_empty() {
            lines.push(format!(
                "\n{:<32} {:>8} {:>6} {:>6} {:>11} {:>11} {:>8} {:>8}",
                "specialist", "voters", "up", "down", "first half", "second half", "in force", "learned"
            ));
        }
        let offset = |offsets: &Offsets, id| offsets.get(id).copied().unwrap_or_default();
        lines.extend(self.learned.specialists.iter().map(|told| {
            let Told { id, voters, up, down, halves: [first, second], .. } = told;
            let (before, after) = (offset(&self.in_force, id), offset(&self.offsets, id));
            format!(
                "{:<32} {voters:>8} {up:>6} {down:>6} {first:>+11.2} {second:>+11.2} {before:>+8.2} {after:>+8.2}",
                id.as_str()
            )
        }));
        if let Some([before, after]) = self.learned.held {
            let Figure { log_loss, right } = before;
            lines.push(format!(
                "\nThumbs of voters that nothing was fitted on: log loss {log_loss:.4} before, {:.4} after; \
                 foretold right {:.1} % before, {:.1} % after.",
                after.log_loss,
                100.0 * right,
                100.0 * after.right
            ));
        }
        if let Some(Answered { count, without, with }) = self.questions {
            lines.push(format!(
                "Questions with known answers: {without} of {count} come first to the right one before, {with} after."
            ));
        }
        lines.push(self.deed());
        lines.join("\n") + "\n"
    }

    /// What was done.
    fn deed(&self) -> String {
        match &self.written {
            Some(path) => format!("Written to {}: start the router again.", path.display()),
            None if self.offsets == self.in_force => "Nothing is to be changed.".to_owned(),
            None => "Nothing was changed: --apply writes what was learned.".to_owned(),
        }
    }
}
