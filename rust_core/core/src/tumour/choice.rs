//! Which engine runs a population, and the population in whichever it is.

use crate::error::{Error, Result, within};
use crate::law::{CloneRecord, Exposure, Extinct, Kinds, StepProbabilities, Tally};
use crate::tumour::cells::{Cells, Heritable};
use crate::tumour::clones::Clones;
use crate::tumour::engine::Engine;
use crate::tumour::lattice::{Coordinate, Lattice, Space};
use crate::tumour::lineage::{Genealogy, Tip};
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
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

impl Choice {
    /// An empty population of the engine chosen.
    pub fn build(&self) -> Result<AnyEngine> {
        match *self {
            Self::Clones { max_clones } => Ok(AnyEngine::Clones(Clones::new(max_clones))),
            Self::Cells { heritable, genealogy } => {
                if let Some(heritable) = heritable {
                    within("trait.drift", heritable.drift, 0.0, f64::INFINITY)?;
                    within("trait.limit", heritable.limit.unwrap_or(0.0), 0.0, f64::INFINITY)?;
                }
                Ok(AnyEngine::Cells(Cells::new(heritable, genealogy)))
            }
            Self::Lattice { space, max_clones, genealogy, .. } => {
                let mut lattice = Lattice::new(space, max_clones)?;
                if genealogy {
                    lattice.record_genealogy();
                }
                Ok(AnyEngine::Lattice(Box::new(lattice)))
            }
        }
    }

    /// A population of `cells[kind]` founder cells of each kind.
    pub fn found(&self, cells: &[u64], cancel: &AtomicBool) -> Result<AnyEngine> {
        let mut population = self.build()?;
        if let (Self::Lattice { places, .. }, AnyEngine::Lattice(lattice)) = (self, &mut population)
            && !places.is_empty()
        {
            let founders = cells.iter().fold(0u64, |sum, &n| sum.saturating_add(n));
            if founders != places.len() as u64 {
                let allowed = format!("one for each founder, {founders}");
                return Err(Error::refused("places", places.len(), allowed));
            }
            let kinds = cells.iter().zip(0..).flat_map(|(&n, kind)| (0..n).map(move |_| kind));
            lattice.found_apart(kinds.zip(places.iter().copied()), cancel)?;
        } else {
            cells.iter().zip(0..).try_for_each(|(&n, kind)| population.found(kind, n, cancel))?;
        }
        Ok(population)
    }
}

/// A population in one of its forms.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum AnyEngine {
    /// Clones are counts.
    Clones(Clones),
    /// Every cell is an individual.
    Cells(Cells),
    /// Every cell has a place. Boxed: by far the largest of the three.
    Lattice(Box<Lattice>),
}

/// The same call on whichever engine it is. Not `dyn`: steps are generic over streams and kinds.
macro_rules! either {
    ($engine:expr, $inner:ident => $call:expr) => {
        match $engine {
            AnyEngine::Clones($inner) => $call,
            AnyEngine::Cells($inner) => $call,
            AnyEngine::Lattice($inner) => $call,
        }
    };
}

impl Engine for AnyEngine {
    fn found(&mut self, kind: u32, cells: u64, cancel: &AtomicBool) -> Result<()> {
        either!(self, engine => engine.found(kind, cells, cancel))
    }

    fn step<R: Rng, K: Kinds>(
        &mut self,
        rng: &mut R,
        probabilities: &[StepProbabilities],
        kinds: &mut K,
        cancel: &AtomicBool,
    ) -> Result<Tally> {
        either!(self, engine => engine.step(rng, probabilities, kinds, cancel))
    }

    fn remove(&mut self, gone: &[u64]) -> Result<()> {
        either!(self, engine => engine.remove(gone))
    }

    fn label(&mut self) -> Result<()> {
        either!(self, engine => engine.label())
    }

    fn remember(&mut self, nodes: &[u32]) -> Result<()> {
        either!(self, engine => engine.remember(nodes))
    }

    fn recorded(&mut self) -> Option<&mut Genealogy> {
        either!(self, engine => engine.recorded())
    }

    fn step_index(&self) -> u64 {
        either!(self, engine => engine.step_index())
    }

    fn total(&self) -> u64 {
        either!(self, engine => engine.total())
    }

    fn counts(&self) -> &[u64] {
        either!(self, engine => engine.counts())
    }

    fn count(&self, kind: u32) -> u64 {
        either!(self, engine => engine.count(kind))
    }

    fn records(&self) -> Cow<'_, [CloneRecord]> {
        either!(self, engine => engine.records())
    }

    fn clones_of(&self, kind: u32) -> usize {
        either!(self, engine => engine.clones_of(kind))
    }

    fn keep_extinct(&mut self) {
        either!(self, engine => engine.keep_extinct());
    }

    fn extinct(&self) -> &[Extinct] {
        either!(self, engine => engine.extinct())
    }

    fn bytes(&self) -> usize {
        either!(self, engine => engine.bytes())
    }

    fn items(&self) -> u64 {
        either!(self, engine => engine.items())
    }

    fn is_delicate(&self) -> bool {
        either!(self, engine => engine.is_delicate())
    }

    fn exposures(&self) -> &[Exposure] {
        either!(self, engine => engine.exposures())
    }

    fn genealogy(&mut self) -> Result<Option<(&Genealogy, Vec<Tip>)>> {
        either!(self, engine => engine.genealogy())
    }
}

impl AnyEngine {
    /// The population cell by cell, if it is held so.
    pub fn cells(&self) -> Option<&Cells> {
        match self {
            Self::Cells(cells) => Some(cells),
            Self::Clones(_) | Self::Lattice(_) => None,
        }
    }

    /// Kind and cells of everything that is held, in the order in which `remove` takes it.
    pub(super) fn held(&self) -> Vec<(u32, u64)> {
        match self {
            Self::Clones(clones) => clones.records().iter().map(|clone| (clone.kind, clone.cells)).collect(),
            Self::Cells(cells) => cells.individuals().map(|cell| (cell.kind, 1)).collect(),
            Self::Lattice(lattice) => lattice.cells().map(|cell| (cell.kind, 1)).collect(),
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
