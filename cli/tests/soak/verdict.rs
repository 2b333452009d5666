use crate::{
    customers::{Course, Held, PLEA, QUESTION},
    desk::now,
};
use intercom::text::{from_markdown, to_text};
use router::Owner;
use std::time::Duration;
use store::{Content, Entry, Page, Post, PostState, Record, Store};
use tests::intercom::{Conversation, Part, StandIn};

/// Waits until everything has come to rest, then looks at each conversation on both sides. Returns
/// figures.
pub(crate) async fn judge(store: &Store, intercom: &StandIn, held: &[Held]) -> String {
    let posts = at_rest(store, held).await;
    let (mut n_again, mut n_cancelled, mut n_found) = (0, 0, 0);
    for post in &posts {
        assert_ne!(post.state, PostState::Failed, "{post:#?}");
        n_again += usize::from(post.n_attempts > 1);
        n_cancelled += usize::from(post.state == PostState::Cancelled);
        n_found += usize::from(post.last_result.as_deref() == Some("had arrived before"));
    }
    let mut n_silent = 0;
    for held in held {
        let there = intercom.conversation(&held.id).unwrap();
        let record = store.conversation_named("intercom", &held.id).await.unwrap();
        let record = record.expect("it is known here");
        let timeline = store.timeline(record.id, 0, 1_000).await.unwrap();
        let of_it: Vec<&Post> =
            posts.iter().filter(|post| post.conversation == record.id).collect();
        check(held, (&record, &timeline, &of_it), &there);
        n_silent +=
            usize::from(held.course == Course::Overtaken && there.through_the_api().is_empty());
    }
    format!(
        "{} posts, of which {n_again} took several attempts, {n_found} were found to have arrived \
         before and {n_cancelled} were not wanted any more; in {n_silent} conversations a teammate \
         was quicker",
        posts.len()
    )
}

/// Waits until no turn, post or errand is due; returns the posts.
async fn at_rest(store: &Store, held: &[Held]) -> Vec<Post> {
    for _ in 0..1_800 {
        let posts = posts(store).await;
        let mut waits = posts.iter().any(|post| post.state == PostState::Pending);
        waits |= store.workload(now()).await.unwrap().turns_due > 0;
        for held in held {
            if waits {
                break;
            }
            let record = store.conversation_named("intercom", &held.id).await.unwrap();
            // Both messages have come, whatever became of their webhooks.
            waits |= record.is_none_or(|record| record.state.episode().turns < turns(held.course));
        }
        if !waits {
            return posts;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("it does not come to rest");
}

/// The customer's messages in the last episode.
fn turns(course: Course) -> u32 {
    if course == Course::Reopened { 1 } else { 2 }
}

async fn posts(store: &Store) -> Vec<Post> {
    let (mut all, mut before): (Vec<Post>, Option<String>) = (Vec::new(), None);
    loop {
        let page = Page { before: before.clone(), limit: 1_000 };
        let posts = store.posts(None, &page).await.unwrap();
        before = posts.last().map(|post| post.id.to_string());
        all.extend(posts);
        if before.is_none() {
            return all;
        }
    }
}

fn check(
    held: &Held,
    (record, timeline, posts): (&Record, &[Entry], &[&Post]),
    there: &Conversation,
) {
    let all = || format!("{held:?}\n{timeline:#?}\n{posts:#?}\n{:#?}", there.parts);
    let asked = timeline.iter().filter_map(|entry| match &entry.content {
        Content::Customer { text, .. } => Some(text.as_str()),
        _ => None,
    });
    assert_eq!(asked.collect::<Vec<_>>(), [QUESTION, PLEA], "each once, in order: {}", all());
    let ours = there.through_the_api();
    // What was sent here stands there, once, in order, and nothing else does.
    for (kind, part_type) in [("reply", "comment"), ("note", "note")] {
        let of_kind =
            posts.iter().filter(|post| post.kind == kind && post.state == PostState::Sent);
        let mut sent: Vec<&&Post> = of_kind.collect();
        sent.sort_by_key(|post| post.id);
        let stands: Vec<&&Part> = ours.iter().filter(|part| part.part_type == part_type).collect();
        assert_eq!(sent.len(), stands.len(), "{kind}: {}", all());
        for (post, part) in sent.iter().zip(&stands) {
            let said = words(&from_markdown(post.body["text"].as_str().unwrap_or_default()));
            let reads = words(part.body.as_deref().unwrap_or_default());
            assert!(reads.starts_with(&said), "{kind}: {}", all());
        }
    }
    let place = |part_type: &str| ours.iter().rposition(|part| part.part_type == part_type);
    if held.course == Course::Overtaken {
        let by_hand = there.parts.iter().position(|part| part.app_package_code.is_none());
        let spoke = there
            .parts
            .iter()
            .rposition(|part| part.app_package_code.is_some() && part.part_type == "comment");
        assert!(spoke < by_hand, "the bot speaks after a teammate: {}", all());
        assert!(
            matches!(record.state.owner(), Owner::Teammate { by_person: true, .. }),
            "{}",
            all()
        );
        return;
    }
    assert!(matches!(record.state.owner(), Owner::Team(_)), "{}", all());
    assert!(place("note") < place("assignment"), "the note lies there first: {}", all());
    assert!(place("assignment") < place("comment"), "told after it is given: {}", all());
    assert_eq!(ours.iter().filter(|part| part.part_type == "note").count(), 1, "{}", all());
    // One that could not be set for a while comes after the others.
    let mut tags = there.tag_names();
    tags.sort_unstable();
    assert_eq!(tags, ["priority: high", "wants-person"], "{}", all());
}

fn words(html: &str) -> Vec<String> {
    to_text(html).split_whitespace().map(str::to_string).collect()
}
