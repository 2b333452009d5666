//! BM25 over the words of documents, kept by tantivy.
//!
//! Title, headings and body are one field: scored apart and added up, short titles drown the
//! rest (hit@1 by words alone on three help centres: .31, .73, .39 apart, .55, .81, .41 as one).
//!
//! Words come in analysed and carry their language (`en:refund`), so that a stop word of one
//! language never matches a word of another. The files are read into memory when a generation is
//! opened, and built there: this file touches no disk, and a newer generation may remove the
//! files at any time.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use tantivy::{
    DocId, DocSet, Index, IndexSettings, Score, Searcher, SegmentOrdinal, SegmentReader,
    TantivyDocument, Term,
    collector::{Collector, SegmentCollector},
    columnar::Column,
    directory::{Directory, RamDirectory},
    query::{BooleanQuery, BoostQuery, Occur, Query, TermQuery},
    schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions},
    tokenizer::{PreTokenizedString, Token},
};

/// Sizes tantivy's first hash tables, which grow as they must. Larger ones cost a third of a
/// second for the smallest help centre.
const WRITER_BYTES: usize = 3_000_000;

/// An opened word index.
pub(crate) struct WordIndex {
    searcher: Searcher,
    fields: Fields,
    n_documents: usize,
}

#[derive(Clone, Copy)]
struct Fields {
    number: Field,
    words: Field,
}

/// The word of a language as it stands in the index.
pub(crate) fn key(language: &str, word: &str) -> String {
    format!("{language}:{word}")
}

/// Builds an index of documents, each given by its analysed words and numbered in their order, and
/// returns its files by name.
pub(crate) fn build(
    documents: impl Iterator<Item = Vec<String>>,
) -> Result<Vec<(String, Vec<u8>)>, tantivy::TantivyError> {
    let (schema, fields) = schema();
    let directory = RamDirectory::create();
    let builder = Index::builder().schema(schema).settings(IndexSettings::default());
    let mut writer = builder.single_segment_index_writer(directory.clone(), WRITER_BYTES)?;
    for (number, document) in (0_u64..).zip(documents) {
        let mut row = TantivyDocument::new();
        row.add_u64(fields.number, number);
        row.add_pre_tokenized_text(fields.words, tokens(document));
        writer.add_document(row)?;
    }
    let index = writer.finalize()?;
    let mut names: Vec<PathBuf> = index.directory().list_managed_files().into_iter().collect();
    names.push("meta.json".into());
    names.sort();
    names.dedup();
    let mut files = Vec::new();
    for name in names {
        // A file may be listed that was never needed.
        if directory.exists(&name)? {
            let bytes = directory.open_read(&name)?.read_bytes().map_err(failed)?;
            files.push((name.to_string_lossy().into_owned(), bytes.to_vec()));
        }
    }
    Ok(files)
}

fn failed(error: std::io::Error) -> tantivy::TantivyError {
    tantivy::TantivyError::IoError(Arc::new(error))
}

impl WordIndex {
    /// Opens an index from the names and contents of its files.
    pub(crate) fn open(files: Vec<(String, Vec<u8>)>) -> Result<Self, tantivy::TantivyError> {
        let directory = RamDirectory::create();
        for (name, bytes) in files {
            directory.atomic_write(Path::new(&name), &bytes).map_err(failed)?;
        }
        let index = Index::open(directory)?;
        let (_, fields) = schema();
        let searcher = index.reader()?.searcher();
        let n_documents = usize::try_from(searcher.num_docs()).unwrap_or(0);
        Ok(Self { searcher, fields, n_documents })
    }

    pub(crate) fn len(&self) -> usize {
        self.n_documents
    }

    /// Number of documents that hold a word.
    pub(crate) fn n_with(&self, key: &str) -> Result<u64, tantivy::TantivyError> {
        self.searcher.doc_freq(&Term::from_field_text(self.fields.words, key))
    }

    /// Which of the documents with these numbers, in rising order, hold a word anywhere.
    pub(crate) fn holding(
        &self,
        key: &str,
        numbers: &[usize],
    ) -> Result<Vec<bool>, tantivy::TantivyError> {
        let mut held = vec![false; numbers.len()];
        let term = Term::from_field_text(self.fields.words, key);
        for reader in self.searcher.segment_readers() {
            let column = reader.fast_fields().u64("number")?;
            let inverted = reader.inverted_index(self.fields.words)?;
            let Some(mut postings) = inverted.read_postings(&term, IndexRecordOption::Basic)?
            else {
                continue;
            };
            // There is one segment, whose documents stand in the order of their numbers.
            for (held, number) in held.iter_mut().zip(numbers) {
                let Ok(document) = DocId::try_from(*number) else { continue };
                let found = if postings.doc() < document {
                    postings.seek(document)
                } else {
                    postings.doc()
                };
                *held |= found == document && column.first(document) == u64::try_from(*number).ok();
            }
        }
        Ok(held)
    }

    /// BM25 of every document for weighed words; noughts where nothing matches or the document
    /// is not allowed.
    pub(crate) fn scores(
        &self,
        words: &[(String, f32)],
        allowed: &Arc<[bool]>,
    ) -> Result<Vec<f32>, tantivy::TantivyError> {
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for (word, weight) in words {
            let term = Term::from_field_text(self.fields.words, word);
            let query = Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs));
            clauses.push((Occur::Should, Box::new(BoostQuery::new(query, *weight))));
        }
        if clauses.is_empty() {
            return Ok(vec![0.0; self.n_documents]);
        }
        let collector = AllScores { n: self.n_documents, allowed: Arc::clone(allowed) };
        self.searcher.search(&BooleanQuery::new(clauses), &collector)
    }
}

fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let indexing = TextFieldIndexing::default()
        .set_index_option(IndexRecordOption::WithFreqs)
        .set_fieldnorms(true);
    let words = TextOptions::default().set_indexing_options(indexing);
    let words = builder.add_text_field("words", words);
    let number = builder.add_u64_field("number", tantivy::schema::FAST);
    (builder.build(), Fields { number, words })
}

fn tokens(words: Vec<String>) -> PreTokenizedString {
    let words = words.into_iter().enumerate();
    let tokens = words.map(|(position, text)| Token { position, text, ..Token::default() });
    PreTokenizedString { text: String::new(), tokens: tokens.collect() }
}

/// Collects the score of every allowed document, so that any candidate can be looked up.
struct AllScores {
    n: usize,
    allowed: Arc<[bool]>,
}

struct SegmentScores {
    numbers: Column<u64>,
    allowed: Arc<[bool]>,
    scores: Vec<f32>,
}

impl Collector for AllScores {
    type Fruit = Vec<f32>;
    type Child = SegmentScores;

    fn for_segment(
        &self,
        _: SegmentOrdinal,
        reader: &SegmentReader,
    ) -> tantivy::Result<SegmentScores> {
        let numbers = reader.fast_fields().u64("number")?;
        Ok(SegmentScores { numbers, allowed: Arc::clone(&self.allowed), scores: vec![0.0; self.n] })
    }

    fn requires_scoring(&self) -> bool {
        true
    }

    fn merge_fruits(&self, segments: Vec<Vec<f32>>) -> tantivy::Result<Vec<f32>> {
        let mut segments = segments.into_iter();
        let mut merged = segments.next().unwrap_or_else(|| vec![0.0; self.n]);
        for segment in segments {
            for (sum, score) in merged.iter_mut().zip(segment) {
                *sum += score;
            }
        }
        Ok(merged)
    }
}

impl SegmentCollector for SegmentScores {
    type Fruit = Vec<f32>;

    fn collect(&mut self, document: DocId, score: Score) {
        let Some(number) = self.numbers.first(document).and_then(|n| usize::try_from(n).ok())
        else {
            return;
        };
        if self.allowed.get(number).copied().unwrap_or(false)
            && let Some(slot) = self.scores.get_mut(number)
        {
            *slot = score;
        }
    }

    fn harvest(self) -> Vec<f32> {
        self.scores
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(documents: &[&str]) -> WordIndex {
        let own =
            |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
        let documents = documents.iter().map(|text| own(text));
        WordIndex::open(build(documents).unwrap()).unwrap()
    }

    #[test]
    fn documents_score_by_their_words_and_only_when_allowed() {
        let index = opened(&["en:a en:b en:c", "en:c en:d", "de:c"]);
        assert_eq!(index.len(), 3);
        assert_eq!(index.n_with("en:c").unwrap(), 2);
        assert_eq!(index.n_with("en:a").unwrap(), 1);
        assert_eq!(index.n_with("en:x").unwrap(), 0);
        assert_eq!(index.holding("en:c", &[0, 1, 2, 9]).unwrap(), [true, true, false, false]);
        assert_eq!(index.holding("en:a", &[1, 2]).unwrap(), [false, false]);
        assert_eq!(index.holding("en:x", &[0]).unwrap(), [false]);
        let all: Arc<[bool]> = vec![true; 3].into();
        let scores = index.scores(&[("en:c".into(), 1.0)], &all).unwrap();
        assert!(scores[0] > 0.0 && scores[1] > 0.0 && scores[2] == 0.0, "{scores:?}");
        let one: Arc<[bool]> = vec![false, true, true].into();
        assert_eq!(index.scores(&[("en:c".into(), 1.0)], &one).unwrap()[0], 0.0);
        let half = index.scores(&[("en:c".into(), 0.5)], &all).unwrap();
        assert!((half[1] * 2.0 - scores[1]).abs() < 1e-5);
        assert_eq!(index.scores(&[], &all).unwrap(), [0.0; 3]);
    }
}
