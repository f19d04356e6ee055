//! An admission exam in words.

use proto::{
    Card,
    wire::{
        self,
        exam::{Answers, Latency, Overlap, Own, Share},
    },
};
use registry::exam::{TAKEN_MIN, TAKEN_ONE_IN};

/// The most overlaps that a person is shown; JSON holds all of them.
const ROWS_MAX: usize = 10;

/// What an exam says of the specialist of `card`, line by line.
pub(super) fn words(exam: &wire::Exam, card: &Card) -> String {
    let mut lines = if exam.general { vec![general()] } else { routing(exam) };
    lines.push(String::new());
    lines.extend(answering(exam.answers.as_ref(), card));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn general() -> String {
    "It is asked what nobody covers, so no question of others comes to it.".to_owned()
}

fn routing(exam: &wire::Exam) -> Vec<String> {
    let Own { asked, led, uncovered } = exam.own.unwrap_or_default();
    let elsewhere = asked.saturating_sub(led).saturating_sub(uncovered);
    let mut lines = vec![match asked {
        0 => "It lists no example questions, so none could be tried.".to_owned(),
        _ => format!(
            "Its own {asked} example questions: {led} come to it, {elsewhere} go to others, \
             {uncovered} are too far from everybody."
        ),
    }];
    lines.push(match exam.unrelated_specialists {
        0 => "Nobody stands yet that it is not related to.".to_owned(),
        others => format!(
            "Of {others} that it is not related to, would take {} questions and titles, and {} prototypes.",
            share(exam.unrelated_questions),
            share(exam.unrelated_prototypes)
        ),
    });
    if exam.refused {
        lines
            .push(format!("Refused: at most 1 in {TAKEN_ONE_IN} is allowed, where {TAKEN_MIN} or more are."));
    }
    if !exam.overlaps.is_empty() {
        lines.push(String::new());
        lines.extend(overlaps(&exam.overlaps));
    }
    lines
}

fn share(share: Option<Share>) -> String {
    let Share { asked, taken } = share.unwrap_or_default();
    format!("{taken} of {asked} ({:.1} %)", 100.0 * f64::from(taken) / f64::from(asked.max(1)))
}

fn overlaps(overlaps: &[Overlap]) -> Vec<String> {
    let mut rows = vec![["SHARES WITH", "FIELD", "TAKES", "LOSES"].map(str::to_owned)];
    rows.extend(overlaps.iter().take(ROWS_MAX).map(|overlap| {
        [
            overlap.specialist_id.clone(),
            if overlap.neighbour { "same" } else { "another" }.to_owned(),
            format!("{} of {}", overlap.taken, overlap.asked),
            overlap.lost.to_string(),
        ]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
    let widths = [0, 1, 2, 3].map(width);
    let line = |row: &[String; 4]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    if overlaps.len() > ROWS_MAX {
        lines.push(format!("and {} more", overlaps.len() - ROWS_MAX));
    }
    lines
}

fn answering(answers: Option<&Answers>, card: &Card) -> Vec<String> {
    let Some(answers) = answers else {
        let why =
            if card.example_questions.is_empty() { "it lists no example questions" } else { "not asked" };
        return vec![format!("Its answers were not examined: {why}.")];
    };
    let Answers { asked, answered, no_answer, cited, broken, .. } = answers;
    let unfinished = asked.saturating_sub(*answered).saturating_sub(*no_answer).saturating_sub(*broken);
    let mut lines = vec![format!(
        "Of {asked} answers {answered} had words, {no_answer} had none to give, {cited} cited a passage, \
         {broken} broke the contract."
    )];
    if unfinished > 0 {
        lines.push(format!("{unfinished} did not come to an end in time."));
    }
    if !answers.first_fault.is_empty() {
        lines.push(format!("The first breach: {}.", answers.first_fault));
    }
    let question = |at: &u32| usize::try_from(*at).ok().and_then(|at| card.example_questions.get(at));
    let unanswered = answers.unanswered.iter().filter_map(question);
    lines.extend(unanswered.map(|question| format!("No answer to its own example: {question}")));
    let times = [("First words", answers.first_words), ("The end", answers.end)];
    lines.extend(times.into_iter().filter_map(|(what, latency)| {
        let Latency { median_ms, longest_ms } = latency?;
        Some(format!("{what} after {median_ms} ms in the median, {longest_ms} ms at most."))
    }));
    lines
}
