//! `router ask` and `router route`.

use anyhow::{Result, bail};
use proto::wire::{AskRequest, FinishReason, RouteRequest};
use tonic::Status;

use super::{Asking, Output, answer::Answer, print};

/// Asks, and prints who was considered, the answer as it comes, and its sources.
pub async fn ask(asking: &Asking) -> Result<()> {
    let request = AskRequest { turns: asking.turns()?, options: Some(asking.options()) };
    let mut router = asking.connect().await?;
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
    match asking.output {
        Output::Json => print::answer(&answer)?,
        Output::Text => {}
    }
    if finish.reason() == FinishReason::Incomplete {
        bail!("no specialist came to the end of its answer");
    }
    Ok(())
}

/// Prints whom the router would ask, and why; nobody is asked.
pub async fn route(asking: &Asking) -> Result<()> {
    let request = RouteRequest { turns: asking.turns()?, options: Some(asking.options()) };
    let mut router = asking.connect().await?;
    let routed = router.route(request).await.map_err(|status| said(&status))?.into_inner();
    let Some(decision) = routed.decision else { bail!("the router sent no decision") };
    match asking.output {
        Output::Text => print::decision(&decision),
        Output::Json => print::decision_json(&decision),
    }
}

/// The router's message; its code is for programs.
fn said(status: &Status) -> anyhow::Error {
    anyhow::Error::msg(status.message().to_owned())
}
