//! A generator that says what it is told to, for tests of everything that uses one.

use crate::{Completion, Error, Finish, Generator, Prompt};
use async_trait::async_trait;
use std::sync::{Mutex, PoisonError};

/// Answers by rules and records what it was asked. The first rule that applies wins.
#[derive(Default)]
pub struct ScriptedChat {
    rules: Vec<Rule>,
    prompts: Mutex<Vec<Prompt>>,
}

struct Rule {
    part: String,
    reply: Reply,
}

enum Reply {
    Text(String),
    Error(Box<dyn Fn() -> Error + Send + Sync>),
}

impl ScriptedChat {
    /// Makes one without rules, which answers nothing but errors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers `text` where a turn of the prompt contains `part`; an empty `part` is in every one.
    #[must_use]
    pub fn answers(mut self, part: impl Into<String>, text: impl Into<String>) -> Self {
        self.rules.push(Rule { part: part.into(), reply: Reply::Text(text.into()) });
        self
    }

    /// Fails with what `error` makes, where a turn of the prompt contains `part`.
    #[must_use]
    pub fn fails(
        mut self,
        part: impl Into<String>,
        error: impl Fn() -> Error + Send + Sync + 'static,
    ) -> Self {
        self.rules.push(Rule { part: part.into(), reply: Reply::Error(Box::new(error)) });
        self
    }

    /// Returns the prompts so far, in order.
    pub fn prompts(&self) -> Vec<Prompt> {
        self.prompts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Generator for ScriptedChat {
    fn id(&self) -> &str {
        "scripted"
    }

    async fn complete(&self, prompt: &Prompt) -> Result<Completion, Error> {
        prompt.check()?;
        self.prompts.lock().unwrap_or_else(PoisonError::into_inner).push(prompt.clone());
        let applies = |rule: &&Rule| prompt.turns.iter().any(|turn| turn.text.contains(&rule.part));
        let text = match self.rules.iter().find(applies).map(|rule| &rule.reply) {
            Some(Reply::Text(text)) => text,
            Some(Reply::Error(error)) => return Err(error()),
            None => return Err(Error::Model("no rule of the script applies".into())),
        };
        // A word stands for a token, as good a measure as any for a script.
        let words: Vec<&str> = text.split(' ').collect();
        let kept = words.get(..prompt.limit_tokens);
        let prompt_tokens =
            prompt.turns.iter().map(|turn| turn.text.split_whitespace().count()).sum();
        Ok(Completion {
            text: kept.map_or_else(|| text.clone(), |kept| kept.join(" ")),
            finish: match words.len() > prompt.limit_tokens {
                true => Finish::Limit,
                false => Finish::Stop,
            },
            logprobs: vec![],
            prompt_tokens,
            reused_tokens: 0,
            written_tokens: words.len().min(prompt.limit_tokens),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{keeps_its_promises, prompt};

    #[tokio::test]
    async fn a_script_keeps_the_promises_of_a_generator() {
        keeps_its_promises(&ScriptedChat::new().answers("", "As you wish."), &[], None).await;
    }

    #[tokio::test]
    async fn the_first_rule_that_applies_answers_and_prompts_are_recorded() {
        let chat = ScriptedChat::new()
            .answers("refund", "Within 30 days [1].")
            .fails("outage", || Error::Busy)
            .answers("", "I do not know.");
        for (question, expected) in
            [("a refund?", "Within 30 days [1]."), ("hello", "I do not know.")]
        {
            let completion = chat.complete(&prompt("", question, 9)).await.unwrap();
            assert_eq!((completion.text.as_str(), completion.finish), (expected, Finish::Stop));
        }
        assert!(matches!(chat.complete(&prompt("outage", "?", 9)).await, Err(Error::Busy)));
        let short = chat.complete(&prompt("", "refund", 2)).await.unwrap();
        assert_eq!((short.text.as_str(), short.finish), ("Within 30", Finish::Limit));
        let asked: Vec<_> = chat.prompts().iter().map(|p| p.turns[1].text.clone()).collect();
        assert_eq!(asked, ["a refund?", "hello", "?", "refund"]);
    }
}
