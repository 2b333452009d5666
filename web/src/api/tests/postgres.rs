//! The API's stories once more, on PostgreSQL.

use super::*;
use ::tests::postgres::Server;

#[tokio::test]
async fn the_stories_are_the_same_on_postgresql() {
    let Some(server) = Server::start() else { return };
    let place = |name: &str| Place { database: Some(server.database(name)) };
    let api = async |name: &str| Api::at(&place(name)).await;
    journey::answered_and_handed_over(&api("answered").await).await;
    journey::tagged_and_closed(&api("tagged").await).await;
    journey::rated(&api("rated").await).await;
    journey::listed(&api("listed").await).await;
    journey::unchanged(&api("unchanged").await).await;
    journey::done_once(&api("once").await).await;
    journey::done_once_at_once(&api("at_once").await).await;
    people::known(&api("known").await).await;
    people::erased(&api("erased").await).await;
    hostile::named_beyond_bounds(&api("named").await).await;
    posted::told_in_order(&place("told")).await;
}
