//! What follows from the state of a patient, and is kept for as long as it holds.

use crate::biology::pathway::DrugDay;
use crate::law::StepProbabilities;

/// The drugs of today, and the chances of every genotype under them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cache {
    pub(crate) drugs: DrugDay,
    pub(crate) probabilities: Vec<StepProbabilities>,
    /// Which of them are those of today.
    pub(crate) current: Vec<bool>,
    /// Chances without drugs, and in every layer: only where nutrients or drugs have a reach.
    pub(crate) untreated: Vec<StepProbabilities>,
    pub(crate) layered: Vec<StepProbabilities>,
    /// Chances among as many cells as there are now: only where cells compete.
    pub(crate) crowded: Vec<StepProbabilities>,
}

impl Cache {
    /// For a day with these drugs.
    pub(crate) fn of(drugs: DrugDay) -> Self {
        Self { drugs, ..Self::default() }
    }
}
