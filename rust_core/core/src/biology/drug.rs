//! Drugs: doses on a schedule, and where in the pathway they act.

use crate::bounds::{Bounded, bounded};
use crate::error::{Error, Result, within};
use serde::{Deserialize, Serialize};

/// One action of a drug: `max * C^hill / (ic50^hill + C^hill)` at a target.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrugEffect {
    /// Where it acts: index of a target of the pathway.
    pub target: usize,
    /// Largest effect: a fraction.
    pub max: f64,
    /// Concentration of half the largest effect, in the drug's concentration unit.
    pub ic50: f64,
    /// Hill coefficient.
    pub hill: f64,
}

/// The smallest dose, relative to the standard dose.
pub const LEAST_DOSE: f64 = 1e-3;
/// The largest dose, relative to the standard dose.
pub const MOST_DOSE: f64 = 10.0;
/// Doses a day can have.
pub(crate) const MOST_DOSES: usize = 6;
/// When doses are taken within a cycle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Days of the cycle (from 1) on which the drug is taken.
    pub days: Vec<u32>,
    /// Length of the cycle in days.
    pub cycle_days: u32,
    /// Doses on such a day.
    pub doses_per_day: u32,
    /// Dosing days of the first cycle on which the loading dose is given.
    #[serde(default)]
    pub loading_days: Vec<u32>,
    /// Size of the loading dose, relative to the other doses.
    #[serde(default = "one")]
    pub loading_dose: f64,
    /// What becomes of a dose that is due while the drug is paused.
    #[serde(default)]
    pub missed: Missed,
}

fn one() -> f64 {
    1.0
}

/// What becomes of a dose that is due while the drug is paused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// It is left out, and the calendar goes on.
    #[default]
    Skipped,
    /// It is given when the pause is over, and what follows is put off as long.
    GivenLater,
}

/// Doses of one day.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Doses {
    /// How many.
    pub number: u32,
    /// The size of each, relative to the standard dose.
    pub size: f64,
}

bounded!(Schedule {
    cycle_days: 1.0, 366.0;
    doses_per_day: 1.0, MOST_DOSES as f64;
    loading_dose: LEAST_DOSE, MOST_DOSE;
});

impl Schedule {
    /// Check that the doses fit into the cycle.
    pub fn validate(&self, place: &str) -> Result<()> {
        self.within_bounds(place)?;
        if self.days.is_empty() {
            return Err(Error::input(format!("{place}.days"), "no dosing day; name at least one"));
        }
        for &day in self.days.iter().chain(&self.loading_days) {
            if day == 0 || day > self.cycle_days {
                return Err(Error::refused(
                    format!("{place}.days"),
                    day,
                    format!("days of its cycle, 1 to {}", self.cycle_days),
                ));
            }
        }
        Ok(())
    }

    /// Doses due on `day` (from 0) of the course.
    pub fn doses_on(&self, day: u64) -> Doses {
        let cycle_days = u64::from(self.cycle_days);
        let in_cycle = (day % cycle_days + 1) as u32;
        let loading = day < cycle_days && self.loading_days.contains(&in_cycle);
        let due = loading || self.days.contains(&in_cycle);
        Doses {
            number: if due { self.doses_per_day } else { 0 },
            size: if loading { self.loading_dose } else { 1.0 },
        }
    }
}

/// How a drug enters the body.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Route {
    /// By mouth: first-order absorption.
    Oral,
    /// Into a vein: the dose is in plasma at once.
    Iv,
    /// Into muscle: slow first-order absorption.
    Im,
    /// Under the skin: slow first-order absorption.
    Sc,
}

/// A drug at its standard dose.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drug {
    /// Unique name.
    pub name: String,
    /// Route of administration.
    pub route: Route,
    /// Standard schedule.
    pub schedule: Schedule,
    /// Elimination half-life in hours.
    pub half_life_h: f64,
    /// Absorption half-life in hours (unused for `iv`).
    pub absorption_half_life_h: f64,
    /// Average concentration at the standard dose over one dosing interval, at steady state.
    pub steady_state: f64,
    /// Dosing interval in hours for which `steady_state` is the average.
    pub dosing_interval_h: f64,
    /// Actions.
    pub effects: Vec<DrugEffect>,
    /// Kinds of therapy that a line with it is.
    #[serde(default)]
    pub therapies: Vec<String>,
    /// Whether it kills cells that divide, neutrophil precursors among them.
    pub chemotherapy: bool,
    /// Slope of neutrophil-precursor loss per unit of concentration over `steady_state` (Friberg 2002).
    pub neutrophil_slope: f64,
    /// Doses to which it is reduced, relative to the standard dose, falling.
    #[serde(default)]
    pub dose_levels: Vec<f64>,
    /// How it protects neutrophil precursors from other drugs, if it does.
    #[serde(default)]
    pub marrow_protection: Option<Protection>,
    /// What its exposure has in common with that of other drugs, if anything.
    #[serde(default)]
    pub shared_exposure: Option<SharedExposure>,
    /// Hazard of giving the drug up for intolerance, per 30.4375 days on it.
    pub discontinuation_per_month: f64,
}

/// Arrest of neutrophil precursors, which then escape what kills dividing cells:
/// `max * C^hill / (ic50^hill + C^hill)` of the loss.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protection {
    /// Largest share of the loss that is prevented.
    pub max: f64,
    /// Concentration of half the largest effect.
    pub ic50: f64,
    /// Hill coefficient.
    pub hill: f64,
}

/// A way of clearance that drugs share: a patient in whom one of them lasts has the others for longer, too.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedExposure {
    /// Its name.
    pub with: String,
    /// Correlation of the logarithm of the exposure with what is shared.
    pub correlation: f64,
}

bounded!(SharedExposure {
    correlation: 0.0, 1.0;
});

bounded!(Drug {
    half_life_h: 1e-3, 1e5;
    absorption_half_life_h: 0.0, 1e5;
    steady_state: 1e-12, 1e12;
    dosing_interval_h: 1e-3, 1e5;
    neutrophil_slope: 0.0, 1e3;
    discontinuation_per_month: 0.0, 10.0;
});

bounded!(DrugEffect {
    max: 0.0, 1.0;
    ic50: 1e-12, 1e12;
    hill: 0.1, 20.0;
});

bounded!(Protection {
    max: 0.0, 1.0;
    ic50: 1e-12, 1e12;
    hill: 0.1, 20.0;
});

impl Drug {
    /// Whether doses are held when neutrophils are low.
    pub fn is_myelotoxic(&self) -> bool {
        self.neutrophil_slope > 0.0
    }

    /// The dose after so many reductions: at each the next lower level, while there is one.
    pub fn reduced(&self, dose: f64, reductions: u32) -> f64 {
        let lower = |dose: f64| self.dose_levels.iter().copied().find(|&level| level < dose * (1.0 - 1e-9));
        (0..reductions).fold(dose, |dose, _| lower(dose).unwrap_or(dose))
    }

    /// Check every number; the place names the drug. The pathway has so many targets.
    pub fn validate(&self, targets: usize) -> Result<()> {
        let place = format!("drug \"{}\"", self.name);
        self.schedule.validate(&format!("{place}.schedule"))?;
        self.within_bounds(&place)?;
        let mut above = f64::INFINITY;
        for &level in &self.dose_levels {
            within(format!("{place}.dose_levels"), level, LEAST_DOSE, MOST_DOSE)?;
            if level >= above {
                return Err(Error::refused(
                    format!("{place}.dose_levels"),
                    level,
                    format!("below {above}, the one before"),
                ));
            }
            above = level;
        }
        if let Some(protection) = &self.marrow_protection {
            protection.within_bounds(&format!("{place}.marrow_protection"))?;
        }
        if let Some(shared) = &self.shared_exposure {
            shared.within_bounds(&format!("{place}.shared_exposure"))?;
        }
        for effect in &self.effects {
            effect.within_bounds(&format!("{place}.effect"))?;
            if effect.target >= targets {
                return Err(Error::refused(
                    format!("{place}.effect.target"),
                    effect.target,
                    format!("below {targets}, the number of targets"),
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(days: Vec<u32>, cycle_days: u32, doses_per_day: u32) -> Schedule {
        Schedule {
            days,
            cycle_days,
            doses_per_day,
            loading_days: vec![],
            loading_dose: 1.0,
            missed: Missed::Skipped,
        }
    }

    fn drug(schedule: Schedule) -> Drug {
        Drug {
            name: "test".into(),
            route: Route::Oral,
            schedule,
            half_life_h: 29.0,
            absorption_half_life_h: 2.0,
            steady_state: 5.0,
            dosing_interval_h: 24.0,
            effects: vec![],
            therapies: Vec::new(),
            chemotherapy: false,
            neutrophil_slope: 0.0,
            dose_levels: vec![0.8, 0.6],
            marrow_protection: None,
            shared_exposure: None,
            discontinuation_per_month: 0.0,
        }
    }

    #[test]
    fn three_weeks_on_one_week_off() {
        let schedule = schedule((1..=21).collect(), 28, 1);
        assert_eq!([20, 21, 27, 28].map(|day| schedule.doses_on(day).number), [1, 0, 0, 1]);
    }

    #[test]
    fn loading_doses_have_a_size_of_their_own_in_the_first_cycle_only() {
        let schedule = Schedule { loading_days: vec![1, 15], loading_dose: 2.0, ..schedule(vec![1], 28, 1) };
        let sizes = [0, 14, 28, 42].map(|day| {
            let doses = schedule.doses_on(day);
            f64::from(doses.number) * doses.size
        });
        assert_eq!(sizes.map(f64::to_bits), [2.0, 2.0, 1.0, 0.0].map(f64::to_bits));
    }

    #[test]
    fn a_dose_is_reduced_to_the_next_level_until_there_is_none() {
        let drug = drug(schedule(vec![1], 1, 1));
        let doses = [0, 1, 2, 3].map(|reductions| drug.reduced(1.0, reductions));
        assert_eq!(doses.map(f64::to_bits), [1.0, 0.8, 0.6, 0.6].map(f64::to_bits));
        assert_eq!(drug.reduced(0.8, 1).to_bits(), 0.6f64.to_bits());
    }
}
