//! The shapes of the OpenAI-compatible interface. Offsets in JSON are Unicode code points.

mod completion;
mod request;
mod routing;

use registry::Snapshot;
use serde_json::{Value, json};

pub(super) use completion::Completion;
pub(super) use request::{ChatRequest, Style, Wishes};
pub(super) use routing::routing;

/// The model that routes.
const AUTO: &str = "consilium/auto";

/// What the name of every model begins with.
const PREFIX: &str = "consilium/";

/// The models on offer: the routed one, and each enabled specialist pinned.
pub(super) fn models(snapshot: &Snapshot) -> Vec<Value> {
    let auto = json!({
        "id": AUTO,
        "object": "model",
        "created": 0,
        "owned_by": "consilium",
        "name": "The whole federation",
    });
    let pinned = snapshot.members().filter(|member| member.enabled).map(|member| {
        let card = member.card.card();
        json!({
            "id": format!("{PREFIX}{}", card.id),
            "object": "model",
            "created": member.registered_at_ms / 1_000,
            "owned_by": card.institution,
            "name": card.title,
            "description": card.description,
            "asks_consent": card.asks_consent,
        })
    });
    [auto].into_iter().chain(pinned).collect()
}

/// A name of the contract as JSON has it.
fn name(wire_name: &str, prefix: &str) -> String {
    wire_name.trim_start_matches(prefix).to_lowercase()
}
