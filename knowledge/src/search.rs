//! Asks an opened index: filter, words and meaning, one ranked list.

mod question;

use std::{
    cmp::Ordering,
    collections::BTreeSet,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use question::{Language, Question};

use crate::{
    article::{Audience, Reader},
    error::Error,
    fusion::{Fusion, Scores},
    generation::{self, Generation},
    locale,
    passage::Passage,
    stored::SCHEMA,
    vectors::{self, EmbedderSpec},
};

/// Candidates taken from each list before fusion: room for ten articles that fill many places
/// each.
const CANDIDATES: usize = 200;

/// What a score keeps when its article is in another language than the reader's. Nothing says which
/// articles are translations of one another: a tenth puts a translation first and leaves an article
/// that has none where it can be found.
const OTHER_LANGUAGE: f32 = 0.9;

/// An opened generation of the index, immutable and cheap to clone.
#[derive(Clone)]
pub struct Knowledge {
    inner: Arc<Inner>,
}

struct Inner {
    generation: Generation,
    languages: Vec<Language>,
}

/// What the index knows of an article.
#[derive(Debug, Clone, PartialEq)]
pub struct ArticleCard {
    /// See [`crate::Article::id`].
    pub id: String,
    /// Title.
    pub title: String,
    /// Where a customer can read it.
    pub url: Option<String>,
    /// Language with an optional region.
    pub locale: String,
    /// Who may read it.
    pub audience: Audience,
    /// When it was last changed, as its author wrote it.
    pub updated: Option<String>,
    /// Not yet for customers.
    pub draft: bool,
    /// The file it came from.
    pub path: PathBuf,
    /// See [`crate::Article::place`].
    pub place: String,
    /// Numbers of its passages, in order.
    pub passages: Range<usize>,
}

/// What to rank by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// BM25 alone.
    Words,
    /// Cosine alone.
    Meaning,
    /// Both.
    #[default]
    Fused,
}

/// A question to the index.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// Texts with weights: the last turn 1.0, earlier turns less.
    pub words: &'a [(&'a str, f32)],
    /// The question's embedding, of any length but nought.
    pub vector: Option<&'a [f32]>,
    /// What to rank by.
    pub mode: Mode,
    /// Weights of the fused mode.
    pub fusion: Fusion,
    /// Who asks.
    pub reader: &'a Reader,
    /// Most hits to return.
    pub top: usize,
    /// Numbers of articles to leave out, for "what if it were not there".
    pub without: &'a [usize],
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Findings {
    /// Best first; ties in the order of passages.
    pub hits: Vec<Hit>,
    /// Content words of the question.
    pub terms: Vec<Term>,
}

/// A content word of the question.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// The word as it was asked, lower case.
    pub word: String,
    /// Its stem.
    pub text: String,
    /// Inverse document frequency over the passages of its language,
    /// `ln(1 + (n - df + 0.5) / (df + 0.5))`; greatest for a word that stands nowhere.
    pub idf: f32,
    /// Weight of the heaviest text of the query it stands in.
    pub weight: f32,
}

/// A passage that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Number of the passage.
    pub passage: usize,
    /// Number of its article.
    pub article: usize,
    /// What the list is ranked by: fused or word scores 0 to 1, or the cosine; a tenth less when
    /// the article is in another language than the reader's.
    pub score: f32,
    /// Cosine to the query, when it has a vector.
    pub cosine: Option<f32>,
    /// BM25 of the passage; nought when no word matches.
    pub passage_words: f32,
    /// BM25 of the whole article; nought when no word matches.
    pub article_words: f32,
    /// Places in the two lists.
    pub found_by: FoundBy,
    /// Which of [`Findings::terms`] stand in the passage, its title or its headings.
    pub terms: Vec<bool>,
}

/// Places of a hit in the lists, 1 for the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FoundBy {
    /// Place by words on passages.
    pub words: Option<usize>,
    /// Place by meaning.
    pub meaning: Option<usize>,
}

impl Knowledge {
    /// Opens the index in `dir`, proving that every file is as it was written.
    ///
    /// # Errors
    /// [`Error::Absent`], [`Error::Corrupt`], [`Error::OtherEmbedder`] or [`Error::Io`].
    pub fn open(dir: &Path, embedder: &EmbedderSpec) -> Result<Self, Error> {
        let generation = generation::open(dir)?;
        if generation.embedder != *embedder {
            return Err(Error::OtherEmbedder {
                found: generation.embedder.to_string(),
                wanted: embedder.to_string(),
            });
        }
        Ok(Self::from_generation(generation))
    }

    /// Version of the layout on disk that this build reads and writes.
    pub const fn schema() -> u32 {
        SCHEMA
    }

    /// Hash of the content; equal content has an equal hash.
    pub fn generation(&self) -> &str {
        &self.inner.generation.content
    }

    /// Every article, in the order of the folders.
    pub fn articles(&self) -> &[ArticleCard] {
        &self.inner.generation.articles
    }

    /// Every passage, those of an article together.
    pub fn passages(&self) -> &[Passage] {
        &self.inner.generation.passages
    }

    /// Unit vector of a passage, `[dimension]`; empty for a number beyond the last.
    pub fn passage_vector(&self, number: usize) -> &[f32] {
        self.inner.generation.vectors.get(number)
    }

    /// Number of the article that a case file or a person calls so: by id, else by place.
    pub fn article_named(&self, name: &str) -> Option<usize> {
        let articles = self.articles();
        let by_id = articles.iter().position(|a| a.id == name);
        by_id.or_else(|| articles.iter().position(|a| a.place == name))
    }

    /// Finds the passages that answer a question best, among those the reader may see; none for
    /// texts without a word to search for.
    ///
    /// # Errors
    /// [`Error::BadVectors`] when the vector does not fit the index, [`Error::Words`] when the
    /// word index fails.
    pub fn search(&self, query: &Query<'_>) -> Result<Findings, Error> {
        let vector = self.checked_vector(query)?;
        let allowed = self.allowed(query.reader, query.without);
        let question = Question::read(
            query.words,
            &self.inner.languages,
            &self.inner.generation.passage_words,
        )?;
        let says_nothing = question.terms.is_empty() && question.keys.is_empty();
        if says_nothing && !query.words.is_empty() {
            // A vector of no words points somewhere, and what lies there answers nothing.
            return Ok(Findings::default());
        }
        let scores = self.scores(&question, vector.as_deref(), &allowed)?;
        let candidates = self.candidates(&scores, query.mode);
        let mut ranked = self.rank(&candidates, &scores, query);
        ranked.truncate(query.top);
        let mut hits: Vec<Hit> =
            ranked.into_iter().map(|(passage, score)| self.hit(passage, score, &scores)).collect();
        self.note_terms(&mut hits, &question.terms)?;
        Ok(Findings { hits, terms: question.terms })
    }

    pub(crate) fn from_generation(generation: Generation) -> Self {
        let languages = question::languages(&generation);
        Self { inner: Arc::new(Inner { generation, languages }) }
    }

    fn checked_vector(&self, query: &Query<'_>) -> Result<Option<Vec<f32>>, Error> {
        let Some(vector) = query.vector.filter(|_| query.mode != Mode::Words) else {
            return Ok(None);
        };
        let dimension = self.inner.generation.embedder.dimension;
        if vector.len() != dimension {
            let reason = format!("the query has {} numbers, not {dimension}", vector.len());
            return Err(Error::BadVectors { reason });
        }
        let unit = vectors::unit(vector).ok_or_else(|| Error::BadVectors {
            reason: "the query holds something that is not a finite number".to_owned(),
        })?;
        Ok(Some(unit))
    }

    /// Which articles the reader may see and wants to.
    fn allowed(&self, reader: &Reader, without: &[usize]) -> Allowed {
        let of_articles: Vec<bool> = self
            .articles()
            .iter()
            .enumerate()
            .map(|(number, a)| {
                a.audience.admits(reader)
                    && (reader.drafts || !a.draft)
                    && !without.contains(&number)
            })
            .collect();
        let of_passages = self
            .passages()
            .iter()
            .map(|p| of_articles.get(p.article).copied().unwrap_or(false))
            .collect();
        Allowed { articles: of_articles.into(), passages: of_passages }
    }

    fn scores(
        &self,
        question: &Question,
        vector: Option<&[f32]>,
        allowed: &Allowed,
    ) -> Result<AllScores, Error> {
        let generation = &self.inner.generation;
        let passage_words = generation.passage_words.scores(&question.keys, &allowed.passages)?;
        let article_words = generation.article_words.scores(&question.keys, &allowed.articles)?;
        let cosines = vector.map(|v| {
            generation.vectors.cosines(v, |n| allowed.passages.get(n).copied().unwrap_or(false))
        });
        let ranked =
            best(passage_words.iter().copied().map(|s| (s > 0.0).then_some(s)), usize::MAX);
        let by_meaning = cosines.iter().flatten().copied();
        Ok(AllScores {
            words_order: ranked,
            meaning_order: best(by_meaning, CANDIDATES.max(1)),
            passage_words,
            article_words,
            cosines,
        })
    }

    /// Passages worth fusing: the best of each list, and the best of each good article.
    fn candidates(&self, scores: &AllScores, mode: Mode) -> Vec<usize> {
        let mut chosen: BTreeSet<usize> = BTreeSet::new();
        if mode != Mode::Words {
            chosen.extend(&scores.meaning_order);
        }
        if mode == Mode::Meaning {
            return chosen.into_iter().collect();
        }
        chosen.extend(scores.words_order.iter().take(CANDIDATES));
        let by_article = scores.article_words.iter().map(|s| (*s > 0.0).then_some(*s));
        for article in best(by_article, CANDIDATES) {
            let Some(card) = self.articles().get(article) else { continue };
            let own = card.passages.clone();
            let by_words = own.clone().max_by(|a, b| {
                let score = |n: usize| scores.passage_words.get(n).copied().unwrap_or(0.0);
                score(*a).total_cmp(&score(*b)).then(b.cmp(a))
            });
            let by_meaning = own.max_by(|a, b| {
                let score = |n: usize| scores.cosine(n).unwrap_or(f32::MIN);
                score(*a).total_cmp(&score(*b)).then(b.cmp(a))
            });
            chosen.extend(by_words.into_iter().chain(by_meaning));
        }
        chosen.into_iter().collect()
    }

    /// Ranks the candidates by what the mode asks for.
    fn rank(
        &self,
        candidates: &[usize],
        scores: &AllScores,
        query: &Query<'_>,
    ) -> Vec<(usize, f32)> {
        let article_of = |n: usize| self.passages().get(n).map_or(0, |p| p.article);
        let rows: Vec<Scores> = candidates
            .iter()
            .map(|n| Scores {
                cosine: scores.cosine(*n),
                passage_words: scores.passage_words.get(*n).copied().unwrap_or(0.0),
                article_words: scores.article_words.get(article_of(*n)).copied().unwrap_or(0.0),
            })
            .collect();
        let values = match query.mode {
            Mode::Meaning => rows.iter().map(|r| r.cosine.unwrap_or(0.0)).collect(),
            Mode::Words => Fusion { meaning: 0.0, ..query.fusion }.fuse(&rows),
            Mode::Fused => query.fusion.fuse(&rows),
        };
        let mut ranked: Vec<(usize, f32)> = candidates.iter().copied().zip(values).collect();
        if let Some(wanted) = query.reader.locale.as_deref().map(locale::language) {
            for (passage, score) in &mut ranked {
                if !self.is_in(*passage, &wanted) {
                    // A cosine may be negative, and must not rise.
                    *score *= if *score > 0.0 { OTHER_LANGUAGE } else { 1.0 / OTHER_LANGUAGE };
                }
            }
        }
        ranked.sort_by(descending);
        ranked
    }

    fn is_in(&self, passage: usize, language: &str) -> bool {
        let article = self.passages().get(passage).and_then(|p| self.articles().get(p.article));
        article.is_some_and(|a| locale::language(&a.locale) == language)
    }

    fn hit(&self, passage: usize, score: f32, scores: &AllScores) -> Hit {
        let place = |order: &[usize]| order.iter().position(|n| *n == passage).map(|n| n + 1);
        let article = self.passages().get(passage).map_or(0, |p| p.article);
        Hit {
            passage,
            article,
            score,
            cosine: scores.cosine(passage),
            passage_words: scores.passage_words.get(passage).copied().unwrap_or(0.0),
            article_words: scores.article_words.get(article).copied().unwrap_or(0.0),
            found_by: FoundBy {
                words: place(&scores.words_order),
                meaning: place(&scores.meaning_order),
            },
            terms: Vec::new(),
        }
    }

    /// Notes in each hit which terms stand in it, as the language of its article sees them.
    fn note_terms(&self, hits: &mut [Hit], terms: &[Term]) -> Result<(), Error> {
        let mut order: Vec<usize> = (0..hits.len()).collect();
        order.sort_by_key(|n| hits.get(*n).map(|h| h.passage));
        let passages: Vec<usize> =
            order.iter().filter_map(|n| hits.get(*n)).map(|h| h.passage).collect();
        for term in terms {
            let held =
                self.inner.languages.iter().map(|l| {
                    l.holding(&term.word, &passages, &self.inner.generation.passage_words)
                });
            let held: Vec<Vec<bool>> = held.collect::<Result<_, _>>()?;
            for (nth, n) in order.iter().enumerate() {
                let Some(hit) = hits.get_mut(*n) else { continue };
                // Keys carry their language, so a passage is held in its own language only.
                hit.terms.push(held.iter().any(|h| h.get(nth) == Some(&true)));
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Knowledge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Knowledge")
            .field("generation", &self.generation())
            .field("articles", &self.articles().len())
            .field("passages", &self.passages().len())
            .finish_non_exhaustive()
    }
}

struct Allowed {
    articles: Arc<[bool]>,
    passages: Arc<[bool]>,
}

/// The scores of every passage and article for one query.
struct AllScores {
    passage_words: Vec<f32>,
    article_words: Vec<f32>,
    cosines: Option<Vec<Option<f32>>>,
    /// Passages by words, best first.
    words_order: Vec<usize>,
    /// Passages by meaning, best first.
    meaning_order: Vec<usize>,
}

impl AllScores {
    fn cosine(&self, passage: usize) -> Option<f32> {
        self.cosines.as_ref()?.get(passage).copied().flatten()
    }
}

/// The numbers of the greatest scores, best first, ties in order.
fn best(scores: impl Iterator<Item = Option<f32>>, most: usize) -> Vec<usize> {
    let scored = scores.enumerate().filter_map(|(n, s)| Some((n, s?)));
    let mut scored: Vec<(usize, f32)> = scored.filter(|(_, s)| s.is_finite()).collect();
    if scored.len() > most && most > 0 {
        scored.select_nth_unstable_by(most - 1, descending);
        scored.truncate(most);
    }
    scored.sort_unstable_by(descending);
    scored.into_iter().map(|(n, _)| n).collect()
}

fn descending(a: &(usize, f32), b: &(usize, f32)) -> Ordering {
    b.1.total_cmp(&a.1).then(a.0.cmp(&b.0))
}

#[cfg(test)]
mod tests;
