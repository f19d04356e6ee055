//! What stands beside a merged answer: the passages in the order in which the router ranks them and in that of
//! one index, the right specialist's own answer, that of one index, and trivial ones.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use proto::{Terms, UnitVector, support};
use specialist::{
    bench::{Quality, Shares},
    library::{Found, Library},
};

use super::{
    Texts,
    federation::{self, Federation, alone},
    judge::rouge_l,
    shares::Tried,
};
use crate::{specialists::Making, texts::Asked, trial::SEED};

/// Where the one index is kept beside the corpora's.
const CENTRAL: &str = "one-index";

/// How many passages of each specialist are put into one order.
const PASSAGES: usize = 10;

/// One index over all corpora. All questions together choose its shares, which can only be to its good.
pub(super) struct Central {
    library: Arc<Library>,
    /// What it finds of each question with known passages, by the question's place.
    found: BTreeMap<usize, Quality>,
    pub(super) shares: Shares,
}

/// What else could have been said to a question with known passages. Answers are judged by ROUGE-L.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beside {
    /// The passages of the two specialists that routing puts first, as the router ranks them.
    pub(super) ranked: Quality,
    /// Those of the one index.
    pub(super) central: Quality,
    /// What the right specialist says alone, and how long its first words take in its own process.
    pub(super) single: f64,
    pub(super) single_first_words: Option<Duration>,
    /// What a specialist over the one index says.
    pub(super) index: f64,
    /// What the right specialist would say if it went by words alone.
    pub(super) words: f64,
    /// The first passage of the right corpus, and one by chance.
    pub(super) first: f64,
    pub(super) random: f64,
}

impl Central {
    /// The one index over `folder`.
    pub(super) async fn make(
        making: &Making<'_>,
        folder: &Path,
        asked: &[Asked],
        vectors: &[UnitVector],
    ) -> Result<Self> {
        let all: Vec<(usize, &Asked)> = asked.iter().enumerate().collect();
        let tried = Tried::on(making, (CENTRAL, folder), &all, vectors).await?;
        let (setting, shares) = tried.choice(|_| true);
        let found = tried.judged.iter().map(|(at, judged)| (*at, judged[setting])).collect();
        let mut settings = making.settings(CENTRAL, folder, making.data)?;
        settings.config.title_share = shares.title;
        settings.config.lexical_share = shares.lexical;
        let library = federation::library(settings, making.embedder).await?.mixed;
        Ok(Self { library, found, shares })
    }
}

/// What stands beside the answer to the question at `at`, which lies at `vector`; `None` where no passages are
/// known for it.
pub(super) async fn ask(
    federation: &Federation,
    central: &Central,
    texts: &Texts,
    (at, asked): (usize, &Asked),
    (vector, best): (&UnitVector, &[String]),
) -> Result<Option<Beside>> {
    let (gold, Some(central_found)) = (texts.gold(asked), central.found.get(&at)) else { return Ok(None) };
    let Some(own) = federation.libraries.get(&asked.domain) else { return Ok(None) };
    let said = async |library| -> Result<f64> {
        Ok(rouge_l(&alone(&federation.generator, library, &asked.query).await?.0, &gold))
    };
    let (single, single_first_words) = alone(&federation.generator, &own.mixed, &asked.query).await?;
    let passages = texts.of(&asked.domain);
    let text = |at: usize| passages.get(at).map_or("", |(_, text)| text.as_str());
    let chance = fastrand::Rng::with_seed(SEED.wrapping_add(at as u64)).usize(..passages.len().max(1));
    Ok(Some(Beside {
        ranked: ranked(federation, asked, vector, best)?,
        central: *central_found,
        single: rouge_l(&single, &gold),
        single_first_words,
        index: said(&central.library).await?,
        words: said(&own.words).await?,
        first: rouge_l(text(0), &gold),
        random: rouge_l(text(chance), &gold),
    }))
}

/// How far the best passage of the first of `best` supports an answer: -0.8 to 1; -1 where it has none.
pub(super) fn support(
    federation: &Federation,
    asked: &Asked,
    (vector, best): (&UnitVector, &[String]),
) -> Result<f64> {
    let Some(first) = best.first() else { return Ok(-1.0) };
    let passages = supported(federation, asked, vector, first)?;
    Ok(passages.first().map_or(-1.0, |(support, _)| f64::from(*support)))
}

/// The best passages of the specialist `id`, with their support, in its own order.
fn supported(
    federation: &Federation,
    asked: &Asked,
    vector: &UnitVector,
    id: &str,
) -> Result<Vec<(f32, String)>> {
    let terms = Terms::of(&asked.query);
    let library = &federation.libraries.get(id).context("a specialist without a library")?.mixed;
    let found = library.retrieve(&asked.query, vector, PASSAGES)?.into_iter();
    let supported = found.map(|Found { passage, similarity, .. }| {
        let covered = support::covered(&terms, &Terms::of(&passage.titled()));
        (support::support(similarity, covered), passage.id.clone())
    });
    Ok(supported.collect())
}

/// How well the passages of `best` answer, in the order in which the router ranks what is cited.
fn ranked(federation: &Federation, asked: &Asked, vector: &UnitVector, best: &[String]) -> Result<Quality> {
    let mut passages = Vec::new();
    for id in best {
        let right = |passage: &String| id == &asked.domain && asked.gold_ids.contains(passage);
        let supported = supported(federation, asked, vector, id)?.into_iter();
        passages.extend(supported.map(|(support, passage)| (support, right(&passage))));
    }
    passages.sort_by(|a, b| b.0.total_cmp(&a.0));
    let places = passages.iter().enumerate().filter(|(_, (_, right))| *right).map(|(place, _)| place);
    let gold: BTreeSet<&String> = asked.gold_ids.iter().collect();
    Ok(Quality::of(&places.collect::<Vec<_>>(), gold.len()))
}
