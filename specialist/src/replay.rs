//! `specialist replay`: the answer that a receipt holds, derived again from the request in it and from the corpus
//! as it is now. Nothing is served.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use audit::{
    Bundle, Salt, Transcript,
    bundle::{BUNDLE_BYTES_MAX, OpenCall},
    signed,
};
use futures_util::StreamExt as _;
use proto::{
    AnswerEvent, PublishedCard,
    config::GeneratorConfig,
    wire::{AnswerRequest, AnswerResponse, Call, Receipt, Statement},
};

use crate::{
    Error, Settings,
    error::CallError,
    library::{Librarian, Library},
    server,
    service::question,
};

/// Why an answer cannot be compared. Never quotes it.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The receipt cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no receipt.
    #[error("{} is no receipt.json as a router gives it: fetch it again", .0.display())]
    NotReceipt(PathBuf),
    /// What was asked and said is not in it any more.
    #[error("the receipt is closed: its opening was deleted, so there is nothing to derive the answer from")]
    Closed,
    /// This specialist was not called.
    #[error("the receipt holds no call of {0}: name the settings of a specialist that was asked")]
    NotCalled(String),
    /// A script derives nothing.
    #[error("only the extractive generator derives its answers again")]
    Scripted,
    /// The specialist cannot be made ready.
    #[error(transparent)]
    Specialist(#[from] Error),
    /// The answer cannot be made.
    #[error("the answer cannot be derived: {0}")]
    Answer(#[from] CallError),
}

/// What a replay found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// Whether the same was said again, byte for byte.
    pub same: bool,
    /// What is the same and what is not, as lines.
    pub report: String,
}

/// What a receipt holds of one call.
struct Held {
    request: AnswerRequest,
    call: OpenCall,
    /// What was signed of it; `None` where nothing was.
    statement: Option<Statement>,
}

/// Derives the answer in the receipt at `path` again.
pub async fn replay(settings: Settings, path: &Path) -> Result<Replayed, ReplayError> {
    let GeneratorConfig::Extractive { .. } = settings.config.generator else {
        return Err(ReplayError::Scripted);
    };
    let held = held(path, &settings.config.id)?;
    let embedder = server::embedder(&settings).await?;
    let collection = Librarian::new(settings.clone(), embedder.clone())?.collect().await?;
    // Where it would be reached makes no answer another.
    let library = Arc::new(Library::publish(&settings, "http://localhost:1", collection)?);
    let generator = server::generator(&settings.config.generator, embedder)?;
    let mut report = rests_on(held.statement.as_ref(), library.card());

    let asked = question(&held.request).map_err(CallError::from)?;
    let salt = Salt::read(&held.request.salt).ok_or_else(|| ReplayError::NotReceipt(path.to_owned()))?;
    let mut heard = Transcript::new(&held.request, salt);
    let mut events = generator.answer(library, asked);
    while let Some(event) = events.next().await {
        let event: AnswerEvent = event?;
        heard.hear(&AnswerResponse::from(event));
    }
    let same = compare(&held, &heard, &mut report);
    Ok(Replayed { same, report })
}

fn held(path: &Path, specialist_id: &str) -> Result<Held, ReplayError> {
    let not_receipt = || ReplayError::NotReceipt(path.to_owned());
    let bundle = Bundle::read(&read(path)?).map_err(|_| not_receipt())?;
    let receipt: Receipt = signed::canonical(&bundle.receipt().payload).map_err(|_| not_receipt())?;
    let opening = bundle.opening().ok_or(ReplayError::Closed)?;
    let calls = receipt.calls.into_iter().zip(&opening.calls);
    let own = calls.into_iter().find(|(call, _)| call.specialist_id == specialist_id);
    let (Call { statement, .. }, open) =
        own.ok_or_else(|| ReplayError::NotCalled(specialist_id.to_owned()))?;
    let statement = statement.map(|signed| signed::canonical(&signed.payload)).transpose();
    Ok(Held {
        request: signed::canonical(&open.request.0).map_err(|_| not_receipt())?,
        call: open.clone(),
        statement: statement.map_err(|_| not_receipt())?,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, ReplayError> {
    let failed = |source| ReplayError::Read { path: path.to_owned(), source };
    if fs::metadata(path).map_err(failed)?.len() > BUNDLE_BYTES_MAX as u64 {
        return Err(ReplayError::NotReceipt(path.to_owned()));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(BUNDLE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// Whether what the specialist has now is what it signed then.
fn rests_on(statement: Option<&Statement>, card: &PublishedCard) -> String {
    let Some(signed) = statement else {
        return "signed: nothing, so only words and passages are compared".into();
    };
    let now = card.card();
    let same = |now: Option<proto::Digest>, then: &[u8]| {
        let now = now.map(|digest| digest.as_bytes().to_vec()).unwrap_or_default();
        if now == then { "as signed" } else { "another than signed" }
    };
    format!(
        "weights: {}\ncorpus's files: {}\ncorpus's passages: {}",
        same(now.weights_sha256, &signed.weights_sha256),
        same(now.data_sha256, &signed.data_sha256),
        same(now.passages_root, &signed.passages_root),
    )
}

/// Whether `heard` is what was held, and what of it is not, added to `report`.
fn compare(held: &Held, heard: &Transcript, report: &mut String) -> bool {
    let Held { call: OpenCall { answer, passages, .. }, statement, .. } = held;
    let said = heard.answer();
    let parts = || said.bytes().zip(answer.bytes());
    let differs = parts().take_while(|(now, then)| now == then).count();
    let words = match statement {
        // It broke off there, so nobody knows what it would have said.
        None => said.starts_with(answer.as_str()),
        Some(_) => said == answer,
    };
    let sent = || heard.passages().map(<[u8]>::to_vec);
    let then = passages.iter().map(|passage| passage.passage.0.clone());
    let sources = match statement {
        None => sent().take(passages.len()).eq(then),
        Some(_) => sent().eq(then),
    };
    let signed = statement.as_ref().map_or(Ok(()), |statement| heard.check(statement));
    let place = if words { String::new() } else { format!(" from byte {differs} on") };
    let word = |same: bool| if same { "the same" } else { "another" };
    // Writing to a string never fails.
    let _ = write!(report, "\nanswer: {}{place}\npassages: {}", word(words), word(sources));
    if let Err(mismatch) = signed {
        let _ = write!(report, "\nstatement: {mismatch}");
    }
    words && sources && signed.is_ok()
}
