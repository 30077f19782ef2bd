//! What is written down of a patient's day.

use crate::clinic::patient::records::{Composition, Event, TrajectoryPoint};
use crate::clinic::patient::state::Patient;

/// Genotypes below this share of cells are left out of the composition table.
const SMALLEST_SHARE: f64 = 1e-6;

impl Patient {
    pub(crate) fn note(&mut self, line: u32, event: &'static str, detail: impl Into<String>) {
        let day = self.day();
        self.state.records.events.push(Event { day, line, event: event.into(), detail: detail.into() });
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
