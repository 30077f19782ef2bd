//! Doses on a schedule, one-compartment kinetics, and Hill effects.

use crate::error::{Error, Result, within};
use serde::{Deserialize, Serialize};

/// Where in the pathway a drug acts.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Node {
    /// Suppresses peripheral estradiol (aromatase inhibitors).
    Aromatase,
    /// Suppresses ovarian estradiol (`GnRH` agonists).
    Ovary,
    /// Antagonises or degrades ER (SERMs, SERDs).
    Er,
    /// Inhibits all isoforms of PI3K.
    Pi3k,
    /// Inhibits PI3K-alpha, mutant or not.
    Pi3kAlpha,
    /// Inhibits AKT.
    Akt,
    /// Inhibits mTORC1.
    Mtor,
    /// Inhibits FGFR.
    Fgfr,
    /// Inhibits CDK4/6.
    Cdk46,
    /// Inhibits CDK2.
    Cdk2,
    /// Kills cells that divide (chemotherapy): a share of them dies instead.
    Kill,
}

/// One action of a drug: `max * C^hill / (ic50^hill + C^hill)` at a node.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrugEffect {
    /// Where it acts.
    pub node: Node,
    /// Largest effect: a fraction.
    pub max: f64,
    /// Concentration of half the largest effect, in the drug's concentration unit.
    pub ic50: f64,
    /// Hill coefficient.
    pub hill: f64,
}

/// Doses a day can have.
const MOST_DOSES: u32 = 6;

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
    /// Extra dosing days of the first cycle (loading).
    #[serde(default)]
    pub loading_days: Vec<u32>,
}

impl Schedule {
    /// Check that the doses fit into the cycle.
    pub fn validate(&self, place: &str) -> Result<()> {
        if self.cycle_days == 0 || self.cycle_days > 366 {
            return Err(Error::input(
                format!("{place}.cycle_days"),
                format!("found {}; allowed: 1 to 366 days", self.cycle_days),
            ));
        }
        if self.days.is_empty() {
            return Err(Error::input(format!("{place}.days"), "no dosing day; name at least one"));
        }
        if !(1..=MOST_DOSES).contains(&self.doses_per_day) {
            return Err(Error::input(
                format!("{place}.doses_per_day"),
                format!("found {}; allowed: 1 to {MOST_DOSES}", self.doses_per_day),
            ));
        }
        for &day in self.days.iter().chain(&self.loading_days) {
            if day == 0 || day > self.cycle_days {
                return Err(Error::input(
                    format!("{place}.days"),
                    format!("day {day} lies outside its cycle of {} days", self.cycle_days),
                ));
            }
        }
        Ok(())
    }

    /// Doses due on `day` (from 0) since the drug was started.
    pub fn doses_on(&self, day: u32) -> u32 {
        let in_cycle = day % self.cycle_days + 1;
        let due =
            self.days.contains(&in_cycle) || (day < self.cycle_days && self.loading_days.contains(&in_cycle));
        if due { self.doses_per_day } else { 0 }
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
    /// Slope of neutrophil-precursor loss per unit of concentration over `steady_state` (Friberg 2002).
    pub neutrophil_slope: f64,
    /// Hazard of giving the drug up for intolerance, per 30.4375 days on it.
    pub discontinuation_per_month: f64,
}

impl Drug {
    /// Whether it takes ER its estradiol or its activity (beside silencing the ovaries, which goes with others).
    pub fn is_endocrine(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect.node, Node::Aromatase | Node::Er))
    }

    /// Check every number; the place names the drug.
    pub fn validate(&self) -> Result<()> {
        let place = format!("drug \"{}\"", self.name);
        self.schedule.validate(&format!("{place}.schedule"))?;
        within(format!("{place}.half_life_h"), self.half_life_h, 1e-3, 1e5)?;
        within(format!("{place}.absorption_half_life_h"), self.absorption_half_life_h, 0.0, 1e5)?;
        within(format!("{place}.steady_state"), self.steady_state, 1e-12, 1e12)?;
        within(format!("{place}.dosing_interval_h"), self.dosing_interval_h, 1e-3, 1e5)?;
        within(format!("{place}.neutrophil_slope"), self.neutrophil_slope, 0.0, 1e3)?;
        within(format!("{place}.discontinuation_per_month"), self.discontinuation_per_month, 0.0, 10.0)?;
        for effect in &self.effects {
            within(format!("{place}.effect.max"), effect.max, 0.0, 1.0)?;
            within(format!("{place}.effect.ic50"), effect.ic50, 1e-12, 1e12)?;
            within(format!("{place}.effect.hill"), effect.hill, 0.1, 20.0)?;
        }
        Ok(())
    }
}

/// `max * C^hill / (ic50^hill + C^hill)`: 0 at C = 0, `max` in the limit.
#[inline]
pub fn hill(concentration: f64, max: f64, ic50: f64, hill: f64) -> f64 {
    if concentration <= 0.0 {
        return 0.0;
    }
    if concentration == f64::INFINITY {
        return max;
    }
    let ratio = ic50 / concentration;
    let power = if hill.to_bits() == 1.0f64.to_bits() { ratio } else { libm::pow(ratio, hill) };
    max / (1.0 + power)
}

/// Bliss independence of two fractional effects.
pub fn bliss(a: f64, b: f64) -> f64 {
    a + b - a * b
}

/// Integral over `tau` of a Hill effect on a concentration that falls as `c0 exp(-ke t)`:
/// `max / (hill ke) * ln[(ic50^hill + c0^hill) / (ic50^hill + c_tau^hill)]`.
pub fn integrated_hill(max: f64, ic50: f64, hill: f64, c0: f64, ke: f64, tau: f64) -> f64 {
    let power = |c: f64| libm::pow(c / ic50, hill);
    let end = c0 * libm::exp(-ke * tau);
    max / (hill * ke) * (libm::log1p(power(c0)) - libm::log1p(power(end)))
}

/// `(exp(-ke t) - exp(-ka t)) / (ka - ke)`, with its limit `t exp(-ke t)` at ka = ke.
fn bateman(ka: f64, ke: f64, t: f64) -> f64 {
    let gap = (ka - ke) * t;
    if gap.abs() < 1e-6 {
        return t * libm::exp(-ke * t) * (1.0 - gap / 2.0);
    }
    -libm::exp(-ke * t) * libm::expm1(-gap) / (ka - ke)
}

/// Plasma concentration at `times` (hours) after oral doses at `dose_times` (hours) in one
/// compartment: superposition of `F D ka / V * (exp(-ke t) - exp(-ka t)) / (ka - ke)`.
pub fn oral_concentration(
    amount_over_volume: f64,
    ka: f64,
    ke: f64,
    dose_times: &[f64],
    times: &[f64],
) -> Vec<f64> {
    let one = |t: f64| if t < 0.0 { 0.0 } else { amount_over_volume * ka * bateman(ka, ke, t) };
    times.iter().map(|&t| dose_times.iter().map(|&at| one(t - at)).sum()).collect()
}

/// What one interval between doses does to the amounts in a patient: the exact solution of the
/// one-compartment equations with first-order absorption.
#[derive(Clone, Copy, Debug)]
struct Interval {
    gut_left: f64,
    plasma_left: f64,
    gut_to_plasma: f64,
    plasma_auc: f64,
    gut_auc: f64,
}

impl Interval {
    fn new(ka: f64, ke: f64, hours: f64) -> Self {
        let gut_left = libm::exp(-ka * hours);
        let plasma_left = libm::exp(-ke * hours);
        let gut_to_plasma = ka * bateman(ka, ke, hours);
        // What left the gut either is still in plasma or was eliminated: AUC by mass balance.
        let gut_auc = (1.0 - gut_left - gut_to_plasma) / ke;
        Self { gut_left, plasma_left, gut_to_plasma, plasma_auc: (1.0 - plasma_left) / ke, gut_auc }
    }
}

/// Kinetic constants of a drug at the scale of `steady_state`.
#[derive(Clone, Debug)]
pub struct Kinetics {
    oral: bool,
    one_dose: f64,
    day: Interval,
    between_doses: Vec<Interval>,
}

impl Kinetics {
    /// Constants of `drug` for days with up to `MOST_DOSES` doses.
    pub fn new(drug: &Drug) -> Self {
        let ke = core::f64::consts::LN_2 / drug.half_life_h;
        let oral = drug.route != Route::Iv && drug.absorption_half_life_h > 0.0;
        let ka = if oral { core::f64::consts::LN_2 / drug.absorption_half_life_h } else { 1e3 };
        Self {
            oral,
            // One dose has the area under the curve that keeps the average at `steady_state`.
            one_dose: drug.steady_state * drug.dosing_interval_h * ke,
            day: Interval::new(ka, ke, 24.0),
            between_doses: (1..=MOST_DOSES).map(|n| Interval::new(ka, ke, 24.0 / f64::from(n))).collect(),
        }
    }
}

/// Amounts of one drug in one patient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Amounts {
    gut: f64,
    plasma: f64,
}

impl Amounts {
    /// Pass one day with `doses` doses of relative size `dose` and return the day's average
    /// concentration.
    pub fn pass_day(&mut self, kinetics: &Kinetics, doses: u32, dose: f64) -> f64 {
        if doses == 0 {
            if self.gut + self.plasma < kinetics.one_dose * 1e-9 {
                *self = Self::default();
                return 0.0;
            }
            return self.pass(&kinetics.day) / 24.0;
        }
        let interval = kinetics.between_doses[doses.min(MOST_DOSES) as usize - 1];
        let mut area = 0.0;
        for _ in 0..doses {
            if kinetics.oral {
                self.gut += kinetics.one_dose * dose;
            } else {
                self.plasma += kinetics.one_dose * dose;
            }
            area += self.pass(&interval);
        }
        area / 24.0
    }

    fn pass(&mut self, interval: &Interval) -> f64 {
        let area = self.plasma * interval.plasma_auc + self.gut * interval.gut_auc;
        self.plasma = self.plasma * interval.plasma_left + self.gut * interval.gut_to_plasma;
        self.gut *= interval.gut_left;
        area
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            neutrophil_slope: 0.0,
            discontinuation_per_month: 0.0,
        }
    }

    #[test]
    fn daily_dosing_settles_at_the_steady_state_average() {
        let schedule = Schedule { days: vec![1], cycle_days: 1, doses_per_day: 1, loading_days: vec![] };
        let kinetics = Kinetics::new(&drug(schedule));
        let mut amounts = Amounts::default();
        let mut average = 0.0;
        for _ in 0..60 {
            average = amounts.pass_day(&kinetics, 1, 1.0);
        }
        assert!((average - 5.0).abs() < 1e-9, "{average}");
    }

    #[test]
    fn three_weeks_on_one_week_off() {
        let schedule =
            Schedule { days: (1..=21).collect(), cycle_days: 28, doses_per_day: 1, loading_days: vec![] };
        assert_eq!([20, 21, 27, 28].map(|day| schedule.doses_on(day)), [1, 0, 0, 1]);
    }
}
