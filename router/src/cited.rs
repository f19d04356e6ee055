//! Passages that were cited, as the router itself measures them.

use embedding::{EmbedError, Embedder};
use proto::{Passage, Terms, UnitVector, answer::heading, support};

/// How far each of `cited` supports an answer to `question`, which has these `terms`: [`support::support`], in
/// their order.
pub async fn supports(
    embedder: &Embedder,
    question: &UnitVector,
    terms: &Terms,
    cited: &[(&Passage, f32)],
) -> Result<Vec<f32>, EmbedError> {
    let cosines = cosines(embedder, question, cited).await?;
    let support = |(cosine, (passage, _)): (f32, &(&Passage, f32))| {
        support::support(cosine, support::covered(terms, &Terms::of(&passage.titled())))
    };
    Ok(cosines.into_iter().zip(cited).map(support).collect())
}

/// The cosine of `question` with each of `cited`, in their order: a passage, and how much of where it lies is
/// its heading's by the card, 0 to 1. They are embedded behind all questions.
pub async fn cosines(
    embedder: &Embedder,
    question: &UnitVector,
    cited: &[(&Passage, f32)],
) -> Result<Vec<f32>, EmbedError> {
    let parts = |(passage, _): &(&Passage, f32)| {
        let heading = heading(&passage.title, &passage.section, None);
        // What has no heading lies where its text does.
        [passage.text.clone(), if heading.is_empty() { passage.text.clone() } else { heading }]
    };
    let texts: Vec<String> = cited.iter().flat_map(parts).collect();
    let vectors = embedder.embed_all(&texts, |_| {}).await?;
    let (pairs, _) = vectors.as_chunks::<2>();
    let cosine = |([text, heading], (_, share)): (&[UnitVector; 2], &(&Passage, f32))| {
        text.towards(heading, *share).cosine(question)
    };
    Ok(pairs.iter().zip(cited).map(cosine).collect())
}
