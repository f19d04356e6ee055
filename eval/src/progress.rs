//! A bar on standard error, where a person watches.

use std::time::Duration;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

/// `what` counts up to `total`.
pub(crate) fn bar(what: &str, total: usize) -> Result<ProgressBar> {
    let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len}, {eta} left")?;
    Ok(ProgressBar::new(total as u64).with_style(style).with_message(what.to_owned()))
}

/// A sign of life while `what` goes on, of which nobody knows how far it is.
pub(crate) fn waiting(what: &str) -> Result<ProgressBar> {
    let style = ProgressStyle::with_template("{msg}, {elapsed}")?;
    let bar = ProgressBar::new_spinner().with_style(style).with_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_secs(1));
    Ok(bar)
}
