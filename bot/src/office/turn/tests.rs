use super::*;

/// A conversation in which the customer has asked, and the bot's turn about that.
fn asked() -> (Record, Turn) {
    let now: Timestamp = "2026-11-18T09:30:00Z".parse().unwrap();
    let mut record = Record::new("web", Id::new(now), now);
    record.state.apply(&Event::CustomerWrote).unwrap();
    let turn = Turn {
        answer: None,
        basis: None,
        decision: Decision::new(Act::Offer, Reason::Held, []),
        told: None,
        asked: String::new(),
        so_far: String::new(),
        about: 1,
        owner: Owner::Bot,
        episode: record.state.episode().clone(),
        took: Duration::ZERO,
    };
    (record, turn)
}

#[test]
fn an_answer_does_not_reach_over_into_the_next_episode() {
    let (mut record, turn) = asked();
    assert_eq!(may(&record, &turn, false), Ok(()));
    record.state.apply(&Event::Closed).unwrap();
    assert_eq!(may(&record, &turn, false), Err(IllegalMove::Closed));
    record.state.apply(&Event::CustomerWrote).unwrap();
    assert_eq!(may(&record, &turn, false), Err(IllegalMove::Closed));
}

#[test]
fn an_answer_is_not_given_again_although_the_conversation_is_the_bot_s_again() {
    let (mut record, turn) = asked();
    let slug = |text: &str| router::Slug::try_from(text.to_string()).unwrap();
    let (team, teammate) = (slug("support"), slug("ada"));
    let back = Event::HandedBack { by_person: true };
    // Who only took it and gave it back has answered nothing.
    let taken = Event::Assigned { team: team.clone(), teammate: teammate.clone(), by_person: true };
    record.state.apply(&taken).unwrap();
    assert_eq!(may(&record, &turn, false), Err(IllegalMove::Held));
    record.state.apply(&back).unwrap();
    assert_eq!(may(&record, &turn, false), Ok(()));
    record.state.apply(&Event::TeammateWrote { team, teammate }).unwrap();
    record.state.apply(&back).unwrap();
    assert_eq!(may(&record, &turn, false), Err(IllegalMove::Answered));
}
