//! Ways to route side by side: ours, other people's, and trivial ones that everybody must beat.

use serde::Serialize;

use crate::{
    measures::{
        judged::{Judged, Judgement},
        selective::Accepted,
    },
    peers::route::{Answer, Outcome},
    routed::Routed,
    specialists::Specialists,
    statistics::Estimate,
    texts::Asked,
    trial::{Known, SEED},
};

/// What a confidence promises.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Promise {
    /// The probability that somebody covers the question.
    Covered,
    /// The probability that the best one is right.
    Right,
    /// Nothing but an order.
    Nothing,
}

/// One way to route.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) accuracy: Estimate,
    pub(crate) macro_accuracy: Estimate,
    pub(crate) auroc: Estimate,
    pub(crate) fpr95: Estimate,
    pub(crate) total: Estimate,
    /// Calibration error of what the confidence promises; none where it promises nothing.
    pub(crate) ece: Estimate,
    /// How many are asked for a question of somebody's, refused ones included.
    pub(crate) mean_asked: f64,
    /// For all questions, their encoding included.
    pub(crate) seconds: Option<f64>,
    /// What a peer chose, round by round.
    pub(crate) settings: Vec<String>,
    /// Its risk at each coverage; none where it is as sure of everything.
    #[serde(skip)]
    pub(crate) curve: Vec<Accepted>,
}

impl Row {
    fn of<'a>(
        name: &str,
        judged: impl IntoIterator<Item = Judged<'a>>,
        (prior, promise): (f64, Promise),
    ) -> Self {
        let judged: Vec<Judged> = judged.into_iter().collect();
        let inside = judged.iter().filter(|judged| judged.own.is_some());
        let accepted = inside.clone().filter(|judged| judged.accepted).count();
        let mean_asked = Estimate::share(accepted, inside.count()).value;
        let judgement = Judgement::new(judged, prior);
        Self {
            name: name.to_owned(),
            accuracy: judgement.accuracy(),
            macro_accuracy: judgement.macro_accuracy(),
            auroc: judgement.auroc(),
            fpr95: judgement.fpr95(),
            total: judgement.total(),
            ece: match promise {
                Promise::Covered => judgement.ece(),
                Promise::Right => judgement.ece_of_right(),
                Promise::Nothing => Estimate::NONE,
            },
            mean_asked,
            seconds: None,
            settings: Vec::new(),
            curve: judgement.curve(),
        }
    }

    /// Ours, which took so many seconds.
    #[expect(clippy::cast_precision_loss, reason = "counts of specialists")]
    pub(crate) fn ours(name: &str, routed: &[Routed], prior: f64, seconds: f64) -> Self {
        let inside: Vec<&Routed> = routed.iter().filter(|routed| routed.asked.own().is_some()).collect();
        let asked = inside.iter().map(|routed| routed.asked_count).sum::<usize>();
        Self {
            mean_asked: asked as f64 / inside.len() as f64,
            seconds: Some(seconds),
            ..Self::of(name, routed.iter().map(Routed::judged), (prior, Promise::Covered))
        }
    }

    /// Somebody else's, with its `answers` to `asked`.
    pub(crate) fn peer(outcome: &Outcome, answers: &[Answer], asked: &[Asked], prior: f64) -> Self {
        let promise = if outcome.calibrated { Promise::Right } else { Promise::Nothing };
        let judged = answers.iter().zip(asked).map(|(answer, asked)| answer.judged(asked));
        Self {
            seconds: Some(outcome.rounds_s),
            settings: outcome.rounds.iter().map(|round| round.settings.clone()).collect(),
            ..Self::of(&format!("{} {}", outcome.name, outcome.version), judged, (prior, promise))
        }
    }

    /// Somebody else's that could not be run, and why.
    pub(crate) fn left_out(name: &str, why: String) -> Self {
        let row = Self::of(&format!("{name}, left out"), [], (0.0, Promise::Nothing));
        Self { settings: vec![why], ..row }
    }

    fn line(&self, width: usize) -> String {
        let Self { name, accuracy, macro_accuracy, auroc, fpr95, total, ece, mean_asked, seconds, .. } = self;
        let percents = [accuracy, macro_accuracy, auroc, fpr95, total, ece].map(|estimate| {
            let shown = format!("{:.2}", 100.0 * estimate.value);
            format!("{:>7}", if estimate.value.is_nan() { "-" } else { &shown })
        });
        let seconds = seconds.map_or("-".to_owned(), |seconds| format!("{seconds:.1}"));
        format!("{name:width$} {} {mean_asked:>7.2} {seconds:>8}\n", percents.join(" "))
    }
}

/// One centroid for each specialist, the largest one always, chance, and asking everybody. They refuse nothing.
pub(crate) fn trivial(specialists: &Specialists, asked: &[Asked], known: &[Known], prior: f64) -> Vec<Row> {
    let row = |name: &str, answers: Vec<Answer>| {
        let judged = answers.iter().zip(asked).map(|(answer, asked)| answer.judged(asked));
        Row::of(name, judged, (prior, Promise::Nothing))
    };
    let flat = |name: &str, answers: Vec<Answer>| Row { curve: Vec::new(), ..row(name, answers) };
    let answer = |(domain, score): (&str, f32)| Answer {
        domain: Some(domain.to_owned()),
        score: f64::from(score),
        accepted: true,
    };
    let centroids = specialists.centroids();
    let nearest = |known: &Known| {
        let vector = &known.question.embedding.vector;
        let near = centroids.iter().map(|(id, centroid)| (*id, centroid.cosine(vector)));
        near.max_by(|a, b| a.1.total_cmp(&b.1)).map(answer)
    };
    let sizes: Vec<(&str, usize)> = specialists.passage_counts().collect();
    let largest = sizes.iter().max_by_key(|(_, passages)| *passages).map_or("", |(id, _)| *id);
    let mut random = fastrand::Rng::with_seed(SEED);
    let chance = asked.iter().map(|_| answer((sizes[random.usize(..sizes.len())].0, 0.0))).collect();
    let nobody = asked.iter().map(|_| answer(("", 0.0))).collect();
    #[expect(clippy::cast_precision_loss, reason = "a count of specialists")]
    let everybody = Row {
        accuracy: Estimate::NONE,
        macro_accuracy: Estimate::NONE,
        total: Estimate::NONE,
        mean_asked: sizes.len() as f64,
        ..flat("everybody", nobody)
    };
    vec![
        row("nearest centroid", known.iter().filter_map(nearest).collect()),
        flat("the largest always", asked.iter().map(|_| answer((largest, 0.0))).collect()),
        flat("chance", chance),
        everybody,
    ]
}

/// All of them, one under the other; shares in percent.
pub(super) fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or_default();
    let head = ["top-1", "macro", "AUROC", "FPR95", "total", "ECE", "asked"].map(|name| format!("{name:>7}"));
    let head = format!("\n{:width$} {} {:>8}\n", "side by side, %", head.join(" "), "seconds");
    head + &rows.iter().map(|row| row.line(width)).collect::<String>()
}
