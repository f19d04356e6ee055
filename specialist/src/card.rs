//! The card: what a specialist says of itself, and the revision that names this state of it.

use proto::{
    Digest, Invalid, Probing, PublishedCard,
    config::{EncoderConfig, GeneratorConfig, SpecialistConfig},
    wire,
};

use crate::corpus::Passage;

/// How many characters of a digest make a revision.
const REVISION_LENGTH: usize = 16;

/// The card of a specialist that is reached at `endpoint` and holds `passages`. Its revision changes
/// with everything that the card shows, with the settings of generator and retrieval and with every passage.
pub fn publish(
    config: &SpecialistConfig,
    endpoint: &str,
    passages: &[Passage],
) -> Result<PublishedCard, Invalid> {
    let draft = card(config, endpoint, passages.len());
    let shown = PublishedCard::publish(&draft)?.digest();
    // Only compared with itself, so any form will do that differs whenever the settings do.
    let hidden = Digest::of(format!("{:?} {:?}", config.generator, config.lexical_share));
    let mut parts = [*shown.as_bytes(), *hidden.as_bytes()].concat();
    for passage in passages {
        parts.extend_from_slice(passage.digest().as_bytes());
    }
    let mut revision = Digest::of(parts).to_string();
    revision.truncate(REVISION_LENGTH);
    PublishedCard::publish(&wire::Card { revision, ..draft })
}

fn card(config: &SpecialistConfig, endpoint: &str, passage_count: usize) -> wire::Card {
    let generator = match config.generator {
        GeneratorConfig::Extractive { .. } => "extractive",
        GeneratorConfig::Scripted { .. } => "scripted",
    };
    wire::Card {
        specialist_id: config.id.clone(),
        title: config.title.clone(),
        institution: config.institution.clone(),
        description: config.description.clone(),
        example_questions: config.example_questions.clone(),
        sample_texts: config.sample_texts.clone(),
        license: config.license.clone(),
        notice: config.notice.clone(),
        public_endpoint: endpoint.to_owned(),
        generator: generator.to_owned(),
        revision: "draft".to_owned(),
        passage_count: passage_count as u64,
        asks_consent: config.asks_consent,
        probing: probing(config).into(),
        title_share: config.title_share,
        history_turns_max: config.history_turns_max,
        ..wire::Card::default()
    }
}

/// Only passages that are embedded can be probed.
fn probing(config: &SpecialistConfig) -> wire::Probing {
    let embedded = config.corpus.is_some() && !matches!(config.encoder, EncoderConfig::None);
    match config.probing {
        Probing::Terms if embedded => wire::Probing::Terms,
        Probing::Vector if embedded => wire::Probing::Vector,
        Probing::Off | Probing::Vector | Probing::Terms => wire::Probing::Unspecified,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "id = \"a\"\ntitle = \"A\"\ninstitution = \"B\"\ndescription = \"C\"\n\
        license = \"MIT\"\nlisten = \"127.0.0.1:0\"\n";

    fn revision(toml: &str, texts: &[&str]) -> String {
        let passages: Vec<_> = texts
            .iter()
            .map(|text| Passage { id: "a".into(), text: (*text).into(), ..Passage::default() })
            .collect();
        let config = proto::config::parse(toml).unwrap();
        publish(&config, "http://localhost:1", &passages).unwrap().card().revision.clone()
    }

    #[test]
    fn the_revision_changes_with_card_generator_retrieval_and_corpus() {
        let longer = format!("{CONFIG}generator = {{ kind = \"extractive\", lead_words_max = 5 }}");
        let worded = format!("{CONFIG}lexical_share = 0.3");
        let renamed = CONFIG.replace("\"A\"", "\"Z\"");
        let revisions = [
            revision(CONFIG, &["x", "y"]),
            revision(CONFIG, &["x", "z"]),
            revision(CONFIG, &["x"]),
            revision(CONFIG, &["y", "x"]),
            revision(&longer, &["x", "y"]),
            revision(&worded, &["x", "y"]),
            revision(&renamed, &["x", "y"]),
        ];
        let distinct: std::collections::HashSet<_> = revisions.iter().collect();
        assert_eq!(distinct.len(), revisions.len());
        assert_eq!(revision(CONFIG, &["x", "y"]), revisions[0]);
        assert_eq!(revisions[0].len(), 16);
    }
}
