//! The router's key: with it receipts and both logs are signed.

use std::{env, path::Path};

use anyhow::{Context, Result, ensure};
use audit::SecretKey;
use store::Store;

/// Where the key may stand in place of its file: the PEM itself, or the path of a mounted secret.
const VARIABLE: &str = "CONSILIUM_ROUTER_KEY";

/// The key in the environment or in the file at `path`; a router that has no receipts yet makes one.
pub(crate) async fn load(path: &Path, store: &Store) -> Result<SecretKey> {
    if let Ok(given) = env::var(VARIABLE) {
        let key = if given.trim_start().starts_with("-----BEGIN") {
            SecretKey::read(VARIABLE, &given)
        } else {
            SecretKey::load(Path::new(given.trim()))
        };
        return Ok(key?);
    }
    if path.exists() {
        return Ok(SecretKey::load(path)?);
    }
    ensure!(
        store.receipt_count().await? == 0,
        "the key {} is gone, with which this router's receipts are signed: put it back, or start anew with an \
         empty data folder",
        path.display()
    );
    let key = SecretKey::generate()?;
    key.save(path).context("cannot keep the router's new key")?;
    tracing::info!(key = %path.display(), public = %key.public(), "made a key: keep a copy of it");
    Ok(key)
}
