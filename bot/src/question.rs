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

/// Words by which people say that they want something or that something is wrong, and not what: a
/// message of these alone is asked back instead of being searched for. A word that may name a thing
/// of the company's does not belong here.
const SAYS_NOTHING: [&str; 4] = [
    "a all an and anybody anyone are any assist assistance can could do doesn don error errors for \
     get getting good got guys have having hello help hey hi i in is isn issue issues it just m me \
     morning my need not of one please problem problems question questions quick so some somebody \
     someone something stuck support t thank thanks that the there this to trouble urgent ve want \
     with work working works wrong you your broken afternoon evening day dear team again still",
    "bitte brauche danke das ein eine einen es fehler frage fragen geht gibt guten hab habe haben \
     hallo helfen hi hilfe ich ihnen ihr ist jemand kann kaputt können könnte mal mehr mir mit moin \
     morgen nicht noch problem probleme sie tag abend und uns unterstützung wir zu",
    "ai aide aider aidez avoir avons besoin bonjour bonsoir d de erreur est et gens il j je l la le \
     m ma marche me merci moi mon ne nous pas plaît plait pouvez pourriez problème probleme \
     problèmes que quelqu un une question questions s salut svp vous y à ça",
    "algo alguien ayuda ayudar ayudarme ayúdame buenas buenos con de días dudas duda el en error es \
     favor funciona gracias hay hola la me mi necesito no noches por pregunta preguntas problema \
     problemas puede pueden quiero tardes tengo tienen un una usted y",
];

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

    /// Whether it says no more than that something is wanted or wrong, such as "Hi, I have a
    /// question", in English, German, French or Spanish.
    pub(crate) fn asks_nothing(&self) -> bool {
        let is_said = |word: &str, list: &str| list.split(' ').any(|said| said == word);
        let words = self.last().split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
        let words: Vec<String> = words.map(str::to_lowercase).collect();
        let in_list = |list: &&str| words.iter().all(|word| is_said(word, list));
        !words.is_empty() && SAYS_NOTHING.iter().any(in_list)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_asks_nothing_is_told_from_what_asks_little() {
        let check = |text: &str, expected: bool| {
            assert_eq!(Question::new(text).asks_nothing(), expected, "{text}");
        };
        for nothing in [
            "Hi, I have a question",
            "Help please!!",
            "can you help me?",
            "It doesn't work",
            "I've got a problem",
            "Guten Morgen, ich habe eine Frage",
            "Hallo, das geht nicht mehr :(",
            "Bonjour, j'ai une question s'il vous plaît",
            "Hola, ¿me puede ayudar por favor?",
        ] {
            check(nothing, true);
        }
        for asks in [
            "",
            "Hi, I have a question about invoices",
            "Password",
            "It doesn't sync",
            "ich habe eine Frage zur Rechnung",
            "the export is broken",
            "Can I pay?",
            "Was kostet das?",
            "help 中文",
            "Hi team, good morning, I have a problem and I need help please, can you help me with \
             this, it is urgent: my invoice",
        ] {
            check(asks, false);
        }
    }
}
