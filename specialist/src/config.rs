//! The settings of a specialist: `specialist.toml`, and where its files lie.

use std::path::{Path, PathBuf};

use audit::PublicKey;
use embedding::Engine;
use proto::{
    Digest,
    config::{EncoderConfig, GeneratorConfig, SpecialistConfig},
};

use crate::{
    Error, card,
    corpus::{Corpus, Reader},
    identity::Identity,
    provenance::{self, Provenance},
};

/// Settings that a specialist can start from.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What the file says.
    pub config: SpecialistConfig,
    /// The corpus, found from where the file lies; `None` only for a scripted generator.
    pub corpus: Option<PathBuf>,
    /// Where the cache of embeddings lives.
    pub data: PathBuf,
    /// Folder of the encoder's weights.
    pub model: PathBuf,
    /// What does the encoder's arithmetic; the fastest that runs here where absent.
    pub engine: Option<Engine>,
    /// Its key; `None`: it signs nothing.
    pub identity: Option<Identity>,
}

/// What the command line and the environment say in place of the file.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Address to listen on, `host:port`.
    pub listen: Option<String>,
    /// Where the cache of embeddings lives; `.consilium` beside the file where absent.
    pub data: Option<PathBuf>,
    /// Folder of the encoder's weights; [`MODEL`] where absent.
    pub model: Option<PathBuf>,
    /// What does the encoder's arithmetic.
    pub engine: Option<Engine>,
    /// What [`identity::VARIABLE`](crate::identity::VARIABLE) holds: the key, or the name of its file.
    pub key: Option<String>,
}

/// The default folder of the encoder's weights.
pub const MODEL: &str = "models/all-MiniLM-L6-v2";

impl Settings {
    /// Reads and checks the file at `path`. Errors name the file, and line or field.
    pub fn load(path: &Path, overrides: Overrides) -> Result<Self, Error> {
        let mut config: SpecialistConfig = serve::config::load(path)?;
        let Overrides { listen, data, model, engine, key } = overrides;
        if let Some(listen) = listen {
            config.listen = listen;
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let settings = Self {
            corpus: config.corpus.as_ref().map(|corpus| folder.join(corpus)),
            data: data.unwrap_or_else(|| folder.join(".consilium")),
            model: model.unwrap_or_else(|| MODEL.into()),
            engine,
            identity: Identity::load(&config, folder, key.as_deref())?,
            config,
        };
        settings.check().map_err(|problem| Error::Setting { path: path.to_owned(), problem })?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), String> {
        let config = &self.config;
        if let GeneratorConfig::Extractive { lead_words_max } = config.generator {
            if self.corpus.is_none() {
                return Err("corpus: an extractive generator needs one".into());
            }
            if matches!(config.encoder, EncoderConfig::None) {
                return Err(format!("encoder: {}", Error::NoEncoder));
            }
            if lead_words_max == 0 {
                return Err("generator.lead_words_max: must be at least 1".into());
            }
        }
        if !(0.0..=1.0).contains(&config.lexical_share) {
            return Err(format!("lexical_share: is {}, where 0 to 1 is allowed", config.lexical_share));
        }
        // The address may not be known before it is listened on; any other stands in for the check.
        let endpoint = config.public_endpoint.as_deref().unwrap_or("http://localhost:1");
        card::publish(config, self.public_key().as_ref(), endpoint, &Provenance::default())
            .map_err(|invalid| invalid.to_string())?;
        Ok(())
    }

    /// The key with which its words can be checked.
    pub(crate) fn public_key(&self) -> Option<PublicKey> {
        self.identity.as_ref().map(|identity| identity.key().public())
    }

    /// A reader of the corpus, if there is one.
    pub fn reader(&self) -> Option<Reader> {
        self.corpus.as_ref().map(|corpus| Reader::new(corpus, &self.config.license))
    }

    /// All that is in the corpus; nothing where there is none.
    pub(crate) fn corpus(&self) -> Result<Corpus, Error> {
        let Some(mut reader) = self.reader() else { return Ok(Corpus::default()) };
        reader.look()?;
        Ok(reader.corpus().clone())
    }

    /// The digest of the encoder's files; `None` where it has none. Reads all of them.
    pub(crate) fn weights(&self) -> Result<Option<Digest>, Error> {
        match self.config.encoder {
            EncoderConfig::Model => provenance::weights(&self.model),
            EncoderConfig::Hashed | EncoderConfig::None => Ok(None),
        }
    }

    /// What would be served, as lines for people. Loads no weights and embeds nothing.
    pub fn check_corpus(&self) -> Result<String, Error> {
        let Corpus { passages, report, .. } = self.corpus()?;
        let prototypes = match self.config.encoder {
            EncoderConfig::None => "none: the router embeds the card's texts".to_owned(),
            EncoderConfig::Model | EncoderConfig::Hashed => {
                format!("at most {}", crate::prototypes::count_max(passages.len()))
            }
        };
        let skipped = match report.skipped.len() {
            0 => String::new(),
            count => format!("\nskipped: {count}; `specialist index --report` says which and why"),
        };
        let key = match self.public_key() {
            Some(key) => key.to_string(),
            None => "none, so nothing is signed; `specialist keygen` makes one".to_owned(),
        };
        Ok(format!(
            "{}: {}, {}\npassages: {} from {} files{skipped}\nprototypes: {prototypes}\nexample questions: {}\nsample texts: {}\nkey: {key}",
            self.config.id,
            self.config.title,
            self.config.institution,
            passages.len(),
            report.files(),
            self.config.example_questions.len(),
            self.config.sample_texts.len(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::chain;

    const CARD: &str = "id = \"a\"\ntitle = \"A\"\ninstitution = \"B\"\ndescription = \"C\"\n\
        license = \"MIT\"\nlisten = \"127.0.0.1:0\"\n";

    fn loads(toml: &str) -> Result<Settings, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("specialist.toml");
        std::fs::write(&path, toml).unwrap();
        let root = format!("{}/", folder.path().display());
        let relative = |path: PathBuf| path.strip_prefix(&root).unwrap().to_owned();
        let mut settings =
            Settings::load(&path, Overrides::default()).map_err(|error| chain(&error).replace(&root, ""))?;
        settings.corpus = settings.corpus.map(relative);
        settings.data = relative(settings.data);
        Ok(settings)
    }

    #[test]
    fn paths_are_found_from_the_file() {
        let settings = loads(&format!("{CARD}corpus = \"texts\"")).unwrap();
        assert_eq!(settings.corpus, Some("texts".into()));
        assert_eq!(settings.data, Path::new(".consilium"));
    }

    #[test]
    fn errors_name_file_and_place() {
        let bad = |toml: &str| loads(toml).unwrap_err();
        assert!(bad("id = 5").starts_with("specialist.toml is not valid: TOML parse error at line 1"));
        assert_eq!(bad(CARD), "specialist.toml: corpus: an extractive generator needs one");
        let blank = CARD.replace("\"A\"", "\"\"") + "corpus = \"c\"";
        assert_eq!(bad(&blank), "specialist.toml: card.title: has 0 characters, where 1 to 120 are allowed");
        for share in ["1.5", "-0.1", "nan"] {
            let shared = format!("{CARD}corpus = \"c\"\nlexical_share = {share}");
            let expected =
                format!("specialist.toml: lexical_share: is {}, where", share.replace("nan", "NaN"));
            assert!(bad(&shared).starts_with(&expected), "{}", bad(&shared));
        }
        let told = format!("{CARD}corpus = \"c\"\nhistory_turns_max = 17");
        let expected = "specialist.toml: card.history_turns_max: is 17, where 0 to 16 is allowed";
        assert_eq!(bad(&told), expected);
        let none = format!("{CARD}corpus = \"c\"\nencoder = {{ kind = \"none\" }}");
        assert_eq!(bad(&none), "specialist.toml: encoder: an extractive generator needs an encoder");
    }
}
