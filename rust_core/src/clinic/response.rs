//! RECIST 1.1 (Eisenhauer et al. 2009, Eur J Cancer 45:228) on sums of longest diameters.

use serde::{Deserialize, Serialize};

/// Response category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Response {
    /// Not evaluable: no scan after baseline.
    NotEvaluable,
    /// Progressive disease.
    Progression,
    /// Stable disease (or non-CR/non-PD without measurable disease).
    Stable,
    /// Partial response: at least 30% below baseline.
    Partial,
    /// Complete response: nothing left to see.
    Complete,
}

impl Response {
    /// The abbreviation used in tables.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotEvaluable => "NE",
            Self::Progression => "PD",
            Self::Stable => "SD",
            Self::Partial => "PR",
            Self::Complete => "CR",
        }
    }
}

/// Decrease of the sum from baseline that makes a partial response.
pub const PARTIAL: f64 = -0.30;
/// Increase of the sum over the nadir that makes progression ...
pub const PROGRESSION: f64 = 0.20;
/// ... if it is also at least this many mm.
pub const PROGRESSION_MM: f64 = 5.0;

/// What one scan shows.
#[derive(Clone, Copy, Debug)]
pub struct Scan {
    /// Sum of longest diameters of target lesions, mm.
    pub sld_mm: f64,
    /// Lesions first seen on this scan.
    pub new_lesions: u64,
    /// Volume of all disease over its nadir volume on this line: unequivocal progression of
    /// non-target disease when measurable disease is absent.
    pub volume_over_nadir: f64,
}

/// The course of one line of therapy on scans.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Course {
    measurable: bool,
    against_baseline: bool,
    baseline_mm: f64,
    nadir_mm: f64,
    best: Response,
    best_change: f64,
}

impl Course {
    /// Start from a baseline scan. `against_baseline`: progression is counted from the baseline
    /// instead of the nadir, as in adaptive therapy, where regrowth is part of the plan.
    pub fn new(baseline_mm: f64, measurable: bool, against_baseline: bool) -> Self {
        Self {
            measurable,
            against_baseline,
            baseline_mm,
            nadir_mm: baseline_mm,
            best: Response::NotEvaluable,
            best_change: f64::NAN,
        }
    }

    /// Read a scan: the category of this visit and the relative change from baseline.
    pub fn read(&mut self, scan: &Scan) -> (Response, f64) {
        let change = if self.baseline_mm > 0.0 { scan.sld_mm / self.baseline_mm - 1.0 } else { f64::NAN };
        let reference = if self.against_baseline { self.baseline_mm } else { self.nadir_mm };
        let grown = scan.sld_mm - reference;
        let target_progression = grown >= PROGRESSION_MM && grown >= PROGRESSION * reference;
        // +20% in diameter is +73% in volume at constant shape.
        let bulk_progression =
            scan.volume_over_nadir >= (1.0 + PROGRESSION).powi(3) && !self.against_baseline;
        let category = if scan.new_lesions > 0 {
            Response::Progression
        } else if !self.measurable {
            if bulk_progression { Response::Progression } else { Response::Stable }
        } else if target_progression {
            Response::Progression
        } else if scan.sld_mm <= 0.0 {
            Response::Complete
        } else if change <= PARTIAL {
            Response::Partial
        } else {
            Response::Stable
        };
        if self.measurable {
            self.nadir_mm = self.nadir_mm.min(scan.sld_mm);
            self.best_change = if self.best_change.is_nan() { change } else { self.best_change.min(change) };
        }
        self.best = self.best.max(category);
        (category, if self.measurable { change } else { f64::NAN })
    }

    /// Best category so far.
    pub fn best(&self) -> Response {
        self.best
    }

    /// Best (smallest) relative change of the sum from baseline; NaN without a scan.
    pub fn best_change(&self) -> f64 {
        self.best_change
    }

    /// Baseline sum, mm.
    pub fn baseline_mm(&self) -> f64 {
        self.baseline_mm
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(sld_mm: f64) -> Scan {
        Scan { sld_mm, new_lesions: 0, volume_over_nadir: 1.0 }
    }

    #[test]
    fn twenty_percent_over_the_nadir_is_progression_only_with_five_millimetres() {
        let mut small = Course::new(20.0, true, false);
        assert_eq!(small.read(&scan(24.5)).0, Response::Stable);
        assert_eq!(small.read(&scan(25.0)).0, Response::Progression);
        let mut large = Course::new(100.0, true, false);
        assert_eq!(large.read(&scan(119.0)).0, Response::Stable);
        assert_eq!(large.read(&scan(120.0)).0, Response::Progression);
    }

    #[test]
    fn response_is_counted_from_baseline_and_progression_from_the_nadir() {
        let mut course = Course::new(100.0, true, false);
        assert_eq!(course.read(&scan(70.0)).0, Response::Partial);
        assert_eq!(course.read(&scan(84.0)).0, Response::Progression);
        assert_eq!(course.best(), Response::Partial);
    }

    #[test]
    fn a_new_lesion_is_progression_even_when_targets_shrink() {
        let mut course = Course::new(100.0, true, false);
        let seen = Scan { sld_mm: 50.0, new_lesions: 1, volume_over_nadir: 1.0 };
        assert_eq!(course.read(&seen).0, Response::Progression);
    }

    #[test]
    fn disease_without_measurable_lesions_never_responds_partially() {
        let mut course = Course::new(0.0, false, false);
        assert_eq!(course.read(&scan(0.0)).0, Response::Stable);
    }
}
