//! A patient as bytes: all that is needed to go on exactly, random streams included.

use crate::biology::genotype::Genotypes;
use crate::biology::pathway::DrugDay;
use crate::clinic::cohort::PatientRow;
use crate::clinic::covariates::Covariates;
use crate::clinic::enrolment::Past;
use crate::clinic::experiment::{Experiment, Spec};
use crate::clinic::imaging::Bulk;
use crate::clinic::patient::{Body, Patient, Status};
use crate::clinic::records::Records;
use crate::clinic::treatment::Treatment;
use crate::error::Result;
use crate::random::Philox4x64;
use crate::sealed::Seal;
use crate::tumour::burden::Burden;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const SEAL: Seal = Seal { magic: b"TUMORABM", format: 7, content: "saved patient" };

/// State that cannot be computed again from the experiment.
#[derive(Serialize, Deserialize)]
struct State {
    /// As JSON: the tagged forms of the experiment need a format that describes itself.
    spec: String,
    id: u64,
    arm: Option<usize>,
    candidate: u64,
    past: Past,
    covariates: Covariates,
    genotypes: Vec<u64>,
    burden: Burden,
    body: Body,
    bulk: Bulk,
    day: u64,
    part: u32,
    enrolled_day: u64,
    at_enrolment: Option<Arc<PatientRow>>,
    grown_days: u64,
    growths: u64,
    deaths_today: u64,
    unseen_lesions: u64,
    treatment: Treatment,
    status: Status,
    records: Records,
    rng: Philox4x64,
    lesion_rng: Philox4x64,
    lesion_hazard: f64,
    lesion_due: f64,
    peaks: Vec<u64>,
}

impl Patient {
    /// The whole state.
    pub fn save(&self) -> Result<Vec<u8>> {
        let state = State {
            spec: serde_json::to_string(&self.experiment.spec).map_err(|e| SEAL.refuse(e.to_string()))?,
            id: self.id,
            arm: self.arm,
            candidate: self.candidate,
            past: self.past.clone(),
            covariates: self.covariates.clone(),
            genotypes: self.genotypes.sets(),
            burden: self.burden.clone(),
            body: self.body.clone(),
            bulk: self.bulk,
            day: self.day,
            part: self.part,
            enrolled_day: self.enrolled_day,
            at_enrolment: self.at_enrolment.clone(),
            grown_days: self.grown_days,
            growths: self.growths,
            deaths_today: self.deaths_today,
            unseen_lesions: self.unseen_lesions,
            treatment: self.treatment.clone(),
            status: self.status,
            records: self.records.clone(),
            rng: self.rng.clone(),
            lesion_rng: self.lesion_rng.clone(),
            lesion_hazard: self.lesion_hazard,
            lesion_due: self.lesion_due,
            peaks: self.peaks.clone(),
        };
        SEAL.close(&state)
    }

    /// The patient that was saved.
    pub fn load(bytes: &[u8]) -> Result<Self> {
        let state: State = SEAL.open(bytes)?;
        let spec: Spec = serde_json::from_str(&state.spec).map_err(|error| SEAL.refuse(error.to_string()))?;
        let experiment = Arc::new(Experiment::new(spec)?);
        Ok(Self::from_state(&experiment, state))
    }

    fn from_state(experiment: &Arc<Experiment>, state: State) -> Self {
        let spec = &experiment.spec;
        let fold = state.covariates.mutation_fold;
        let mut genotypes = Genotypes::new(&experiment.catalogue, &state.covariates.founder, spec.dt, fold);
        genotypes.meet(&experiment.catalogue, &state.genotypes);
        Self {
            experiment: Arc::clone(experiment),
            genotypes,
            // The rates of all genotypes follow from these.
            drugs: DrugDay::new(&spec.drugs, &state.body.concentrations),
            probabilities: Vec::new(),
            current: Vec::new(),
            untreated: Vec::new(),
            layered: Vec::new(),
            crowded: Vec::new(),
            id: state.id,
            arm: state.arm,
            candidate: state.candidate,
            past: state.past,
            covariates: state.covariates,
            burden: state.burden,
            body: state.body,
            bulk: state.bulk,
            day: state.day,
            part: state.part,
            enrolled_day: state.enrolled_day,
            at_enrolment: state.at_enrolment,
            grown_days: state.grown_days,
            growths: state.growths,
            deaths_today: state.deaths_today,
            unseen_lesions: state.unseen_lesions,
            treatment: state.treatment,
            status: state.status,
            records: state.records,
            rng: state.rng,
            lesion_rng: state.lesion_rng,
            lesion_hazard: state.lesion_hazard,
            lesion_due: state.lesion_due,
            peaks: state.peaks,
        }
    }
}
