use crate::Answer;
use router::{Author, Message};
use std::fmt::Write;
use store::{NewDecision, NewPost};

/// Characters of what the customer wrote that a briefing repeats.
const ASKED_CHARS: usize = 500;

/// Characters that a briefing repeats of what was said before.
const SUMMED_CHARS: usize = 200;

/// Writes what a teammate wants to know who takes a conversation over in an inbox that is not
/// Frontdesk's: why, what was said so far, what the bot would have said, on what it rests and how sure
/// it is. Markdown.
pub(super) fn briefing(
    decision: &NewDecision,
    answer: Option<&Answer>,
    (so_far, asked): (&str, &str),
) -> String {
    let mut text = String::from("**Frontdesk hands over**");
    if let Some(team) = &decision.team {
        let _ = write!(text, " to {team}");
    }
    if let Some(reason) = decision.reasons.first() {
        let _ = write!(text, "\n\n**Why:** {reason}");
    }
    let mut noticed = Vec::new();
    if let Some((topic, sure)) = answer.and_then(|answer| answer.noticed.topic.as_ref()) {
        noticed.push(format!("topic {topic} ({:.0} %)", sure * 100.0));
    }
    if let Some(language) = answer.and_then(|answer| answer.noticed.language.as_ref()) {
        noticed.push(format!("language {language}"));
    }
    if !noticed.is_empty() {
        let _ = write!(text, "\n\n**Noticed:** {}", noticed.join(", "));
    }
    text.push_str(so_far);
    let asked: String = asked.chars().take(ASKED_CHARS).collect();
    if !asked.is_empty() {
        let _ = write!(text, "\n\n**Asked last:**\n\n{}", quoted(&asked));
    }
    if let Some(draft) = &decision.draft {
        let sure = decision.confidence * 100.0;
        let _ =
            write!(text, "\n\n**Draft, not sent** (right with {sure:.0} %):\n\n{}", quoted(draft));
        for source in &decision.sources {
            let _ = match &source.url {
                Some(url) => write!(text, "\n\n- [{}](<{url}>)", source.title),
                None => write!(text, "\n\n- {} ({})", source.title, source.article),
            };
        }
    }
    text
}

/// Sums up what was said before the customer's last words, in the words themselves: how much it was,
/// how it began and what the bot said last. Empty where the last words are the first. Markdown.
pub(super) fn so_far(turns: &[Message]) -> String {
    let of = |author: Author| turns.iter().filter(move |turn| turn.author == author);
    let n_asked = of(Author::Customer).count();
    let Some(first) = of(Author::Customer).next().filter(|_| n_asked > 1) else {
        return String::new();
    };
    let short = |text: &str| quoted(&text.chars().take(SUMMED_CHARS).collect::<String>());
    let (n_bot, n_people) = (of(Author::Bot).count(), of(Author::Teammate).count());
    let mut text = format!(
        "\n\n**So far:** the customer wrote {n_asked} times, the bot {n_bot}, people {n_people}\
         \n\n**Asked first:**\n\n{}",
        short(&first.text)
    );
    if let Some(said) = of(Author::Bot).next_back() {
        let _ = write!(text, "\n\n**The bot said last:**\n\n{}", short(&said.text));
    }
    text
}

/// Puts the posts of a change that gives a conversation to people into an order that is safe when it
/// stops half-way: whoever gets it finds the note, tags and priority there, and only what has been
/// given to people is announced to the customer. Posts to other destinations stay where they are,
/// and so do all where nothing is given to anybody.
pub(super) fn in_safe_order(posts: &mut [NewPost], destination: &str) {
    let rank = |post: &NewPost| match post.kind.as_str() {
        // Given back to the bot before it is given on.
        "hand_back" => 0,
        "note" => 1,
        "tag" | "untag" => 2,
        "attribute" => 3,
        "priority" => 4,
        "assign" => 5,
        "ticket" => 6,
        "reply" => 7,
        _ => 8,
    };
    let gives = |post: &NewPost| post.destination == destination && post.kind == "assign";
    if !posts.iter().any(gives) {
        return;
    }
    let is_there = |post: &&mut NewPost| post.destination == destination;
    let mut places: Vec<&mut NewPost> = posts.iter_mut().filter(is_there).collect();
    let mut ordered: Vec<NewPost> = places.iter().map(|post| NewPost::clone(post)).collect();
    ordered.sort_by_key(rank);
    for (place, post) in places.iter_mut().zip(ordered) {
        **place = post;
    }
}

fn quoted(text: &str) -> String {
    text.lines().map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::{in_safe_order, so_far};
    use router::{Author, Message};
    use serde_json::json;
    use store::NewPost;

    fn check(posts: &[(&str, &str)], expected: &[&str]) {
        let post = |(place, (destination, kind)): (usize, &(&str, &str))| NewPost {
            destination: (*destination).into(),
            kind: (*kind).into(),
            body: json!(place),
        };
        let mut posts: Vec<NewPost> = posts.iter().enumerate().map(post).collect();
        in_safe_order(&mut posts, "there");
        let ordered: Vec<String> =
            posts.iter().map(|post| format!("{}{}", post.kind, post.body)).collect();
        assert_eq!(ordered, expected);
    }

    #[test]
    fn people_find_everything_before_the_customer_hears_of_them() {
        check(
            &[
                ("there", "reply"),
                ("there", "assign"),
                ("webhook:crm", "conversation.tagged"),
                ("there", "assign"),
                ("there", "tag"),
                ("there", "close"),
                ("there", "ticket"),
                ("there", "priority"),
                ("there", "attribute"),
                ("there", "hand_back"),
                ("there", "note"),
            ],
            &[
                "hand_back9",
                "note10",
                "conversation.tagged2",
                "tag4",
                "attribute8",
                "priority7",
                "assign1",
                "assign3",
                "ticket6",
                "reply0",
                "close5",
            ],
        );
    }

    #[test]
    fn what_was_said_before_is_summed_up_in_its_own_words() {
        let turn = |author, text: &str| Message { author, text: text.into() };
        let first = turn(Author::Customer, "Is it free?");
        assert_eq!(so_far(std::slice::from_ref(&first)), "");
        let turns = [first, turn(Author::Bot, "For a time."), turn(Author::Customer, "How long?")];
        let expected = "\n\n**So far:** the customer wrote 2 times, the bot 1, people 0\n\n\
             **Asked first:**\n\n> Is it free?\n\n**The bot said last:**\n\n> For a time.";
        assert_eq!(so_far(&turns), expected);
    }

    #[test]
    fn without_a_handoff_everything_stays_where_it_is() {
        check(
            &[("there", "reply"), ("there", "tag"), ("there", "note")],
            &["reply0", "tag1", "note2"],
        );
    }
}
