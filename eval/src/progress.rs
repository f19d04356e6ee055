//! A bar on standard error, where a person watches.

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

/// `what` counts up to `total`.
pub(crate) fn bar(what: &str, total: usize) -> Result<ProgressBar> {
    let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len}, {eta} left")?;
    Ok(ProgressBar::new(total as u64).with_style(style).with_message(what.to_owned()))
}
