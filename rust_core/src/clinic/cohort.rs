//! Many patients, each through every arm: virtual twins, in parallel, the same for any number of
//! threads.

use crate::clinic::covariates::Covariates;
use crate::clinic::experiment::Experiment;
use crate::clinic::patient::{Patient, Status};
use crate::clinic::records::{EndReason, Life, Records, tables};
use crate::clinic::strategy::Line;
use crate::clinic::treatment::Treatment;
use crate::error::{Error, Result};
use crate::table::{Column, Table, Texts};
use crate::tumour::clones::StepProbabilities;
use crate::tumour::replicate::collect;
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Candidates screened for one eligible patient before giving up.
const MOST_CANDIDATES: u64 = 10_000;
/// Days the lines before enrolment may take.
const MOST_PRIOR_DAYS: u64 = 365 * 30;

/// A patient on the day of enrolment, with what is reported of them.
struct Enrolled {
    patient: Patient,
    screened: u64,
}

impl Patient {
    /// The first eligible candidate of patient `id`, on the day of enrolment.
    fn enrolled(experiment: &Arc<Experiment>, id: u64, cancel: &AtomicBool) -> Result<Enrolled> {
        for candidate in 0..MOST_CANDIDATES {
            let mut patient = Self::diagnose(experiment, id, candidate)?;
            if patient.live_through_prior_lines(cancel)? {
                patient.enrol();
                return Ok(Enrolled { patient, screened: candidate + 1 });
            }
        }
        Err(Error::input(
            "population.eligibility",
            format!("patient {id}: none of {MOST_CANDIDATES} candidates was eligible; relax the criteria"),
        ))
    }

    fn live_through_prior_lines(&mut self, cancel: &AtomicBool) -> Result<bool> {
        let population = &self.experiment.spec.population;
        let eligibility = population.eligibility.clone();
        if eligibility.visceral.is_some_and(|wanted| wanted != self.covariates.visceral)
            || eligibility.measurable.is_some_and(|wanted| wanted == self.covariates.bone_only)
        {
            return Ok(false);
        }
        if !population.prior.is_empty() {
            self.treatment = Treatment::new(Arc::new(population.prior.clone()), false);
            for _ in 0..MOST_PRIOR_DAYS {
                self.visit();
                if self.treatment.is_over() || self.status() != Status::Followed {
                    break;
                }
                self.pass_day()?;
                if cancel.load(Ordering::Relaxed) {
                    return Err(Error::Interrupted);
                }
            }
            let last = self.records.outcomes.last().map(|outcome| outcome.end_reason);
            let left = matches!(last, Some(EndReason::Progression | EndReason::Completed));
            if !left || !self.treatment.is_over() {
                return Ok(false);
            }
        }
        let catalogue = &self.experiment.catalogue;
        let found = |gene: &String| self.carriers(&catalogue.of_gene(gene)) >= FOUND_IN_TISSUE;
        Ok(Covariates::prior_fits(&eligibility, self.treatment.last_line_days.unwrap_or(0) as f64)
            && eligibility.altered.iter().all(found)
            && !eligibility.not_altered.iter().any(found))
    }

    /// Live through an arm to the end of follow-up.
    fn follow(mut self, lines: Arc<Vec<Line>>, cancel: &AtomicBool) -> Result<Records> {
        self.treatment = self.treatment.followed_by(lines);
        let end_with_last_line = self.experiment.spec.end_with_last_line;
        while self.status() == Status::Followed {
            if cancel.load(Ordering::Relaxed) {
                return Err(Error::Interrupted);
            }
            self.visit();
            if end_with_last_line && self.treatment.is_over() {
                break;
            }
            self.pass_day()?;
        }
        self.close();
        Ok(self.records)
    }
}

/// Share of cells at which a gene counts as altered in a tissue biopsy at enrolment.
const FOUND_IN_TISSUE: f64 = 0.05;

/// A cohort: the patients `first .. first + patients` of an experiment.
#[derive(Clone, Debug)]
pub struct Cohort {
    experiment: Arc<Experiment>,
    plans: Vec<Arc<Vec<Line>>>,
}

impl Cohort {
    /// Prepare the arms of an experiment.
    pub fn new(experiment: Experiment) -> Self {
        let plans = experiment.spec.arms.iter().map(|arm| Arc::new(arm.lines.clone())).collect();
        Self { experiment: Arc::new(experiment), plans }
    }

    /// Check that the step is short enough for the first `patients` patients: for their untreated
    /// cells, and for cells whose E2F is free. No cell is grown.
    pub fn check_step(&self, patients: u64) -> Result<()> {
        let spec = &self.experiment.spec;
        let free_e2f = 1.0 / spec.pathway.untreated_e2f();
        for id in 0..patients {
            let drawn = Covariates::draw(&spec.population, &self.experiment.catalogue, spec.seed, id, 0);
            let cells = drawn.physiology;
            StepProbabilities::new(cells.division * free_e2f, cells.death, spec.dt, || {
                format!("patient {id}")
            })?;
        }
        Ok(())
    }

    fn live(&self, id: u64, cancel: &AtomicBool) -> Result<(PatientRow, Life)> {
        let Enrolled { patient, screened } = Patient::enrolled(&self.experiment, id, cancel)?;
        let row = PatientRow::new(&patient, screened);
        let arms = self
            .plans
            .iter()
            .map(|plan| patient.clone().follow(Arc::clone(plan), cancel))
            .collect::<Result<Vec<_>>>()?;
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
        let lives: Vec<Result<Vec<(PatientRow, Life)>>> = (first..first + patients)
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
        let (rows, lives): (Vec<PatientRow>, Vec<Life>) = collect(lives)?.into_iter().unzip();
        let arms: Vec<String> = self.experiment.spec.arms.iter().map(|arm| arm.name.clone()).collect();
        let mut out = vec![("patients", patient_table(&rows))];
        out.extend(tables(&lives, &arms));
        Ok(out)
    }
}

/// What is reported of a patient at enrolment.
#[derive(Clone, Debug)]
struct PatientRow {
    patient: u64,
    screened: u64,
    covariates: Covariates,
    founder: String,
    grown_days: u64,
    growths: u64,
    cells: u64,
    volume_cm3: f64,
    sld_mm: f64,
}

impl PatientRow {
    fn new(patient: &Patient, screened: u64) -> Self {
        Self {
            patient: patient.id,
            screened,
            covariates: patient.covariates.clone(),
            founder: patient.genotypes.name(&patient.experiment.catalogue, 0),
            grown_days: patient.grown_days,
            growths: patient.growths,
            cells: patient.cells(),
            volume_cm3: patient.volume_cm3(),
            sld_mm: patient.true_sld_mm(),
        }
    }
}

fn patient_table(rows: &[PatientRow]) -> Table {
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
    t.put("growth_days", Column::U64(rows.iter().map(|r| r.grown_days).collect()));
    t.put("growth_attempts", Column::U64(rows.iter().map(|r| r.growths).collect()));
    t.put("cells", Column::U64(rows.iter().map(|r| r.cells).collect()));
    t.put("volume_cm3", Column::F64(rows.iter().map(|r| r.volume_cm3).collect()));
    t.put("sld_mm", Column::F64(rows.iter().map(|r| r.sld_mm).collect()));
    t
}
