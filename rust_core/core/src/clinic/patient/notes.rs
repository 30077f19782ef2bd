//! What is written down of a patient's day.

use crate::biology::drug::Doses;
use crate::clinic::patient::records::{Composition, DrugDoses, Event, TrajectoryPoint};
use crate::clinic::patient::state::Patient;

/// Genotypes below this share of cells are left out of the composition table.
const SMALLEST_SHARE: f64 = 1e-6;

impl Patient {
    pub(crate) fn note(&mut self, line: u32, event: &'static str, detail: impl Into<String>) {
        let day = self.day();
        self.state.records.events.push(Event { day, line, event: event.into(), detail: detail.into() });
    }

    /// Count what every drug of the running line is given today, and what its schedule would have had.
    pub(super) fn count_doses(&mut self, given: &[Doses]) {
        if !self.state.treatment.is_observed() {
            return;
        }
        let today = self.day();
        let Some(line) = &self.state.treatment.line else { return };
        let counted = &mut self.state.records.doses;
        for course in &line.courses {
            let drug = &self.experiment.spec.drugs[course.drug].name;
            let known = counted.iter().rposition(|row| row.line == line.number && row.drug == *drug);
            let at = known.unwrap_or(counted.len());
            if known.is_none() {
                counted.push(DrugDoses {
                    line: line.number,
                    drug: drug.clone(),
                    start_day: today,
                    days: 0,
                    planned: 0.0,
                    given: 0.0,
                });
            }
            let row = &mut counted[at];
            let due = course.schedule.doses_on(row.days);
            row.planned += f64::from(due.number) * due.size * course.planned_dose;
            row.given += f64::from(given[course.drug].number) * given[course.drug].size;
            row.days += 1;
        }
    }

    pub(super) fn note_trajectory(&mut self) {
        let every = u64::from(self.experiment.spec.trajectory_every_days);
        if every > 0 && self.day().is_multiple_of(every) {
            let point = TrajectoryPoint {
                day: self.day(),
                line: self.state.treatment.line.as_ref().map_or(0, |line| line.number),
                cells: self.cells(),
                volume_cm3: self.volume_cm3(),
                sld_mm: self.true_sld_mm(),
                neutrophils: self.state.body.marrow.neutrophils(),
            };
            self.state.records.trajectory.push(point);
        }
    }

    pub(crate) fn note_composition(&mut self, line: u32, moment: &'static str) {
        let total = self.cells() as f64;
        let day = self.day();
        for (genotype, cells) in self.composition() {
            let fraction = cells as f64 / total;
            if fraction >= SMALLEST_SHARE {
                let moment = moment.into();
                self.state.records.compositions.push(Composition {
                    line,
                    day,
                    moment,
                    genotype,
                    cells,
                    fraction,
                });
            }
        }
    }
}
