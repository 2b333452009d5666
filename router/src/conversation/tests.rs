use super::*;
use Event::{Assigned, BotAsked, BotOffered, BotReplied, Closed, CustomerWrote};
use Event::{HandedBack, HandedOff, Snoozed, TeammateWrote, Woken};
use proptest::prelude::*;

fn slug(name: &str) -> Slug {
    Slug::try_from(name.to_string()).unwrap()
}

fn handed_off(by_person: bool) -> Event {
    HandedOff { team: slug("front"), by_person }
}

fn assigned(teammate: &str, by_person: bool) -> Event {
    Assigned { team: slug("front"), teammate: slug(teammate), by_person }
}

fn wrote(teammate: &str) -> Event {
    TeammateWrote { team: slug("front"), teammate: slug(teammate) }
}

fn after(events: &[Event]) -> Conversation {
    let mut conversation = Conversation::default();
    for event in events {
        assert_eq!(conversation.apply(event), Ok(()), "{event:?} of {events:?}");
    }
    conversation
}

#[test]
fn what_cannot_happen_is_refused_and_changes_nothing() {
    let check = |events: &[Event], event: Event, expected: IllegalMove| {
        let mut conversation = after(events);
        assert_eq!(conversation.apply(&event), Err(expected), "{event:?} after {events:?}");
        assert_eq!(conversation, after(events));
    };
    for silent in [BotReplied, BotAsked, BotOffered] {
        check(&[], silent.clone(), IllegalMove::NothingAsked);
        check(&[CustomerWrote, handed_off(false)], silent.clone(), IllegalMove::Held);
        check(&[CustomerWrote, assigned("ada", false)], silent.clone(), IllegalMove::Held);
        check(&[CustomerWrote, wrote("ada"), CustomerWrote], silent.clone(), IllegalMove::Held);
        check(&[CustomerWrote, Closed], silent, IllegalMove::Closed);
    }
    for event in [HandedBack { by_person: false }, Snoozed, Woken, Closed, handed_off(false)] {
        check(&[CustomerWrote, Closed], event, IllegalMove::Closed);
    }
    check(&[CustomerWrote, BotAsked, CustomerWrote], BotAsked, IllegalMove::Once);
    check(&[CustomerWrote, BotOffered, BotReplied], BotOffered, IllegalMove::Once);
    check(&[CustomerWrote], Woken, IllegalMove::Awake);
    check(&[CustomerWrote, Snoozed, CustomerWrote], Woken, IllegalMove::Awake);
    check(
        &[CustomerWrote, assigned("ada", true)],
        assigned("bo", false),
        IllegalMove::ChosenByPerson,
    );
    let replied = [CustomerWrote, assigned("ada", true), wrote("ada")];
    let taken = [CustomerWrote, handed_off(false), wrote("ada")];
    for chosen in [&replied, &taken] {
        for event in [assigned("bo", false), handed_off(false), HandedBack { by_person: false }] {
            check(chosen, event, IllegalMove::ChosenByPerson);
        }
    }
}

#[test]
fn who_writes_after_the_end_begins_anew_with_the_bot() {
    let tried = [CustomerWrote, BotAsked, CustomerWrote, BotOffered, CustomerWrote];
    let handed = [handed_off(false), assigned("ada", true), Closed];
    let mut conversation = after(&[&tried[..], &handed].concat());
    conversation.apply(&CustomerWrote).unwrap();
    assert_eq!((conversation.status(), conversation.owner()), (Status::Open, &Owner::Bot));
    let fresh = Episode { number: 2, turns: 1, ..Episode::default() };
    assert_eq!(conversation.episode(), &fresh);
    assert_eq!(conversation.apply(&BotAsked), Ok(()));
}

#[test]
fn an_offer_is_open_until_something_else_is_said() {
    let check = |events: &[Event], expected: bool| {
        let conversation = after(&[&[CustomerWrote, BotOffered], events].concat());
        assert_eq!(conversation.episode().offer_open, expected, "{events:?}");
    };
    check(&[], true);
    check(&[CustomerWrote, CustomerWrote], true);
    check(&[CustomerWrote, BotReplied], false);
    check(&[CustomerWrote, BotAsked], false);
    check(&[wrote("ada")], false);
    check(&[Closed, CustomerWrote], false);
}

#[test]
fn a_rest_ends_with_a_message_a_handoff_or_its_time() {
    for event in [CustomerWrote, Woken, handed_off(false), wrote("ada")] {
        let conversation = after(&[CustomerWrote, Snoozed, event.clone()]);
        assert_eq!(conversation.status(), Status::Open, "{event:?}");
    }
    let ended = after(&[CustomerWrote, Snoozed, Closed]);
    assert_eq!(ended.status(), Status::Closed);
}

fn events() -> impl Strategy<Value = Event> {
    let teammates = prop::sample::select(vec!["ada", "bo"]);
    prop_oneof![
        4 => Just(CustomerWrote),
        1 => prop::sample::select(vec![BotReplied, BotAsked, BotOffered]),
        2 => prop::sample::select(vec![Snoozed, Woken, Closed]),
        1 => any::<bool>().prop_map(|by_person| HandedBack { by_person }),
        1 => any::<bool>().prop_map(handed_off),
        1 => teammates.clone().prop_map(wrote),
        1 => (teammates, any::<bool>()).prop_map(|(teammate, by)| assigned(teammate, by)),
    ]
}

proptest! {
    #[test]
    fn no_events_lead_to_a_state_that_cannot_be(events in prop::collection::vec(events(), 0..40)) {
        let mut conversation = Conversation::default();
        for event in events {
            let before = conversation.clone();
            let moved = conversation.apply(&event);
            let (was, is) = (before.episode(), conversation.episode());
            if moved.is_err() {
                prop_assert_eq!(&conversation, &before);
            }
            let by_teammate = matches!(event, TeammateWrote { .. });
            let begun = by_teammate && is.turns == 0
                || event == CustomerWrote
                    && is.turns == 1
                    && conversation.owner() == &Owner::Bot;
            prop_assert!(is.number == was.number || begun);
            let tried = u32::from(is.clarified) + u32::from(is.offered);
            prop_assert!(tried <= is.bot_turns && (!is.offer_open || is.offered));
            prop_assert!(is.bot_turns == 0 || is.turns > 0);
            let bot = matches!(event, BotReplied | BotAsked | BotOffered);
            prop_assert!(!(bot && moved.is_ok()) || before.owner() == &Owner::Bot && before.status() != Status::Closed);
            // Only people or a new episode take a conversation from whom a person chose.
            let kept = matches!(
                event,
                Assigned { by_person: false, .. }
                    | HandedOff { by_person: false, .. }
                    | HandedBack { by_person: false }
            );
            if kept && matches!(before.owner(), Owner::Teammate { by_person: true, .. }) {
                prop_assert_eq!(before.owner(), conversation.owner());
            }
        }
    }
}

#[test]
fn a_teammate_who_writes_to_a_closed_conversation_is_responsible_for_its_new_episode() {
    let conversation = after(&[CustomerWrote, BotReplied, Closed, wrote("ada"), CustomerWrote]);
    assert_eq!(conversation.status(), Status::Open);
    assert!(matches!(conversation.owner(), Owner::Teammate { by_person: true, .. }));
    assert_eq!((conversation.episode().number, conversation.episode().turns), (2, 1));
}
