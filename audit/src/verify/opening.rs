//! Whether what was opened is what was committed to, and whether each specialist was asked what the user asked
//! and nothing else.

use proto::{
    Digest,
    card::HISTORY_TURNS_MAX,
    wire::{self, AnswerRequest, AskRequest, HistoryReason, Passage, Role, Turn, Vouching},
};

use super::{Failure, Report, calls::Called};
use crate::{
    bundle::{OpenCall, OpenPassage, Opening},
    commitment::Salt,
    merkle, signed,
};

/// The most passages that a request may ask for.
const PASSAGES_MAX: u32 = 32;

/// What an opened call holds.
pub(super) struct Opened<'a> {
    pub(super) answer: &'a str,
    /// The texts of its passages; `None` for one that cannot be read.
    pub(super) passages: Vec<Option<Passage>>,
}

/// A question, as a specialist may see it.
struct Asked<'a> {
    request_id: &'a str,
    /// What the user said, the question last; none where it cannot be read.
    turns: Vec<&'a str>,
    /// It was routed together with what the user said before it.
    follows: bool,
}

/// Checks what `opening` says of `receipt` and of each of `calls`.
pub(super) fn check<'a>(
    opening: &'a Opening,
    receipt: &wire::Receipt,
    calls: &[Called<'_>],
    report: &mut Report,
) -> (Option<AskRequest>, Vec<Opened<'a>>) {
    let salt = opening.salt();
    let opens = |label, bytes: &[u8], committed: &[u8]| salt.commit(label, bytes).as_bytes() == committed;
    let question = &opening.question.0;
    report.demand(opens("question", question, &receipt.question), Failure::QuestionNotCommitted, "");
    let derived = opens("derivation", &opening.derivation.0, &receipt.derivation);
    report.demand(derived, Failure::DerivationNotCommitted, "");
    report.demand(opens("text", opening.text.as_bytes(), &receipt.text), Failure::TextNotCommitted, "");
    let ask = signed::canonical::<AskRequest>(question).ok();
    report.demand(ask.is_some(), Failure::QuestionNotCanonical, "");
    let history = receipt.decision.as_ref().map(wire::ReceiptDecision::history);
    let follows = [HistoryReason::FollowsByCosine, HistoryReason::FollowsByWords];
    let asked = Asked {
        request_id: &receipt.request_id,
        turns: ask.as_ref().and_then(users_turns).unwrap_or_default(),
        follows: history.is_some_and(|history| follows.contains(&history)),
    };
    report.demand(opening.calls.len() == calls.len(), Failure::OpeningDiffers, "");
    let mut opened = Vec::new();
    for (open, called) in opening.calls.iter().zip(calls) {
        let salt = salt.of_call(&called.call.specialist_id);
        request(open, called, &asked, &salt, report);
        opened.push(answer(open, called, &salt, report));
    }
    (ask, opened)
}

/// What the user said, if the last turn is the user's.
fn users_turns(ask: &AskRequest) -> Option<Vec<&str>> {
    let is_users = |turn: &&Turn| turn.role() == Role::User;
    ask.turns.last().filter(is_users)?;
    Some(ask.turns.iter().filter(is_users).map(|turn| turn.text.as_str()).collect())
}

/// Checks the request of a call.
fn request(open: &OpenCall, called: &Called<'_>, asked: &Asked<'_>, salt: &Salt, report: &mut Report) {
    let place = &called.place;
    let committed = salt.commit("request", &open.request.0).as_bytes() == called.call.request.as_slice();
    report.demand(committed, Failure::RequestNotCommitted, place);
    let Ok(request) = signed::canonical::<AnswerRequest>(&open.request.0) else {
        report.fail(Failure::RequestNotCanonical, place);
        return;
    };
    let turns_max =
        called.registered.map_or(HISTORY_TURNS_MAX, |registered| registered.card.history_turns_max as usize);
    let earlier_max = if asked.follows { turns_max } else { 0 };
    let said: Vec<&str> = request.turns.iter().map(|turn| turn.text.as_str()).collect();
    let follows = request.request_id == asked.request_id
        && request.salt == salt.as_bytes()
        && (1..=PASSAGES_MAX).contains(&request.passages_max)
        && request.turns.iter().all(|turn| turn.role() == Role::User)
        && !said.is_empty()
        && said.len() - 1 <= earlier_max
        && asked.turns.ends_with(&said);
    report.demand(follows, Failure::HiddenPrompt, place);
}

/// Checks the answer and the passages of a call.
fn answer<'a>(open: &'a OpenCall, called: &Called<'_>, salt: &Salt, report: &mut Report) -> Opened<'a> {
    let (place, call) = (&called.place, called.call);
    let committed = salt.commit("answer", open.answer.as_bytes()).as_bytes() == call.answer.as_slice();
    report.demand(committed, Failure::AnswerNotCommitted, place);
    report.demand(open.passages.len() == call.passages.len(), Failure::OpeningDiffers, place);
    let mut passages = Vec::new();
    for (at, (open, committed)) in open.passages.iter().zip(&call.passages).enumerate() {
        let place = format!("{place}, passage {}", at + 1);
        let commitment = salt.commit(&format!("passage/{at}"), &open.passage.0);
        report.demand(commitment.as_bytes() == committed.as_slice(), Failure::PassageNotCommitted, &place);
        let passage = signed::canonical::<Passage>(&open.passage.0).ok();
        let passage = passage.filter(|passage| passage.similarity.to_bits() == 0);
        report.demand(passage.is_some(), Failure::PassageNotCanonical, &place);
        report.demand(is_in_corpus(open, called), Failure::PassageNotInManifest, &place);
        passages.push(passage);
    }
    if let Some(statement) = &called.statement {
        let within = |citation: &wire::StatementCitation| {
            let passage = passages.get(citation.passage as usize).and_then(Option::as_ref);
            let there = passage.is_none_or(|passage| {
                passage.text.get(citation.start_bytes as usize..citation.end_bytes as usize).is_some()
            });
            there
                && open
                    .answer
                    .get(citation.answer_start_bytes as usize..citation.answer_end_bytes as usize)
                    .is_some()
        };
        report.demand(statement.citations.iter().all(within), Failure::StatementCitationsWrong, place);
    }
    Opened { answer: &open.answer, passages }
}

/// Whether a passage is shown to be of the corpus in the card. Nobody vouches for one in an answer that is not
/// signed, was refused or broke off.
fn is_in_corpus(open: &OpenPassage, called: &Called<'_>) -> bool {
    let Some(answered) = called.answered else { return true };
    if called.call.vouching() != Vouching::Signed {
        return true;
    }
    let (root, size) =
        (Digest::read("passages_root", &answered.card.passages_root), answered.card.passage_count);
    match (root, &open.path) {
        (Ok(root), Some(path)) => {
            let hashes: Vec<Digest> = path.hashes.iter().map(|hash| Digest::from(hash.0)).collect();
            merkle::includes(root, size, path.index, &open.passage.0, &hashes)
        }
        (Ok(_), None) => false,
        (Err(_), path) => path.is_none(),
    }
}
