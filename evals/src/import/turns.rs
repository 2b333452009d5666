//! Which turns of a conversation are worth judging, and what did people answer to each?

use super::past::{Past, Said};
use router::Author;

/// A customer's turn that is worth judging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Turn {
    /// Which of the customer's turns it is, from 1.
    pub(super) number: usize,
    /// Where in the conversation it ends: behind the customer's last words of it.
    pub(super) end: usize,
    /// Where what was said to it ends: before the customer's next words.
    pub(super) until: usize,
    /// What people answered.
    pub(super) answer: Option<String>,
    /// Whether it was left to people, who have not answered it.
    pub(super) is_peoples: bool,
}

/// Why a conversation or a turn is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skip {
    /// No customer says anything in it.
    NobodyAsks,
    /// The turn holds nothing but a file, a picture or a space.
    Empty,
    /// The turn greets, thanks or agrees, and asks nothing.
    AsksNothing,
    /// A machine wrote the turn: out of office, undeliverable.
    Automatic,
    /// Nobody answered, and nobody was given it.
    Unanswered,
    /// A bot answered, and a person had to later: what it said was no answer.
    BotAlone,
    /// The conversation was there before.
    SameConversation,
    /// Question and answer were there before, word for word but for case and signs.
    SameWords,
}

impl Skip {
    /// Returns what people read.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NobodyAsks => "no customer says anything",
            Self::Empty => "nothing but a file or a space",
            Self::AsksNothing => "a greeting, thanks or a word; asks nothing",
            Self::Automatic => "written by a machine",
            Self::Unanswered => "nobody answered",
            Self::BotAlone => "a bot answered, and a person had to later",
            Self::SameConversation => "the conversation is there already",
            Self::SameWords => "the same question and answer are there already",
        }
    }
}

/// Finds the turns worth judging, in order, each of the others with why it is left out.
pub(super) fn turns(past: &Past) -> (Vec<Turn>, Vec<Skip>) {
    let (mut kept, mut left) = (Vec::new(), Vec::new());
    let said = past.said.as_slice();
    let is_customer = |said: &Said| said.by == Author::Customer;
    let (mut at, mut number) = (0, 0);
    while let Some(start) = position(said, at, is_customer) {
        let end = position(said, start, |said| !is_customer(said)).unwrap_or(said.len());
        let until = position(said, end, is_customer).unwrap_or(said.len());
        number += 1;
        at = until;
        let asked = said.get(start..end).unwrap_or_default();
        let answers = said.get(end..until).unwrap_or_default();
        let later = said.get(until..).unwrap_or_default();
        match judge(past, asked, answers, later) {
            Ok(answer) => {
                // What a bot settled alone was answered.
                let is_peoples = answer.is_none() && (answers.is_empty() || past.waits_for_people);
                kept.push(Turn { number, end, until, answer, is_peoples });
            }
            Err(skip) => left.push(skip),
        }
    }
    if number == 0 {
        left.push(Skip::NobodyAsks);
    }
    (kept, left)
}

/// Returns what people answered to a turn, or why it is not worth judging.
fn judge(
    past: &Past,
    asked: &[Said],
    answers: &[Said],
    later: &[Said],
) -> Result<Option<String>, Skip> {
    let texts: Vec<&str> = asked.iter().map(|said| said.text.as_str()).collect();
    if let Some(skip) = idle(&texts.join("\n")) {
        return Err(skip);
    }
    let is_person = |said: &&Said| said.by == Author::Teammate;
    let words: Vec<&str> =
        answers.iter().filter(is_person).map(|said| said.text.as_str()).collect();
    let answer = (!words.is_empty()).then(|| words.join("\n\n"));
    let person_later = later.iter().any(|said| said.by == Author::Teammate);
    match answer {
        Some(answer) => Ok(Some(answer)),
        None if !answers.is_empty() && person_later => Err(Skip::BotAlone),
        None if !answers.is_empty() => Ok(None),
        None if past.handed_over => Ok(None),
        None => Err(Skip::Unanswered),
    }
}

fn position(said: &[Said], from: usize, is_one: impl Fn(&Said) -> bool) -> Option<usize> {
    let at = said.iter().skip(from).position(is_one)?;
    Some(from + at)
}

/// Words that greet, thank and agree.
const IDLE: [&str; 66] = [
    "a",
    "again",
    "all",
    "alright",
    "and",
    "appreciate",
    "appreciated",
    "bonjour",
    "bye",
    "cheers",
    "cool",
    "danke",
    "day",
    "dank",
    "dear",
    "do",
    "everyone",
    "fine",
    "for",
    "good",
    "got",
    "gracias",
    "great",
    "gut",
    "guten",
    "hallo",
    "have",
    "hello",
    "help",
    "hey",
    "hi",
    "hola",
    "i",
    "it",
    "ja",
    "kind",
    "lot",
    "many",
    "merci",
    "morning",
    "much",
    "nein",
    "nice",
    "no",
    "ok",
    "okay",
    "perfect",
    "please",
    "problem",
    "regards",
    "so",
    "sure",
    "tag",
    "thank",
    "thanks",
    "that",
    "the",
    "there",
    "team",
    "very",
    "vielen",
    "will",
    "works",
    "yes",
    "you",
    "your",
];

/// Words that ask for help, unless it is thanked for.
const HELP: [&str; 4] = ["aide", "ayuda", "help", "hilfe"];
const THANKS: [&str; 8] =
    ["appreciate", "appreciated", "dank", "danke", "gracias", "merci", "thank", "thanks"];

/// What machines write.
const MACHINES: [&str; 12] = [
    "out of office",
    "out of the office",
    "automatic reply",
    "auto-reply",
    "autoreply",
    "automatische antwort",
    "abwesenheitsnotiz",
    "réponse automatique",
    "this is an automated",
    "undeliverable",
    "delivery has failed",
    "delivery status notification",
];

/// Says why a customer's words ask nothing; None: they may.
fn idle(text: &str) -> Option<Skip> {
    let lower = text.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        return Some(Skip::Empty);
    }
    let head: String = lower.chars().take(300).collect();
    if MACHINES.iter().any(|words| head.contains(words)) {
        return Some(Skip::Automatic);
    }
    if text.contains('?') {
        return None;
    }
    let has = |some: &[&str]| words.iter().any(|word| some.contains(word));
    if has(&HELP) && !has(&THANKS) {
        return None;
    }
    // A language that sets no spaces asks in what counts as one word here.
    let is_short = words.len() < 2 && lower.is_ascii();
    (is_short || words.iter().all(|word| IDLE.contains(word))).then_some(Skip::AsksNothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(said: &[(char, &str)], handed_over: bool) -> Past {
        let said = said.iter().map(|(by, text)| {
            let by = match by {
                'c' => Author::Customer,
                'b' => Author::Bot,
                _ => Author::Teammate,
            };
            Said { by, text: (*text).to_string(), at: None }
        });
        Past { said: said.collect(), handed_over, ..Past::default() }
    }

    fn check(said: &[(char, &str)], kept: &[(usize, Option<&str>)], left: &[Skip]) {
        let (turns, skips) = turns(&past(said, false));
        let found: Vec<(usize, Option<&str>)> =
            turns.iter().map(|turn| (turn.number, turn.answer.as_deref())).collect();
        assert_eq!(found, kept, "{said:?}");
        assert_eq!(skips, left, "{said:?}");
    }

    #[test]
    fn each_question_that_somebody_answered_is_a_turn_with_only_the_persons_words() {
        let ask = ('c', "How do I pay by card?");
        let more = ('c', "And where is the invoice");
        check(&[ask, ('t', "Under Billing.")], &[(1, Some("Under Billing."))], &[]);
        check(
            &[ask, ('b', "Hm."), ('t', "Under Billing."), ('t', "Plan."), more, ('t', "There.")],
            &[(1, Some("Under Billing.\n\nPlan.")), (2, Some("There."))],
            &[],
        );
        check(&[ask, ('b', "Like so.")], &[(1, None)], &[]);
        check(&[ask, ('b', "So."), more, ('t', "Here.")], &[(2, Some("Here."))], &[Skip::BotAlone]);
        assert_eq!(turns(&past(&[ask], true)).0.len(), 1, "a team has it");
        let bot_alone = past(&[ask, ('b', "We are back at 9.")], true);
        assert!(!turns(&bot_alone).0[0].is_peoples);
        let waits = Past { waits_for_people: true, ..bot_alone };
        assert!(turns(&waits).0[0].is_peoples, "a promise to answer is no answer");
    }

    #[test]
    fn what_asks_nothing_is_left_out_and_said() {
        let answer = ('t', "You are welcome.");
        check(&[('c', "Thanks a lot, bye!"), answer], &[], &[Skip::AsksNothing]);
        check(&[('c', "Thank you very much!"), answer], &[], &[Skip::AsksNothing]);
        check(&[('c', "Thanks for your help!"), answer], &[], &[Skip::AsksNothing]);
        for asked in ["Help please", "Hello, please help", "help"] {
            check(&[('c', asked), answer], &[(1, Some(answer.1))], &[]);
        }
        check(&[('c', "ok"), answer], &[], &[Skip::AsksNothing]);
        check(&[('c', " \n"), answer], &[], &[Skip::Empty]);
        check(&[('c', "Automatic reply: I am away"), answer], &[], &[Skip::Automatic]);
        check(&[('c', "Where is my order")], &[], &[Skip::Unanswered]);
        check(&[('c', "領収書はどこですか"), answer], &[(1, Some(answer.1))], &[]);
        check(&[answer], &[], &[Skip::NobodyAsks]);
    }
}
