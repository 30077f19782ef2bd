//! One-compartment kinetics: from doses to concentrations.

use crate::biology::drug::{Doses, Drug, MOST_DOSES, Route};
use serde::{Deserialize, Serialize};

/// Parts of a day for which concentrations are known apart.
pub const PARTS_OF_A_DAY: u32 = 4;
/// A number for each of them.
pub type PartsOfADay = [f64; PARTS_OF_A_DAY as usize];

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
    use crate::biology::drug::{Missed, Schedule};

    fn daily() -> Drug {
        Drug {
            name: "test".into(),
            route: Route::Oral,
            schedule: Schedule {
                days: vec![1],
                cycle_days: 1,
                doses_per_day: 1,
                loading_days: vec![],
                loading_dose: 1.0,
                missed: Missed::Skipped,
            },
            half_life_h: 29.0,
            absorption_half_life_h: 2.0,
            steady_state: 5.0,
            dosing_interval_h: 24.0,
            effects: vec![],
            therapies: Vec::new(),
            chemotherapy: false,
            neutrophil_slope: 0.0,
            dose_levels: vec![],
            marrow_protection: None,
            shared_exposure: None,
            discontinuation_per_month: 0.0,
        }
    }

    #[test]
    fn daily_dosing_settles_at_the_steady_state_average() {
        let kinetics = Kinetics::new(&daily());
        let mut amounts = Amounts::default();
        let mut average = 0.0;
        for _ in 0..60 {
            average = amounts.pass_day(&kinetics, Doses { number: 1, size: 1.0 });
        }
        assert!((average - 5.0).abs() < 1e-9, "{average}");
    }

    #[test]
    fn parts_of_a_day_have_the_average_of_the_day() {
        let kinetics = Kinetics::new(&daily());
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
}
