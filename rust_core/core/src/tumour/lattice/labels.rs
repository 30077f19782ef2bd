//! The clone of every site: 2 bytes each while few clones live, 4 when they become many.

use crate::error::Result;
use crate::tumour::room::make_room;
use serde::{Deserialize, Serialize};

/// What there is no room for.
pub(super) const SITES: &str = "sites of the lattice";

/// Labels of sites.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Labels {
    /// Labels below 2^16.
    Narrow(Vec<u16>),
    /// Any label.
    Wide(Vec<u32>),
}

impl Labels {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Narrow(labels) => labels.len(),
            Self::Wide(labels) => labels.len(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Narrow(labels) => 2 * labels.capacity(),
            Self::Wide(labels) => 4 * labels.capacity(),
        }
    }

    /// Labels for `more` sites more.
    pub(super) fn extend(&mut self, more: usize) -> Result<()> {
        match self {
            Self::Narrow(labels) => extend(labels, more),
            Self::Wide(labels) => extend(labels, more),
        }
    }

    #[inline]
    pub(super) fn get(&self, site: u32) -> u32 {
        match self {
            Self::Narrow(labels) => u32::from(labels[site as usize]),
            Self::Wide(labels) => labels[site as usize],
        }
    }

    #[inline]
    pub(super) fn set(&mut self, site: u32, label: u32) {
        match (&mut *self, u16::try_from(label)) {
            (Self::Narrow(labels), Ok(label)) => labels[site as usize] = label,
            (Self::Wide(labels), _) => labels[site as usize] = label,
            (Self::Narrow(labels), Err(_)) => {
                let mut wide: Vec<u32> = labels.iter().map(|&label| u32::from(label)).collect();
                wide[site as usize] = label;
                *self = Self::Wide(wide);
            }
        }
    }
}

fn extend<T: Clone + Default>(labels: &mut Vec<T>, more: usize) -> Result<()> {
    make_room(labels, more, SITES)?;
    labels.resize(labels.len() + more, T::default());
    Ok(())
}
