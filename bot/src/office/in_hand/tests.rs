use super::*;
use crate::{config::Config, read_playbook};

const PROMISING: &str = r#"
fallback_team = "support"
[[sla]]
slug = "standard"
first_reply = "1h"
[[team]]
slug = "support"
name = "Support"
sla = "standard"
"#;

#[test]
fn who_writes_to_people_after_they_opened_it_again_is_promised_a_reply() {
    let answers = Config::load(None, std::iter::empty()).unwrap().answers;
    let playbook = read_playbook("routing.toml".as_ref(), PROMISING, &answers).unwrap();
    let now: Timestamp = "2026-11-18T09:30:00Z".parse().unwrap();
    let mut record = Record::new("far", Id::new(now), now);
    let mut change = Change::default();
    let slug = |name: &str| Slug::try_from(name.to_string()).unwrap();
    let (team, ada) = (slug("support"), slug("ada"));
    let mut in_hand = InHand::new(&playbook, &mut record, &mut change, (now, true));
    in_hand.customer_writes("Where is it?".into(), None, None).unwrap();
    in_hand.teammate_writes(team, ada.clone(), "On its way.".into()).unwrap();
    in_hand.close(&Actor::Teammate(ada.clone())).unwrap();
    in_hand.reopen(&Actor::Teammate(ada)).unwrap();
    assert_eq!(promised(&playbook, in_hand.record).next(), None, "nobody has asked");
    in_hand.customer_writes("And the other one?".into(), None, None).unwrap();
    in_hand.finish();
    assert_eq!(record.due.first_reply, Some(now + SignedDuration::from_hours(1)));
}
