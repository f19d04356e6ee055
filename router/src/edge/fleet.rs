//! The fleet as readers see it: who is there, how they are, and what became of the latest questions.

use std::{cmp::Reverse, collections::BTreeSet, sync::Arc};

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use proto::{Digest, Openness, Probing, SpecialistId, conversation};
use registry::Registration;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::ApiError;
use crate::{
    app::App,
    receipt::{Counts, ReadError, TALLY_TURNS_MAX, Tally},
};

/// How many of a card's example questions are shown.
const EXAMPLE_QUESTIONS_MAX: usize = 8;

/// How many pairs of specialists are shown: the most frequent.
const PAIRS_MAX: usize = 1_000;

/// How many specialists are listed at once, unless fewer are wanted.
const LISTED_MAX: usize = 200;

/// Which part of the fleet is wanted.
#[derive(Deserialize)]
pub(super) struct Listing {
    /// What stands in the title, the institution or the id, in whatever case.
    #[serde(default)]
    query: String,
    /// How many to pass over.
    #[serde(default)]
    offset: usize,
    limit: Option<usize>,
}

/// Who is registered, those first who are asked most, with what became of the latest turns. No question or asker can
/// be told from it.
pub(super) async fn fleet(
    State(app): State<Arc<App>>,
    listing: Result<Query<Listing>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    let Query(Listing { query, offset, limit }) = listing.map_err(|e| ApiError::Malformed(e.body_text()))?;
    let tally = app.receipts.tally().await.map_err(ReadError::from)?;
    let snapshot = app.fleet.snapshot();
    let ejected = app.ejected(&snapshot);
    let general = app.rules.policy.general.as_ref();
    let counts = |id: &SpecialistId| tally.specialists.get(id.as_str()).copied().unwrap_or_default();
    let query = query.to_lowercase();
    let mut found: Vec<_> = snapshot.members().filter(|member| is_called(member, &query)).collect();
    found.sort_by_key(|member| (Reverse(counts(member.id()).asked), member.id()));
    let listed = found.iter().skip(offset).take(limit.unwrap_or(LISTED_MAX).min(LISTED_MAX)).map(|member| {
        let mut shown = specialist(member, counts(member.id()));
        shown["health"] = health(member, &ejected).into();
        shown["general"] = (general == Some(member.id())).into();
        shown
    });
    let registered = |id: &str| id.parse().is_ok_and(|id: SpecialistId| snapshot.get(&id).is_some());
    let general = general.and_then(|id| snapshot.get(id)).filter(|member| member.enabled);
    Ok(Json(json!({
        "name": app.receipts.name(),
        "version": env!("CARGO_PKG_VERSION"),
        "limits": {
            "turn_bytes_max": conversation::TURN_BYTES_MAX,
            "turns_max": conversation::TURNS_MAX,
            "specialists_max": app.rules.policy.specialists_max,
            "answer_ms": u64::try_from(app.answer_max.as_millis()).unwrap_or(u64::MAX),
        },
        "tally": {
            "turns_max": TALLY_TURNS_MAX,
            "turns": tally.turns,
            "asked": tally.asked,
            "abstained": tally.abstained,
            "pairs": pairs(&tally, registered),
        },
        "registered": snapshot.members().count(),
        "up": snapshot.members().filter(|member| health(member, &ejected) == "up").count(),
        "asks_consent": snapshot.members().any(|member| member.enabled && member.card.card().asks_consent),
        "general": general.map(|member| json!({ "id": member.id().as_str(), "title": member.card.card().title })),
        "found": found.len(),
        "specialists": listed.collect::<Vec<_>>(),
    })))
}

/// Whether `query`, in small letters, stands in a name of `member`.
fn is_called(member: &Registration, query: &str) -> bool {
    let card = member.card.card();
    format!("{} {} {}", card.title, card.institution, card.id.as_str()).to_lowercase().contains(query)
}

/// One word for whether a specialist can be asked: what a person decided counts before what was seen.
fn health(member: &Registration, ejected: &BTreeSet<SpecialistId>) -> &'static str {
    match member {
        member if !member.enabled => "disabled",
        member if !member.healthy => "down",
        member if ejected.contains(member.id()) => "ejected",
        _ => "up",
    }
}

fn specialist(member: &Registration, counts: Counts) -> Value {
    let card = member.card.card();
    let digest = |digest: Option<Digest>| digest.map(|digest| digest.to_string());
    let Counts { considered, asked, answered, no_answer, timeout, failed, won } = counts;
    json!({
        "id": card.id.as_str(),
        "title": card.title,
        "institution": card.institution,
        "description": card.description,
        "license": card.license,
        "notice": card.notice,
        "intended_use": card.intended_use,
        "retention": card.retention,
        "generator": card.generator,
        "weights_openness": openness(card.weights_openness),
        "data_openness": openness(card.data_openness),
        "passage_count": card.passage_count,
        "example_questions": card.example_questions.iter().take(EXAMPLE_QUESTIONS_MAX).collect::<Vec<_>>(),
        "asks_consent": card.asks_consent,
        "history_turns_max": card.history_turns_max,
        "probing": probing(card.probing),
        "has_key": card.public_key.is_some(),
        "key": card.public_key.map(hex::encode),
        "key_revoked": member.key_revoked,
        "card_sha256": member.card.digest().to_string(),
        "weights_sha256": digest(card.weights_sha256),
        "data_sha256": digest(card.data_sha256),
        "registered_at_ms": member.registered_at_ms,
        "updated_at_ms": member.updated_at_ms,
        "enabled": member.enabled,
        "considered": considered,
        "asked": asked,
        "answered": answered,
        "no_answer": no_answer,
        "timeout": timeout,
        "failed": failed,
        "won": won,
        "exam": member.exam.as_deref().map(|exam| registry::exam::json(&exam.into())),
        "despite_exam": member.despite_exam,
    })
}

fn openness(openness: Openness) -> Option<&'static str> {
    match openness {
        Openness::Unsaid => None,
        Openness::Open => Some("open"),
        Openness::Described => Some("described"),
        Openness::Closed => Some("closed"),
    }
}

fn probing(probing: Probing) -> &'static str {
    match probing {
        Probing::Off => "off",
        Probing::Vector => "vector",
        Probing::Terms => "terms",
    }
}

/// How those who are `registered` stood in the turns that others of them won, the most frequent first.
fn pairs(tally: &Tally, registered: impl Fn(&str) -> bool) -> Vec<Value> {
    let mut pairs: Vec<_> = tally
        .pairs
        .iter()
        .filter(|((winner, other), _)| registered(winner) && registered(other))
        .map(|((winner, other), pair)| (pair.asked, pair.second, winner, other))
        .collect();
    pairs.sort_by_key(|(asked, second, ..)| Reverse((*asked, *second)));
    pairs.truncate(PAIRS_MAX);
    let shown = |(asked, second, winner, other)| json!({ "won": winner, "other": other, "asked": asked, "second": second });
    pairs.into_iter().map(shown).collect()
}
