//! RECIST 1.1 (Eisenhauer et al. 2009, Eur J Cancer 45:228): what a series of scans says of a line.

use crate::bounds::bounded;
use serde::{Deserialize, Serialize};

/// Response category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Response {
    /// Not evaluable, or nothing to see from the start.
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

    fn is_objective(self) -> bool {
        matches!(self, Self::Partial | Self::Complete)
    }
}

/// Decrease of the sum from baseline that makes a partial response.
pub const PARTIAL: f64 = -0.30;
/// Increase of the sum over the nadir that makes progression ...
pub const PROGRESSION: f64 = 0.20;
/// ... if it is also at least this many mm.
pub const PROGRESSION_MM: f64 = 5.0;
/// A lesion of at least this diameter can be measured, and be a target lesion.
pub const MEASURABLE_MM: f64 = 10.0;
/// What is recorded of a target lesion that is seen but too small to be measured.
pub const TOO_SMALL_MM: f64 = 5.0;
/// Stable disease asks for a scan at least so long after baseline ("in general not less than 6-8 weeks").
pub const STABLE_DAYS: u64 = 42;

/// What an experiment asks of scans, the same in all arms.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Criteria {
    /// What growth is counted from.
    pub progression_from: Reference,
    /// A response counts if a scan at least so many days later shows it, too; none: at once.
    pub confirmed_after_days: Option<f64>,
    /// Share of the lethal volume at which the disease makes a patient ill between scans; none: never.
    pub symptomatic_share: Option<f64>,
}

bounded!(Criteria {
    confirmed_after_days: 1.0, 364.0;
    symptomatic_share: 0.01, 1.0;
});

/// What growth is counted from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reference {
    /// The smallest sum on the line, as RECIST has it.
    #[default]
    Nadir,
    /// The baseline of the line, as trials of adaptive therapy have it, where regrowth is part of the plan.
    Baseline,
}

/// Table 1 and table 2 of RECIST 1.1: the category of a visit from those of target disease and of
/// non-target disease, each none where the baseline had none of it, and from new lesions.
pub fn overall(target: Option<Response>, non_target: Option<Response>, new_lesion: bool) -> Response {
    use Response::{Complete, NotEvaluable, Partial, Progression};
    if new_lesion || target == Some(Progression) || non_target == Some(Progression) {
        return Progression;
    }
    match (target, non_target) {
        (Some(Complete), None | Some(Complete)) => Complete,
        (Some(Complete), Some(_)) => Partial,
        (Some(of_targets), _) => of_targets,
        (None, of_others) => of_others.unwrap_or(NotEvaluable),
    }
}

/// Best overall response over visits (day since baseline, category) up to the first progression. Where
/// responses are confirmed, by table 3.
pub fn best_overall(visits: &[(u64, Response)], confirmed_after_days: Option<f64>) -> Response {
    let counts = |index: usize| {
        let (day, category) = visits[index];
        let holds = |later: &(u64, Response)| {
            later.1 >= category && confirmed_after_days.is_some_and(|least| (later.0 - day) as f64 >= least)
        };
        let stable = if day >= STABLE_DAYS { Response::Stable } else { Response::NotEvaluable };
        match category {
            Response::Stable => stable,
            _ if !category.is_objective() || confirmed_after_days.is_none() => category,
            _ if visits[index..].iter().any(holds) => category,
            // A complete response that a later scan shows in part is a partial one, if that is confirmed.
            _ if visits[index..].iter().any(|later| {
                later.1.is_objective()
                    && confirmed_after_days.is_some_and(|least| (later.0 - day) as f64 >= least)
            }) =>
            {
                Response::Partial
            }
            _ => stable,
        }
    };
    (0..visits.len()).map(counts).max().unwrap_or(Response::NotEvaluable)
}

/// What the scan before a line shows; none where there is nothing of the kind.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Baseline {
    /// Sum of longest diameters of the target lesions, mm.
    pub target_mm: Option<f64>,
    /// Volume of all other disease that is seen, cm3.
    pub rest_cm3: Option<f64>,
}

/// What one scan shows.
#[derive(Clone, Copy, Debug)]
pub struct Scan {
    /// Days since baseline.
    pub day: u64,
    /// Whether it can be judged.
    pub evaluable: bool,
    /// Sum of longest diameters of target lesions, mm; 0 when all have disappeared.
    pub target_mm: f64,
    /// Volume of all other disease, cm3; 0 when none of it is seen.
    pub rest_cm3: f64,
    /// Whether disease that was not there at baseline would be unequivocal by now.
    pub recurred: bool,
    /// Lesions first seen on this scan.
    pub new_lesions: u64,
}

/// What a visit comes to.
#[derive(Clone, Copy, Debug)]
pub struct Visit {
    /// Its category.
    pub category: Response,
    /// Relative change of the sum of diameters from baseline; none without target lesions or judgement.
    pub change: Option<f64>,
    /// Whether what was there at baseline has progressed.
    pub grown: bool,
}

/// The course of one line of therapy on scans.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Course {
    criteria: Criteria,
    baseline: Baseline,
    nadir: Baseline,
    visits: Vec<(u64, Response)>,
    best_change: Option<f64>,
}

impl Course {
    /// Start from a baseline scan.
    pub fn new(baseline: Baseline, criteria: Criteria) -> Self {
        Self { criteria, baseline, nadir: baseline, visits: Vec::new(), best_change: None }
    }

    /// Read a scan.
    pub fn read(&mut self, scan: &Scan) -> Visit {
        let reference = match self.criteria.progression_from {
            Reference::Nadir => self.nadir,
            Reference::Baseline => self.baseline,
        };
        let judged = |category: Response| if scan.evaluable { category } else { Response::NotEvaluable };
        let target = self.baseline.target_mm.zip(reference.target_mm).map(|(baseline, least)| {
            let grown = scan.target_mm - least;
            judged(if grown >= PROGRESSION_MM && grown >= PROGRESSION * least {
                Response::Progression
            } else if scan.target_mm <= 0.0 {
                Response::Complete
            } else if scan.target_mm / baseline - 1.0 <= PARTIAL {
                Response::Partial
            } else {
                Response::Stable
            })
        });
        let rest = reference.rest_cm3.map(|least| {
            // Well mixed disease grows alike everywhere: beside target lesions these speak for it. +20% in
            // diameter is +73% in volume at constant shape.
            let grown = target.is_none() && scan.rest_cm3 >= least * libm::pow(1.0 + PROGRESSION, 3.0);
            judged(if grown {
                Response::Progression
            } else if scan.rest_cm3 <= 0.0 {
                Response::Complete
            } else {
                Response::Stable
            })
        });
        let recurred = scan.evaluable && scan.recurred && target.is_none() && rest.is_none();
        let category = overall(target, rest, scan.new_lesions > 0 || recurred);
        let change = self
            .baseline
            .target_mm
            .filter(|_| scan.evaluable)
            .map(|baseline| scan.target_mm / baseline - 1.0);
        if scan.evaluable {
            self.nadir.target_mm = self.nadir.target_mm.map(|least| least.min(scan.target_mm));
            self.nadir.rest_cm3 = self.nadir.rest_cm3.map(|least| least.min(scan.rest_cm3));
        }
        if !self.has_progressed() {
            self.visits.push((scan.day, category));
            self.best_change = match (self.best_change, change) {
                (Some(best), Some(change)) => Some(best.min(change)),
                (best, change) => best.or(change),
            };
        }
        let of_baseline = target == Some(Response::Progression) || rest == Some(Response::Progression);
        Visit { category, change, grown: of_baseline || recurred }
    }

    fn has_progressed(&self) -> bool {
        self.visits.last().is_some_and(|visit| visit.1 == Response::Progression)
    }

    /// Best overall response up to progression.
    pub fn best(&self) -> Response {
        best_overall(&self.visits, self.criteria.confirmed_after_days)
    }

    /// Best (smallest) relative change of the sum from baseline up to progression; NaN without one.
    pub fn best_change(&self) -> f64 {
        self.best_change.unwrap_or(f64::NAN)
    }
}

#[cfg(test)]
mod tests {
    use super::Response::{Complete, NotEvaluable, Partial, Progression, Stable};
    use super::*;

    const WITH_REST: Baseline = Baseline { target_mm: Some(100.0), rest_cm3: Some(10.0) };
    const TARGETS_ONLY: Baseline = Baseline { target_mm: Some(100.0), rest_cm3: None };
    const NOTHING_TO_MEASURE: Baseline = Baseline { target_mm: None, rest_cm3: Some(10.0) };
    const NOTHING: Baseline = Baseline { target_mm: None, rest_cm3: None };

    fn scan(day: u64, target_mm: f64, rest_cm3: f64) -> Scan {
        Scan { day, evaluable: true, target_mm, rest_cm3, recurred: rest_cm3 > 0.0, new_lesions: 0 }
    }

    /// Categories of scans eight weeks apart: sums of diameters, with non-target disease unchanged.
    fn categories(baseline: Baseline, criteria: Criteria, sums_mm: &[f64]) -> (Vec<Response>, Response) {
        let mut course = Course::new(baseline, criteria);
        let rest = baseline.rest_cm3.unwrap_or(0.0);
        let visits = (1..)
            .zip(sums_mm)
            .map(|(visit, &mm)| course.read(&scan(56 * visit, mm, rest)).category)
            .collect();
        (visits, course.best())
    }

    fn best(sums_mm: &[f64]) -> Response {
        categories(TARGETS_ONLY, Criteria::default(), sums_mm).1
    }

    #[test]
    fn table_1_of_recist_with_target_disease() {
        for (target, non_target, new, expected) in [
            (Complete, Some(Complete), false, Complete),
            (Complete, None, false, Complete),
            (Complete, Some(Stable), false, Partial),
            (Complete, Some(NotEvaluable), false, Partial),
            (Partial, Some(Stable), false, Partial),
            (Partial, Some(NotEvaluable), false, Partial),
            (Stable, Some(Stable), false, Stable),
            (Stable, Some(NotEvaluable), false, Stable),
            (NotEvaluable, Some(Stable), false, NotEvaluable),
            (Progression, Some(Complete), false, Progression),
            (Complete, Some(Progression), false, Progression),
            (Complete, Some(Complete), true, Progression),
            (NotEvaluable, Some(NotEvaluable), true, Progression),
        ] {
            assert_eq!(overall(Some(target), non_target, new), expected, "{target:?} {non_target:?} {new}");
        }
    }

    #[test]
    fn table_2_of_recist_without_target_disease() {
        for (non_target, new, expected) in [
            (Complete, false, Complete),
            (Stable, false, Stable),
            (NotEvaluable, false, NotEvaluable),
            (Progression, false, Progression),
            (Complete, true, Progression),
        ] {
            assert_eq!(overall(None, Some(non_target), new), expected, "{non_target:?} {new}");
        }
        assert_eq!(overall(None, None, false), NotEvaluable);
        assert_eq!(overall(None, None, true), Progression);
    }

    #[test]
    fn table_3_of_recist_where_responses_are_confirmed() {
        let at = |days: &[u64], of: &[Response]| -> Vec<(u64, Response)> {
            days.iter().copied().zip(of.iter().copied()).collect()
        };
        for (days, visits, expected) in [
            ([56, 112], [Complete, Complete], Complete),
            ([56, 112], [Complete, Partial], Partial),
            ([56, 112], [Complete, Stable], Stable),
            ([28, 56], [Complete, Stable], Stable),
            ([56, 112], [Complete, Progression], Stable),
            ([28, 112], [Complete, Progression], Progression),
            ([56, 112], [Complete, NotEvaluable], Stable),
            ([28, 112], [Complete, NotEvaluable], NotEvaluable),
            ([56, 112], [Partial, Complete], Partial),
            ([56, 112], [Partial, Partial], Partial),
            ([56, 70], [Partial, Partial], Stable),
            ([56, 112], [Partial, Stable], Stable),
            ([56, 112], [Partial, Progression], Stable),
            ([28, 112], [Partial, Progression], Progression),
            ([56, 112], [Partial, NotEvaluable], Stable),
            ([28, 112], [Partial, NotEvaluable], NotEvaluable),
            ([56, 112], [NotEvaluable, NotEvaluable], NotEvaluable),
        ] {
            assert_eq!(best_overall(&at(&days, &visits), Some(28.0)), expected, "{visits:?} on {days:?}");
        }
        let spaced = at(&[56, 112, 168], &[Partial, NotEvaluable, Partial]);
        assert_eq!(best_overall(&spaced, Some(28.0)), Partial);
    }

    #[test]
    fn stable_disease_asks_for_six_weeks() {
        assert_eq!(best_overall(&[(28, Stable)], None), NotEvaluable);
        assert_eq!(best_overall(&[(28, Stable), (56, Progression)], None), Progression);
        assert_eq!(best_overall(&[(42, Stable), (56, Progression)], None), Stable);
    }

    #[test]
    fn twenty_percent_over_the_nadir_is_progression_only_with_five_millimetres() {
        let of = |baseline_mm: f64, sum_mm: f64| {
            let baseline = Baseline { target_mm: Some(baseline_mm), rest_cm3: None };
            Course::new(baseline, Criteria::default()).read(&scan(56, sum_mm, 0.0)).category
        };
        assert_eq!(of(20.0, 24.5), Stable);
        assert_eq!(of(20.0, 25.0), Progression);
        assert_eq!(of(100.0, 119.0), Stable);
        assert_eq!(of(100.0, 120.0), Progression);
    }

    #[test]
    fn response_is_counted_from_baseline_and_progression_from_the_nadir() {
        let (visits, best) = categories(TARGETS_ONLY, Criteria::default(), &[70.0, 84.0]);
        assert_eq!(visits, [Partial, Progression]);
        assert_eq!(best, Partial);
    }

    #[test]
    fn an_experiment_may_count_progression_from_the_baseline() {
        let criteria = Criteria { progression_from: Reference::Baseline, ..Criteria::default() };
        let (visits, _) = categories(TARGETS_ONLY, criteria, &[50.0, 100.0, 119.0, 120.0]);
        assert_eq!(visits, [Partial, Stable, Stable, Progression]);
    }

    #[test]
    fn scans_after_progression_change_neither_best_response_nor_best_change() {
        assert_eq!(best(&[120.0, 100.0, 100.0, 60.0]), Progression);
        assert_eq!(best(&[95.0, 120.0, 60.0]), Stable);
        let mut course = Course::new(TARGETS_ONLY, Criteria::default());
        for (visit, mm) in (1..).zip([95.0, 120.0, 60.0]) {
            course.read(&scan(56 * visit, mm, 0.0));
        }
        assert!((course.best_change() + 0.05).abs() < 1e-12);
    }

    #[test]
    fn complete_response_asks_for_non_target_disease_to_be_gone_too() {
        let mut course = Course::new(WITH_REST, Criteria::default());
        assert_eq!(course.read(&scan(56, 0.0, 0.1)).category, Partial);
        assert_eq!(course.read(&scan(112, 0.0, 0.0)).category, Complete);
        assert_eq!(course.best(), Complete);
    }

    #[test]
    fn a_lesion_that_comes_back_after_complete_response_is_progression() {
        assert_eq!(
            categories(TARGETS_ONLY, Criteria::default(), &[0.0, TOO_SMALL_MM]).0,
            [Complete, Progression]
        );
    }

    #[test]
    fn a_new_lesion_is_progression_even_when_targets_shrink_or_cannot_be_judged() {
        for evaluable in [true, false] {
            let mut course = Course::new(TARGETS_ONLY, Criteria::default());
            let seen = Scan { new_lesions: 1, evaluable, ..scan(56, 50.0, 0.0) };
            let visit = course.read(&seen);
            assert_eq!(visit.category, Progression);
            assert!(!visit.grown);
        }
    }

    #[test]
    fn a_scan_that_cannot_be_judged_leaves_the_nadir_and_the_best_response_as_they_were() {
        let mut course = Course::new(TARGETS_ONLY, Criteria::default());
        let unclear = Scan { evaluable: false, ..scan(56, 10.0, 0.0) };
        let visit = course.read(&unclear);
        assert_eq!(visit.category, NotEvaluable);
        assert_eq!(visit.change, None);
        assert_eq!(course.best(), NotEvaluable);
        assert_eq!(course.read(&scan(112, 100.0, 0.0)).category, Stable);
        assert!(course.best_change().abs() < 1e-12);
    }

    #[test]
    fn disease_without_measurable_lesions_responds_completely_or_not() {
        let mut course = Course::new(NOTHING_TO_MEASURE, Criteria::default());
        assert_eq!(course.read(&scan(56, 0.0, 1.0)).category, Stable);
        assert_eq!(course.read(&scan(112, 0.0, 1.72)).category, Stable);
        assert_eq!(course.read(&scan(168, 0.0, 1.73)).category, Progression);
        assert!(course.best_change().is_nan());
        let mut cleared = Course::new(NOTHING_TO_MEASURE, Criteria::default());
        assert_eq!(cleared.read(&scan(56, 0.0, 0.0)).category, Complete);
    }

    #[test]
    fn where_nothing_was_to_be_seen_there_is_recurrence_and_no_response() {
        let mut course = Course::new(NOTHING, Criteria::default());
        assert_eq!(course.read(&scan(56, 0.0, 0.0)).category, NotEvaluable);
        assert_eq!(course.best(), NotEvaluable);
        let visit = course.read(&scan(112, 0.0, 1.0));
        assert_eq!(visit.category, Progression);
        assert!(visit.grown);
    }
}
