//! The engines behind one door: what a population needs of whichever runs it.

use crate::error::{Error, Result, within};
use crate::tumour::cells::{Cells, Heritable};
use crate::tumour::clones::{CloneRecord, Clones, Extinct, Kinds, MOST_CELLS, StepProbabilities, Tally};
use crate::tumour::lattice::{Coordinate, Exposure, Lattice, Space};
use crate::tumour::lineage::{Genealogy, Tip};
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::sync::atomic::AtomicBool;

/// Which engine, and its options.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Choice {
    /// Clones are counts.
    Clones {
        /// Clones of a kind that are kept apart.
        max_clones: usize,
    },
    /// Every cell is an individual.
    Cells {
        /// A trait of the cells, if they have one.
        heritable: Option<Heritable>,
        /// Whether the genealogy of all cells is recorded.
        genealogy: bool,
    },
    /// Every cell has a place.
    Lattice {
        /// Dimensions, neighbours and placement.
        space: Space,
        /// Where the founders are, those of the first kind first, each a clone of its own. If
        /// empty, those of a kind are one clone on the sites nearest to the origin.
        #[serde(default)]
        places: Vec<Coordinate>,
        /// Clones of a kind that are kept apart.
        max_clones: usize,
        /// Whether the genealogy of all cells is recorded.
        #[serde(default)]
        genealogy: bool,
    },
}

/// A population in one of its forms.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Engine {
    /// Clones are counts.
    Clones(Clones),
    /// Every cell is an individual.
    Cells(Cells),
    /// Every cell has a place. Boxed: by far the largest of the three.
    Lattice(Box<Lattice>),
}

/// The same call on whichever engine it is.
macro_rules! either {
    ($engine:expr, $inner:ident => $call:expr) => {
        match $engine {
            Engine::Clones($inner) => $call,
            Engine::Cells($inner) => $call,
            Engine::Lattice($inner) => $call,
        }
    };
}

impl Engine {
    /// An empty population.
    pub fn new(choice: &Choice) -> Result<Self> {
        match *choice {
            Choice::Clones { max_clones } => Ok(Self::Clones(Clones::new(max_clones))),
            Choice::Cells { heritable, genealogy } => {
                if let Some(heritable) = heritable {
                    within("trait.drift", heritable.drift, 0.0, f64::INFINITY)?;
                    within("trait.limit", heritable.limit.unwrap_or(0.0), 0.0, f64::INFINITY)?;
                }
                Ok(Self::Cells(Cells::new(heritable, genealogy)))
            }
            Choice::Lattice { space, max_clones, genealogy, .. } => {
                let mut lattice = Lattice::new(space, max_clones)?;
                if genealogy {
                    lattice.record_genealogy();
                }
                Ok(Self::Lattice(Box::new(lattice)))
            }
        }
    }

    /// Put `cells` founder cells of `kind` in, as one clone.
    pub fn found(&mut self, kind: u32, cells: u64, cancel: &AtomicBool) -> Result<()> {
        match self {
            Self::Clones(clones) if cells > MOST_CELLS.saturating_sub(clones.total()) => {
                Err(Error::input(format!("initial[{kind}]"), "more than 2^53 cells in all"))
            }
            Self::Clones(clones) => {
                clones.found(kind, cells);
                Ok(())
            }
            Self::Cells(population) => population.found(kind, cells),
            Self::Lattice(lattice) => lattice.found(kind, cells, cancel),
        }
    }

    /// What reaches the cells of each layer, full exposure first. Only a lattice with reach has
    /// more than one layer.
    pub fn exposures(&self) -> &[Exposure] {
        match self {
            Self::Lattice(lattice) => lattice.exposures(),
            Self::Clones(_) | Self::Cells(_) => &[Exposure::FULL],
        }
    }

    /// Put the founder cells of all kinds in, `cells[kind]` of each.
    pub fn found_all(&mut self, cells: &[u64], choice: &Choice, cancel: &AtomicBool) -> Result<()> {
        let places: &[Coordinate] = match choice {
            Choice::Lattice { places, .. } => places,
            Choice::Clones { .. } | Choice::Cells { .. } => &[],
        };
        if let Self::Lattice(lattice) = self
            && !places.is_empty()
        {
            let founders = cells.iter().fold(0u64, |sum, &n| sum.saturating_add(n));
            if founders != places.len() as u64 {
                let allowed = format!("one for each founder, {founders}");
                return Err(Error::refused("places", places.len(), allowed));
            }
            let kinds = cells.iter().zip(0..).flat_map(|(&n, kind)| (0..n).map(move |_| kind));
            return lattice.found_apart(kinds.zip(places.iter().copied()), cancel);
        }
        cells.iter().zip(0..).try_for_each(|(&n, kind)| self.found(kind, n, cancel))
    }

    /// One step of the law; probabilities of every kind in every layer, `[kind * layers + layer]`.
    pub fn step<R: Rng, K: Kinds>(
        &mut self,
        rng: &mut R,
        probabilities: &[StepProbabilities],
        kinds: &mut K,
        cancel: &AtomicBool,
    ) -> Result<Tally> {
        either!(self, engine => engine.step(rng, probabilities, kinds, cancel))
    }

    /// Steps taken.
    pub fn step_index(&self) -> u64 {
        either!(self, engine => engine.step_index())
    }

    /// Living cells.
    pub fn total(&self) -> u64 {
        either!(self, engine => engine.total())
    }

    /// Living cells of `kind`.
    pub fn count(&self, kind: u32) -> u64 {
        either!(self, engine => engine.count(kind))
    }

    /// Living cells per kind, for the kinds met so far.
    pub fn counts(&self) -> &[u64] {
        either!(self, engine => engine.counts())
    }

    /// Living clones of `kind`.
    pub fn clones_of(&self, kind: u32) -> usize {
        either!(self, engine => engine.clones_of(kind))
    }

    /// Living clones, oldest first.
    pub fn records(&self) -> Vec<CloneRecord> {
        match self {
            Self::Clones(clones) => clones.records().to_vec(),
            Self::Cells(cells) => cells.records(),
            Self::Lattice(lattice) => lattice.records().to_vec(),
        }
    }

    /// The genealogy, simplified to the living cells, and these in the order of their table; `None`
    /// if it was not asked for.
    pub fn genealogy(&mut self) -> Result<Option<(&Genealogy, Vec<Tip>)>> {
        match self {
            Self::Cells(cells) => cells.genealogy(),
            Self::Lattice(lattice) => lattice.genealogy(),
            Self::Clones(_) => Ok(None),
        }
    }

    /// What is held one by one: individuals, or clones.
    pub fn items(&self) -> u64 {
        match self {
            Self::Clones(clones) => clones.records().len() as u64,
            Self::Cells(_) | Self::Lattice(_) => self.total(),
        }
    }

    /// Whether a step may fail although there is room: a trait may drift too far, a reach find no outline.
    pub fn is_delicate(&self) -> bool {
        match self {
            Self::Clones(_) => false,
            Self::Cells(cells) => cells.has_trait(),
            Self::Lattice(lattice) => lattice.exposures().len() > 1,
        }
    }

    /// Bytes allocated, but for a little.
    pub fn bytes(&self) -> usize {
        either!(self, engine => engine.bytes())
    }

    /// Remember clones that die out from now on.
    pub fn keep_extinct(&mut self) {
        either!(self, engine => engine.keep_extinct());
    }

    /// Clones that died out, in that order, if they are remembered.
    pub fn extinct(&self) -> &[Extinct] {
        either!(self, engine => engine.extinct())
    }

    /// The population cell by cell, if it is held so.
    pub fn cells(&self) -> Option<&Cells> {
        match self {
            Self::Cells(cells) => Some(cells),
            Self::Clones(_) | Self::Lattice(_) => None,
        }
    }

    /// The population in space, if it has places.
    pub fn lattice(&self) -> Option<&Lattice> {
        match self {
            Self::Lattice(lattice) => Some(lattice),
            Self::Clones(_) | Self::Cells(_) => None,
        }
    }
}
