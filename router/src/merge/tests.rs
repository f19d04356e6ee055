//! The merge as a reader sees it, and what holds for any interleaving.

use proptest::prelude::*;
use proto::Citation;

use super::*;

fn id(place: usize) -> SpecialistId {
    format!("s{place}").parse().unwrap()
}

fn speaker(place: usize) -> Speaker {
    Speaker { id: id(place), title: format!("T{place}"), institution: format!("I{place}") }
}

fn passage(text: &str) -> Input {
    let passage = Passage {
        id: text.into(),
        title: String::new(),
        text: text.into(),
        url: String::new(),
        license: String::new(),
        section: String::new(),
        page: None,
        similarity: 0.5,
    };
    Input::Event(AnswerEvent::Passage(passage))
}

/// Words that cite all of the passage that is named and reads like them.
fn cited(text: &str) -> Input {
    let citation = Some(Citation { passage_id: text.into(), range: 0..text.len() });
    Input::Event(AnswerEvent::Words(Words { text: text.into(), citation }))
}

fn words(text: &str) -> Input {
    Input::Event(AnswerEvent::Words(Words { text: text.into(), citation: None }))
}

fn done() -> Input {
    Input::Event(AnswerEvent::Done(Outcome::Answered))
}

fn nothing() -> Input {
    Input::Event(AnswerEvent::Done(Outcome::NoAnswer))
}

/// Feeds `inputs` to a merge of two, appends what waits in the order of `ranked`, and reads out
/// what a reader sees.
#[track_caller]
fn reads(inputs: Vec<(usize, Input)>, ranked: &[usize], expected: &str, ending: Ending) {
    let mut merge = Merge::new();
    merge.join(speaker(0));
    merge.join(speaker(1));
    let mut parts: Vec<Part> = inputs.into_iter().flat_map(|(place, input)| merge.on(place, input)).collect();
    parts.extend(merge.append(ranked));
    assert_eq!((text(&parts).as_str(), merge.ending()), (expected, ending));
}

fn text(parts: &[Part]) -> String {
    let spans = parts.iter().filter_map(|part| match part {
        Part::Span(span) => Some(span.text.as_str()),
        Part::Source(_) => None,
    });
    spans.collect()
}

#[test]
fn the_lead_streams_and_the_other_follows() {
    let inputs = vec![
        (1, passage("b")),
        (1, cited("b")),
        (1, done()),
        (0, passage("a")),
        (0, cited("a")),
        (0, done()),
    ];
    reads(inputs, &[1], "a [1]\n\n**T1** (I1)\n\nb [2]", Ending::Answered);
}

#[test]
fn the_next_in_line_leads_when_the_lead_fails_at_once() {
    reads(
        vec![(1, words("b")), (0, Input::Failed), (1, words("c")), (1, done())],
        &[],
        "bc",
        Ending::Answered,
    );
}

#[test]
fn a_lead_that_breaks_off_is_marked_and_the_next_starts_fresh() {
    let inputs = vec![(0, words("a")), (0, Input::Failed), (1, words("b")), (1, done())];
    let note = "a\n\n*T0 broke off here: the words above are incomplete.*\n\n**T1** (I1)\n\nb";
    reads(inputs, &[], note, Ending::Answered);
}

#[test]
fn who_has_nothing_to_say_leaves_no_trace() {
    reads(vec![(0, nothing()), (1, words("b")), (1, done())], &[], "b", Ending::Answered);
    reads(vec![(0, nothing()), (1, nothing())], &[], "", Ending::NoAnswer);
    reads(vec![(0, nothing()), (1, Input::Failed)], &[], "", Ending::NoAnswer);
    reads(vec![(0, Input::Failed), (1, Input::Failed)], &[], "", Ending::Failed);
}

#[test]
fn words_without_an_end_are_incomplete() {
    let note = "a\n\n*T0 broke off here: the words above are incomplete.*";
    reads(vec![(0, words("a")), (0, Input::Failed), (1, Input::Failed)], &[], note, Ending::Incomplete);
}

#[test]
fn a_reserve_leads_when_everybody_else_failed() {
    let mut merge = Merge::new();
    merge.join(speaker(0));
    assert_eq!(merge.on(0, Input::Failed), []);
    let reserve = merge.join(speaker(1));
    assert_eq!(text(&merge.on(reserve, words("b"))), "b");
}

fn inputs() -> impl Strategy<Value = Vec<(usize, Input)>> {
    let input = prop_oneof![
        "[a-zé ]{1,8}".prop_map(|text| passage(&text)),
        "[a-zé ]{1,8}".prop_map(|text| cited(&text)),
        "[a-zé ]{1,8}".prop_map(|text| words(&text)),
        Just(Input::Event(AnswerEvent::Heartbeat)),
        Just(Input::Failed),
        Just(done()),
        Just(nothing()),
    ];
    prop::collection::vec((0..3_usize, input), 0..40)
}

proptest! {
    #[test]
    fn every_character_has_one_owner_whatever_comes_in(inputs in inputs()) {
        let mut merge = Merge::new();
        for place in 0..3 {
            merge.join(speaker(place));
        }
        let mut sent = [const { String::new() }; 3];
        let mut parts = Vec::new();
        for (place, input) in inputs {
            if let Input::Event(AnswerEvent::Words(words)) = &input {
                sent[place].push_str(&words.text);
            }
            parts.extend(merge.on(place, input));
        }
        let waiting: Vec<usize> = merge.waiting().into_iter().map(|(place, _)| place).collect();
        parts.extend(merge.append(&waiting));

        let mut answer = String::new();
        let mut said = [const { String::new() }; 3];
        let mut sources = Vec::new();
        for part in parts {
            match part {
                Part::Source(source) => {
                    prop_assert_eq!(source.number, sources.len() + 1);
                    sources.push(source);
                }
                Part::Span(span) => {
                    prop_assert_eq!(span.start, answer.len());
                    answer.push_str(&span.text);
                    if let Some((number, range)) = span.citation {
                        let source = &sources[number - 1];
                        prop_assert_eq!(Some(&source.specialist), span.specialist.as_ref());
                        prop_assert_eq!(source.passage.text.get(range), Some(span.text.as_str()));
                    }
                    if let Some(place) = (0..3).find(|&place| span.specialist == Some(id(place))) {
                        said[place].push_str(&span.text);
                    }
                }
            }
        }
        // Nobody's words are changed, reordered or left out.
        prop_assert_eq!(said, sent);
    }
}
