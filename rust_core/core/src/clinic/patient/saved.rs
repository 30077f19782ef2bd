//! A patient as bytes: all that is needed to go on exactly, random streams included.

use crate::biology::frame::Frame;
use crate::biology::genotype::Genotypes;
use crate::clinic::patient::cache::Cache;
use crate::clinic::patient::experiment::{Experiment, Spec};
use crate::clinic::patient::state::{Patient, State, Who};
use crate::error::Result;
use crate::sealed::Seal;
use std::sync::Arc;

const SEAL: Seal = Seal { magic: b"TUMORABM", format: 11, content: "saved patient" };

/// Experiment, patient, sets of alterations met, state. The experiment is JSON: its tagged forms need a format that
/// describes itself.
type Saved = (String, Who, Vec<u64>, State);

impl Patient {
    /// The whole state.
    pub fn save(&self) -> Result<Vec<u8>> {
        let spec = serde_json::to_string(&self.experiment.spec).map_err(|e| SEAL.refuse(e.to_string()))?;
        SEAL.close(&(spec, &self.who, self.genotypes.sets(), &self.state))
    }

    /// The patient that was saved.
    pub fn load(bytes: &[u8]) -> Result<Self> {
        let (spec, who, sets, state): Saved = SEAL.open(bytes)?;
        let spec: Spec = serde_json::from_str(&spec).map_err(|error| SEAL.refuse(error.to_string()))?;
        let experiment = Arc::new(Experiment::new(spec)?);
        let Experiment { catalogue, network, spec, .. } = &*experiment;
        let (founder, fold) = (&who.covariates.founder, who.covariates.mutation_fold);
        let mut genotypes = Genotypes::new(catalogue, founder, experiment.switching_days(), fold);
        genotypes.meet(catalogue, &sets);
        // The rates of all genotypes follow from these.
        let mut cells = Frame::of_patient(network, &who.covariates.physiology, genotypes.get(0));
        cells.treat(network, &spec.drugs, &state.body.concentrations);
        Ok(Self { experiment, who, genotypes, state, cache: Cache::of(cells) })
    }
}
