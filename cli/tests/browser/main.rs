//! The messenger and the inbox in a real browser: a customer and a teammate meet in headless
//! Chromium, on a desktop and on a phone. `driver` starts the browser, `page` is what somebody
//! looks at, `customer` and `teammate` are what they do there, `desk` is the server, `foreign` what
//! the messenger makes of answers that are none, `report` the pages that evals write.

#[cfg(test)]
mod customer;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod driver;
#[cfg(test)]
mod foreign;
#[cfg(test)]
mod page;
#[cfg(test)]
mod report;
#[cfg(test)]
mod teammate;

#[cfg(test)]
mod tests {
    use crate::{
        customer::Customer,
        desk::{ADMIN, Desk},
        driver::{Driver, Screen},
        foreign, report,
        teammate::Teammate,
    };
    use store::{Content, OutcomeKind};

    const QUESTION: &str = "How many days does the free trial last?";
    const FOLLOW_UP: &str = "Can I extend it?";
    const PERSON: &str = "Can I talk to a human, please?";
    const MORE: &str = "How do I change my password?";
    const REPLY: &str = "I have prolonged your trial until the end of **next week**.";
    const OFFLINE: &str = "Thank you, that helps a lot.";

    /// From the first question to the rating, as both sides see it.
    async fn meet(screen: Screen) {
        let Some(driver) = Driver::start() else { return };
        let mut desk = Desk::start();
        let customer = Customer::arrive(driver.open(screen).await, &desk).await;
        customer.open_by_keyboard().await;
        customer.page.look("messenger-1-greeting").await;
        customer.ask(QUESTION).await;
        let answer = customer.read_answer(1).await;
        assert!(answer.contains("Your free trial"), "{answer}");
        customer.page.look("messenger-2-answer").await;
        customer.ask(FOLLOW_UP).await;
        customer.read_answer(2).await;

        let teammate = Teammate::arrive(driver.open(screen).await, &desk).await;
        teammate.watch_queue().await;
        customer.ask(PERSON).await;
        customer.wait_for_event("Passed on to Front line").await;
        customer.page.look("messenger-3-handed-over").await;
        teammate.find_in_queue(PERSON).await;
        teammate.page.look("inbox-2-queue").await;
        teammate.open_first().await;
        teammate.page.look("inbox-3-opened").await;
        teammate.claim().await;
        customer.ask(MORE).await;
        teammate.read_customer(MORE).await;
        teammate.read_draft().await;
        teammate.page.look("inbox-3-draft").await;
        teammate.read_reasons().await;
        teammate.page.look("inbox-3-reasons").await;
        teammate.reply(REPLY).await;
        customer.read_reply("end of next week").await;
        customer.page.look("messenger-4-teammate").await;

        desk.kill();
        customer.ask(OFFLINE).await;
        customer.wait_for_offline().await;
        customer.page.look("messenger-5-offline").await;
        desk.restart();
        customer.wait_until_delivered().await;
        teammate.read_customer(OFFLINE).await;

        teammate.close().await;
        customer.page.look("messenger-6-rating").await;
        customer.rate(5, "Lena was quick").await;
        customer.page.look("messenger-7-rated").await;
        teammate.page.look("inbox-4-closed").await;
        teammate.look_around().await;
        check_store(&desk).await;
    }

    /// Everything was said once and in order, and the rating is kept.
    async fn check_store(desk: &Desk) {
        let store = desk.open_store().await;
        let all = store::Page { before: None, limit: 10 };
        let customers = store.customers(None, &all).await.unwrap();
        assert_eq!(customers.len(), 1, "{customers:?}");
        let conversations = store.conversations_of(customers[0].id, 10).await.unwrap();
        assert_eq!(conversations.len(), 1, "{conversations:?}");
        let conversation = conversations[0].id;
        let timeline = store.timeline(conversation, 0, 1_000).await.unwrap();
        let said = timeline.iter().filter_map(|entry| match &entry.content {
            Content::Customer { text, .. } => Some(text.as_str()),
            _ => None,
        });
        assert_eq!(said.collect::<Vec<_>>(), [QUESTION, FOLLOW_UP, PERSON, MORE, OFFLINE]);
        let outcomes = store.outcomes(conversation).await.unwrap();
        let rating = outcomes.iter().find(|(_, _, it)| it.kind == OutcomeKind::Rated(5));
        let (_, _, rating) = rating.expect("the rating is in the store");
        assert_eq!(rating.comment.as_deref(), Some("Lena was quick"));
        store.close().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_line_of_the_readme_puts_the_messenger_into_a_page_of_ones_own() {
        let Some(driver) = Driver::start() else { return };
        let desk = Desk::start();
        let page = driver.open(Screen::Desktop).await;
        let customer = Customer::arrive_at(page, &desk.page_by_the_readme()).await;
        customer.open_by_keyboard().await;
        customer.ask(QUESTION).await;
        let answer = customer.read_answer(1).await;
        assert!(answer.contains("Your free trial"), "{answer}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_customer_and_a_teammate_meet_on_a_desktop() {
        meet(Screen::Desktop).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_customer_and_a_teammate_meet_on_phones() {
        meet(Screen::Phone).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_pages_of_admins_can_be_used_by_everybody() {
        let Some(driver) = Driver::start() else { return };
        let desk = Desk::start();
        desk.with_admin();
        for screen in [Screen::Desktop, Screen::Phone] {
            let admin = Teammate::arrive_as(driver.open(screen).await, &desk, ADMIN).await;
            admin.administrate().await;
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_comes_from_elsewhere_neither_acts_nor_signs_in() {
        let Some(driver) = Driver::start() else { return };
        let desk = Desk::start();
        let page = driver.open(Screen::Desktop).await;
        foreign::hostile_lines_stay_words(&page, &desk).await;
        foreign::a_late_welcome_signs_nobody_in_again(&page, &desk).await;
        foreign::two_tabs_are_one_visitor(&page, &desk).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_report_of_an_eval_is_read_on_a_desktop_and_on_a_phone() {
        let Some(driver) = Driver::start() else { return };
        let run = report::Evaluated::twice();
        for screen in [Screen::Desktop, Screen::Phone] {
            let page = driver.open(screen).await;
            report::reads_well(&page, &run.report(), "report", 2).await;
            report::opens_by_keyboard(&page).await;
            report::reads_well(&page, &run.comparison(), "comparison", 0).await;
        }
    }
}
