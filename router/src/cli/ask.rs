//! `router ask` and `router route`.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};
use audit::bundle::BUNDLE_BYTES_MAX;
use clap::Args;
use proto::wire::{AskRequest, Decision, FinishReason, ReceiptRequest, ReceiptResponse, RouteRequest, Turn};
use tonic::Status;

use super::{Asking, Output, answer::Answer, print};

/// A question whose receipt may be kept.
#[derive(Debug, Args)]
pub struct Asked {
    #[command(flatten)]
    asking: Asking,
    /// Keep the receipt in this file, for `audit verify`.
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// The receipt of the turn before this one in the conversation, as `router ask` printed its name.
    #[arg(long, value_name = "NAME")]
    previous: Option<String>,
}

/// The most bytes of a decision that is read.
const DECISION_BYTES_MAX: usize = 64 << 20;

/// Asks, and prints who was considered, the answer as it comes, and its sources.
pub async fn ask(asked: &Asked) -> Result<()> {
    let Asked { asking, receipt, previous } = asked;
    let request = AskRequest {
        turns: asking.turns()?,
        options: Some(asking.options()),
        previous_request_id: previous.clone().unwrap_or_default(),
    };
    let mut router = asking.connect().await?.max_decoding_message_size(BUNDLE_BYTES_MAX);
    let mut events = router.ask(request).await.map_err(|status| said(&status))?.into_inner();
    let mut answer = Answer::default();
    while let Some(response) = events.message().await.map_err(|status| said(&status))? {
        let Some(event) = response.event else { continue };
        if asking.output == Output::Text {
            print::event(&event, &answer)?;
        }
        answer.take(event);
    }
    let Some(finish) = &answer.finish else { bail!("the answer broke off") };
    let decision = answer.decision.clone().unwrap_or_default();
    match asking.output {
        Output::Json => print::answer(&answer)?,
        Output::Text => print::receipt(&decision, receipt.as_deref())?,
    }
    if let Some(path) = receipt {
        let Decision { request_id, receipt_capability: capability, .. } = decision;
        let read = router.receipt(ReceiptRequest { request_id, capability }).await;
        let ReceiptResponse { receipt_json } = read.map_err(|status| said(&status))?.into_inner();
        fs::write(path, receipt_json)
            .with_context(|| format!("cannot keep the receipt in {}", path.display()))?;
    }
    if finish.reason() == FinishReason::Incomplete {
        bail!("no specialist came to the end of its answer");
    }
    Ok(())
}

/// Prints whom the router would ask, and why; nobody is asked.
pub async fn route(asking: &Asking) -> Result<()> {
    let decision = decided(asking, asking.turns()?, false).await?;
    match asking.output {
        Output::Text => print::decision(&decision),
        Output::Json => print::decision_json(&decision),
    }
}

/// What the router decides of the last of `turns`; with all that it follows from, where that is wanted.
pub(super) async fn decided(asking: &Asking, turns: Vec<Turn>, derivation: bool) -> Result<Decision> {
    let request = RouteRequest { turns, options: Some(asking.options()), derivation };
    // A derivation names every specialist of the fleet.
    let mut router = asking.connect().await?.max_decoding_message_size(DECISION_BYTES_MAX);
    let routed = router.route(request).await.map_err(|status| said(&status))?.into_inner();
    routed.decision.context("the router sent no decision")
}

/// The router's message; its code is for programs.
fn said(status: &Status) -> anyhow::Error {
    anyhow::Error::msg(status.message().to_owned())
}
