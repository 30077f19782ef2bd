//! The state of therapy: which line runs, which drugs are taken today, what the last tests showed.

use crate::biology::pharmacology::Schedule;
use crate::clinic::response;
use crate::clinic::strategy::Line;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Treatment as written is saved as JSON: its tagged forms need a format that describes itself.
mod as_json {
    use serde::de::{DeserializeOwned, Error as _};
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        serde_json::to_string(value).map_err(S::Error::custom)?.serialize(to)
    }

    pub(super) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(
        from: D,
    ) -> Result<T, D::Error> {
        serde_json::from_str(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// A drug being taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DrugCourse {
    pub(crate) drug: usize,
    pub(crate) dose: f64,
    pub(crate) schedule: Schedule,
    pub(crate) started: u64,
    pub(crate) held_for_neutrophils: bool,
    pub(crate) held_adaptively: bool,
    pub(crate) held_by_hand: bool,
    pub(crate) reductions: u32,
    pub(crate) lowest_neutrophils: f64,
}

impl DrugCourse {
    pub(crate) fn new(drug: usize, dose: f64, schedule: Schedule, started: u64) -> Self {
        Self {
            drug,
            dose,
            schedule,
            started,
            held_for_neutrophils: false,
            held_adaptively: false,
            held_by_hand: false,
            reductions: 0,
            lowest_neutrophils: f64::INFINITY,
        }
    }
}

/// A line in progress. Days are counted from diagnosis unless said otherwise.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RunningLine {
    pub(crate) number: u32,
    #[serde(with = "as_json")]
    pub(crate) line: Line,
    pub(crate) started: u64,
    pub(crate) regimen: String,
    pub(crate) courses: Vec<DrugCourse>,
    pub(crate) holiday_drugs: Vec<usize>,
    pub(crate) adaptive_drugs: Vec<usize>,
    pub(crate) cycle_days: u32,
    pub(crate) response: response::Course,
    /// Planned day of the next scan, from the start of the line.
    pub(crate) next_scan: f64,
    pub(crate) next_biopsy: f64,
    pub(crate) nadir_cm3: f64,
    pub(crate) sld_change: f64,
    pub(crate) progressed: Option<u64>,
    pub(crate) rules_used: Vec<bool>,
}

impl RunningLine {
    /// Days since the start of the line.
    pub(crate) fn days(&self, today: u64) -> u64 {
        today - self.started
    }

    pub(crate) fn on_holiday(&self, drug: usize, today: u64) -> bool {
        self.line.holiday.as_ref().is_some_and(|holiday| {
            let in_period = self.days(today) % u64::from(holiday.on_days + holiday.off_days);
            in_period >= u64::from(holiday.on_days) && self.holiday_drugs.contains(&drug)
        })
    }

    /// Whether a course is given today (its schedule apart).
    pub(crate) fn is_given(&self, course: &DrugCourse, today: u64) -> bool {
        !course.held_for_neutrophils
            && !course.held_adaptively
            && !course.held_by_hand
            && !self.on_holiday(course.drug, today)
    }
}

/// Therapy of one patient.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Treatment {
    #[serde(with = "as_json")]
    pub(crate) plan: Arc<Vec<Line>>,
    pub(crate) observed: bool,
    pub(crate) begun: usize,
    /// Lines that were begun outside the plan, or by a plan before this one.
    pub(crate) by_hand: usize,
    pub(crate) line: Option<RunningLine>,
    pub(crate) not_tolerated: Vec<usize>,
    pub(crate) progressions: Vec<u64>,
    /// Days to progression (or to the end) of the line before; none on the very first line.
    pub(crate) last_line_days: Option<u64>,
    pub(crate) allele_fractions: Vec<f64>,
}

impl Treatment {
    /// Therapy by `plan`; `observed` lines belong to a trial with follow-up, others came before it.
    pub(crate) fn new(plan: Arc<Vec<Line>>, observed: bool) -> Self {
        Self { plan, observed, ..Self::default() }
    }

    /// The plan that follows on this one: what the body has shown it cannot bear, how long the last
    /// line helped, and what the last blood sample showed stay known.
    pub(crate) fn followed_by(self, plan: Arc<Vec<Line>>, observed: bool) -> Self {
        let Self { not_tolerated, last_line_days, allele_fractions, .. } = self;
        Self { not_tolerated, last_line_days, allele_fractions, ..Self::new(plan, observed) }
    }

    /// The number of the line that was begun last.
    pub(crate) fn number(&self) -> u32 {
        (self.begun + self.by_hand) as u32
    }

    /// Whether follow-up runs.
    pub(crate) fn is_observed(&self) -> bool {
        self.observed
    }

    /// Whether every line of the plan is over.
    pub(crate) fn is_over(&self) -> bool {
        self.line.is_none() && self.begun >= self.plan.len()
    }

    /// Doses (number, relative size) of every drug today.
    pub(crate) fn doses_today(&self, drugs: usize, today: u64) -> Vec<(u32, f64)> {
        let mut doses = vec![(0, 0.0); drugs];
        if let Some(line) = &self.line {
            for course in line.courses.iter().filter(|course| line.is_given(course, today)) {
                let number = course.schedule.doses_on((today - course.started) as u32);
                doses[course.drug] = (number, course.dose);
            }
        }
        doses
    }
}
