//! Who enters the arms: what patients have lived through before, and who of them is asked in.

use crate::cancel::heed;
use crate::clinic::covariates::{Covariates, choose};
use crate::clinic::endocrine::{self, AdjuvantEndocrine, EndocrineLine, EndocrineResistance};
use crate::clinic::experiment::{Experiment, Spec};
use crate::clinic::patient::{Patient, Status};
use crate::clinic::records::EndReason;
use crate::clinic::screening::{Answers, Screening};
use crate::clinic::strategy::Line;
use crate::clinic::treatment::Treatment;
use crate::clinic::{DAYS_PER_MONTH, DAYS_PER_YEAR, FOUND_IN_TISSUE};
use crate::error::{Error, Result, within};
use crate::random::{Purpose, exponential, stream, uniform};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Candidates screened for one eligible patient before giving up.
const MOST_CANDIDATES: u64 = 10_000;
/// Days the lines before enrolment may take.
const MOST_PRIOR_DAYS: u64 = 365 * 30;

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
    /// What endocrine therapy before may have shown; empty: anything.
    pub endocrine_resistance: Vec<EndocrineResistance>,
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
    /// Endocrine lines for advanced disease, in order.
    pub(crate) endocrine: Vec<EndocrineLine>,
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

    /// Whether anything is asked.
    fn is_anything(&self) -> bool {
        let Self { prior_months_at_least, prior_months_below, exposure, endocrine_sensitive, .. } = self;
        let lists = [&self.altered, &self.altered_any, &self.not_altered, &self.detected, &self.not_detected];
        prior_months_at_least.is_some()
            || prior_months_below.is_some()
            || exposure.is_some()
            || endocrine_sensitive.is_some()
            || !self.prior_ended.is_empty()
            || !self.endocrine_resistance.is_empty()
            || lists.into_iter().chain([&self.taken, &self.not_taken, &self.history]).any(|l| !l.is_empty())
            || [self.visceral, self.measurable, self.premenopausal].iter().any(Option::is_some)
    }

    /// What can be told before a tumour is grown.
    fn of_covariates(&self, covariates: &Covariates) -> impl Iterator<Item = (&'static str, bool)> {
        let is = [
            ("visceral", self.visceral, covariates.visceral),
            ("measurable", self.measurable, !covariates.bone_only),
            ("premenopausal", self.premenopausal, covariates.physiology.premenopausal),
        ];
        is.into_iter().filter_map(|(name, wanted, is)| Some((name, wanted? == is)))
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
        Self::enrolled_of(experiment, id, MOST_CANDIDATES, cancel)
    }

    /// The first eligible of `most` candidates of patient `id`.
    pub(crate) fn enrolled_of(
        experiment: &Arc<Experiment>,
        id: u64,
        most: u64,
        cancel: &AtomicBool,
    ) -> Result<Self> {
        let spec = &experiment.spec;
        let shares: Vec<f64> = experiment.histories.iter().map(|history| history.share).collect();
        let drawn = choose(&shares, uniform(&mut stream(spec.seed, id, Purpose::History, 0))) - 1;
        let mut screening = Screening::of(&experiment.histories[drawn].name);
        for candidate in 0..most {
            heed(cancel)?;
            let (answers, patient) = Self::candidate(experiment, id, candidate, drawn, cancel)?;
            if let Some(mut patient) = patient {
                patient.enrol();
                return Ok(patient);
            }
            screening.add(&answers);
        }
        Err(screening.nobody())
    }

    /// What a candidate answers to what is asked of those with a history, and who they are if all is met.
    pub(crate) fn candidate(
        experiment: &Arc<Experiment>,
        id: u64,
        candidate: u64,
        history: usize,
        cancel: &AtomicBool,
    ) -> Result<(Answers, Option<Self>)> {
        let Spec { population, seed, .. } = &experiment.spec;
        let eligible = |answers: &Answers| answers.iter().all(|&(_, met)| met);
        let covariates = Covariates::draw(population, &experiment.catalogue, *seed, id, candidate);
        let asked = [&experiment.histories[history].eligibility, &population.eligibility];
        let mut answers: Answers = asked.iter().flat_map(|asked| asked.of_covariates(&covariates)).collect();
        if !eligible(&answers) {
            return Ok((answers, None));
        }
        let mut patient = Self::unborn(experiment, id, candidate, covariates);
        patient.past.history = history;
        answers.extend(patient.come_to_the_trial(&experiment.histories[history], cancel)?);
        let is_eligible = eligible(&answers);
        Ok((answers, is_eligible.then_some(patient)))
    }

    /// Live up to the day of enrolment; what is answered on the way and on that day.
    fn come_to_the_trial(&mut self, history: &History, cancel: &AtomicBool) -> Result<Answers> {
        if history.adjuvant.is_some() || history.operated {
            self.grow(self.experiment.spec.population.primary_volume_cm3, cancel)?;
            self.operate(cancel)?;
        } else {
            self.grow(self.covariates.diagnosis_volume_cm3, cancel)?;
        }
        let mut answers = Answers::new();
        if let Some(adjuvant) = &history.adjuvant {
            let relapses = self.relapses(adjuvant, cancel)?;
            answers.push(("relapse in its window", relapses));
            if !relapses {
                return Ok(answers);
            }
        }
        if !history.prior.is_empty() {
            let lives = self.lives_through(&history.prior, cancel)?;
            answers.push(("prior lines over", lives));
            if !lives {
                return Ok(answers);
            }
        }
        self.read_plasma();
        let of_all = &self.experiment.spec.population.eligibility;
        if history.eligibility.prior_ended.is_empty()
            && of_all.prior_ended.is_empty()
            && self.past.ended.is_some()
        {
            let usual = matches!(self.past.ended, Some(EndReason::Progression | EndReason::Completed));
            answers.push(("prior_ended (in progression, or as planned)", usual));
        }
        answers.extend(self.answers(&history.eligibility).chain(self.answers(of_all)));
        Ok(answers)
    }

    /// Surgery leaves a residue, too small for any scan, in which every cell had the same chance to stay.
    fn operate(&mut self, cancel: &AtomicBool) -> Result<()> {
        let spec = &self.experiment.spec;
        let rng = &mut stream(spec.seed, self.id, Purpose::History, self.candidate + 1);
        let share = spec.population.residual_cells.draw(rng) / self.cells() as f64;
        self.burden.thin(rng, share, cancel)?;
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
            self.pass_day(cancel)?;
            if self.cells() == 0 {
                return Ok(false);
            }
            if self.volume_cm3() >= self.covariates.diagnosis_volume_cm3 {
                self.found_again(day + 1);
                return Ok(day as f64 >= adjuvant.relapse_from_month * DAYS_PER_MONTH);
            }
        }
        Ok(false)
    }

    fn lives_through(&mut self, prior: &[Line], cancel: &AtomicBool) -> Result<bool> {
        self.treatment = core::mem::take(&mut self.treatment).followed_by(Arc::new(prior.to_vec()), false);
        self.records.outcomes.clear();
        self.past.endocrine.clear();
        for _ in 0..MOST_PRIOR_DAYS {
            self.visit();
            if self.treatment.is_over() || self.status() != Status::Followed {
                break;
            }
            self.pass_day(cancel)?;
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

    /// Adjuvant endocrine therapy after which the disease came back.
    fn adjuvant_endocrine(&self) -> Option<AdjuvantEndocrine> {
        let adjuvant = self.experiment.histories[self.past.history].adjuvant.as_ref()?;
        let drugs = adjuvant.line.options.iter().flat_map(|option| &option.regimen);
        let mut known = drugs.filter_map(|dosing| self.experiment.drug(&dosing.drug));
        if !known.any(|drug| self.experiment.spec.drugs[drug].is_endocrine()) {
            return None;
        }
        let planned_days = adjuvant.line.until.months.map_or(f64::INFINITY, |months| months * DAYS_PER_MONTH);
        self.past.relapse_days.map(|relapse_days| AdjuvantEndocrine { planned_days, relapse_days })
    }

    /// Whether the patient, as known today, is what `asked` asks for.
    pub(crate) fn fits(&self, asked: &Eligibility) -> bool {
        asked.of_covariates(&self.covariates).chain(self.answers(asked)).all(|(_, met)| met)
    }

    /// What is asked of a patient who has lived up to today, and whether they meet it.
    fn answers(&self, asked: &Eligibility) -> impl Iterator<Item = (&'static str, bool)> {
        let prior_months = self.treatment.last_line_days.unwrap_or(0) as f64 / DAYS_PER_MONTH;
        let exposed = |exposure: &Exposure| {
            let days: u64 = exposure.drugs.iter().map(|drug| self.days_on(drug)).sum();
            let months = days as f64 / DAYS_PER_MONTH;
            exposure.months_at_least.is_none_or(|least| months >= least)
                && exposure.months_below.is_none_or(|most| months < most)
        };
        let any = |drugs: &[String]| drugs.iter().any(|drug| self.days_on(drug) > 0);
        let listed = |names: &[String], met: bool| (!names.is_empty()).then_some(met);
        let ended = self.past.ended.is_some_and(|reason| asked.prior_ended.contains(&reason));
        let history = &self.experiment.histories[self.past.history].name;
        let (adjuvant, endocrine) = (self.adjuvant_endocrine(), &self.past.endocrine);
        let sensitive = endocrine::is_sensitive(adjuvant, endocrine);
        let resistance = EndocrineResistance::shown_by(adjuvant, endocrine);
        let all: [(&'static str, Option<bool>); 14] = [
            ("prior_months_at_least", asked.prior_months_at_least.map(|least| prior_months >= least)),
            ("prior_months_below", asked.prior_months_below.map(|most| prior_months < most)),
            ("prior_ended", (!asked.prior_ended.is_empty()).then_some(ended)),
            ("altered", listed(&asked.altered, asked.altered.iter().all(|gene| self.has(gene)))),
            ("altered_any", listed(&asked.altered_any, asked.altered_any.iter().any(|gene| self.has(gene)))),
            ("not_altered", listed(&asked.not_altered, !asked.not_altered.iter().any(|gene| self.has(gene)))),
            ("detected", listed(&asked.detected, asked.detected.iter().all(|gene| self.shows(gene)))),
            (
                "not_detected",
                listed(&asked.not_detected, !asked.not_detected.iter().any(|gene| self.shows(gene))),
            ),
            ("taken", listed(&asked.taken, any(&asked.taken))),
            ("not_taken", listed(&asked.not_taken, !any(&asked.not_taken))),
            ("exposure", asked.exposure.as_ref().map(exposed)),
            ("history", listed(&asked.history, asked.history.contains(history))),
            ("endocrine_sensitive", asked.endocrine_sensitive.map(|wanted| wanted == sensitive)),
            (
                "endocrine_resistance",
                (!asked.endocrine_resistance.is_empty())
                    .then_some(asked.endocrine_resistance.contains(&resistance)),
            ),
        ];
        all.into_iter().filter_map(|(name, met)| Some((name, met?)))
    }
}

impl Experiment {
    /// Whether anything is asked of candidates with a history that not all of them meet.
    pub(crate) fn asks_anything(&self, history: usize) -> bool {
        let History { adjuvant, prior, eligibility, .. } = &self.histories[history];
        adjuvant.is_some()
            || !prior.is_empty()
            || eligibility.is_anything()
            || self.spec.population.eligibility.is_anything()
    }
}
