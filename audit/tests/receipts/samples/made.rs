//! The receipt that follows from a plan, before the router signs it.

use audit::{
    Base64, Kind, Salt, Transcript,
    bundle::{OpenCall, OpenPassage, Opening, Path},
    merkle::Tree,
    signed,
};
use prost::Message as _;
use proto::{
    Digest, PublishedCard,
    wire::{
        self, AnswerRequest, AnswerResponse, CandidateStatus, Citation, Done, FinishReason, Generation,
        LogState, Outcome, Passage, ReceiptCandidate, ReceiptDecision, ReceiptSource, ReceiptSpan, Rule,
        SpanCitation, Verbatim, Verdict, Vouching, Words, answer_response::Event, receipt_span::Origin,
    },
};

use super::{Call, Plan, status};

pub(crate) struct Made {
    pub(crate) receipt: wire::Receipt,
    pub(crate) opening: Option<Opening>,
    /// Cards and the places of their entries.
    pub(crate) institutions: Vec<(Vec<u8>, usize)>,
    /// The registry's log.
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) leaf_salt: Salt,
    pub(crate) others: (u64, u64),
    /// What the router appends to the receipt before it signs.
    pub(crate) appended: Vec<u8>,
    /// What it signs in place of the receipt.
    pub(crate) garbled: Option<Vec<u8>>,
}

impl Made {
    /// What the router signs.
    pub(crate) fn payload(&self) -> Vec<u8> {
        let whole = || [self.receipt.encode_to_vec(), self.appended.clone()].concat();
        self.garbled.clone().unwrap_or_else(whole)
    }

    /// Commits to the answer anew, after it was changed.
    pub(crate) fn recommit(&mut self) {
        let Some(opening) = &self.opening else { return };
        self.receipt.text = bytes(opening.salt().commit("text", opening.text.as_bytes()));
    }
}

fn bytes(digest: Digest) -> Vec<u8> {
    digest.as_bytes().to_vec()
}

/// The receipt that follows from `plan`.
pub(crate) fn make(plan: &mut Plan) -> Made {
    let rules = ["merge/heading", "merge/nobody"].map(|name| Rule { name: name.into(), sha256: vec![3; 32] });
    let mut state = Tree::default();
    for entry in plan.world.entries.iter().take(usize::try_from(plan.state).unwrap()) {
        state.push(entry).unwrap();
    }
    let (derivation, question) = (vec![9; 40], plan.ask.encode_to_vec());
    let mut receipt = wire::Receipt {
        router: plan.world.name.clone(),
        request_id: plan.request_id.clone(),
        time_s: 1_763_000_000 / 3_600 * 3_600,
        version: "0.1.0".into(),
        registry: Some(LogState { size: state.size(), root: bytes(state.root().unwrap()) }),
        rules: rules.to_vec(),
        question: bytes(plan.salt.commit("question", &question)),
        decision: Some(decision(plan)),
        derivation: bytes(plan.salt.commit("derivation", &derivation)),
        reason: FinishReason::default().into(),
        ..wire::Receipt::default()
    };
    let (mut text, mut open, mut institutions) = (String::new(), Vec::new(), Vec::new());
    for at in 0..plan.calls.len() {
        let call = &plan.calls[at];
        let one = &plan.world.specialists[call.who];
        let mut name = |card: &PublishedCard, entry| {
            if !institutions.iter().any(|(known, _): &(Vec<u8>, usize)| known == card.bytes()) {
                institutions.push((card.bytes().to_vec(), entry));
            }
        };
        name(&one.card, one.entry);
        let newer = one.newer.as_ref().filter(|_| call.newer);
        if let Some((card, entry)) = newer {
            name(card, *entry);
        }
        let (made, opened) = called(plan, call, newer.map_or(&one.card, |(card, _)| card));
        receipt.calls.push(made);
        open.push(opened);
        say(plan, at, &mut receipt, &mut text);
    }
    if plan.calls.is_empty() {
        rule(1, "Nobody covers this.", &mut receipt, &mut text);
    }
    receipt.text = bytes(plan.salt.commit("text", text.as_bytes()));
    let opening = Opening {
        salt: Base64(*plan.salt.as_bytes()),
        question: Base64(question),
        derivation: Base64(derivation),
        text,
        calls: open,
    };
    let leaf_salt = Salt::from(std::array::from_fn(|_| plan.world.rng.u8(..)));
    let (entries, others) = (plan.world.entries.clone(), plan.others);
    let opening = (!plan.closed).then_some(opening);
    Made { receipt, opening, institutions, entries, leaf_salt, others, appended: Vec::new(), garbled: None }
}

fn decision(plan: &Plan) -> ReceiptDecision {
    let candidate = |(at, one): (usize, &super::Specialist)| {
        let call = plan.calls.iter().find(|call| call.who == at);
        ReceiptCandidate {
            specialist_id: one.id.clone(),
            card_sha256: bytes(one.card.digest()),
            score_e6: Some(-12_345 + at as i32),
            probability_e6: 100_000,
            status: call.map_or(CandidateStatus::Outranked, status).into(),
            calls: u32::from(call.is_some()),
            ..ReceiptCandidate::default()
        }
    };
    let specialists = &plan.world.specialists;
    ReceiptDecision {
        verdict: if plan.calls.is_empty() { Verdict::Abstain } else { Verdict::Ask }.into(),
        candidates: specialists.iter().enumerate().map(candidate).collect(),
        confidence_e6: 900_000,
        weights_sha256: vec![1; 32],
        engine: "hashed on cpu".into(),
        history: plan.history.into(),
        seen_by: plan.calls.iter().map(|call| specialists[call.who].id.clone()).collect(),
        ..ReceiptDecision::default()
    }
}

fn called(plan: &Plan, call: &Call, card: &PublishedCard) -> (wire::Call, OpenCall) {
    let one = &plan.world.specialists[call.who];
    let salt = plan.salt.of_call(&one.id);
    let request = AnswerRequest {
        request_id: call.request_id.clone(),
        turns: call.turns.clone(),
        passages_max: 32,
        salt: salt.as_bytes().to_vec(),
    };
    let mut transcript = Transcript::new(&request, salt);
    let mut hear = |event| transcript.hear(&AnswerResponse { event: Some(event) });
    let mut passages: Vec<Passage> = call.passages.iter().map(|at| one.corpus[*at].clone()).collect();
    if let (Some(foreign), Some(first)) = (&call.foreign, passages.first_mut()) {
        first.clone_from(foreign);
    }
    for passage in &passages {
        hear(Event::Passage(passage.clone()));
    }
    for (text, cites) in &call.words {
        let citation = cites.map(|(nth, start_bytes, end_bytes)| Citation {
            passage_id: passages[nth].passage_id.clone(),
            start_bytes,
            end_bytes,
        });
        hear(Event::Words(Words { text: text.clone(), citation }));
    }
    let outcome = if call.words.is_empty() { Outcome::NoAnswer } else { Outcome::Answered };
    hear(Event::Done(Done { outcome: outcome.into(), ..Done::default() }));
    let mut statement =
        transcript.statement(card, Generation { engine: "extractive".into(), ..Generation::default() });
    (call.twist)(&mut statement);
    let key = call.key.as_ref().or(one.key.as_ref()).filter(|_| call.vouching == Vouching::Signed);
    let commitments = transcript.commitments();
    let made = wire::Call {
        specialist_id: one.id.clone(),
        card_sha256: bytes(one.card.digest()),
        vouching: call.vouching.into(),
        statement: key.map(|key| signed::sign(key, Kind::Statement, statement.encode_to_vec())),
        request: bytes(commitments.request),
        answer: bytes(commitments.answer),
        passages: commitments.passages.into_iter().map(bytes).collect(),
    };
    let ended = [Vouching::Signed, Vouching::Unsigned].contains(&call.vouching);
    let rooted = ended && card.card().passages_root.is_some();
    let path = |at: &usize| Path {
        index: *at as u64,
        hashes: one.tree.path(*at as u64).unwrap().iter().map(|hash| Base64(*hash.as_bytes())).collect(),
    };
    let open = |(bytes, at): (&[u8], &usize)| OpenPassage {
        passage: Base64(bytes.to_vec()),
        path: rooted.then(|| path(at)),
    };
    let open = OpenCall {
        request: Base64(transcript.request().to_vec()),
        answer: transcript.answer().to_owned(),
        passages: transcript.passages().zip(&call.passages).map(open).collect(),
    };
    (made, open)
}

/// Lets out what a call said, some of it left out, each citation with the number of its source.
fn say(plan: &mut Plan, at: usize, receipt: &mut wire::Receipt, text: &mut String) {
    rule(0, &format!("{}:\n", plan.world.specialists[plan.calls[at].who].id), receipt, text);
    let mut start = 0;
    for (words, cites) in &plan.calls[at].words {
        let start_bytes = start;
        start += words.len() as u32;
        if plan.world.rng.u8(..) < 40 {
            continue;
        }
        let citation = cites.map(|(nth, start_bytes, end_bytes)| {
            let source = ReceiptSource { call: at as u32, passage: nth as u32 };
            let known = receipt.sources.iter().position(|known| *known == source).unwrap_or_else(|| {
                receipt.sources.push(source);
                receipt.sources.len() - 1
            });
            SpanCitation { source_number: known as u32 + 1, start_bytes, end_bytes }
        });
        text.push_str(words);
        let origin = Origin::Verbatim(Verbatim { call: at as u32, start_bytes, citation });
        receipt.spans.push(ReceiptSpan { length_bytes: words.len() as u32, origin: Some(origin) });
    }
}

fn rule(rule: u32, says: &str, receipt: &mut wire::Receipt, text: &mut String) {
    text.push_str(says);
    receipt.spans.push(ReceiptSpan { length_bytes: says.len() as u32, origin: Some(Origin::Rule(rule)) });
}
