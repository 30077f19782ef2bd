//! What follows from the state of a patient, and is kept for as long as it holds.

use crate::biology::frame::Frame;
use crate::law::StepProbabilities;

/// The cells under the drugs of today, and the chances of every genotype under them.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    pub(crate) cells: Frame,
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
    /// Of cells under the drugs of a day, before anything is asked of them.
    pub(crate) fn of(cells: Frame) -> Self {
        let [probabilities, untreated, layered, crowded] = [(); 4].map(|()| Vec::new());
        Self { cells, probabilities, current: Vec::new(), untreated, layered, crowded }
    }
}
