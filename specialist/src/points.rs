//! Where passages lie: between their texts and their headings, both embedded through the cache.

use std::{borrow::Cow, collections::HashSet};

use embedding::Embedder;
use proto::{Digest, UnitVector};

use crate::{Error, cache::Cache, corpus::Passage, progress::Progress};

/// How many texts are embedded between two writes to the cache: what an interrupted start loses.
const CHUNK_TEXTS: usize = 256;

/// What a passage's point is made of.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) text: UnitVector,
    /// Where there is a heading that counts.
    pub(crate) heading: Option<UnitVector>,
}

impl Parts {
    /// `title_share`, 0 to 1, is how much of the point is the heading's.
    fn point(&self, title_share: f32) -> UnitVector {
        let between = self.heading.as_ref().map(|heading| self.text.towards(heading, title_share));
        between.unwrap_or_else(|| self.text.clone())
    }
}

/// The points of `passages`, in their order, and how many texts had to be embedded for them because they
/// were not in `cache`.
pub(crate) async fn locate(
    embedder: &Embedder,
    cache: &mut Cache,
    passages: &[Passage],
    title_share: f32,
) -> Result<(Vec<UnitVector>, usize), Error> {
    let (parts, fresh) = parts(embedder, cache, passages, title_share > 0.0).await?;
    Ok((parts.iter().map(|parts| parts.point(title_share)).collect(), fresh))
}

/// The same before they are put together; without the headings, unless those are asked for.
pub(crate) async fn parts(
    embedder: &Embedder,
    cache: &mut Cache,
    passages: &[Passage],
    headings: bool,
) -> Result<(Vec<Parts>, usize), Error> {
    let mut wanted = Wanted::default();
    let digests: Vec<(Digest, Option<Digest>)> = passages
        .iter()
        .map(|passage| {
            let heading = passage.heading();
            let counts = headings && !heading.is_empty();
            (
                wanted.add(cache, passage.text.as_str().into()),
                counts.then(|| wanted.add(cache, heading.into())),
            )
        })
        .collect();
    let Wanted { live, missing } = wanted;
    embed(embedder, cache, &missing).await?;
    cache.retain(&live)?;
    let vectors = |(text, heading): &(Digest, Option<Digest>)| {
        let heading = heading.and_then(|heading| cache.get(&heading)).cloned();
        Some(Parts { text: cache.get(text)?.clone(), heading })
    };
    Ok((digests.iter().filter_map(vectors).collect(), missing.len()))
}

/// What is to be in the cache.
#[derive(Default)]
struct Wanted<'a> {
    live: HashSet<Digest>,
    /// Those that are not yet.
    missing: Vec<(Digest, Cow<'a, str>)>,
}

impl<'a> Wanted<'a> {
    fn add(&mut self, cache: &Cache, text: Cow<'a, str>) -> Digest {
        let digest = Digest::of(text.as_bytes());
        if self.live.insert(digest) && cache.get(&digest).is_none() {
            self.missing.push((digest, text));
        }
        digest
    }
}

/// Embeds `missing` into `cache`.
async fn embed(
    embedder: &Embedder,
    cache: &mut Cache,
    missing: &[(Digest, Cow<'_, str>)],
) -> Result<(), Error> {
    if missing.is_empty() {
        return Ok(());
    }
    let progress = Progress::start(missing.len());
    for (at, chunk) in missing.chunks(CHUNK_TEXTS).enumerate() {
        let texts: Vec<String> = chunk.iter().map(|(_, text)| text.to_string()).collect();
        let vectors = embedder.embed_all(&texts, |done| progress.at(at * CHUNK_TEXTS + done)).await?;
        let entries: Vec<_> = chunk.iter().map(|(digest, _)| *digest).zip(vectors).collect();
        cache.append(&entries)?;
    }
    progress.finish();
    Ok(())
}
