//! Days that steps make up.

/// A step as a fraction of whole numbers, so that ten steps of 0.1 days make up a day, and 70 a week.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    numerator: f64,
    denominator: f64,
}

/// Larger denominators are no fraction that somebody meant.
const MOST_PARTS: f64 = 1e9;
/// What rounding may make of a day, as a share of it.
const ROUNDING: f64 = 1e-12;

impl Grid {
    /// Steps of `dt` days: the simplest fraction that is `dt` to the last bit (by continued fractions), or `dt`.
    #[allow(clippy::float_cmp, reason = "the same to the last bit is what is meant")]
    pub fn new(dt: f64) -> Self {
        let (mut before, mut now) = ((0.0, 1.0), (1.0, 0.0));
        let mut rest = dt;
        while now.1 <= MOST_PARTS && rest.is_finite() {
            let whole = libm::floor(rest);
            (before, now) = (now, (whole * now.0 + before.0, whole * now.1 + before.1));
            if now.0 / now.1 == dt {
                return Self { numerator: now.0, denominator: now.1 };
            }
            rest = 1.0 / (rest - whole);
        }
        Self { numerator: dt, denominator: 1.0 }
    }

    /// The day after `steps` steps.
    pub fn day(self, steps: u64) -> f64 {
        steps as f64 * self.numerator / self.denominator
    }

    /// Steps that pass until `day`.
    pub fn steps_until(self, day: f64) -> u64 {
        libm::ceil(day * self.denominator / self.numerator * (1.0 - ROUNDING)) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::float_cmp, reason = "the same to the last bit is what is meant")]
    fn many_small_steps_make_up_the_day_that_is_asked_for() {
        for dt in [1.0, 0.5, 0.1, 0.25, 0.3, 1.0 / 3.0, 1.0 / 49.0, 0.07, 1e-3, 1e-6, 2.0, 30.4375] {
            let grid = Grid::new(dt);
            for steps in [1, 3, 7, 29, 49, 70, 1_000, 12_345, 100_000_000_000] {
                let day = grid.day(steps);
                assert_eq!(grid.steps_until(day), steps, "{steps} steps of {dt}");
                assert!((day / (steps as f64 * dt) - 1.0).abs() < 1e-15);
            }
        }
        assert_eq!(Grid::new(0.1).day(70), 7.0);
        assert_eq!(Grid::new(0.1).day(3), 0.3);
        assert_eq!(Grid::new(1.0 / 3.0).day(3), 1.0);
        assert_eq!(Grid::new(0.07).day(29), 2.03);
        assert_eq!(Grid::new(0.1).steps_until(0.25), 3);
        assert_eq!(Grid::new(1e-6).steps_until(36_500.0), 36_500_000_000);
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "the same to the last bit is what is meant")]
    fn a_step_that_is_no_simple_fraction_is_taken_as_it_is() {
        let dt = core::f64::consts::PI / 7.0;
        assert!((Grid::new(dt).day(10) / (10.0 * dt) - 1.0).abs() < 1e-15);
    }
}
