//! What follows from some of the targets: of many steps those that need be carried out when only these have changed.

use crate::biology::program::{Shared, Together};

/// A bit for each target; those from the 63rd on share one.
pub(super) type Targets = u64;
/// All targets, and what follows from none.
pub(super) const ALL: Targets = Targets::MAX;
/// Sets of targets of which the steps are kept.
const MOST_SETS: usize = 32;

/// The bit of a target.
#[inline]
pub(super) fn bit(target: usize) -> Targets {
    1 << target.min(62)
}

/// Steps that were selected, by the targets that change.
#[derive(Clone, Debug, Default)]
pub(super) struct Downstream(Vec<(Targets, Together)>);

impl Downstream {
    /// Of all steps, each with the targets from which it follows, those to carry out when these targets have changed.
    pub(super) fn of(&mut self, changed: Targets, all: &[(Shared, Targets)]) -> &Together {
        let known = self.0.iter().position(|&(targets, _)| targets == changed);
        let index = known.unwrap_or_else(|| {
            if self.0.len() == MOST_SETS {
                self.0.clear();
            }
            let follows = |&&(_, from): &&(Shared, Targets)| changed == ALL || from & changed != 0;
            self.0.push((changed, all.iter().filter(follows).map(|&(step, _)| step).collect()));
            self.0.len() - 1
        });
        &self.0[index].1
    }

    /// The steps are others.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}
