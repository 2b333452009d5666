//! What goes wrong, and when.

use rand_chacha::{ChaCha8Rng, rand_core::RngCore, rand_core::SeedableRng};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// What goes wrong, as shares from 0 to 1 of what could. The default is that nothing does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Requests to be let in within 10 seconds of the clock; the others are answered with 429.
    pub rate_per_10s: Option<u32>,
    /// Requests that are answered with 500, 502, 503 or 504 and have no effect.
    pub failing: f64,
    /// How many requests fail after one that did.
    pub burst: u32,
    /// Requests that have their effect and are answered with 502 or 504.
    pub failing_after: f64,
    /// Requests whose connection ends before they have an effect.
    pub lost_requests: f64,
    /// Requests whose connection ends after they had their effect.
    pub lost_answers: f64,
    /// Requests that are answered late, after they had their effect.
    pub slow: f64,
    /// How late.
    pub slow_ms: u64,
    /// Where only requests suffer of which `METHOD /path` contains this.
    pub only: Option<String>,
    /// What goes wrong with webhooks.
    pub webhooks: WebhookFaults,
}

/// What goes wrong with webhooks, as shares of the notifications.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookFaults {
    /// Never sent.
    pub dropped: f64,
    /// Sent twice, with the same id.
    pub duplicated: f64,
    /// Sent after later ones.
    pub reordered: f64,
    /// Sent late.
    pub delayed: f64,
    /// How late.
    pub delay_ms: u64,
}

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mishap {
    /// The connection ends before the effect.
    LostRequest,
    /// The connection ends after the effect.
    LostAnswer,
    /// This status is answered and nothing happens.
    Failing(u16),
    /// This status is answered although the effect is there.
    FailingAfter(u16),
    /// The answer comes after these milliseconds; the effect is there at once.
    Slow(u64),
    /// 504 is answered, and the effect comes these seconds later.
    LateEffect(i64),
}

/// Draws what happens. The same seed draws the same for the same requests in the same order.
pub(crate) struct Dice {
    pub(crate) faults: Faults,
    random: ChaCha8Rng,
    /// Mishaps that wait for the first request that each of them fits.
    pub(crate) waiting: VecDeque<(String, Mishap)>,
    n_to_fail: u32,
    window: (i64, u32),
}

/// Where a window of rates stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    /// Seconds.
    pub(crate) reset: i64,
    pub(crate) exceeded: bool,
}

/// What Intercom lets through by default: 10,000 requests a minute, spread evenly.
const RATE_PER_10S: u32 = 1_667;

/// What may be answered instead.
const STATUSES: [u16; 4] = [500, 502, 503, 504];

impl Dice {
    pub(crate) fn new(faults: Faults, seed: u64) -> Self {
        Self {
            faults,
            random: ChaCha8Rng::seed_from_u64(seed),
            waiting: VecDeque::new(),
            n_to_fail: 0,
            window: (0, 0),
        }
    }

    /// Says whether something of this share happens.
    pub(crate) fn falls(&mut self, share: f64) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let drawn = (self.random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        drawn < share
    }

    /// Draws 16 bytes, for ids.
    pub(crate) fn bytes(&mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.random.fill_bytes(&mut bytes);
        bytes
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.random.next_u64() % (bound as u64)).unwrap_or_default()
    }

    /// Counts a request in its window. The windows begin at the tens of seconds.
    pub(crate) fn count(&mut self, now: i64) -> Rate {
        let begins = now - now.rem_euclid(10);
        if self.window.0 != begins {
            self.window = (begins, 0);
        }
        let limit = self.faults.rate_per_10s.unwrap_or(RATE_PER_10S);
        let exceeded = self.faults.rate_per_10s.is_some() && self.window.1 >= limit;
        if !exceeded {
            self.window.1 += 1;
        }
        let remaining = limit.saturating_sub(self.window.1);
        Rate { limit, remaining, reset: begins + 10, exceeded }
    }

    /// Draws what happens to a request, which is `METHOD /path`.
    pub(crate) fn draw(&mut self, request: &str) -> Option<Mishap> {
        let fits = |(part, _): &(String, Mishap)| request.contains(part.as_str());
        if let Some(place) = self.waiting.iter().position(fits) {
            return self.waiting.remove(place).map(|(_, mishap)| mishap);
        }
        if self.faults.only.as_ref().is_some_and(|only| !request.contains(only.as_str())) {
            return None;
        }
        if self.n_to_fail > 0 {
            self.n_to_fail -= 1;
            return Some(Mishap::Failing(STATUSES[self.below(STATUSES.len())]));
        }
        let faults = self.faults.clone();
        if self.falls(faults.failing) {
            self.n_to_fail = faults.burst;
            return Some(Mishap::Failing(STATUSES[self.below(STATUSES.len())]));
        }
        if self.falls(faults.lost_requests) {
            return Some(Mishap::LostRequest);
        }
        if self.falls(faults.lost_answers) {
            return Some(Mishap::LostAnswer);
        }
        if self.falls(faults.failing_after) {
            return Some(Mishap::FailingAfter([502, 504][self.below(2)]));
        }
        self.falls(faults.slow).then_some(Mishap::Slow(faults.slow_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::{Dice, Faults, Mishap};

    fn drawn(faults: &Faults, seed: u64) -> Vec<Option<Mishap>> {
        let mut dice = Dice::new(faults.clone(), seed);
        (0..1000).map(|_| dice.draw("POST /conversations/1/reply")).collect()
    }

    #[test]
    fn the_same_seed_draws_the_same_and_shares_are_kept() {
        let faults = Faults { lost_answers: 0.1, failing: 0.05, ..Faults::default() };
        assert_eq!(drawn(&faults, 7), drawn(&faults, 7));
        assert_ne!(drawn(&faults, 7), drawn(&faults, 8));
        let lost = drawn(&faults, 7).into_iter().filter(|one| *one == Some(Mishap::LostAnswer));
        let n_lost = lost.count();
        assert!((60..140).contains(&n_lost), "{n_lost} of 1000");
    }

    #[test]
    fn bursts_follow_a_failure_and_others_are_spared() {
        let faults = Faults { failing: 0.01, burst: 5, ..Faults::default() };
        let failed: Vec<bool> = drawn(&faults, 7).iter().map(Option::is_some).collect();
        let first = failed.iter().position(|failed| *failed).unwrap();
        assert_eq!(failed[first..first + 6], [true; 6]);
        let only = Some("GET /articles".to_string());
        let elsewhere = Faults { failing: 1.0, only, ..Faults::default() };
        assert!(drawn(&elsewhere, 7).iter().all(Option::is_none));
    }
}
