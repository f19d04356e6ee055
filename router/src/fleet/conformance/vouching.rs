//! What a specialist signs against the contract: answers, passages and its key.

use audit::{Kind, PublicKey, Salt, merkle, signed};
use prost::Message as _;
use proto::{
    PublishedCard,
    wire::{self, AnswerResponse, Done, answer_response::Event},
};
use tonic::Code;

use super::{Finding, Record, Rule, Unanswered, answer::Transcript, record::ROUTER, spelled};

/// An answer that came to its end, as both of its ends see it.
struct Whole {
    /// Such as "answer 1".
    name: String,
    heard: audit::Transcript,
}

/// The findings on what it signs.
pub(super) fn judge<'a>(record: &Record, answers: impl Iterator<Item = &'a Transcript>) -> Vec<Finding> {
    let cards: Vec<PublishedCard> =
        record.cards.iter().flatten().filter_map(|bytes| PublishedCard::read(bytes.clone()).ok()).collect();
    let Some(card) = cards.first() else {
        let hidden = |rule| Finding::unexamined(rule, "no card came that can be read");
        return [Rule::Statement, Rule::PassagePaths, Rule::Possession].map(hidden).into();
    };
    let whole: Vec<Whole> =
        (1..).zip(answers).filter_map(|(number, answer)| Whole::of(number, answer)).collect();
    let rules =
        [(Rule::Statement, statements(&cards, card, &whole)), (Rule::PassagePaths, paths(&cards, &whole))];
    let judged = rules.into_iter().map(|(rule, judged)| match judged {
        _ if whole.is_empty() => Finding::unexamined(rule, "no answer came to its end"),
        Ok(detail) => Finding::passed(rule, detail),
        Err(detail) => Finding::failed(rule, detail),
    });
    judged.chain([possession(record, card)]).collect()
}

impl Whole {
    fn of(number: usize, answer: &Transcript) -> Option<Self> {
        let mut heard = audit::Transcript::new(&answer.request, Salt::read(&answer.request.salt)?);
        for (_, bytes) in &answer.events {
            let Ok(event) = AnswerResponse::decode(bytes.clone()) else { continue };
            heard.hear(&event);
            if let AnswerResponse { event: Some(Event::Done(Done { .. })) } = event {
                return Some(Self { name: format!("answer {number}"), heard });
            }
        }
        None
    }
}

/// Whether each answer is signed as the card that it names, one of `cards`, says; none where `card` has no key.
fn statements(cards: &[PublishedCard], card: &PublishedCard, whole: &[Whole]) -> Result<String, String> {
    let Some(key) = card.card().public_key else {
        return match whole.iter().find(|answer| answer.heard.signed().is_some()) {
            Some(answer) => Err(format!("{}: is signed, and the card has no key", answer.name)),
            None => Ok("nothing is signed, and the card has no key".to_owned()),
        };
    };
    let key = PublicKey::read(&key).ok_or("card.public_key: is no Ed25519 key")?;
    for Whole { name, heard } in whole {
        let signed = heard.signed().ok_or_else(|| format!("{name}: done.statement: is missing"))?;
        let statement: wire::Statement = signed::open(&key, Kind::Statement, signed)
            .map_err(|error| format!("{name}: done.statement: {error}"))?;
        heard.check(&statement).map_err(|mismatch| format!("{name}: {mismatch}"))?;
        let named = cards.iter().find(|card| card.digest().as_bytes().as_slice() == statement.card_sha256);
        let card = named.ok_or_else(|| format!("{name}: done.statement: names a card that was not shown"))?;
        if heard.statement(card, statement.generation.clone().unwrap_or_default()) != statement {
            return Err(format!(
                "{name}: done.statement: says else than the card that it names, or of no engine"
            ));
        }
    }
    Ok(format!("{} answers, each signed with the key in the card", whole.len()))
}

/// Whether each passage is led to the root in the card; none is where the card has no root.
fn paths(cards: &[PublishedCard], whole: &[Whole]) -> Result<String, String> {
    let mut count = 0;
    for Whole { name, heard } in whole {
        let (paths, sent) = (heard.paths(), heard.passages().count());
        let rooted = cards.iter().any(|card| card.card().passages_root.is_some());
        let due = if rooted { sent } else { 0 };
        if paths.len() != due {
            let found = paths.len();
            return Err(format!("{name}: done.paths: has {found} entries, where {due} are due"));
        }
        for (at, (passage, path)) in heard.passages().zip(paths).enumerate() {
            if !cards.iter().any(|card| leads(card, passage, path)) {
                return Err(format!("{name}: done.paths[{at}]: does not lead to card.passages_root"));
            }
        }
        count += paths.len();
    }
    Ok(format!("{count} passages are led to the card's root"))
}

fn leads(card: &PublishedCard, passage: &[u8], path: &wire::MerklePath) -> bool {
    let says = card.card();
    says.passages_root.is_some_and(|root| merkle::leads(root, says.passage_count, passage, path))
}

fn possession(record: &Record, card: &PublishedCard) -> Finding {
    let rule = Rule::Possession;
    let key = match (card.card().public_key, &record.possession) {
        (None, Err(Unanswered::Status(Code::Unimplemented))) => {
            return Finding::passed(rule, "UNIMPLEMENTED, and the card has no key");
        }
        (None, Err(Unanswered::Status(code))) => {
            let detail = format!("Prove fails with {}, where UNIMPLEMENTED is due", spelled(*code));
            return Finding::failed(rule, detail);
        }
        (None, Ok(_)) => return Finding::failed(rule, "Prove is answered, and the card has no key"),
        (_, Err(unanswered)) => return unanswered.finding(rule),
        (Some(key), Ok(_)) => PublicKey::read(&key),
    };
    let Some(key) = key else { return Finding::failed(rule, "card.public_key: is no Ed25519 key") };
    let signed = record.possession.as_ref().ok().and_then(|response| response.possession.as_ref());
    let Some(signed) = signed else { return Finding::failed(rule, "possession: is missing") };
    let proved = signed::open::<wire::Possession>(&key, Kind::Possession, signed);
    let due = wire::Possession {
        nonce: record.nonce.clone(),
        router: ROUTER.to_owned(),
        specialist_id: card.card().id.to_string(),
        public_key: key.as_bytes().to_vec(),
    };
    match proved {
        Err(error) => Finding::failed(rule, format!("possession: {error}")),
        Ok(proved) if proved != due => {
            Finding::failed(rule, "possession: is not of what was asked, or of another specialist")
        }
        Ok(_) => Finding::passed(rule, "it holds the key in its card"),
    }
}

#[cfg(test)]
mod tests {
    use audit::{SecretKey, merkle::Tree, transcript::passage_bytes};
    use prost::bytes::Bytes;
    use proto::wire::{AnswerRequest, Card, Generation, Outcome, Passage, Words};

    use super::*;
    use crate::fleet::conformance::{
        Verdict,
        tests::{at_once, card, record},
        verdicts,
    };

    /// A record of a specialist that signs, and what is wrong with it.
    struct Signing {
        key: SecretKey,
        card: PublishedCard,
        record: Record,
    }

    fn passage() -> Passage {
        Passage { passage_id: "a".into(), text: "Rust.".into(), similarity: 0.5, ..Default::default() }
    }

    impl Signing {
        fn new() -> Self {
            let key = SecretKey::generate().unwrap();
            let mut tree = Tree::default();
            tree.push(&passage_bytes(&Passage { text: "Other.".into(), ..passage() })).unwrap();
            tree.push(&passage_bytes(&passage())).unwrap();
            let card = PublishedCard::publish(&Card {
                public_key: key.public().as_bytes().to_vec(),
                passages_root: tree.root().unwrap().as_bytes().to_vec(),
                passage_count: 2,
                ..card()
            })
            .unwrap();
            let mut this = Self { key, card, record: record() };
            this.record.cards = vec![Ok(this.card.bytes().to_vec()); 3];
            let possession = wire::Possession {
                nonce: this.record.nonce.clone(),
                router: ROUTER.into(),
                specialist_id: "sound".into(),
                public_key: this.key.public().as_bytes().to_vec(),
            };
            let possession = signed::sign(&this.key, Kind::Possession, possession.encode_to_vec());
            this.record.possession = Ok(wire::ProveResponse { possession: Some(possession) });
            let path = tree.path(1).unwrap().iter().map(|hash| hash.as_bytes().to_vec()).collect();
            let paths = vec![wire::MerklePath { index: 1, hashes: path }];
            let sound = || this.answer("Own.", "Own.", &paths);
            let [one, two, three, four, five] = [sound(), sound(), sound(), sound(), sound()];
            (this.record.alone, this.record.at_once, this.record.after) = (one, [two, three], four);
            this.record.follow_up = Some(five);
            this
        }

        /// An answer of the words `said`, signed as if they were `signed`.
        fn answer(&self, said: &str, signed: &str, paths: &[wire::MerklePath]) -> Transcript {
            let request = AnswerRequest { passages_max: 2, salt: vec![7; 32], ..Default::default() };
            let words = |text: &str| Event::Words(Words { text: text.into(), citation: None });
            let done = Done { outcome: Outcome::Answered.into(), paths: paths.to_vec(), statement: None };
            let events = |text: &str| [Event::Passage(passage()), words(text), Event::Done(done.clone())];
            let mut heard = audit::Transcript::new(&request, Salt::read(&request.salt).unwrap());
            for event in events(signed) {
                heard.hear(&AnswerResponse { event: Some(event) });
            }
            let statement = heard.statement(&self.card, Generation::default()).encode_to_vec();
            let statement = Some(signed::sign(&self.key, Kind::Statement, statement));
            let [passage, words, _] = events(said);
            let sent = [passage, words, Event::Done(Done { statement, ..done })];
            let bytes = |event| Bytes::from(AnswerResponse { event: Some(event) }.encode_to_vec());
            Transcript { request, ..at_once(sent.map(bytes).into()) }
        }

        /// The last event of the answer alone, changed.
        fn ends(mut self, change: impl FnOnce(&mut Done)) -> Self {
            let last = self.record.alone.events.last_mut().unwrap();
            let Some(Event::Done(mut done)) = AnswerResponse::decode(last.1.clone()).unwrap().event else {
                panic!("no done")
            };
            change(&mut done);
            last.1 = AnswerResponse { event: Some(Event::Done(done)) }.encode_to_vec().into();
            self
        }

        #[track_caller]
        fn breaks(&self, expected: &[&str]) {
            let findings = verdicts::judge(&self.record);
            let wrong = findings.iter().filter(|finding| finding.verdict != Verdict::Passed);
            let wrong: Vec<_> = wrong.map(|it| format!("{}: {}", it.rule.name(), it.detail)).collect();
            assert_eq!(wrong, expected);
        }
    }

    #[test]
    fn what_is_signed_is_what_was_said() {
        Signing::new().breaks(&[]);
        let missing = Signing::new().ends(|done| done.statement = None);
        missing.breaks(&["statement: answer 1: done.statement: is missing"]);
        let flipped = Signing::new().ends(|done| done.statement.as_mut().unwrap().signature[0] ^= 1);
        flipped.breaks(&["statement: answer 1: done.statement: the signature does not fit"]);
        let mut lying = Signing::new();
        lying.record.alone = lying.answer("Theirs.", "Own.", lying_paths(&lying));
        lying.breaks(&["statement: answer 1: its statement has another answer than what was asked and said"]);
        let mut other = Signing::new();
        other.record.cards = vec![Ok(Card { notice: "n".into(), ..published(&other) }.encode_to_vec()); 3];
        other.breaks(&["statement: answer 1: done.statement: names a card that was not shown"]);
        let mut keyless = Signing::new();
        keyless.record.cards =
            vec![Ok(Card { public_key: vec![], ..published(&keyless) }.encode_to_vec()); 3];
        keyless.breaks(&[
            "statement: answer 1: is signed, and the card has no key",
            "possession: Prove is answered, and the card has no key",
        ]);
    }

    fn published(signing: &Signing) -> Card {
        Card::decode(signing.card.bytes()).unwrap()
    }

    /// The paths of a sound answer.
    fn lying_paths(signing: &Signing) -> &'static [wire::MerklePath] {
        let heard = Whole::of(1, &signing.record.alone).unwrap().heard;
        heard.paths().to_vec().leak()
    }

    #[test]
    fn paths_lead_to_the_root() {
        let due = "passage-paths: answer 1: done.paths: has 0 entries, where 1 are due";
        Signing::new().ends(|done| done.paths.clear()).breaks(&[due]);
        let astray = "passage-paths: answer 1: done.paths[0]: does not lead to card.passages_root";
        Signing::new().ends(|done| done.paths[0].index = 0).breaks(&[astray]);
        Signing::new().ends(|done| done.paths[0].hashes[0][5] ^= 1).breaks(&[astray]);
    }

    #[test]
    fn the_key_is_proved() {
        let mut replayed = Signing::new();
        replayed.record.nonce = vec![8; 32];
        replayed.breaks(&["possession: possession: is not of what was asked, or of another specialist"]);
        let mut silent = Signing::new();
        silent.record.possession = Err(Unanswered::Status(Code::Unimplemented));
        silent.breaks(&["possession: the call failed with UNIMPLEMENTED"]);
        let mut empty = Signing::new();
        empty.record.possession = Ok(wire::ProveResponse::default());
        empty.breaks(&["possession: possession: is missing"]);
    }
}
