//! Many patients, each through every arm: virtual twins, in parallel, the same for any number of
//! threads.

use crate::biology::genotype::Genotypes;
use crate::cancel::{collect, heed};
use crate::clinic::patient::answers::Screening;
use crate::clinic::patient::covariates::Covariates;
use crate::clinic::patient::experiment::Experiment;
use crate::clinic::patient::records::{Carried, Life, Records};
use crate::clinic::patient::row::{PatientRow, patient_table};
use crate::clinic::patient::screening;
use crate::clinic::patient::state::Patient;
use crate::clinic::patient::tables::tables;
use crate::clinic::plan::branch::Branch;
use crate::error::{Error, Result};
use crate::law::StepProbabilities;
use crate::table::Table;
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A cohort: the patients `first .. first + patients` of an experiment.
#[derive(Clone, Debug)]
pub struct Cohort {
    experiment: Arc<Experiment>,
    branches: Vec<Branch>,
}

impl Cohort {
    /// Prepare the arms of an experiment.
    pub fn new(experiment: Experiment) -> Self {
        Self { branches: Branch::of(&experiment.spec.arms), experiment: Arc::new(experiment) }
    }

    /// The experiment.
    pub fn experiment(&self) -> &Arc<Experiment> {
        &self.experiment
    }

    /// Check that the step is short enough for the first `patients` patients: for their untreated
    /// cells, wild type or with any one alteration. No cell is grown.
    pub fn check_step(&self, patients: u64, cancel: &AtomicBool) -> Result<()> {
        let Experiment { spec, network, catalogue, .. } = &*self.experiment;
        let genotypes = Genotypes::one_by_one(catalogue, spec.dt);
        let mut slots = Vec::new();
        for id in 0..patients {
            heed(cancel)?;
            let drawn = Covariates::draw(&spec.population, catalogue, spec.seed, id, 0);
            network.begin_untreated(&mut slots, &drawn.physiology);
            for genotype in genotypes.iter() {
                let rates = network.untreated_rates(&mut slots, &genotype.effects, genotype.fitness);
                StepProbabilities::new(rates.division, rates.death, spec.dt, || {
                    format!("patient {id}, genotype {}", catalogue.name(&genotype.carried))
                })?;
            }
        }
        Ok(())
    }

    /// Screen candidates of every history of whom anything is asked, see `screening::screen`.
    pub fn screen(&self, cancel: &AtomicBool, done: &AtomicUsize) -> Result<Vec<Screening>> {
        screening::screen(&self.experiment, cancel, done)
    }

    fn live(&self, id: u64, cancel: &AtomicBool, carried: &Mutex<Carried>) -> Result<Lived> {
        let patient = Patient::enrolled(&self.experiment, id, cancel)?;
        let row = patient.state.at_enrolment.clone().unwrap_or_else(|| Arc::new(patient.row()));
        let mut arms = vec![Records::default(); self.experiment.spec.arms.len()];
        let wanted: Vec<bool> = (0..arms.len()).map(|arm| patient.lives(arm)).collect();
        patient.live_through(&self.branches, &wanted, cancel, &mut |branch, twin| {
            carried.lock().unwrap_or_else(PoisonError::into_inner).extend(twin.carried());
            for &arm in branch.arms.iter().filter(|&&arm| wanted[arm]) {
                arms[arm] = twin.state.records.clone();
            }
        })?;
        Ok((row, Life { patient: id, arms }))
    }

    /// Run the patients; `done` counts the finished ones.
    pub fn run(
        &self,
        first: u64,
        patients: u64,
        cancel: &AtomicBool,
        done: &AtomicUsize,
    ) -> Result<Vec<(&'static str, Table)>> {
        let carried = Mutex::new(Carried::new());
        let lives: Vec<Result<Vec<Lived>>> = (first..first + patients)
            .into_par_iter()
            .map(|id| {
                if cancel.load(Ordering::Relaxed) {
                    return Err(Error::Interrupted);
                }
                let life = self.live(id, cancel, &carried);
                if life.is_err() {
                    cancel.store(true, Ordering::Relaxed);
                }
                done.fetch_add(1, Ordering::Relaxed);
                life.map(|life| vec![life])
            })
            .collect();
        let (rows, lives): (Vec<Arc<PatientRow>>, Vec<Life>) = collect(lives)?.into_iter().unzip();
        let arms: Vec<String> = self.experiment.spec.arms.iter().map(|arm| arm.name.clone()).collect();
        let mut out = vec![("patients", patient_table(&rows, &self.experiment.spec.population))];
        out.extend(tables(&lives, &arms, &carried.into_inner().unwrap_or_else(PoisonError::into_inner)));
        Ok(out)
    }
}

/// A patient's row and life in all arms.
type Lived = (Arc<PatientRow>, Life);
