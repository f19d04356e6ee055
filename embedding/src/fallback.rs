//! An encoder on a device that may fail, with another behind it that stands in.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use proto::{Space, UnitVector};

use crate::{Backend, BatchLimits, EncodeError, Encoder, Tokens, thread};

/// How often in a row the first encoder may fail before it is given up: memory that somebody else
/// holds may come back, a broken device does not.
const FAILURES_MAX: u32 = 3;

/// A batch that the first encoder fails on is encoded by the second, and nobody who waits for it
/// notices more than the time. Both are of one space.
pub(crate) struct Fallback {
    /// `None` once it is given up.
    first: Option<Box<dyn Encoder>>,
    second: Box<dyn Encoder>,
    /// Of the first, in a row.
    failures: u32,
}

impl Fallback {
    pub(crate) fn new(first: Box<dyn Encoder>, second: Box<dyn Encoder>) -> Self {
        debug_assert_eq!(first.space(), second.space());
        Self { first: Some(first), second, failures: 0 }
    }

    /// The one that takes the next batch.
    fn current(&self) -> &dyn Encoder {
        self.first.as_deref().unwrap_or(self.second.as_ref())
    }

    fn failed(&mut self, error: &EncodeError) {
        self.failures += 1;
        let Some(first) = self.first.take_if(|_| self.failures >= FAILURES_MAX) else {
            tracing::warn!(%error, device = self.current().backend().device, "batch goes to the fallback");
            return;
        };
        let (Backend { device, .. }, failures) = (first.backend(), self.failures);
        tracing::error!(%error, device, failures, "device given up until the next start");
        // What is broken may also break while it is taken down.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(first)));
    }
}

impl Encoder for Fallback {
    fn space(&self) -> &Arc<Space> {
        self.second.space()
    }

    fn backend(&self) -> Backend {
        // Between two failures it is the second that encoded last.
        let current = if self.failures == 0 { self.current() } else { self.second.as_ref() };
        current.backend()
    }

    fn batch_limits(&self) -> BatchLimits {
        self.current().batch_limits()
    }

    fn encode(&mut self, batch: &[Tokens]) -> Result<Vec<UnitVector>, EncodeError> {
        if let Some(first) = &mut self.first {
            match thread::encode(first.as_mut(), batch) {
                Ok(vectors) => {
                    self.failures = 0;
                    return Ok(vectors);
                }
                Err(error) => self.failed(&error),
            }
        }
        self.second.encode(batch)
    }
}
