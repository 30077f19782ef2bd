//! Actions of drugs at targets where alterations take potency from them.

use crate::biology::effect::hill;
use crate::biology::pathway::Network;

/// An action of a drug today at a target whose potency depends on the genotype.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Action {
    pub(super) target: usize,
    pub(super) over_ic50: f64,
    pub(super) max: f64,
    pub(super) hill: f64,
}

/// A target at which drugs have lost so much of their potency, and the slot of how far they reach there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shift {
    pub(super) target: usize,
    pub(super) fold: f64,
    pub(super) slot: usize,
}

impl Shift {
    /// How far actions reach.
    pub(super) fn reach(&self, network: &Network, actions: &[Action]) -> f64 {
        let combine = network.pathway.targets[self.target].combine;
        let here = actions.iter().filter(|action| action.target == self.target);
        here.fold(0.0, |present, action| {
            combine.and(present, hill(action.over_ic50, action.max, self.fold, action.hill))
        })
    }
}
