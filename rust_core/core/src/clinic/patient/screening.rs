//! Who of the candidates is eligible, told before many are screened in vain.

use crate::cancel::{collect, heed};
use crate::clinic::patient::answers::{Answers, MOST_SCREENED, Screening};
use crate::clinic::patient::experiment::Experiment;
use crate::clinic::patient::state::Patient;
use crate::error::{Error, Result};
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Screen candidates, more and more at a time, until one of every history is eligible. It is an error if none
/// of 300 is: then fewer than one in 100 are (95%).
pub fn screen(
    experiment: &Arc<Experiment>,
    cancel: &AtomicBool,
    done: &AtomicUsize,
) -> Result<Vec<Screening>> {
    let all_enter = |h: &usize| !experiment.asks_anything(*h);
    let histories = (0..experiment.histories.len()).filter(|h| !all_enter(h));
    histories.map(|history| of_history(experiment, history, cancel, done)).collect()
}

impl Patient {
    /// The patient of `enrolled`, or, where none of the first candidates is eligible nor any of other patients, soon
    /// an error.
    pub fn enrolled_early(experiment: &Arc<Experiment>, id: u64, cancel: &AtomicBool) -> Result<Self> {
        match Self::enrolled_of(experiment, id, MOST_SCREENED, cancel) {
            Err(Error::Input { .. }) => {
                screen(experiment, cancel, &AtomicUsize::new(0))?;
                Self::enrolled(experiment, id, cancel)
            }
            enrolled => enrolled,
        }
    }
}

fn of_history(
    experiment: &Arc<Experiment>,
    history: usize,
    cancel: &AtomicBool,
    done: &AtomicUsize,
) -> Result<Screening> {
    let mut screening = Screening::of(&experiment.histories[history].name);
    while screening.eligible == 0 {
        let first = screening.candidates;
        if first >= MOST_SCREENED {
            return Err(screening.nobody());
        }
        let until = (2 * first).clamp(2, MOST_SCREENED);
        let screened: Vec<Result<Vec<Answers>>> = (first..until)
            .into_par_iter()
            .map(|id| {
                heed(cancel)?;
                let (answers, _) = Patient::candidate(experiment, id, 0, history, cancel)?;
                done.fetch_add(1, Ordering::Relaxed);
                Ok(vec![answers])
            })
            .collect();
        collect(screened)?.iter().for_each(|answers| screening.add(answers));
    }
    Ok(screening)
}
