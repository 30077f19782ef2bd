//! One virtual patient: born from one cell, grown to diagnosis, treated line after line.

use crate::biology::genotype::{GenotypeKinds, Genotypes};
use crate::biology::pathway::{DrugDay, rates};
use crate::biology::pharmacology::{Amounts, Doses, PartsOfADay, Protection, bliss, hill};
use crate::cancel::{NEVER, heed};
use crate::clinic::cohort::PatientRow;
use crate::clinic::covariates::Covariates;
use crate::clinic::enrolment::Past;
use crate::clinic::experiment::Experiment;
use crate::clinic::imaging::Bulk;
use crate::clinic::records::Records;
use crate::clinic::toxicity::Marrow;
use crate::clinic::treatment::Treatment;
use crate::error::{Error, Result};
use crate::law::{MOST_CELLS, StepProbabilities};
use crate::random::{Philox4x64, Purpose, exponential, normal, poisson, stream};
use crate::tumour::burden::Burden;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Attempts to grow a tumour from one cell before giving up.
const MOST_GROWTHS: u64 = 100_000;
/// Days a tumour may take to reach diagnosis.
const MOST_GROWTH_DAYS: u64 = 365 * 300;
/// New lesions of a day that are drawn one by one, about; more are drawn as a number.
const MOST_ONE_BY_ONE: f64 = 64.0;
/// Clones or individuals times steps that are taken again after an error.
const STEPS_TAKEN_AGAIN: u64 = 2_000_000;

/// Whether and how follow-up ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// In follow-up.
    Followed,
    /// Dead on this day since enrolment.
    Dead(u64),
    /// Lost to follow-up, or followed to the horizon, on this day since enrolment.
    Censored(u64),
}

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

/// A virtual patient. Cloning copies the whole state, random streams included: twins.
#[derive(Clone, Debug)]
pub struct Patient {
    pub(crate) experiment: Arc<Experiment>,
    pub(crate) id: u64,
    pub(crate) candidate: u64,
    pub(crate) arm: Option<usize>,
    pub(crate) past: Past,
    pub(crate) covariates: Covariates,
    pub(crate) genotypes: Genotypes,
    pub(crate) burden: Burden,
    pub(crate) body: Body,
    pub(crate) bulk: Bulk,
    /// Whole days since diagnosis, and steps of the day that has begun.
    pub(crate) day: u64,
    pub(crate) part: u32,
    pub(crate) enrolled_day: u64,
    /// What is reported of the patient once and for all.
    pub(crate) at_enrolment: Option<Arc<PatientRow>>,
    pub(crate) grown_days: u64,
    pub(crate) growths: u64,
    pub(crate) deaths_today: u64,
    pub(crate) unseen_lesions: u64,
    pub(crate) treatment: Treatment,
    pub(crate) status: Status,
    pub(crate) records: Records,
    pub(crate) rng: Philox4x64,
    pub(crate) lesion_rng: Philox4x64,
    pub(crate) lesion_hazard: f64,
    pub(crate) lesion_due: f64,
    pub(crate) peaks: Vec<u64>,
    pub(crate) drugs: DrugDay,
    pub(crate) probabilities: Vec<StepProbabilities>,
    pub(crate) current: Vec<bool>,
    /// Chances without drugs, and in every layer: only where nutrients or drugs have a reach.
    pub(crate) untreated: Vec<StepProbabilities>,
    pub(crate) layered: Vec<StepProbabilities>,
    /// Chances among as many cells as there are now: only where cells compete.
    pub(crate) crowded: Vec<StepProbabilities>,
}

impl Patient {
    /// Candidate `candidate` of patient `id`, without a tumour yet.
    pub(crate) fn unborn(
        experiment: &Arc<Experiment>,
        id: u64,
        candidate: u64,
        covariates: Covariates,
    ) -> Self {
        let spec = &experiment.spec;
        let mut lesion_rng = stream(spec.seed, id, Purpose::NewLesion, candidate);
        let lesion_due = exponential(&mut lesion_rng);
        let body = Body::new(experiment, id, candidate, covariates.neutrophils);
        Self {
            experiment: Arc::clone(experiment),
            id,
            candidate,
            arm: None,
            past: Past { days_on: vec![0; spec.drugs.len()], ..Past::default() },
            genotypes: Genotypes::new(
                &experiment.catalogue,
                &covariates.founder,
                spec.dt,
                covariates.mutation_fold,
            ),
            burden: Burden::counted(spec.max_clones),
            body,
            bulk: Bulk::default(),
            day: 0,
            part: 0,
            enrolled_day: 0,
            at_enrolment: None,
            grown_days: 0,
            growths: 0,
            deaths_today: 0,
            unseen_lesions: 0,
            treatment: Treatment::default(),
            status: Status::Followed,
            records: Records::default(),
            rng: stream(spec.seed, id, Purpose::Tumour, candidate),
            lesion_rng,
            lesion_hazard: 0.0,
            lesion_due,
            peaks: Vec::new(),
            drugs: DrugDay::default(),
            probabilities: Vec::new(),
            current: Vec::new(),
            untreated: Vec::new(),
            layered: Vec::new(),
            crowded: Vec::new(),
            covariates,
        }
    }

    /// Grow from one cell until the tumour has `volume_cm3`; begin again on extinction.
    pub(crate) fn grow(&mut self, volume_cm3: f64, cancel: &AtomicBool) -> Result<()> {
        for attempt in 1..=MOST_GROWTHS {
            self.growths = attempt;
            self.burden = self.no_cells()?;
            self.bulk = Bulk::default();
            self.burden.found(0, 1, cancel)?;
            for day in 1..=MOST_GROWTH_DAYS {
                heed(cancel)?;
                self.deaths_today = 0;
                for _ in 0..self.experiment.steps_per_day {
                    self.live_cells(cancel)?;
                }
                if self.burden.total() == 0 {
                    break;
                }
                if self.volume_cm3() >= volume_cm3 {
                    self.grown_days = day;
                    self.peaks = self.burden.counts().to_vec();
                    return Ok(());
                }
            }
        }
        Err(Error::NeverGrew { who: self.who(), attempts: MOST_GROWTHS })
    }

    /// The engine of the experiment without a cell. So many real cells are in an individual that a
    /// lethal tumour has the most individuals that are wanted.
    fn no_cells(&self) -> Result<Burden> {
        let spec = &self.experiment.spec;
        let lethal = self.covariates.lethal_volume_cm3 * spec.imaging.living_per_cm3();
        let individuals = spec.engine.individuals(spec.max_clones).map(|(choice, most)| {
            let scale = libm::ceil(lethal / most as f64).max(1.0) as u64;
            (choice, scale)
        });
        Burden::new(spec.max_clones, individuals.as_ref().map(|(choice, scale)| (choice, *scale)))
    }

    pub(crate) fn who(&self) -> String {
        format!("patient {}", self.id)
    }

    /// Whole days since enrolment.
    pub fn day(&self) -> u64 {
        self.day - self.enrolled_day
    }

    /// Days since enrolment, with the part of the day that has passed.
    pub fn time(&self) -> f64 {
        self.day() as f64 + f64::from(self.part) / f64::from(self.experiment.steps_per_day)
    }

    /// How follow-up stands.
    pub fn status(&self) -> Status {
        self.status
    }

    /// What is held one by one: individuals and clones.
    pub fn items(&self) -> u64 {
        self.burden.items()
    }

    /// Living cells.
    pub fn cells(&self) -> u64 {
        self.burden.total()
    }

    /// Tumour volume.
    pub fn volume_cm3(&self) -> f64 {
        self.bulk.volume_cm3(&self.experiment.spec.imaging, self.burden.total())
    }

    /// Sum of longest diameters without measurement error: of the target lesions of the line that runs, or of all
    /// lesions that can be some where it has none.
    pub fn true_sld_mm(&self) -> f64 {
        let shares = &self.covariates.target_shares;
        let of_line = self.treatment.line.as_ref().map(|line| &line.targets);
        let targets = of_line.filter(|targets| targets.contains(&true));
        let summed: Vec<f64> = match targets {
            Some(targets) => {
                shares.iter().zip(targets).filter(|(_, is)| **is).map(|(share, _)| *share).collect()
            }
            None => shares.clone(),
        };
        self.experiment.spec.imaging.true_sum_of_diameters(self.volume_cm3(), &summed)
    }

    /// Fraction of living cells that carry any of `alterations`.
    pub(crate) fn carriers(&self, alterations: &[usize]) -> f64 {
        let total = self.burden.total();
        if total == 0 {
            return 0.0;
        }
        let carrying: u64 = self
            .genotypes
            .iter()
            .zip(self.burden.counts())
            .filter(|(genotype, _)| genotype.carried.iter().any(|i| alterations.contains(i)))
            .map(|(_, &cells)| cells)
            .sum();
        carrying as f64 / total as f64
    }

    /// Living cells per genotype name, in order of first appearance; names with silent hits merge.
    pub fn composition(&self) -> Vec<(String, u64)> {
        let mut found: Vec<(String, u64)> = Vec::new();
        for (kind, &cells) in self.burden.counts().iter().enumerate() {
            if cells == 0 {
                continue;
            }
            let name = self.genotypes.name(&self.experiment.catalogue, kind as u32);
            match found.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => *sum += cells,
                None => found.push((name, cells)),
            }
        }
        found
    }

    /// One step in the life of the cells under today's drugs.
    fn live_cells(&mut self, cancel: &AtomicBool) -> Result<()> {
        let experiment = Arc::clone(&self.experiment);
        self.refresh_rates(&experiment)?;
        self.compete(&experiment);
        let mut kinds = GenotypeKinds { catalogue: &experiment.catalogue, genotypes: &mut self.genotypes };
        let table = match (self.layered.is_empty(), self.crowded.is_empty()) {
            (false, _) => &self.layered,
            (true, false) => &self.crowded,
            (true, true) => &self.probabilities,
        };
        let tally = self
            .burden
            .step(&mut self.rng, table, &mut kinds, cancel)
            .map_err(|error| error.of(&format!("patient {}", self.id)))?;
        self.deaths_today += tally.deaths;
        self.bulk.pass(&experiment.spec.imaging, self.burden.total(), tally.deaths, experiment.spec.dt);
        Ok(())
    }

    /// Logistic growth: as many cells as there are now hold back division, so that the net growth of untreated
    /// cells falls in proportion and ends at the carrying capacity. Given the number of cells, every cell still
    /// divides and dies by itself.
    fn compete(&mut self, experiment: &Experiment) {
        let Some(capacity) = experiment.spec.population.carrying_capacity_cm3 else { return };
        let full = capacity * experiment.spec.imaging.living_per_cm3();
        let held_back = (1.0 - self.covariates.turnover) * self.burden.total() as f64 / full;
        let free = (1.0 - held_back).max(0.0);
        let among_others =
            |alone: &StepProbabilities| StepProbabilities { divide: alone.divide * free, ..*alone };
        self.crowded.clear();
        self.crowded.extend(self.probabilities.iter().map(among_others));
    }

    /// Bring the rates of every living genotype up to date with today's drugs.
    fn refresh_rates(&mut self, experiment: &Experiment) -> Result<()> {
        self.probabilities.resize(self.genotypes.len(), StepProbabilities::default());
        self.current.resize(self.genotypes.len(), false);
        for (kind, &cells) in self.burden.counts().iter().enumerate() {
            if cells > 0 && !self.current[kind] {
                self.probabilities[kind] = self.chances(experiment, kind as u32, &self.drugs)?;
                self.current[kind] = true;
            }
        }
        if experiment.spec.engine.has_reach() {
            self.layer_rates(experiment)?;
        }
        Ok(())
    }

    /// Chances of a genotype under the drugs that reach it.
    fn chances(&self, experiment: &Experiment, kind: u32, drugs: &DrugDay) -> Result<StepProbabilities> {
        let genotype = self.genotypes.get(kind);
        let day = rates(&experiment.spec.pathway, &self.covariates.physiology, drugs, genotype);
        StepProbabilities::new(day.division, day.death, experiment.spec.dt, || {
            format!("patient {}, genotype {}", self.id, self.genotypes.name(&experiment.catalogue, kind))
        })
    }

    /// The chances of every genotype in every layer of the lattice: those under no drug and under the
    /// drugs of the body, mixed by what reaches the layer.
    fn layer_rates(&mut self, experiment: &Experiment) -> Result<()> {
        let untreated = DrugDay::default();
        for kind in self.untreated.len() as u32..self.genotypes.len() as u32 {
            let plain = self.chances(experiment, kind, &untreated)?;
            self.untreated.push(plain);
        }
        self.layered.clear();
        for (&without, &with) in self.untreated.iter().zip(&self.probabilities) {
            self.layered.extend(self.burden.exposures().iter().map(|layer| layer.mix(without, with)));
        }
        Ok(())
    }

    /// One step of `dt`, if the patient is followed. After the last step of a day the doctor looks
    /// at the patient, for it is the next morning; at the end of follow-up the books are closed.
    /// After an error the patient is not to be used; `advance` keeps them whole.
    pub fn step(&mut self, cancel: &AtomicBool) -> Result<()> {
        if self.status == Status::Followed && self.pass_step(cancel)? {
            self.wake();
        }
        Ok(())
    }

    /// Take `steps` steps. An error in the middle of one leaves the patient as before that step: of a copy that
    /// was kept, the steps that went well are taken again, with the same numbers.
    pub fn advance(&mut self, steps: u64, cancel: &AtomicBool) -> Result<()> {
        let mut left = steps;
        while left > 0 && self.status == Status::Followed {
            heed(cancel)?;
            let before = self.clone();
            let now = left.min((STEPS_TAKEN_AGAIN / self.burden.items().max(1)).clamp(1, 64));
            for taken in 0..now {
                if let Err(error) = self.step(cancel) {
                    *self = before;
                    (0..taken).try_for_each(|_| self.step(&NEVER))?;
                    return Err(error);
                }
            }
            left -= now;
        }
        Ok(())
    }

    /// A copy with a future of its own: what is drawn from today on, of cells, lesions, scans and biopsies, is
    /// drawn anew. What was drawn of the patient before stays.
    #[must_use]
    pub fn fork(&self, seed: u64) -> Self {
        let mut twin = self.clone();
        let mut experiment = Experiment::clone(&self.experiment);
        experiment.spec.seed = seed;
        twin.experiment = Arc::new(experiment);
        twin.rng = stream(seed, self.id, Purpose::Fork, self.day);
        twin.lesion_rng = stream(seed, self.id, Purpose::NewLesion, self.candidate);
        twin.lesion_hazard = 0.0;
        twin.lesion_due = exponential(&mut twin.lesion_rng);
        twin
    }

    /// What happens in the morning.
    pub(crate) fn wake(&mut self) {
        if self.status == Status::Followed {
            self.visit();
            if self.experiment.spec.end_with_last_line && self.arm.is_some() && self.treatment.is_over() {
                self.status = Status::Censored(self.day());
            }
        }
        if self.status != Status::Followed {
            self.close();
        }
    }

    /// One step: a day begins with its doses, then cells and volume pass its steps, and it ends with
    /// new lesions and the ways life can end. Whether the day is over.
    fn pass_step(&mut self, cancel: &AtomicBool) -> Result<bool> {
        if self.part == 0 {
            self.take_drugs();
            self.deaths_today = 0;
        }
        self.live_cells(cancel)?;
        self.part += 1;
        if self.part < self.experiment.steps_per_day {
            return Ok(false);
        }
        self.part = 0;
        self.seed_lesions();
        self.day += 1;
        self.check_life();
        Ok(true)
    }

    /// The steps of one day, without a visit.
    pub(crate) fn pass_day(&mut self, cancel: &AtomicBool) -> Result<()> {
        while !self.pass_step(cancel)? {}
        Ok(())
    }

    fn take_drugs(&mut self) {
        let experiment = Arc::clone(&self.experiment);
        for course in self.treatment.line.iter().flat_map(|line| &line.courses) {
            self.past.days_on[course.drug] += 1;
        }
        let drugs = experiment.spec.drugs.len();
        self.note_missed_doses();
        let mut doses = self.treatment.pass_day(drugs, self.day);
        if self.past.leaves_its_drugs() {
            doses.fill(Doses::default());
        }
        self.body.pass_day(&experiment, &doses);
        let today = DrugDay::new(&experiment.spec.drugs, &self.body.concentrations);
        if today != self.drugs {
            self.drugs = today;
            self.current.fill(false);
        }
    }

    /// New lesions become visible as clones grow beyond what they ever were.
    fn seed_lesions(&mut self) {
        let counts = self.burden.counts();
        self.peaks.resize(counts.len(), 0);
        let mut grown = 0u64;
        for (peak, &cells) in self.peaks.iter_mut().zip(counts) {
            if cells > *peak {
                grown += cells - *peak;
                *peak = cells;
            }
        }
        let visible = self.experiment.spec.imaging.new_lesion_cells;
        self.lesion_hazard += self.covariates.seeding * grown as f64 / visible;
        let overdue = self.lesion_hazard - self.lesion_due;
        if overdue > MOST_ONE_BY_ONE {
            // The number in a stretch of hazard is Poisson, and the wait after it has no memory: the same law.
            let more = 1 + poisson(&mut self.lesion_rng, overdue.min(MOST_CELLS as f64));
            self.unseen_lesions = self.unseen_lesions.saturating_add(more);
            self.lesion_hazard = 0.0;
            self.lesion_due = exponential(&mut self.lesion_rng);
        }
        while self.lesion_hazard >= self.lesion_due {
            self.unseen_lesions = self.unseen_lesions.saturating_add(1);
            self.lesion_due += exponential(&mut self.lesion_rng);
        }
    }

    fn check_life(&mut self) {
        let day = self.day();
        let spec = &self.experiment.spec;
        let horizon = spec.horizon_days - spec.accrual_days * self.covariates.accrual_share;
        let enrolled = self.treatment.is_observed();
        if self.volume_cm3() >= self.covariates.lethal_volume_cm3
            || (enrolled && day as f64 >= self.covariates.other_death_day)
        {
            self.status = Status::Dead(day);
        } else if enrolled && (day as f64 >= horizon || day as f64 >= self.covariates.lost_day) {
            self.status = Status::Censored(day);
        }
    }

    /// The disease came back `days` after the start of adjuvant therapy: all of it is known from now on.
    pub(crate) fn found_again(&mut self, days: u64) {
        self.past.relapse_days = Some(days);
        self.treatment.last_line_days = Some(days);
        self.peaks = self.burden.counts().to_vec();
        self.unseen_lesions = 0;
    }

    /// Enter the arms today: days, records and follow-up start here.
    pub(crate) fn enrol(&mut self) {
        self.enrolled_day = self.day;
        self.at_enrolment = Some(Arc::new(PatientRow::new(self)));
        self.records = Records::default();
        self.unseen_lesions = 0;
    }
}

impl Body {
    fn new(experiment: &Experiment, patient: u64, candidate: u64, neutrophils: f64) -> Self {
        let drugs = &experiment.spec.drugs;
        let sigma = experiment.spec.population.exposure_sigma;
        let (mut exposure, mut intolerance_at) = (Vec::new(), Vec::new());
        for drug in drugs {
            // Keyed by the drug's name, so that a drug means the same in every experiment.
            let rng = &mut stream(experiment.spec.seed, patient, Purpose::Drug, key(&drug.name) ^ candidate);
            exposure.push(libm::exp(sigma * normal(rng)));
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

    fn pass_day(&mut self, experiment: &Experiment, doses: &[Doses]) {
        let doses: Vec<Doses> = doses
            .iter()
            .zip(&self.exposure)
            .map(|(doses, exposure)| Doses { size: doses.size * exposure, ..*doses })
            .collect();
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
                let escaping = if drug.kills_dividing_cells() { 1.0 - protected } else { 1.0 };
                *share += slope * concentration * escaping;
            }
        }
        lost
    }
}

/// A stable 64-bit key of a name (FNV-1a).
fn key(name: &str) -> u64 {
    name.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
