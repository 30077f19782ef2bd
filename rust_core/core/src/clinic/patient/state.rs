//! One virtual patient: what is known of the experiment, the state, and what follows from both.

use crate::biology::drug::Drug;
use crate::biology::frame::Frame;
use crate::biology::genotype::Genotypes;
use crate::clinic::instruments::imaging::Bulk;
use crate::clinic::patient::body::Body;
use crate::clinic::patient::cache::Cache;
use crate::clinic::patient::covariates::Covariates;
use crate::clinic::patient::experiment::Experiment;
use crate::clinic::patient::past::Past;
use crate::clinic::patient::records::Records;
use crate::clinic::patient::row::PatientRow;
use crate::clinic::patient::stride::Stride;
use crate::clinic::patient::treatment::Treatment;
use crate::random::{Philox4x64, Purpose, exponential, stream};
use crate::tumour::burden::Burden;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Share of cells at which a gene counts as altered in a tissue biopsy.
pub const FOUND_IN_TISSUE: f64 = 0.05;
/// Lines before enrolment that are told apart in random choices.
const MOST_LINES: u64 = 1 << 16;

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

impl Status {
    /// The name shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Followed => "followed",
            Self::Dead(_) => "dead",
            Self::Censored(_) => "censored",
        }
    }
}

/// Who a patient is, and what they have behind them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Who {
    pub(crate) id: u64,
    pub(crate) arm: Option<usize>,
    pub(crate) candidate: u64,
    pub(crate) past: Past,
    pub(crate) covariates: Covariates,
}

/// Everything else that cannot be computed again. With `Who` and the genotypes met, it is what is saved, in this order:
/// a change of these fields changes the format.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct State {
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
    pub(crate) stride: Stride,
    pub(crate) unseen_lesions: u64,
    pub(crate) treatment: Treatment,
    pub(crate) status: Status,
    pub(crate) records: Records,
    pub(crate) rng: Philox4x64,
    pub(crate) lesion_rng: Philox4x64,
    pub(crate) lesion_hazard: f64,
    pub(crate) lesion_due: f64,
    pub(crate) peaks: Vec<u64>,
}

/// A virtual patient. Cloning copies the whole state, random streams included: twins.
#[derive(Clone, Debug)]
pub struct Patient {
    pub(crate) experiment: Arc<Experiment>,
    pub(crate) who: Who,
    pub(crate) genotypes: Genotypes,
    pub(crate) state: State,
    pub(crate) cache: Cache,
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
        let genotypes = Genotypes::new(
            &experiment.catalogue,
            &covariates.founder,
            experiment.switching_days(),
            covariates.mutation_fold,
        );
        let cells = Frame::of_patient(&experiment.network, &covariates.physiology, genotypes.get(0));
        let past = Past { days_on: vec![0; spec.drugs.len()], ..Past::default() };
        Self {
            experiment: Arc::clone(experiment),
            who: Who { id, arm: None, candidate, past, covariates },
            genotypes,
            state: State {
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
                stride: Stride::default(),
                unseen_lesions: 0,
                treatment: Treatment::default(),
                status: Status::Followed,
                records: Records::default(),
                rng: stream(spec.seed, id, Purpose::Tumour, candidate),
                lesion_rng,
                lesion_hazard: 0.0,
                lesion_due,
                peaks: Vec::new(),
            },
            cache: Cache::of(cells),
        }
    }

    pub(crate) fn name(&self) -> String {
        format!("patient {}", self.who.id)
    }

    /// Whole days since enrolment.
    pub fn day(&self) -> u64 {
        self.state.day - self.state.enrolled_day
    }

    /// Days since enrolment, with the part of the day that has passed.
    pub fn time(&self) -> f64 {
        self.day() as f64 + f64::from(self.state.part) / f64::from(self.experiment.steps_per_day)
    }

    /// How follow-up stands.
    pub fn status(&self) -> Status {
        self.state.status
    }

    /// What is held one by one: individuals and clones.
    pub fn items(&self) -> u64 {
        self.state.burden.items()
    }

    /// Living cells.
    pub fn cells(&self) -> u64 {
        self.state.burden.total()
    }

    /// Tumour DNA shed into plasma, genome equivalents per day.
    pub fn shed_per_day(&self) -> f64 {
        self.state.deaths_today as f64 * self.who.covariates.shedding
    }

    /// Tumour volume.
    pub fn volume_cm3(&self) -> f64 {
        self.state.bulk.volume_cm3(&self.experiment.spec.imaging, self.state.burden.total())
    }

    /// Sum of longest diameters without measurement error: of the target lesions of the line that runs, or of all
    /// lesions that can be some where it has none.
    pub fn true_sld_mm(&self) -> f64 {
        let shares = &self.who.covariates.target_shares;
        let of_line = self.state.treatment.line.as_ref().map(|line| &line.targets);
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
        let total = self.state.burden.total();
        if total == 0 {
            return 0.0;
        }
        let carrying: u64 = self
            .genotypes
            .iter()
            .zip(self.state.burden.counts())
            .filter(|(genotype, _)| genotype.carried.iter().any(|i| alterations.contains(i)))
            .map(|(_, &cells)| cells)
            .sum();
        carrying as f64 / total as f64
    }

    /// Living cells per genotype name, in order of first appearance; names with silent hits merge.
    pub fn composition(&self) -> Vec<(String, u64)> {
        let mut found: Vec<(String, u64)> = Vec::new();
        for (kind, &cells) in self.state.burden.counts().iter().enumerate() {
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

    /// Whether a gene would be found in a tissue biopsy today.
    pub(crate) fn has(&self, gene: &str) -> bool {
        self.carriers(&self.experiment.catalogue.of_gene(gene)) >= FOUND_IN_TISSUE
    }

    /// Whether a gene was seen in the last liquid biopsy.
    pub(crate) fn shows(&self, gene: &str) -> bool {
        let assay = self.experiment.spec.liquid_biopsy.as_ref();
        let index = assay.and_then(|assay| assay.genes.iter().position(|known| known == gene));
        index.and_then(|i| self.state.treatment.allele_fractions.get(i)).is_some_and(|&vaf| vaf > 0.0)
    }

    /// Days of treatment with a drug so far.
    pub(crate) fn days_on(&self, drug: &str) -> u64 {
        self.experiment.drug(drug).and_then(|i| self.who.past.days_on.get(i)).copied().unwrap_or(0)
    }

    pub(crate) fn drug(&self, index: usize) -> &Drug {
        &self.experiment.spec.drugs[index]
    }

    /// Names a line in random choices: those before and after enrolment are told apart.
    pub(crate) fn line_index(&self, number: u32) -> u64 {
        u64::from(number) + if self.state.treatment.is_observed() { MOST_LINES } else { 0 }
    }
}
