use super::{
    tests::{monday, slug, waiting},
    *,
};
use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;

const LANGUAGES: [&str; 3] = ["de", "en", "fr"];

fn spoken() -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::subsequence(LANGUAGES.to_vec(), 0..=2)
}

/// Teams of up to six, open from 9 to 17, with who is there.
fn staffed() -> impl Strategy<Value = (Team, Roster)> {
    let member = (spoken(), prop::option::of(0..4u32), any::<bool>(), any::<bool>(), 0..5u32);
    let assignment = prop::sample::select(vec!["round_robin", "fewest_open", "manual"]);
    let members = prop::collection::vec(member, 0..6);
    (assignment, spoken(), prop::option::of(1..5u32), members).prop_map(
        |(assignment, languages, capacity, members)| {
            let member =
                |(index, (languages, capacity, may_reply, ..)): (usize, &(_, _, bool, _, _))| {
                    let languages: &Vec<&str> = languages;
                    let capacity: &Option<u32> = capacity;
                    json!({
                        "slug": format!("m{index}"), "name": "M", "languages": languages,
                        "capacity": capacity, "may_reply": may_reply,
                    })
                };
            let team = json!({
                "slug": "t", "name": "T", "assignment": assignment, "languages": languages,
                "capacity": capacity,
                "hours": { "time_zone": "UTC", "monday": ["09:00-17:00"] },
                "member": members.iter().enumerate().map(member).collect::<Vec<_>>(),
            });
            let roster = members.iter().enumerate().map(|(index, (_, _, _, available, n_open))| {
                (slug(&format!("m{index}")), Presence { available: *available, n_open: *n_open })
            });
            (serde_json::from_value(team).unwrap(), roster.collect())
        },
    )
}

fn queue() -> impl Strategy<Value = Vec<Waiting>> {
    let language = prop::option::of(prop::sample::select(LANGUAGES.to_vec()));
    let priority = prop::sample::select(vec![
        Priority::Low,
        Priority::Normal,
        Priority::High,
        Priority::Urgent,
    ]);
    let minutes = || 0..4i64;
    let entry =
        (language, priority, prop::option::of(minutes()), minutes(), prop::option::of(0..9u8));
    prop::collection::vec(entry, 0..12).prop_map(|entries| {
        let after = |minutes| monday("09:00") + SignedDuration::from_mins(minutes);
        let entries = entries.into_iter().enumerate();
        let entries = entries.map(|(index, (language, priority, due, arrived, taken))| Waiting {
            priority,
            due: due.map(after),
            arrived_at: after(arrived),
            teammate: taken.filter(|taken| *taken < 2).map(|taken| slug(&format!("m{taken}"))),
            ..waiting(&format!("c{index}"), language)
        });
        entries.collect()
    })
}

fn clock() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        3 => Just(monday("10:00")),
        1 => prop::sample::select(vec![monday("08:59"), monday("17:00"), monday("23:00")]),
    ]
}

proptest! {
    #[test]
    fn assignment_keeps_every_bound(
        (team, mut roster) in staffed(),
        queue in queue(),
        now in clock(),
        last in prop::option::of(0..8u8),
    ) {
        let before = roster.clone();
        let mut shared_queue = queue.clone();
        let mut last = last.map(|last| slug(&format!("m{last}")));
        let shared = share_out(&team, &mut roster, &mut shared_queue, &mut last, now);
        prop_assert!(shared.is_empty() || (team.is_open(now) && team.assignment != Assignment::Manual));
        for (id, who) in &shared {
            let member = team.member(who).unwrap();
            let conversation = queue.iter().find(|waiting| waiting.id == *id).unwrap();
            prop_assert_eq!(&conversation.teammate, &None);
            prop_assert!(member.may_reply && before[who].available);
            if let Some(language) = &conversation.language {
                prop_assert!(team.speaks(member, language) || !team.covers(language));
            }
            let n_got = shared.iter().filter(|(_, other)| other == who).count();
            prop_assert_eq!(roster[who].n_open as usize, before[who].n_open as usize + n_got);
            prop_assert!(team.capacity_of(member).is_none_or(|most| roster[who].n_open <= most));
        }
        for waiting in &shared_queue {
            let was = &queue.iter().find(|other| other.id == waiting.id).unwrap().teammate;
            prop_assert!(was.is_none() || *was == waiting.teammate);
        }
        // Nothing is left that anybody may take.
        for member in &team.members {
            prop_assert_eq!(pull(&team, &member.slug, &roster, &shared_queue, now), None);
        }
    }

    #[test]
    fn nobody_waits_while_somebody_may_take_it(
        (team, roster) in staffed(),
        queue in queue(),
        now in clock(),
    ) {
        for conversation in &queue {
            let assigned = assign(&team, &roster, conversation, None, now);
            let one = std::slice::from_ref(conversation);
            let takers: Vec<&Slug> = team
                .members
                .iter()
                .map(|member| &member.slug)
                .filter(|who| pull(&team, who, &roster, one, now).is_some())
                .collect();
            match (assigned, &conversation.teammate) {
                (Assigned::Kept(who), Some(has)) => prop_assert_eq!(&who, has),
                (Assigned::To { teammate, .. }, None) => prop_assert!(takers.contains(&&teammate)),
                (Assigned::Queue(_), None) => prop_assert_eq!(takers, Vec::<&Slug>::new()),
                (assigned, has) => prop_assert!(false, "{assigned:?} though {has:?} has it"),
            }
        }
    }

    #[test]
    fn round_robin_is_fair(n_members in 1..7usize, n_rounds in 1..6usize, first in 0..7usize) {
        let members: Vec<_> =
            (0..n_members).map(|m| json!({ "slug": format!("m{m}"), "name": "M" })).collect();
        let team = json!({
            "slug": "t", "name": "T", "assignment": "round_robin", "member": members,
        });
        let team: Team = serde_json::from_value(team).unwrap();
        let there = Presence { available: true, n_open: 0 };
        let mut roster: Roster = team.members.iter().map(|m| (m.slug.clone(), there)).collect();
        let mut queue: Vec<Waiting> =
            (0..n_members * n_rounds).map(|c| waiting(&format!("c{c}"), None)).collect();
        let mut last = Some(slug(&format!("m{first}")));
        let shared = share_out(&team, &mut roster, &mut queue, &mut last, monday("10:00"));
        prop_assert_eq!(shared.len(), n_members * n_rounds);
        for round in shared.chunks(n_members) {
            let got: BTreeSet<&Slug> = round.iter().map(|(_, who)| who).collect();
            prop_assert_eq!(got.len(), n_members);
        }
    }

    #[test]
    fn the_order_of_a_queue_is_total_whatever_order_it_comes_in(
        (queue, shuffled) in queue().prop_flat_map(|queue| {
            (Just(queue.clone()), Just(queue).prop_shuffle())
        }),
    ) {
        let (mut one, mut other) = (queue, shuffled);
        order(&mut one);
        order(&mut other);
        prop_assert_eq!(&one, &other);
        for (index, waiting) in one.iter().enumerate() {
            prop_assert_eq!(n_ahead(waiting, &one), index);
        }
    }
}
