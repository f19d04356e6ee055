//! A page of good and bad answers, to be read.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use router::merge::Span;

use super::Case;

/// How many of each sort are shown.
const SHOWN: usize = 15;

/// Writes the page: answers that hold most and least of the known passages, some in between, and those that went
/// wrong, each beside what was to be said.
pub(super) fn write(path: &Path, cases: &[Case]) -> Result<()> {
    let score = |case: &&Case| case.judged.held.as_ref().map_or(0.0, |held| held.rouge_l);
    let mut known: Vec<&Case> = cases.iter().filter(|case| case.judged.held.is_some()).collect();
    known.sort_by(|a, b| score(b).total_cmp(&score(a)));
    let answered = known.iter().copied().filter(|case| case.is_answered());

    let sections = [
        ("Best", spread(answered.clone().take(known.len() / 10).collect())),
        ("Worst", answered.clone().rev().take(SHOWN).collect()),
        ("From best to worst", spread(answered.clone().collect())),
        (
            "Of somebody's, without an answer",
            spread(filtered(cases, |case| case.asked.own().is_some() && !case.is_answered())),
        ),
        (
            "Of nobody's, answered",
            spread(filtered(cases, |case| case.asked.own().is_none() && case.is_answered())),
        ),
        ("Answered by several", spread(filtered(cases, |case| speakers(case) > 1))),
        (
            "Where the right specialist alone says more",
            spread(filtered(cases, |case| {
                case.beside.is_some_and(|beside| beside.single > score(&case) + 0.05)
            })),
        ),
    ];
    let mut page = "# Answers, good and bad\n".to_owned();
    for (title, cases) in sections {
        page += &format!("\n## {title}\n");
        page.extend(cases.into_iter().map(shown));
    }
    fs::write(path, page).with_context(|| format!("cannot write {}: choose another --page", path.display()))
}

fn filtered(cases: &[Case], keeps: impl Fn(&Case) -> bool) -> Vec<&Case> {
    cases.iter().filter(|case| keeps(case)).collect()
}

/// At most [`SHOWN`] of them, evenly.
fn spread(cases: Vec<&Case>) -> Vec<&Case> {
    let step = cases.len().div_ceil(SHOWN).max(1);
    cases.into_iter().step_by(step).collect()
}

fn speakers(case: &Case) -> usize {
    let mut speakers: Vec<_> = case.told.spans.iter().filter_map(|span| span.specialist()).collect();
    speakers.sort_unstable();
    speakers.dedup();
    speakers.len()
}

fn shown(case: &Case) -> String {
    let worth = case.judged.held.as_ref().map_or_else(String::new, |held| {
        format!(", ROUGE-L {:.2}, similarity {:.2}", held.rouge_l, held.similarity)
    });
    let beside =
        case.beside.map_or_else(String::new, |its| format!(", the right one alone {:.2}", its.single));
    let told = &case.told;
    let owners = |span: &Span| match span.specialist() {
        Some(owner) => format!("`{owner}` {}", line(&span.text)),
        None => format!("`router` {}", line(&span.text)),
    };
    let said: String = told.spans.iter().map(|span| format!("- {}\n", owners(span))).collect();
    let sources: String = told
        .sources
        .iter()
        .map(|source| format!("[{}] {} ({})\n", source.number, source.passage.heading(), source.specialist))
        .collect();
    let gold =
        case.gold.as_ref().map_or_else(String::new, |gold| format!("\nTo be said:\n\n> {}\n", line(gold)));
    format!(
        "\n### {}\n\n{}, {}; confidence {:.2}, support {:.2}{worth}{beside}\n\n{said}\n{sources}{gold}",
        line(&case.asked.query),
        case.asked.domain,
        case.asked.kind,
        told.confidence,
        case.support,
    )
}

/// In one line.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
