use crate::desk::{Desk, LOOK};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tests::intercom::{Conversation, StandIn};
use tokio::task::JoinSet;

/// Customers who write at the same time.
const AT_ONCE: usize = 120;

/// How long anybody waits for what must come.
const PATIENCE: Duration = Duration::from_secs(300);

pub(crate) const QUESTION: &str = "How many days does the free trial last?";
pub(crate) const PLEA: &str = "Can I talk to a human, please?";

/// How a conversation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Course {
    /// The customer waits for the answer before asking for a person.
    Patient,
    /// Both messages come at once.
    Hasty,
    /// A teammate answers by hand at once; the customer then writes again.
    Overtaken,
    /// It is closed after the answer, and opened again by the customer.
    Reopened,
}

/// A conversation that was held.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) id: String,
    pub(crate) course: Course,
}

/// Customers who write until everything they have to say is said and what follows has followed.
pub(crate) struct Customers {
    writing: JoinSet<Vec<Held>>,
    n_left: Arc<AtomicUsize>,
}

impl Customers {
    pub(crate) fn write(n_conversations: usize, desk: &Desk) -> Self {
        let n_left = Arc::new(AtomicUsize::new(AT_ONCE));
        let mut writing = JoinSet::new();
        for first in 0..AT_ONCE {
            let (n_left, intercom) = (n_left.clone(), desk.intercom.clone());
            let (ada, support) = (desk.ada.clone(), desk.support.clone());
            writing.spawn(async move {
                let _leaves = Leaves(n_left);
                let mut held = Vec::new();
                for number in (first..n_conversations).step_by(AT_ONCE) {
                    let customer = Customer { intercom: &intercom, ada: &ada, support: &support };
                    held.push(customer.hold(number).await);
                }
                held
            });
        }
        Self { writing, n_left }
    }

    /// Whether all have had what they wanted.
    pub(crate) fn are_done(&self) -> bool {
        self.n_left.load(Ordering::SeqCst) == 0
    }

    pub(crate) async fn held(mut self) -> Vec<Held> {
        let mut all = Vec::new();
        while let Some(held) = self.writing.join_next().await {
            all.extend(held.unwrap());
        }
        all
    }
}

/// Counts who is done, also whoever waited in vain.
struct Leaves(Arc<AtomicUsize>);

impl Drop for Leaves {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Customer<'a> {
    intercom: &'a StandIn,
    ada: &'a str,
    support: &'a str,
}

impl Customer<'_> {
    async fn hold(&self, number: usize) -> Held {
        let courses =
            [Course::Patient, Course::Hasty, Course::Patient, Course::Overtaken, Course::Reopened];
        let course = courses[number % courses.len()];
        let name = format!("customer-{number}");
        let contact = self.intercom.with_user(&name, &name, json!({}));
        let id = self.intercom.customer_writes(&contact, QUESTION);
        match course {
            Course::Hasty => {}
            Course::Overtaken => {
                self.intercom.admin_replies(self.ada, &id, "Fourteen, by hand.");
            }
            Course::Patient | Course::Reopened => {
                self.until(&id, |there| n_said(there) == 1).await;
            }
        }
        if course == Course::Reopened {
            self.intercom.admin_closes(self.ada, &id);
        }
        self.intercom.customer_replies(&id, PLEA);
        if course != Course::Overtaken {
            // Given to people first, and then told so.
            let before = usize::from(course != Course::Hasty);
            let team = Some(self.support.to_string());
            self.until(&id, |there| there.team_assignee == team && n_said(there) > before).await;
        }
        Held { id, course }
    }

    async fn until(&self, id: &str, wanted: impl Fn(&Conversation) -> bool) {
        let began = Instant::now();
        while !wanted(&self.intercom.conversation(id).unwrap()) {
            let late = began.elapsed() > PATIENCE;
            assert!(!late, "nothing follows: {:#?}", self.intercom.conversation(id));
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// How often the bot spoke to the customer.
fn n_said(there: &Conversation) -> usize {
    there.through_the_api().iter().filter(|part| part.part_type == "comment").count()
}
