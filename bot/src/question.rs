use router::{Author, Message};

/// What is asked: the last message, with what was said before it.
#[derive(Debug, Clone, Default)]
pub struct Question {
    turns: Vec<Message>,
}

/// Text beyond this is cut before it is searched for: a question of ten pages asks nothing more
/// than its first two, and a pasted log must not cost minutes.
const LIMIT_BYTES: usize = 8_000;

/// Weight of the words of the customer's turn before the last one (see `docs/evals.md`).
const EARLIER_WORDS: f32 = 0.4;

impl Question {
    /// Asks `text` without any history.
    pub fn new(text: impl Into<String>) -> Self {
        Self { turns: vec![Message { author: Author::Customer, text: text.into() }] }
    }

    /// Asks the last of `turns`, whoever wrote it.
    pub fn after(turns: Vec<Message>) -> Self {
        Self { turns }
    }

    /// Returns what is asked, without history.
    pub fn last(&self) -> &str {
        self.turns.last().map_or("", |turn| &turn.text)
    }

    /// Returns all messages, oldest first.
    pub fn turns(&self) -> &[Message] {
        &self.turns
    }

    /// Returns what the customer wrote, oldest first.
    pub(crate) fn customer_turns(&self) -> Vec<&str> {
        let turns = self.turns.iter().filter(|turn| turn.author == Author::Customer);
        turns.map(|turn| turn.text.as_str()).collect()
    }

    /// Whether something was said before.
    pub fn is_follow_up(&self) -> bool {
        self.earlier().is_some()
    }

    /// Returns the customer's turn before the last one, which a follow-up leans on. Nearer history
    /// helps retrieval, all of it hurts.
    fn earlier(&self) -> Option<&str> {
        let (_, before) = self.turns.split_last()?;
        let turn = before.iter().rev().find(|turn| turn.author == Author::Customer)?;
        Some(cut(&turn.text))
    }

    /// Returns the texts whose meanings, averaged, are searched for: a follow-up counts alone and
    /// together with what it leans on. That finds more than either (recall@5 of 183 multi-turn
    /// cases .88, where the two turns together find .87 and the last alone .83).
    pub(crate) fn meanings(&self) -> Vec<String> {
        let last = cut(self.last());
        let both = self.earlier().map(|earlier| format!("{earlier}\n{last}"));
        std::iter::once(last.to_string()).chain(both).collect()
    }

    /// Returns the question as one text, with what it leans on first.
    pub(crate) fn whole(&self) -> String {
        self.meanings().pop().unwrap_or_default()
    }

    /// Returns the words to search for, with their weights.
    pub(crate) fn words(&self) -> Vec<(&str, f32)> {
        let earlier = self.earlier().map(|text| (text, EARLIER_WORDS));
        std::iter::once((cut(self.last()), 1.0)).chain(earlier).collect()
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LIMIT_BYTES)]
}
