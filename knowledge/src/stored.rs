//! How articles and passages look on disk; the domain knows nothing of it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{article::Audience, passage::Passage, search::ArticleCard};

/// Layout of the files; raised whenever they or the analysis of words change meaning.
pub(crate) const SCHEMA: u32 = 2;

/// What a generation consists of, with the digest of each file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) schema: u32,
    pub(crate) embedder: String,
    pub(crate) dimension: usize,
    /// Digest of articles, passages and embedder: equal content is not written again.
    pub(crate) content: String,
    /// File name below the generation's folder and its SHA-256.
    pub(crate) files: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct StoredArticle {
    id: String,
    title: String,
    url: Option<String>,
    locale: String,
    tiers: Vec<String>,
    plans: Vec<String>,
    tags: Vec<String>,
    updated: Option<String>,
    draft: bool,
    path: PathBuf,
    place: String,
    first: usize,
    end: usize,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct StoredPassage {
    article: usize,
    heading: Vec<String>,
    from: usize,
    to: usize,
    text: String,
    /// Digest of the text that was embedded.
    pub(crate) key: String,
}

impl StoredArticle {
    pub(crate) fn of(card: &ArticleCard) -> Self {
        let card = card.clone();
        Self {
            id: card.id,
            title: card.title,
            url: card.url,
            locale: card.locale,
            tiers: card.audience.tiers,
            plans: card.audience.plans,
            tags: card.audience.tags,
            updated: card.updated,
            draft: card.draft,
            path: card.path,
            place: card.place,
            first: card.passages.start,
            end: card.passages.end,
        }
    }

    pub(crate) fn card(self) -> ArticleCard {
        ArticleCard {
            id: self.id,
            title: self.title,
            url: self.url,
            locale: self.locale,
            audience: Audience { tiers: self.tiers, plans: self.plans, tags: self.tags },
            updated: self.updated,
            draft: self.draft,
            path: self.path,
            place: self.place,
            passages: self.first..self.end,
        }
    }
}

impl StoredPassage {
    pub(crate) fn of(passage: &Passage, key: &str) -> Self {
        Self {
            article: passage.article,
            heading: passage.heading.clone(),
            from: passage.range.start,
            to: passage.range.end,
            text: passage.text.clone(),
            key: key.to_owned(),
        }
    }

    /// The passage and the digest of its embedded text.
    pub(crate) fn passage(self) -> (Passage, String) {
        let passage = Passage {
            article: self.article,
            heading: self.heading,
            range: self.from..self.to,
            text: self.text,
        };
        (passage, self.key)
    }
}
