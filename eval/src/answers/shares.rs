//! With which shares of title and words each corpus is searched: for a question those that its domain's other
//! questions chose.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use proto::UnitVector;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use specialist::{
    bench::{Bench, Quality, Shares},
    fit,
    library::Librarian,
};

use crate::{routing, specialists::Making, texts::Asked, trial::FOLDS};

/// The shares of each corpus, by its name: for each part of the questions those that the other parts chose.
pub(super) type Chosen = BTreeMap<String, [Shares; FOLDS]>;

/// What each setting of the grid finds of a question.
pub(super) struct Tried {
    settings: Vec<Shares>,
    current: usize,
    /// The place of each question with known passages, and its qualities.
    pub(super) judged: Vec<(usize, Vec<Quality>)>,
}

impl Tried {
    /// Of `asked`, those whose passages are all in the corpus at `path`, which is kept as `name`.
    pub(super) async fn on(
        making: &Making<'_>,
        (name, path): (&str, &Path),
        asked: &[(usize, &Asked)],
        vectors: &[UnitVector],
    ) -> Result<Self> {
        let settings = making.settings(name, path, making.data)?;
        let shipped = Shares { title: settings.config.title_share, lexical: settings.config.lexical_share };
        let bench = Librarian::new(settings, Some(making.embedder.clone()))?.bench().await?;
        let (settings, current) = fit::grid(shipped);
        let known: Vec<(usize, &Asked, BTreeSet<usize>)> = asked
            .iter()
            .filter_map(|(at, asked)| Some((*at, *asked, bench.right(&asked.gold_ids)?)))
            .collect();
        let judge = |(at, asked, right): &(usize, &Asked, BTreeSet<usize>)| {
            let judged = Bench::judge(&bench, &asked.query, &vectors[*at], right, &settings);
            Ok((*at, judged.context("a corpus cannot be searched")?))
        };
        let judged = known.par_iter().map(judge).collect::<Result<Vec<_>>>()?;
        Ok(Self { settings, current, judged })
    }

    /// What the questions at these places choose: the current shares, unless others are better beyond chance.
    pub(super) fn choice(&self, counts: impl Fn(usize) -> bool) -> (usize, Shares) {
        let judged: Vec<&[Quality]> =
            self.judged.iter().filter(|(at, _)| counts(*at)).map(|(_, its)| its.as_slice()).collect();
        let setting =
            if judged.is_empty() { self.current } else { fit::choose(&judged, self.current).setting };
        (setting, self.settings[setting])
    }
}

/// The shares of all of `corpora`.
pub(super) async fn choose(
    making: &Making<'_>,
    corpora: &[PathBuf],
    asked: &[Asked],
    vectors: &[UnitVector],
    folds: &[usize],
) -> Result<Chosen> {
    let mut chosen = Chosen::new();
    for path in corpora {
        let name = routing::name(path);
        let own: Vec<(usize, &Asked)> =
            asked.iter().enumerate().filter(|(_, asked)| asked.domain == name).collect();
        let tried = Tried::on(making, (&name, path), &own, vectors).await?;
        chosen.insert(name, std::array::from_fn(|fold| tried.choice(|at| folds[at] != fold).1));
    }
    Ok(chosen)
}
