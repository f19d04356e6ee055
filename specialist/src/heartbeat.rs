//! Signs of life in a stream that has nothing to say.

use std::{pin::pin, time::Duration};

use async_stream::stream;
use futures_util::{Stream, StreamExt as _};
use proto::AnswerEvent;
use tokio::time::timeout;

/// The longest silence; the contract promises an event that often.
pub(crate) const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(2);

/// `events`, with a heartbeat whenever they were silent for [`HEARTBEAT_INTERVAL`].
pub(crate) fn alive<E>(
    events: impl Stream<Item = Result<AnswerEvent, E>>,
) -> impl Stream<Item = Result<AnswerEvent, E>> {
    stream! {
        let mut events = pin!(events);
        loop {
            match timeout(HEARTBEAT_INTERVAL, events.next()).await {
                Ok(Some(event)) => yield event,
                Ok(None) => break,
                Err(_) => yield Ok(AnswerEvent::Heartbeat),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proto::Outcome;
    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silence_is_filled_and_the_end_kept() {
        let slow = stream! {
            sleep(Duration::from_secs(5)).await;
            yield Ok::<_, ()>(AnswerEvent::Done(Outcome::NoAnswer));
        };
        let mut events = pin!(alive(slow));
        let start = Instant::now();
        let mut seen = Vec::new();
        while let Some(event) = events.next().await {
            seen.push((event.unwrap(), start.elapsed().as_secs()));
        }
        let done = AnswerEvent::Done(Outcome::NoAnswer);
        assert_eq!(seen, [(AnswerEvent::Heartbeat, 2), (AnswerEvent::Heartbeat, 4), (done, 5)]);
    }
}
