//! Cells that live through several days at once: an approximation for searches.
//!
//! The doctor, the drugs in the body and the calendar go on day by day. Cells are behind by the days since their last
//! stride, then live through all of these at once, under what drugs did on average.

use crate::biology::drug::Drug;
use crate::biology::frame::{Frame, reach};
use crate::biology::pathway::Network;
use serde::{Deserialize, Serialize};

/// What has come together since cells lived last.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Stride {
    days: u32,
    /// Summed concentrations.
    concentrations: Vec<f64>,
    /// Summed over the days: how far drugs reached at every target where potency is the same in all cells.
    reached: Vec<f64>,
}

impl Stride {
    /// A day passes under these concentrations.
    pub(super) fn pass_day(&mut self, network: &Network, drugs: &[Drug], today: &[f64]) {
        let mut reached = vec![0.0; network.targets()];
        reach(network, drugs, today, &mut reached);
        add(&mut self.concentrations, today);
        add(&mut self.reached, &reached);
        self.days += 1;
    }

    /// Bring the mean of what came together to the cells, if it is that of so many days; whether it is, and whether
    /// anything differs from before.
    pub(super) fn treat(
        &mut self,
        network: &Network,
        drugs: &[Drug],
        cells: &mut Frame,
        days: u32,
    ) -> Option<bool> {
        if self.days < days {
            return None;
        }
        let passed = f64::from(self.days);
        let mut whole = core::mem::take(self);
        for sum in whole.concentrations.iter_mut().chain(&mut whole.reached) {
            *sum /= passed;
        }
        Some(cells.treat_on_average(network, drugs, &whole.concentrations, &whole.reached))
    }
}

fn add(sums: &mut Vec<f64>, more: &[f64]) {
    sums.resize(more.len(), 0.0);
    for (sum, value) in sums.iter_mut().zip(more) {
        *sum += value;
    }
}
