//! `specialist fit`: which shares of title and words find the passages of this corpus best, on questions
//! whose right passages are known. Nothing is written but the cache of embeddings.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;
use serde::Deserialize;
use serde_json::json;

use crate::{
    Error, Settings,
    bench::{Quality, Shares},
    indexing::Output,
    library::Librarian,
    server,
};

/// The title shares that are tried.
const TITLE_SHARES: [f32; 9] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];

/// The lexical shares that are tried with each of them.
const LEXICAL_SHARES: [f32; 7] = [0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4];

/// The most bytes that a file of questions may have.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// What `specialist fit` reads and prints.
#[derive(Debug, Clone, Args)]
pub struct Fitting {
    /// .jsonl file whose lines have a `query` and, as `gold_ids`, the ids of the passages that answer it.
    #[arg(long, value_name = "FILE")]
    questions: PathBuf,
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// Questions cannot be fitted to.
#[derive(Debug, thiserror::Error)]
pub enum QuestionsError {
    /// The file cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is too large to be one of questions.
    #[error("{} has more than {FILE_BYTES_MAX} bytes: name a file of fewer questions", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A line is no question. It is not quoted.
    #[error("{} is amiss in line {line}: an object with the text `query` is expected", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// No question can be judged.
    #[error("{} has no question whose `gold_ids` are all ids of this corpus's passages", path.display())]
    NoneKnown {
        /// The file.
        path: PathBuf,
    },
}

/// A question, and the passages that answer it.
#[derive(Debug, Clone, Deserialize)]
pub struct Asked {
    /// Its text.
    pub query: String,
    /// The ids of the passages; empty where they are not known.
    #[serde(default)]
    pub gold_ids: Vec<String>,
}

/// The settings that are tried, and the place of the `current` one among them.
pub fn grid(current: Shares) -> (Vec<Shares>, usize) {
    let row = |title| LEXICAL_SHARES.map(|lexical| Shares { title, lexical });
    let mut settings: Vec<Shares> = TITLE_SHARES.into_iter().flat_map(row).collect();
    let at = settings.iter().position(|shares| *shares == current).unwrap_or_else(|| {
        settings.push(current);
        settings.len() - 1
    });
    (settings, at)
}

/// What a fit chose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// The place of the chosen setting: the best one, or the current one.
    pub setting: usize,
    /// The place of the best one.
    pub best: usize,
    /// The best one's mean nDCG@10 less the current one's.
    pub gain: f64,
    /// The standard error of that difference, over the questions; infinite for fewer than two.
    pub error: f64,
}

/// The setting with the largest mean nDCG@10 over `judged`, where that is more than one standard error of the
/// paired difference above the current one's; otherwise the current one, for a few questions say
/// little. Each of `judged` has the qualities of one question with each setting, `current` among them;
/// there is at least one.
#[expect(clippy::cast_precision_loss, reason = "counts of questions")]
pub fn choose(judged: &[&[Quality]], current: usize) -> Choice {
    let settings = judged.iter().map(|qualities| qualities.len()).min().unwrap_or_default();
    let count = judged.len() as f64;
    let gains = |setting: usize| {
        judged.iter().map(move |qualities| qualities[setting].ndcg10 - qualities[current].ndcg10)
    };
    let mean = |setting: usize| gains(setting).sum::<f64>() / count;
    let means = (0..settings).map(|setting| (setting, mean(setting)));
    // The first of equals, but the current one before all.
    let better = |best: (usize, f64), other: (usize, f64)| if other.1 > best.1 { other } else { best };
    let (best, gain) = means.fold((current, 0.0), better);
    let squares: f64 = gains(best).map(|its| (its - gain).powi(2)).sum();
    let error = if judged.len() < 2 { f64::INFINITY } else { (squares / (count - 1.0) / count).sqrt() };
    Choice { setting: if gain > error { best } else { current }, best, gain, error }
}

/// Fits to the corpus of `settings`, and prints what to put into its file.
pub async fn fit(settings: Settings, fitting: &Fitting) -> Result<(), Error> {
    let asked = read(&fitting.questions)?;
    let embedder = server::embedder(&settings).await?.ok_or(Error::NothingToIndex)?;
    let current = Shares { title: settings.config.title_share, lexical: settings.config.lexical_share };
    let bench = Librarian::new(settings, Some(embedder.clone()))?.bench().await?;
    let (known, rights): (Vec<String>, Vec<BTreeSet<usize>>) =
        asked.iter().filter_map(|asked| Some((asked.query.clone(), bench.right(&asked.gold_ids)?))).unzip();
    if known.is_empty() {
        return Err(QuestionsError::NoneKnown { path: fitting.questions.clone() }.into());
    }
    let left_out = asked.len() - known.len();
    let vectors = embedder.embed_all(&known, |_| {}).await?;
    let (tried, at) = grid(current);
    let fitted = tokio::task::spawn_blocking(move || -> Result<Fitted, Error> {
        let questions = known.iter().zip(&vectors).zip(&rights);
        let judge =
            |((question, vector), right): ((&String, &_), &_)| bench.judge(question, vector, right, &tried);
        let judged = questions.map(judge).collect::<Result<Vec<_>, _>>()?;
        Ok(Fitted::of(&judged, &tried, at, left_out))
    });
    let fitted = fitted.await??;
    let text = if fitting.output == Output::Json { fitted.json() } else { fitted.text() };
    Ok(writeln!(io::stdout().lock(), "{text}")?)
}

/// The questions of a file, one a line.
fn read(path: &Path) -> Result<Vec<Asked>, QuestionsError> {
    let failed = |source| QuestionsError::Read { path: path.to_owned(), source };
    if fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(QuestionsError::TooLarge { path: path.to_owned() });
    }
    let content = fs::read_to_string(path).map_err(failed)?;
    let lines = content.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let parse = |(at, line): (usize, &str)| {
        let amiss = |_| QuestionsError::Line { path: path.to_owned(), line: at + 1 };
        serde_json::from_str(line).map_err(amiss)
    };
    lines.map(parse).collect()
}

/// What is said of a fit.
struct Fitted {
    questions: usize,
    left_out: usize,
    choice: Choice,
    current: (Shares, f64),
    best: (Shares, f64),
}

impl Fitted {
    #[expect(clippy::cast_precision_loss, reason = "counts of questions")]
    fn of(judged: &[Vec<Quality>], tried: &[Shares], current: usize, left_out: usize) -> Self {
        let choice = choose(&judged.iter().map(Vec::as_slice).collect::<Vec<_>>(), current);
        let mean = |setting: usize| {
            let sum: f64 = judged.iter().map(|qualities| qualities[setting].ndcg10).sum();
            (tried[setting], sum / judged.len() as f64)
        };
        let (current, best) = (mean(current), mean(choice.best));
        Self { questions: judged.len(), left_out, choice, current, best }
    }

    /// Whether the best setting is better beyond chance.
    fn is_better(&self) -> bool {
        self.choice.setting == self.choice.best && self.best.0 != self.current.0
    }

    fn chosen(&self) -> Shares {
        if self.is_better() { self.best.0 } else { self.current.0 }
    }

    fn text(&self) -> String {
        let Self { questions, left_out, choice, current, best } = self;
        let row = |name: &str, (Shares { title, lexical }, ndcg10): &(Shares, f64)| {
            format!("{name}: nDCG@10 {ndcg10:.3} (title_share {title}, lexical_share {lexical})\n")
        };
        let gain = format!("{:+.3}, standard error {:.3}", choice.gain, choice.error);
        let verdict = if self.is_better() {
            format!("better by {gain}: put into specialist.toml")
        } else {
            format!("not better beyond chance ({gain}): keep the current setting")
        };
        let Shares { title, lexical } = self.chosen();
        format!(
            "questions: {questions}, {left_out} left out without ids of this corpus's passages\n{}{}\
             {verdict}\n\ntitle_share = {title:?}\nlexical_share = {lexical:?}",
            row("current", current),
            row("best", best),
        )
    }

    fn json(&self) -> String {
        let Self { questions, left_out, choice, current, best } = self;
        // By their shortest decimal form: 0.1, not what it is as a double.
        let shares = |Shares { title, lexical }: Shares| -> (f64, f64) {
            let short = |share: f32| share.to_string().parse().unwrap_or_else(|_| f64::from(share));
            (short(title), short(lexical))
        };
        let row = |(its, ndcg10): &(Shares, f64)| {
            let (title_share, lexical_share) = shares(*its);
            json!({ "title_share": title_share, "lexical_share": lexical_share, "ndcg10": ndcg10 })
        };
        let (title_share, lexical_share) = shares(self.chosen());
        json!({
            "questions": questions,
            "left_out": left_out,
            "current": row(current),
            "best": row(best),
            "gain": choice.gain,
            "standard_error": choice.error.is_finite().then_some(choice.error),
            "title_share": title_share,
            "lexical_share": lexical_share,
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(rows: &[&[f64]]) -> Vec<Vec<Quality>> {
        let quality = |ndcg10: &f64| Quality { ndcg10: *ndcg10, mrr10: 0.0, recall5: 0.0 };
        rows.iter().map(|row| row.iter().map(quality).collect()).collect()
    }

    #[test]
    fn only_what_is_better_beyond_chance_is_chosen() {
        let chosen = |rows: &[&[f64]], current| {
            let judged = judged(rows);
            let choice = choose(&judged.iter().map(Vec::as_slice).collect::<Vec<_>>(), current);
            (choice.setting, choice.best)
        };
        assert_eq!(chosen(&[&[0.5, 0.9, 0.6], &[0.5, 0.8, 0.9]], 0), (1, 1));
        assert_eq!(chosen(&[&[0.5, 0.9], &[0.5, 0.2], &[0.5, 0.5]], 0), (0, 1), "within chance");
        assert_eq!(chosen(&[&[0.1, 0.9]], 0), (0, 1), "one question says nothing");
        assert_eq!(chosen(&[&[0.5, 0.5], &[0.5, 0.5]], 1), (1, 1), "the current one of equals");
    }

    #[test]
    fn lines_to_put_into_the_settings_are_printed() {
        let tried = [Shares { title: 0.4, lexical: 0.1 }, Shares { title: 0.2, lexical: 0.05 }];
        let better = Fitted::of(&judged(&[&[0.5, 0.9], &[0.5, 0.8]]), &tried, 0, 3);
        assert!(better.text().ends_with("\n\ntitle_share = 0.2\nlexical_share = 0.05"), "{}", better.text());
        assert!(better.json().contains("\"lexical_share\":0.05,"), "{}", better.json());
        let same = Fitted::of(&judged(&[&[0.5, 0.9], &[0.5, 0.1]]), &tried, 0, 3);
        assert!(same.text().ends_with("\n\ntitle_share = 0.4\nlexical_share = 0.1"), "{}", same.text());
        assert!(same.text().contains("keep the current"), "{}", same.text());
    }

    #[test]
    fn a_line_amiss_is_named_and_not_quoted() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "{\"query\": \"a\"}\n\n{\"secret\": 1}\n").unwrap();
        let said = read(file.path()).unwrap_err().to_string();
        assert!(said.contains("line 3") && !said.contains("secret"), "{said}");
        fs::write(file.path(), "{\"query\": \"a\", \"kind\": \"b\"}\n").unwrap();
        assert!(read(file.path()).unwrap()[0].gold_ids.is_empty());
    }
}
