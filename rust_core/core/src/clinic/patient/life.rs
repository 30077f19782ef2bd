//! A patient's life, step by step and day by day.

use crate::biology::drug::Doses;
use crate::cancel::{NEVER, heed};
use crate::clinic::patient::experiment::Experiment;
use crate::clinic::patient::state::{Patient, Status};
use crate::error::Result;
use crate::law::MOST_CELLS;
use crate::random::{Purpose, exponential, poisson, stream};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// New lesions of a day that are drawn one by one, about; more are drawn as a number.
const MOST_ONE_BY_ONE: f64 = 64.0;
/// Clones or individuals times steps that are taken again after an error.
const STEPS_TAKEN_AGAIN: u64 = 2_000_000;

impl Patient {
    /// One step of `dt`, if the patient is followed. After the last step of a day the doctor looks
    /// at the patient, for it is the next morning; at the end of follow-up the books are closed.
    /// After an error the patient is not to be used; `advance` keeps them whole.
    pub fn step(&mut self, cancel: &AtomicBool) -> Result<()> {
        if self.state.status == Status::Followed && self.pass_step(cancel)? {
            self.wake();
        }
        Ok(())
    }

    /// Take `steps` steps. An error in the middle of one leaves the patient as before that step: of a copy that
    /// was kept, the steps that went well are taken again, with the same numbers.
    pub fn advance(&mut self, steps: u64, cancel: &AtomicBool) -> Result<()> {
        let mut left = steps;
        while left > 0 && self.state.status == Status::Followed {
            heed(cancel)?;
            let before = self.clone();
            let now = left.min((STEPS_TAKEN_AGAIN / self.state.burden.items().max(1)).clamp(1, 64));
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
        twin.state.rng = stream(seed, self.who.id, Purpose::Fork, self.state.day);
        twin.state.lesion_rng = stream(seed, self.who.id, Purpose::NewLesion, self.who.candidate);
        twin.state.lesion_hazard = 0.0;
        twin.state.lesion_due = exponential(&mut twin.state.lesion_rng);
        twin
    }

    /// What happens in the morning.
    pub(crate) fn wake(&mut self) {
        if self.state.status == Status::Followed {
            self.treat();
        }
        self.go_on();
    }

    /// The rest of a morning, after treatment: at the end of follow-up the books are closed.
    pub(crate) fn go_on(&mut self) {
        if self.state.status == Status::Followed {
            self.note_trajectory();
            if self.experiment.spec.end_with_last_line
                && self.who.arm.is_some()
                && self.state.treatment.is_over()
            {
                self.state.status = Status::Censored(self.day());
            }
        }
        if self.state.status != Status::Followed {
            self.close();
        }
    }

    /// One step: a day begins with its doses, then cells and volume pass its steps, and it ends with
    /// new lesions and the ways life can end. Whether the day is over.
    fn pass_step(&mut self, cancel: &AtomicBool) -> Result<bool> {
        if self.state.part == 0 {
            self.take_drugs();
        }
        if self.experiment.spec.stride_days > 1 {
            self.stride(cancel)?;
        } else {
            self.act_on_cells();
            self.live_cells(cancel)?;
        }
        self.state.part += 1;
        if self.state.part < self.experiment.steps_per_day {
            return Ok(false);
        }
        self.state.part = 0;
        self.seed_lesions();
        self.state.day += 1;
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
        for course in self.state.treatment.line.iter().flat_map(|line| &line.courses) {
            self.who.past.days_on[course.drug] += 1;
        }
        let drugs = experiment.spec.drugs.len();
        self.note_missed_doses();
        let mut doses = self.state.treatment.pass_day(drugs, self.state.day);
        if self.who.past.leaves_its_drugs() {
            doses.fill(Doses::default());
        }
        self.count_doses(&doses);
        self.state.body.pass_day(&experiment, doses);
    }

    /// Bring what is in the body today to the cells.
    fn act_on_cells(&mut self) {
        if self.state.part > 0 {
            return;
        }
        self.state.deaths_today = 0;
        let Experiment { network, spec, .. } = &*self.experiment;
        if self.cache.cells.treat(network, &spec.drugs, &self.state.body.concentrations) {
            self.cache.current.fill(false);
        }
    }

    /// New lesions become visible as clones grow beyond what they ever were.
    fn seed_lesions(&mut self) {
        let counts = self.state.burden.counts();
        self.state.peaks.resize(counts.len(), 0);
        let mut grown = 0u64;
        for (peak, &cells) in self.state.peaks.iter_mut().zip(counts) {
            if cells > *peak {
                grown += cells - *peak;
                *peak = cells;
            }
        }
        let visible = self.experiment.spec.imaging.new_lesion_cells;
        self.state.lesion_hazard += self.who.covariates.seeding * grown as f64 / visible;
        let overdue = self.state.lesion_hazard - self.state.lesion_due;
        if overdue > MOST_ONE_BY_ONE {
            // The number in a stretch of hazard is Poisson, and the wait after it has no memory: the same law.
            let more = 1 + poisson(&mut self.state.lesion_rng, overdue.min(MOST_CELLS as f64));
            self.state.unseen_lesions = self.state.unseen_lesions.saturating_add(more);
            self.state.lesion_hazard = 0.0;
            self.state.lesion_due = exponential(&mut self.state.lesion_rng);
        }
        while self.state.lesion_hazard >= self.state.lesion_due {
            self.state.unseen_lesions = self.state.unseen_lesions.saturating_add(1);
            self.state.lesion_due += exponential(&mut self.state.lesion_rng);
        }
    }

    fn check_life(&mut self) {
        let day = self.day();
        let spec = &self.experiment.spec;
        let horizon = spec.horizon_days - spec.accrual_days * self.who.covariates.accrual_share;
        let enrolled = self.state.treatment.is_observed();
        if self.volume_cm3() >= self.who.covariates.lethal_volume_cm3
            || (enrolled && day as f64 >= self.who.covariates.other_death_day)
        {
            self.state.status = Status::Dead(day);
        } else if enrolled && (day as f64 >= horizon || day as f64 >= self.who.covariates.lost_day) {
            self.state.status = Status::Censored(day);
        }
    }
}
