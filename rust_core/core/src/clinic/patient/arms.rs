//! A patient in the arms of an experiment: arms that begin alike are one life up to where they part.

use crate::cancel::heed;
use crate::clinic::patient::state::{Patient, Status};
use crate::clinic::plan::branch::Branch;
use crate::clinic::plan::strategy::Line;
use crate::error::Result;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

impl Patient {
    /// Live through those `branches` that have arms among `wanted`, from the day of enrolment on; `lived` gets the
    /// patient of every last branch, at the end of follow-up.
    pub(crate) fn live_through(
        &self,
        branches: &[Branch],
        wanted: &[bool],
        cancel: &AtomicBool,
        lived: &mut impl FnMut(&Branch, Self),
    ) -> Result<()> {
        for branch in branches.iter().filter(|branch| branch.is_among(wanted)) {
            let mut twin = self.clone();
            twin.begin(Some(branch.arms[0]), Arc::clone(&branch.plan));
            twin.live_on(branch, wanted, cancel, lived)?;
        }
        Ok(())
    }

    /// Begin a plan on the morning of the day of enrolment.
    pub(super) fn begin(&mut self, arm: Option<usize>, plan: Arc<Vec<Line>>) {
        self.who.arm = arm;
        self.state.treatment = core::mem::take(&mut self.state.treatment).followed_by(plan, true);
        self.treat();
    }

    /// Go on with a plan that begins with the one so far, on the morning on which that one is over.
    fn go_on_with(&mut self, arm: usize, plan: &Arc<Vec<Line>>) {
        self.who.arm = Some(arm);
        self.state.treatment.plan = Arc::clone(plan);
        if self.status() != Status::Followed {
            return;
        }
        if self.state.records.outcomes.is_empty() {
            self.treat(); // All lines so far were skipped: the first one begins only now.
        } else {
            self.start_line();
        }
    }

    /// Live on from the middle of a morning: through the lines that the arms of a branch share, then through what
    /// follows in each.
    fn live_on(
        mut self,
        branch: &Branch,
        wanted: &[bool],
        cancel: &AtomicBool,
        lived: &mut impl FnMut(&Branch, Self),
    ) -> Result<()> {
        if branch.then.is_empty() {
            self.go_on();
            while self.status() == Status::Followed {
                heed(cancel)?;
                self.step(cancel)?;
            }
            lived(branch, self);
            return Ok(());
        }
        while self.status() == Status::Followed && !self.state.treatment.is_over() {
            heed(cancel)?;
            self.go_on();
            self.pass_day(cancel)?;
            if self.status() == Status::Followed {
                self.treat();
            }
        }
        for next in branch.then.iter().filter(|next| next.is_among(wanted)) {
            let mut twin = self.clone();
            twin.go_on_with(next.arms[0], &next.plan);
            twin.live_on(next, wanted, cancel, lived)?;
        }
        Ok(())
    }
}
