//! Conversations in an Intercom where everything goes wrong: requests and answers get lost, the rate
//! is used up, webhooks come twice, late or never, and the server is killed again and again.
//! Afterwards every word is here once, nothing was said twice there, and every handoff is complete.
//!
//! `FRONTDESK_SOAK=5000 cargo test --package frontdesk --test soak` holds so many conversations.

#[cfg(test)]
mod customers;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod verdict;

#[cfg(test)]
mod tests {
    use crate::{customers::Customers, desk::Desk, verdict::judge};
    use std::time::{Duration, Instant};
    use store::Store;

    /// Conversations unless whoever builds this says otherwise.
    const CONVERSATIONS: usize = 120;

    /// How often the server is killed at least.
    const KILLS: usize = 5;

    fn n_conversations() -> usize {
        option_env!("FRONTDESK_SOAK").and_then(|n| n.parse().ok()).unwrap_or(CONVERSATIONS)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_is_lost_or_doubled_between_the_desk_and_intercom() {
        let started = Instant::now();
        let n = n_conversations();
        let desk = Desk::open().await;
        let mut server = desk.serve();
        desk.hear_at(server.address());
        desk.go_wrong();
        let customers = Customers::write(n, &desk);
        let (mut n_kills, mut longest) = (0, Duration::ZERO);
        let pause_ms = if n > 1_000 { 9_000 } else { 2_500 };
        while n_kills < KILLS || !customers.are_done() {
            let jitter = u64::from(std::process::id()).wrapping_mul(n_kills as u64 + 7) % pause_ms;
            tokio::time::sleep(Duration::from_millis(pause_ms / 2 + jitter)).await;
            let killed = Instant::now();
            server.restart();
            (n_kills, longest) = (n_kills + 1, longest.max(killed.elapsed()));
        }
        let held = customers.held().await;
        let held_after = started.elapsed();
        let figures =
            judge(&Store::open(&desk.store()).await.unwrap(), &desk.intercom, &held).await;
        desk.report(&format!(
            "{n} conversations held in {:.0} s and at rest after {:.0} s; {n_kills} kills, the \
             longest restart took {:.1} s; {figures}",
            held_after.as_secs_f64(),
            started.elapsed().as_secs_f64(),
            longest.as_secs_f64(),
        ));
    }
}
