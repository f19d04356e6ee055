//! Answers without a language model: the sentences of the best passage that fit the question, word for word, and
//! those of its neighbours where the question found these too. It makes nothing up, and it never sends a passage
//! that it does not cite.

mod intent;
mod marks;
mod outline;
mod window;

use std::sync::Arc;

use async_stream::try_stream;
use embedding::{EmbedError, Embedded, Embedder};
use futures_util::Stream;
use proto::{
    AnswerEvent, Citation, Outcome, Terms, Words,
    support::{covered, support},
};

use self::{
    intent::Intent,
    outline::{Outline, Sentence},
    window::{Wanted, window},
};
use super::Question;
use crate::{
    corpus::Passage,
    error::CallError,
    library::{Found, Library},
};

/// The least support of the best passage for an answer. Calibrated on the fifteen corpora of the evaluation: of
/// 502 questions that belong to nobody it refuses 76 %, of 1,902 that a passage answers 1.5 % (2026-11-21). Less
/// would quote what is only near, more would refuse what people ask in words of their own.
const SUPPORT_MIN: f32 = 0.4;

/// Between the words of two passages.
const BETWEEN_PASSAGES: &str = "\n\n";

/// Neighbours of the best passage are joined to it if they are among so many of the ranking.
const JOINED_MAX: usize = 5;

/// Sentences of one passage or of some that follow one another; or no answer where the best passage supports none.
pub(super) fn answer(
    library: Arc<Library>,
    embedder: Embedder,
    question: Question,
    lead_words_max: usize,
) -> impl Stream<Item = Result<AnswerEvent, CallError>> {
    try_stream! {
        let text = question.conversation.question();
        let earlier = question.conversation.earlier().collect::<Vec<_>>().join(" ");
        let asked = embed(&embedder, &earlier, text).await?;
        let whole = format!("{earlier} {text}");
        // A scan of some milliseconds at the most; larger corpora are searched by graph.
        let found = library.retrieve(&whole, &asked.embedding.vector, question.passages_max)?;
        let terms = Terms::of(&whole);
        let Some(best) = found.first().filter(|best| supports(best, &terms)) else {
            yield AnswerEvent::Done(Outcome::NoAnswer);
            return;
        };
        let run = run(*best, &found);
        let passages: Vec<&Passage> = run.iter().map(|found| found.passage).collect();
        let outline = Outline::of(&passages);
        let wanted = Wanted::of(Intent::of_follow_up(&earlier, text), &terms, &best.passage.heading());
        let own = run.iter().position(|found| found.place == best.place).unwrap_or_default();
        let said = &outline.sentences[window(&outline, &wanted, own, lead_words_max)];
        let mut cited = None;
        for (at, sentence) in said.iter().enumerate() {
            let Found { passage, similarity, .. } = run[sentence.passage];
            if cited.replace(sentence.passage) != Some(sentence.passage) {
                yield AnswerEvent::Passage(passage.cited(similarity));
            }
            let goes_on = said.get(at + 1).is_some_and(|next| next.passage == sentence.passage);
            yield AnswerEvent::Words(words(sentence, goes_on, &passage.id));
            if !goes_on && at + 1 < said.len() {
                yield AnswerEvent::Words(Words { text: BETWEEN_PASSAGES.to_owned(), citation: None });
            }
        }
        yield AnswerEvent::Done(Outcome::Answered);
    }
}

/// Where `question` lies with what was said before it, as far as the encoder takes both.
async fn embed(embedder: &Embedder, earlier: &str, question: &str) -> Result<Embedded, EmbedError> {
    if earlier.is_empty() {
        return embedder.embed(question).await;
    }
    match embedder.embed_behind(earlier, question).await? {
        Some(together) => Ok(together),
        None => embedder.embed(question).await,
    }
}

fn supports(best: &Found<'_>, question: &Terms) -> bool {
    let covered = covered(question, &Terms::of(&best.passage.titled()));
    support(best.similarity, covered) >= SUPPORT_MIN
}

/// `best` with its neighbours in `found`, in the order of their document.
fn run<'a>(best: Found<'a>, found: &[Found<'a>]) -> Vec<Found<'a>> {
    let near = &found[..found.len().min(JOINED_MAX)];
    let at = |place: usize| {
        near.iter().find(|found| found.place == place && section(found.passage) == section(best.passage))
    };
    let joined = |place: &usize| at(*place).is_some();
    let first = (0..best.place).rev().take_while(joined).last().unwrap_or(best.place);
    let last = (best.place + 1..best.place + JOINED_MAX).take_while(joined).last().unwrap_or(best.place);
    (first..=last).filter_map(at).copied().collect()
}

/// What passages of one section of one document have in common.
fn section(passage: &Passage) -> (&str, &str, &str) {
    (&passage.url, &passage.title, &passage.section)
}

/// `sentence`, cited; with the white space behind it where its passage `goes_on`.
fn words(sentence: &Sentence<'_>, goes_on: bool, passage_id: &str) -> Words {
    let text = if goes_on { sentence.text } else { sentence.text.trim_end() };
    let range = sentence.range.start..sentence.range.start + text.len();
    Words { text: text.to_owned(), citation: Some(Citation { passage_id: passage_id.into(), range }) }
}
