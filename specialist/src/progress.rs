//! How far the embedding of a corpus is: a bar where a person watches, else two log lines.

use std::io::{IsTerminal as _, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Progress over a known number of passages.
pub(crate) struct Progress {
    bar: ProgressBar,
    total: usize,
}

impl Progress {
    /// Nothing of `total` is done.
    pub(crate) fn start(total: usize) -> Self {
        let target =
            if stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total as u64), target);
        if let Ok(style) = ProgressStyle::with_template("embedding {bar:40} {pos}/{len} passages, {eta} left")
        {
            bar.set_style(style);
        }
        if bar.is_hidden() {
            tracing::info!(passages = total, "embedding");
        }
        Self { bar, total }
    }

    /// `done` are done.
    pub(crate) fn at(&self, done: usize) {
        self.bar.set_position(done as u64);
    }

    /// All are done.
    pub(crate) fn finish(self) {
        let hidden = self.bar.is_hidden();
        self.bar.finish_and_clear();
        if hidden {
            let elapsed_ms = u64::try_from(self.bar.elapsed().as_millis()).unwrap_or(u64::MAX);
            tracing::info!(passages = self.total, elapsed_ms, "embedded");
        }
    }
}
