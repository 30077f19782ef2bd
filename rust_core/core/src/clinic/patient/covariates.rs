//! Between-patient variation: what is drawn once for each virtual patient.
//!
//! A patient is a handful of standard deviates (`Deviates`), and what they come to under the laws of a population
//! (`Covariates`). Only the first are drawn.

use crate::biology::alteration::Catalogue;
use crate::biology::pathway::CellPhysiology;
use crate::clinic::months::DAYS_PER_YEAR;
use crate::clinic::patient::cell_covariate;
use crate::clinic::patient::population::Population;
use crate::clinic::patient::site::{self, FIRST_SITES};
use crate::random::{Philox4x64, Purpose, choose, exponential, normal, stream, uniform};
use serde::{Deserialize, Serialize};

/// Turnover is not drawn so high that cells divide more often, per day (assumed: a potential doubling time of three
/// days; in breast cancers it is about ten in the median, Rew and Wilson 2000, Eur J Surg Oncol 26:405, cited from
/// memory).
const MOST_DIVISIONS: f64 = 0.22;

/// What sets a patient apart, before any law: standard normal numbers, but where said otherwise.
#[derive(Clone, Debug)]
struct Deviates {
    growth: f64,
    turnover: f64,
    diagnosis_volume: f64,
    lethal_volume: f64,
    /// Uniform.
    target_lesions: f64,
    target_share: f64,
    /// Uniform, one for every site.
    sites: Vec<f64>,
    mutation: f64,
    shedding: f64,
    seeding: f64,
    neutrophils: f64,
    /// Standard exponential, one for every lesion there could be.
    lesion_sizes: Vec<f64>,
    /// Uniform, one for every alteration of founders.
    founder: Vec<f64>,
    /// Standard exponential.
    loss_to_follow_up: f64,
    /// Standard exponential.
    other_death: f64,
    /// Uniform.
    accrual: f64,
    /// Standard normal, one for everything that the pathway reads of the patient.
    cell: Vec<f64>,
}

impl Deviates {
    /// Fields are drawn in the order in which they are listed: those of follow-up from `accrual` on have a stream of
    /// their own. To add one changes no other if it is listed last.
    fn draw(population: &Population, seed: u64, patient: u64, candidate: u64) -> Self {
        let lesions = population.target_lesions.len().max(population.given.target_lesions.unwrap_or(0));
        let rng = &mut stream(seed, patient, Purpose::Covariates, candidate);
        let follow_up = &mut stream(seed, patient, Purpose::FollowUp, candidate);
        let growth = normal(rng);
        Self {
            growth,
            turnover: normal(rng),
            diagnosis_volume: normal(rng),
            lethal_volume: normal(rng),
            target_lesions: uniform(rng),
            target_share: normal(rng),
            sites: site_deviates(rng, population, seed, patient, candidate),
            mutation: normal(rng),
            shedding: normal(rng),
            seeding: normal(rng),
            neutrophils: normal(rng),
            lesion_sizes: (0..lesions).map(|_| exponential(rng)).collect(),
            founder: population.founder.iter().map(|_| uniform(rng)).collect(),
            loss_to_follow_up: exponential(follow_up),
            other_death: exponential(follow_up),
            accrual: uniform(follow_up),
            cell: cell_covariate::deviates(&population.covariates, growth, seed, patient, candidate),
        }
    }
}

/// What was drawn for one patient.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Covariates {
    /// Net growth of the untreated tumour, per day.
    pub net_growth_per_day: f64,
    /// Death rate over division rate.
    pub turnover: f64,
    /// Division, death, and what else the pathway reads.
    pub physiology: CellPhysiology,
    /// Volume at diagnosis, cm3.
    pub diagnosis_volume_cm3: f64,
    /// Volume at death, cm3.
    pub lethal_volume_cm3: f64,
    /// Share of the tumour volume in each target lesion.
    pub target_shares: Vec<f64>,
    /// Index of the site of the disease, if it is at any.
    pub site: Option<usize>,
    /// Multiplier of every mutation probability.
    pub mutation_fold: f64,
    /// Genome equivalents shed per dying cell.
    pub shedding: f64,
    /// New lesions per visible lesion's worth of newly grown cells.
    pub seeding: f64,
    /// Neutrophils before treatment, 1e9 per litre.
    pub neutrophils: f64,
    /// Catalogue indices of the founder's alterations.
    pub founder: Vec<usize>,
    /// Day of loss to follow-up, counted from enrolment.
    pub lost_day: f64,
    /// Day of death from another cause, counted from enrolment.
    pub other_death_day: f64,
    /// Where between the ends of accrual the patient was enrolled, 0 to 1.
    pub accrual_share: f64,
}

impl Covariates {
    /// Draw patient `patient`; `candidate` counts those screened before an eligible one was found.
    pub fn draw(
        population: &Population,
        catalogue: &Catalogue,
        seed: u64,
        patient: u64,
        candidate: u64,
    ) -> Self {
        let deviates = Deviates::draw(population, seed, patient, candidate);
        Self::of(&deviates, population, catalogue)
    }

    /// What the deviates come to in a population. What is given takes the place of what follows from them.
    fn of(deviates: &Deviates, population: &Population, catalogue: &Catalogue) -> Self {
        let given = &population.given;
        let site = site::of(&population.sites, &deviates.sites, &given.sites);
        let growth = site.map_or(1.0, |at| population.sites[at].growth);
        let drawn = population.net_growth_per_day.at(deviates.growth) * growth;
        let net_growth_per_day = given.net_growth_per_day.unwrap_or(drawn);
        let most = (1.0 - net_growth_per_day / MOST_DIVISIONS).max(0.0);
        let turnover = given.turnover.unwrap_or(population.turnover.at(deviates.turnover).min(most));
        let diagnosis_volume_cm3 = given
            .diagnosis_volume_cm3
            .unwrap_or(population.diagnosis_volume_cm3.at(deviates.diagnosis_volume));
        let lethal = population.lethal_volume_cm3.at(deviates.lethal_volume).max(2.0 * diagnosis_volume_cm3);
        let fold = libm::exp(population.mutation_rate_sigma * deviates.mutation);
        Self {
            net_growth_per_day,
            turnover,
            physiology: physiology(deviates, population, net_growth_per_day, turnover),
            diagnosis_volume_cm3,
            lethal_volume_cm3: given.lethal_volume_cm3.unwrap_or(lethal),
            target_shares: target_shares(deviates, population),
            site,
            mutation_fold: given.mutation_fold.unwrap_or(fold),
            shedding: given.shedding.unwrap_or(population.shedding.at(deviates.shedding)),
            seeding: given.seeding.unwrap_or(population.seeding.at(deviates.seeding)),
            neutrophils: given.neutrophils.unwrap_or(population.neutrophils.at(deviates.neutrophils)),
            founder: founder(deviates, population, catalogue),
            lost_day: wait(deviates.loss_to_follow_up, population.loss_to_follow_up_per_year),
            other_death_day: wait(deviates.other_death, population.other_death_per_year),
            accrual_share: deviates.accrual,
        }
    }
}

/// The first two are drawn whether or not there are sites, so that what follows in the stream stays.
fn site_deviates(
    rng: &mut Philox4x64,
    population: &Population,
    seed: u64,
    patient: u64,
    candidate: u64,
) -> Vec<f64> {
    let mut deviates: Vec<f64> = (0..FIRST_SITES).map(|_| uniform(rng)).collect();
    let own = &mut stream(seed, patient, Purpose::Site, candidate);
    deviates.extend((FIRST_SITES..population.sites.len()).map(|_| uniform(own)));
    deviates
}

fn physiology(deviates: &Deviates, population: &Population, net: f64, turnover: f64) -> CellPhysiology {
    let division = net / (1.0 - turnover);
    CellPhysiology {
        division,
        death: division - net,
        covariates: cell_covariate::values(&population.covariates, &deviates.cell, &population.given.cell),
    }
}

/// Share of the tumour volume in each target lesion: uniform on the simplex, by normalised exponentials.
fn target_shares(deviates: &Deviates, population: &Population) -> Vec<f64> {
    let given = &population.given;
    let drawn = choose(&population.target_lesions, deviates.target_lesions);
    let lesions = given.target_lesions.unwrap_or(drawn);
    let all = given.target_share.unwrap_or(population.target_share.at(deviates.target_share));
    let weights: Vec<f64> = deviates.lesion_sizes[..lesions].iter().map(|size| size + 0.05).collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| all * weight / total).collect()
}

/// Alterations of the first cell, at most one of a gene.
fn founder(deviates: &Deviates, population: &Population, catalogue: &Catalogue) -> Vec<usize> {
    if let Some(names) = &population.given.founder {
        return names.iter().filter_map(|name| catalogue.index(name)).collect();
    }
    let mut founder: Vec<usize> = Vec::new();
    for (candidate, &deviate) in population.founder.iter().zip(&deviates.founder) {
        let carried = (deviate < candidate.probability).then(|| catalogue.index(&candidate.alteration));
        if let Some(index) = carried.flatten() {
            let gene = &catalogue.alterations[index].gene;
            if !founder.iter().any(|&other| catalogue.alterations[other].gene == *gene) {
                founder.push(index);
            }
        }
    }
    founder
}

/// Days until an event with a hazard per year.
fn wait(deviate: f64, per_year: f64) -> f64 {
    if per_year > 0.0 { deviate / per_year * DAYS_PER_YEAR } else { f64::INFINITY }
}
