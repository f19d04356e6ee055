//! All words that the router ever adds to an answer.

use super::Speaker;

/// Before the words of everybody but the first.
pub(super) fn heading(speaker: &Speaker) -> String {
    format!("\n\n**{}** ({})\n\n", speaker.title, speaker.institution)
}

/// After the words that a source carries.
pub(super) fn mark(number: usize) -> String {
    format!(" [{number}]")
}

/// After words that were to go on.
pub(super) fn broke_off(speaker: &Speaker) -> String {
    format!("\n\n*{} broke off here: the words above are incomplete.*", speaker.title)
}

/// When nobody covers the question; `considered` come best first.
pub fn abstention(considered: &[Speaker]) -> String {
    if considered.is_empty() {
        return "No specialist is registered with this router yet, so nobody can answer.".to_owned();
    }
    format!("No specialist here covers this question. Considered: {}.", names(considered))
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
