//! The router's key: with it receipts and both logs are signed.

use std::{
    env,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use audit::{
    SecretKey, Vkey,
    note::{Algorithm, NoteError},
};
use serde_json::{Value, json};
use store::Store;

use crate::{config::Config, receipt::Which};

/// Where the key may stand in place of its file: the PEM itself, or the path of a mounted secret.
const VARIABLE: &str = "CONSILIUM_ROUTER_KEY";

/// Which router.
#[derive(Debug, clap::Args)]
pub struct Keyed {
    /// The router's settings; every one has a default.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Folder of the router's database, in place of the settings'.
    #[arg(long)]
    data: Option<PathBuf>,
}

impl Keyed {
    fn config(&self) -> Result<Config> {
        let mut config: Config =
            self.config.as_deref().map(serve::config::load).transpose()?.unwrap_or_default();
        config.data = self.data.clone().unwrap_or(config.data);
        config.check().map_err(anyhow::Error::msg)?;
        Ok(config)
    }
}

/// Makes the router's key, and says by which public key it is known.
pub fn keygen(keyed: &Keyed) -> Result<()> {
    let config = keyed.config()?;
    std::fs::create_dir_all(&config.data)
        .with_context(|| format!("cannot make the data folder {}", config.data.display()))?;
    let (path, key) = (file(&config.data), SecretKey::generate()?);
    key.save(&path)?;
    writeln!(io::stderr(), "made {}: keep a copy of it", path.display())?;
    Ok(writeln!(io::stdout(), "{}", vkey(&config.name, Which::Receipts, &key)?)?)
}

/// Prints the trust file of the router: what a reader needs to check its receipts.
pub fn trust(keyed: &Keyed) -> Result<()> {
    let config = keyed.config()?;
    let key = given()?.map_or_else(|| SecretKey::load(&file(&config.data)), Ok)?;
    let trust = trust_file(&config.name, &key, &config.witnesses)?;
    Ok(writeln!(io::stdout(), "{trust:#}")?)
}

/// What a reader needs to check the receipts of the router with this `name` and `key`.
pub(crate) fn trust_file(name: &str, key: &SecretKey, witnesses: &[Vkey]) -> Result<Value, NoteError> {
    let [receipts, registry] = Which::ALL.map(|which| vkey(name, which, key));
    Ok(json!({
        "v": 1,
        "receipts": receipts?.to_string(),
        "registry": registry?.to_string(),
        "witnesses": witnesses.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "witnesses_min": 0,
    }))
}

/// The key of one of the logs of the router with this `name`.
pub(crate) fn vkey(name: &str, which: Which, key: &SecretKey) -> Result<Vkey, NoteError> {
    Vkey::new(&format!("{name}/{}", which.name()), Algorithm::Ed25519, key.public())
}

/// The key in the environment or in the folder `data`; a router that has no receipts yet makes one.
pub(crate) async fn load(data: &Path, store: &Store) -> Result<SecretKey> {
    let path = file(data);
    if let Some(key) = given()? {
        return Ok(key);
    }
    if path.exists() {
        return Ok(SecretKey::load(&path)?);
    }
    ensure!(
        store.receipt_count().await? == 0,
        "the key {} is gone, with which this router's receipts are signed: put it back, or start anew with an \
         empty data folder",
        path.display()
    );
    let key = SecretKey::generate()?;
    key.save(&path).context("cannot keep the router's new key")?;
    tracing::info!(key = %path.display(), public = %key.public(), "made a key: keep a copy of it");
    Ok(key)
}

fn file(data: &Path) -> PathBuf {
    data.join("router.key")
}

fn given() -> Result<Option<SecretKey>> {
    let Ok(given) = env::var(VARIABLE) else { return Ok(None) };
    let key = if given.trim_start().starts_with("-----BEGIN") {
        SecretKey::read(VARIABLE, &given)
    } else {
        SecretKey::load(Path::new(given.trim()))
    };
    Ok(Some(key?))
}
