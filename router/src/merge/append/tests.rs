//! What follows the lead, as a reader sees it.

use std::collections::HashMap;

use proto::{AnswerEvent, Citation, Outcome, Passage, SpecialistId, UnitVector, Words};

use super::super::{
    Agreement, Difference, Disagreement, Input, LeftOut, Measure, Merge, Part, SENTENCES_MAX, Speaker,
};

/// What one says, sentence by sentence, and how well it is supported.
struct Says<'a> {
    institution: &'a str,
    sentences: &'a [&'a str],
    support: f32,
}

const LEAD: Says = Says {
    institution: "Clinic",
    sentences: &["Zinc: take 5 mg. ", "Iron: take it with juice. "],
    support: 0.6,
};

/// Sentences lie together where their first words are the same.
fn lies(sentence: &str) -> UnitVector {
    let first = sentence.split_whitespace().next().unwrap_or_default();
    let mut values = vec![0.0; 256];
    values[first.bytes().fold(0_u8, u8::wrapping_add) as usize] = 1.0;
    UnitVector::scale(values).unwrap()
}

/// Everybody says all they say, citing one passage word for word, and the merge is told how it lies.
fn merged(all: &[Says]) -> (Vec<Part>, Merge) {
    let mut merge = Merge::new();
    for (place, says) in all.iter().enumerate() {
        let (id, institution) = (id(place), says.institution.to_owned());
        merge.join(Speaker { id, title: format!("Title {place}"), institution });
    }
    let mut parts = Vec::new();
    for (place, says) in all.iter().enumerate().rev() {
        let text = says.sentences.concat();
        let mut events = vec![AnswerEvent::Passage(passage(&text))];
        let mut start = 0;
        for sentence in says.sentences {
            let citation = Some(Citation { passage_id: "p".into(), range: start..start + sentence.len() });
            start += sentence.len();
            events.push(AnswerEvent::Words(Words { text: (*sentence).to_owned(), citation }));
        }
        events.push(AnswerEvent::Done(Outcome::Answered));
        parts.extend(events.into_iter().flat_map(|event| merge.on(place, Input::Event(event))));
    }
    let measures: HashMap<usize, Measure> = merge
        .to_measure()
        .into_iter()
        .map(|said| {
            let sentences = said.sentences.iter().map(|sentence| lies(sentence)).collect();
            (said.place, Measure { support: all[said.place].support, sentences })
        })
        .collect();
    parts.extend(merge.append(&measures));
    (parts, merge)
}

fn id(place: usize) -> SpecialistId {
    format!("s{place}").parse().unwrap()
}

fn passage(text: &str) -> Passage {
    Passage {
        id: "p".into(),
        title: String::new(),
        text: text.into(),
        url: String::new(),
        license: String::new(),
        section: String::new(),
        page: None,
        similarity: 0.5,
    }
}

fn text(parts: &[Part]) -> String {
    let spans = parts.iter().filter_map(|part| match part {
        Part::Span(span) => Some(span.text.as_str()),
        _ => None,
    });
    spans.collect()
}

fn agreements(parts: &[Part]) -> Vec<&Agreement> {
    let agreements = parts.iter().filter_map(|part| match part {
        Part::Agreement(agreement) => Some(agreement),
        _ => None,
    });
    agreements.collect()
}

fn disagreements(parts: &[Part]) -> Vec<&Disagreement> {
    let disagreements = parts.iter().filter_map(|part| match part {
        Part::Disagreement(disagreement) => Some(disagreement),
        _ => None,
    });
    disagreements.collect()
}

/// What a second one makes of the lead's answer.
#[track_caller]
fn second(sentences: &[&str], support: f32, expected: &str) -> (Vec<Part>, Merge) {
    let (parts, merge) = merged(&[LEAD, Says { institution: "Museum", sentences, support }]);
    let lead = "Zinc: take 5 mg. Iron: take it with juice.  [1]";
    assert_eq!(text(&parts), format!("{lead}{expected}"));
    (parts, merge)
}

#[test]
fn what_is_new_is_appended_under_its_institutions_name() {
    let (parts, merge) = second(&["Water: drink it."], 0.55, "\n\n**Museum**\n\nWater: drink it. [2]");
    assert!(agreements(&parts).is_empty() && disagreements(&parts).is_empty());
    assert!(merge.left_out().is_empty());
}

#[test]
fn a_title_tells_two_of_one_institution_apart() {
    let (parts, _) =
        merged(&[LEAD, Says { institution: "Clinic", sentences: &["Water: drink it."], support: 0.6 }]);
    assert!(text(&parts).ends_with("\n\n**Title 1**\n\nWater: drink it. [2]"), "{}", text(&parts));
}

#[test]
fn what_repeats_adds_its_source_to_what_it_repeats() {
    let (parts, merge) = second(&["Iron: take it with juice."], 0.6, "\n\n*Museum says the same* [2]");
    let agreement = Agreement { range: 17..42, specialist: id(1), citation: Some((2, 0..25)) };
    assert_eq!(agreements(&parts), [&agreement]);
    assert_eq!(merge.left_out(), [LeftOut { specialist: id(1), repeated: 25, outranked: 0 }]);
}

#[test]
fn what_is_new_is_said_without_what_repeats_around_it() {
    let sentences = ["Zinc: take 5 mg. ", "Water: drink it. ", "Iron: take it with juice."];
    let (parts, merge) = second(&sentences, 0.6, "\n\n**Museum**\n\nWater: drink it. [2]");
    let ranges: Vec<_> = agreements(&parts).iter().map(|agreement| agreement.range.clone()).collect();
    assert_eq!(ranges, [0..16, 17..42]);
    assert_eq!(merge.left_out()[0].repeated, 16 + 25);
    let Part::Span(span) = &parts[parts.len() - 4] else { panic!("{parts:?}") };
    assert_eq!((span.text.as_str(), span.citation.clone()), ("Water: drink it.", Some((2, 17..33))));
}

#[test]
fn paragraphs_stay_apart_where_a_sentence_between_them_is_left_out() {
    let sentences = ["Water: drink it. ", "Zinc: take 5 mg.\n\n", "Juice: it helps."];
    second(&sentences, 0.6, "\n\n**Museum**\n\nWater: drink it. \n\nJuice: it helps. [2]");
}

#[test]
fn a_conflict_is_shown_and_named_and_not_resolved() {
    let expected = "\n\n**Museum**\n\nZinc: take 9 mg. [2]\n\n*[1] and [2] differ in numbers.*";
    // Even where its source supports less.
    for support in [0.6, 0.1] {
        let (parts, _) = second(&["Zinc: take 9 mg."], support, expected);
        let [Disagreement { earlier, later, difference }] = disagreements(&parts)[..] else {
            panic!("{parts:?}")
        };
        let text = text(&parts);
        assert_eq!((&text[earlier.clone()], &text[later.clone()]), ("Zinc: take 5 mg.", "Zinc: take 9 mg."));
        assert_eq!(*difference, Difference::Numbers);
    }
}

#[test]
fn who_is_less_supported_adds_nothing_but_agrees_and_contradicts() {
    let (parts, merge) = second(&["Water: drink it."], 0.5, "");
    assert!(agreements(&parts).is_empty());
    assert_eq!(merge.left_out(), [LeftOut { specialist: id(1), repeated: 0, outranked: 16 }]);
    let sentences = ["Water: drink it. ", "Iron: take it with juice."];
    let (_, merge) = second(&sentences, 0.5, "\n\n*Museum says part of this too* [2]");
    assert_eq!(merge.left_out(), [LeftOut { specialist: id(1), repeated: 25, outranked: 16 }]);
    second(
        &["Water: drink it. ", "Zinc: take 9 mg."],
        0.5,
        "\n\n**Museum**\n\nZinc: take 9 mg. [2]\n\n*[1] and [2] differ in numbers.*",
    );
}

#[test]
fn the_best_supported_follows_first_and_the_next_is_compared_with_it_too() {
    let follows = |institution, sentences, support| Says { institution, sentences, support };
    let (parts, _) = merged(&[
        LEAD,
        follows("Museum", &["Water: drink it."], 0.6),
        follows("School", &["Water: drink it. ", "Juice: it helps."], 0.64),
    ]);
    let expected = "\n\n**School**\n\nWater: drink it. Juice: it helps. [2]\n\n*Museum says the same* [3]";
    assert!(text(&parts).ends_with(expected), "{}", text(&parts));
}

#[test]
fn what_follows_the_sentences_that_are_compared_is_new() {
    let lead = Says { sentences: &["Water: drink it."], ..LEAD };
    let second =
        Says { institution: "Museum", sentences: &["Water: drink it. "; SENTENCES_MAX + 2], support: 0.6 };
    let (parts, merge) = merged(&[lead, second]);
    let expected = "Water: drink it. [1]\n\n**Museum**\n\nWater: drink it. Water: drink it.  [2]";
    assert_eq!(text(&parts), expected);
    assert_eq!(merge.left_out()[0].repeated, 16 * SENTENCES_MAX);
}

#[test]
fn without_a_measure_everything_is_appended_in_the_decisions_order() {
    let mut merge = Merge::new();
    for place in 0..3 {
        merge.join(Speaker { id: id(place), title: String::new(), institution: format!("I{place}") });
    }
    let say = || Input::Event(AnswerEvent::Words(Words { text: "Same.".into(), citation: None }));
    let done = || Input::Event(AnswerEvent::Done(Outcome::Answered));
    let mut parts = Vec::new();
    for place in [2, 0, 1] {
        parts.extend([say(), done()].into_iter().flat_map(|input| merge.on(place, input)));
    }
    parts.extend(merge.append(&HashMap::new()));
    assert_eq!(text(&parts), "Same.\n\n**I1**\n\nSame.\n\n**I2**\n\nSame.");
    assert!(merge.to_measure().is_empty(), "nothing is held any more");
}
