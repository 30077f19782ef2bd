//! Growth over a stretch of time: the linear birth-death process, in one draw.

use super::binomial::binomial;
use super::samplers::poisson;
use rand::Rng;
use rand_distr::{Distribution, Gamma};

/// Cells after a time in which each of `cells` would divide `divide` times and die `die` times on average (rates times
/// duration), each independently of all others.
///
/// Exact (Bailey 1964, The Elements of Stochastic Processes, section 8.6): a cell leaves no descendant with probability
/// alpha, and otherwise a geometric number of them.
pub fn lineages<R: Rng + ?Sized>(rng: &mut R, cells: u64, divide: f64, die: f64) -> u64 {
    let net = divide - die;
    let grown = libm::expm1(net);
    // The limit of equal rates, in which both have the same value.
    let (extinct, more) = if net.abs() < 1e-9 {
        (die / (1.0 + die), divide / (1.0 + divide))
    } else {
        let whole = divide * (1.0 + grown) - die;
        (die * grown / whole, divide * grown / whole)
    };
    let founders = binomial(rng, cells, (1.0 - extinct).clamp(0.0, 1.0));
    if founders == 0 || more <= 0.0 {
        return founders;
    }
    // A sum of geometric numbers is negative binomial: Poisson, with a mean that is gamma-distributed.
    let scale = more / (1.0 - more);
    let mean = Gamma::new(founders as f64, scale).map_or(founders as f64 * scale, |law| law.sample(rng));
    founders + poisson(rng, mean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, stream};

    /// Mean and variance of the process against the closed form, at 4.9 standard errors (alpha = 1e-6).
    fn moments(cells: u64, divide: f64, die: f64) {
        let rng = &mut stream(20_260_417, cells, Purpose::Replicate, divide.to_bits() ^ die.to_bits());
        let n = 40_000;
        let drawn: Vec<f64> = (0..n).map(|_| lineages(rng, cells, divide, die) as f64).collect();
        let mean = drawn.iter().sum::<f64>() / f64::from(n);
        let variance = drawn.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / f64::from(n - 1);
        let net = divide - die;
        let growth = libm::exp(net);
        let expected = cells as f64 * growth;
        let spread = if net.abs() < 1e-9 {
            2.0 * divide * cells as f64
        } else {
            cells as f64 * (divide + die) / net * growth * (growth - 1.0)
        };
        let error = libm::sqrt(spread / f64::from(n));
        assert!((mean - expected).abs() < 4.9 * error, "{cells} {divide} {die}: {mean} {expected}");
        assert!((variance / spread - 1.0).abs() < 0.12, "{cells} {divide} {die}: {variance} {spread}");
    }

    #[test]
    fn mean_and_variance_are_those_of_the_birth_death_process() {
        for cells in [1, 5, 1_000, 1_000_000_000] {
            for (divide, die) in [(0.35, 0.25), (0.1, 0.4), (0.3, 0.3), (1.2, 0.1)] {
                moments(cells, divide, die);
            }
        }
    }

    #[test]
    fn nothing_comes_of_nothing_and_what_does_not_act_stays() {
        let rng = &mut stream(1, 0, Purpose::Replicate, 0);
        assert_eq!(lineages(rng, 0, 0.3, 0.1), 0);
        assert_eq!(lineages(rng, 77, 0.0, 0.0), 77);
    }
}
