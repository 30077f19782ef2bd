//! Doses on a schedule, one-compartment kinetics, and Hill effects.

use crate::bounds::{Bounded, bounded};
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

/// The smallest dose, relative to the standard dose.
pub const LEAST_DOSE: f64 = 1e-3;
/// The largest dose, relative to the standard dose.
pub const MOST_DOSE: f64 = 10.0;
/// Doses a day can have.
const MOST_DOSES: usize = 6;
/// Parts of a day for which concentrations are known apart.
pub const PARTS_OF_A_DAY: u32 = 4;
/// A number for each of them.
pub type PartsOfADay = [f64; PARTS_OF_A_DAY as usize];

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
    /// Slope of neutrophil-precursor loss per unit of concentration over `steady_state` (Friberg 2002).
    pub neutrophil_slope: f64,
    /// Doses to which it is reduced, relative to the standard dose, falling.
    #[serde(default)]
    pub dose_levels: Vec<f64>,
    /// How it protects neutrophil precursors from other drugs, if it does.
    #[serde(default)]
    pub marrow_protection: Option<Protection>,
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
    /// Whether it takes ER its estradiol or its activity (beside silencing the ovaries, which goes with others).
    pub fn is_endocrine(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect.node, Node::Aromatase | Node::Er))
    }

    /// Whether it kills cells that divide, neutrophil precursors among them.
    pub fn kills_dividing_cells(&self) -> bool {
        self.effects.iter().any(|effect| effect.node == Node::Kill)
    }

    /// Whether doses are held when neutrophils are low.
    pub fn is_myelotoxic(&self) -> bool {
        self.neutrophil_slope > 0.0
    }

    /// The dose after so many reductions: at each the next lower level, while there is one.
    pub fn reduced(&self, dose: f64, reductions: u32) -> f64 {
        let lower = |dose: f64| self.dose_levels.iter().copied().find(|&level| level < dose * (1.0 - 1e-9));
        (0..reductions).fold(dose, |dose, _| lower(dose).unwrap_or(dose))
    }

    /// Check every number; the place names the drug.
    pub fn validate(&self) -> Result<()> {
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
        for effect in &self.effects {
            effect.within_bounds(&format!("{place}.effect"))?;
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

/// A stretch of a day between doses and ends of parts.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    interval: Interval,
    /// Whether a dose is taken at its start.
    begins_with_dose: bool,
    part: usize,
}

/// The stretches of a day with so many doses, at equal intervals.
fn stretches(ka: f64, ke: f64, doses: u32) -> Vec<Stretch> {
    // In units of which doses and parts both have whole numbers.
    let (per_dose, per_part) = (PARTS_OF_A_DAY, doses.max(1));
    let whole = per_dose * per_part;
    let mut edges: Vec<u32> =
        (0..=doses.max(1)).map(|n| n * per_dose).chain((0..=PARTS_OF_A_DAY).map(|n| n * per_part)).collect();
    edges.sort_unstable();
    edges.dedup();
    edges
        .windows(2)
        .map(|edge| Stretch {
            interval: Interval::new(ka, ke, 24.0 * f64::from(edge[1] - edge[0]) / f64::from(whole)),
            begins_with_dose: doses > 0 && edge[0].is_multiple_of(per_dose),
            part: (edge[0] / per_part) as usize,
        })
        .collect()
}

/// Kinetic constants of a drug at the scale of `steady_state`.
#[derive(Clone, Debug)]
pub struct Kinetics {
    oral: bool,
    one_dose: f64,
    day: Interval,
    between_doses: Vec<Interval>,
    in_parts: Vec<Vec<Stretch>>,
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
            between_doses: (1..=MOST_DOSES).map(|n| Interval::new(ka, ke, 24.0 / n as f64)).collect(),
            in_parts: (0..=MOST_DOSES).map(|n| stretches(ka, ke, n as u32)).collect(),
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
    pub fn pass_day(&mut self, kinetics: &Kinetics, doses: Doses) -> f64 {
        if doses.number == 0 {
            if self.is_gone(kinetics) {
                *self = Self::default();
                return 0.0;
            }
            return self.pass(&kinetics.day) / 24.0;
        }
        let interval = kinetics.between_doses[(doses.number as usize).min(MOST_DOSES) - 1];
        let mut area = 0.0;
        for _ in 0..doses.number {
            self.take(kinetics, doses.size);
            area += self.pass(&interval);
        }
        area / 24.0
    }

    /// Average concentrations in the parts of the day that `pass_day` would pass.
    pub fn parts_of_the_day(mut self, kinetics: &Kinetics, doses: Doses) -> PartsOfADay {
        let mut average = PartsOfADay::default();
        if doses.number == 0 && self.is_gone(kinetics) {
            return average;
        }
        for stretch in &kinetics.in_parts[(doses.number as usize).min(MOST_DOSES)] {
            if stretch.begins_with_dose {
                self.take(kinetics, doses.size);
            }
            average[stretch.part] += self.pass(&stretch.interval) * f64::from(PARTS_OF_A_DAY) / 24.0;
        }
        average
    }

    fn is_gone(&self, kinetics: &Kinetics) -> bool {
        self.gut + self.plasma < kinetics.one_dose * 1e-9
    }

    fn take(&mut self, kinetics: &Kinetics, size: f64) {
        let site = if kinetics.oral { &mut self.gut } else { &mut self.plasma };
        *site += kinetics.one_dose * size;
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
            neutrophil_slope: 0.0,
            dose_levels: vec![0.8, 0.6],
            marrow_protection: None,
            discontinuation_per_month: 0.0,
        }
    }

    #[test]
    fn daily_dosing_settles_at_the_steady_state_average() {
        let kinetics = Kinetics::new(&drug(schedule(vec![1], 1, 1)));
        let mut amounts = Amounts::default();
        let mut average = 0.0;
        for _ in 0..60 {
            average = amounts.pass_day(&kinetics, Doses { number: 1, size: 1.0 });
        }
        assert!((average - 5.0).abs() < 1e-9, "{average}");
    }

    #[test]
    fn parts_of_a_day_have_the_average_of_the_day() {
        let kinetics = Kinetics::new(&drug(schedule(vec![1], 1, 1)));
        for number in 0..=MOST_DOSES as u32 {
            let mut amounts = Amounts::default();
            amounts.pass_day(&kinetics, Doses { number: 1, size: 1.0 });
            let doses = Doses { number, size: 0.7 };
            let parts = amounts.parts_of_the_day(&kinetics, doses);
            let average = amounts.pass_day(&kinetics, doses);
            let of_parts = parts.iter().sum::<f64>() / f64::from(PARTS_OF_A_DAY);
            assert!((of_parts / average - 1.0).abs() < 1e-12, "{number} doses: {parts:?} {average}");
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
