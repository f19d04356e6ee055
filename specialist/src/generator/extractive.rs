//! Answers without a language model: the lead of the best passage, word for word. It makes nothing
//! up, and it never sends a passage that it does not cite.

use std::{ops::Range, sync::Arc};

use async_stream::try_stream;
use embedding::Embedder;
use futures_util::Stream;
use proto::{AnswerEvent, Citation, Outcome, Words, sentences};
use unicode_segmentation::UnicodeSegmentation as _;

use super::Question;
use crate::{error::CallError, library::Library};

/// One passage and its lead, sentence by sentence; or no answer where no passage is near.
pub(super) fn answer(
    library: Arc<Library>,
    embedder: Embedder,
    question: Question,
    lead_words_max: usize,
) -> impl Stream<Item = Result<AnswerEvent, CallError>> {
    try_stream! {
        let text = question.conversation.question();
        let asked = embedder.embed(text).await?;
        // A scan of some milliseconds at the most; larger corpora are searched by graph.
        let near = library.retrieve(text, &asked.embedding.vector, question.passages_max)?;
        let Some((passage, similarity)) = near.first() else {
            yield AnswerEvent::Done(Outcome::NoAnswer);
            return;
        };
        yield AnswerEvent::Passage(passage.cited(*similarity));
        for range in lead(&passage.text, lead_words_max) {
            let text = passage.text[range.clone()].to_owned();
            let citation = Some(Citation { passage_id: passage.id.as_str().into(), range });
            yield AnswerEvent::Words(Words { text, citation });
        }
        yield AnswerEvent::Done(Outcome::Answered);
    }
}

/// The first sentences of `text`, which does not end in white space: byte ranges end to end from 0,
/// up to the sentence that reaches `words_max`. The last is without the white space that follows it.
fn lead(text: &str, words_max: usize) -> Vec<Range<usize>> {
    let mut words = 0;
    let mut lead = Vec::new();
    for sentence in sentences(text) {
        words += text[sentence.clone()].unicode_words().count();
        lead.push(sentence);
        if words >= words_max {
            break;
        }
    }
    if let Some(last) = lead.last_mut() {
        last.end = last.start + text[last.clone()].trim_end().len();
    }
    lead
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn leads(text: &str, words_max: usize, expected: &[&str]) {
        let found: Vec<_> = lead(text, words_max).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn whole_sentences_up_to_the_limit() {
        leads("One two. Three four. Five six.", 1, &["One two."]);
        leads("One two. Three four. Five six.", 2, &["One two."]);
        leads("One two. Three four. Five six.", 3, &["One two. ", "Three four."]);
        leads("One two. Three four. Five six.", 99, &["One two. ", "Three four. ", "Five six."]);
    }

    proptest! {
        #[test]
        fn the_lead_is_a_prefix_that_ends_where_a_sentence_does(
            text in "(\\PC|[ \\n.!?\"A-Za-c0-9-]){1,400}",
            words_max in 1_usize..60,
        ) {
            let text = text.trim();
            prop_assume!(!text.is_empty());
            let lead = lead(text, words_max);
            let mut at = 0;
            for range in &lead {
                prop_assert!(range.start == at && range.end > at);
                prop_assert!(text.get(range.clone()).is_some(), "on character boundaries");
                at = range.end;
            }
            let borders = sentences(text).into_iter().map(|range| text[..range.end].trim_end().len());
            prop_assert!(borders.into_iter().any(|border| border == at));
            let words = |ranges: &[Range<usize>]| -> usize {
                ranges.iter().map(|range| text[range.clone()].unicode_words().count()).sum()
            };
            prop_assert!(words(&lead) >= words_max || at == text.len());
            prop_assert!(words(&lead[..lead.len() - 1]) < words_max);
        }
    }
}
