//! The clinic of one day, and of the last one.

use crate::clinic::months::DAYS_PER_MONTH;
use crate::clinic::patient::monitoring::BLOOD_EVERY_DAYS;
use crate::clinic::patient::records::Overall;
use crate::clinic::patient::state::{Patient, Status};
use crate::clinic::patient::treatment::RunningLine;
use crate::clinic::plan::end_reason::EndReason;

impl Patient {
    /// All that a doctor does on the morning of a day, and how it is found.
    pub(crate) fn visit(&mut self) {
        self.treat();
        self.note_trajectory();
    }

    /// What is done for the line that runs, which may end it, and the start of the next.
    pub(crate) fn treat(&mut self) {
        if self.state.treatment.line.is_none() {
            self.start_line();
        }
        if let Some(mut line) = self.state.treatment.line.take() {
            let reason = self.care(&mut line);
            self.state.treatment.line = Some(line);
            if let Some(reason) = reason {
                self.end_line(reason);
                self.start_line();
            }
        }
    }

    fn care(&mut self, line: &mut RunningLine) -> Option<EndReason> {
        let days = line.days(self.state.day);
        if days > 0 && days.is_multiple_of(BLOOD_EVERY_DAYS) {
            self.look_at_blood(line);
        }
        if let Some(reason) = self.check_tolerance(line) {
            return Some(reason);
        }
        let mut news = false;
        let falls_ill = self.deteriorates(line);
        let planned = self.scan_of_today(line);
        if let Some(evaluable) = planned.or(falls_ill.then_some(true)) {
            news = true;
            if let Some(reason) = self.scan(line, evaluable) {
                return Some(reason);
            }
        }
        if falls_ill && line.progressed.is_none() {
            return Some(EndReason::Deterioration);
        }
        if days as f64 >= line.next_biopsy {
            news = true;
            if let Some(assay) = &self.experiment.spec.liquid_biopsy {
                line.next_biopsy += assay.every_days;
            }
            self.sample_plasma(line.number);
        }
        if news
            && line.progressed.is_none()
            && let Some(reason) = self.apply_rules(line)
        {
            return Some(reason);
        }
        let until = &line.line.until;
        let over = until.months.is_some_and(|months| days as f64 >= months * DAYS_PER_MONTH)
            || until.cycles.is_some_and(|cycles| line.cycles_given(self.state.day) >= u64::from(cycles));
        over.then_some(EndReason::Completed)
    }

    /// Close the books at the end of follow-up.
    pub(crate) fn close(&mut self) {
        let (day, died) = match self.status() {
            Status::Dead(day) => (day, true),
            Status::Censored(day) => (day, false),
            Status::Followed => (self.day(), false),
        };
        self.end_line(if died { EndReason::Death } else { EndReason::Censored });
        self.note(0, if died { "death" } else { "end of follow-up" }, "");
        self.state.records.overall =
            Some(Overall { os_days: day, os_event: died, pfs2: self.progression_on_next_line(day, died) });
    }

    /// PFS2: day and event of progression on the line that follows on the first, or of death. Who leaves that
    /// line without progression is followed to the next one. None where no second line is planned or given.
    fn progression_on_next_line(&self, last_day: u64, died: bool) -> Option<(u64, bool)> {
        let mut begun = self.state.records.outcomes.iter().skip(1);
        let next = begun.next();
        if next.is_none() && self.state.treatment.plan.len() < 2 {
            return None;
        }
        let progressed = next.filter(|line| line.progressed).map(|line| line.start_day + line.pfs_days);
        let left = begun.next().map(|line| line.start_day);
        Some(match (progressed, left) {
            (Some(day), _) => (day, true),
            (None, Some(day)) => (day, false),
            (None, None) => (last_day, died),
        })
    }
}
