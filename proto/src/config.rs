//! `specialist.toml`: one institution's settings for its specialist.

use std::path::PathBuf;

use serde::Deserialize;

use crate::{Openness, Probing};

/// All settings of a specialist. The card is made from it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecialistConfig {
    /// Name in the fleet.
    pub id: String,
    /// The domain.
    pub title: String,
    /// Who answers for its words.
    pub institution: String,
    /// What it covers and what not.
    pub description: String,
    /// Questions that it answers well.
    #[serde(default)]
    pub example_questions: Vec<String>,
    /// Texts that the router may embed, for a specialist without an encoder.
    #[serde(default)]
    pub sample_texts: Vec<String>,
    /// Licence of its words, where a passage names none of its own.
    pub license: String,
    /// What readers must know.
    #[serde(default)]
    pub notice: String,
    /// Whether the asker must have agreed before a question comes here.
    #[serde(default)]
    pub asks_consent: bool,
    /// How far the router may probe its index before it asks.
    #[serde(default)]
    pub probing: Probing,
    /// How much of where a passage lies is its title's: 0 to 1.
    #[serde(default = "title_share")]
    pub title_share: f32,
    /// How much of a passage's rank for a question is its words': 0, only its vector counts, to 1.
    #[serde(default = "lexical_share")]
    pub lexical_share: f32,
    /// How many of the user's earlier turns it may be shown with a question that follows up on them: 0 to 16.
    #[serde(default = "history_turns_max")]
    pub history_turns_max: u32,
    /// Whether the weights of its encoder and generator can be had.
    #[serde(default)]
    pub weights_openness: Openness,
    /// Whether its corpus can be had.
    #[serde(default)]
    pub data_openness: Openness,
    /// What it is meant for, and what not.
    #[serde(default)]
    pub intended_use: String,
    /// What it keeps of questions, and how long.
    #[serde(default)]
    pub retention: String,
    /// File of the key with which it signs, relative to this file; absent: it signs nothing.
    pub key: Option<PathBuf>,
    /// Files that lead from earlier keys to that one, the oldest first, relative to this file.
    #[serde(default)]
    pub successions: Vec<PathBuf>,
    /// Folder or file of the corpus, relative to this file. Absent only for a scripted generator.
    pub corpus: Option<PathBuf>,
    /// Address to listen on, `host:port`.
    pub listen: String,
    /// Where others reach it, `http://host:port`; absent: the address that it listens on.
    pub public_endpoint: Option<String>,
    /// How answers are made.
    #[serde(default)]
    pub generator: GeneratorConfig,
    /// What turns text into vectors.
    #[serde(default)]
    pub encoder: EncoderConfig,
    /// Milliseconds between two looks at the corpus for changes.
    #[serde(default = "rescan_ms")]
    pub rescan_ms: u64,
}

fn title_share() -> f32 {
    0.4
}

fn lexical_share() -> f32 {
    0.1
}

fn history_turns_max() -> u32 {
    2
}

fn rescan_ms() -> u64 {
    2_000
}

/// How answers are made.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum GeneratorConfig {
    /// The contiguous sentences of the best passage, and of its neighbours, that fit the question.
    Extractive {
        /// About how long, in words; the sentence that passes it is the last. To finish a list at most twice as
        /// many.
        #[serde(default = "lead_words_max")]
        lead_words_max: usize,
    },
    /// A fixed sequence of steps, for tests of everything around it.
    Scripted {
        /// What it does, in order.
        steps: Vec<Step>,
    },
}

fn lead_words_max() -> usize {
    110
}

impl Default for GeneratorConfig {
    fn default() -> Self {
        Self::Extractive { lead_words_max: lead_words_max() }
    }
}

/// One step of a scripted answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Send this passage.
    Passage(String),
    /// Say these words; where they are those of the passage that was sent last, they cite it.
    Say(String),
    /// Send heartbeats and nothing else from here on.
    Stall,
    /// Send nothing at all from here on.
    Hang,
    /// Break the stream with an error.
    Fail,
}

/// What turns text into vectors.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum EncoderConfig {
    /// A sentence-transformers folder of the BERT family; `--model` names it.
    #[default]
    Model,
    /// Hashed words: no weights, for tests.
    Hashed,
    /// None: prototypes are left to the router, which embeds the card's texts.
    None,
}

/// Reads `specialist.toml`.
///
/// # Errors
/// What is wrong, with line and column.
pub fn parse(text: &str) -> Result<SpecialistConfig, toml::de::Error> {
    toml::from_str(text)
}
