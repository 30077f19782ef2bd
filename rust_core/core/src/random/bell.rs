//! Binomial numbers of which many are expected, by rejection from the normal law.
//!
//! A normal number `z` becomes `mean + sd (z + skew (z^2 - 1) / 6)` (Cornish and Fisher 1938), and the whole number `k`
//! next to it is proposed. Its probability over that of the proposal differs from 1 by terms of `1 / variance` beside
//! `exp(z d / sd)`, where `d` is what rounding took away, so that nine of ten proposals are taken at sight; the others
//! are compared with the law. Normal numbers beyond `EDGE` come with the geometric tails that lie above those of the
//! law, for it is log-concave.

use super::mass::log_mass;
use super::uniform::uniform;
use crate::elementary::{exp, log};
use core::f64::consts::TAU;
use rand::Rng;
use std::sync::LazyLock;

/// The variance from which on `ABOVE`, `BELOW` and the tails hold: the tests look at all of them.
pub(super) const FROM_VARIANCE: f64 = 10.0;
/// The last normal number that is turned into a proposal.
const EDGE: f64 = 3.0;
/// `log(law / proposal) - z d / sd`, times the variance, is at most this ...
const ABOVE: f64 = 0.9;
/// ... and at least this.
const BELOW: f64 = -4.2;
/// Layers of the half of a bell up to `EDGE`. As many as a byte tells apart beside these stand for a tail.
const LAYERS: usize = 254;
const OF_A_TAIL: f64 = 2.0;
/// Parts into which eight bits of a word divide the height of a proposal.
const PARTS: f64 = 256.0;

/// Layers of equal area that cover `exp(-z^2 / 2)` between 0 and `EDGE` (Marsaglia and Tsang 2000,
/// doi:10.18637/jss.v005.i08).
struct Layers {
    /// Area of each.
    area: f64,
    /// Width of each, and 0.
    width: [f64; LAYERS + 1],
    /// Where each begins, and 1.
    bottom: [f64; LAYERS + 1],
}

static BELL: LazyLock<Layers> = LazyLock::new(Layers::new);

impl Layers {
    /// The least area with which so many layers reach the top.
    fn new() -> Self {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..100 {
            let middle = 0.5 * (low + high);
            let reached = Self::of(middle).bottom[LAYERS] >= 1.0;
            *(if reached { &mut high } else { &mut low }) = middle;
        }
        Self::of(high)
    }

    fn of(area: f64) -> Self {
        let mut layers = Self { area, width: [0.0; LAYERS + 1], bottom: [1.0; LAYERS + 1] };
        let mut y = 0.0;
        for layer in 0..=LAYERS {
            layers.bottom[layer] = y;
            if y < 1.0 {
                layers.width[layer] = if y < bell(EDGE) { EDGE } else { libm::sqrt(-2.0 * libm::log(y)) };
                y = (y + area / layers.width[layer]).min(1.0);
            }
        }
        layers
    }
}

#[inline]
fn bell(z: f64) -> f64 {
    exp(-0.5 * z * z)
}

/// The law, and the numbers by which proposals are made and judged.
struct Target {
    n: f64,
    p: f64,
    mean: f64,
    sd: f64,
    /// 1 / sd, and its square.
    thin: f64,
    thinner: f64,
    /// A sixth of the skewness.
    skew: f64,
    /// By so much do proposals stand above the law everywhere.
    most: f64,
}

/// Binomial(n, p) for p <= 1/2 of a `variance` of at least `FROM_VARIANCE`.
#[inline]
pub(super) fn draw<R: Rng + ?Sized>(rng: &mut R, n: f64, p: f64, mean: f64, variance: f64) -> f64 {
    let layers = &*BELL;
    let target = Target::new(n, p, mean, variance);
    loop {
        let word = rng.next_u64();
        let layer = (word & 0xff) as usize;
        // 48 bits: in (-1, 1), on the middle of its grid, so that both sides are alike.
        let side = ((word >> 16).cast_signed() as f64 + 0.5) / (1_u64 << 47) as f64 - 1.0;
        if layer >= LAYERS {
            if let Some(k) = target.tail(rng, side < 0.0, OF_A_TAIL * layers.area) {
                return k;
            }
            continue;
        }
        let z = side * layers.width[layer];
        if z.abs() > layers.width[layer + 1] {
            let height =
                layers.bottom[layer] + uniform(rng) * (layers.bottom[layer + 1] - layers.bottom[layer]);
            if height >= bell(z) {
                continue;
            }
        }
        let part = (word >> 8 & 0xff) as f64;
        if let Some(k) = target.judge(rng, z, part) {
            return k;
        }
    }
}

impl Target {
    #[inline]
    fn new(n: f64, p: f64, mean: f64, variance: f64) -> Self {
        let thinner = 1.0 / variance;
        let sd = variance.sqrt();
        let thin = sd * thinner;
        // The largest exponent; exp(x) <= 1 + x + x^2 for x < 1.79.
        let above = 0.5 * EDGE * thin + ABOVE * thinner;
        let most = 1.0 + above + above * above;
        Self { n, p, mean, sd, thin, thinner, skew: (1.0 - 2.0 * p) * thin / 6.0, most }
    }

    #[inline]
    fn place(&self, z: f64) -> f64 {
        self.mean + self.sd * (z + self.skew * (z * z - 1.0))
    }

    /// The number proposed by `z`, if it is taken; its height is in this part of them.
    #[inline]
    fn judge<R: Rng + ?Sized>(&self, rng: &mut R, z: f64, part: f64) -> Option<f64> {
        let x = self.place(z);
        let k = nearest(x);
        let tilt = z * (x - k) * self.thin;
        let least = 1.0 + tilt + BELOW * self.thinner;
        if (part + 1.0) / PARTS * self.most <= least {
            return Some(k);
        }
        self.look_closer(rng, z, k, tilt, part).then_some(k)
    }

    #[inline(never)]
    fn look_closer<R: Rng + ?Sized>(&self, rng: &mut R, z: f64, k: f64, tilt: f64, part: f64) -> bool {
        let height = (part + uniform(rng)) / PARTS * self.most;
        let (below, above) = (tilt + BELOW * self.thinner, tilt + ABOVE * self.thinner);
        if height <= 1.0 + below {
            return true;
        }
        height <= 1.0 + above + above * above && log(height) <= self.log_ratio(z, k)
    }

    /// Logarithm of the law over the proposal that `z` makes of `k`.
    fn log_ratio(&self, z: f64, k: f64) -> f64 {
        let stretch = self.sd * (1.0 + 2.0 * self.skew * z);
        log_mass(k, self.n, self.p) + libm::log(stretch * libm::sqrt(TAU)) + 0.5 * z * z
    }

    /// The tail begins in the cell of some `k`, at the edge; from there on its proposals fall by the same share.
    fn start(&self, left: bool) -> (f64, f64, f64) {
        let edge = self.place(if left { -EDGE } else { EDGE });
        let k = nearest(edge);
        let (of_cell, more) = if left {
            (edge - (k - 0.5), k * (1.0 - self.p) / ((self.n - k + 1.0) * self.p))
        } else {
            ((k + 0.5) - edge, (self.n - k) * self.p / ((k + 1.0) * (1.0 - self.p)))
        };
        (k, of_cell, more)
    }

    /// A number beyond an edge, if it is taken. The tails have the area of two layers each, of which their own is a part.
    #[inline(never)]
    fn tail<R: Rng + ?Sized>(&self, rng: &mut R, left: bool, area: f64) -> Option<f64> {
        let (start, of_cell, share) = self.start(left);
        let first = log_mass(start, self.n, self.p);
        let own = libm::exp(first) * libm::sqrt(TAU) / (1.0 - share);
        if uniform(rng) * area * self.most >= own {
            return None;
        }
        let steps = libm::floor(libm::log1p(-uniform(rng)) / libm::log(share));
        if steps <= 0.0 {
            return (uniform(rng) < of_cell).then_some(start);
        }
        let k = if left { start - steps } else { start + steps };
        if !(0.0..=self.n).contains(&k) {
            return None;
        }
        let log_share = log_mass(k, self.n, self.p) - first - steps * libm::log(share);
        (uniform(rng) < libm::exp(log_share)).then_some(k)
    }
}

/// The next whole number, of what is not below -1/2.
#[inline]
fn nearest(x: f64) -> f64 {
    (x + 0.5) as i64 as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, stream};

    /// Trials and chance with about so large a variance, from the law of Poisson to the even coin.
    fn laws(variance: f64) -> impl Iterator<Item = (f64, f64)> {
        let chances = [1e-9, 1e-4, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.45, 0.5];
        chances.into_iter().map(move |p: f64| (libm::ceil(variance / (p * (1.0 - p))), p))
    }

    #[test]
    fn proposals_stand_above_the_law_and_no_further_than_is_said() {
        for variance in
            (40..160).map(|quarters| f64::from(quarters) / 4.0).chain([45.0, 64.0, 100.0, 400.0, 1e4, 1e6])
        {
            for (n, p) in laws(variance) {
                let target = Target::new(n, p, n * p, n * p * (1.0 - p));
                for step in -2000..=2000 {
                    let z = f64::from(step) * EDGE / 2000.0;
                    let x = target.place(z);
                    let k = nearest(x);
                    let tilt = z * (x - k) * target.thin;
                    let log_ratio = target.log_ratio(z, k);
                    let beside = (log_ratio - tilt) * n * p * (1.0 - p);
                    assert!((BELOW..=ABOVE).contains(&beside), "{n} {p} {z}: {beside}");
                    assert!(log_ratio <= libm::log(target.most), "{n} {p} {z}");
                }
                for left in [true, false] {
                    let (start, _, share) = target.start(left);
                    let own = libm::exp(log_mass(start, n, p)) * libm::sqrt(TAU) / (1.0 - share);
                    assert!(own <= OF_A_TAIL * BELL.area * target.most, "{n} {p} {left}: {own}");
                }
            }
        }
    }

    #[test]
    fn layers_have_equal_areas_and_reach_the_top() {
        let Layers { area, width, bottom } = &*BELL;
        for layer in 0..LAYERS {
            let found = width[layer] * (bottom[layer + 1] - bottom[layer]);
            assert!((found / area - 1.0).abs() < 1e-10, "{layer}: {found}");
        }
        assert!((bottom[LAYERS] - 1.0).abs() < 1e-15 && width[LAYERS].to_bits() == 0);
    }

    /// Chi-square over all numbers with an expected count of 20 or more, and all others together, at alpha = 1e-6 by
    /// the cube root of Wilson and Hilferty (1931).
    #[test]
    fn numbers_follow_the_law_in_the_middle_and_in_the_tails() {
        let draws = 300_000;
        for (which, (n, p)) in laws(FROM_VARIANCE).chain(laws(900.0)).enumerate() {
            let rng = &mut stream(1, which as u64, Purpose::Replicate, 0);
            let mean = n * p;
            let mut found = vec![0_u32; 4 * mean as usize];
            for _ in 0..draws {
                found[draw(rng, n, p, mean, mean * (1.0 - p)) as usize] += 1;
            }
            let (mut sum, mut cells, mut rest) = (0.0, 0.0, (0.0, f64::from(draws)));
            for (k, &count) in found.iter().enumerate() {
                let expected = f64::from(draws) * libm::exp(log_mass(k as f64, n, p));
                let off = f64::from(count) - expected;
                if k as f64 <= n && expected >= 20.0 {
                    (sum, cells, rest.1) = (sum + off * off / expected, cells + 1.0, rest.1 - expected);
                } else {
                    rest.0 += f64::from(count);
                }
            }
            sum += (rest.0 - rest.1) * (rest.0 - rest.1) / rest.1;
            let spread = 2.0 / (9.0 * cells);
            let deviate = (libm::cbrt(sum / cells) - (1.0 - spread)) / libm::sqrt(spread);
            assert!(deviate < 4.75, "{n} {p}: {deviate}");
        }
    }
}
