//! What was asked and said in one call, as both of its ends see it: the specialist signs it, the router holds
//! what was signed to what it heard.

use prost::Message as _;
use proto::{
    Digest, PublishedCard,
    wire::{
        AnswerRequest, AnswerResponse, Citation, Generation, MerklePath, Outcome, Passage, Signed, Statement,
        StatementCitation, answer_response::Event,
    },
};

use crate::commitment::Salt;

/// One call so far. It grows with the events that it hears: whoever feeds it bounds them.
#[derive(Debug, Clone)]
pub struct Transcript {
    salt: Salt,
    request_id: String,
    request: Vec<u8>,
    answer: String,
    /// The names of the passages, and each without its similarity.
    passages: Vec<(String, Vec<u8>)>,
    citations: Vec<StatementCitation>,
    outcome: Outcome,
    signed: Option<Signed>,
    paths: Vec<MerklePath>,
}

/// A statement that says something else than what was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its statement has another {0} than what was asked and said")]
pub struct Mismatch(pub &'static str);

/// The commitments to a call, as statement and receipt carry them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commitments {
    /// To the request.
    pub request: Digest,
    /// To the answer.
    pub answer: Digest,
    /// To each passage.
    pub passages: Vec<Digest>,
}

/// A passage as it is committed to and as a leaf of its corpus: without its similarity, which is a question's.
pub fn passage_bytes(passage: &Passage) -> Vec<u8> {
    Passage { similarity: 0.0, ..passage.clone() }.encode_to_vec()
}

impl Commitments {
    /// The commitments under a call's `salt`.
    pub fn new<'a>(
        salt: &Salt,
        request: &[u8],
        answer: &str,
        passages: impl Iterator<Item = &'a [u8]>,
    ) -> Self {
        let passage = |(at, bytes): (usize, &[u8])| salt.commit(&format!("passage/{at}"), bytes);
        Self {
            request: salt.commit("request", request),
            answer: salt.commit("answer", answer.as_bytes()),
            passages: passages.enumerate().map(passage).collect(),
        }
    }
}

impl Transcript {
    /// The call that begins with `request`, whose salt this is.
    pub fn new(request: &AnswerRequest, salt: Salt) -> Self {
        Self {
            salt,
            request_id: request.request_id.clone(),
            request: request.encode_to_vec(),
            answer: String::new(),
            passages: Vec::new(),
            citations: Vec::new(),
            outcome: Outcome::Unspecified,
            signed: None,
            paths: Vec::new(),
        }
    }

    /// Takes down the next event, which keeps the contract.
    pub fn hear(&mut self, response: &AnswerResponse) {
        match &response.event {
            Some(Event::Passage(passage)) => {
                self.passages.push((passage.passage_id.clone(), passage_bytes(passage)));
            }
            Some(Event::Words(words)) => {
                let start = self.answer.len();
                self.answer.push_str(&words.text);
                let cited = words.citation.as_ref().and_then(|citation| self.cited(start, citation));
                self.citations.extend(cited);
            }
            Some(Event::Done(done)) => {
                self.outcome = done.outcome();
                self.signed.clone_from(&done.statement);
                self.paths.clone_from(&done.paths);
            }
            Some(Event::Heartbeat(_)) | None => {}
        }
    }

    fn cited(&self, start: usize, citation: &Citation) -> Option<StatementCitation> {
        let passage = self.passages.iter().position(|(id, _)| *id == citation.passage_id)?;
        Some(StatementCitation {
            answer_start_bytes: count(start),
            answer_end_bytes: count(self.answer.len()),
            passage: count(passage),
            start_bytes: citation.start_bytes,
            end_bytes: citation.end_bytes,
        })
    }

    /// The request as it was sent.
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// All words so far.
    pub fn answer(&self) -> &str {
        &self.answer
    }

    /// The passages so far, each without its similarity.
    pub fn passages(&self) -> impl Iterator<Item = &[u8]> {
        self.passages.iter().map(|(_, bytes)| bytes.as_slice())
    }

    /// The place of the passage with this name.
    pub fn passage(&self, passage_id: &str) -> Option<usize> {
        self.passages.iter().position(|(id, _)| id == passage_id)
    }

    /// Where the passages stand in their corpus, by the specialist's word.
    pub fn paths(&self) -> &[MerklePath] {
        &self.paths
    }

    /// What the specialist signed, where it did.
    pub fn signed(&self) -> Option<&Signed> {
        self.signed.as_ref()
    }

    /// The commitments to it.
    pub fn commitments(&self) -> Commitments {
        Commitments::new(&self.salt, &self.request, &self.answer, self.passages())
    }

    /// What the specialist with `card` has to sign.
    pub fn statement(&self, card: &PublishedCard, generation: Generation) -> Statement {
        let Commitments { request, answer, passages } = self.commitments();
        let (bytes, says) = (|digest: Digest| digest.as_bytes().to_vec(), card.card());
        let optional = |digest: Option<Digest>| digest.map(bytes).unwrap_or_default();
        Statement {
            specialist_id: says.id.to_string(),
            card_sha256: bytes(card.digest()),
            request_id: self.request_id.clone(),
            request: bytes(request),
            answer: bytes(answer),
            outcome: self.outcome.into(),
            passages: passages.into_iter().map(bytes).collect(),
            citations: self.citations.clone(),
            weights_sha256: optional(says.weights_sha256),
            data_sha256: optional(says.data_sha256),
            passages_root: optional(says.passages_root),
            passage_count: says.passage_count,
            generation: Some(generation),
        }
    }

    /// Whether `statement` is about this call and says what was heard.
    pub fn check(&self, statement: &Statement) -> Result<(), Mismatch> {
        let Commitments { request, answer, passages } = self.commitments();
        let same = |digests: &[Vec<u8>]| digests.iter().eq(passages.iter().map(Digest::as_bytes));
        let checks = [
            ("request id", statement.request_id == self.request_id),
            ("request", statement.request == request.as_bytes()),
            ("answer", statement.answer == answer.as_bytes()),
            ("outcome", statement.outcome() == self.outcome),
            ("passage", same(&statement.passages)),
            ("citation", statement.citations == self.citations),
        ];
        let wrong = checks.iter().find(|(_, holds)| !holds);
        wrong.map_or(Ok(()), |(what, _)| Err(Mismatch(what)))
    }
}

/// Answers and passages are bounded far below `u32::MAX`.
fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proto::wire::{Card, Done, Words};

    use super::*;

    fn response(event: Event) -> AnswerResponse {
        AnswerResponse { event: Some(event) }
    }

    fn passage(similarity: f32) -> Event {
        Event::Passage(Passage {
            passage_id: "p".into(),
            text: "Mars is red.".into(),
            similarity,
            ..Default::default()
        })
    }

    fn words(text: &str) -> Event {
        let citation = Citation { passage_id: "p".into(), start_bytes: 0, end_bytes: 4 };
        Event::Words(Words { text: text.into(), citation: Some(citation) })
    }

    fn done() -> Event {
        Event::Done(Done { outcome: Outcome::Answered.into(), ..Default::default() })
    }

    fn heard(request_id: &str, events: [Event; 4]) -> Transcript {
        let request = AnswerRequest { request_id: request_id.into(), ..Default::default() };
        let mut transcript = Transcript::new(&request, Salt::read(&[1; 32]).unwrap());
        for event in events {
            transcript.hear(&response(event));
        }
        transcript
    }

    fn statement() -> Statement {
        let card = Card {
            specialist_id: "a".into(),
            title: "A".into(),
            institution: "B".into(),
            description: "C".into(),
            license: "MIT".into(),
            public_endpoint: "http://x:1".into(),
            generator: "scripted".into(),
            revision: "1".into(),
            ..Default::default()
        };
        let said = heard("r", [passage(0.5), words("Mars"), words(" is red."), done()]);
        said.statement(&PublishedCard::publish(&card).unwrap(), Generation::default())
    }

    #[test]
    fn both_ends_agree_on_what_was_said() {
        let heard = heard("r", [passage(0.25), words("Mars"), words(" is red."), done()]);
        assert_eq!(heard.check(&statement()), Ok(()), "whatever the similarity");
        let second = StatementCitation {
            answer_start_bytes: 4,
            answer_end_bytes: 12,
            passage: 0,
            start_bytes: 0,
            end_bytes: 4,
        };
        assert_eq!(statement().citations[1], second);
    }

    #[test]
    fn what_was_not_said_is_named() {
        let mismatch = |transcript: Transcript| transcript.check(&statement()).unwrap_err().0;
        let said = || [passage(0.5), words("Mars"), words(" is red."), done()];
        assert_eq!(mismatch(heard("other", said())), "request id");
        let [passage, mars, red, done] = said();
        let other = [passage.clone(), mars.clone(), words(" is blue"), done.clone()];
        assert_eq!(mismatch(heard("r", other)), "answer");
        let other =
            Event::Passage(Passage { passage_id: "p".into(), text: "Mars".into(), ..Default::default() });
        assert_eq!(mismatch(heard("r", [other, mars.clone(), red.clone(), done.clone()])), "passage");
        let uncited = Event::Words(Words { text: " is red.".into(), citation: None });
        assert_eq!(mismatch(heard("r", [passage.clone(), mars.clone(), uncited, done])), "citation");
        let failed = Event::Done(Done { outcome: Outcome::NoAnswer.into(), ..Default::default() });
        assert_eq!(mismatch(heard("r", [passage, mars, red, failed])), "outcome");
    }
}
