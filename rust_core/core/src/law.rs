//! The law's vocabulary: what a cell may do in a step, what is known of kinds, and what is written down of clones.

use crate::error::{Error, Result};
use crate::random::Chance;
use rand::Rng;
use serde::{Deserialize, Serialize};

/// Counts are exact in f64 up to here.
pub const MOST_CELLS: u64 = 1 << 53;
/// The law holds only while the chance to act in one step stays below this.
pub const MOST_ACTIVE: f64 = 0.5;

/// Probabilities per step of one kind of cell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepProbabilities {
    /// Probability to divide.
    pub divide: f64,
    /// Probability to die.
    pub die: f64,
}

impl StepProbabilities {
    /// Probability to do either.
    #[inline]
    pub fn acting(self) -> f64 {
        self.divide + self.die
    }

    /// From rates per day and a step of `dt` days; `who` names the clone in the error.
    pub fn new(division: f64, death: f64, dt: f64, who: impl FnOnce() -> String) -> Result<Self> {
        let (divide, die) = (division * dt, death * dt);
        // Written so that NaN fails too.
        if divide >= 0.0 && die >= 0.0 && divide + die <= MOST_ACTIVE {
            return Ok(Self { divide, die });
        }
        Err(Error::StepTooLong {
            who: who(),
            dt,
            probability: divide + die,
            division,
            death,
            longest: longest_step(division, death),
        })
    }
}

/// The longest step in days that the rates allow, rounded down to the digits that are shown.
pub fn longest_step(division: f64, death: f64) -> f64 {
    libm::floor(MOST_ACTIVE / (division + death) * 1e6) / 1e6
}

/// What reaches a cell, as shares of what there is outside the tumour.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exposure {
    /// Share of the nutrients.
    pub nutrient: f64,
    /// Share of the drug.
    pub drug: f64,
}

impl Exposure {
    /// As outside.
    pub const FULL: Self = Self { nutrient: 1.0, drug: 1.0 };

    /// Nutrients scale the division; the drug moves both rates from those without it to those of
    /// a cell that it reaches in full.
    pub fn mix(self, without: StepProbabilities, with: StepProbabilities) -> StepProbabilities {
        let part = |without: f64, with: f64| without + self.drug * (with - without);
        StepProbabilities {
            divide: self.nutrient * part(without.divide, with.divide),
            die: part(without.die, with.die),
        }
    }
}

/// What the engine must know of kinds (types with explicit rates, or genotypes).
pub trait Kinds {
    /// Probability that a division of `kind` puts a mutation into one daughter.
    fn mutation_total(&self, kind: u32) -> f64;
    /// The same, for numbers that are drawn in every step.
    fn mutation(&self, kind: u32) -> Chance {
        Chance::new(self.mutation_total(kind))
    }
    /// Distribute `mutants` of `kind` over the kinds they become.
    fn mutate<R: Rng>(&mut self, rng: &mut R, kind: u32, mutants: u64, out: &mut Vec<(u32, u64)>);
    /// Draw which of `cells` of `kind` switch reversibly, and to what.
    fn switch<R: Rng>(&mut self, rng: &mut R, kind: u32, cells: u64, out: &mut Vec<(u32, u64)>);
    /// Told by engines of individuals how many cells of `kind` divided, once or several times in a step. Whether the
    /// first of them stands for the mothers of the kind from now on, if there is a genealogy.
    fn divided(&mut self, _kind: u32, _cells: u64) -> bool {
        false
    }
}

/// Cells of one origin and one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloneRecord {
    /// Unique within the tumour; rises with birth.
    pub id: u64,
    /// Clone in which the first cell was born.
    pub parent: Option<u64>,
    /// Type or genotype.
    pub kind: u32,
    /// Step at which the first cell was born.
    pub born_step: u64,
    /// Living cells.
    pub cells: u64,
    /// The most cells it had after any step.
    pub peak: u64,
    /// Where its first cell was born, in space.
    pub place: Option<[i32; 3]>,
    /// Origins that were merged into this record (1 when none were).
    pub origins: u64,
    /// Clone from which its cells turned reversibly, or itself.
    pub(crate) lineage: u64,
}

/// A clone that has no cells any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extinct {
    /// What it was.
    pub record: CloneRecord,
    /// Step in which its last cell died, turned, or mutated away.
    pub died_step: u64,
}

/// What happened in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Divisions.
    pub divisions: u64,
    /// Deaths.
    pub deaths: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_too_long_for_the_rates_is_refused_with_one_that_would_do() {
        let refused = StepProbabilities::new(0.4, 0.2, 1.0, || "type 3".into()).map_err(|e| e.to_string());
        let message = refused.err().unwrap_or_default();
        assert!(message.contains("type 3") && message.contains("dt <= 0.833333"), "{message}");
        assert!(StepProbabilities::new(f64::NAN, 0.2, 1.0, || "x".into()).is_err());
        assert!(StepProbabilities::new(-0.1, 0.2, 1.0, || "x".into()).is_err());
    }
}
