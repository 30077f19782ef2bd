//! Binomial numbers, exact for any `n` up to 2^53: by inversion where few successes are expected,
//! from the normal law where many are (`bell`). Neither has a set-up to speak of, since every draw of a
//! tumour has an `n` of its own.

use super::bell;
use super::uniform::uniform;
use crate::elementary::{exp, log};
use rand::Rng;

/// More successes than are ever drawn by inversion: 20 are expected at most, with a variance of 10.
const MOST_BY_INVERSION: usize = 128;
/// Trials up to which a chance to fail is multiplied with itself, ...
const FEW_TRIALS: u64 = 256;
/// ... where it is not so close to 1 that rounding would take digits of the chance to succeed.
const NO_SMALL_CHANCE: f64 = 1e-3;
/// `1 / k`.
static INVERSES: [f64; MOST_BY_INVERSION + 1] = {
    let mut inverses = [0.0; MOST_BY_INVERSION + 1];
    let mut k = 1;
    while k <= MOST_BY_INVERSION {
        inverses[k] = 1.0 / k as f64;
        k += 1;
    }
    inverses
};

/// Binomial(n, p): successes in `n` trials. `p` is clamped to [0, 1]; NaN counts as 0.
#[inline]
pub fn binomial<R: Rng + ?Sized>(rng: &mut R, n: u64, p: f64) -> u64 {
    if n == 0 || p.is_nan() || p <= 0.0 {
        return 0;
    }
    if p >= 1.0 {
        return n;
    }
    if p > 0.5 {
        return n - up_to_half(rng, n, 1.0 - p);
    }
    up_to_half(rng, n, p)
}

#[inline]
fn up_to_half<R: Rng + ?Sized>(rng: &mut R, n: u64, p: f64) -> u64 {
    let trials = n.cast_signed() as f64;
    let mean = trials * p;
    let variance = mean * (1.0 - p);
    if variance < bell::FROM_VARIANCE {
        return invert(rng, n, p, mean);
    }
    bell::draw(rng, trials, p, mean, variance) as i64 as u64
}

/// Inversion from 0 upwards.
#[inline]
fn invert<R: Rng + ?Sized>(rng: &mut R, n: u64, p: f64, mean: f64) -> u64 {
    let left = uniform(rng);
    // (1 - p)^n >= 1 - np: most draws of rare events end here, without a logarithm.
    if left < 1.0 - mean { 0 } else { count_up(left, n, p) }
}

/// The number of successes up to which there is more mass than `left`. It starts at `exp(n log1p(-p))`: the usual
/// `(1 - p)^n` loses `p` to rounding when `p` is near 1e-16 and then halves the mean.
#[inline(never)]
fn count_up(mut left: f64, n: u64, p: f64) -> u64 {
    let trials = n.cast_signed() as f64;
    let odds = p / (1.0 - p);
    let all = odds * (trials + 1.0);
    let few = n <= FEW_TRIALS && p >= NO_SMALL_CHANCE;
    let mut mass = if few { power(1.0 - p, n) } else { exp(trials * log_of_failure(p)) };
    // The mass falls below the grid of `uniform` long before the end of the tail is reached.
    let most = (n as usize).min(MOST_BY_INVERSION);
    for (drawn, inverse) in INVERSES[1..=most].iter().enumerate() {
        if left < mass {
            return drawn as u64;
        }
        left -= mass;
        mass *= all * inverse - odds;
    }
    most as u64
}

/// `x^n`, without a branch for each bit of `n`.
#[inline]
fn power(x: f64, mut n: u64) -> f64 {
    let (mut product, mut square) = (1.0, x);
    while n > 0 {
        product *= [1.0, square][n as usize & 1];
        square *= square;
        n >>= 1;
    }
    product
}

/// Logarithm of 1 - p, by the series of `-2 artanh(p / (2 - p))` where five terms have all digits.
#[inline]
pub(super) fn log_of_failure(p: f64) -> f64 {
    if p > 0.03 {
        return log(1.0 - p);
    }
    let ratio = p / (2.0 - p);
    let square = ratio * ratio;
    let more = square * (1.0 / 3.0 + square * (1.0 / 5.0 + square * (1.0 / 7.0 + square / 9.0)));
    -2.0 * ratio * (1.0 + more)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, stream};

    #[test]
    fn edges_are_exact() {
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
}
