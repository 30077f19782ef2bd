//! Who divides and who dies, exactly one of both or neither: of many cells by two binomial numbers, of few by the
//! points of a process that runs through the cells of one clone after the other.
//!
//! A cell stands over a stretch. The first point in it tells what the cell does: if it lies before `-log(1 - divide)`
//! the cell divides, and if it lies from there on before `-log(1 - divide - die)` the cell dies. The first happens with
//! probability `divide`, the second with `die`. The stretch is a little longer, so that no logarithm is
//! asked for where no point falls.

use super::binomial::{binomial, log_of_failure};
use super::rare::Rare;
use rand::Rng;

/// Points up to which they are drawn one by one.
const FEW: f64 = 3.0;
/// Cells up to which the place of a point within the stretch of its cell has all digits that matter.
const MOST_CELLS: u64 = 4096;

impl Rare {
    /// Of `cells` how many divide and how many die, independently of all that was drawn before.
    #[inline]
    pub fn fates<R: Rng + ?Sized>(&mut self, rng: &mut R, cells: u64, divide: f64, die: f64) -> [u64; 2] {
        let either = divide + die;
        let all = cells.cast_signed() as f64 * stretch(either);
        if all < FEW && cells <= MOST_CELLS && either <= 0.5 {
            if all < self.ahead {
                self.ahead -= all;
                return [0, 0];
            }
            return self.pass_cells(rng, cells, divide, die);
        }
        let acting = binomial(rng, cells, either);
        let divided = binomial(rng, acting, divide / either);
        [divided, acting - divided]
    }

    #[inline(never)]
    fn pass_cells<R: Rng + ?Sized>(&mut self, rng: &mut R, cells: u64, divide: f64, die: f64) -> [u64; 2] {
        let either = divide + die;
        let (stretch, most) = (stretch(either), cells.cast_signed() - 1);
        let (all, inverse) = (cells.cast_signed() as f64 * stretch, 1.0 / stretch);
        let (mut divided, mut acting, mut last) = (0, 0, -1);
        let mut at = self.first(rng);
        while at < all {
            let cell = ((at * inverse) as i64).min(most);
            let within = (at - cell as f64 * stretch).max(0.0);
            let is_first = cell != last;
            divided += u64::from(is_first & is_before(within, divide));
            acting += u64::from(is_first & is_before(within, either));
            last = cell;
            at += Self::gap(rng);
        }
        self.ahead = at - all;
        [divided, acting - divided]
    }
}

/// At least `-log(1 - p)`, and hardly more, for p <= 1/2.
#[inline]
fn stretch(p: f64) -> f64 {
    p + p * p * (0.5 + p)
}

/// Whether a place is before `-log(1 - p)`, for p <= 1/2.
#[inline]
fn is_before(place: f64, p: f64) -> bool {
    let least = p + p * p * 0.5;
    if place >= least && place < stretch(p) { place < -log_of_failure(p) } else { place < least }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, stream};

    #[test]
    fn a_stretch_is_never_shorter_than_what_a_cell_does_in_it() {
        for i in 0..=5000 {
            let p = f64::from(i) * 1e-4;
            let exact = -libm::log1p(-p);
            assert!(p + 0.5 * p * p <= exact * (1.0 + 1e-15) && exact <= stretch(p) * (1.0 + 1e-15), "{p}");
            for place in [0.5 * exact, exact * (1.0 - 1e-12), exact * (1.0 + 1e-12), 1.5 * exact] {
                assert!(p <= 0.0 || is_before(place, p) == (place < exact), "{p} {place}");
            }
        }
    }

    /// Probability that of `n` cells so many divide and so many die.
    fn mass(n: u64, [b, d]: [u64; 2], [divide, die]: [f64; 2]) -> f64 {
        if b + d > n {
            return 0.0;
        }
        let log_factorial = |k: u64| libm::lgamma(k as f64 + 1.0);
        let ways = log_factorial(n) - log_factorial(b) - log_factorial(d) - log_factorial(n - b - d);
        let power = |p: f64, k: u64| if k == 0 { 0.0 } else { k as f64 * libm::log(p) };
        libm::exp(ways + power(divide, b) + power(die, d) + power(1.0 - divide - die, n - b - d))
    }

    /// Joint fates of clones one after the other against the product of their multinomial laws: chi-square at
    /// alpha = 1e-6, where 5 are expected at least; the rest in one class.
    #[test]
    fn fates_are_multinomial_and_do_not_depend_on_those_of_the_clones_before() {
        let draws = 600_000;
        let pairs = [
            [(1, [0.2, 0.3]), (1, [0.04, 0.03])],
            [(3, [0.0, 0.1]), (2, [0.25, 0.25])],
            [(30, [0.04, 0.03]), (45, [0.035, 0.03])],
            [(5, [0.3, 0.2]), (6, [0.01, 0.3])],
            [(2000, [1e-3, 2e-4]), (9, [0.05, 0.0])],
            [(4000, [1e-9, 5e-4]), (5000, [1e-4, 3e-4])],
        ];
        for (which, pair) in pairs.into_iter().enumerate() {
            let rng = &mut stream(13, which as u64, Purpose::Replicate, 0);
            let mut rare = Rare::default();
            let mut found = std::collections::BTreeMap::<[[u64; 2]; 2], u32>::new();
            for _ in 0..draws {
                let fates = pair.map(|(n, [divide, die])| rare.fates(rng, n, divide, die));
                *found.entry(fates).or_default() += 1;
            }
            let (mut sum, mut classes) = (0.0, 0);
            let (mut rest, mut expected_rest) = (f64::from(draws), f64::from(draws));
            for (&fates, &count) in &found {
                let law = pair.iter().zip(fates).map(|(&(n, p), fate)| mass(n, fate, p)).product::<f64>();
                let expected = f64::from(draws) * law;
                assert!(expected > 0.0, "{pair:?} {fates:?}");
                if expected >= 5.0 {
                    let off = f64::from(count) - expected;
                    sum += off * off / expected;
                    classes += 1;
                    expected_rest -= expected;
                    rest -= f64::from(count);
                }
            }
            let off = rest - expected_rest;
            sum += off * off / expected_rest.max(1.0);
            let freedom = f64::from(classes);
            // Wilson and Hilferty 1931.
            let spread = 2.0 / (9.0 * freedom);
            let deviate = (libm::cbrt(sum / freedom) - (1.0 - spread)) / libm::sqrt(spread);
            assert!(deviate < 4.75, "{pair:?}: {sum} of {classes}");
        }
    }
}
