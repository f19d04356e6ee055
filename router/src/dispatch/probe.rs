//! A probe: what a specialist's index holds near a question, before anybody is asked.

use std::time::Duration;

use proto::{
    Endpoint, Evidence,
    wire::{ProbeRequest, specialist_service_client::SpecialistServiceClient},
};
use tokio::time::timeout;

use super::{Dispatch, Loss};

/// The most bytes of an answer to a probe.
const EVIDENCE_BYTES_MAX: usize = 1024;

impl Dispatch {
    /// What the index at `endpoint` shows within `limit`. Takes part of the room for answers, and says
    /// nothing to the breaker: who cannot be probed may well answer.
    pub async fn probe(
        &self,
        endpoint: &Endpoint,
        request: ProbeRequest,
        limit: Duration,
    ) -> Result<Evidence, Loss> {
        let line = self.line(endpoint);
        let _permit = line.room().ok_or(Loss::Busy)?;
        let mut client = SpecialistServiceClient::new(line.connection().channel)
            .max_decoding_message_size(EVIDENCE_BYTES_MAX);
        let late = |_| Loss::Timeout(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
        let response = timeout(limit, client.probe(request)).await.map_err(late)??;
        Ok(Evidence::try_from(response.into_inner())?)
    }
}
