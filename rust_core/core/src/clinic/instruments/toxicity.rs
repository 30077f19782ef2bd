//! Neutrophils under myelotoxic drugs: the semi-mechanistic model of Friberg et al. 2002 (J Clin
//! Oncol 20:4713), and the dose holds and reductions that follow from it.

use crate::biology::kinetics::{PARTS_OF_A_DAY, PartsOfADay};
use crate::bounds::{Bounded, bounded};
use crate::elementary::{exp, log};
use crate::error::{Result, within};
use serde::{Deserialize, Serialize};

/// The model and the rules of dosing.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Neutropenia {
    /// Mean transit time from proliferation to blood, hours.
    pub mean_transit_h: f64,
    /// Strength of the feedback on proliferation.
    pub feedback: f64,
    /// Myelotoxic drugs are held below this count, 1e9 per litre.
    pub hold_below: f64,
    /// ... and resumed at this count.
    pub resume_at: f64,
    /// A nadir below this count (grade 4) reduces the dose to its next level on resumption.
    pub reduce_below: f64,
}

bounded!(Neutropenia {
    mean_transit_h: 10.0, 1000.0;
    feedback: 0.01, 2.0;
    hold_below: 0.0, 10.0;
    resume_at: 0.0, 10.0;
    reduce_below: 0.0, 10.0;
});

impl Neutropenia {
    /// Check every number.
    pub fn validate(&self) -> Result<()> {
        self.within_bounds("neutropenia")?;
        within("neutropenia.resume_at", self.resume_at, self.hold_below, f64::INFINITY).map(|_| ())
    }
}

/// Proliferating, transit and circulating neutrophils of one patient, 1e9 per litre.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Marrow {
    baseline: f64,
    pools: [f64; 5],
}

impl Marrow {
    /// In balance at `baseline`.
    pub fn new(baseline: f64) -> Self {
        Self { baseline, pools: [baseline; 5] }
    }

    /// Neutrophils in blood.
    pub fn neutrophils(&self) -> f64 {
        self.pools[4]
    }

    /// Pass a day in whose parts drugs take away these shares of proliferation. A share may exceed 1:
    /// precursors are then lost.
    ///
    /// In each part half of the loss comes before and half after growth, transit and feedback, which a
    /// fourth-order Runge-Kutta step follows. Loss in between acts on proliferation as it is, exactly.
    pub fn pass_day(&mut self, model: &Neutropenia, loss: PartsOfADay) {
        let rests = |pool: &f64| (pool / self.baseline - 1.0).abs() < 1e-4;
        if loss.iter().all(|&share| share <= 0.0) && self.pools.iter().all(rests) {
            self.pools = [self.baseline; 5];
            return;
        }
        let rate = 4.0 / (model.mean_transit_h / 24.0);
        let part = 1.0 / f64::from(PARTS_OF_A_DAY);
        for share in loss {
            self.lose(model, rate * part / 2.0 * share);
            self.grow(model, rate, part);
            self.lose(model, rate * part / 2.0 * share);
        }
    }

    fn feedback(&self, model: &Neutropenia, blood: f64) -> f64 {
        exp(model.feedback * log(self.baseline / blood.max(1e-3)))
    }

    fn lose(&mut self, model: &Neutropenia, loss: f64) {
        if loss > 0.0 {
            self.pools[0] *= exp(-loss * self.feedback(model, self.pools[4]));
        }
    }

    fn grow(&mut self, model: &Neutropenia, rate: f64, days: f64) {
        let slope = |[stem, t1, t2, t3, blood]: [f64; 5]| {
            let growth = self.feedback(model, blood) - 1.0;
            [stem * growth, stem - t1, t1 - t2, t2 - t3, t3 - blood].map(|change| rate * change)
        };
        let at = |slope: [f64; 5], days: f64| {
            let mut pools = self.pools;
            pools.iter_mut().zip(slope).for_each(|(pool, change)| *pool += change * days);
            pools
        };
        let first = slope(self.pools);
        let second = slope(at(first, days / 2.0));
        let third = slope(at(second, days / 2.0));
        let fourth = slope(at(third, days));
        let mean = core::array::from_fn(|i| (first[i] + 2.0 * (second[i] + third[i]) + fourth[i]) / 6.0);
        self.pools = at(mean, days);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: Neutropenia = Neutropenia {
        mean_transit_h: 110.0,
        feedback: 0.17,
        hold_below: 1.0,
        resume_at: 1.0,
        reduce_below: 0.5,
    };

    #[test]
    fn neutrophils_rest_at_baseline_without_drug() {
        let mut marrow = Marrow::new(4.0);
        (0..100).for_each(|_| marrow.pass_day(&MODEL, [0.0; 4]));
        assert!((marrow.neutrophils() - 4.0).abs() < 1e-12);
    }

    #[test]
    fn three_weeks_of_drug_bring_a_nadir_and_a_week_off_a_recovery() {
        let mut marrow = Marrow::new(4.0);
        (0..21).for_each(|_| marrow.pass_day(&MODEL, [0.15; 4]));
        let nadir = marrow.neutrophils();
        (0..9).for_each(|_| marrow.pass_day(&MODEL, [0.0; 4]));
        assert!(nadir < 2.5, "{nadir}");
        assert!(marrow.neutrophils() > nadir);
    }

    #[test]
    fn twice_the_loss_goes_deeper_even_where_precursors_die() {
        let nadir = |loss: f64| {
            let mut marrow = Marrow::new(5.0);
            let mut least = f64::INFINITY;
            for day in 0..30 {
                marrow.pass_day(&MODEL, if day == 0 { [loss; 4] } else { [0.0; 4] });
                least = least.min(marrow.neutrophils());
            }
            least
        };
        assert!(nadir(1.0) > 1.5 * nadir(2.0) && nadir(2.0) > 1.5 * nadir(4.0));
    }
}
