//! Neutrophils under myelotoxic drugs: the semi-mechanistic model of Friberg et al. 2002 (J Clin
//! Oncol 20:4713), and the dose holds and reductions that follow from it.

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
    /// A nadir below this count (grade 4) reduces the dose on resumption.
    pub reduce_below: f64,
    /// Factor on the dose at each reduction.
    pub reduction: f64,
    /// Reductions before no more are made.
    pub most_reductions: u32,
}

impl Neutropenia {
    /// Check every number.
    pub fn validate(&self) -> Result<()> {
        let at = |key: &str| format!("neutropenia.{key}");
        within(at("mean_transit_h"), self.mean_transit_h, 10.0, 1000.0)?;
        within(at("feedback"), self.feedback, 0.01, 2.0)?;
        within(at("hold_below"), self.hold_below, 0.0, 10.0)?;
        within(at("resume_at"), self.resume_at, self.hold_below, 10.0)?;
        within(at("reduce_below"), self.reduce_below, 0.0, 10.0)?;
        within(at("reduction"), self.reduction, 0.1, 1.0)?;
        Ok(())
    }
}

/// Proliferating, transit and circulating neutrophils of one patient, 1e9 per litre.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Marrow {
    baseline: f64,
    pools: [f64; 5],
}

const PARTS_OF_A_DAY: u32 = 4;

impl Marrow {
    /// In balance at `baseline`.
    pub fn new(baseline: f64) -> Self {
        Self { baseline, pools: [baseline; 5] }
    }

    /// Neutrophils in blood.
    pub fn neutrophils(&self) -> f64 {
        self.pools[4]
    }

    /// Pass a day under a drug effect (share of proliferation lost, 0 to 1).
    pub fn pass_day(&mut self, model: &Neutropenia, effect: f64) {
        if effect <= 0.0 && self.pools.iter().all(|pool| (pool / self.baseline - 1.0).abs() < 1e-4) {
            self.pools = [self.baseline; 5];
            return;
        }
        let rate = 4.0 / (model.mean_transit_h / 24.0);
        let part = 1.0 / f64::from(PARTS_OF_A_DAY);
        // Each pool decays exactly over the part of a day; inflows are held at its start.
        let kept = libm::exp(-rate * part);
        for _ in 0..PARTS_OF_A_DAY {
            let [stem, t1, t2, t3, blood] = self.pools;
            let feedback = libm::pow(self.baseline / blood.max(1e-3), model.feedback);
            let growth = (1.0 - effect.min(1.0)) * feedback;
            self.pools = [
                stem * libm::exp(rate * part * (growth - 1.0)),
                t1 * kept + stem * (1.0 - kept),
                t2 * kept + t1 * (1.0 - kept),
                t3 * kept + t2 * (1.0 - kept),
                blood * kept + t3 * (1.0 - kept),
            ];
        }
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
        reduction: 0.75,
        most_reductions: 2,
    };

    #[test]
    fn neutrophils_rest_at_baseline_without_drug() {
        let mut marrow = Marrow::new(4.0);
        (0..100).for_each(|_| marrow.pass_day(&MODEL, 0.0));
        assert!((marrow.neutrophils() - 4.0).abs() < 1e-12);
    }

    #[test]
    fn three_weeks_of_drug_bring_a_nadir_and_a_week_off_a_recovery() {
        let mut marrow = Marrow::new(4.0);
        (0..21).for_each(|_| marrow.pass_day(&MODEL, 0.15));
        let nadir = marrow.neutrophils();
        (0..9).for_each(|_| marrow.pass_day(&MODEL, 0.0));
        assert!(nadir < 2.5, "{nadir}");
        assert!(marrow.neutrophils() > nadir);
    }
}
