//! A made-up help centre of any size: words of the sample articles, drawn as often as words are.

use crate::sample::{self, Random};
use knowledge::{Article, Audience};
use std::collections::HashMap;

/// Numbers in a vector, as many as those of the default model.
pub(crate) const DIMENSION: usize = 384;

/// What some articles are for, and only readers with it may see.
pub(crate) const PLAN: &str = "business";

/// Passages in an article.
const SECTIONS: usize = 8;

/// Different words. The sample company has some 3,000; a help centre of millions of words has tens
/// of thousands, and with fewer every word would stand in too many passages.
const VOCABULARY: usize = 40_000;

/// Draws words by Zipf's law (exponent 1, shifted as Mandelbrot did).
pub(crate) struct Corpus {
    words: Vec<String>,
    /// Sum of the weights up to and with each word.
    sums: Vec<f64>,
    random: Random,
}

impl Corpus {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for word in sample::words()? {
            let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
            if !word.is_empty() {
                *counts.entry(word).or_default() += 1;
            }
        }
        let mut ranked: Vec<(String, usize)> = counts.into_iter().collect();
        ranked.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let mut words: Vec<String> = ranked.into_iter().map(|(word, _)| word).collect();
        // The rare words are pairs of the others.
        let mut random = Random(1);
        let n_own = words.len();
        while words.len() < VOCABULARY {
            let pair = format!("{}{}", words[random.below(n_own)], words[random.below(n_own)]);
            words.push(pair);
        }
        let mut sum = 0.0;
        let sums = (0..words.len()).map(|rank| {
            sum += 1.0 / (rank as f64 + 2.7);
            sum
        });
        Ok(Self { sums: sums.collect(), words, random })
    }

    /// Makes articles with `n` passages together; three in ten are for a plan.
    pub(crate) fn articles(&mut self, n: usize) -> Vec<Article> {
        (0..n.div_ceil(SECTIONS)).map(|number| self.article(number)).collect()
    }

    /// A vector in any direction.
    pub(crate) fn vector(&mut self) -> Vec<f32> {
        let vector: Vec<f32> = (0..DIMENSION).map(|_| self.random.share() as f32 - 0.5).collect();
        let length = vector.iter().map(|v| v * v).sum::<f32>().sqrt();
        vector.into_iter().map(|v| v / length).collect()
    }

    /// A number in `0..n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.random.below(n)
    }

    fn article(&mut self, number: usize) -> Article {
        let mut body = String::new();
        for _ in 0..SECTIONS {
            let n_words = 40 + self.random.below(60);
            body += &format!("## {}\n\n{}.\n\n", self.text(3), self.text(n_words));
        }
        let plans = if number % 10 < 3 { vec![PLAN.to_owned()] } else { Vec::new() };
        Article {
            id: format!("article-{number}"),
            title: self.text(5),
            url: None,
            locale: "en".to_owned(),
            audience: Audience { plans, ..Audience::default() },
            updated: None,
            draft: false,
            body,
            path: format!("article-{number}.md").into(),
            place: format!("article-{number}.md"),
        }
    }

    fn text(&mut self, n_words: usize) -> String {
        let words: Vec<&str> = (0..n_words)
            .map(|_| {
                let drawn = self.random.share() * self.sums.last().copied().unwrap_or(0.0);
                let rank = self.sums.partition_point(|sum| *sum <= drawn);
                self.words.get(rank).map_or("", String::as_str)
            })
            .collect();
        words.join(" ")
    }
}
