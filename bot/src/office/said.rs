use router::{Author, Message};
use std::collections::BTreeMap;
use store::{About, Content, Decided, Entry, Id};

/// Returns what was said to and by the customer in an episode, oldest first. What the customer
/// wrote in one go, unanswered, is one message; what was settled without a word is not read together
/// with what comes after it. `about` tells of decisions up to which entry they knew the
/// conversation: an answer stands before what the customer wrote while it was made.
pub(crate) fn said(
    entries: &[Entry],
    episode: u32,
    about: &BTreeMap<Id<Decided>, About>,
) -> Vec<Message> {
    let mut said: Vec<(i64, Author, &str)> = Vec::new();
    for entry in entries.iter().filter(|entry| entry.episode == episode) {
        let (knew, author, text) = match &entry.content {
            Content::Customer { text, .. } => (None, Author::Customer, text),
            Content::Bot { text, decision, .. } => {
                (decision.and_then(|id| Some(about.get(&id)?.known)), Author::Bot, text)
            }
            Content::Teammate { text, .. } => (None, Author::Teammate, text),
            Content::Note { .. } | Content::Event { .. } => continue,
        };
        let came_meanwhile = |(number, author, _): &&(i64, Author, &str)| {
            *author == Author::Customer && knew.is_some_and(|knew| *number > knew)
        };
        let n_meanwhile = said.iter().rev().take_while(came_meanwhile).count();
        said.insert(said.len() - n_meanwhile, (entry.number, author, text));
    }
    let settled: Vec<i64> = about.values().filter(|it| it.silent).map(|it| it.known).collect();
    let goes_on = |before: i64, number: i64| !settled.iter().any(|n| (before..number).contains(n));
    let mut turns: Vec<(i64, Message)> = Vec::new();
    for (number, author, text) in said {
        match turns.last_mut() {
            Some((before, last))
                if [last.author, author] == [Author::Customer; 2] && goes_on(*before, number) =>
            {
                *before = number;
                last.text.push('\n');
                last.text.push_str(text);
            }
            _ => turns.push((number, Message { author, text: text.to_string() })),
        }
    }
    turns.into_iter().map(|(_, turn)| turn).collect()
}

/// Leaves out what was said after the customer's last words, such as the bot's own about a handoff.
pub(crate) fn end_with_the_customer(turns: &mut Vec<Message>) {
    let last = turns.iter().rposition(|turn| turn.author == Author::Customer);
    turns.truncate(last.map_or(0, |last| last + 1));
}

#[cfg(test)]
mod tests;
