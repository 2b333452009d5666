//! Whether the tickets that rules make can be made in the workspace.

use super::{Examined, State};
use crate::{client::Client, wire::TicketType};
use router::Policy;
use std::collections::BTreeSet;

impl Examined {
    pub(super) async fn tickets(&mut self, client: &Client, policy: &Policy) {
        let made: BTreeSet<&str> =
            policy.rules().filter_map(|rule| rule.then.ticket.as_deref()).collect();
        if made.is_empty() {
            return;
        }
        let there = match client.ticket_types().await {
            Ok(there) => there,
            Err(failure) => {
                let what = format!("the ticket types cannot be read: {failure}");
                let mend = "tick \"Read tickets\" in the Developer Hub under Configure > \
                            Authentication";
                return self.add("tickets", State::Bad, what, mend);
            }
        };
        let is_there = |name: &&&str| there.iter().any(|kind| kind.is_for(name));
        let missing: Vec<&str> = made.iter().filter(|name| !is_there(name)).copied().collect();
        if missing.is_empty() {
            return self.good("tickets", format!("the {} that rules make can be made", made.len()));
        }
        let what = format!("customers have no ticket type {}", missing.join(", "));
        self.add("tickets", State::Bad, what, choice(&there));
    }
}

fn choice(there: &[TicketType]) -> String {
    let fits = there.iter().filter(|kind| kind.is_for(&kind.name));
    let names: Vec<String> = fits.map(|kind| format!("{:?}", kind.name)).collect();
    match names.is_empty() {
        true => "make one of the category Customer under Settings > Tickets".into(),
        false => format!("write `ticket` of the rule as one of: {}", names.join(", ")),
    }
}
