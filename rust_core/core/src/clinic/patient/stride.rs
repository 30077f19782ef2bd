//! Cells that live through several days at once: an approximation for searches.
//!
//! The doctor, the drugs in the body and the calendar go on day by day. Cells are behind by the days since their last
//! stride, then live through all of these at once, under the mean of the concentrations.

use serde::{Deserialize, Serialize};

/// What has come together since cells lived last.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Stride {
    days: u32,
    /// Summed concentrations.
    concentrations: Vec<f64>,
}

impl Stride {
    /// A day passes under these concentrations; their means, if it was the last one of a stride of so many days.
    pub(super) fn pass_day(&mut self, today: &[f64], days: u32) -> Option<Vec<f64>> {
        self.concentrations.resize(today.len(), 0.0);
        for (sum, concentration) in self.concentrations.iter_mut().zip(today) {
            *sum += concentration;
        }
        self.days += 1;
        if self.days < days {
            return None;
        }
        let passed = f64::from(self.days);
        let whole = core::mem::take(self);
        Some(whole.concentrations.into_iter().map(|sum| sum / passed).collect())
    }
}
