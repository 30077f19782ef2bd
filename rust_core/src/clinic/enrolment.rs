//! Who enters the arms: what patients have lived through before, and who of them is asked in.

use crate::clinic::covariates::{Covariates, choose};
use crate::clinic::experiment::Experiment;
use crate::clinic::patient::{Patient, Status};
use crate::clinic::records::EndReason;
use crate::clinic::strategy::Line;
use crate::clinic::treatment::Treatment;
use crate::clinic::{DAYS_PER_MONTH, DAYS_PER_YEAR, FOUND_IN_TISSUE};
use crate::error::{Error, Result, within};
use crate::random::{Purpose, exponential, stream, uniform};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Candidates screened for one eligible patient before giving up.
const MOST_CANDIDATES: u64 = 10_000;
/// Days the lines before enrolment may take.
const MOST_PRIOR_DAYS: u64 = 365 * 30;
/// Benefit from which endocrine therapy of advanced disease shows sensitivity (24 weeks; Turner 2015).
const SENSITIVE_DAYS: u64 = 24 * 7;
/// Time on adjuvant therapy from which relapse shows endocrine sensitivity (Turner 2015).
const SENSITIVE_ADJUVANT_MONTHS: f64 = 24.0;

/// Time on drugs, all of them together, before enrolment.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exposure {
    /// Drugs that count.
    pub drugs: Vec<String>,
    /// At least so many months.
    #[serde(default)]
    pub months_at_least: Option<f64>,
    /// Less than so many months.
    #[serde(default)]
    pub months_below: Option<f64>,
}

/// What is asked of a patient on the day of enrolment. Empty: nothing, but that the last prior line
/// ended in progression or as planned.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Eligibility {
    /// At least so many months from start to progression on the last prior line.
    pub prior_months_at_least: Option<f64>,
    /// Less than so many months from start to progression on the last prior line.
    pub prior_months_below: Option<f64>,
    /// How the last prior line may have ended; empty: in progression, or as planned.
    pub prior_ended: Vec<EndReason>,
    /// Genes that must all be found in the tumour (in at least a twentieth of its cells).
    pub altered: Vec<String>,
    /// Genes of which at least one must be found in the tumour.
    pub altered_any: Vec<String>,
    /// Genes that must not be found in the tumour.
    pub not_altered: Vec<String>,
    /// Genes that must all be seen in a liquid biopsy.
    pub detected: Vec<String>,
    /// Genes that must not be seen in a liquid biopsy.
    pub not_detected: Vec<String>,
    /// Drugs of which at least one must have been taken before.
    pub taken: Vec<String>,
    /// Drugs that must not have been taken before.
    pub not_taken: Vec<String>,
    /// Time on drugs before.
    pub exposure: Option<Exposure>,
    /// Names of the histories that qualify; empty: all.
    pub history: Vec<String>,
    /// Sensitive (or resistant) to endocrine therapy before: at least 24 weeks without progression on one
    /// line of it in advanced disease, or 24 months without relapse on adjuvant therapy.
    pub endocrine_sensitive: Option<bool>,
    /// Only patients with (or without) visceral disease.
    pub visceral: Option<bool>,
    /// Only patients with (or without) measurable disease.
    pub measurable: Option<bool>,
    /// Only patients before (or after) menopause.
    pub premenopausal: Option<bool>,
}

/// Therapy after surgery, and when on it the disease came back.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adjuvant {
    /// The therapy; it runs for its planned months whatever scans show, for none are made.
    pub line: Line,
    /// Relapse at least so many months after its start.
    pub relapse_from_month: f64,
    /// Relapse before so many months after its start.
    pub relapse_before_month: f64,
}

/// One way to have come to the trial.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// Name.
    pub name: String,
    /// Share of the patients enrolled.
    pub share: f64,
    /// Relapse under adjuvant therapy; none: the disease was advanced when it was found.
    #[serde(default)]
    pub adjuvant: Option<Adjuvant>,
    /// Enrolled on the day of surgery: nothing of the disease is seen, and the arms are adjuvant.
    #[serde(default)]
    pub operated: bool,
    /// Lines for advanced disease.
    #[serde(default)]
    pub prior: Vec<Line>,
    /// What is asked of these patients beside what is asked of all.
    #[serde(default)]
    pub eligibility: Eligibility,
}

/// What a patient has behind them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Past {
    /// Index of the history.
    pub(crate) history: usize,
    /// Days from the start of adjuvant therapy to relapse.
    pub(crate) relapse_days: Option<u64>,
    /// Days from the start of adjuvant therapy to when the patient stopped taking it.
    pub(crate) stopped_days: Option<u64>,
    /// Regimens of the lines for advanced disease.
    pub(crate) regimens: Vec<String>,
    /// How the last of them ended.
    pub(crate) ended: Option<EndReason>,
    /// Days without progression on the endocrine line for advanced disease that helped longest.
    pub(crate) endocrine_days: Option<u64>,
    /// Days of treatment with every drug.
    pub(crate) days_on: Vec<u64>,
}

impl Past {
    /// Whether therapy is prescribed and not taken: adjuvant therapy, by who has stopped. Records know nothing of it.
    pub(crate) fn leaves_its_drugs(&self) -> bool {
        self.stopped_days.is_some() && self.relapse_days.is_none()
    }
}

impl Eligibility {
    pub(crate) fn validate(&self, place: &str, experiment: &Experiment) -> Result<()> {
        for gene in self.altered.iter().chain(&self.altered_any).chain(&self.not_altered) {
            if experiment.catalogue.of_gene(gene).is_empty() {
                return Err(Error::input(
                    place,
                    format!("\"{gene}\" is no gene or alteration of this experiment"),
                ));
            }
        }
        for gene in self.detected.iter().chain(&self.not_detected) {
            if !experiment.measures(gene) {
                return Err(Error::input(place, format!("nobody measures \"{gene}\" in liquid biopsies")));
            }
        }
        let exposed = self.exposure.iter().flat_map(|exposure| &exposure.drugs);
        for drug in self.taken.iter().chain(&self.not_taken).chain(exposed) {
            if experiment.drug(drug).is_none() {
                return Err(Error::input(place, format!("\"{drug}\" is not a known drug")));
            }
        }
        Ok(())
    }

    /// What can be told before a tumour is grown.
    fn fits_covariates(&self, covariates: &Covariates) -> bool {
        let agrees = |wanted: Option<bool>, is: bool| wanted.is_none_or(|wanted| wanted == is);
        agrees(self.visceral, covariates.visceral)
            && agrees(self.measurable, !covariates.bone_only)
            && agrees(self.premenopausal, covariates.physiology.premenopausal)
    }
}

impl History {
    pub(crate) fn validate(&self, place: &str, experiment: &Experiment) -> Result<()> {
        within(format!("{place}.share"), self.share, 1e-9, 1e9)?;
        let scope = &experiment.scope();
        if let Some(adjuvant) = &self.adjuvant {
            adjuvant.line.validate(&format!("{place}.adjuvant"), scope)?;
            within(format!("{place}.adjuvant.relapse_from_month"), adjuvant.relapse_from_month, 0.0, 1e4)?;
            within(
                format!("{place}.adjuvant.relapse_before_month"),
                adjuvant.relapse_before_month,
                adjuvant.relapse_from_month,
                1e4,
            )?;
        }
        for (l, line) in self.prior.iter().enumerate() {
            line.validate(&format!("{place}.prior[{l}]"), scope)?;
        }
        self.eligibility.validate(&format!("{place}.eligibility"), experiment)
    }
}

impl Patient {
    /// The first eligible candidate of patient `id`, on the day of enrolment.
    pub fn enrolled(experiment: &Arc<Experiment>, id: u64, cancel: &AtomicBool) -> Result<Self> {
        let spec = &experiment.spec;
        let shares: Vec<f64> = experiment.histories.iter().map(|history| history.share).collect();
        let drawn = choose(&shares, uniform(&mut stream(spec.seed, id, Purpose::History, 0))) - 1;
        let history = &experiment.histories[drawn];
        for candidate in 0..MOST_CANDIDATES {
            let covariates =
                Covariates::draw(&spec.population, &experiment.catalogue, spec.seed, id, candidate);
            if !history.eligibility.fits_covariates(&covariates)
                || !spec.population.eligibility.fits_covariates(&covariates)
            {
                continue;
            }
            let mut patient = Self::unborn(experiment, id, candidate, covariates);
            patient.past.history = drawn;
            if patient.come_to_the_trial(history, cancel)? {
                patient.enrol();
                return Ok(patient);
            }
        }
        Err(Error::input(
            "population.eligibility",
            format!("patient {id}: none of {MOST_CANDIDATES} candidates was eligible; relax the criteria"),
        ))
    }

    fn come_to_the_trial(&mut self, history: &History, cancel: &AtomicBool) -> Result<bool> {
        if history.adjuvant.is_some() || history.operated {
            self.grow(self.experiment.spec.population.primary_volume_cm3)?;
            self.operate()?;
        } else {
            self.grow(self.covariates.diagnosis_volume_cm3)?;
        }
        if let Some(adjuvant) = &history.adjuvant
            && !self.relapses(adjuvant, cancel)?
        {
            return Ok(false);
        }
        if !self.lives_through(&history.prior, cancel)? {
            return Ok(false);
        }
        self.read_plasma();
        let of_all = &self.experiment.spec.population.eligibility;
        let any_end = history.eligibility.prior_ended.is_empty() && of_all.prior_ended.is_empty();
        let usual = matches!(self.past.ended, None | Some(EndReason::Progression | EndReason::Completed));
        Ok((usual || !any_end) && self.fits(&history.eligibility) && self.fits(of_all))
    }

    /// Surgery leaves a residue, too small for any scan, in which every cell had the same chance to stay.
    fn operate(&mut self) -> Result<()> {
        let spec = &self.experiment.spec;
        let rng = &mut stream(spec.seed, self.id, Purpose::History, self.candidate + 1);
        let share = spec.population.residual_cells.draw(rng) / self.cells() as f64;
        self.burden.thin(rng, share)?;
        self.bulk.thin(share);
        Ok(())
    }

    /// Whether the disease comes back when it should, under the therapy or after it.
    fn relapses(&mut self, adjuvant: &Adjuvant, cancel: &AtomicBool) -> Result<bool> {
        self.treatment = Treatment::new(Arc::new(vec![adjuvant.line.clone()]), false);
        let spec = &self.experiment.spec;
        let adherence = exponential(&mut stream(spec.seed, self.id, Purpose::Adherence, self.candidate));
        let stops = adherence / spec.population.adjuvant_discontinuation_per_year * DAYS_PER_YEAR;
        let last_day = (adjuvant.relapse_before_month * DAYS_PER_MONTH) as u64;
        for day in 0..last_day {
            self.visit();
            if self.past.stopped_days.is_none() && !self.treatment.is_over() && day as f64 >= stops {
                self.past.stopped_days = Some(day);
            }
            self.pass_day()?;
            if self.cells() == 0 {
                return Ok(false);
            }
            if self.volume_cm3() >= self.covariates.diagnosis_volume_cm3 {
                self.found_again(day + 1);
                return Ok(day as f64 >= adjuvant.relapse_from_month * DAYS_PER_MONTH);
            }
            if cancel.load(Ordering::Relaxed) {
                return Err(Error::Interrupted);
            }
        }
        Ok(false)
    }

    fn lives_through(&mut self, prior: &[Line], cancel: &AtomicBool) -> Result<bool> {
        if prior.is_empty() {
            return Ok(true);
        }
        self.treatment = core::mem::take(&mut self.treatment).followed_by(Arc::new(prior.to_vec()), false);
        self.records.outcomes.clear();
        self.past.endocrine_days = None;
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
        self.past.regimens = self.records.outcomes.iter().map(|outcome| outcome.regimen.clone()).collect();
        self.past.ended = self.records.outcomes.last().map(|outcome| outcome.end_reason);
        let lives = self.status() == Status::Followed;
        Ok(lives && self.treatment.is_over() && self.past.ended.is_some())
    }

    /// Whether a gene would be found in a tissue biopsy today.
    pub(crate) fn has(&self, gene: &str) -> bool {
        self.carriers(&self.experiment.catalogue.of_gene(gene)) >= FOUND_IN_TISSUE
    }

    /// Whether a gene was seen in the last liquid biopsy.
    pub(crate) fn shows(&self, gene: &str) -> bool {
        let assay = self.experiment.spec.liquid_biopsy.as_ref();
        let index = assay.and_then(|assay| assay.genes.iter().position(|known| known == gene));
        index.and_then(|i| self.treatment.allele_fractions.get(i)).is_some_and(|&vaf| vaf > 0.0)
    }

    /// Days of treatment with a drug so far.
    pub(crate) fn days_on(&self, drug: &str) -> u64 {
        self.experiment.drug(drug).and_then(|i| self.past.days_on.get(i)).copied().unwrap_or(0)
    }

    /// Whether endocrine therapy before the trial helped long enough to call the disease sensitive to it, any
    /// line of it. Who had none is taken to be.
    fn is_endocrine_sensitive(&self) -> bool {
        let Past { relapse_days, endocrine_days, .. } = &self.past;
        let long = |days: u64| days as f64 >= SENSITIVE_ADJUVANT_MONTHS * DAYS_PER_MONTH;
        relapse_days.is_none() && endocrine_days.is_none()
            || relapse_days.is_some_and(long)
            || endocrine_days.is_some_and(|days| days >= SENSITIVE_DAYS)
    }

    /// Whether the patient, as known today, is what `asked` asks for.
    pub(crate) fn fits(&self, asked: &Eligibility) -> bool {
        let prior_months = self.treatment.last_line_days.unwrap_or(0) as f64 / DAYS_PER_MONTH;
        let exposed = |exposure: &Exposure| {
            let days: u64 = exposure.drugs.iter().map(|drug| self.days_on(drug)).sum();
            let months = days as f64 / DAYS_PER_MONTH;
            exposure.months_at_least.is_none_or(|least| months >= least)
                && exposure.months_below.is_none_or(|most| months < most)
        };
        let any = |drugs: &[String]| drugs.iter().any(|drug| self.days_on(drug) > 0);
        asked.fits_covariates(&self.covariates)
            && asked.prior_months_at_least.is_none_or(|least| prior_months >= least)
            && asked.prior_months_below.is_none_or(|most| prior_months < most)
            && (asked.prior_ended.is_empty()
                || self.past.ended.is_some_and(|reason| asked.prior_ended.contains(&reason)))
            && asked.altered.iter().all(|gene| self.has(gene))
            && (asked.altered_any.is_empty() || asked.altered_any.iter().any(|gene| self.has(gene)))
            && !asked.not_altered.iter().any(|gene| self.has(gene))
            && asked.detected.iter().all(|gene| self.shows(gene))
            && !asked.not_detected.iter().any(|gene| self.shows(gene))
            && (asked.taken.is_empty() || any(&asked.taken))
            && !any(&asked.not_taken)
            && asked.exposure.as_ref().is_none_or(exposed)
            && (asked.history.is_empty()
                || asked.history.contains(&self.experiment.histories[self.past.history].name))
            && asked.endocrine_sensitive.is_none_or(|wanted| wanted == self.is_endocrine_sensitive())
    }
}
