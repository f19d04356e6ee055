//! What is said of answers.

use std::{collections::BTreeMap, time::Duration};

use router::ask::Reason;
use serde::Serialize;
use specialist::bench::Shares;

use super::{Beside, Case, judge::Held, shares::Chosen};
use crate::{
    measures::detection::auroc,
    statistics::Estimate,
    trial::{FOLDS, SEED},
};

/// An answer is worse than another where its ROUGE-L is less by more than this.
const WORSE: f64 = 0.01;

/// What was measured on.
pub(super) struct Setting {
    pub(super) engine: String,
    pub(super) corpora: usize,
    pub(super) passages: usize,
    pub(super) left_out: usize,
    pub(super) shares: Chosen,
    pub(super) central: Shares,
    pub(super) corpora_sha256: BTreeMap<String, String>,
    pub(super) queries_sha256: BTreeMap<String, String>,
}

/// How good the answers of a federation are.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    version: &'static str,
    /// What decides which part a question falls into, and how many parts there are.
    seed: u64,
    folds: usize,
    engine: String,
    corpora: usize,
    passages: usize,
    /// Questions that belong to somebody, those of them whose passages are known, and those that belong to
    /// nobody.
    questions: usize,
    known: usize,
    outside: usize,
    left_out: usize,
    #[serde(flatten)]
    measures: Measures,
    /// How often a question that belongs to somebody has more assurance than one that does not: the
    /// router's confidence times the support of the best passage of its best candidate.
    refusal_auroc: Estimate,
    /// The same of those whose passages are known alone.
    refusal_auroc_known: Estimate,
    /// The share of nobody's questions that nobody answers.
    outside_refused: Estimate,
    /// nDCG@10 of one index over all corpora, less that of the federation: below 0 where the federation finds
    /// more.
    federation_loss: Estimate,
    beside: Others,
    /// Milliseconds from a question's arrival, one at a time: to a specialist's first words, and to the end.
    first_words_ms: Times,
    end_ms: Times,
    /// From the decision to a specialist's first words, less what these take in its own process: what network,
    /// dispatch and merge cost, where the right specialist speaks first.
    lead_delay_ms: Times,
    by_domain: BTreeMap<String, Part>,
    by_kind: BTreeMap<String, Part>,
    /// For each part the shares of title and words that the other parts chose, and those of the one index,
    /// which all together chose.
    shares: BTreeMap<String, Vec<(f32, f32)>>,
    one_index_shares: (f32, f32),
    corpora_sha256: BTreeMap<String, String>,
    queries_sha256: BTreeMap<String, String>,
}

/// What is measured of some questions. All but `answered` and `traced` are over those whose passages are known.
#[derive(Debug, Serialize)]
struct Measures {
    /// The share of all of somebody's that somebody answers.
    answered: Estimate,
    /// Of the passages of the two specialists that routing puts first, as the router ranks them.
    ndcg10: Estimate,
    mrr10: Estimate,
    recall5: Estimate,
    /// Of the specialists' words with the nearest of the passages; 0 without an answer.
    rouge_l: Estimate,
    similarity: Estimate,
    /// Of those that cite anything.
    citation_precision: Estimate,
    citation_recall: Estimate,
    /// The share of the characters of all answers with a specialist's words that a citation traces to the same
    /// bytes of the corpus.
    traced: Estimate,
}

/// Some of the questions.
#[derive(Debug, Serialize)]
struct Part {
    questions: usize,
    known: usize,
    #[serde(flatten)]
    measures: Measures,
}

/// What else was tried on the questions whose passages are known.
#[derive(Debug, Serialize)]
struct Others {
    one_index_ndcg10: Estimate,
    /// ROUGE-L.
    one_index: Estimate,
    right_specialist_alone: Estimate,
    words_alone: Estimate,
    first_passage: Estimate,
    random_passage: Estimate,
    /// The share of questions where the right specialist alone says clearly better than the merged answer,
    /// and where the merged answer does.
    alone_better: Estimate,
    merged_better: Estimate,
}

#[derive(Debug, Serialize)]
struct Times {
    p50: f64,
    p95: f64,
    p99: f64,
}

impl Figures {
    pub(super) fn of(setting: Setting, cases: &[Case]) -> Self {
        let (inside, outside): (Vec<&Case>, Vec<&Case>) =
            cases.iter().partition(|case| case.asked.own().is_some());
        let beside: Vec<Beside> = inside.iter().filter_map(|case| case.beside).collect();
        let shares = |shares: &Shares| (shares.title, shares.lexical);
        let assurance = |case: &&Case| case.told.confidence * case.support.max(0.0);
        let refusing = |inside: &[&Case]| {
            let (inside, outside): (Vec<f64>, Vec<f64>) =
                (inside.iter().map(assurance).collect(), outside.iter().map(assurance).collect());
            Estimate::bootstrap(&inside, &outside, auroc)
        };
        let known: Vec<&Case> = inside.iter().copied().filter(|case| case.beside.is_some()).collect();
        let refused: Vec<f64> = outside.iter().map(|case| f64::from(u8::from(!case.is_answered()))).collect();
        let loss = mean_of(&beside, |its| its.central.ndcg10 - its.ranked.ndcg10);
        Self {
            version: env!("CARGO_PKG_VERSION"),
            seed: SEED,
            folds: FOLDS,
            engine: setting.engine,
            corpora: setting.corpora,
            passages: setting.passages,
            questions: inside.len(),
            known: known.len(),
            outside: outside.len(),
            left_out: setting.left_out,
            measures: Measures::of(&inside),
            refusal_auroc: refusing(&inside),
            refusal_auroc_known: refusing(&known),
            outside_refused: mean(&refused),
            federation_loss: loss,
            beside: Others::of(&beside, &known),
            first_words_ms: Times::of(inside.iter().filter_map(|case| case.told.first_words)),
            end_ms: Times::of(inside.iter().map(|case| case.told.end)),
            lead_delay_ms: Times::of(known.iter().filter_map(|case| case.lead_delay())),
            by_domain: parts(&inside, |case| &case.asked.domain),
            by_kind: parts(&inside, |case| &case.asked.kind),
            shares: setting
                .shares
                .iter()
                .map(|(name, own)| (name.clone(), own.iter().map(shares).collect()))
                .collect(),
            one_index_shares: shares(&setting.central),
            corpora_sha256: setting.corpora_sha256,
            queries_sha256: setting.queries_sha256,
        }
    }

    pub(super) fn table(&self) -> String {
        let Self { engine, corpora, passages, questions, known, outside, measures, beside, .. } = self;
        let mut out = format!(
            "{engine}: {corpora} specialists, {passages} passages; {questions} questions of somebody's, \
             {known} of them with known passages, {outside} of nobody's; {} left out\n95 % intervals\n\n",
            self.left_out
        );
        let rows = [
            ("answered", &measures.answered),
            ("nDCG@10", &measures.ndcg10),
            ("MRR@10", &measures.mrr10),
            ("recall@5", &measures.recall5),
            ("ROUGE-L", &measures.rouge_l),
            ("similarity", &measures.similarity),
            ("citation precision", &measures.citation_precision),
            ("citation recall", &measures.citation_recall),
            ("traced", &measures.traced),
            ("refusal AUROC", &self.refusal_auroc),
            ("  of known ones", &self.refusal_auroc_known),
            ("nobody's refused", &self.outside_refused),
            ("federation loss", &self.federation_loss),
            ("one index: nDCG@10", &beside.one_index_ndcg10),
            ("one index: ROUGE-L", &beside.one_index),
            ("right one alone", &beside.right_specialist_alone),
            ("  clearly better", &beside.alone_better),
            ("  clearly worse", &beside.merged_better),
            ("words alone", &beside.words_alone),
            ("first passage", &beside.first_passage),
            ("random passage", &beside.random_passage),
        ];
        for (name, estimate) in rows {
            out += &format!("{name:20}{}\n", shown(estimate));
        }
        let times = [
            ("first words", &self.first_words_ms),
            ("end", &self.end_ms),
            ("lead's delay", &self.lead_delay_ms),
        ];
        for (name, Times { p50, p95, p99 }) in times {
            out += &format!("{name:20}p50 {p50:.1} ms, p95 {p95:.1}, p99 {p99:.1}\n");
        }
        for (name, parts) in [("domain", &self.by_domain), ("kind", &self.by_kind)] {
            let width = parts.keys().map(String::len).max().unwrap_or_default().max(name.len());
            let head =
                ["answered", "ROUGE-L", "nDCG@10", "cited right"].map(|name| format!("{name:26}")).concat();
            out += &format!("\n{name:width$}  questions  known  {}\n", head.trim_end());
            for (name, Part { questions, known, measures }) in parts {
                let Measures { answered, rouge_l, ndcg10, citation_precision, .. } = measures;
                let row = [answered, rouge_l, ndcg10, citation_precision].map(shown).concat();
                out += &format!("{name:width$}  {questions:>9}  {known:>5}  {}\n", row.trim_end());
            }
        }
        out
    }
}

impl Case {
    /// Whether a specialist says anything.
    pub(super) fn is_answered(&self) -> bool {
        matches!(self.told.reason, Some(Reason::Answered | Reason::Incomplete))
    }

    /// What the way to the right specialist and back costs its first words, where it speaks first.
    fn lead_delay(&self) -> Option<Duration> {
        let first = self.told.spans.iter().find_map(|span| span.specialist())?;
        let alone = self.beside?.single_first_words?;
        let spoke = self.told.first_words?.saturating_sub(self.told.decided);
        (first.as_str() == self.asked.domain).then(|| spoke.saturating_sub(alone))
    }
}

impl Measures {
    fn of(cases: &[&Case]) -> Self {
        let held: Vec<(&Held, Beside)> =
            cases.iter().filter_map(|case| Some((case.judged.held.as_ref()?, case.beside?))).collect();
        let answered: Vec<f64> = cases.iter().map(|case| f64::from(u8::from(case.is_answered()))).collect();
        let precision: Vec<f64> = held.iter().filter_map(|(held, _)| held.citation_precision).collect();
        let traced: Vec<(usize, usize)> = cases.iter().filter_map(|case| case.judged.traced).collect();
        Self {
            answered: mean(&answered),
            ndcg10: mean_of(&held, |(_, beside)| beside.ranked.ndcg10),
            mrr10: mean_of(&held, |(_, beside)| beside.ranked.mrr10),
            recall5: mean_of(&held, |(_, beside)| beside.ranked.recall5),
            rouge_l: mean_of(&held, |(held, _)| held.rouge_l),
            similarity: mean_of(&held, |(held, _)| held.similarity),
            citation_precision: mean(&precision),
            citation_recall: mean_of(&held, |(held, _)| held.citation_recall),
            traced: share(&traced),
        }
    }
}

impl Others {
    fn of(beside: &[Beside], known: &[&Case]) -> Self {
        let against = |is_better: fn(f64, f64) -> bool| {
            let better = |case: &&Case| {
                let (merged, alone) = (case.judged.held.as_ref()?.rouge_l, case.beside?.single);
                Some(f64::from(u8::from(is_better(merged, alone))))
            };
            mean(&known.iter().filter_map(better).collect::<Vec<_>>())
        };
        Self {
            one_index_ndcg10: mean_of(beside, |its| its.central.ndcg10),
            one_index: mean_of(beside, |its| its.index),
            right_specialist_alone: mean_of(beside, |its| its.single),
            words_alone: mean_of(beside, |its| its.words),
            first_passage: mean_of(beside, |its| its.first),
            random_passage: mean_of(beside, |its| its.random),
            alone_better: against(|merged, alone| merged < alone - WORSE),
            merged_better: against(|merged, alone| merged > alone + WORSE),
        }
    }
}

impl Times {
    fn of(times: impl Iterator<Item = Duration>) -> Self {
        let mut times: Vec<f64> = times.map(|time| time.as_secs_f64() * 1e3).collect();
        times.sort_by(f64::total_cmp);
        let at = |percent: usize| {
            let place = (times.len() * percent / 100).min(times.len().saturating_sub(1));
            times.get(place).copied().unwrap_or(f64::NAN)
        };
        Self { p50: at(50), p95: at(95), p99: at(99) }
    }
}

fn parts<'a>(cases: &[&'a Case], name: impl Fn(&'a Case) -> &'a String) -> BTreeMap<String, Part> {
    let mut groups: BTreeMap<String, Vec<&Case>> = BTreeMap::new();
    for case in cases {
        groups.entry(name(case).clone()).or_default().push(case);
    }
    let part = |cases: Vec<&Case>| Part {
        questions: cases.len(),
        known: cases.iter().filter(|case| case.beside.is_some()).count(),
        measures: Measures::of(&cases),
    };
    groups.into_iter().map(|(name, cases)| (name, part(cases))).collect()
}

fn shown(Estimate { value, low, high }: &Estimate) -> String {
    if value.is_nan() {
        format!("{:26}", "-")
    } else {
        format!("{:26}", format!("{value:.3} ({low:.3} to {high:.3})"))
    }
}

fn mean_of<T>(items: &[T], value: impl Fn(&T) -> f64) -> Estimate {
    mean(&items.iter().map(value).collect::<Vec<_>>())
}

/// The mean of `values`, with its interval.
#[expect(clippy::cast_precision_loss, reason = "counts of questions")]
fn mean(values: &[f64]) -> Estimate {
    if values.is_empty() {
        return Estimate::NONE;
    }
    Estimate::bootstrap(values, &[], |values, _: &[()]| values.iter().sum::<f64>() / values.len() as f64)
}

/// The share that the first counts are of the second, with its interval.
#[expect(clippy::cast_precision_loss, reason = "counts of characters")]
fn share(counts: &[(usize, usize)]) -> Estimate {
    if counts.is_empty() {
        return Estimate::NONE;
    }
    Estimate::bootstrap(counts, &[], |counts, _: &[()]| {
        let (part, whole) = counts.iter().fold((0, 0), |(part, whole), its| (part + its.0, whole + its.1));
        part as f64 / whole as f64
    })
}
