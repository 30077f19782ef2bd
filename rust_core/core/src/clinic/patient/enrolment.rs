//! Who enters the arms: what patients have lived through before, and who of them is asked in.

use crate::cancel::heed;
use crate::clinic::months::{DAYS_PER_MONTH, DAYS_PER_YEAR};
use crate::clinic::patient::answers::{Answers, Screening};
use crate::clinic::patient::covariates::Covariates;
use crate::clinic::patient::experiment::{Experiment, Spec};
use crate::clinic::patient::fit::of_covariates;
use crate::clinic::patient::records::Records;
use crate::clinic::patient::row::PatientRow;
use crate::clinic::patient::state::{Patient, Status};
use crate::clinic::patient::treatment::Treatment;
use crate::clinic::plan::end_reason::EndReason;
use crate::clinic::plan::history::{Adjuvant, History};
use crate::clinic::plan::strategy::{Line, OBSERVATION};
use crate::error::{Error, Result};
use crate::random::{Purpose, choose, exponential, stream, uniform};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Candidates screened for one eligible patient before giving up.
const MOST_CANDIDATES: u64 = 10_000;
/// Days the lines before enrolment may take.
const MOST_PRIOR_DAYS: u64 = 365 * 30;

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
        let eligible = |answers: &Answers| answers.iter().all(|(_, met)| *met);
        let covariates = Covariates::draw(population, &experiment.catalogue, *seed, id, candidate);
        let asked = [&experiment.histories[history].eligibility, &population.eligibility];
        let mut answers: Answers =
            asked.iter().flat_map(|asked| of_covariates(asked, &covariates, population)).collect();
        if !eligible(&answers) {
            return Ok((answers, None));
        }
        let mut patient = Self::unborn(experiment, id, candidate, covariates);
        patient.who.past.history = history;
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
            self.grow(self.who.covariates.diagnosis_volume_cm3, cancel)?;
        }
        let mut answers = Answers::new();
        if let Some(adjuvant) = &history.adjuvant {
            let relapses = self.relapses(adjuvant, cancel)?;
            answers.push(("relapse in its window".into(), relapses));
            if !relapses {
                return Ok(answers);
            }
        }
        if !history.prior.is_empty() {
            let lives = self.lives_through(&history.prior, cancel)?;
            answers.push(("prior lines over".into(), lives));
            if !lives {
                return Ok(answers);
            }
        }
        self.read_plasma();
        let of_all = &self.experiment.spec.population.eligibility;
        if history.eligibility.prior_ended.is_empty()
            && of_all.prior_ended.is_empty()
            && self.who.past.ended.is_some()
        {
            let usual = matches!(self.who.past.ended, Some(EndReason::Progression | EndReason::Completed));
            answers.push(("prior_ended (in progression, or as planned)".into(), usual));
        }
        answers.extend(self.answers(&history.eligibility).chain(self.answers(of_all)));
        Ok(answers)
    }

    /// Surgery leaves a residue, too small for any scan, in which every cell had the same chance to stay.
    fn operate(&mut self, cancel: &AtomicBool) -> Result<()> {
        let spec = &self.experiment.spec;
        let rng = &mut stream(spec.seed, self.who.id, Purpose::History, self.who.candidate + 1);
        let share = spec.population.residual_cells.draw(rng) / self.cells() as f64;
        self.state.burden.thin(rng, share, cancel)?;
        self.state.bulk.thin(share);
        Ok(())
    }

    /// Whether the disease comes back when it should, under the therapy or after it.
    fn relapses(&mut self, adjuvant: &Adjuvant, cancel: &AtomicBool) -> Result<bool> {
        self.state.treatment = Treatment::new(Arc::new(vec![adjuvant.line.clone()]), false);
        let spec = &self.experiment.spec;
        let adherence =
            exponential(&mut stream(spec.seed, self.who.id, Purpose::Adherence, self.who.candidate));
        let stops = adherence / spec.population.adjuvant_discontinuation_per_year * DAYS_PER_YEAR;
        let last_day = (adjuvant.relapse_before_month * DAYS_PER_MONTH) as u64;
        for day in 0..last_day {
            self.visit();
            if self.who.past.stopped_days.is_none() && !self.state.treatment.is_over() && day as f64 >= stops
            {
                self.who.past.stopped_days = Some(day);
            }
            self.pass_day(cancel)?;
            if self.cells() == 0 {
                return Ok(false);
            }
            if self.volume_cm3() >= self.who.covariates.diagnosis_volume_cm3 {
                self.found_again(day + 1);
                return Ok(day as f64 >= adjuvant.relapse_from_month * DAYS_PER_MONTH);
            }
        }
        Ok(false)
    }

    fn lives_through(&mut self, prior: &[Line], cancel: &AtomicBool) -> Result<bool> {
        self.state.treatment =
            core::mem::take(&mut self.state.treatment).followed_by(Arc::new(prior.to_vec()), false);
        self.state.records.outcomes.clear();
        self.who.past.therapy.clear();
        for _ in 0..MOST_PRIOR_DAYS {
            self.visit();
            if self.state.treatment.is_over() || self.status() != Status::Followed {
                break;
            }
            self.pass_day(cancel)?;
        }
        let given = self.state.records.outcomes.iter().map(|outcome| outcome.regimen.clone());
        self.who.past.regimens = given.filter(|regimen| regimen != OBSERVATION).collect();
        self.who.past.ended = self.state.records.outcomes.last().map(|outcome| outcome.end_reason);
        let lives = self.status() == Status::Followed;
        Ok(lives && self.state.treatment.is_over() && self.who.past.ended.is_some())
    }

    /// The disease came back `days` after the start of adjuvant therapy: all of it is known from now on.
    fn found_again(&mut self, days: u64) {
        self.who.past.relapse_days = Some(days);
        self.state.treatment.last_line_days = Some(days);
        self.state.peaks = self.state.burden.counts().to_vec();
        self.state.unseen_lesions = 0;
    }

    /// Enter the arms today: days, records and follow-up start here.
    fn enrol(&mut self) {
        self.state.enrolled_day = self.state.day;
        self.state.at_enrolment = Some(Arc::new(self.row()));
        self.state.records = Records::default();
        self.state.unseen_lesions = 0;
    }

    /// What is reported of the patient, as of today.
    pub(crate) fn row(&self) -> PatientRow {
        PatientRow {
            patient: self.who.id,
            screened: self.who.candidate + 1,
            covariates: self.who.covariates.clone(),
            founder: self.genotypes.name(&self.experiment.catalogue, 0),
            history: self.experiment.histories[self.who.past.history].name.clone(),
            relapse_months: months(self.who.past.relapse_days),
            stopped_months: months(self.who.past.stopped_days),
            prior_regimens: self.who.past.regimens.clone(),
            prior_months: months(self.state.treatment.last_line_days),
            altered: listed(self.experiment.genes(), |gene| self.has(gene)),
            detected: listed(self.experiment.genes(), |gene| self.shows(gene)),
            grown_days: self.state.grown_days,
            growths: self.state.growths,
            cells: self.cells(),
            volume_cm3: self.volume_cm3(),
            sld_mm: self.true_sld_mm(),
        }
    }

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
        self.begin(arm, Arc::new(lines));
        self.go_on();
        Ok(())
    }
}

fn months(days: Option<u64>) -> f64 {
    days.map_or(f64::NAN, |days| days as f64 / DAYS_PER_MONTH)
}

/// The genes that `are` so, joined.
fn listed(genes: Vec<&str>, are: impl Fn(&str) -> bool) -> String {
    genes.into_iter().filter(|gene| are(gene)).collect::<Vec<_>>().join(" + ")
}
