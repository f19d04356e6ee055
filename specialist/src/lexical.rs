//! How near passages are to a question by their words: BM25 over heading and text as one field, in lower
//! case, with English stems and without a list of stop words.

use std::collections::BTreeSet;

use tantivy::{
    Index, IndexSettings, Searcher, TantivyDocument, TantivyError, Term,
    collector::TopDocs,
    directory::RamDirectory,
    query::BooleanQuery,
    schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions},
    tokenizer::TextAnalyzer,
};

use crate::corpus::Passage;

/// Lower case, English stems, words of at most 40 bytes.
const TOKENIZER: &str = "en_stem";

/// What the index is built with at first; it grows with the corpus.
const BUILD_BYTES: usize = 15 << 20;

/// Passages cannot be indexed or searched by their words.
#[derive(Debug, thiserror::Error)]
#[error("words of the corpus cannot be searched")]
pub struct LexicalError(#[from] TantivyError);

/// The words of passages, in memory: about as much of it as their texts take.
pub(crate) struct Bm25 {
    searcher: Searcher,
    field: Field,
    analyzer: TextAnalyzer,
}

impl Bm25 {
    pub(crate) fn of(passages: &[Passage]) -> Result<Self, LexicalError> {
        let indexing = TextFieldIndexing::default()
            .set_tokenizer(TOKENIZER)
            .set_index_option(IndexRecordOption::WithFreqs);
        let mut schema = Schema::builder();
        let field = schema.add_text_field("titled", TextOptions::default().set_indexing_options(indexing));
        let settings =
            IndexSettings { docstore_compress_dedicated_thread: false, ..IndexSettings::default() };
        let builder = Index::builder().schema(schema.build()).settings(settings);
        // One segment, whose documents keep the order of the passages.
        let mut writer = builder.single_segment_index_writer(RamDirectory::create(), BUILD_BYTES)?;
        for passage in passages {
            let mut document = TantivyDocument::new();
            document.add_text(field, passage.titled());
            writer.add_document(document)?;
        }
        let index = writer.finalize()?;
        let analyzer = index.tokenizer_for_field(field)?;
        Ok(Self { searcher: index.reader()?.searcher(), field, analyzer })
    }

    /// The passages that share a word with `question`, by their places, each with its score above 0, best
    /// first: at most `count`, which is at least 1. A word that the question repeats counts once.
    pub(crate) fn search(&self, question: &str, count: usize) -> Result<Vec<(usize, f32)>, LexicalError> {
        let mut terms = BTreeSet::new();
        let mut analyzer = self.analyzer.clone();
        analyzer.token_stream(question).process(&mut |token| {
            terms.insert(Term::from_field_text(self.field, &token.text));
        });
        let query = BooleanQuery::new_multiterms_query(terms.into_iter().collect());
        let found = self.searcher.search(&query, &TopDocs::with_limit(count).order_by_score())?;
        Ok(found.into_iter().map(|(score, address)| (address.doc_id as usize, score)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bm25(texts: &[(&str, &str)]) -> Bm25 {
        let passage = |(title, text): &(&str, &str)| Passage {
            title: (*title).into(),
            text: (*text).into(),
            ..Passage::default()
        };
        Bm25::of(&texts.iter().map(passage).collect::<Vec<_>>()).unwrap()
    }

    fn found(bm25: &Bm25, question: &str) -> Vec<usize> {
        bm25.search(question, 10).unwrap().into_iter().map(|(passage, _)| passage).collect()
    }

    #[test]
    fn stems_of_headings_and_texts_are_found_the_rarer_first() {
        let bm25 = bm25(&[
            ("", "The Moon moves the sea."),
            ("Tides", "The sea comes and goes."),
            ("", "Mars is red."),
        ]);
        assert_eq!(found(&bm25, "TIDE of the seas"), [1, 0]);
        assert_eq!(found(&bm25, "moving"), [0]);
        assert_eq!(bm25.search("the sea", 1).unwrap().len(), 1);
        assert_eq!(found(&bm25, "Jupiter"), [0; 0]);
    }

    /// The textbook's value: `idf * tf (k1 + 1) / (tf + k1 (1 - b + b * length / mean))`.
    #[test]
    fn scores_are_bm25s() {
        let bm25 = bm25(&[("", "moon moon sun"), ("", "sun mars")]);
        let [(0, score)] = bm25.search("moon", 9).unwrap()[..] else { panic!("not the first alone") };
        let idf = (1.0_f32 + (2.0 - 1.0 + 0.5) / (1.0 + 0.5)).ln();
        let expected = idf * 2.0 * 2.2 / (2.0 + 1.2 * (0.25 + 0.75 * 3.0 / 2.5));
        assert!((score - expected).abs() < 1e-5, "{score} for {expected}");
    }

    #[test]
    fn no_question_is_a_query_language() {
        let bm25 = bm25(&[("", "moon")]);
        for question in ["", "   ", "\"moon", "moon AND (", "titled:[* TO *]", "-moon", "*", "\u{0}\u{202e}"]
        {
            let expected: &[usize] = if question.contains("moon") { &[0] } else { &[] };
            assert_eq!(found(&bm25, question), expected, "{question:?}");
        }
        assert_eq!(found(&self::bm25(&[]), "moon"), [0; 0]);
    }
}
