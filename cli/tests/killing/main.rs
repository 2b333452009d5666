//! Conversations under fire: customers keep writing and reading while the server is killed again and
//! again, and another system is told of every message. Afterwards every message is there once, in
//! order, and every conversation is answered or owned; the customers' streams have brought each line
//! once, and the other system has heard of each message, in order, at least once.
//!
//! The moments of the kills come from a seed, which is printed;
//! `FRONTDESK_KILLING_SEED=7 cargo test --package frontdesk --test killing` takes another.

#[cfg(test)]
mod crowd;
#[cfg(test)]
mod node;
#[cfg(test)]
mod sink;
#[cfg(test)]
mod stream;
#[cfg(test)]
mod verdict;

#[cfg(test)]
mod tests {
    use crate::{
        crowd::Crowd,
        node::{Desk, ready, url},
        sink::Sink,
        verdict::Evidence,
    };
    use rand_chacha::{
        ChaCha8Rng,
        rand_core::{RngCore, SeedableRng},
    };
    use std::{
        hash::{BuildHasher, RandomState},
        io::Write,
        time::{Duration, Instant},
    };
    use store::Store;
    use tests::{postgres::Server, program::Serving};

    const CONVERSATIONS: usize = 2_000;
    const KILLS: usize = 30;

    /// Shortest time between a start and the next kill, and how much longer it is at most, in ms.
    const BETWEEN_MS: (u64, u64) = (50, 950);

    fn seed() -> u64 {
        let named = option_env!("FRONTDESK_KILLING_SEED").and_then(|seed| seed.parse().ok());
        named.unwrap_or_else(|| RandomState::new().hash_one("kills") % 1_000_000)
    }

    /// Prints past the test harness, which would keep what a passing test prints.
    fn say(what: &str) {
        let _ = writeln!(std::io::stderr(), "{what}");
    }

    /// Kills the nodes by turns, at random moments and while customers are in the middle of their
    /// conversations; `between` hears the number of each kill.
    async fn kill(
        nodes: &mut [Serving],
        crowd: &Crowd,
        seed: u64,
        mut between: impl FnMut(usize),
    ) -> usize {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut n_amid = 0;
        for n_kills in 0..KILLS {
            let pause = BETWEEN_MS.0 + random.next_u64() % BETWEEN_MS.1;
            tokio::time::sleep(Duration::from_millis(pause)).await;
            n_amid += usize::from(crowd.n_there() > 0);
            let turn = n_kills % nodes.len();
            tokio::task::block_in_place(|| {
                assert!(
                    nodes[turn].is_running(),
                    "node {turn} ended by itself before kill {n_kills}"
                );
                nodes[turn].restart();
                between(n_kills + 1);
            });
        }
        crowd.no_more_come();
        n_amid
    }

    /// Has customers write to the nodes of a desk while these are killed, and judges what came of it.
    async fn under_fire(
        desk: &Desk,
        nodes: &mut [Serving],
        sink: &Sink,
        (seed, between): (u64, impl FnMut(usize)),
    ) {
        for node in nodes.iter() {
            ready(node).await;
        }
        let began = Instant::now();
        let crowd = Crowd::write(CONVERSATIONS, nodes.iter().map(url).collect());
        let n_amid = kill(nodes, &crowd, seed, between).await;
        let (killed_s, n_broken) = (began.elapsed().as_secs_f64(), crowd.n_broken());
        assert!(n_amid >= KILLS, "{n_amid} kills met customers who were writing");
        assert!(n_broken >= KILLS, "{n_broken} requests and streams broke off");
        let held = crowd.held().await;
        let held_s = began.elapsed().as_secs_f64();
        let store = Store::open(&desk.store()).await.unwrap();
        let address = url(&nodes[0]);
        Evidence { store, address, held: &held, sink }.judge().await;
        assert!(
            nodes.iter_mut().all(Serving::is_running),
            "a node ended by itself after the kills"
        );
        assert!(held.len() >= CONVERSATIONS);
        let (n_held, n_heard) = (held.len(), sink.heard().len());
        let judged_s = began.elapsed().as_secs_f64();
        say(&format!(
            "{n_amid} kills in {killed_s:.0} s while customers wrote (seed {seed}), {n_broken} \
             requests and streams broke off; {n_held} conversations held after {held_s:.0} s and \
             judged after {judged_s:.0} s; {n_heard} posts taken by the other system"
        ));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_is_lost_or_doubled_when_the_server_is_killed() {
        let seed = seed();
        say(&format!("kills at the moments of seed {seed}"));
        let sink = Sink::open(seed).await;
        let mut desk = Desk::new(None, sink.url());
        let mut nodes = [desk.serve()];
        under_fire(&desk, &mut nodes, &sink, (seed, |_| {})).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nor_with_two_nodes_whose_database_is_killed_as_well() {
        let Some(server) = Server::start() else { return };
        let seed = seed();
        say(&format!("kills at the moments of seed {seed}"));
        let sink = Sink::open(seed).await;
        let mut desk = Desk::new(Some(server.database("killing")), sink.url());
        let mut nodes = [desk.serve(), desk.serve()];
        let restart = |n: usize| {
            if n.is_multiple_of(10) {
                server.restart();
            }
        };
        under_fire(&desk, &mut nodes, &sink, (seed, restart)).await;
    }
}
