//! The card: what a specialist says of itself, and the revision that names this state of it.

pub mod export;

use audit::{Kind, PublicKey, signed};
use proto::{
    Digest, Invalid, Probing, PublishedCard,
    config::{EncoderConfig, GeneratorConfig, SpecialistConfig},
    wire,
};

use crate::{
    identity::Identity,
    provenance::{PassageTree, Provenance},
};

/// How many characters of a digest make a revision.
const REVISION_LENGTH: usize = 16;

/// The card of a specialist that is reached at `endpoint`, signs with `key` and answers from what `provenance`
/// says. Its revision changes with everything that the card shows, with the settings of generator and retrieval
/// and with every passage.
pub fn publish(
    config: &SpecialistConfig,
    key: Option<&PublicKey>,
    endpoint: &str,
    provenance: &Provenance,
) -> Result<PublishedCard, Invalid> {
    let draft = card(config, key, endpoint, provenance);
    let shown = PublishedCard::publish(&draft)?.digest();
    // Only compared with itself, so any form will do that differs whenever the settings or the passages do.
    let root = provenance.tree.as_ref().map(PassageTree::root);
    let hidden = Digest::of(format!("{:?} {:?} {root:?}", config.generator, config.lexical_share));
    let mut revision = Digest::of([*shown.as_bytes(), *hidden.as_bytes()].concat()).to_string();
    revision.truncate(REVISION_LENGTH);
    PublishedCard::publish(&wire::Card { revision, ..draft })
}

/// The signature of `identity` on `card`; `None` where there is no key.
pub(crate) fn signature(identity: Option<&Identity>, card: &PublishedCard) -> Option<[u8; 64]> {
    identity.map(|identity| signed::signature(identity.key(), Kind::Card, card.bytes()))
}

fn card(
    config: &SpecialistConfig,
    key: Option<&PublicKey>,
    endpoint: &str,
    provenance: &Provenance,
) -> wire::Card {
    let Provenance { weights, data, passage_count, tree } = provenance;
    let bytes = |digest: Option<Digest>| digest.map(|digest| digest.as_bytes().to_vec()).unwrap_or_default();
    let root = tree.as_ref().map(PassageTree::root);
    // A script's words come from no corpus.
    let (generator, data, root) = match config.generator {
        GeneratorConfig::Extractive { .. } => ("extractive", *data, root),
        GeneratorConfig::Scripted { .. } => ("scripted", None, None),
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
        passage_count: *passage_count as u64,
        asks_consent: config.asks_consent,
        probing: probing(config).into(),
        title_share: config.title_share,
        history_turns_max: config.history_turns_max,
        public_key: key.map(|key| key.as_bytes().to_vec()).unwrap_or_default(),
        weights_openness: wire::Openness::from(config.weights_openness).into(),
        data_openness: wire::Openness::from(config.data_openness).into(),
        intended_use: config.intended_use.clone(),
        retention: config.retention.clone(),
        weights_sha256: bytes(*weights),
        data_sha256: bytes(data),
        passages_root: bytes(root),
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
    use std::collections::HashSet;

    use audit::SecretKey;

    use super::*;
    use crate::corpus::{Corpus, Passage};

    const CONFIG: &str = "id = \"a\"\ntitle = \"A\"\ninstitution = \"B\"\ndescription = \"C\"\n\
        license = \"MIT\"\nlisten = \"127.0.0.1:0\"\n";

    fn provenance(texts: &[&str]) -> Provenance {
        let passage =
            |text: &&str| Passage { id: (*text).into(), text: (*text).into(), ..Passage::default() };
        let corpus = Corpus { passages: texts.iter().map(passage).collect(), ..Corpus::default() };
        Provenance::of(None, &corpus).unwrap()
    }

    fn revision(toml: &str, key: Option<&PublicKey>, provenance: &Provenance) -> String {
        let config = proto::config::parse(toml).unwrap();
        publish(&config, key, "http://localhost:1", provenance).unwrap().card().revision.clone()
    }

    #[test]
    fn the_revision_changes_with_card_generator_retrieval_corpus_and_weights() {
        let with = |line: &str| format!("{CONFIG}{line}");
        let key = SecretKey::generate().unwrap().public();
        let two = || provenance(&["x", "y"]);
        let of_others = Provenance { data: Some(Digest::of("data")), ..two() };
        let of_other_weights = Provenance { weights: Some(Digest::of("weights")), ..two() };
        let scripted = with("generator = { kind = \"scripted\", steps = [] }");
        let revisions = [
            revision(CONFIG, None, &two()),
            revision(CONFIG, None, &provenance(&["x", "z"])),
            revision(CONFIG, None, &provenance(&["x"])),
            revision(CONFIG, None, &provenance(&["y", "x"])),
            revision(&with("generator = { kind = \"extractive\", lead_words_max = 5 }"), None, &two()),
            revision(&with("lexical_share = 0.3"), None, &two()),
            revision(&CONFIG.replace("\"A\"", "\"Z\""), None, &two()),
            revision(CONFIG, Some(&key), &two()),
            revision(CONFIG, None, &of_others),
            revision(CONFIG, None, &of_other_weights),
            revision(&with("data_openness = \"open\""), None, &two()),
            revision(&with("weights_openness = \"closed\""), None, &two()),
            revision(&with("intended_use = \"x\""), None, &two()),
            revision(&with("retention = \"none\""), None, &two()),
            revision(&scripted, None, &two()),
            revision(&scripted, None, &provenance(&["x", "z"])),
        ];
        let distinct: HashSet<_> = revisions.iter().collect();
        assert_eq!(distinct.len(), revisions.len());
        assert_eq!(revision(CONFIG, None, &two()), revisions[0]);
        assert_eq!(revisions[0].len(), 16);
    }

    #[test]
    fn a_card_tells_what_its_words_rest_on() {
        let provenance = Provenance { data: Some(Digest::of("data")), ..provenance(&["x", "y"]) };
        let root = provenance.tree.as_ref().map(PassageTree::root);
        let card = |toml: &str| {
            let config = proto::config::parse(toml).unwrap();
            publish(&config, None, "http://localhost:1", &provenance).unwrap().card().clone()
        };
        let extractive = card(CONFIG);
        assert_eq!((extractive.data_sha256, extractive.passages_root), (provenance.data, root));
        let scripted = card(&format!("{CONFIG}generator = {{ kind = \"scripted\", steps = [] }}"));
        assert_eq!((scripted.data_sha256, scripted.passages_root), (None, None), "no words of the corpus");
    }
}
