//! Health, card and prototypes against the contract.

use prost::Message;
use proto::{Card, Evidence, Invalid, Prototypes, PublishedCard, Space, wire};
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;

use super::{Finding, Record, Reply, Rule, Unanswered, spelled};

/// The findings on everything but answers.
pub(super) fn judge(record: &Record) -> Vec<Finding> {
    vec![
        health(record.health),
        card(record),
        card_bytes(&record.cards),
        prototypes(record),
        revision(record),
        one_prototype(&record.one_prototype),
        other_space(record.other_space),
        route_by(record),
        probes(record),
    ]
}

fn health(reply: Reply<i32>) -> Finding {
    let rule = Rule::Health;
    match reply.map(ServingStatus::try_from) {
        Ok(Ok(ServingStatus::Serving)) => Finding::passed(rule, "SERVING"),
        Ok(Ok(status)) => Finding::failed(rule, format!("says {}", status.as_str_name())),
        Ok(Err(_)) => Finding::failed(rule, "says what is no serving status"),
        Err(Unanswered::Status(Code::Unimplemented)) => {
            Finding::failed(rule, "grpc.health.v1.Health is not served")
        }
        Err(Unanswered::Status(Code::NotFound)) => {
            Finding::failed(rule, "does not know consilium.v1.SpecialistService")
        }
        Err(unanswered) => unanswered.finding(rule),
    }
}

/// The first card that came.
fn shown(record: &Record) -> Reply<&Vec<u8>> {
    record.cards.iter().flatten().next().ok_or_else(|| {
        let why = record.cards.iter().find_map(|reply| reply.as_ref().err());
        why.copied().unwrap_or(Unanswered::NoTime)
    })
}

fn card(record: &Record) -> Finding {
    let bytes = match shown(record) {
        Ok(bytes) => bytes,
        Err(unanswered) => return unanswered.finding(Rule::Card),
    };
    let faults = faults(bytes);
    if faults.is_empty() {
        return Finding::passed(Rule::Card, format!("{} bytes, every field within its bounds", bytes.len()));
    }
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    Finding::failed(Rule::Card, faults.join("; "))
}

/// Every field that is wrong with a card, where reading it names only the first.
fn faults(bytes: &[u8]) -> Vec<Invalid> {
    let Err(first) = PublishedCard::read(bytes.to_vec()) else { return Vec::new() };
    let Ok(card) = wire::Card::decode(bytes) else { return vec![first] };
    let fields = one_by_one(card).into_iter().filter_map(|card| Card::try_from(card).err());
    let mut faults: Vec<_> = fields.map(|invalid| invalid.within("card")).collect();
    if !faults.contains(&first) {
        faults.insert(0, first);
    }
    faults
}

/// A sound card for each field of `card`, with that field in it.
fn one_by_one(card: wire::Card) -> [wire::Card; 19] {
    let one = || "x".to_owned();
    let sound = wire::Card {
        specialist_id: one(),
        title: one(),
        institution: one(),
        description: one(),
        license: one(),
        public_endpoint: "http://x:1".to_owned(),
        generator: one(),
        revision: one(),
        ..wire::Card::default()
    };
    // Taken apart in full, so that a new field fails the build here.
    let wire::Card {
        specialist_id,
        title,
        institution,
        description,
        example_questions,
        sample_texts,
        license,
        notice,
        public_endpoint,
        generator,
        revision,
        passage_count: _,
        asks_consent: _,
        probing: _,
        title_share,
        history_turns_max,
        public_key,
        weights_openness: _,
        data_openness: _,
        intended_use,
        retention,
        weights_sha256,
        data_sha256,
        passages_root,
    } = card;
    [
        wire::Card { specialist_id, ..sound.clone() },
        wire::Card { title, ..sound.clone() },
        wire::Card { institution, ..sound.clone() },
        wire::Card { description, ..sound.clone() },
        wire::Card { example_questions, ..sound.clone() },
        wire::Card { sample_texts, ..sound.clone() },
        wire::Card { license, ..sound.clone() },
        wire::Card { notice, ..sound.clone() },
        wire::Card { public_endpoint, ..sound.clone() },
        wire::Card { generator, ..sound.clone() },
        wire::Card { revision, ..sound.clone() },
        wire::Card { title_share, ..sound.clone() },
        wire::Card { history_turns_max, ..sound.clone() },
        wire::Card { public_key, ..sound.clone() },
        wire::Card { intended_use, ..sound.clone() },
        wire::Card { retention, ..sound.clone() },
        wire::Card { weights_sha256, ..sound.clone() },
        wire::Card { data_sha256, ..sound.clone() },
        wire::Card { passages_root, ..sound },
    ]
}

fn card_bytes(cards: &[Reply<Vec<u8>>]) -> Finding {
    let rule = Rule::CardBytes;
    let mut came: Vec<&Vec<u8>> = Vec::new();
    for reply in cards {
        match reply {
            Ok(bytes) => came.push(bytes),
            Err(_) if came.is_empty() => return Finding::unexamined(rule, "no card came"),
            Err(unanswered) => return unanswered.finding(rule),
        }
    }
    let pairs = || came.windows(2);
    let changed = |pair: &[&Vec<u8>]| pair[0] != pair[1];
    let in_silence = |pair: &[&Vec<u8>]| changed(pair) && revision_of(pair[0]) == revision_of(pair[1]);
    if pairs().any(in_silence) {
        Finding::failed(rule, "the bytes change from call to call, and the revision does not")
    } else if pairs().all(changed) {
        Finding::failed(rule, "the revision changes with every call")
    } else {
        Finding::passed(rule, "the same bytes as long as the revision is the same")
    }
}

fn revision_of(card: &[u8]) -> Option<String> {
    wire::Card::decode(card).ok().map(|card| card.revision)
}

/// Whether a refusal means that it has no vectors of the space.
fn declines(unanswered: Unanswered) -> Option<Code> {
    match unanswered {
        Unanswered::Status(code @ (Code::Unimplemented | Code::FailedPrecondition)) => Some(code),
        _ => None,
    }
}

/// The finding on a call that brought no prototypes.
fn none_came(unanswered: Unanswered, rule: Rule) -> Finding {
    match declines(unanswered) {
        Some(code) => Finding::passed(rule, format!("declined with {}", spelled(code))),
        None => unanswered.finding(rule),
    }
}

fn prototypes(record: &Record) -> Finding {
    let rule = Rule::Prototypes;
    let response = match &record.prototypes {
        Ok(response) => response,
        Err(unanswered) => return none_came(*unanswered, rule),
    };
    let faults = prototype_faults(response, &record.space, record.prototypes_max);
    if faults.is_empty() {
        let count = response.prototypes.len();
        return Finding::passed(rule, format!("{count} unit vectors of {} numbers", record.space.dimension));
    }
    Finding::failed(rule, faults.join("; "))
}

fn prototype_faults(response: &wire::PrototypesResponse, asked: &Space, max: usize) -> Vec<String> {
    let mut faults = Vec::new();
    let space = response.space.clone().and_then(|space| Space::try_from(space).ok());
    if space.is_some_and(|space| space != *asked) {
        faults.push("space: is not the one that was asked for".to_owned());
    }
    if let Err(invalid) = Prototypes::try_from(response.clone()) {
        faults.push(invalid.to_string());
    }
    let count = response.prototypes.len();
    if count > max {
        faults.push(format!("prototypes: has {count} entries, where {max} were asked for"));
    }
    faults
}

fn revision(record: &Record) -> Finding {
    let rule = Rule::PrototypesRevision;
    let response = match &record.prototypes {
        Ok(response) => response,
        Err(unanswered) if declines(*unanswered).is_some() => {
            return Finding::passed(rule, "no prototypes are made");
        }
        Err(_) => return Finding::unexamined(rule, "no prototypes came"),
    };
    let mut revisions = record.cards.iter().flatten().filter_map(|card| revision_of(card)).peekable();
    if revisions.peek().is_none() {
        Finding::unexamined(rule, "no card came that names one")
    } else if revisions.any(|revision| revision == response.revision) {
        Finding::passed(rule, "the card's")
    } else {
        Finding::failed(rule, "revision: is not the card's")
    }
}

fn one_prototype(reply: &Reply<wire::PrototypesResponse>) -> Finding {
    let rule = Rule::PrototypesMax;
    match reply {
        Ok(response) if response.prototypes.len() > 1 => {
            let count = response.prototypes.len();
            Finding::failed(rule, format!("prototypes: has {count} entries, where one was asked for"))
        }
        Ok(_) => Finding::passed(rule, "no more than one, where one was asked for"),
        Err(unanswered) => none_came(*unanswered, rule),
    }
}

fn other_space(reply: Reply<usize>) -> Finding {
    let rule = Rule::OtherSpace;
    match reply {
        Ok(count) => Finding::failed(
            rule,
            format!("{count} prototypes came, where FAILED_PRECONDITION or UNIMPLEMENTED is due"),
        ),
        Err(unanswered) => none_came(unanswered, rule),
    }
}

fn route_by(record: &Record) -> Finding {
    let rule = Rule::RouteBy;
    let made = record.prototypes.as_ref().map_or(0, |response| response.prototypes.len());
    let card = shown(record).ok().and_then(|bytes| wire::Card::decode(bytes.as_slice()).ok());
    let texts = card.as_ref().map(|card| (card.example_questions.len(), card.sample_texts.len()));
    match (made, texts) {
        (1.., None) => Finding::passed(rule, format!("{made} prototypes")),
        (0, None) => Finding::unexamined(rule, "neither prototypes nor a card came"),
        (0, Some((0, 0))) => {
            Finding::failed(rule, "neither prototypes nor example questions nor sample texts")
        }
        (_, Some((questions, samples))) => {
            let what = format!("{made} prototypes, {questions} example questions, {samples} sample texts");
            Finding::passed(rule, what)
        }
    }
}

fn probes(record: &Record) -> Finding {
    let rule = Rule::Probes;
    let card = shown(record).ok().and_then(|bytes| wire::Card::decode(bytes.as_slice()).ok());
    let Some(card) = card else { return Finding::unexamined(rule, "no card came that says whether") };
    let probing = card.probing();
    if probing == wire::Probing::Unspecified {
        return Finding::passed(rule, "the card takes none");
    }
    let response = match &record.probe {
        Ok(response) => *response,
        Err(unanswered) => return unanswered.finding(rule),
    };
    match Evidence::try_from(response) {
        Err(invalid) => Finding::failed(rule, invalid.to_string()),
        Ok(evidence) if probing == wire::Probing::Vector && evidence.wording.is_some() => {
            Finding::failed(rule, "wording: is there, and the card takes no terms")
        }
        Ok(_) => Finding::passed(rule, "evidence within its bounds"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::fleet::conformance::tests::{verdict, with};

    #[test]
    fn health_and_card_are_judged() {
        verdict(|record| record.health = Ok(2), &["health: says NOT_SERVING"]);
        verdict(
            |record| record.health = Err(Unanswered::Status(Code::Unimplemented)),
            &["health: grpc.health.v1.Health is not served"],
        );
        let poor = with(|card| (card.title, card.license) = (String::new(), "\u{1b}".into()));
        verdict(
            |record| record.cards = vec![Ok(poor); 3],
            &[
                "card: card.title: has 0 characters, where 1 to 120 are allowed; \
                 card.license: holds a control character",
                "(statement)",
                "(passage-paths)",
                "(possession)",
            ],
        );
        verdict(
            |record| record.cards = vec![Ok(b"no card".to_vec()); 3],
            &[
                "card: card: is not a serialized consilium.v1.Card",
                "(prototypes-revision)",
                "(probes)",
                "(statement)",
                "(passage-paths)",
                "(possession)",
            ],
        );
        verdict(
            |record| record.cards = vec![Err(Unanswered::TooLate(Duration::from_secs(10))); 3],
            &[
                "card: no reply came within 10 s",
                "(card-bytes)",
                "(prototypes-revision)",
                "(probes)",
                "(statement)",
                "(passage-paths)",
                "(possession)",
            ],
        );
        verdict(
            |record| record.cards[1] = Ok(with(|card| card.notice = "n".into())),
            &["card-bytes: the bytes change from call to call, and the revision does not"],
        );
        let revised = |revision: &str| Ok(with(|card| card.revision = revision.into()));
        // A corpus may change once while one looks.
        verdict(|record| record.cards[2] = revised("2"), &[]);
        verdict(
            |record| record.cards[1..].clone_from_slice(&[revised("2"), revised("3")]),
            &["card-bytes: the revision changes with every call"],
        );
    }

    #[test]
    fn a_probe_is_answered_within_bounds_where_the_card_takes_any() {
        let judged = |probing, nearness, covered: Option<f32>, expected: &[&str]| {
            let wording = covered.map(|covered| wire::Wording { covered, titled: 0.0, familiar: -1.0 });
            let change = |record: &mut Record| {
                record.cards = vec![Ok(with(|card| card.set_probing(probing))); 3];
                record.probe = Ok(wire::ProbeResponse { nearness, wording });
            };
            verdict(change, expected);
        };
        let (terms, vector) = (wire::Probing::Terms, wire::Probing::Vector);
        judged(terms, 0.5, Some(1.0), &[]);
        judged(vector, 0.5, None, &[]);
        judged(vector, 0.5, Some(1.0), &["probes: wording: is there, and the card takes no terms"]);
        judged(terms, f32::NAN, None, &["probes: nearness: is NaN, where -1 to 1 is allowed"]);
    }
}
