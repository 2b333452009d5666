//! Conversations under fire: customers keep writing while the server is killed again and again, and
//! afterwards every message is there once, in order, and every conversation is answered or owned.

#[cfg(test)]
mod crowd;
#[cfg(test)]
mod node;
#[cfg(test)]
mod verdict;

#[cfg(test)]
mod tests {
    use crate::{
        crowd::Crowd,
        node::{Desk, url},
        verdict::judge,
    };
    use std::time::Duration;
    use store::Store;
    use tests::{postgres::Server, program::Serving};

    const CONVERSATIONS: usize = 2_000;
    const KILLS: usize = 30;

    /// Kills the nodes by turns, at moments that differ from run to run, until all is sent and they
    /// were killed often enough; `between` hears the number of each kill.
    async fn kill(nodes: &mut [Serving], crowd: &Crowd, mut between: impl FnMut(usize)) {
        let mut n_kills = 0;
        while n_kills < KILLS || !crowd.is_done() {
            let jitter = u64::from(std::process::id()).wrapping_mul(n_kills as u64 + 7) % 900;
            tokio::time::sleep(Duration::from_millis(100 + jitter)).await;
            let turn = n_kills % nodes.len();
            if n_kills < KILLS {
                nodes[turn].restart();
                n_kills += 1;
                between(n_kills);
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_is_lost_or_doubled_when_the_server_is_killed() {
        let desk = Desk::new(None);
        let mut nodes = [desk.serve()];
        let crowd = Crowd::write(CONVERSATIONS, vec![url(&nodes[0])]);
        kill(&mut nodes, &crowd, |_| {}).await;
        let sent = crowd.sent().await;
        judge(&Store::open(&desk.store()).await.unwrap(), &sent).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nor_with_two_nodes_whose_database_is_killed_as_well() {
        let Some(server) = Server::start() else { return };
        let desk = Desk::new(Some(server.database("killing")));
        let mut nodes = [desk.serve(), desk.serve()];
        let crowd = Crowd::write(CONVERSATIONS, nodes.iter().map(url).collect());
        kill(&mut nodes, &crowd, |n| {
            if n % 10 == 0 {
                server.restart();
            }
        })
        .await;
        let sent = crowd.sent().await;
        judge(&Store::open(&desk.store()).await.unwrap(), &sent).await;
    }
}
