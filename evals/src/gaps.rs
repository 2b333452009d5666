//! What do customers ask that no article answers, and what should the missing article say?
//!
//! Questions gather around the one with the most alike ones, so long as one is left with enough of
//! them (the fast variant of density clustering of Reimers and Gurevych's sentence-transformers);
//! each group is named by the words that set it apart from the others (class-based TF-IDF,
//! Grootendorst 2022). The same questions in the same order give the same groups.

use crate::measures::token_f1;
use std::collections::{BTreeMap, HashMap, HashSet};
use unicode_segmentation::UnicodeSegmentation;

/// A question that no article answered well.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    /// Names it in results.
    pub id: String,
    /// What was asked.
    pub question: String,
    /// Its direction in meaning space, unit length.
    pub vector: Vec<f32>,
    /// Whether people took over.
    pub handed_off: bool,
    /// What a teammate answered.
    pub answer: Option<String>,
}

/// Questions that are alike and lack an article.
#[derive(Debug, Clone, PartialEq)]
pub struct Gap {
    /// Words that set it apart, the most telling first.
    pub name: Vec<String>,
    /// Its questions by their place in what was given, the most central first.
    pub members: Vec<usize>,
    /// How many of them people took over.
    pub n_handed_off: usize,
}

/// Words that a gap is named by.
const NAME_WORDS: usize = 4;

/// Groups questions; those within `alike` (a cosine) of a central one are alike, and fewer than
/// `at_least` are no gap. The gap of most questions and handoffs comes first.
///
/// Takes time by the square of the different questions: some seconds for ten thousand.
pub fn gaps(open: &[Open], alike: f32, at_least: usize) -> Vec<Gap> {
    let mut unlike = different(open);
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let near = near(open, &unlike, alike);
    loop {
        let n_of = |i: usize| -> usize {
            near[i].iter().map(|j| unlike[*j].len()).sum::<usize>() + unlike[i].len()
        };
        let centres = (0..unlike.len()).filter(|i| !unlike[*i].is_empty()).map(|i| (n_of(i), i));
        // Of two with as many alike ones the earlier leads.
        let Some((n, centre)) = centres.max_by_key(|(n, i)| (*n, usize::MAX - i)) else { break };
        if n < at_least.max(1) {
            break;
        }
        let first = unlike[centre].first().copied().unwrap_or_default();
        let mut of_it: Vec<usize> = near[centre].clone();
        of_it.push(centre);
        let mut group: Vec<usize> =
            of_it.into_iter().flat_map(|i| std::mem::take(&mut unlike[i])).collect();
        let to_centre = |i: usize| cosine(&open[first].vector, &open[i].vector);
        group.sort_by(|a, b| to_centre(*b).total_cmp(&to_centre(*a)).then(a.cmp(b)));
        groups.push(group);
    }
    let names = names(open, &groups);
    let gaps = groups.into_iter().zip(names).map(|(members, name)| Gap {
        n_handed_off: members.iter().filter(|i| open[**i].handed_off).count(),
        name,
        members,
    });
    let mut gaps: Vec<Gap> = gaps.collect();
    let weight = |gap: &Gap| gap.members.len() + gap.n_handed_off;
    gaps.sort_by(|a, b| weight(b).cmp(&weight(a)).then(a.members.cmp(&b.members)));
    gaps
}

/// Returns the places of each question that is asked in the same words, in the order of the first.
fn different(open: &[Open]) -> Vec<Vec<usize>> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut different: Vec<Vec<usize>> = Vec::new();
    for (place, one) in open.iter().enumerate() {
        let which = *seen.entry(one_line(&one.question).to_lowercase()).or_insert(different.len());
        match different.get_mut(which) {
            Some(places) => places.push(place),
            None => different.push(vec![place]),
        }
    }
    different
}

/// Returns for each different question which others are alike.
fn near(open: &[Open], different: &[Vec<usize>], alike: f32) -> Vec<Vec<usize>> {
    let vector = |i: usize| -> &[f32] {
        let first = different.get(i).and_then(|places| open.get(*places.first()?));
        first.map_or(&[], |one| one.vector.as_slice())
    };
    let mut near: Vec<Vec<usize>> = vec![Vec::new(); different.len()];
    for i in 0..different.len() {
        for j in i + 1..different.len() {
            if cosine(vector(i), vector(j)) >= alike {
                near[i].push(j);
                near[j].push(i);
            }
        }
    }
    near
}

/// Names groups by class-based TF-IDF: how often a word stands in the group, times
/// `ln(1 + mean words of a group / its count in all groups)`. Words of fewer than three letters and
/// the commonest words of English say nothing; a word counts once a question.
fn names(open: &[Open], groups: &[Vec<usize>]) -> Vec<Vec<String>> {
    let counted: Vec<BTreeMap<String, usize>> = groups
        .iter()
        .map(|group| {
            let mut counts = BTreeMap::new();
            for member in group {
                for word in telling(&open[*member].question) {
                    *counts.entry(word).or_default() += 1;
                }
            }
            counts
        })
        .collect();
    let mut overall: HashMap<&str, usize> = HashMap::new();
    for (word, n) in counted.iter().flatten() {
        *overall.entry(word).or_default() += n;
    }
    let n_words: usize = overall.values().sum();
    let mean = n_words as f64 / groups.len().max(1) as f64;
    let named = counted.iter().map(|counts| {
        let weight = |word: &str, n: usize| {
            n as f64 * (mean / overall.get(word).copied().unwrap_or(1) as f64).ln_1p()
        };
        let mut words: Vec<(&String, f64)> =
            counts.iter().map(|(word, n)| (word, weight(word, *n))).collect();
        words.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
        words.into_iter().take(NAME_WORDS).map(|(word, _)| word.clone()).collect()
    });
    named.collect()
}

/// Words of English that stand in every question.
const COMMON: &str = "about after again all also and any are aren't because been before but can \
can't could did didn't does doesn't don't for from get got had has have haven't help hello hey \
how i'd i'm i've into isn't it's just like make many may more much need not now one only our out \
over please should some such than thank thanks that that's the their them then there these they \
this those through too use used using very want was way were what what's when where which while \
who why will with won't would you your you're";

fn telling(text: &str) -> HashSet<String> {
    let common: HashSet<&str> = COMMON.split_whitespace().collect();
    let words = text.unicode_words().map(|word| word.replace('\u{2019}', "'").to_lowercase());
    words
        .filter(|word| word.chars().count() >= 3 && word.contains(char::is_alphabetic))
        .filter(|word| !common.contains(word.as_str()))
        .collect()
}

/// Questions and answers that an outline shows.
const SHOWN: usize = 5;

/// Two sentences that share so much of their words say the same.
const SAME: f64 = 0.7;

/// Drafts an article for a gap, in Markdown with `draft: true`: what customers ask, in the words of
/// the most central ones, and what teammates answered them, each sentence once, those that several
/// answers hold first. It is material for whoever writes the article, not the article.
pub fn outline(gap: &Gap, open: &[Open]) -> String {
    let members = || gap.members.iter().filter_map(|member| open.get(*member));
    let title = gap.name.join(" ");
    let mut text = format!("---\ntitle: {title:?}\ndraft: true\n---\n\n## What customers ask\n\n");
    for question in examples(gap, open, SHOWN) {
        text.push_str(&format!("- {question}\n"));
    }
    let answers: Vec<&str> = members().filter_map(|member| member.answer.as_deref()).collect();
    text.push_str(&format!("\n## What teammates answered ({})\n\n", answers.len()));
    for (sentence, _) in shared_sentences(&answers).into_iter().take(2 * SHOWN) {
        text.push_str(&format!("- {sentence}\n"));
    }
    if answers.is_empty() {
        text.push_str("Nobody has answered it yet.\n");
    }
    text
}

/// Returns at most `n` questions of a gap, each in its own words and on one line, the most central
/// first.
pub fn examples(gap: &Gap, open: &[Open], n: usize) -> Vec<String> {
    let mut seen = HashSet::new();
    let questions = gap.members.iter().filter_map(|member| open.get(*member));
    let questions = questions.map(|member| one_line(&member.question));
    questions.filter(|question| seen.insert(question.to_lowercase())).take(n).collect()
}

/// Returns each sentence of some answers once, with the number of answers that say it, the most
/// shared first.
fn shared_sentences(answers: &[&str]) -> Vec<(String, usize)> {
    let mut found: Vec<(String, HashSet<usize>)> = Vec::new();
    for (nth, answer) in answers.iter().enumerate() {
        for sentence in answer.lines().flat_map(|line| line.unicode_sentences()).map(one_line) {
            if sentence.unicode_words().count() < 4 {
                continue;
            }
            let is_same =
                |other: &str| token_f1(&sentence, other).is_some_and(|shared| shared >= SAME);
            match found.iter_mut().find(|(other, _)| is_same(other)) {
                Some((_, by)) => {
                    by.insert(nth);
                }
                None => found.push((sentence, [nth].into())),
            }
        }
    }
    let mut counted: Vec<_> = found.into_iter().map(|(said, by)| (said, by.len())).collect();
    // A stable order: what was said first stays first among equals.
    counted.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    counted
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the cosine of two unit vectors.
pub(crate) fn cosine(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(question: &str, vector: [f32; 2], answer: Option<&str>) -> Open {
        Open {
            id: question.into(),
            question: question.into(),
            vector: vector.to_vec(),
            handed_off: answer.is_some(),
            answer: answer.map(str::to_string),
        }
    }

    fn questions() -> Vec<Open> {
        vec![
            open("Do you ship to Norway?", [1.0, 0.0], Some("We ship to Norway within a week.")),
            open("What is the weather?", [-1.0, 0.0], None),
            open("Can I pay with vouchers?", [0.0, 1.0], None),
            open(
                "Shipping to Norway please",
                [0.99, 0.1],
                Some("Hi! We ship to Norway within one week."),
            ),
            open("vouchers as payment?", [0.05, 0.99], None),
            open("How long is shipping to Norway?", [0.98, 0.15], None),
        ]
    }

    #[test]
    fn alike_questions_make_a_gap_that_its_own_words_name() {
        let open = questions();
        let found = gaps(&open, 0.8, 2);
        let told: Vec<_> = found.iter().map(|gap| (gap.members.len(), gap.n_handed_off)).collect();
        assert_eq!(told, [(3, 2), (2, 0)]);
        assert_eq!(found[0].members, [0, 3, 5]);
        assert_eq!(found[0].name[0], "norway");
        assert_eq!(found[1].name[0], "vouchers");
        assert_eq!(found, gaps(&open, 0.8, 2));
        assert_eq!(gaps(&open, 0.8, 4), []);
        assert_eq!(gaps(&[], 0.8, 2), []);
    }

    #[test]
    fn the_same_words_count_as_often_as_they_were_asked_and_are_shown_once() {
        let mut open = questions();
        let again = open[1].clone();
        open.extend((0..3).map(|n| Open { id: n.to_string(), ..again.clone() }));
        let found = gaps(&open, 0.8, 3);
        let told: Vec<_> = found.iter().map(|gap| gap.members.clone()).collect();
        assert_eq!(told, [vec![0, 3, 5], vec![1, 6, 7, 8]]);
        assert_eq!(examples(&found[1], &open, 5), ["What is the weather?"]);
    }

    #[test]
    fn an_outline_says_once_what_several_answered() {
        let open = questions();
        let text = outline(&gaps(&open, 0.8, 2)[0], &open);
        assert!(text.starts_with("---\ntitle: \"norway"), "{text}");
        assert!(text.contains("draft: true"), "{text}");
        assert_eq!(text.matches("within").count(), 1, "{text}");
        assert!(text.contains("- How long is shipping to Norway?"), "{text}");
    }
}
