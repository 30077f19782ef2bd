//! What happens in a step, and in which order.

use rand::Rng;
use serde::{Deserialize, Serialize};

/// An event of the current step: a site, and whether its cell dies or tries to divide.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Event(u32);

impl Event {
    pub(super) fn new(site: u32, death: bool) -> Self {
        Self(site << 1 | u32::from(death))
    }

    pub(super) fn site(self) -> u32 {
        self.0 >> 1
    }

    pub(super) fn is_death(self) -> bool {
        self.0 & 1 == 1
    }
}

/// A uniform number below `n`, and an independent uniform number in [0, 1), from one word. The
/// bias is below n / 2^64.
#[inline]
pub(super) fn below<R: Rng>(rng: &mut R, n: u64) -> (u64, f64) {
    let product = u128::from(rng.next_u64()) * u128::from(n);
    // 2^-53
    ((product >> 64) as u64, (product as u64 >> 11) as f64 * 1.110_223_024_625_156_5e-16)
}

/// Fisher and Yates, two exchanges a word while the bias stays below 2^-24.
pub(super) fn shuffle<R: Rng>(rng: &mut R, events: &mut [Event]) {
    let mut left = events.len();
    while left > 1 {
        let product = u128::from(rng.next_u64()) * left as u128;
        left -= 1;
        events.swap(left, (product >> 64) as usize);
        if (2..1 << 20).contains(&left) {
            let product = u128::from(product as u64) * left as u128;
            left -= 1;
            events.swap(left, (product >> 64) as usize);
        }
    }
}
