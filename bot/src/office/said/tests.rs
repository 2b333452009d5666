use super::*;
use jiff::Timestamp;

#[test]
fn what_was_written_while_the_bot_answered_comes_after_its_answer() {
    let at: Timestamp = "2026-11-18T09:30:00Z".parse().unwrap();
    let (first, second) = (Id::new(at), Id::new(at));
    let customer = |text: &str| Content::Customer { text: text.into(), client_id: None };
    let bot = |text: &str, decision: Id<Decided>| Content::Bot {
        text: text.into(),
        sources: Vec::new(),
        buttons: Vec::new(),
        decision: Some(decision),
    };
    let contents = [
        customer("one"),
        customer("two"),
        customer("three"),
        bot("to one", first),
        bot("to two and three", second),
        customer("four"),
    ];
    let entries: Vec<Entry> = (1..)
        .zip(contents)
        .map(|(number, content)| Entry { id: Id::new(at), number, episode: 1, at, content })
        .collect();
    let at_entry = |known: i64| About { known, silent: false };
    let about = BTreeMap::from([(first, at_entry(1)), (second, at_entry(3))]);
    let turns = said(&entries, 1, &about);
    let texts: Vec<&str> = turns.iter().map(|turn| turn.text.as_str()).collect();
    assert_eq!(texts, ["one", "to one", "two\nthree", "to two and three", "four"]);
}

#[test]
fn what_was_settled_without_a_word_is_not_read_together_with_what_comes_next() {
    let at: Timestamp = "2026-11-18T09:30:00Z".parse().unwrap();
    let entries: Vec<Entry> = ["one", "two", "three", "four"]
        .into_iter()
        .zip(1..)
        .map(|(text, number)| {
            let content = Content::Customer { text: text.into(), client_id: None };
            Entry { id: Id::new(at), number, episode: 1, at, content }
        })
        .collect();
    let texts = |known: i64, silent: bool| -> Vec<String> {
        let about = BTreeMap::from([(Id::new(at), About { known, silent })]);
        said(&entries, 1, &about).into_iter().map(|turn| turn.text).collect()
    };
    assert_eq!(texts(2, true), ["one\ntwo", "three\nfour"]);
    assert_eq!(texts(2, false), ["one\ntwo\nthree\nfour"]);
    assert_eq!(texts(4, true), ["one\ntwo\nthree\nfour"]);
}
