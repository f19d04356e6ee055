//! Other people's routers on the same questions, in a Python process; `eval/peers/route.py` runs them.

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    slice,
};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::progress;

const SCRIPT: &str = include_str!("../../peers/route.py");

/// A question, and the domain that it belongs to; `None` is nobody's.
pub(crate) type Labelled = (String, Option<String>);

/// What peers route by, and what they are asked.
#[derive(Debug, Serialize)]
pub(crate) struct Input {
    /// Folder of the encoder's weights.
    pub(crate) model: PathBuf,
    /// The texts that stand for each domain, which questions are compared with.
    pub(crate) routes: BTreeMap<String, Vec<String>>,
    /// All that each domain has, for those who search in it: titles, perhaps empty, and texts.
    pub(crate) passages: BTreeMap<String, Vec<(String, String)>>,
    /// The share of questions that are nobody's, which settings are chosen for. Without it, as many as there
    /// are in `fit`.
    pub(crate) outside_share: Option<f64>,
    pub(crate) rounds: Vec<Round>,
}

/// Peers choose their settings on some questions, and are then asked others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Round {
    pub(crate) fit: Vec<Labelled>,
    pub(crate) asked: Vec<String>,
}

/// What they said, and who could not be run, with the reason.
#[derive(Debug, Deserialize)]
pub(crate) struct Outcomes {
    pub(crate) peers: Vec<Outcome>,
    pub(crate) left_out: Vec<(String, String)>,
}

/// What one of them said.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Seconds for reading and encoding what it routes by.
    pub(crate) build_s: f64,
    /// Seconds for all rounds.
    pub(crate) rounds_s: f64,
    /// Milliseconds for one question asked alone, its encoding included: the median. Absent where none was
    /// asked.
    pub(crate) route_ms: Option<f64>,
    /// Whether scores are probabilities of being right.
    pub(crate) calibrated: bool,
    pub(crate) rounds: Vec<Answered>,
}

/// What it said in one round.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Answered {
    /// What it chose.
    pub(crate) settings: String,
    /// In the order of what was asked.
    pub(crate) answers: Vec<Answer>,
}

/// Where a question went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// The nearest domain, refused or not; `None` where none is near at all.
    pub(crate) domain: Option<String>,
    /// The more, the surer.
    pub(crate) score: f64,
    /// Whether the question went there: it is refused otherwise.
    pub(crate) accepted: bool,
}

/// A round for each fold: its own questions are asked, and settings chosen on those of all other folds.
/// `folds` has the number of each question's fold, from 0.
pub(crate) fn out_of_fold(questions: &[Labelled], folds: &[usize]) -> Vec<Round> {
    let count = folds.iter().max().map_or(0, |last| last + 1);
    let round = |fold| {
        let (asked, fit): (Vec<_>, Vec<_>) = questions.iter().zip(folds).partition(|(_, of)| **of == fold);
        let fit = fit.into_iter().map(|(question, _)| question.clone());
        Round { fit: fit.collect(), asked: asked.into_iter().map(|((text, _), _)| text.clone()).collect() }
    };
    (0..count).map(round).collect()
}

/// `count` of `texts`, or all where there are fewer, spread evenly over them.
pub(crate) fn spread<T: Clone>(texts: &[T], count: usize) -> Vec<T> {
    let count = count.min(texts.len());
    (0..count).map(|at| texts[at * texts.len() / count].clone()).collect()
}

impl Outcome {
    /// The answers to questions whose rounds are those of [`out_of_fold`], in the order of the questions.
    pub(crate) fn answers(&self, folds: &[usize]) -> Result<Vec<Answer>> {
        let mut rounds: Vec<slice::Iter<Answer>> =
            self.rounds.iter().map(|round| round.answers.iter()).collect();
        let answers = folds.iter().map(|&fold| rounds.get_mut(fold)?.next().cloned()).collect::<Option<_>>();
        answers.with_context(|| format!("{} did not answer every question", self.name))
    }
}

/// Has `python`, which has the packages of `eval/peers/requirements.txt`, run all peers on `input`, one after
/// another. Takes some minutes for thousands of texts.
pub(crate) fn run(python: &Path, input: &Input) -> Result<Outcomes> {
    answered(python, SCRIPT, input)
}

fn answered(program: &Path, script: &str, input: &Input) -> Result<Outcomes> {
    let waiting = progress::waiting("peers encode, choose their settings and route")?;
    let mut process = Command::new(program)
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}: name a Python with --peers", program.display()))?;
    // What goes wrong here is told better by how the process ends.
    let written = process.stdin.take().map(|mut stdin| stdin.write_all(&serde_json::to_vec(input)?));
    let done = process.wait_with_output()?;
    waiting.finish_and_clear();
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        bail!("the peers failed, {}: {}", done.status, said.lines().next_back().unwrap_or("without a word"));
    }
    written.transpose().context("the peers did not read what was asked")?;
    serde_json::from_slice(&done.stdout).context("the peers did not answer as route.py does")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(text: &str, domain: &str) -> Labelled {
        (text.to_owned(), Some(domain.to_owned()))
    }

    /// More than a pipe holds.
    fn input() -> Input {
        let passages = BTreeMap::from([("tax".to_owned(), vec![(String::new(), "a".repeat(1 << 20))])]);
        let (model, routes) = (PathBuf::from("model"), BTreeMap::new());
        Input { model, routes, passages, outside_share: None, rounds: Vec::new() }
    }

    #[test]
    fn no_question_is_asked_of_settings_that_saw_it() {
        let questions = [question("a", "x"), question("b", "y"), ("c".to_owned(), None)];
        let [first, second] = out_of_fold(&questions, &[0, 1, 0]).try_into().unwrap();
        assert_eq!(first.asked, ["a", "c"]);
        assert_eq!(first.fit, [question("b", "y")]);
        assert_eq!(second.asked, ["b"]);
        assert_eq!(second.fit.len(), 2);
    }

    #[test]
    fn answers_stand_in_the_order_of_the_questions() {
        let answer = |domain: &str| Answer { domain: Some(domain.to_owned()), score: 1.0, accepted: true };
        let round = |domains: &[&str]| Answered {
            settings: String::new(),
            answers: domains.iter().map(|domain| answer(domain)).collect(),
        };
        let outcome = Outcome {
            name: "peer".to_owned(),
            version: "1".to_owned(),
            build_s: 0.0,
            rounds_s: 0.0,
            route_ms: None,
            calibrated: false,
            rounds: vec![round(&["a", "c"]), round(&["b"])],
        };
        let answers = outcome.clone().answers(&[0, 1, 0]).unwrap();
        assert_eq!(answers, ["a", "b", "c"].map(answer));
        assert!(outcome.answers(&[0, 1, 1]).unwrap_err().to_string().contains("peer did not answer"));
    }

    #[test]
    fn texts_are_spread_over_all() {
        assert_eq!(spread(&[0, 1, 2, 3, 4, 5], 3), [0, 2, 4]);
        assert_eq!(spread(&[0, 1], 3), [0, 1]);
        assert!(spread::<u8>(&[], 3).is_empty() && spread(&[0], 0).is_empty());
    }

    #[test]
    fn how_it_ends_is_said() {
        let answer = r#"{"peers": [], "left_out": [["BM25", "no module"]]}"#;
        let said = |script: &str| answered(Path::new("/bin/sh"), script, &input());
        let outcomes = said(&format!("cat > /dev/null; echo '{answer}'")).unwrap();
        assert_eq!(outcomes.left_out, [("BM25".to_owned(), "no module".to_owned())]);
        assert!(outcomes.peers.is_empty());
        let error = |script| said(script).unwrap_err().to_string();
        assert!(error("echo 'no such weights' >&2; exit 3").ends_with("no such weights"));
        assert!(error("cat > /dev/null").contains("did not answer"));
        assert!(run(Path::new("/no/python"), &input()).unwrap_err().to_string().contains("--peers"));
    }
}
