//! The cells of a lattice, where they are, and what is known of their step.

use super::domain::Domain;
use super::events::Event;
use super::geometry::Geometry;
use super::layers::Layers;
use super::lineage::Lineage;
use super::register::{Born, Register};
use super::space::{Coordinate, Placement, Space};
use crate::cancel::heed;
use crate::error::{Error, Result};
use core::cmp::Reverse;
use serde::{Deserialize, Serialize};
use std::collections::BinaryHeap;
use std::sync::atomic::AtomicBool;

/// A tumour that is larger is grown, not founded.
pub const MOST_FOUNDERS: u64 = 10_000_000;
/// Words of 64 sites, or events, between two looks at whether to stop.
pub(super) const PER_LOOK: usize = 4096;

/// A cell and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located {
    /// Its place on the lattice.
    pub place: Coordinate,
    /// The id of its clone.
    pub clone: u64,
    /// Its type or genotype.
    pub kind: u32,
    /// Its layer: what reaches it, see `Lattice::exposures`.
    pub layer: u32,
}

/// Chances of one kind in one layer in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Chances {
    pub(super) die: f64,
    /// Given that it does not die.
    pub(super) divide: f64,
}

/// A population on a lattice.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lattice {
    pub(super) space: Space,
    pub(super) depth: u32,
    pub(super) step: u64,
    pub(super) domain: Domain,
    pub(super) register: Register,
    pub(super) lineage: Option<Lineage>,
    pub(super) layers: Layers,
    /// `[kind][layer]`.
    pub(super) chances: Vec<Chances>,
    /// Events of the step in their order, then those of cells that were opened on the way.
    pub(super) events: Vec<Event>,
    pub(super) scheduled: usize,
    /// (events before it, order among equals, index) of the events of cells opened on the way.
    pub(super) late: BinaryHeap<Reverse<(u32, u64, u32)>>,
    /// When cells can be pushed: the event of the cell on a site, counted from 1.
    pub(super) event_of: Vec<u32>,
    pub(super) suspects: Vec<u32>,
    pub(super) pushed: Vec<u32>,
    pub(super) mutants: Vec<(u32, u64)>,
    /// Places, as events that never happen, of the mutants born in this step.
    pub(super) newborn: Vec<u32>,
}

impl Lattice {
    /// An empty lattice that keeps at most `max_per_kind` clones of a kind apart.
    pub fn new(space: Space, max_per_kind: usize) -> Result<Self> {
        let depth = match space.placement {
            Placement::RandomNeighbour | Placement::AnyFree => 1,
            Placement::Push { depth: 0 } => {
                return Err(Error::input("placement.push.depth", "found 0; allowed: at least 1"));
            }
            Placement::Push { depth } => depth,
        };
        Ok(Self {
            space,
            depth,
            step: 0,
            domain: Domain::new(Geometry::new(&space)?),
            register: Register::new(max_per_kind),
            lineage: None,
            layers: Layers::new(space.nutrient, space.drug)?,
            chances: Vec::new(),
            events: Vec::new(),
            scheduled: 0,
            late: BinaryHeap::new(),
            event_of: Vec::new(),
            suspects: Vec::new(),
            pushed: Vec::new(),
            mutants: Vec::new(),
            newborn: Vec::new(),
        })
    }

    /// Put founder cells of `kind` on `places`, as one clone.
    pub fn found_at(&mut self, kind: u32, places: &[Coordinate], cancel: &AtomicBool) -> Result<()> {
        if places.is_empty() {
            return Ok(());
        }
        let slot = self.register.create(kind, None, self.born_at(places[0]));
        for (index, &place) in places.iter().enumerate() {
            if index % PER_LOOK == 0 {
                heed(cancel)?;
            }
            self.put(slot, place)?;
        }
        self.layers.follow(&self.domain, self.register.total(), self.register.total(), cancel)
    }

    /// Put founder cells of given kinds on given places, each a clone of its own.
    pub fn found_apart(
        &mut self,
        founders: impl Iterator<Item = (u32, Coordinate)>,
        cancel: &AtomicBool,
    ) -> Result<()> {
        for (index, (kind, place)) in founders.enumerate() {
            if index % PER_LOOK == 0 {
                heed(cancel)?;
            }
            let slot = self.register.create(kind, None, self.born_at(place));
            self.put(slot, place)?;
        }
        self.layers.follow(&self.domain, self.register.total(), self.register.total(), cancel)
    }

    /// Record the genealogy of cells that are put in from now on.
    pub fn record_genealogy(&mut self) {
        self.lineage.get_or_insert_default();
    }

    fn put(&mut self, slot: u32, place: Coordinate) -> Result<()> {
        let site = self.domain.site(place)?;
        if self.domain.is_occupied(site) {
            return Err(Error::input("place", format!("{place:?} is occupied already")));
        }
        self.domain.occupy(site, slot);
        self.register.gain(slot);
        if let Some(lineage) = &mut self.lineage {
            lineage.found(site, self.domain.sites())?;
        }
        Ok(())
    }

    pub(super) fn born_at(&self, place: Coordinate) -> Born {
        Born { step: self.step, place }
    }

    /// How its cells live in space.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// Every cell with its place, in the order of memory.
    pub fn cells(&self) -> impl Iterator<Item = Located> {
        self.domain.cells().map(|site| {
            let record = self.register.record(self.domain.clone_at(site));
            let layer = self.layers.at(site) as u32;
            Located { place: self.domain.place(site), clone: record.id, kind: record.kind, layer }
        })
    }

    /// Whether there is a cell on `place`.
    pub fn is_occupied(&self, place: Coordinate) -> bool {
        self.domain.find(place).is_some_and(|site| self.domain.is_occupied(site))
    }

    pub(super) fn pushes(&self) -> bool {
        self.depth > 1
    }
}
