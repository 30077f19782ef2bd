//! Events that are rare in each of many groups of trials: it is drawn when the next one comes, not whether one comes
//! in each group.
//!
//! The trials of all groups stand in a row, each over a stretch of `-log(1 - p)`. A trial succeeds if a point of a
//! Poisson process of rate 1 falls into its stretch, which it does with probability `p`, independently of all others.

use super::binomial::binomial;
use super::uniform::uniform;
use crate::elementary::log;
use rand::Rng;

/// Points in a group of trials up to which they are drawn one by one.
const FEW: f64 = 1.0;

/// The chance of a trial, and the stretch that goes with it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Chance {
    /// The probability of success.
    pub probability: f64,
    stretch: f64,
}

impl Chance {
    /// Of a probability.
    pub fn new(probability: f64) -> Self {
        Self { probability, stretch: -libm::log1p(-probability) }
    }
}

/// Where the next point is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rare {
    /// How far it is away; 0 before the first.
    pub(super) ahead: f64,
}

impl Rare {
    /// Successes in `n` trials, independent of all others that were drawn: a binomial number.
    #[inline]
    pub fn binomial<R: Rng + ?Sized>(&mut self, rng: &mut R, n: u64, chance: Chance) -> u64 {
        let all = n.cast_signed() as f64 * chance.stretch;
        // Not asked of the points themselves; and not so where it is no number, of no trials that always succeed.
        let are_few = all < FEW;
        if !are_few {
            return binomial(rng, n, chance.probability);
        }
        if all < self.ahead {
            self.ahead -= all;
            return 0;
        }
        self.pass(rng, n, chance.stretch)
    }

    /// From a point to the next one.
    #[inline]
    pub(super) fn gap<R: Rng + ?Sized>(rng: &mut R) -> f64 {
        -log(1.0 - uniform(rng))
    }

    /// Where the next point is.
    #[inline]
    pub(super) fn first<R: Rng + ?Sized>(self, rng: &mut R) -> f64 {
        if self.ahead > 0.0 { self.ahead } else { Self::gap(rng) }
    }

    #[inline(never)]
    fn pass<R: Rng + ?Sized>(&mut self, rng: &mut R, n: u64, stretch: f64) -> u64 {
        let all = n.cast_signed() as f64 * stretch;
        let mut at = self.first(rng);
        let (mut drawn, mut last) = (0, None);
        while at < all {
            let trial = Some((at / stretch) as u64);
            drawn += u64::from(trial != last);
            last = trial;
            at += Self::gap(rng);
        }
        self.ahead = at - all;
        drawn.min(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, stream};

    /// Joint counts of two groups against the product of their laws: chi-square with 15 degrees of freedom, at
    /// alpha = 1e-6.
    #[test]
    fn groups_have_binomial_numbers_that_do_not_depend_on_each_other() {
        let draws = 400_000;
        let pairs = [
            [(1, 0.3), (1, 0.3)],
            [(3, 0.2), (3, 0.2)],
            [(40, 0.02), (40, 0.02)],
            [(10_000, 5e-5), (10_000, 5e-5)],
            // On both sides of the number of points up to which they are drawn one by one.
            [(2, 0.3), (13, 0.08)],
            [(150, 0.01), (1, 0.5)],
        ];
        for (which, pair) in pairs.into_iter().enumerate() {
            let rng = &mut stream(11, which as u64, Purpose::Replicate, 0);
            let mut rare = Rare::default();
            let law = pair.map(|(n, p)| {
                let mass = |k: u64| {
                    let (n, k) = (n as f64, k as f64);
                    let ways = libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
                    if k > n { 0.0 } else { libm::exp(ways + k * libm::log(p) + (n - k) * libm::log1p(-p)) }
                };
                let [none, one, two] = [0, 1, 2].map(mass);
                [none, one, two, (1.0 - none - one - two).max(0.0)]
            });
            let mut found = [[0_u32; 4]; 4];
            for _ in 0..draws {
                let [a, b] = pair.map(|(n, p)| rare.binomial(rng, n, Chance::new(p)).min(3) as usize);
                found[a][b] += 1;
            }
            let mut sum = 0.0;
            for (a, row) in found.iter().enumerate() {
                for (b, &count) in row.iter().enumerate() {
                    let expected = f64::from(draws) * law[0][a] * law[1][b];
                    let off = f64::from(count) - expected;
                    sum += if expected > 1e-9 { off * off / expected.max(5.0) } else { off * off };
                }
            }
            assert!(sum < 56.5, "{pair:?}: {sum}");
        }
    }

    #[test]
    fn what_cannot_fail_or_succeed_does_not_and_many_are_expected_as_they_are() {
        let rng = &mut stream(12, 0, Purpose::Replicate, 0);
        let mut rare = Rare::default();
        for n in [0, 1, 7, 1 << 53] {
            assert_eq!(rare.binomial(rng, n, Chance::new(0.0)), 0);
            assert_eq!(rare.binomial(rng, n, Chance::new(1.0)), n);
        }
        let (n, p, draws) = (1_u64 << 50, 1e-12, 2_000);
        let sum: u64 = (0..draws).map(|_| rare.binomial(rng, n, Chance::new(p))).sum();
        let expected = f64::from(draws) * n as f64 * p;
        assert!((sum as f64 - expected).abs() < 4.9 * libm::sqrt(expected), "{sum} {expected}");
    }
}
