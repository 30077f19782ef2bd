//! Exponential and logarithm by tables (Tang 1989, doi:10.1145/63522.214389; 1990, doi:10.1145/98267.98294), for where
//! millions are asked for: half the time of `libm`, and like that the same on every machine.

use std::sync::LazyLock;

/// Parts of an octave, for the exponential and for the logarithm.
const STEPS: usize = 32;
const INTERVALS: usize = 256;
/// Added to a number below 2^51 and taken away, it leaves the next whole one.
const ROUNDER: f64 = 6_755_399_441_055_744.0;
/// `ln(2) / STEPS`, in two parts of which the first times a whole number is exact, and one over it.
const STEP: f64 = 0.021_660_849_390_173_098;
const STEP_REST: f64 = 2.325_192_846_878_874e-12;
const STEPS_PER_UNIT: f64 = 46.166_241_308_446_83;

/// `2^(i / STEPS)`.
static POWERS: LazyLock<[f64; STEPS]> =
    LazyLock::new(|| core::array::from_fn(|i| libm::exp2(i as f64 / STEPS as f64)));

/// Of the middle of each interval between 1 and 2: one over it, and the logarithm of the middle.
static LOGARITHMS: LazyLock<[(f64, f64); INTERVALS]> = LazyLock::new(|| {
    core::array::from_fn(|i| {
        // The first interval has 1 itself, so that the logarithm of 1 is 0.
        let middle = if i == 0 { 1.0 } else { 1.0 + (i as f64 + 0.5) / INTERVALS as f64 };
        let inverse = 1.0 / middle;
        (inverse, -libm::log(inverse))
    })
});

/// `e^x`, to a unit in its last place or two.
#[inline]
pub fn exp(x: f64) -> f64 {
    if x.is_nan() || x.abs() >= 700.0 {
        return libm::exp(x);
    }
    let shifted = x * STEPS_PER_UNIT + ROUNDER;
    let whole = shifted - ROUNDER;
    let rest = (x - whole * STEP) - whole * STEP_REST;
    // Between 2^52 and 2^53 the last bits of a number are those of its whole part.
    let steps = shifted.to_bits().wrapping_sub(ROUNDER.to_bits()).cast_signed();
    let square = rest * rest;
    let more = rest
        + square * (0.5 + rest * (1.0 / 6.0))
        + square * square * (1.0 / 24.0 + rest * (1.0 / 120.0) + square * (1.0 / 720.0));
    let power = POWERS[steps as usize % STEPS];
    let octave = f64::from_bits(((1023 + (steps >> 5)) as u64) << 52);
    (power + power * more) * octave
}

/// Natural logarithm, to 4e-16 or to a unit or two in its last place, whatever is more.
#[inline]
pub fn log(x: f64) -> f64 {
    if !(f64::MIN_POSITIVE..=f64::MAX).contains(&x) {
        return libm::log(x);
    }
    let bits = x.to_bits();
    let octaves = (bits >> 52).cast_signed() - 1023;
    let between = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
    let (inverse, logarithm) = LOGARITHMS[(bits >> 44) as usize % INTERVALS];
    let rest = between * inverse - 1.0;
    let square = rest * rest;
    let more = rest
        - square * (0.5 - rest * (1.0 / 3.0))
        - square * square * (0.25 - rest * (1.0 / 5.0) + square * (1.0 / 6.0));
    octaves as f64 * core::f64::consts::LN_2 + (logarithm + more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_and_logarithms_are_those_of_libm() {
        for i in -70_000..70_000 {
            let x = f64::from(i) * 0.010_001_7;
            let relative = exp(x) / libm::exp(x) - 1.0;
            assert!(relative.abs() < 5e-16, "exp({x}): {relative}");
        }
        for i in 1..400_000 {
            let x = libm::exp(f64::from(i - 200_000) * 1e-3);
            let (found, known) = (log(x), libm::log(x));
            assert!((found - known).abs() < 4e-16 * (1.0 + known.abs()), "log({x}): {found} {known}");
        }
        assert_eq!((log(1.0), exp(0.0)), (0.0, 1.0));
    }

    #[test]
    fn what_is_no_number_or_beyond_the_tables_is_as_in_libm() {
        for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e3, -1e3, 0.0, -0.0, -1.0, 1e-310] {
            let same = |a: f64, b: f64| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
            assert!(same(exp(x), libm::exp(x)) && same(log(x), libm::log(x)), "{x}");
        }
    }
}
