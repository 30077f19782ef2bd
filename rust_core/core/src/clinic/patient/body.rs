//! Drugs in one body: amounts, concentrations, tolerance, marrow.

use crate::biology::drug::{Doses, Protection, SharedExposure};

use crate::biology::effect::{bliss, hill};

use crate::biology::kinetics::{Amounts, PartsOfADay};
use crate::clinic::instruments::toxicity::Marrow;
use crate::clinic::patient::experiment::Experiment;
use crate::random::{Purpose, exponential, key, normal, stream};
use serde::{Deserialize, Serialize};

/// Drugs in one body.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Body {
    pub(crate) amounts: Vec<Amounts>,
    pub(crate) concentrations: Vec<f64>,
    pub(crate) exposure: Vec<f64>,
    pub(crate) intolerance_at: Vec<f64>,
    pub(crate) intolerance: Vec<f64>,
    pub(crate) marrow: Marrow,
}

impl Body {
    pub(super) fn new(experiment: &Experiment, patient: u64, candidate: u64, neutrophils: f64) -> Self {
        let drugs = &experiment.spec.drugs;
        let sigma = experiment.spec.population.exposure_sigma;
        let (mut exposure, mut intolerance_at) = (Vec::new(), Vec::new());
        for drug in drugs {
            // Keyed by the drug's name, so that a drug means the same in every experiment.
            let rng = &mut stream(experiment.spec.seed, patient, Purpose::Drug, key(&drug.name) ^ candidate);
            let own = normal(rng);
            let deviate =
                drug.shared_exposure.as_ref().map_or(own, |SharedExposure { with, correlation }| {
                    let way = key(&format!("exposure by {with}")) ^ candidate;
                    let shared = normal(&mut stream(experiment.spec.seed, patient, Purpose::Drug, way));
                    correlation * shared + libm::sqrt(1.0 - correlation * correlation) * own
                });
            exposure.push(libm::exp(sigma * deviate));
            intolerance_at.push(exponential(rng));
        }
        Self {
            amounts: vec![Amounts::default(); drugs.len()],
            concentrations: vec![0.0; drugs.len()],
            exposure,
            intolerance_at,
            intolerance: vec![0.0; drugs.len()],
            marrow: Marrow::new(neutrophils),
        }
    }

    /// Pass a day with these doses, as large as they are for a median patient.
    pub(super) fn pass_day(&mut self, experiment: &Experiment, mut doses: Vec<Doses>) {
        for (doses, exposure) in doses.iter_mut().zip(&self.exposure) {
            doses.size *= exposure;
        }
        if let Some(model) = &experiment.spec.neutropenia {
            let loss = self.precursors_lost(experiment, &doses);
            self.marrow.pass_day(model, loss);
        }
        for (index, doses) in doses.into_iter().enumerate() {
            self.concentrations[index] = self.amounts[index].pass_day(&experiment.kinetics[index], doses);
        }
    }

    /// Share of the proliferation of neutrophil precursors that drugs take away, in each part of today.
    fn precursors_lost(&self, experiment: &Experiment, doses: &[Doses]) -> PartsOfADay {
        let concentrations =
            |drug: usize| self.amounts[drug].parts_of_the_day(&experiment.kinetics[drug], doses[drug]);
        let mut protected = PartsOfADay::default();
        for (index, drug) in experiment.spec.drugs.iter().enumerate() {
            if let Some(Protection { max, ic50, hill: slope }) = drug.marrow_protection {
                for (share, concentration) in protected.iter_mut().zip(concentrations(index)) {
                    *share = bliss(*share, hill(concentration, max, ic50, slope));
                }
            }
        }
        let mut lost = PartsOfADay::default();
        for (index, drug) in experiment.spec.drugs.iter().enumerate().filter(|(_, drug)| drug.is_myelotoxic())
        {
            let slope = drug.neutrophil_slope / drug.steady_state;
            for ((share, concentration), protected) in
                lost.iter_mut().zip(concentrations(index)).zip(protected)
            {
                let escaping = if drug.chemotherapy { 1.0 - protected } else { 1.0 };
                *share += slope * concentration * escaping;
            }
        }
        lost
    }
}
