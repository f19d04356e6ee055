//! `router replay`: derives a decision again from what it followed from, and says whether it comes out the
//! same.

mod compare;
mod receipt;
mod recorded;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use embedding::Embedder;
use proto::{
    Conversation, Digest, Embedding, Prototypes, PublishedCard, Role, Space, SpecialistId, Terms, Turn,
    UnitVector,
};
use registry::{Registration, Slot, Snapshot};
use store::Store;

use crate::{
    app::{rules, start_encoder},
    ask::query,
    config::Config,
    route::{Background, Case, Decision, Rules},
};
use compare::{Outcome, TOLERANCE, compare};
use recorded::Recorded;

/// The least cosine of two vectors of one text: engines of one space agree within rounding.
const COSINE_MIN: f32 = 0.9999;

/// What to derive again.
#[derive(Debug, clap::Args)]
pub struct Replaying {
    /// The decision, as `router explain -o json` printed it, or a receipt.json.
    #[arg(value_name = "FILE.json")]
    decision: PathBuf,
    /// The router's settings; every one has a default.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Folder of the router's database, in place of the settings'.
    #[arg(long)]
    data: Option<PathBuf>,
}

/// Prints "same", or what differs. The exit code says it too: 0 the same, 1 something differs, 2 the file is
/// no decision.
pub async fn run(replaying: &Replaying) -> Result<ExitCode> {
    let recorded = match Recorded::read(&replaying.decision) {
        Ok(recorded) => recorded,
        Err(error) => {
            writeln!(io::stderr(), "router: {error:#}")?;
            return Ok(ExitCode::from(2));
        }
    };
    let mut config = Config::offline(replaying.config.as_deref(), replaying.data.as_deref())?;
    config.route = recorded.policy.clone();
    let embedder = start_encoder(&config)?;
    let weights = embedder.space().weights.to_string();
    ensure!(
        recorded.weights_sha256 == weights,
        "the decision was made with another encoder: its weights have the SHA-256 {}, this one's {weights}",
        recorded.weights_sha256
    );
    let store = Store::open(&config.database()).await?;
    let snapshot = snapshot(&store, &recorded, embedder.space()).await;
    store.close().await;
    let snapshot = snapshot?;
    let rules = rules(&config, recorded.calibration.clone(), &embedder).await?;
    let differences = differences(&recorded, &rules, &snapshot, &embedder).await?;
    let (said, code) = report(&differences);
    io::stdout().write_all(said.as_bytes())?;
    Ok(code)
}

/// What came of it.
struct Differences {
    /// One a line.
    lines: Vec<String>,
    /// Some numbers differ, though none by more than the tolerance.
    rounded: bool,
}

fn report(differences: &Differences) -> (String, ExitCode) {
    let Differences { lines, rounded } = differences;
    if !lines.is_empty() {
        let said = format!("differs (numbers by more than {TOLERANCE}):\n  {}\n", lines.join("\n  "));
        return (said, ExitCode::FAILURE);
    }
    if *rounded {
        return (format!("same, within {TOLERANCE}\n"), ExitCode::SUCCESS);
    }
    ("same\n".to_owned(), ExitCode::SUCCESS)
}

/// The fleet as the decision saw it, from what the database holds of it.
async fn snapshot(store: &Store, recorded: &Recorded, space: &Arc<Space>) -> Result<Snapshot> {
    let mut now = BTreeMap::new();
    for row in store.registrations().await? {
        for content in [row.card, row.prototypes] {
            now.insert(Digest::of(&content), content);
        }
    }
    let find = async |digest: Digest| match now.get(&digest) {
        Some(content) => Ok::<_, anyhow::Error>(Some(content.clone())),
        None => Ok(store.past(digest.as_bytes()).await?),
    };
    let mut snapshot = Snapshot::empty(space.clone())?;
    let mut gone = Vec::new();
    for member in &recorded.fleet {
        let (card, prototypes) = (find(member.card_sha256).await?, find(member.prototypes_sha256).await?);
        let missing = [("the card", card.is_none()), ("the prototypes", prototypes.is_none())];
        let missing = missing.iter().filter(|(_, missing)| *missing);
        gone.extend(missing.map(|(what, _)| format!("{what} of {}", member.id)));
        if let (Some(card), Some(prototypes)) = (card, prototypes) {
            let registration = registration(card, &prototypes, member.enabled)
                .with_context(|| format!("the database holds something unreadable of {}", member.id))?;
            ensure!(*registration.id() == member.id, "the digests of {} are somebody else's", member.id);
            snapshot = snapshot.with(Arc::new(registration))?;
        }
    }
    ensure!(
        gone.is_empty(),
        "the database no longer holds {}: the decision cannot be derived again",
        gone.join(", ")
    );
    Ok(snapshot)
}

fn registration(card: Vec<u8>, prototypes: &[u8], enabled: bool) -> Result<Registration> {
    let prototypes: proto::wire::PrototypesResponse = prost::Message::decode(prototypes)?;
    let card = PublishedCard::read(card)?;
    let made_up = Registration::made_up(card.card().id.as_str(), Prototypes::try_from(prototypes)?)?;
    Ok(Registration { card: Arc::new(card), enabled, ..made_up })
}

async fn differences(
    recorded: &Recorded,
    rules: &Rules,
    snapshot: &Snapshot,
    embedder: &Embedder,
) -> Result<Differences> {
    let case = rules.case(&recorded.options, snapshot, &recorded.ejected);
    let space = embedder.space();
    let vector = UnitVector::read("derivation.vector", recorded.vector.clone(), space.dimension)?;
    let mut lines = Vec::new();
    if recorded.background_sha256 != Background::digest() {
        lines.push("the questions that belong to nobody: another version of the router decided".to_owned());
    }
    lines.extend(asked_again(recorded, &case, &vector, embedder).await?);
    let question = Embedding { space: space.clone(), vector };
    let (decision, probed) = derive(recorded, &case, &question, &rules.background)?;
    let were: BTreeSet<&SpecialistId> = recorded.shown.keys().collect();
    // With earlier turns nobody is probed; whom their vector would leave in doubt says nothing.
    if !recorded.history_used && probed != were {
        lines.push(format!("probed: {} recorded, {} derived", names(&were), names(&probed)));
    }
    let (found, rounded) = compare(&recorded.outcome, &Outcome::of(&decision, &rules.calibration));
    lines.extend(found);
    Ok(Differences { lines, rounded })
}

/// The decision, and who would be probed for it.
fn derive<'a>(
    recorded: &Recorded,
    case: &Case<'a>,
    question: &Embedding,
    background: &Background,
) -> Result<(Decision, BTreeSet<&'a SpecialistId>)> {
    let hits = case.nearest(question)?;
    let survey = case.survey(question, recorded.terms, &hits, background);
    let id = |slot: Slot| Some(case.snapshot.owner(slot)?.id());
    let probed = case.probes(&survey).into_iter().filter_map(id).collect();
    let shown = case
        .snapshot
        .placed()
        .filter_map(|(slot, registration)| Some((slot, *recorded.shown.get(registration.id())?)));
    Ok((case.decide(&survey, &shown.collect()), probed))
}

/// What differs when the question's text, where the file holds it, is embedded again.
async fn asked_again(
    recorded: &Recorded,
    case: &Case<'_>,
    vector: &UnitVector,
    embedder: &Embedder,
) -> Result<Vec<String>> {
    if recorded.turns.is_empty() {
        return Ok(Vec::new());
    }
    let turns = recorded.turns.iter().map(|text| Turn { role: Role::User, text: text.clone() });
    let conversation = Conversation::new(turns.collect())?;
    let again = query(embedder, case, &conversation).await?;
    let mut lines = Vec::new();
    let cosine = again.embedded.embedding.vector.cosine(vector);
    if cosine < COSINE_MIN {
        lines.push(format!(
            "the question's vector: its cosine with that of the text is {cosine:.4}, where {COSINE_MIN} is needed"
        ));
    }
    if again.history.used() != recorded.history_used {
        lines.push(format!(
            "earlier turns: used {} recorded, {} derived",
            recorded.history_used,
            again.history.used()
        ));
    }
    let terms = Terms::of(conversation.question()).hashes().len();
    if terms != recorded.terms {
        lines.push(format!("terms: {} recorded, {terms} derived", recorded.terms));
    }
    Ok(lines)
}

fn names(ids: &BTreeSet<&SpecialistId>) -> String {
    if ids.is_empty() {
        return "nobody".to_owned();
    }
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}
