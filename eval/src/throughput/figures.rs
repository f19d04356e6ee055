//! What is said of all that was measured.

use serde::{Deserialize, Serialize};

use crate::statistics::Estimate;

/// How much was done in a second.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) engine: String,
    /// `cpu` or `cuda`.
    pub(crate) device: String,
    /// Callers that waited at the same time, where texts came in as text.
    pub(crate) callers: usize,
    /// Passages of 128 tokens, encoded.
    pub(crate) passages_per_s: Rates,
    /// Questions of 12 tokens, encoded, searched for and decided.
    pub(crate) questions_per_s: Rates,
    /// Specialists and prototypes that questions were routed over.
    pub(crate) specialists: usize,
    pub(crate) prototypes: usize,
    pub(crate) indexed: Option<Indexed>,
}

/// Texts a second.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Rates {
    /// From tokens made before.
    pub(crate) tokenized: Estimate,
    /// From text, with many callers.
    pub(crate) end_to_end: Estimate,
}

/// Corpora, from text to an index.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Indexed {
    pub(crate) corpora: usize,
    pub(crate) passages: usize,
    /// As many as the encoder read.
    pub(crate) tokens: usize,
    /// For all corpora, one after another.
    pub(crate) seconds: f64,
    /// The median over the corpora.
    pub(crate) passages_per_s: Estimate,
    /// The median over the corpora.
    pub(crate) tokens_per_s: Estimate,
}

impl Figures {
    pub(super) fn table(&self) -> String {
        let mut out = format!("{} on {}, a second (95 % interval)\n", self.engine, self.device);
        let over = format!("over {} prototypes", self.prototypes);
        for (name, rates) in [
            ("passages of 128 tokens encoded", &self.passages_per_s),
            (&format!("questions of 12 tokens routed {over}"), &self.questions_per_s),
        ] {
            let Rates { tokenized, end_to_end } = rates;
            out += &format!(
                "{name}\n  from tokens  {tokenized}\n  from text, {} callers  {end_to_end}\n",
                self.callers
            );
        }
        if let Some(Indexed { corpora, passages, tokens, seconds, passages_per_s, tokens_per_s }) =
            &self.indexed
        {
            out += &format!(
                "{corpora} corpora of {passages} passages, {tokens} tokens, indexed in {seconds:.1} seconds\n  \
                 passages  {passages_per_s}\n  tokens  {tokens_per_s}\n"
            );
        }
        out
    }
}
