//! Exams of made-up specialists, each field around an axis of its own.

use prost::Message;
use proto::{Digest, Pooling, Prototype, Prototypes, PublishedCard, Space, UnitVector, wire};
use registry::{PrototypeOrigin, exam::Unrelated};

use super::{
    routing::{Titles, examine},
    *,
};
use crate::route::{Background, ByPrototypes, Calibration, FilledIn, Line, Policy, Rules, Strength};

/// Fields, and directions in which the passages of a field differ.
const FIELDS: usize = 16;
const SIDES: usize = 16;

/// Where nobody is.
const NOWHERE: usize = 15;

fn space() -> Space {
    let weights = Digest::of("test");
    let dimension = FIELDS + SIDES;
    Space { encoder: "test".into(), weights, pooling: Pooling::Mean, prefix: String::new(), dimension }
}

/// The `n`th point of `field`: a cosine of 0.77 or more with its field's others, at most 0.23 with the rest.
fn point(field: usize, n: usize) -> Prototype {
    let mut numbers = vec![0.0; FIELDS + SIDES];
    numbers[field] = 1.0;
    numbers[FIELDS + n % SIDES] += 0.5;
    numbers[FIELDS + (n / SIDES + 5 * n + 3) % SIDES] += 0.2;
    Prototype { vector: UnitVector::scale(numbers).unwrap(), passage_count: 5 }
}

/// A word for `field`: as near to its points as they are to each other.
fn title(field: usize) -> UnitVector {
    let mut numbers = vec![0.0; FIELDS + SIDES];
    numbers[field] = 1.0;
    numbers[NOWHERE - 1] = 0.8;
    UnitVector::scale(numbers).unwrap()
}

/// A specialist that made `made`, and whose card lists `examples`.
fn specialist(id: &str, made: Vec<Prototype>, examples: &[Prototype]) -> Registration {
    let points = made.into_iter().chain(examples.iter().cloned()).collect();
    let prototypes = Prototypes { space: space(), points, revision: "1".into() };
    let registration = Registration::made_up(id, prototypes).unwrap();
    let card = wire::Card::decode(registration.card.bytes()).unwrap();
    let example_questions = (0..examples.len()).map(|n| format!("question {n}")).collect();
    let card = wire::Card { example_questions, ..card };
    Registration { card: Arc::new(PublishedCard::publish(&card).unwrap()), ..registration }
}

/// One of `field`, with twenty prototypes and five example questions from the `from`th on.
fn honest(id: &str, field: usize, from: usize) -> Registration {
    let made = (from..from + 20).map(|n| point(field, n)).collect();
    let examples: Vec<_> = (from + 20..from + 25).map(|n| point(field, n)).collect();
    specialist(id, made, &examples)
}

fn fleet(standing: impl IntoIterator<Item = Registration>) -> registry::Snapshot {
    let empty = registry::Snapshot::empty(Arc::new(space())).unwrap();
    standing.into_iter().fold(empty, |fleet, one| fleet.with(Arc::new(one)).unwrap())
}

/// Six honest ones, `field-0` to `field-5`.
fn six() -> registry::Snapshot {
    fleet((0..6).map(|field| honest(&format!("field-{field}"), field, 0)))
}

/// Refused is who has less than 0.5 above half of the background's; asked is who has a fifth of the softmax.
fn calibration() -> Calibration {
    Calibration {
        temperature: 0.05,
        miss_max: 0.8,
        by_prototypes: ByPrototypes { slope: 100.0, background_weight: 0.5, offset: -50.0 },
        strength: Strength { nearness: 20.0, covered: 0.0, titled: 0.0, familiar: 0.0 },
        filled_in: FilledIn {
            nearness: Line { offset: 0.0, slope: 1.0 },
            ..Calibration::default().filled_in
        },
        ..Calibration::default()
    }
}

fn rules(general: Option<&str>) -> Rules {
    let general = general.map(|id| id.parse().unwrap());
    let background = Background::new(vec![point(NOWHERE, 0).vector]);
    Rules {
        policy: Policy { general, ..Policy::default() },
        calibration: Arc::new(calibration()),
        background,
    }
}

fn exam_of(newcomer: &Registration, snapshot: &registry::Snapshot) -> Exam {
    examine(&rules(None), snapshot, &Titles::new(), newcomer).unwrap()
}

fn overlaps(exam: &Exam) -> Vec<(&str, bool)> {
    exam.overlaps.iter().map(|overlap| (overlap.id.as_str(), overlap.neighbour)).collect()
}

/// Nothing of the twenty prototypes and five example questions of so many.
fn nothing_of(specialists: usize) -> Unrelated {
    let of = |each: usize| Share { asked: specialists * each, taken: 0 };
    Unrelated { specialists, questions: of(5), prototypes: of(20) }
}

/// A thousand prototypes of all fields, as public as those of the others.
fn stuffing() -> Vec<Prototype> {
    (0..1_000).map(|n| point(n % 6, n / 6)).collect()
}

#[test]
fn a_new_field_is_welcome_and_takes_nothing() {
    let exam = exam_of(&honest("new", 7, 0), &six());
    assert_eq!((exam.own.asked, exam.own.led, exam.own.uncovered), (5, 5, 0));
    assert_eq!(exam.unrelated, nothing_of(6));
    assert!(exam.overlaps.is_empty() && !exam.is_refused(), "{exam:?}");
}

#[test]
fn a_second_institution_of_a_field_is_welcome_and_its_overlap_is_reported() {
    let exam = exam_of(&honest("second", 2, 8), &six());
    assert_eq!(overlaps(&exam), [("field-2", true)]);
    assert!(exam.overlaps[0].taken > 0 && exam.overlaps[0].asked == 25, "{exam:?}");
    assert_eq!(exam.unrelated, nothing_of(5));
    assert!(!exam.is_refused());
}

#[test]
fn the_seventh_institution_of_a_field_is_as_welcome_as_the_second() {
    let same = (0..6).map(|n| honest(&format!("same-{n}"), 2, 25 * n));
    let others = [honest("field-0", 0, 0), honest("field-1", 1, 0)];
    let exam = exam_of(&honest("seventh", 2, 150), &fleet(same.chain(others)));
    assert!(exam.overlaps.len() == 6 && exam.overlaps.iter().all(|overlap| overlap.neighbour), "{exam:?}");
    assert_eq!(exam.unrelated, nothing_of(2));
}

#[test]
fn who_is_stuffed_is_refused_whatever_its_examples_are() {
    let of_its_own: Vec<_> = (0..5).map(|n| point(7, n)).collect();
    let of_one: Vec<_> = (40..45).map(|n| point(2, n)).collect();
    let of_each: Vec<_> = (0..6).map(|field| point(field, 50)).collect();
    for (examples, neighbours) in [(&of_its_own[..], 0), (&of_one, 1), (&of_each, 0), (&[], 0)] {
        let exam = exam_of(&specialist("stuffed", stuffing(), examples), &six());
        assert!(exam.is_refused(), "{exam:?}");
        assert_eq!(exam.overlaps.iter().filter(|overlap| overlap.neighbour).count(), neighbours);
        assert_eq!(exam.overlaps.len(), 6);
        // What is welcome comes last, so that a reader sees first what it is refused for.
        assert!(exam.overlaps.iter().map(|overlap| overlap.neighbour).is_sorted());
        let said = Foreign::of(&exam).to_string();
        assert!(said.contains(" of field-") && said.matches("field-").count() == NAMED_MAX, "{said}");
    }
}

#[test]
fn nobody_knows_their_own_question_by_heart() {
    let stray = [point(NOWHERE - 1, 0)];
    let exam = exam_of(&specialist("new", vec![point(7, 0), point(7, 1)], &stray), &six());
    assert_eq!((exam.own.asked, exam.own.led, exam.own.uncovered), (1, 0, 1));
    // An example that belongs to somebody else goes there.
    let foreign = [point(3, 60)];
    let exam = exam_of(&specialist("new", vec![point(7, 0), point(7, 1)], &foreign), &six());
    assert_eq!((exam.own.led, overlaps(&exam)), (0, vec![("field-3", true)]));
    assert_eq!(exam.overlaps[0].lost, 1);
}

#[test]
fn who_lists_no_examples_is_near_those_that_its_prototypes_are_near() {
    let made = (8..28).map(|n| point(2, n)).collect();
    let exam = exam_of(&specialist("second", made, &[]), &six());
    assert_eq!((exam.own.asked, overlaps(&exam)), (0, vec![("field-2", true)]));
    assert!(!exam.is_refused());
}

#[test]
fn texts_that_the_router_embedded_stand_behind_the_examples() {
    let points = (0..4).map(|n| point(7, n)).chain([point(2, 40)]).collect();
    let of_texts = specialist("new", points, &[]);
    let card = wire::Card::decode(of_texts.card.bytes()).unwrap();
    let example_questions = (0..4).map(|n| format!("question {n}")).collect();
    let card = PublishedCard::publish(&wire::Card { example_questions, ..card }).unwrap();
    let of_texts = Registration { card: Arc::new(card), origin: PrototypeOrigin::Router, ..of_texts };
    let exam = exam_of(&of_texts, &six());
    assert_eq!((exam.own.asked, exam.own.led), (4, 4));
}

#[test]
fn an_earlier_revision_of_its_own_is_not_in_its_way() {
    let exam = exam_of(&honest("field-2", 2, 3), &six());
    assert_eq!((exam.own.led, exam.unrelated.specialists), (5, 5));
    assert!(exam.overlaps.is_empty(), "{exam:?}");
}

#[test]
fn who_is_disabled_or_general_has_nothing_to_lose() {
    let out = Registration { enabled: false, ..honest("field-0", 0, 0) };
    let snapshot = fleet([out, honest("field-1", 1, 0), honest("field-2", 2, 0)]);
    let stuffed = specialist("stuffed", stuffing(), &[]);
    let exam = examine(&rules(Some("field-1")), &snapshot, &Titles::new(), &stuffed).unwrap();
    let asked = exam.overlaps.iter().map(|overlap| overlap.asked).sum::<usize>();
    assert_eq!((asked, exam.overlaps[0].id.as_str()), (25, "field-2"));

    let general = examine(&rules(Some("stuffed")), &snapshot, &Titles::new(), &stuffed).unwrap();
    assert_eq!(general, Exam { general: true, ..Exam::default() });
}

#[test]
fn questions_of_a_large_fleet_are_few_for_each() {
    let crowd = (0..200).map(|n| honest(&format!("one-{n}"), n % 6, n % 7));
    let exam = exam_of(&honest("new", 7, 0), &fleet(crowd));
    let Unrelated { specialists, questions, prototypes } = exam.unrelated;
    assert_eq!((specialists, questions.asked + prototypes.asked), (200, 200 * (4_096 / 200)));
}

#[test]
fn a_few_keywords_that_miss_every_prototype_are_seen_by_what_people_wrote() {
    let titles: Titles =
        (0..6).map(|field| (format!("field-{field}").parse().unwrap(), title(field))).collect();
    let words: Vec<_> = (0..6).map(|field| Prototype { vector: title(field), passage_count: 0 }).collect();
    let stuffed = specialist("stuffed", words, &[]);
    let exam = examine(&rules(None), &six(), &titles, &stuffed).unwrap();
    let Unrelated { questions, prototypes, .. } = exam.unrelated;
    assert_eq!((prototypes, questions), (nothing_of(6).prototypes, Share { asked: 36, taken: 6 }));
    assert!(exam.is_refused());
    let honest = examine(&rules(None), &six(), &titles, &honest("new", 7, 0)).unwrap();
    assert_eq!(honest.unrelated.questions, Share { asked: 36, taken: 0 });
}
