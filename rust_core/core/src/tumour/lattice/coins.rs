//! Independent coins for up to 64 cells at once.

use crate::random::exponential;
use rand::Rng;

/// Below this probability it is cheaper to draw the gaps between heads.
const RARE: f64 = 1.0 / 32.0;

/// Coins that show heads with one probability.
pub(super) enum Coins {
    /// Probability 0.
    Never,
    /// Rare heads: cells left to pass before the next one (the law of the gaps is geometric).
    Gaps { left: u64, scale: f64 },
    /// Frequent heads: the binary digits of 64 uniform numbers are compared with those of the
    /// probability, a digit of all 64 at a time, until all are decided.
    Digits { probability: u64 },
}

impl Coins {
    pub(super) fn new<R: Rng>(rng: &mut R, probability: f64) -> Self {
        if probability <= 0.0 {
            return Self::Never;
        }
        if probability < RARE {
            let scale = -1.0 / libm::log1p(-probability);
            return Self::Gaps { left: gap(rng, scale), scale };
        }
        // 2^64: the product is exact up to one part in 2^64.
        Self::Digits { probability: (probability * 18_446_744_073_709_551_616.0) as u64 }
    }

    /// Which of `cells` show heads.
    #[inline]
    pub(super) fn toss<R: Rng>(&mut self, rng: &mut R, cells: u64) -> u64 {
        match self {
            Self::Never => 0,
            Self::Gaps { left, scale } => {
                let tossed = u64::from(cells.count_ones());
                let mut heads = 0;
                while *left < tossed {
                    heads |= nth(cells, *left);
                    *left += 1 + gap(rng, *scale);
                }
                *left -= tossed;
                heads
            }
            Self::Digits { probability } => {
                let (mut undecided, mut heads) = (cells, 0);
                let mut digits = *probability;
                while undecided != 0 && digits != 0 {
                    let drawn = rng.next_u64();
                    if digits >> 63 == 1 {
                        heads |= undecided & !drawn;
                        undecided &= drawn;
                    } else {
                        undecided &= !drawn;
                    }
                    digits <<= 1;
                }
                heads
            }
        }
    }
}

fn gap<R: Rng>(rng: &mut R, scale: f64) -> u64 {
    (exponential(rng) * scale) as u64
}

/// The `n`-th set bit, alone.
fn nth(mut word: u64, n: u64) -> u64 {
    for _ in 0..n {
        word &= word - 1;
    }
    word & word.wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, stream};

    #[test]
    fn every_coin_has_its_probability_and_no_other_cell_is_touched() {
        let rng = &mut stream(5, 0, Purpose::Replicate, 0);
        let cells = 0xF0F0_1234_8000_0001;
        for probability in [0.0, 0.004, 0.03, 0.04, 0.27, 0.5] {
            let mut coins = Coins::new(rng, probability);
            let mut seen = [0u32; 64];
            let tosses = 100_000;
            for _ in 0..tosses {
                let heads = coins.toss(rng, cells);
                assert_eq!(heads & !cells, 0);
                for (bit, count) in seen.iter_mut().enumerate() {
                    *count += (heads >> bit & 1) as u32;
                }
            }
            let sd = (f64::from(tosses) * probability * (1.0 - probability)).sqrt();
            for (bit, count) in seen.into_iter().enumerate() {
                let expected = if cells >> bit & 1 == 1 { f64::from(tosses) * probability } else { 0.0 };
                let found = f64::from(count);
                assert!((found - expected).abs() <= 4.9 * sd, "{probability} {bit}: {found} {expected}");
            }
        }
    }

    #[test]
    fn coins_of_one_toss_are_independent() {
        // The number of heads among 8 cells is binomial: chi-square over 0..=5 and more.
        let rng = &mut stream(6, 0, Purpose::Replicate, 0);
        let cells = 0x8100_2400_0018_0201;
        for p in [0.02f64, 0.3] {
            let mut coins = Coins::new(rng, p);
            let tosses = 200_000;
            let mut seen = [0.0; 9];
            for _ in 0..tosses {
                seen[coins.toss(rng, cells).count_ones() as usize] += 1.0;
            }
            let (mut chi, mut choose) = (0.0, 1.0);
            for k in 0..=8 {
                let mass = choose * libm::pow(p, f64::from(k)) * libm::pow(1.0 - p, f64::from(8 - k));
                let expected = f64::from(tosses) * mass;
                choose *= f64::from(8 - k) / f64::from(k + 1);
                if expected >= 5.0 {
                    let found: f64 = seen[k as usize];
                    chi += (found - expected) * (found - expected) / expected;
                }
            }
            // Chi-square with 8 degrees of freedom, alpha 1e-6.
            assert!(chi < 42.7, "{p}: {chi}");
        }
    }
}
