//! The files of a sentence-transformers folder, as far as they are not weights.

use std::{
    collections::HashMap,
    fmt::Display,
    fs, io,
    path::{Path, PathBuf},
};

use candle_transformers::models::bert;
use proto::Pooling;
use serde::{Deserialize, de::DeserializeOwned};

/// Why a folder is no encoder, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The folder, or a file that it must have, is not there.
    #[error("{} not found: run `make setup`, or name a folder with --model", .0.display())]
    Missing(PathBuf),
    /// The file is there, but the system does not let it be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The file is not what it should be.
    #[error("{} is broken: {reason}", path.display())]
    Broken {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A network that this build cannot run.
    #[error("{} has model_type {found:?}: only \"bert\" is supported", path.display())]
    Architecture {
        /// The file that says so.
        path: PathBuf,
        /// What it names.
        found: String,
    },
    /// A way of pooling that a space has no name for.
    #[error("{} wants pooling {found}: only mean and cls are supported", path.display())]
    Pooling {
        /// The file that says so.
        path: PathBuf,
        /// What it wants.
        found: String,
    },
    /// A step after the network that this build cannot do.
    #[error("{} names module {found}: only Transformer, Pooling and Normalize are supported", path.display())]
    Module {
        /// The file that says so.
        path: PathBuf,
        /// What it names.
        found: String,
    },
    /// A network, or a processor, that the engine asked for cannot do.
    #[error("{} cannot run on engine packed: {reason}", path.display())]
    Engine {
        /// The folder.
        path: PathBuf,
        /// What stands in the way.
        reason: &'static str,
    },
}

/// What the folder says about its encoder.
pub(crate) struct Settings {
    pub(crate) bert: bert::Config,
    pub(crate) pooling: Pooling,
    /// Put before each input.
    pub(crate) prefix: String,
    /// Where the encoder's makers cut texts, in tokens.
    pub(crate) tokens_max: Option<usize>,
}

#[derive(Deserialize)]
struct Module {
    path: PathBuf,
    #[serde(rename = "type")]
    kind: String,
}

/// `config_sentence_transformers.json`.
#[derive(Default, Deserialize)]
struct Prompts {
    #[serde(default)]
    prompts: HashMap<String, String>,
    default_prompt_name: Option<String>,
}

/// `sentence_bert_config.json`.
#[derive(Default, Deserialize)]
struct Lengths {
    max_seq_length: Option<usize>,
}

/// An existing folder.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn open(dir: &Path) -> Result<Self, LoadError> {
        // The full path has a name even where `dir` is a dot or a link.
        dir.canonicalize().map(Self).map_err(|error| unreadable(dir.into(), error))
    }

    /// Its last component, at most 120 characters.
    pub(crate) fn name(&self) -> String {
        self.0.file_name().unwrap_or(self.0.as_os_str()).to_string_lossy().chars().take(120).collect()
    }

    pub(crate) fn read(&self, file: impl AsRef<Path>) -> Result<Vec<u8>, LoadError> {
        let path = self.0.join(file);
        fs::read(&path).map_err(|error| unreadable(path, error))
    }

    pub(crate) fn broken(&self, file: impl AsRef<Path>, reason: &dyn Display) -> LoadError {
        LoadError::Broken { path: self.0.join(file), reason: reason.to_string() }
    }

    /// That the network cannot run on the engine asked for.
    pub(crate) fn refused(&self, reason: &'static str) -> LoadError {
        LoadError::Engine { path: self.0.clone(), reason }
    }

    pub(crate) fn settings(&self) -> Result<Settings, LoadError> {
        let config: serde_json::Value = self.json("config.json")?;
        let model_type = config.get("model_type").and_then(|name| name.as_str()).unwrap_or_default();
        if model_type != "bert" {
            return Err(LoadError::Architecture {
                path: self.0.join("config.json"),
                found: model_type.to_owned(),
            });
        }
        let bert = serde_json::from_value(config).map_err(|error| self.broken("config.json", &error))?;
        let Prompts { prompts, default_prompt_name } =
            self.json_if_there("config_sentence_transformers.json")?.unwrap_or_default();
        let prefix = default_prompt_name.and_then(|name| prompts.get(&name).cloned()).unwrap_or_default();
        let lengths: Lengths = self.json_if_there("sentence_bert_config.json")?.unwrap_or_default();
        Ok(Settings { bert, pooling: self.pooling()?, prefix, tokens_max: lengths.max_seq_length })
    }

    fn pooling(&self) -> Result<Pooling, LoadError> {
        let mut dir = PathBuf::from("1_Pooling");
        for module in self.json_if_there::<Vec<Module>>("modules.json")?.unwrap_or_default() {
            // The packages before the last dot have changed between releases.
            match module.kind.rsplit('.').next() {
                Some("Pooling") => dir = module.path,
                Some("Transformer" | "Normalize") => {}
                _ => {
                    return Err(LoadError::Module { path: self.0.join("modules.json"), found: module.kind });
                }
            }
        }
        let file = dir.join("config.json");
        let Some(config) = self.json_if_there(&file)? else {
            // What sentence-transformers does with a plain BERT.
            return Ok(Pooling::Mean);
        };
        match pooling_modes(&config).as_slice() {
            ["mean" | "mean_tokens"] => Ok(Pooling::Mean),
            ["cls" | "cls_token"] => Ok(Pooling::Cls),
            other => {
                Err(LoadError::Pooling { path: self.0.join(&file), found: format!("[{}]", other.join(", ")) })
            }
        }
    }

    fn json<T: DeserializeOwned>(&self, file: impl AsRef<Path>) -> Result<T, LoadError> {
        let bytes = self.read(&file)?;
        serde_json::from_slice(&bytes).map_err(|error| self.broken(file, &error))
    }

    fn json_if_there<T: DeserializeOwned>(&self, file: impl AsRef<Path>) -> Result<Option<T>, LoadError> {
        match self.json(file) {
            Err(LoadError::Missing(_)) => Ok(None),
            other => other.map(Some),
        }
    }
}

/// The modes that are on: old files have a flag for each, new ones name one or a list.
fn pooling_modes(config: &serde_json::Map<String, serde_json::Value>) -> Vec<&str> {
    use serde_json::Value;
    match config.get("pooling_mode") {
        Some(Value::String(mode)) => vec![mode],
        Some(Value::Array(modes)) => modes.iter().filter_map(Value::as_str).collect(),
        _ => config
            .iter()
            .filter(|(_, on)| **on == Value::Bool(true))
            .filter_map(|(flag, _)| flag.strip_prefix("pooling_mode_"))
            .collect(),
    }
}

fn unreadable(path: PathBuf, source: io::Error) -> LoadError {
    match source.kind() {
        io::ErrorKind::NotFound => LoadError::Missing(path),
        _ => LoadError::Unreadable { path, source },
    }
}
