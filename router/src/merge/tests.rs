//! The merge as a reader sees it, and what holds for any interleaving of any streams.

use std::collections::HashMap;

use proptest::prelude::*;
use proto::{AnswerCheck, Outcome, Words, sentences, wire};

use super::*;

fn id(place: usize) -> SpecialistId {
    format!("s{place}").parse().unwrap()
}

fn speaker(place: usize) -> Speaker {
    // The last two are of one institution.
    Speaker { id: id(place), title: format!("T{place}"), institution: format!("I{}", place.min(1)) }
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

/// Feeds `inputs` to a merge of two, and reads out what a reader sees where nothing is measured.
#[track_caller]
fn reads(inputs: Vec<(usize, Input)>, expected: &str, ending: Ending) {
    let mut merge = Merge::new();
    merge.join(speaker(0));
    merge.join(speaker(1));
    let mut parts: Vec<Part> = inputs.into_iter().flat_map(|(place, input)| merge.on(place, input)).collect();
    parts.extend(merge.append(&HashMap::new()));
    assert_eq!((text(&parts).as_str(), merge.ending()), (expected, ending));
}

fn text(parts: &[Part]) -> String {
    spans(parts).map(|span| span.text.as_str()).collect()
}

fn spans(parts: &[Part]) -> impl Iterator<Item = &Span> {
    parts.iter().filter_map(|part| match part {
        Part::Span(span) => Some(span),
        _ => None,
    })
}

#[test]
fn the_lead_streams_and_the_other_follows() {
    reads(
        vec![(1, words("b")), (1, done()), (0, words("a")), (0, done())],
        "a\n\n**I1**\n\nb",
        Ending::Answered,
    );
}

#[test]
fn the_next_in_line_leads_when_the_lead_fails_at_once() {
    let inputs = vec![(1, words("b")), (0, Input::Failed), (1, words("c")), (1, done())];
    reads(inputs, "bc", Ending::Answered);
}

#[test]
fn a_lead_that_breaks_off_is_marked_and_the_next_starts_fresh() {
    let inputs = vec![(0, words("a")), (0, Input::Failed), (1, words("b")), (1, done())];
    let note = "a\n\n*T0 broke off here: the words above are incomplete.*\n\n**I1**\n\nb";
    reads(inputs, note, Ending::Answered);
}

#[test]
fn who_has_nothing_to_say_leaves_no_trace() {
    reads(vec![(0, nothing()), (1, words("b")), (1, done())], "b", Ending::Answered);
    reads(vec![(0, nothing()), (1, nothing())], "", Ending::NoAnswer);
    reads(vec![(0, nothing()), (1, Input::Failed)], "", Ending::NoAnswer);
    reads(vec![(0, Input::Failed), (1, Input::Failed)], "", Ending::Failed);
}

#[test]
fn words_without_an_end_are_incomplete() {
    let note = "a\n\n*T0 broke off here: the words above are incomplete.*";
    reads(vec![(0, words("a")), (0, Input::Failed), (1, Input::Failed)], note, Ending::Incomplete);
}

#[test]
fn a_reserve_leads_when_everybody_else_failed() {
    let mut merge = Merge::new();
    merge.join(speaker(0));
    assert_eq!(merge.on(0, Input::Failed), []);
    let reserve = merge.join(speaker(1));
    assert_eq!(text(&merge.on(reserve, words("b"))), "b");
}

const PLACES: usize = 3;

/// What may come over the network.
#[derive(Debug, Clone)]
enum Sent {
    Event(Option<wire::answer_response::Event>),
    NotUtf8,
    Lost,
}

fn sent() -> impl Strategy<Value = Sent> {
    use wire::answer_response::Event;
    let sentence = prop_oneof![
        Just("Zinc: take 5 mg. ".to_owned()),
        Just("Zinc: take 7 mg. ".to_owned()),
        Just("Zinc: it is not safe. ".to_owned()),
        Just("Iron is healthy.\n\n".to_owned()),
        Just("- Iron: juice\n".to_owned()),
        Just("It helps. ".to_owned()),
        "[a-zé .\n]{1,12}",
    ];
    let passage = |text: String| wire::Passage { passage_id: text.clone(), text, ..Default::default() };
    let whole = |text: String| wire::Citation {
        start_bytes: 0,
        end_bytes: u32::try_from(text.len()).unwrap(),
        passage_id: text,
    };
    let event = |event: Event| Sent::Event(Some(event));
    let done =
        |outcome: wire::Outcome| Event::Done(wire::Done { outcome: outcome.into(), ..Default::default() });
    prop_oneof![
        5 => sentence.clone().prop_map(move |text| event(Event::Passage(passage(text)))),
        5 => sentence.clone().prop_map(move |text| {
            event(Event::Words(wire::Words { citation: Some(whole(text.clone())), text }))
        }),
        9 => sentence.prop_map(move |text| event(Event::Words(wire::Words { text, citation: None }))),
        1 => Just(event(Event::Heartbeat(wire::Heartbeat {}))),
        1 => Just(event(Event::Words(wire::Words { text: String::new(), citation: None }))),
        1 => Just(event(Event::Words(wire::Words { text: "long ".repeat(9_000), citation: None }))),
        1 => Just(Sent::Event(None)),
        1 => Just(Sent::NotUtf8),
        1 => Just(Sent::Lost),
        3 => Just(event(done(wire::Outcome::Answered))),
        1 => Just(event(done(wire::Outcome::NoAnswer))),
    ]
}

/// What of it the merge is told: what `prost` cannot read, and what the check refuses, ends an answer.
fn heard(check: &mut AnswerCheck, sent: Sent) -> Input {
    let bytes = match sent {
        Sent::Lost => return Input::Failed,
        // Words whose text is the byte 0xff.
        Sent::NotUtf8 => vec![0x12, 0x03, 0x0a, 0x01, 0xff],
        Sent::Event(event) => prost::Message::encode_to_vec(&wire::AnswerResponse { event }),
    };
    let read = prost::Message::decode(bytes.as_slice()).ok();
    read.and_then(|response| check.read(response).ok()).map_or(Input::Failed, Input::Event)
}

/// A merge that heard something, and everything there is to know of it.
struct Run {
    merge: Merge,
    parts: Vec<Part>,
    /// All words of each that kept to the contract.
    said: [String; PLACES],
    measures: HashMap<usize, Measure>,
}

/// Sentences lie together where their first words are the same.
fn lies(sentence: &str) -> UnitVector {
    let first = sentence.trim_start_matches("- ").split([' ', ':']).next().unwrap_or_default();
    let mut values = vec![0.0; 256];
    values[usize::from(first.bytes().fold(0_u8, u8::wrapping_add))] = 1.0;
    UnitVector::scale(values).unwrap()
}

fn run(sent: Vec<(usize, Sent)>, supports: Option<[f32; PLACES]>) -> Result<Run, TestCaseError> {
    let mut merge = Merge::new();
    let mut checks = [(); PLACES].map(|()| AnswerCheck::default());
    let (mut over, mut said) = ([false; PLACES], [(); PLACES].map(|()| String::new()));
    (0..PLACES).for_each(|place| assert_eq!(merge.join(speaker(place)), place));
    let mut parts = Vec::new();
    let ends = (0..PLACES).map(|place| (place, Sent::Lost));
    for (place, sent) in sent.into_iter().chain(ends) {
        if std::mem::replace(&mut over[place], true) {
            continue;
        }
        let (input, leads) = (heard(&mut checks[place], sent), merge.lead == Some(place));
        over[place] = matches!(input, Input::Failed | Input::Event(AnswerEvent::Done(_)));
        let words = match &input {
            Input::Event(AnswerEvent::Words(words)) => words.text.clone(),
            _ => String::new(),
        };
        said[place].push_str(&words);
        let now = merge.on(place, input);
        // The lead's words go out as they come.
        prop_assert!(!leads || words.is_empty() || spans(&now).any(|span| span.text == words));
        parts.extend(now);
    }
    let of = |one: Said| {
        let support = supports.map_or(0.0, |supports| supports[one.place]);
        (one.place, Measure { support, sentences: one.sentences.into_iter().map(lies).collect() })
    };
    let measures: HashMap<usize, Measure> = merge.to_measure().into_iter().map(of).collect();
    let measures = if supports.is_some() { measures } else { HashMap::new() };
    parts.extend(merge.append(&measures));
    Ok(Run { merge, parts, said, measures })
}

/// Whether the router may say this.
fn is_own(text: &str, sources: usize) -> bool {
    let names = ["I0", "I1", "T0", "T1", "T2"];
    let marks = |text: &str| {
        let rest =
            (1..=sources).rev().fold(text.to_owned(), |rest, n| rest.replace(&templates::mark(n).text, ""));
        rest.is_empty()
    };
    let differ = |text: &str| {
        let named = |name: &str| {
            names.contains(&name) || (1..=sources).any(|number| templates::mark(number).text.trim() == name)
        };
        let (one, rest) = text.strip_prefix("\n\n*")?.strip_suffix(".*")?.split_once(" and ")?;
        let (other, kinds) = rest.split_once(" differ in ")?;
        let known = |kind: &str| ["numbers", "units", "dates", "negation"].contains(&kind);
        Some(named(one) && named(other) && kinds.split(", ").all(known))
    };
    let agrees = |whole| {
        names
            .iter()
            .any(|name| text.strip_prefix(&templates::agrees(name, whole, &[]).text).is_some_and(marks))
    };
    (!text.is_empty() && marks(text))
        || names.iter().any(|name| text == templates::heading(name).text)
        || (0..PLACES).any(|place| text == templates::broke_off(&speaker(place)).text)
        || agrees(true)
        || agrees(false)
        || differ(text) == Some(true)
}

/// The words of specialists in a range of the answer, and whose they are.
fn owned(parts: &[Part], range: &Range<usize>) -> (String, Vec<SpecialistId>) {
    let (mut words, mut owners) = (String::new(), Vec::new());
    for span in spans(parts).filter(|span| span.specialist().is_some()) {
        let (start, end) = (range.start.max(span.start), range.end.min(span.start + span.text.len()));
        if start < end {
            words.push_str(&span.text[start - span.start..end - span.start]);
            owners.extend(span.specialist().cloned());
        }
    }
    owners.dedup();
    (words, owners)
}

/// Whether `range` is a whole sentence of one specialist.
fn is_sentence(run: &Run, range: &Range<usize>) -> Result<SpecialistId, TestCaseError> {
    let (words, owners) = owned(&run.parts, range);
    prop_assert_eq!(owners.len(), 1, "{:?} has several owners", words);
    let place = (0..PLACES).find(|&place| id(place) == owners[0]).unwrap();
    let said = &run.said[place];
    let whole = sentences(said).into_iter().any(|sentence| said[sentence].trim() == words);
    prop_assert!(whole && !words.is_empty(), "{:?} is no sentence of {:?}", words, said);
    Ok(owners[0].clone())
}

/// What holds of the parts in their order.
fn check_parts(run: &Run) -> Result<(), TestCaseError> {
    let (mut length, mut sources) = (0, Vec::new());
    let all = text(&run.parts);
    for part in &run.parts {
        let citation = match part {
            Part::Source(source) => {
                prop_assert_eq!(source.number, sources.len() + 1);
                sources.push(source);
                None
            }
            Part::Span(span) => {
                prop_assert_eq!(span.start, length);
                length += span.text.len();
                prop_assert!(
                    span.specialist().is_some() || is_own(&span.text, sources.len()),
                    "{:?}",
                    span.text
                );
                span.citation
                    .clone()
                    .map(|citation| (citation, span.text.clone(), span.specialist().cloned()))
            }
            Part::Agreement(Agreement { range, specialist, citation }) => {
                prop_assert!(range.end <= length);
                prop_assert_ne!(&is_sentence(run, range)?, specialist);
                let words = owned(&run.parts, range).0;
                citation.clone().map(|citation| (citation, words, Some(specialist.clone())))
            }
            Part::Disagreement(Disagreement { earlier, later, .. }) => {
                prop_assert!(earlier.end <= later.start && later.end <= length);
                prop_assert_ne!(is_sentence(run, earlier)?, is_sentence(run, later)?);
                prop_assert!(all.get(earlier.clone()).is_some() && all.get(later.clone()).is_some());
                None
            }
        };
        let Some(((number, range), words, owner)) = citation else { continue };
        prop_assert_eq!(Some(&sources[number - 1].specialist), owner.as_ref());
        let cited = sources[number - 1].passage.text.get(range);
        // Who agrees may cite a part of its sentence, and say it in other words.
        let agrees = matches!(part, Part::Agreement(_));
        prop_assert!(
            if agrees { cited.is_some() } else { cited == Some(&words) },
            "{:?}: {:?}",
            cited,
            words
        );
    }
    prop_assert_eq!(length, all.len());
    Ok(())
}

/// Nobody's words are changed or reordered, and none are left out without a reason.
fn check_said(run: &Run, place: usize) -> Result<(), TestCaseError> {
    let (out, _) = owned(
        &run.parts
            .iter()
            .filter(|part| matches!(part, Part::Span(span) if span.specialist() == Some(&id(place))))
            .cloned()
            .collect::<Vec<_>>(),
        &(0..usize::MAX),
    );
    let mut rest = run.said[place].chars();
    prop_assert!(out.chars().all(|c| rest.any(|other| other == c)), "{:?} of {:?}", out, run.said[place]);
    let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).map(char::len_utf8).sum::<usize>();
    let left = run.merge.left_out().iter().find(|left| left.specialist == id(place));
    let Some(LeftOut { repeated, outranked, .. }) = left else {
        prop_assert_eq!(&out, &run.said[place]);
        return Ok(());
    };
    prop_assert!(bare(&run.said[place]) - bare(&out) <= repeated + outranked);
    let agrees = run
        .parts
        .iter()
        .any(|part| matches!(part, Part::Agreement(agreement) if agreement.specialist == id(place)));
    prop_assert!(*repeated == 0 || agrees);
    let best = run.measures.values().map(|measure| measure.support).fold(0.0, f32::max);
    prop_assert!(*outranked == 0 || run.measures[&place].support < 0.9 * best + 1e-6);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn every_character_has_one_owner_whatever_comes_in(
        sent in prop::collection::vec((0..PLACES, sent()), 0..40),
        supports in prop::option::of([0.1_f32..1.0, 0.1_f32..1.0, 0.1_f32..1.0]),
    ) {
        let run = run(sent, supports)?;
        check_parts(&run)?;
        (0..PLACES).try_for_each(|place| check_said(&run, place))?;
    }

    #[test]
    fn of_two_answers_of_usual_length_the_routers_own_words_are_few(
        name in "[A-Za-z]{1,60}", words in 1_usize..400,
    ) {
        // The mark of each, and the heading of the second.
        let own = 2 * templates::mark(1).text.len() + templates::heading(&name).text.len();
        let text = "word ".repeat(words.max(own * 19 / 10 + 1));
        let mut merge = Merge::new();
        merge.join(Speaker { institution: "The first".to_owned(), ..speaker(0) });
        merge.join(Speaker { institution: name, ..speaker(1) });
        let mut check = [(); 2].map(|()| AnswerCheck::default());
        let mut parts = Vec::new();
        for place in [0, 1] {
            use wire::answer_response::Event;
            let passage = wire::Passage { passage_id: "p".into(), text: text.clone(), ..Default::default() };
            let end_bytes = u32::try_from(text.len()).unwrap();
            let citation = Some(wire::Citation { passage_id: "p".into(), start_bytes: 0, end_bytes });
            let done = wire::Done { outcome: wire::Outcome::Answered.into(), ..Default::default() };
            let events = [
                Event::Passage(passage),
                Event::Words(wire::Words { text: text.clone(), citation }),
                Event::Done(done),
            ];
            for event in events {
                let input = heard(&mut check[place], Sent::Event(Some(event)));
                parts.extend(merge.on(place, input));
            }
        }
        parts.extend(merge.append(&HashMap::new()));
        let length = |own: bool| -> usize {
            spans(&parts).filter(|span| span.specialist().is_none() == own).map(|span| span.text.len()).sum()
        };
        prop_assert_eq!((length(true), length(false)), (own, 2 * text.len()));
        prop_assert!(length(true) * 20 <= length(true) + length(false));
    }
}
