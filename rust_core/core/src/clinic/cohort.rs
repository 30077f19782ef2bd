//! Many patients, each through every arm: virtual twins, in parallel, the same for any number of
//! threads.

use crate::cancel::collect;
use crate::cancel::heed;
use crate::clinic::DAYS_PER_MONTH;
use crate::clinic::covariates::Covariates;
use crate::clinic::experiment::Experiment;
use crate::clinic::patient::{Patient, Status};
use crate::clinic::records::{Life, Records, tables};
use crate::error::{Error, Result};
use crate::law::StepProbabilities;
use crate::table::{Column, Table, Texts};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

impl Patient {
    /// Whether an arm is about this patient.
    pub fn lives(&self, arm: usize) -> bool {
        self.experiment.spec.arms.get(arm).is_some_and(|arm| self.fits(&arm.among))
    }

    /// Enter an arm: the first line begins. Without an arm all treatment is given by hand.
    pub fn enter(&mut self, arm: Option<usize>) -> Result<()> {
        let arms = &self.experiment.spec.arms;
        let lines = match arm.map(|arm| (arm, arms.get(arm))) {
            None => Vec::new(),
            Some((_, Some(arm))) => arm.lines.clone(),
            Some((arm, None)) => {
                return Err(Error::refused("arm", arm, format!("below {}", arms.len())));
            }
        };
        self.arm = arm;
        self.treatment = core::mem::take(&mut self.treatment).followed_by(Arc::new(lines), true);
        self.wake();
        Ok(())
    }

    /// Live through an arm to the end of follow-up.
    fn follow(mut self, arm: usize, cancel: &AtomicBool) -> Result<Records> {
        self.enter(Some(arm))?;
        while self.status() == Status::Followed {
            heed(cancel)?;
            self.step(cancel)?;
        }
        Ok(self.records)
    }
}

/// A cohort: the patients `first .. first + patients` of an experiment.
#[derive(Clone, Debug)]
pub struct Cohort {
    experiment: Arc<Experiment>,
    /// Per arm, the first arm with the same treatment.
    alike: Vec<usize>,
}

impl Cohort {
    /// Prepare the arms of an experiment.
    pub fn new(experiment: Experiment) -> Self {
        let arms = &experiment.spec.arms;
        let alike = (0..arms.len())
            .map(|arm| arms[..arm].iter().position(|first| first.lines == arms[arm].lines).unwrap_or(arm))
            .collect();
        Self { experiment: Arc::new(experiment), alike }
    }

    /// Check that the step is short enough for the first `patients` patients: for their untreated
    /// cells, and for cells whose E2F is free. No cell is grown.
    pub fn check_step(&self, patients: u64, cancel: &AtomicBool) -> Result<()> {
        let spec = &self.experiment.spec;
        for id in 0..patients {
            heed(cancel)?;
            let drawn = Covariates::draw(&spec.population, &self.experiment.catalogue, spec.seed, id, 0);
            let cells = drawn.physiology;
            let free_e2f = 1.0 / spec.pathway.untreated_e2f(&cells);
            StepProbabilities::new(cells.division * free_e2f, cells.death, spec.dt, || {
                format!("patient {id}")
            })?;
        }
        Ok(())
    }

    pub(crate) fn experiment(&self) -> &Arc<Experiment> {
        &self.experiment
    }

    fn live(&self, id: u64, cancel: &AtomicBool) -> Result<Lived> {
        let patient = Patient::enrolled(&self.experiment, id, cancel)?;
        let row = patient.at_enrolment.clone().unwrap_or_else(|| Arc::new(PatientRow::new(&patient)));
        let mut lived: Vec<Option<Records>> = vec![None; self.alike.len()];
        let mut arms = Vec::new();
        for (arm, &first) in self.alike.iter().enumerate() {
            let mut records = Records::default();
            if patient.lives(arm) {
                if lived[first].is_none() {
                    lived[first] = Some(patient.clone().follow(first, cancel)?);
                }
                records = lived[first].clone().unwrap_or_default();
            }
            arms.push(records);
        }
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
        let lives: Vec<Result<Vec<Lived>>> = (first..first + patients)
            .into_par_iter()
            .map(|id| {
                if cancel.load(Ordering::Relaxed) {
                    return Err(Error::Interrupted);
                }
                let life = self.live(id, cancel);
                if life.is_err() {
                    cancel.store(true, Ordering::Relaxed);
                }
                done.fetch_add(1, Ordering::Relaxed);
                life.map(|life| vec![life])
            })
            .collect();
        let (rows, lives): (Vec<Arc<PatientRow>>, Vec<Life>) = collect(lives)?.into_iter().unzip();
        let arms: Vec<String> = self.experiment.spec.arms.iter().map(|arm| arm.name.clone()).collect();
        let mut out = vec![("patients", patient_table(&rows))];
        out.extend(tables(&lives, &arms));
        Ok(out)
    }
}

/// A patient's row and life in all arms.
type Lived = (Arc<PatientRow>, Life);

/// What is reported of a patient at enrolment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PatientRow {
    patient: u64,
    screened: u64,
    covariates: Covariates,
    founder: String,
    history: String,
    relapse_months: f64,
    stopped_months: f64,
    prior_regimens: Vec<String>,
    prior_months: f64,
    altered: String,
    detected: String,
    grown_days: u64,
    growths: u64,
    cells: u64,
    volume_cm3: f64,
    sld_mm: f64,
}

impl PatientRow {
    pub(crate) fn new(patient: &Patient) -> Self {
        Self {
            patient: patient.id,
            screened: patient.candidate + 1,
            covariates: patient.covariates.clone(),
            founder: patient.genotypes.name(&patient.experiment.catalogue, 0),
            history: patient.experiment.histories[patient.past.history].name.clone(),
            relapse_months: months(patient.past.relapse_days),
            stopped_months: months(patient.past.stopped_days),
            prior_regimens: patient.past.regimens.clone(),
            prior_months: months(patient.treatment.last_line_days),
            altered: listed(patient.experiment.genes(), |gene| patient.has(gene)),
            detected: listed(patient.experiment.genes(), |gene| patient.shows(gene)),
            grown_days: patient.grown_days,
            growths: patient.growths,
            cells: patient.cells(),
            volume_cm3: patient.volume_cm3(),
            sld_mm: patient.true_sld_mm(),
        }
    }
}

fn months(days: Option<u64>) -> f64 {
    days.map_or(f64::NAN, |days| days as f64 / DAYS_PER_MONTH)
}

/// The genes that `are` so, joined.
fn listed(genes: Vec<&str>, are: impl Fn(&str) -> bool) -> String {
    genes.into_iter().filter(|gene| are(gene)).collect::<Vec<_>>().join(" + ")
}

fn texts(rows: &[Arc<PatientRow>], of: impl Fn(&PatientRow) -> String) -> Column {
    let mut column = Texts::default();
    for row in rows {
        column.push(&of(row));
    }
    Column::Text(column)
}

impl Patient {
    /// The row of the `patients` table.
    pub fn covariate_table(&self) -> Table {
        patient_table(self.at_enrolment.as_slice())
    }
}

fn patient_table(rows: &[Arc<PatientRow>]) -> Table {
    let f64s = |of: fn(&Covariates) -> f64| Column::F64(rows.iter().map(|r| of(&r.covariates)).collect());
    let flags = |of: fn(&Covariates) -> bool| Column::Bool(rows.iter().map(|r| of(&r.covariates)).collect());
    let mut founder = Texts::default();
    for row in rows {
        founder.push(&row.founder);
    }
    let mut t = Table::default();
    t.put("patient", Column::U64(rows.iter().map(|r| r.patient).collect()));
    t.put("screened", Column::U64(rows.iter().map(|r| r.screened).collect()));
    t.put("net_growth_per_day", f64s(|c| c.net_growth_per_day));
    t.put("turnover", f64s(|c| c.turnover));
    t.put("division_per_day", f64s(|c| c.physiology.division));
    t.put("death_per_day", f64s(|c| c.physiology.death));
    t.put("er_dependence", f64s(|c| c.physiology.er_dependence));
    t.put("cyclin_e", f64s(|c| c.physiology.cyclin_e));
    t.put("premenopausal", flags(|c| c.physiology.premenopausal));
    t.put("visceral", flags(|c| c.visceral));
    t.put("bone_only", flags(|c| c.bone_only));
    t.put(
        "target_lesions",
        Column::U64(rows.iter().map(|r| r.covariates.target_shares.len() as u64).collect()),
    );
    t.put("target_share", f64s(|c| c.target_shares.iter().sum()));
    t.put("mutation_fold", f64s(|c| c.mutation_fold));
    t.put("shedding", f64s(|c| c.shedding));
    t.put("seeding", f64s(|c| c.seeding));
    t.put("neutrophils", f64s(|c| c.neutrophils));
    t.put("lethal_volume_cm3", f64s(|c| c.lethal_volume_cm3));
    t.put("founder", Column::Text(founder));
    t.put("history", texts(rows, |r| r.history.clone()));
    t.put("relapse_months", Column::F64(rows.iter().map(|r| r.relapse_months).collect()));
    t.put("stopped_months", Column::F64(rows.iter().map(|r| r.stopped_months).collect()));
    t.put("prior_lines", Column::U64(rows.iter().map(|r| r.prior_regimens.len() as u64).collect()));
    t.put("prior_regimens", texts(rows, |r| r.prior_regimens.join("; ")));
    t.put("prior_months", Column::F64(rows.iter().map(|r| r.prior_months).collect()));
    t.put("altered", texts(rows, |r| r.altered.clone()));
    t.put("detected", texts(rows, |r| r.detected.clone()));
    t.put("growth_days", Column::U64(rows.iter().map(|r| r.grown_days).collect()));
    t.put("growth_attempts", Column::U64(rows.iter().map(|r| r.growths).collect()));
    t.put("cells", Column::U64(rows.iter().map(|r| r.cells).collect()));
    t.put("volume_cm3", Column::F64(rows.iter().map(|r| r.volume_cm3).collect()));
    t.put("sld_mm", Column::F64(rows.iter().map(|r| r.sld_mm).collect()));
    t
}
