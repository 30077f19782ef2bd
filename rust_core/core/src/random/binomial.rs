//! Binomial numbers, exact for any `n` up to 2^53: by inversion where few successes are expected,
//! by transformed rejection (Hormann 1993, doi:10.1080/00949659308811496) elsewhere. Neither has
//! a set-up to speak of, since every draw of a tumour has an `n` of its own.

use super::uniform::uniform;
use core::f64::consts::TAU;
use rand::Rng;

/// Below this expected count a number is drawn by inversion, above it by rejection.
const INVERSION_BELOW: f64 = 10.0;
/// Half of the width of the proposals that are taken at once.
const INNER_HALF: f64 = 0.43;
/// So far from the mode the law is computed by its recurrence.
const NEAR: f64 = 15.0;

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
    if n as f64 * p < INVERSION_BELOW { invert(rng, n, p) } else { reject(rng, n as f64, p) as u64 }
}

/// Inversion from 0 upwards. It starts at `exp(n log1p(-p))`: the usual `(1-p)^n` loses `p` to
/// rounding when `p` is near 1e-16 and then halves the mean.
fn invert<R: Rng + ?Sized>(rng: &mut R, n: u64, p: f64) -> u64 {
    let mut left = uniform(rng);
    // (1 - p)^n >= 1 - np: most draws of rare events end here, without a logarithm.
    if left < 1.0 - n as f64 * p {
        return 0;
    }
    let odds = p / (1.0 - p);
    let mut mass = libm::exp(n as f64 * log_of_failure(p));
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

/// Logarithm of 1 - p, by its series where five terms have all digits.
#[inline]
fn log_of_failure(p: f64) -> f64 {
    if p > 1e-3 {
        return libm::log1p(-p);
    }
    -p * (1.0 + p * (1.0 / 2.0 + p * (1.0 / 3.0 + p * (1.0 / 4.0 + p / 5.0))))
}

/// Hormann's BTRD for n p >= 10 and p <= 1/2. Four proposals of five are taken at once; the others
/// are compared with the law: near the mode by its recurrence, further off between the bounds of
/// Kachitvichyanukul and Schmeiser (1988, doi:10.1145/42372.42381) where they decide.
fn reject<R: Rng + ?Sized>(rng: &mut R, n: f64, p: f64) -> f64 {
    let mean = n * p;
    let variance = mean * (1.0 - p);
    let spread = libm::sqrt(variance);
    let b = 1.15 + 2.53 * spread;
    let a = -0.0873 + 0.0248 * b + 0.01 * p;
    let inner = 0.92 - 4.2 / b;
    let proposed = |u: f64| (2.0 * a / (0.5 - u.abs()) + b) * u + mean + 0.5;
    loop {
        let mut v = uniform(rng);
        if v <= 2.0 * INNER_HALF * inner {
            return whole(proposed(v / inner - INNER_HALF));
        }
        let u = if v >= inner {
            uniform(rng) - 0.5
        } else {
            let beyond = v / inner - (0.5 + INNER_HALF);
            v = uniform(rng) * inner;
            0.5_f64.copysign(beyond) - beyond
        };
        let k = proposed(u);
        if !(0.0..n + 1.0).contains(&k) {
            continue;
        }
        let k = whole(k);
        let edge = 0.5 - u.abs();
        let height = v * (2.83 + 5.1 / b) * spread / (a / (edge * edge) + b);
        let mode = whole(mean + p);
        let away = (k - mode).abs();
        if away <= NEAR {
            let odds = p / (1.0 - p);
            let growth = |i: u32, from: f64| (n + 1.0) * odds / (from + f64::from(i)) - odds;
            let product = |from: f64| (1..=away as u32).map(|i| growth(i, from)).product::<f64>();
            let taken = if k > mode { height <= product(mode) } else { height * product(k) <= 1.0 };
            if taken {
                return k;
            }
            continue;
        }
        let height = libm::log(height);
        if away < 0.5 * variance - 1.0 {
            let middle = -0.5 * away * away / variance;
            let slack = (away / variance) * ((away * (away / 3.0 + 0.625) + 1.0 / 6.0) / variance + 0.5);
            if height < middle - slack {
                return k;
            }
            if height > middle + slack {
                continue;
            }
        }
        if height <= log_mass(k, n, p) - log_mass(mode, n, p) {
            return k;
        }
    }
}

/// The whole part of what is not negative and below 2^63.
#[inline]
fn whole(x: f64) -> f64 {
    x as i64 as f64
}

/// Logarithm of the probability of `k` successes by Loader's saddle point (2000), which unlike sums
/// of logarithms of factorials loses no digits to large `n`.
fn log_mass(k: f64, n: f64, p: f64) -> f64 {
    let failures = n - k;
    if k == 0.0 {
        return n * libm::log1p(-p);
    }
    if failures == 0.0 {
        return n * libm::log(p);
    }
    let mean = n * p;
    remainder(n)
        - remainder(k)
        - remainder(failures)
        - deviance(k, mean)
        - deviance(failures, n - mean)
        - 0.5 * libm::log(TAU * k * (failures / n))
}

/// `k log(k / mean) + mean - k`, without cancellation where the two are alike.
fn deviance(k: f64, mean: f64) -> f64 {
    let apart = k - mean;
    if apart.abs() >= 0.1 * (k + mean) {
        return k * libm::log(k / mean) - apart;
    }
    let ratio = apart / (k + mean);
    let (mut sum, mut term) = (apart * ratio, 2.0 * k * ratio);
    for odd in (3..).step_by(2) {
        term *= ratio * ratio;
        let more = term / f64::from(odd);
        sum += more;
        if more.abs() <= 1e-17 * sum {
            break;
        }
    }
    sum
}

/// What Stirling's formula leaves of `log(k!)`, `k` a whole number.
fn remainder(k: f64) -> f64 {
    if let Some(&known) = REMAINDERS.get(k as usize) {
        return known;
    }
    let square = k * k;
    let series = 1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / (1188.0 * square)) / square;
    (1.0 / 12.0 - (1.0 / 360.0 - series / square) / square) / k
}

/// `log(k!) - log(sqrt(2 pi k) (k / e)^k)` for k = 0 (unused), 1, ...
const REMAINDERS: [f64; 16] = [
    0.0,
    0.081_061_466_795_327_26,
    0.041_340_695_955_409_3,
    0.027_677_925_684_998_34,
    0.020_790_672_103_765_093,
    0.016_644_691_189_821_193,
    0.013_876_128_823_070_748,
    0.011_896_709_945_891_77,
    0.010_411_265_261_972_096,
    0.009_255_462_182_712_733,
    0.008_330_563_433_362_87,
    0.007_573_675_487_951_841,
    0.006_942_840_107_209_53,
    0.006_408_994_188_004_207,
    0.005_951_370_112_758_847_5,
    0.005_554_733_551_962_801,
];

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

    #[test]
    fn masses_sum_to_one_and_follow_their_recurrence() {
        for (n, p) in [(20.0, 0.5), (37.0, 0.3), (1000.0, 0.013), (1e5, 0.4)] {
            let masses: Vec<f64> = (0..=n as u64).map(|k| log_mass(k as f64, n, p)).collect();
            let sum: f64 = masses.iter().map(|mass| libm::exp(*mass)).sum();
            assert!((sum - 1.0).abs() < 1e-11, "{n} {p}: {sum}");
            for (k, pair) in masses.windows(2).enumerate() {
                let step = libm::log((n - k as f64) / (k as f64 + 1.0) * p / (1.0 - p));
                let error = (pair[1] - pair[0] - step).abs();
                assert!(error < 1e-13 * (1.0 + pair[0].abs()), "{n} {p} {k}: {error}");
            }
        }
    }

    #[test]
    fn masses_keep_their_digits_at_the_largest_numbers() {
        // Neighbours of the mode of 2^53 halves: log(f(m + d) / f(m)) = -2 d^2 / n + O(d^4 / n^3).
        let (n, mode) = (9_007_199_254_740_992.0, 4_503_599_627_370_496.0);
        for away in [1e4, 1e7, 1e8] {
            let found = log_mass(mode + away, n, 0.5) - log_mass(mode, n, 0.5);
            let expected = -2.0 * away * away / n;
            assert!((found - expected).abs() < 1e-12 * (1.0 + expected.abs()), "{away}: {found} {expected}");
        }
    }
}
