use super::*;
use proptest::prelude::*;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

const NOW: i64 = 1_795_341_600;

/// A budget, and the hand of its clock in seconds.
fn budget() -> (LocalBudget, Arc<AtomicI64>) {
    let hand = Arc::new(AtomicI64::new(NOW));
    let shown = hand.clone();
    let clock: Clock =
        Arc::new(move || Timestamp::from_second(shown.load(Ordering::SeqCst)).unwrap());
    (LocalBudget::new(clock), hand)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOW + seconds).unwrap()
}

fn seen(limit: u64, remaining: u64, reset: i64) -> WindowSeen {
    let reset = Some(at(reset));
    WindowSeen { limit: Some(limit), remaining: Some(remaining), reset, refused: false }
}

/// Takes until nothing is left for a class.
async fn take_all(budget: &LocalBudget, class: Class) -> u64 {
    let mut n_taken = 0;
    while budget.take(class).await.is_ok() {
        n_taken += 1;
    }
    n_taken
}

#[tokio::test]
async fn each_class_leaves_its_share_to_those_before_it() {
    let (budget, _) = budget();
    budget.heard(seen(100, 100, 10)).await;
    assert_eq!(take_all(&budget, Class::Background).await, 50);
    assert_eq!(take_all(&budget, Class::Context).await, 25);
    assert_eq!(take_all(&budget, Class::Customer).await, 25);
    assert_eq!(budget.take(Class::Customer).await, Err(Wait { until: at(10) }));
}

#[tokio::test]
async fn a_new_window_has_the_whole_limit_again() {
    let (budget, hand) = budget();
    budget.heard(seen(100, 3, 7)).await;
    assert_eq!(take_all(&budget, Class::Customer).await, 3);
    hand.store(NOW + 7, Ordering::SeqCst);
    assert_eq!(take_all(&budget, Class::Customer).await, 100);
    assert_eq!(budget.take(Class::Customer).await, Err(Wait { until: at(17) }));
    hand.store(NOW + 40, Ordering::SeqCst);
    assert_eq!(take_all(&budget, Class::Customer).await, 100);
    assert_eq!(budget.take(Class::Customer).await, Err(Wait { until: at(47) }));
}

#[tokio::test]
async fn calls_on_their_way_are_not_given_back_by_an_older_answer() {
    let (budget, _) = budget();
    budget.heard(seen(100, 100, 10)).await;
    for _ in 0..60 {
        budget.take(Class::Customer).await.unwrap();
    }
    budget.heard(seen(100, 90, 10)).await;
    assert_eq!(take_all(&budget, Class::Customer).await, 40);
}

#[tokio::test]
async fn others_who_use_the_same_window_are_noticed() {
    let (budget, _) = budget();
    budget.heard(seen(100, 100, 10)).await;
    budget.heard(seen(100, 20, 10)).await;
    assert_eq!(take_all(&budget, Class::Context).await, 0);
    assert_eq!(take_all(&budget, Class::Customer).await, 20);
}

#[tokio::test]
async fn a_refused_call_stops_everybody_until_the_reset() {
    let (budget, hand) = budget();
    budget.heard(WindowSeen { refused: true, reset: Some(at(4)), ..WindowSeen::default() }).await;
    assert_eq!(budget.take(Class::Customer).await, Err(Wait { until: at(4) }));
    hand.store(NOW + 4, Ordering::SeqCst);
    assert_eq!(budget.take(Class::Customer).await, Ok(()));
}

#[tokio::test]
async fn a_refusal_without_figures_or_with_a_wrong_clock_waits_a_window_and_no_age() {
    let (budget, _) = budget();
    let refused = WindowSeen { refused: true, ..WindowSeen::default() };
    budget.heard(refused).await;
    assert_eq!(budget.take(Class::Customer).await, Err(Wait { until: at(10) }));
    budget.heard(WindowSeen { reset: Some(at(-300)), ..refused }).await;
    assert_eq!(budget.take(Class::Customer).await, Err(Wait { until: at(10) }));
    budget.heard(WindowSeen { reset: Some(at(86_400)), ..refused }).await;
    assert_eq!(budget.take(Class::Customer).await, Err(Wait { until: at(60) }));
}

#[tokio::test]
async fn an_answer_without_figures_changes_nothing() {
    let (budget, _) = budget();
    budget.take(Class::Customer).await.unwrap();
    budget.heard(WindowSeen::default()).await;
    assert_eq!(take_all(&budget, Class::Customer).await, FIRST_LIMIT - 1);
}

#[tokio::test]
async fn an_answer_of_the_window_before_takes_nothing_from_this_one() {
    let (budget, hand) = budget();
    budget.heard(seen(100, 5, 7)).await;
    hand.store(NOW + 8, Ordering::SeqCst);
    budget.take(Class::Customer).await.unwrap();
    budget.heard(seen(100, 0, 7)).await;
    assert_eq!(take_all(&budget, Class::Customer).await, 99);
}

/// An Intercom that counts in windows that began some time before we did.
struct Vendor {
    limit: u64,
    offset_ms: i64,
    window: i64,
    n_taken: u64,
}

impl Vendor {
    fn answer(&mut self, now_ms: i64) -> WindowSeen {
        let window = (now_ms + self.offset_ms).div_euclid(10_000);
        if window != self.window {
            (self.window, self.n_taken) = (window, 0);
        }
        let refused = self.n_taken >= self.limit;
        self.n_taken += u64::from(!refused);
        let reset_ms = (window + 1) * 10_000 - self.offset_ms;
        WindowSeen {
            limit: Some(self.limit),
            remaining: Some(self.limit - self.n_taken),
            reset: Some(Timestamp::from_millisecond(reset_ms).unwrap()),
            refused,
        }
    }
}

/// A call that is wanted: ms after the one before, its class, and ms until its answer is heard.
fn call() -> impl Strategy<Value = (i64, Class, i64)> {
    let class = prop_oneof![Just(Class::Customer), Just(Class::Context), Just(Class::Background)];
    (0..400_i64, class, 0..4_000_i64)
}

proptest! {
    #[test]
    fn one_process_is_never_refused_and_the_lesser_classes_leave_their_share(
        calls in proptest::collection::vec(call(), 1..400),
        offset_s in 0..10_i64,
        limit in 8..60_u64,
    ) {
        let hand = Arc::new(AtomicI64::new(NOW * 1_000));
        let shown = hand.clone();
        let clock: Clock =
            Arc::new(move || Timestamp::from_millisecond(shown.load(Ordering::SeqCst)).unwrap());
        let budget = LocalBudget::new(clock);
        let mut vendor = Vendor { limit, offset_ms: offset_s * 1_000, window: 0, n_taken: 0 };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            // How many calls there are is known after the first answer.
            budget.take(Class::Customer).await.unwrap();
            budget.heard(vendor.answer(NOW * 1_000)).await;
            let mut on_their_way: Vec<(i64, WindowSeen)> = vec![];
            for (pause, class, latency) in calls {
                let now = hand.fetch_add(pause, Ordering::SeqCst) + pause;
                let (heard, later): (Vec<_>, Vec<_>) =
                    on_their_way.into_iter().partition(|(at, _)| *at <= now);
                on_their_way = later;
                for (_, seen) in heard {
                    budget.heard(seen).await;
                }
                if budget.take(class).await.is_ok() {
                    let seen = vendor.answer(now);
                    prop_assert!(!seen.refused);
                    prop_assert!(seen.remaining.unwrap() >= class.leaves(limit));
                    on_their_way.push((now + latency, seen));
                }
            }
            Ok(())
        })?;
    }
}
