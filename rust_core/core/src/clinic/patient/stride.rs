//! Cells that live through several days at once: an approximation for searches.
//!
//! The doctor, the drugs in the body and the calendar go on day by day. Cells are behind by the days since their last
//! stride, then live through all of these at once, under the mean of the concentrations.

use crate::biology::genotype::GenotypeKinds;
use crate::clinic::patient::experiment::Experiment;
use crate::clinic::patient::state::Patient;
use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What has come together since cells lived last.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Stride {
    days: u32,
    /// Summed concentrations.
    concentrations: Vec<f64>,
}

impl Patient {
    /// A day passes; on the last one of a stride cells live through all of it.
    pub(super) fn stride(&mut self, cancel: &AtomicBool) -> Result<()> {
        let experiment = Arc::clone(&self.experiment);
        let stride = &mut self.state.stride;
        stride.concentrations.resize(self.state.body.concentrations.len(), 0.0);
        for (sum, today) in stride.concentrations.iter_mut().zip(&self.state.body.concentrations) {
            *sum += today;
        }
        stride.days += 1;
        if stride.days < experiment.spec.stride_days {
            return Ok(());
        }
        let days = f64::from(stride.days);
        stride.concentrations.iter_mut().for_each(|sum| *sum /= days);
        let Experiment { network, spec, .. } = &*experiment;
        if self.cache.cells.treat(network, &spec.drugs, &stride.concentrations) {
            self.cache.current.fill(false);
        }
        *stride = Stride::default();
        self.live_through_stride(cancel)
    }

    /// Cells live through a whole stride under what acts on them.
    pub(super) fn live_through_stride(&mut self, cancel: &AtomicBool) -> Result<()> {
        let experiment = Arc::clone(&self.experiment);
        self.refresh_rates(&experiment)?;
        let mut kinds = GenotypeKinds { catalogue: &experiment.catalogue, genotypes: &mut self.genotypes };
        let tally = self
            .state
            .burden
            .leap(&mut self.state.rng, &self.cache.probabilities, &mut kinds, cancel)
            .map_err(|error| error.of(&format!("patient {}", self.who.id)))?;
        let days = u64::from(experiment.spec.stride_days);
        self.state.deaths_today = tally.deaths / days;
        for _ in 0..days {
            self.state.bulk.pass(
                &experiment.spec.imaging,
                self.state.burden.total(),
                self.state.deaths_today,
                1.0,
            );
        }
        Ok(())
    }
}
