use crate::{Error, Playbook};
use models::{Embedder, Embedding};
use router::{Example, Facts, Finding, Flaw, Severity, Value, judge};

/// Examples of two topics whose vectors have at least this cosine say the same. Of the training
/// messages of banking77 (10,003 of 77 topics, all-MiniLM-L6-v2) 0.7 % have such a neighbour under
/// another topic, nearly all rightly: "How to verify my identity" stands under two of its topics.
const SAME: f32 = 0.95;

/// An example belongs elsewhere when its two nearest neighbours of another topic are at least this
/// near on average ...
const NEAR: f32 = 0.6;

/// ... and by this much nearer than its two nearest of its own topic. Both were chosen on messages
/// of banking77 of which one in twenty had been put under another topic; `docs/topics.md` has the
/// figures.
const NEARER: f32 = 0.25;

/// An example, with its place in the file.
struct Placed<'a> {
    topic: usize,
    slug: &'a str,
    text: &'a str,
    /// Its way from the top of the file.
    key: String,
    line: Option<usize>,
}

/// Looks for examples of the desk's topics that contradict each other by their meaning: two that
/// say nearly the same under different topics, and those that stand among the examples of another
/// topic when they are left out of their own (nearest neighbours, leaving one out). Each is a
/// warning with the conversation that shows it. None without examples of two topics.
///
/// It compares every two examples: 100 take no time, 10,000 half a minute.
///
/// # Errors
/// [`Error::Model`] when the embedder fails.
pub async fn contradictions(
    playbook: &Playbook,
    embedder: &dyn Embedder,
) -> Result<Vec<Flaw>, Error> {
    let placed = placed(playbook);
    if placed.windows(2).all(|two| matches!(two, [a, b] if a.topic == b.topic)) {
        return Ok(Vec::new());
    }
    let texts: Vec<String> = placed.iter().map(|example| example.text.to_string()).collect();
    let mut vectors = Vec::with_capacity(texts.len());
    for batch in texts.chunks(AT_ONCE) {
        vectors.extend(embedder.embed(batch).await?);
    }
    let n_topics = playbook.policy.topics().len();
    let mut flaws = Vec::new();
    for (n, (example, vector)) in placed.iter().zip(&vectors).enumerate() {
        let near = Near::of(n, vector, &placed, &vectors, n_topics);
        let Some((twin, other)) = near.elsewhere(example.topic) else { continue };
        let Some(other) = placed.get(other) else { continue };
        let same = twin >= SAME;
        // Of two that say the same, the later is reported.
        if same && other.key_order() > example.key_order() {
            continue;
        }
        if same || near.belongs_elsewhere(example.topic, other.topic) {
            flaws.push(flaw(playbook, example, other, same));
        }
    }
    Ok(flaws)
}

/// Texts embedded at once.
const AT_ONCE: usize = 256;

fn placed(playbook: &Playbook) -> Vec<Placed<'_>> {
    let topics = playbook.policy.topics().iter().enumerate();
    let placed = topics.flat_map(|(topic, of)| {
        of.examples.iter().enumerate().map(move |(n, text)| {
            let key = format!("topic.{topic}.examples.{n}");
            let line = playbook.lines.of_key(&key);
            Placed { topic, slug: of.slug.as_str(), text, key, line }
        })
    });
    placed.collect()
}

impl Placed<'_> {
    fn key_order(&self) -> (Option<usize>, &str) {
        (self.line, &self.key)
    }

    fn place(&self) -> String {
        let line = self.line.map_or(String::new(), |line| format!(" (line {line})"));
        format!("{:?}{line}", self.slug)
    }
}

/// The nearest examples of each topic, as cosines, and which the nearest is.
struct Near(Vec<[(f32, usize); 2]>);

impl Near {
    fn of(
        n: usize,
        vector: &Embedding,
        placed: &[Placed<'_>],
        vectors: &[Embedding],
        n_topics: usize,
    ) -> Self {
        let mut near = vec![[(0.0, usize::MAX); 2]; n_topics];
        for (at, (example, other)) in placed.iter().zip(vectors).enumerate() {
            let Some([first, second]) = near.get_mut(example.topic).filter(|_| at != n) else {
                continue;
            };
            let cosine = vector.cosine(other);
            if cosine > first.0 {
                (*first, *second) = ((cosine, at), *first);
            } else if cosine > second.0 {
                *second = (cosine, at);
            }
        }
        Self(near)
    }

    /// Returns the nearest example of another topic: of the one whose examples are nearest, unless
    /// another one has one that says the same.
    fn elsewhere(&self, own: usize) -> Option<(f32, usize)> {
        let others = || self.0.iter().enumerate().filter(|(topic, _)| *topic != own);
        let by_one = others().max_by(|(_, [a, _]), (_, [b, _])| a.0.total_cmp(&b.0));
        let by_one = by_one.map(|(_, [first, _])| *first);
        let by_two = others().max_by(|(_, a), (_, b)| mean(a).total_cmp(&mean(b)));
        let by_two = by_two.map(|(_, [first, _])| *first);
        by_one.filter(|(cosine, _)| *cosine >= SAME).or(by_two)
    }

    fn belongs_elsewhere(&self, own: usize, other: usize) -> bool {
        let of = |topic: usize| self.0.get(topic).map_or(0.0, mean);
        // The only example of its topic has nothing of its own to be near to.
        let is_alone = self.0.get(own).is_none_or(|[first, _]| first.1 == usize::MAX);
        !is_alone && of(other) >= NEAR && of(other) - of(own) >= NEARER
    }
}

/// Mean of the two cosines; of one alone half counts, so that a topic with a single near example
/// draws nothing to itself.
fn mean([(first, _), (second, _)]: &[(f32, usize); 2]) -> f32 {
    f32::midpoint(*first, *second)
}

fn flaw(playbook: &Playbook, example: &Placed<'_>, other: &Placed<'_>, same: bool) -> Flaw {
    let (here, there) = (example.place(), other.place());
    let what = match same {
        true => format!(
            "topics {here} and {there} contradict each other: {:?} and {:?} say nearly the same",
            example.text, other.text
        ),
        false => format!(
            "topics {here} and {there} contradict each other: {:?} is much nearer to examples of \
             {:?}, such as {:?}, than to the others of {:?}",
            example.text, other.slug, other.text, example.slug
        ),
    };
    let mend = match same {
        true => "leave it to one of them, or make one topic of both",
        false => "move it there, word it otherwise, or add examples like it to its own topic",
    };
    Flaw {
        severity: Severity::Warning,
        rule: None,
        line: 0,
        key: Some(example.key.clone()),
        what,
        mend: mend.into(),
        example: Some(conversation(playbook, example.text)),
    }
}

/// The conversation that begins with an example.
fn conversation(playbook: &Playbook, text: &str) -> Example {
    let known = ("message.text".to_string(), Value::text(text));
    let mut facts = Facts::new(playbook.policy.catalogue());
    if let Err(error) = facts.set(playbook.policy.catalogue(), &known.0, known.1.clone()) {
        tracing::debug!(%error, "an example is no message");
    }
    let decision = judge(&playbook.policy, &facts, &Finding::Nothing);
    let fires = decision.fired().iter().map(|fired| fired.rule.clone()).collect();
    Example { facts: vec![known], fires }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Config, read_playbook};
    use async_trait::async_trait;

    /// Knows three meanings: the share of `a`, `b` and `c` among a text's words.
    struct Letters;

    #[async_trait]
    impl Embedder for Letters {
        fn id(&self) -> &'static str {
            "letters"
        }

        fn dimension(&self) -> usize {
            3
        }

        async fn embed(&self, texts: &[String]) -> Result<Vec<Embedding>, models::Error> {
            let n = |text: &str, letter: char| text.matches(letter).count() as f32 + 0.01;
            texts.iter().map(|t| Embedding::new(['a', 'b', 'c'].map(|l| n(t, l)).into())).collect()
        }

        async fn embed_query(&self, query: &str) -> Result<Embedding, models::Error> {
            Ok(self.embed(&[query.to_string()]).await?.remove(0))
        }
    }

    async fn check(topics: &[(&str, &[&str])], expected: &[&str]) {
        let mut text = "fallback_team = \"t\"\n[[team]]\nslug = \"t\"\nname = \"T\"\n".to_string();
        for (slug, examples) in topics {
            text +=
                &format!("[[topic]]\nslug = {slug:?}\nteam = \"t\"\nexamples = {examples:#?}\n");
        }
        let answers = Config::load(None, std::iter::empty()).unwrap().answers;
        let file = std::path::Path::new("routing.toml");
        let playbook = read_playbook(file, &text, &answers).unwrap();
        let flaws = contradictions(&playbook, &Letters).await.unwrap();
        let told: Vec<String> = flaws
            .iter()
            .map(|flaw| {
                let line = playbook.lines.of_key(flaw.key.as_deref().unwrap()).unwrap();
                format!("{line}: {} [{}]", flaw.what, flaw.example.as_ref().unwrap())
            })
            .collect();
        assert_eq!(told, expected);
    }

    #[tokio::test]
    async fn examples_that_say_the_same_or_stand_under_the_wrong_topic_are_found() {
        check(&[("a", &["aaaa", "aaab"]), ("b", &["bbbb", "bbbc"])], &[]).await;
        check(&[("a", &["aaaa", "aaab"])], &[]).await;
        check(
            &[("a", &["aaaa", "aaab", "abb"]), ("b", &["bbbb", "bbbc", "aabbbb"])],
            &[
                "19: topics \"b\" (line 19) and \"a\" (line 11) contradict each other: \"aabbbb\" and \"abb\" say nearly the same [message.text = \"aabbbb\"]",
            ],
        )
        .await;
        check(
            &[("a", &["aaaa", "aaac", "bbccc"]), ("b", &["bbbb", "bbbc", "bbba"])],
            &[
                "11: topics \"a\" (line 11) and \"b\" (line 18) contradict each other: \"bbccc\" is much nearer to examples of \"b\", such as \"bbbc\", than to the others of \"a\" [message.text = \"bbccc\"]",
            ],
        )
        .await;
    }
}
