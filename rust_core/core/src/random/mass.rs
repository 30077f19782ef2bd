//! Probabilities of the binomial law, with all their digits for any number of trials.

use core::f64::consts::TAU;

/// Logarithm of the probability of `k` successes by Loader's saddle point (2000), which unlike sums
/// of logarithms of factorials loses no digits to large `n`.
pub(super) fn log_mass(k: f64, n: f64, p: f64) -> f64 {
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
