//! `specialist card`: the card as it would be served, for people, for programs, and in others' formats. Nothing
//! is served, embedded or asked of a network.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::Args;
use proto::{Digest, PublishedCard, config::SpecialistConfig};
use serde_json::{Value, json};

use super::{publish, signature};
use crate::{
    Error, Settings,
    corpus::{Corpus, Format, Source},
    indexing::Output,
    provenance::Provenance,
};

/// What our own fields are called in a card of A2A, whose protocol a specialist does not speak.
const A2A_EXTENSION: &str = "urn:consilium:card:v1";

/// How a specialist is spoken to, in a card of A2A: `consilium.v1.SpecialistService` over gRPC.
const A2A_BINDING: &str = "urn:consilium:specialist-service:v1";

/// What `specialist card` prints.
#[derive(Debug, Clone, Copy, Args)]
pub struct Export {
    /// How the card is printed.
    #[arg(short, long, value_enum, default_value_t, conflicts_with_all = ["a2a", "croissant"])]
    output: Output,
    /// As an agent card of A2A 1.0.
    #[arg(long, conflicts_with = "croissant")]
    a2a: bool,
    /// The corpus's manifest instead, as Croissant 1.1.
    #[arg(long)]
    croissant: bool,
}

/// A card and what it was made of.
struct Shown {
    card: PublishedCard,
    signature: Option<[u8; 64]>,
    corpus: Corpus,
    config: SpecialistConfig,
}

/// What `export` asks for of the specialist with `settings`. Reads its corpus and its weights.
pub fn export(settings: &Settings, export: Export) -> Result<String, Error> {
    let shown = Shown::of(settings)?;
    Ok(match export {
        Export { croissant: true, .. } => format!("{:#}", shown.croissant()),
        Export { a2a: true, .. } => format!("{:#}", shown.a2a()),
        Export { output: Output::Json, .. } => shown.json().to_string(),
        Export { output: Output::Text, .. } => shown.text(),
    })
}

impl Shown {
    fn of(settings: &Settings) -> Result<Self, Error> {
        let corpus = settings.corpus()?;
        let provenance = Provenance::of(settings.weights()?, &corpus)?;
        let config = settings.config.clone();
        let listens = format!("http://{}", config.listen);
        let endpoint = config.public_endpoint.as_ref().unwrap_or(&listens);
        let card = publish(&config, settings.public_key().as_ref(), endpoint, &provenance)?;
        Ok(Self { signature: signature(settings.identity.as_ref(), &card), card, corpus, config })
    }

    fn signature(&self) -> Option<String> {
        self.signature.map(|signature| STANDARD.encode(signature))
    }

    fn text(&self) -> String {
        let card = self.card.card();
        let digest = |digest: Option<Digest>| digest.map_or("none".into(), |digest| digest.to_string());
        let said = |text: &str| if text.is_empty() { "not said".to_owned() } else { text.to_owned() };
        let openness = |openness| format!("{openness:?}").to_lowercase();
        let key = self.config_key().unwrap_or_else(|| "none, so nothing is signed".into());
        let lines = [
            ("id", card.id.to_string()),
            ("title", card.title.clone()),
            ("institution", card.institution.clone()),
            ("description", card.description.clone()),
            ("license", card.license.clone()),
            ("endpoint", card.public_endpoint.to_string()),
            ("generator", card.generator.clone()),
            ("revision", card.revision.clone()),
            ("passages", format!("{} from {} files", card.passage_count, self.corpus.files.len())),
            ("intended use", said(&card.intended_use)),
            ("retention", said(&card.retention)),
            ("weights", format!("{} ({})", digest(card.weights_sha256), openness(card.weights_openness))),
            ("data", format!("{} ({})", digest(card.data_sha256), openness(card.data_openness))),
            ("passages root", digest(card.passages_root)),
            ("public key", key),
            ("card", format!("sha256 {}", self.card.digest())),
            ("signature", self.signature().unwrap_or_else(|| "none".into())),
        ];
        lines.map(|(name, value)| format!("{:<15}{value}", format!("{name}:"))).join("\n")
    }

    fn config_key(&self) -> Option<String> {
        self.card.card().public_key.map(|key| Digest::from(key).to_string())
    }

    /// Our own fields, digests in hexadecimal.
    fn fields(&self) -> Value {
        let card = self.card.card();
        let digest = |digest: Option<Digest>| digest.map(|digest| digest.to_string());
        json!({
            "card": STANDARD.encode(self.card.bytes()),
            "signature": self.signature(),
            "card_sha256": self.card.digest().to_string(),
            "specialist_id": card.id.to_string(),
            "institution": card.institution,
            "license": card.license,
            "notice": card.notice,
            "generator": card.generator,
            "revision": card.revision,
            "passage_count": card.passage_count,
            "public_key": self.config_key(),
            "weights_openness": format!("{:?}", card.weights_openness).to_lowercase(),
            "data_openness": format!("{:?}", card.data_openness).to_lowercase(),
            "intended_use": card.intended_use,
            "retention": card.retention,
            "weights_sha256": digest(card.weights_sha256),
            "data_sha256": digest(card.data_sha256),
            "passages_root": digest(card.passages_root),
        })
    }

    fn json(&self) -> Value {
        let (card, mut fields) = (self.card.card(), self.fields());
        fields["title"] = card.title.clone().into();
        fields["description"] = card.description.clone().into();
        fields["public_endpoint"] = card.public_endpoint.to_string().into();
        fields["example_questions"] = card.example_questions.clone().into();
        fields
    }

    /// <https://a2a-protocol.org/latest/specification/#441-agentcard>
    fn a2a(&self) -> Value {
        let card = self.card.card();
        json!({
            "name": card.title,
            "description": card.description,
            "supportedInterfaces": [{
                "url": card.public_endpoint.to_string(),
                "protocolBinding": A2A_BINDING,
                "protocolVersion": "1.0",
            }],
            "version": card.revision,
            "capabilities": {
                "streaming": true,
                "pushNotifications": false,
                "extensions": [{
                    "uri": A2A_EXTENSION,
                    "description": "The signed card of a specialist of Consilium, and what it says",
                    "required": true,
                    "params": self.fields(),
                }],
            },
            "defaultInputModes": ["text/plain"],
            "defaultOutputModes": ["text/plain"],
            "skills": [{
                "id": card.id.to_string(),
                "name": card.title,
                "description": card.description,
                "tags": ["question answering", "citations"],
                "examples": card.example_questions,
            }],
        })
    }

    /// <https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html>
    fn croissant(&self) -> Value {
        let card = self.card.card();
        let file = |Source { name, format, bytes, digest }: &Source| {
            json!({
                "@type": "cr:FileObject",
                "@id": name,
                "name": name,
                "contentUrl": name,
                "contentSize": format!("{bytes} B"),
                "encodingFormat": media_type(*format),
                "sha256": digest.to_string(),
            })
        };
        let files: Vec<_> = self.corpus.files.iter().map(file).collect();
        json!({
            "@context": {
                "@language": "en",
                "@vocab": "https://schema.org/",
                "sc": "https://schema.org/",
                "cr": "http://mlcommons.org/croissant/",
                "dct": "http://purl.org/dc/terms/",
                "conformsTo": "dct:conformsTo",
                "isLiveDataset": "cr:isLiveDataset",
            },
            "@type": "sc:Dataset",
            "conformsTo": "http://mlcommons.org/croissant/1.1",
            "name": self.config.id,
            "alternateName": card.title,
            "description": card.description,
            "license": card.license,
            "url": card.public_endpoint.to_string(),
            "creator": { "@type": "sc:Organization", "name": card.institution },
            "datePublished": jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
            "version": card.revision,
            "isLiveDataset": true,
            "identifier": card.data_sha256.map(|digest| format!("sha256:{digest}")),
            "distribution": files,
        })
    }
}

fn media_type(format: Format) -> &'static str {
    match format {
        Format::JsonLines => "application/jsonlines",
        Format::Markdown => "text/markdown",
        Format::Plain => "text/plain",
        Format::Html => "text/html",
        Format::Csv => "text/csv",
        Format::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        Format::Pdf => "application/pdf",
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use audit::{Kind, PublicKey, signed};

    use super::*;
    use crate::{config::Overrides, identity::keygen};

    fn settings(folder: &std::path::Path) -> Settings {
        fs::create_dir(folder.join("corpus")).unwrap();
        fs::write(folder.join("corpus/a.txt"), "Mars is red.").unwrap();
        let toml = "id = \"sky\"\ntitle = \"Sky\"\ninstitution = \"Planetarium\"\ndescription = \"Planets.\"\n\
            license = \"CC0-1.0\"\nlisten = \"127.0.0.1:50062\"\ncorpus = \"corpus\"\nkey = \"specialist.key\"\n\
            data_openness = \"open\"\nretention = \"Nothing.\"\nencoder = { kind = \"hashed\" }\n";
        let path = folder.join("specialist.toml");
        fs::write(&path, toml).unwrap();
        keygen(&path, None).unwrap();
        Settings::load(&path, Overrides::default()).unwrap()
    }

    fn exports(export: Export) -> String {
        let folder = tempfile::tempdir().unwrap();
        super::export(&settings(folder.path()), export).unwrap()
    }

    const TEXT: Export = Export { output: Output::Text, a2a: false, croissant: false };

    #[test]
    fn the_card_is_printed_with_its_signature() {
        let printed: Value = serde_json::from_str(&exports(Export { output: Output::Json, ..TEXT })).unwrap();
        let bytes = |field: &str| STANDARD.decode(printed[field].as_str().unwrap()).unwrap();
        let card = PublishedCard::read(bytes("card")).unwrap();
        let key = PublicKey::read(&card.card().public_key.unwrap()).unwrap();
        assert_eq!(signed::verify(&key, Kind::Card, card.bytes(), &bytes("signature")), Ok(()));
        assert_eq!(printed["public_key"], key.to_string());
        assert_eq!(printed["card_sha256"], card.digest().to_string());

        let text = exports(TEXT);
        assert!(
            text.contains("retention:     Nothing.\nweights:       none (unsaid)\ndata:          "),
            "{text}"
        );
        assert!(text.contains(" (open)\n"), "{text}");
    }

    #[test]
    fn a_card_of_a2a_has_what_its_schema_requires_and_our_fields() {
        let card: Value = serde_json::from_str(&exports(Export { a2a: true, ..TEXT })).unwrap();
        for field in ["name", "description", "version"] {
            assert!(card[field].is_string(), "{field}");
        }
        for field in ["supportedInterfaces", "defaultInputModes", "defaultOutputModes", "skills"] {
            assert_eq!(card[field].as_array().unwrap().len(), 1, "{field}");
        }
        assert_eq!(card["supportedInterfaces"][0]["url"], "http://127.0.0.1:50062");
        let ours = &card["capabilities"]["extensions"][0];
        assert_eq!((&ours["uri"], &ours["params"]["retention"]), (&A2A_EXTENSION.into(), &"Nothing.".into()));
        assert!(ours["params"]["signature"].is_string());
    }

    #[test]
    fn a_manifest_names_each_file_with_its_digest() {
        let data: Value = serde_json::from_str(&exports(Export { croissant: true, ..TEXT })).unwrap();
        assert_eq!(data["conformsTo"], "http://mlcommons.org/croissant/1.1");
        let [file] = &data["distribution"].as_array().unwrap()[..] else { panic!("{data}") };
        let digest = Digest::of("Mars is red.");
        assert_eq!((&file["@id"], &file["sha256"]), (&"a.txt".into(), &digest.to_string().into()));
        assert_eq!((&file["contentSize"], &file["encodingFormat"]), (&"12 B".into(), &"text/plain".into()));
        let manifest = Digest::of(digest.as_bytes());
        assert_eq!(data["identifier"], format!("sha256:{manifest}"));
    }
}
