//! Draws from the laws of counts. All are exact for the counts a tumour has (n <= 2^53); the
//! traps of published samplers that they avoid are named where they are avoided.

use core::f64::consts::PI;
use rand::{Rng, RngExt};
use rand_distr::{Binomial, Distribution, Poisson};

/// A uniform number in [0, 1) on the grid of 2^-53.
#[inline]
pub fn uniform<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    rng.random::<f64>()
}

/// A whole number below `n`, each with the same probability (Lemire 2019, doi:10.1145/3230636).
#[inline]
pub fn below<R: Rng + ?Sized>(rng: &mut R, n: u64) -> u64 {
    let mut product = u128::from(rng.next_u64()) * u128::from(n);
    if (product as u64) < n {
        let uneven = n.wrapping_neg().checked_rem(n).unwrap_or(0);
        while (product as u64) < uneven {
            product = u128::from(rng.next_u64()) * u128::from(n);
        }
    }
    (product >> 64) as u64
}

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

/// Below this expected count a binomial is drawn by inversion, above it by BTPE.
const INVERSION_BELOW: f64 = 10.0;

/// Binomial(n, p): successes in `n` trials. `p` is clamped to [0, 1]; NaN counts as 0.
///
/// Inversion starts at `exp(n log1p(-p))`: the usual `(1-p)^n` loses `p` to rounding when `p` is
/// near 1e-16 and then halves the mean. Larger means use BTPE (Kachitvichyanukul and Schmeiser
/// 1988) as implemented by `rand_distr`.
#[inline]
pub fn binomial<R: Rng + ?Sized>(rng: &mut R, n: u64, p: f64) -> u64 {
    if n == 0 || p.is_nan() || p <= 0.0 {
        return 0;
    }
    if p >= 1.0 {
        return n;
    }
    if p > 0.5 {
        return n - binomial_lower(rng, n, 1.0 - p);
    }
    binomial_lower(rng, n, p)
}

#[inline]
fn binomial_lower<R: Rng + ?Sized>(rng: &mut R, n: u64, p: f64) -> u64 {
    if n as f64 * p < INVERSION_BELOW {
        return invert(rng, n, p);
    }
    // `new` refuses only p outside [0, 1], which the caller has excluded.
    Binomial::new(n, p).map_or(0, |law| law.sample(rng))
}

fn invert<R: Rng + ?Sized>(rng: &mut R, n: u64, p: f64) -> u64 {
    let mut left = uniform(rng);
    // (1 - p)^n >= 1 - np: most draws of rare events end here, without a logarithm.
    if left < 1.0 - n as f64 * p {
        return 0;
    }
    let odds = p / (1.0 - p);
    let mut mass = libm::exp(n as f64 * libm::log1p(-p));
    let mut drawn = 0u64;
    // The mass falls below the grid of `uniform` long before the end of the tail is reached.
    while left >= mass && drawn < n {
        left -= mass;
        drawn += 1;
        mass *= odds * (n - drawn + 1) as f64 / drawn as f64;
        if mass < 1e-300 {
            break;
        }
    }
    drawn
}

/// Poisson(mean); 0 for a mean that is not positive.
pub fn poisson<R: Rng + ?Sized>(rng: &mut R, mean: f64) -> u64 {
    if !(mean > 0.0 && mean.is_finite()) {
        return 0;
    }
    Poisson::new(mean).map_or(0, |law: Poisson<f64>| law.sample(rng) as u64)
}

/// Split `n` over categories with weights `weights` (a multinomial by conditional binomials).
/// The last category takes the rest, so that rounding can never ask for a probability above 1.
pub fn split<R: Rng + ?Sized>(rng: &mut R, n: u64, weights: &[f64], mut each: impl FnMut(usize, u64)) {
    let mut left = n;
    let mut weight_left: f64 = weights.iter().sum();
    for (index, &weight) in weights.iter().enumerate() {
        if left == 0 {
            return;
        }
        let share = if index + 1 == weights.len() { left } else { binomial(rng, left, weight / weight_left) };
        if share > 0 {
            each(index, share);
        }
        left -= share;
        weight_left -= weight;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, stream};

    #[test]
    fn edges_of_the_binomial_are_exact() {
        let rng = &mut stream(1, 0, Purpose::Replicate, 0);
        assert_eq!(binomial(rng, 0, 0.3), 0);
        assert_eq!(binomial(rng, 5, 0.0), 0);
        assert_eq!(binomial(rng, 5, 1.0), 5);
        assert_eq!(binomial(rng, 5, f64::NAN), 0);
        assert_eq!(binomial(rng, 1 << 40, 1e-300), 0);
        assert!(binomial(rng, 1 << 53, 0.5) < 1 << 53);
    }

    #[test]
    fn tiny_probabilities_of_huge_numbers_keep_their_mean() {
        // The published trap: (1 - p)^n with p = 1.6e-16 halves this mean.
        let rng = &mut stream(1, 0, Purpose::Replicate, 0);
        let draws = 200_000u32;
        let sum: u64 = (0..draws).map(|_| binomial(rng, 6_250_000_000_000_000, 1.6e-16)).sum();
        let mean = sum as f64 / f64::from(draws);
        assert!((mean - 1.0).abs() < 4.9 / f64::from(draws).sqrt(), "{mean}");
    }

    #[test]
    fn a_split_gives_every_item_to_exactly_one_category() {
        let rng = &mut stream(1, 0, Purpose::Replicate, 0);
        // 0.1 / (1 - 0.3 - 0.6) exceeds 1 in floating point.
        for n in [0, 1, 7, 1_000_000] {
            let mut sum = 0;
            split(rng, n, &[0.3, 0.6, 0.1], |_, share| sum += share);
            assert_eq!(sum, n);
        }
    }
}
