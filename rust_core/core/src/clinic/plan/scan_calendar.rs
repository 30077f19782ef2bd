//! When scans are made.

use crate::bounds::{ABOVE_ZERO, Bounded, bounded};
use crate::clinic::months::{DAYS_PER_MONTH, MOST_MONTHS};
use crate::error::{Error, Result, within};
use crate::random::{Purpose, stream, uniform};
use serde::{Deserialize, Serialize};

/// Days on which scans are planned, and how far off they are made.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScanCalendar {
    /// Stretches in order.
    pub calendar: Vec<ScanPeriod>,
    /// A scan is made up to so many days before or after the planned day, every day alike.
    pub window_days: f64,
    /// Share of planned scans that are not made.
    #[serde(default)]
    pub missed: f64,
    /// Share of the scans made that cannot be judged.
    #[serde(default)]
    pub not_evaluable: f64,
}

/// What became of a planned scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// It was not made.
    Missed,
    /// It was made, and cannot be judged but for new lesions.
    NotEvaluable,
    /// It can be judged.
    Evaluable,
}

/// One stretch of the scan calendar.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScanPeriod {
    /// Days between scans.
    pub every_days: f64,
    /// Months since the start of the line until which it applies; none: for ever.
    #[serde(default)]
    pub until_month: Option<f64>,
}

bounded!(ScanCalendar {
    window_days: 0.0, 1820.0;
    missed: 0.0, 0.9;
    not_evaluable: 0.0, 0.9;
});

bounded!(ScanPeriod {
    every_days: 1.0, 3640.0;
    until_month: ABOVE_ZERO, MOST_MONTHS;
});

impl ScanCalendar {
    /// Check every number.
    pub fn validate(&self) -> Result<()> {
        if self.calendar.is_empty() {
            return Err(Error::input("assessment.calendar", "no scan period; name at least one"));
        }
        self.validate_stretches("assessment.calendar", &self.calendar)?;
        self.within_bounds("assessment")
    }

    /// Check stretches that scans are made by with the window of this calendar.
    pub(crate) fn validate_stretches(&self, place: &str, stretches: &[ScanPeriod]) -> Result<()> {
        let at = |index: usize, key: &str| format!("{place}[{index}].{key}");
        let mut before = 0.0;
        let mut shortest = f64::INFINITY;
        for (index, period) in stretches.iter().enumerate() {
            period.within_bounds(&format!("{place}[{index}]"))?;
            shortest = shortest.min(period.every_days);
            match period.until_month {
                Some(month) => {
                    within(at(index, "until_month"), month, before, f64::INFINITY)?;
                    before = month;
                }
                None if index + 1 < stretches.len() => {
                    return Err(Error::input(
                        at(index, "until_month"),
                        "missing; only the last period may go on for ever",
                    ));
                }
                None => {}
            }
        }
        // One scan must be over before the next is due.
        within("assessment.window_days", self.window_days, 0.0, shortest / 2.0)?;
        Ok(())
    }

    /// Day (since the start of the line) on which the scan after that of `day` is planned, in an arm with a calendar
    /// of its own or without.
    pub fn next(&self, day: f64, of_arm: &[ScanPeriod]) -> f64 {
        let stretches = if of_arm.is_empty() { &self.calendar } else { of_arm };
        let period = stretches
            .iter()
            .find(|p| p.until_month.is_none_or(|month| day < month * DAYS_PER_MONTH))
            .or(stretches.last());
        period.map_or(f64::INFINITY, |p| day + p.every_days)
    }

    /// Day on which the scan planned for `day` of a line is made: a function of patient, line and that day
    /// alone, so twins are scanned on the same days.
    pub fn made(&self, day: f64, seed: u64, patient: u64, line: u64) -> f64 {
        if self.window_days == 0.0 || !day.is_finite() {
            return day;
        }
        let rng = &mut stream(seed, patient, Purpose::ScanDay, planned_scan(day, line));
        day + self.window_days * (2.0 * uniform(rng) - 1.0)
    }

    /// What becomes of the scan planned for `day` of a line, the same for twins.
    pub fn quality(&self, day: f64, seed: u64, patient: u64, line: u64) -> Made {
        if self.missed + self.not_evaluable <= 0.0 {
            return Made::Evaluable;
        }
        let rng = &mut stream(seed, patient, Purpose::ScanQuality, planned_scan(day, line));
        if uniform(rng) < self.missed {
            Made::Missed
        } else if uniform(rng) < self.not_evaluable {
            Made::NotEvaluable
        } else {
            Made::Evaluable
        }
    }
}

/// Names a planned scan in random choices.
fn planned_scan(day: f64, line: u64) -> u64 {
    line << u32::BITS | day as u64
}

/// First scan of a regular calendar on or after `day`: when an event is seen.
pub fn first_scan_on_or_after(day: f64, every_days: f64) -> f64 {
    libm::ceil(day / every_days) * every_days
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eight_weekly(window_days: f64) -> ScanCalendar {
        ScanCalendar {
            calendar: vec![ScanPeriod { every_days: 56.0, until_month: None }],
            window_days,
            missed: 0.0,
            not_evaluable: 0.0,
        }
    }

    #[test]
    fn scans_are_spread_evenly_over_the_window() {
        let (calendar, patients) = (eight_weekly(7.0), 20_000);
        let mut off: Vec<f64> = (0..patients).map(|id| calendar.made(56.0, 3, id, 1) - 56.0).collect();
        off.sort_by(f64::total_cmp);
        let even = |x: f64| (x + 7.0) / 14.0;
        let number = patients as f64;
        let gap = off.iter().enumerate().map(|(i, &x)| (even(x) - (i as f64 + 0.5) / number).abs());
        // Kolmogorov: exceeded with probability 1e-6.
        assert!(gap.fold(0.0, f64::max) < libm::sqrt(libm::log(2.0 / 1e-6) / (2.0 * number)));
    }

    #[test]
    fn the_day_is_a_function_of_patient_line_and_planned_day() {
        let calendar = eight_weekly(7.0);
        let day = calendar.made(56.0, 3, 8, 1);
        assert_eq!(day.to_bits(), calendar.made(56.0, 3, 8, 1).to_bits());
        for other in [
            calendar.made(56.0, 4, 8, 1),
            calendar.made(56.0, 3, 9, 1),
            calendar.made(56.0, 3, 8, 2),
            calendar.made(112.0, 3, 8, 1) - 56.0,
        ] {
            assert!((other - 56.0).abs() <= 7.0 && other.to_bits() != day.to_bits());
        }
        assert_eq!(eight_weekly(0.0).made(56.0, 3, 8, 1).to_bits(), 56.0_f64.to_bits());
    }

    #[test]
    fn scans_are_missed_and_unclear_as_often_as_is_said() {
        let calendar = ScanCalendar { missed: 0.2, not_evaluable: 0.1, ..eight_weekly(7.0) };
        let patients = 20_000;
        let of = |made: Made| {
            (0..patients).filter(|&id| calendar.quality(56.0, 3, id, 1) == made).count() as f64
                / patients as f64
        };
        // 4.9 standard errors: alpha = 1e-6.
        for (made, share) in [(Made::Missed, 0.2), (Made::NotEvaluable, 0.08)] {
            let error = libm::sqrt(share * (1.0 - share) / patients as f64);
            assert!((of(made) - share).abs() < 4.9 * error, "{made:?}: {}", of(made));
        }
        assert_eq!(eight_weekly(7.0).quality(56.0, 3, 8, 1), Made::Evaluable);
    }

    #[test]
    fn one_scan_is_over_before_the_next_is_due() {
        assert!(eight_weekly(28.0).validate().is_ok());
        let refused = eight_weekly(28.5).validate().expect_err("too wide").to_string();
        assert!(refused.contains("assessment.window_days"), "{refused}");
        assert!(eight_weekly(-1.0).validate().is_err());
    }
}
