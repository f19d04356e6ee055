//! Measures how often a turn of a conversation finds the domain that it belongs to, where follow-ups need
//! what was said before and changes of subject are hurt by it. The shipped gate and the shipped decision
//! are driven over conversations; each fold of these meets specialists whose prototypes are the questions
//! of the other folds, as people rewrote them, and never its own.

mod cases;
mod figures;
mod fit;
mod mtrag;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use anyhow::{Context, Result};
use clap::ValueEnum;
use embedding::{Embedder, Model};
use futures_util::{StreamExt, TryStreamExt, stream};
use proto::{
    Conversation, Embedding, Prototype, Prototypes, Role, Space, Turn, UnitVector,
    prototypes::PASSAGES_PER_PROTOTYPE_MIN,
};
use registry::{Registration, Snapshot};
use router::{
    ask::query,
    route::{Background, Policy, gate},
};

use self::{
    cases::{Case, FOLDS},
    figures::Figures,
    mtrag::{Asked, Data},
};
use crate::{
    fleet::{Fleet, Rules},
    progress,
    record::Output,
};

/// Questions that are routed at the same time.
const CONCURRENT: usize = 32;

/// Whose conversations, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct Turns {
    /// Whose conversations these are.
    #[arg(long, value_enum)]
    data: Name,
    /// Folder of the data, as it is published.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Folder of the encoder's weights.
    #[arg(long, default_value = "models/all-MiniLM-L6-v2")]
    model: PathBuf,
    /// What folds and changes of subject are drawn with.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    output: Output,
}

/// Conversations that are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    /// Of the `retrieval_tasks` of MTRAG: a folder for each domain.
    Mtrag,
}

/// What became of a question: the best candidate, where anybody has a score, by each way.
#[derive(Debug)]
struct Outcome {
    case: Case,
    gate: Option<String>,
    /// Whether the gate let earlier turns count.
    used: bool,
    never: Option<String>,
    always: Option<String>,
    /// Whether each of the gates that are tried would let them count.
    opens: Vec<bool>,
    rewritten: Option<String>,
}

impl Outcome {
    /// Whether the gate of this number leads the question to its domain.
    fn is_right_by(&self, gate: usize) -> bool {
        let went_to = if self.opens[gate] { &self.always } else { &self.never };
        went_to.as_ref() == Some(&self.case.domain)
    }
}

/// Measures, and prints one table.
pub(crate) async fn run(turns: &Turns) -> Result<()> {
    let figures = measure(turns, Model::load(&turns.model)?).await?;
    turns.output.put(figures, Figures::table)
}

async fn measure(turns: &Turns, model: Model) -> Result<Figures> {
    let Data { asked, files } = match turns.data {
        Name::Mtrag => mtrag::read(&turns.folder)?,
    };
    let (embedder, _ends_with_its_handles) = Embedder::start(model)?;
    let folds = cases::folds(&asked, turns.seed);
    let cases = cases::cases(&asked, &folds, turns.seed);
    let specialists = specialists(&embedder, &asked, &folds).await?;
    let progress = progress::bar("turns", cases.len())?;
    let outcomes = stream::iter(cases).map(async |case| {
        let outcome = outcome(&embedder, &specialists[case.fold], case).await;
        progress.inc(1);
        outcome
    });
    let outcomes: Vec<Outcome> = outcomes.buffered(CONCURRENT).try_collect().await?;
    progress.finish_and_clear();
    let space = embedder.space();
    let encoder = format!("{}@sha256:{}", space.encoder, space.weights);
    Ok(Figures::of((embedder.backend().to_string(), encoder), files, turns.seed, &outcomes))
}

/// For each fold the specialists of all domains, who know the rewritten questions of the others.
async fn specialists(
    embedder: &Embedder,
    asked: &[Asked],
    folds: &BTreeMap<&str, usize>,
) -> Result<Vec<Fleet>> {
    let background = embedder.embed_all(&Background::questions(), |_| {}).await?;
    let rewrites: Vec<String> = asked.iter().map(|asked| asked.rewrite.clone()).collect();
    let vectors = embedder.embed_all(&rewrites, |_| {}).await?;
    let meets = |fold: usize| {
        let known =
            asked.iter().zip(&vectors).filter(|(asked, _)| folds[asked.conversation.as_str()] != fold);
        let mut by_domain: BTreeMap<&str, Vec<UnitVector>> = BTreeMap::new();
        for (asked, vector) in known {
            by_domain.entry(&asked.domain).or_default().push(vector.clone());
        }
        let snapshot = register(embedder.space(), by_domain)?;
        Ok(Fleet::new(snapshot, background.clone()))
    };
    (0..FOLDS).map(meets).collect()
}

fn register(space: &Arc<Space>, by_domain: BTreeMap<&str, Vec<UnitVector>>) -> Result<Snapshot> {
    let mut snapshot = Snapshot::empty(space.clone())?;
    for (domain, vectors) in by_domain {
        let passage_count = PASSAGES_PER_PROTOTYPE_MIN;
        let points = vectors.into_iter().map(|vector| Prototype { vector, passage_count }).collect();
        let prototypes = Prototypes { space: Space::clone(space), points, revision: "1".to_owned() };
        let registration = Registration::made_up(domain, prototypes);
        let registration =
            registration.with_context(|| format!("{domain} cannot be registered: rename it"))?;
        snapshot = snapshot.with(Arc::new(registration))?;
    }
    Ok(snapshot.rebuilt()?)
}

/// Routes a question by each way.
async fn outcome(embedder: &Embedder, fleet: &Fleet, case: Case) -> Result<Outcome> {
    let best = |question: &Embedding| {
        let decision = fleet.route(question)?;
        let best = decision.candidates.iter().find(|candidate| candidate.score.is_some());
        Ok::<_, anyhow::Error>(best.map(|candidate| candidate.registration.id().to_string()))
    };
    let turns = case.turns.iter().map(|text| Turn { role: Role::User, text: text.clone() });
    let conversation = Conversation::new(turns.collect())?;
    let by_gate = query(embedder, &fleet.case(&Rules::default()), &conversation).await?;
    let alone = embedder.embed(conversation.question()).await?;
    let mut earlier: Vec<&str> = conversation.earlier().rev().take(gate::TURNS_MAX).collect();
    earlier.reverse();
    let all = if earlier.is_empty() {
        None
    } else {
        embedder.embed_behind(&earlier.join(" "), conversation.question()).await?
    };
    let rewritten = match &case.rewrite {
        Some(rewrite) => best(&embedder.embed(rewrite).await?.embedding)?,
        None => None,
    };
    let turns: Vec<String> = earlier.into_iter().map(str::to_owned).collect();
    let vectors = embedder.embed_all(&turns, |_| {}).await?;
    Ok(Outcome {
        opens: opens(fleet, conversation.question(), &alone.embedding, &vectors)?,
        gate: best(&by_gate.embedded.embedding)?,
        used: by_gate.history.used(),
        never: best(&alone.embedding)?,
        always: best(&all.as_ref().unwrap_or(&alone).embedding)?,
        rewritten,
        case,
    })
}

/// Whether each of the gates that are tried lets the turns at `earlier` count for `question`, at `lies`.
fn opens(fleet: &Fleet, question: &str, lies: &Embedding, earlier: &[UnitVector]) -> Result<Vec<bool>> {
    let policy = Policy { hits_max: gate::HITS_MAX, ..Policy::default() };
    let hits = fleet.search(&Rules { policy, ..Rules::default() }, lies)?;
    let margin = gate::margin(&hits, gate::HITS_MAX);
    let opens = |gate: gate::Gate| {
        let follows = || gate.follows(question, &lies.vector, earlier, margin);
        !earlier.is_empty() && gate.clear(margin).unwrap_or_else(follows).used()
    };
    Ok(fit::gates().map(opens).collect())
}

#[cfg(test)]
mod tests;
