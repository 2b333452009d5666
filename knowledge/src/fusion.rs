//! One ranked list out of three: a convex combination of scores, each divided by its maximum.
//!
//! The weights were chosen on three help centres and are robust: hit@1 stays within two points
//! for .5 to .7 of meaning (figures in `docs/evals.md`).

/// Weights of the three scores; only their proportions matter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fusion {
    /// Weight of the cosine.
    pub meaning: f32,
    /// Weight of BM25 on passages.
    pub passage_words: f32,
    /// Weight of BM25 on whole articles.
    pub article_words: f32,
}

impl Default for Fusion {
    fn default() -> Self {
        Self { meaning: 0.6, passage_words: 0.3, article_words: 0.1 }
    }
}

/// The scores of one candidate before fusion.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Scores {
    /// None when the query has no vector.
    pub(crate) cosine: Option<f32>,
    pub(crate) passage_words: f32,
    pub(crate) article_words: f32,
}

impl Fusion {
    /// The fused score of every candidate, 0 to 1. What is negative or not a number counts
    /// as nought, in scores and in weights.
    pub(crate) fn fuse(&self, candidates: &[Scores]) -> Vec<f32> {
        let has_meaning = candidates.iter().any(|c| c.cosine.is_some());
        let meaning = if has_meaning { counted(self.meaning) } else { 0.0 };
        let (passage, article) = (counted(self.passage_words), counted(self.article_words));
        let total = meaning + passage + article;
        if total <= 0.0 || !total.is_finite() {
            return vec![0.0; candidates.len()];
        }
        let greatest = |score: fn(&Scores) -> f32| {
            candidates.iter().map(|c| counted(score(c))).fold(0.0, f32::max)
        };
        let most = [
            greatest(|c| c.cosine.unwrap_or_default()),
            greatest(|c| c.passage_words),
            greatest(|c| c.article_words),
        ];
        let share = |score: f32, most: f32| if most > 0.0 { counted(score) / most } else { 0.0 };
        let fused = candidates.iter().map(|c| {
            let sum = meaning * share(c.cosine.unwrap_or_default(), most[0])
                + passage * share(c.passage_words, most[1])
                + article * share(c.article_words, most[2]);
            (sum / total).min(1.0)
        });
        fused.collect()
    }
}

fn counted(value: f32) -> f32 {
    if value.is_finite() { value.max(0.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scores(cosine: Option<f32>, passage_words: f32, article_words: f32) -> Scores {
        Scores { cosine, passage_words, article_words }
    }

    #[test]
    fn scores_are_divided_by_their_greatest_and_weighed() {
        let fused =
            Fusion::default().fuse(&[scores(Some(0.8), 5.0, 0.0), scores(Some(0.4), 10.0, 2.0)]);
        assert!((fused[0] - (0.6 + 0.15)).abs() < 1e-6, "{fused:?}");
        assert!((fused[1] - (0.3 + 0.3 + 0.1)).abs() < 1e-6, "{fused:?}");
    }

    #[test]
    fn without_a_vector_words_decide_alone() {
        let fused = Fusion::default().fuse(&[scores(None, 5.0, 1.0), scores(None, 10.0, 2.0)]);
        assert!((fused[0] - 0.5).abs() < 1e-6 && (fused[1] - 1.0).abs() < 1e-6, "{fused:?}");
    }

    #[test]
    fn rubbish_counts_as_nought() {
        let bad = scores(Some(f32::NAN), f32::INFINITY, -1.0);
        assert_eq!(Fusion::default().fuse(&[bad]), [0.0]);
        let weights = Fusion { meaning: f32::NAN, passage_words: -1.0, article_words: 0.0 };
        assert_eq!(weights.fuse(&[scores(Some(1.0), 1.0, 1.0)]), [0.0]);
        assert!(Fusion::default().fuse(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn fused_scores_lie_in_range_and_never_fall_when_a_score_rises(
            rows in prop::collection::vec((any::<f32>(), any::<f32>(), any::<f32>()), 2..20),
            rise in 0.0_f32..5.0,
        ) {
            let mut candidates: Vec<_> =
                rows.iter().map(|(c, p, a)| scores(Some(c % 1.0), p % 30.0, a % 30.0)).collect();
            let before = Fusion::default().fuse(&candidates);
            prop_assert!(before.iter().all(|s| (0.0..=1.0).contains(s)));
            let order = before[0] - before[1];
            candidates[0].passage_words = counted(candidates[0].passage_words) + rise;
            let after = Fusion::default().fuse(&candidates);
            prop_assert!(after[0] - after[1] >= order - 0.2 - 1e-5);
            prop_assert!(after[0] >= before[0] - 1e-5);
        }
    }
}
