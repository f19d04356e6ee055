//! A receipt as it leaves the router: with all that is needed to check it elsewhere.

use audit::{
    Base64, Bundle, Salt,
    bundle::{Institution, Opening},
    signed,
};
use proto::{
    Digest,
    wire::{Receipt, Signed, Statement},
};
use store::StoreError;

use super::{Capability, LogsError, Receipts};

/// Why a receipt cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No such receipt, or another's: nobody learns which.
    #[error("no receipt here is opened by that")]
    Unknown,
    /// It is not as it was written.
    #[error("the receipt cannot be read from the router's database: restore it from a backup")]
    Unreadable,
    /// The logs.
    #[error(transparent)]
    Logs(#[from] LogsError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Receipts {
    /// The receipt.json of the turn `request_id`, for whoever shows its `capability`. Waits until a checkpoint
    /// covers it, a second at most.
    pub async fn bundle(&self, request_id: &str, capability: &Capability) -> Result<String, ReadError> {
        let (place, row) = self.find(request_id, capability).await?;
        let opening = match &row.sealed {
            Some(sealed) => Some(unsealed(request_id, capability, sealed).ok_or(ReadError::Unreadable)?),
            None => None,
        };
        let proof = self.logs.prove_receipt(place).await?.to_string();
        let receipt = Signed { payload: row.payload, signature: row.signature };
        let mut institutions = Vec::new();
        let said: Receipt = signed::canonical(&receipt.payload).map_err(|_| ReadError::Unreadable)?;
        let registered = said.registry.as_ref().map_or(0, |state| state.size);
        for digest in cards(&said) {
            institutions.extend(self.institution(digest, registered).await?);
        }
        let salt = Salt::read(&row.leaf_salt).ok_or(ReadError::Unreadable)?;
        let bundle = Bundle::new(receipt, self.keyid(), &salt, proof, institutions, opening);
        Ok(bundle.ok_or(ReadError::Unreadable)?.to_json())
    }

    /// Forgets what opens the receipt of the turn `request_id`, for whoever shows its `capability`.
    pub async fn forget(&self, request_id: &str, capability: &Capability) -> Result<(), ReadError> {
        self.find(request_id, capability).await?;
        Ok(self.store.forget_opening(request_id).await?)
    }

    /// A card, and that it is registered, by a state of the log of `size_min` entries at least; nothing where its
    /// entry is not published yet.
    async fn institution(&self, digest: Digest, size_min: u64) -> Result<Option<Institution>, ReadError> {
        let entry = self.logs.prove_card(digest, size_min).await?;
        let card = self.store.registry_content(digest.as_bytes()).await?;
        Ok(entry.zip(card).map(|((entry, proof), card)| Institution {
            card: Base64(card),
            entry: Base64(entry),
            proof: proof.to_string(),
        }))
    }
}

fn unsealed(request_id: &str, capability: &Capability, sealed: &[u8]) -> Option<Opening> {
    serde_json::from_slice(&capability.unseal(request_id, sealed)?).ok()
}

/// Every card that a receipt names, in the order in which it does.
fn cards(receipt: &Receipt) -> Vec<Digest> {
    let mut cards = Vec::new();
    for call in &receipt.calls {
        let statement = call.statement.as_ref();
        let statement = statement.and_then(|it| signed::canonical::<Statement>(&it.payload).ok());
        let named = [Some(&call.card_sha256), statement.as_ref().map(|statement| &statement.card_sha256)];
        for digest in named.into_iter().flatten().filter_map(|bytes| Digest::read("card", bytes).ok()) {
            if !cards.contains(&digest) {
                cards.push(digest);
            }
        }
    }
    cards
}
