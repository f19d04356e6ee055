//! Where passages lie: between their texts and their headings, both embedded through the cache.

use std::{borrow::Cow, collections::HashSet};

use embedding::Embedder;
use proto::{Digest, UnitVector};

use crate::{Error, cache::Cache, corpus::Passage, progress::Progress};

/// How many texts are embedded between two writes to the cache: what an interrupted start loses.
const CHUNK_TEXTS: usize = 256;

/// The points of `passages`, in their order, and how many texts had to be embedded for them because they
/// were not in `cache`. `title_share`, 0 to 1, is how much of a point is the heading's.
pub(crate) async fn locate(
    embedder: &Embedder,
    cache: &mut Cache,
    passages: &[Passage],
    title_share: f32,
) -> Result<(Vec<UnitVector>, usize), Error> {
    let mut wanted = Wanted::default();
    let parts: Vec<(Digest, Option<Digest>)> = passages
        .iter()
        .map(|passage| {
            let heading = passage.heading();
            let counts = title_share > 0.0 && !heading.is_empty();
            (
                wanted.add(cache, passage.text.as_str().into()),
                counts.then(|| wanted.add(cache, heading.into())),
            )
        })
        .collect();
    let Wanted { live, missing } = wanted;
    embed(embedder, cache, &missing).await?;
    cache.retain(&live)?;
    let point = |(text, heading): &(Digest, Option<Digest>)| {
        let text = cache.get(text)?;
        let heading = heading.and_then(|heading| cache.get(&heading));
        Some(heading.map_or_else(|| text.clone(), |heading| text.towards(heading, title_share)))
    };
    Ok((parts.iter().filter_map(point).collect(), missing.len()))
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
