//! The state of therapy: which line runs, which drugs are taken today, what the last tests showed.

use crate::biology::drug::{Doses, Missed, Schedule};
use crate::clinic::instruments::response;
use crate::clinic::instruments::toxicity::Neutropenia;
use crate::clinic::plan::strategy::Line;
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
    /// Dose as planned, and as it is after reductions.
    pub(crate) planned_dose: f64,
    pub(crate) dose: f64,
    pub(crate) schedule: Schedule,
    /// Day of its schedule, from 0. It stands still while a dose waits.
    pub(crate) clock: u64,
    /// The count for which it is held, if it is.
    pub(crate) held_at_neutrophils: Option<f64>,
    /// Whether a dose was missed since then.
    pub(crate) dose_was_missed: bool,
    pub(crate) held_adaptively: bool,
    pub(crate) held_by_hand: bool,
    pub(crate) reductions: u32,
    pub(crate) lowest_neutrophils: f64,
}

impl DrugCourse {
    pub(crate) fn new(drug: usize, dose: f64, schedule: Schedule) -> Self {
        Self {
            drug,
            planned_dose: dose,
            dose,
            schedule,
            clock: 0,
            held_at_neutrophils: None,
            dose_was_missed: false,
            held_adaptively: false,
            held_by_hand: false,
            reductions: 0,
            lowest_neutrophils: f64::INFINITY,
        }
    }

    /// Hold it if there are too few neutrophils.
    pub(crate) fn hold_for(&mut self, neutrophils: f64, model: &Neutropenia) {
        if neutrophils < model.hold_below {
            self.held_at_neutrophils = Some(neutrophils);
            self.lowest_neutrophils = self.lowest_neutrophils.min(neutrophils);
        }
    }

    /// Whether its schedule has a dose today.
    pub(crate) fn is_due(&self) -> bool {
        self.schedule.doses_on(self.clock).number > 0
    }

    /// The doses of today, if it is `given`. What is put off is due again tomorrow.
    fn pass_day(&mut self, given: bool) -> Doses {
        let due = self.schedule.doses_on(self.clock);
        if given || due.number == 0 || self.schedule.missed == Missed::Skipped {
            self.clock += 1;
        }
        if given { Doses { size: due.size * self.dose, ..due } } else { Doses::default() }
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
    /// Kinds of therapy that were given in it, also those that were stopped since.
    pub(crate) kinds: Vec<usize>,
    pub(crate) holiday_drugs: Vec<usize>,
    pub(crate) adaptive_drugs: Vec<usize>,
    pub(crate) cycle_days: u32,
    /// Which lesions are target lesions.
    pub(crate) targets: Vec<bool>,
    pub(crate) response: response::Course,
    /// Planned day of the next scan, from the start of the line.
    pub(crate) next_scan: f64,
    pub(crate) next_biopsy: f64,
    /// Volume when it was begun.
    pub(crate) started_cm3: f64,
    /// Change of the sum of diameters on the last scan, if there is a sum.
    pub(crate) sld_change: Option<f64>,
    /// Fewest neutrophils in a blood count; NaN without one.
    pub(crate) lowest_neutrophils: f64,
    pub(crate) progressed: Option<u64>,
    pub(crate) rules_used: Vec<bool>,
}

impl RunningLine {
    /// Days since the start of the line.
    pub(crate) fn days(&self, today: u64) -> u64 {
        today - self.started
    }

    /// Note kinds of therapy that are given in it from now on.
    pub(crate) fn also(&mut self, kinds: Vec<usize>) {
        self.kinds.extend(kinds);
        self.kinds.sort_unstable();
        self.kinds.dedup();
    }

    /// Whole cycles of the longest schedule that were given.
    pub(crate) fn cycles_given(&self, today: u64) -> u64 {
        let longest = self.courses.iter().filter(|course| course.schedule.cycle_days == self.cycle_days);
        let days = longest.map(|course| course.clock).max().unwrap_or_else(|| self.days(today));
        days / u64::from(self.cycle_days)
    }

    pub(crate) fn on_holiday(&self, drug: usize, today: u64) -> bool {
        self.line.holiday.as_ref().is_some_and(|holiday| {
            let in_period = self.days(today) % u64::from(holiday.on_days + holiday.off_days);
            in_period >= u64::from(holiday.on_days) && self.holiday_drugs.contains(&drug)
        })
    }

    /// Whether a course is given today (its schedule apart).
    pub(crate) fn is_given(&self, course: &DrugCourse, today: u64) -> bool {
        course.held_at_neutrophils.is_none()
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

    /// Doses of every drug today; the courses pass the day.
    pub(crate) fn pass_day(&mut self, drugs: usize, today: u64) -> Vec<Doses> {
        let mut doses = vec![Doses::default(); drugs];
        if let Some(line) = &mut self.line {
            for course in 0..line.courses.len() {
                let given = line.is_given(&line.courses[course], today);
                let course = &mut line.courses[course];
                doses[course.drug] = course.pass_day(given);
            }
        }
        doses
    }
}

/// What becomes of pauses of drugs that go on.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Held {
    /// They end.
    Resumed,
    /// They last.
    Kept,
}
