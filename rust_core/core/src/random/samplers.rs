//! Draws from the laws of counts. All are exact for the counts a tumour has (n <= 2^53); the
//! traps of published samplers that they avoid are named where they are avoided.

use super::binomial::binomial;
use super::uniform::uniform;
use core::f64::consts::PI;
use rand::Rng;
use rand_distr::{Distribution, Poisson};

/// A standard exponential number; never infinite.
#[inline]
pub fn exponential<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    -libm::log1p(-uniform(rng))
}

/// A standard normal number (Box and Muller 1958): two words a draw, always, so that a stream
/// stays aligned between twins whatever was drawn.
pub fn normal<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    let radius = libm::sqrt(2.0 * exponential(rng));
    radius * libm::cos(2.0 * PI * uniform(rng))
}

/// Poisson(mean); 0 for a mean that is not positive.
pub fn poisson<R: Rng + ?Sized>(rng: &mut R, mean: f64) -> u64 {
    if !(mean > 0.0 && mean.is_finite()) {
        return 0;
    }
    Poisson::new(mean).map_or(0, |law: Poisson<f64>| law.sample(rng) as u64)
}

/// Items that are put into categories one by one.
const ONE_BY_ONE: u64 = 3;

/// Split `n` over categories with weights `weights`: many by conditional binomials until few are left, these one by one,
/// which may be told one by one. The last category takes the rest, so that rounding can never ask for a probability
/// above 1. It is quickest where the likeliest come first.
pub fn split<R: Rng + ?Sized>(rng: &mut R, n: u64, weights: &[f64], mut each: impl FnMut(usize, u64)) {
    let mut left = n;
    let mut weight_left: f64 = weights.iter().sum();
    for (index, &weight) in weights.iter().enumerate() {
        if left <= ONE_BY_ONE {
            let others = &weights[index..];
            return (0..left).for_each(|_| each(index + choose(others, uniform(rng)) - 1, 1));
        }
        let share = if index + 1 == weights.len() { left } else { binomial(rng, left, weight / weight_left) };
        if share > 0 {
            each(index, share);
        }
        left -= share;
        weight_left -= weight;
    }
}

/// Index (from 1) that a uniform number `u` picks by weights.
pub fn choose(weights: &[f64], u: f64) -> usize {
    let mut left = u * weights.iter().sum::<f64>();
    for (index, &weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return index + 1;
        }
    }
    weights.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, stream};

    #[test]
    fn a_split_gives_every_item_to_exactly_one_category() {
        let rng = &mut stream(1, 0, Purpose::Replicate, 0);
        // 0.1 / (1 - 0.3 - 0.6) exceeds 1 in floating point.
        for n in [0, 1, 3, 7, 1_000_000] {
            let mut sum = 0;
            split(rng, n, &[0.3, 0.6, 0.1], |_, share| sum += share);
            assert_eq!(sum, n);
        }
    }
}
