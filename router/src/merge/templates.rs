//! All words that the router ever adds to an answer.

use super::{Difference, Speaker};
use crate::route::Foreign;

/// Before the words of everybody but the first; `name` is an institution's or a domain's.
pub(super) fn heading(name: &str) -> String {
    format!("\n\n**{name}**\n\n")
}

/// After the words that a source carries.
pub(super) fn mark(number: usize) -> String {
    format!(" [{number}]")
}

/// In place of the words of `name`, all of which or part of which repeat what stands above; `sources` are
/// the numbers of its own.
pub(super) fn agrees(name: &str, whole: bool, sources: &[usize]) -> String {
    let what = if whole { "says the same" } else { "says part of this too" };
    format!("\n\n*{name} {what}*{}", sources.iter().map(|number| mark(*number)).collect::<String>())
}

/// After words that differ from others above; `one` and `other` are sources or names.
pub(super) fn differ(one: &str, other: &str, differences: &[Difference]) -> String {
    let name = |difference: &Difference| match difference {
        Difference::Numbers => "numbers",
        Difference::Units => "units",
        Difference::Dates => "dates",
        Difference::Negation => "negation",
    };
    let names: Vec<&str> = differences.iter().map(name).collect();
    format!("\n\n*{one} and {other} differ in {}.*", names.join(", "))
}

/// After words that were to go on.
pub(super) fn broke_off(speaker: &Speaker) -> String {
    format!("\n\n*{} broke off here: the words above are incomplete.*", speaker.title)
}

/// When nobody covers the question, which may be in a `foreign` language; `considered` come best first.
pub fn abstention(considered: &[Speaker], foreign: Option<&Foreign>) -> String {
    if considered.is_empty() {
        return "No specialist is registered with this router yet, so nobody can answer.".to_owned();
    }
    let language = foreign.map(language).unwrap_or_default();
    format!("No specialist here covers this question.{language} Considered: {}.", names(considered))
}

/// How to ask in place of a question that the encoder does not understand.
fn language(foreign: &Foreign) -> String {
    let Foreign { language, covered } = foreign;
    let covered: Vec<&str> = covered.iter().map(|language| language.name()).collect();
    format!(
        " It seems to be in {}, and this router's encoder covers {}: please ask again in {}.",
        language.name(),
        covered.join(" and "),
        covered.join(" or "),
    )
}

/// Before the words of the general specialist.
pub fn general() -> String {
    "No specialist here covers this question, so the general one is asked.".to_owned()
}

/// When whoever could be asked was left out or is disabled.
pub fn left_out(considered: &[Speaker]) -> String {
    format!("Nobody is left to ask. Left out or disabled: {}.", names(considered))
}

/// When whoever covers the question asks for consent that the asker has not given.
pub fn consent_missing(asking: &[Speaker]) -> String {
    format!(
        "Nobody was asked yet: before your question goes there, you have to agree that it is seen by: {}.",
        names(asking)
    )
}

/// When nobody answers, and `saying` say that their corpus holds no answer.
pub fn no_answer(saying: &[Speaker]) -> String {
    format!("Nothing in their texts answers this question, by their own word: {}.", names(saying))
}

fn names(speakers: &[Speaker]) -> String {
    let names = speakers.iter().map(|speaker| format!("{} ({})", speaker.title, speaker.institution));
    names.collect::<Vec<_>>().join(", ")
}
