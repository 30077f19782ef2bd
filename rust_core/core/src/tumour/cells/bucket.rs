//! Cells of one kind, and how some of them are chosen.

use crate::error::Result;
use crate::tumour::lineage::{Genealogy, NO_NODE};
use crate::tumour::room::make_room;
use rand::Rng;
use serde::{Deserialize, Serialize};

/// Cells that are fetched together, so that memory is waited for once.
const AT_ONCE: usize = 64;
/// Cells of a kind up to which they are taken to be in the cache.
const CACHED: usize = 1 << 18;
/// What there is no room for.
pub(super) const CELLS: &str = "cells of a type";

/// Halves of random words: enough to choose within a block, at half the price.
pub(super) struct Halves<'a, R> {
    pub(super) rng: &'a mut R,
    pub(super) spare: Option<u32>,
}

impl<R: Rng> Halves<'_, R> {
    #[inline]
    pub(super) fn next(&mut self) -> u32 {
        if let Some(half) = self.spare.take() {
            return half;
        }
        let word = self.rng.next_u64();
        self.spare = Some((word >> 32) as u32);
        word as u32
    }

    /// A whole number below `n`, each with the same probability (Lemire 2019, doi:10.1145/3230636).
    #[inline]
    pub(super) fn below(&mut self, n: u32) -> u32 {
        let mut product = u64::from(self.next()) * u64::from(n);
        if (product as u32) < n {
            let uneven = n.wrapping_neg() % n.max(1);
            while (product as u32) < uneven {
                product = u64::from(self.next()) * u64::from(n);
            }
        }
        (product >> 32) as u32
    }
}

/// What is held of every cell beside its clone.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Held {
    pub(super) traits: bool,
    pub(super) nodes: bool,
}

/// What a cell is made of.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Individual {
    pub(super) clone: u32,
    pub(super) value: f32,
    pub(super) node: u32,
}

/// Cells of one kind, in no order. What is not held is empty.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Bucket {
    pub(super) held: Held,
    pub(super) clones: Vec<u32>,
    pub(super) traits: Vec<f32>,
    pub(super) nodes: Vec<u32>,
    pub(super) highest: f32,
}

impl Bucket {
    pub(super) fn new(held: Held) -> Self {
        Self { held, highest: f32::NEG_INFINITY, ..Self::default() }
    }

    /// Make room for `more` cells.
    pub(super) fn reserve(&mut self, more: usize) -> Result<()> {
        make_room(&mut self.clones, more, CELLS)?;
        if self.held.traits {
            make_room(&mut self.traits, more, CELLS)?;
        }
        if self.held.nodes { make_room(&mut self.nodes, more, CELLS) } else { Ok(()) }
    }

    pub(super) fn push(&mut self, cell: Individual) {
        self.clones.push(cell.clone);
        if self.held.traits {
            self.traits.push(cell.value);
            self.highest = self.highest.max(cell.value);
        }
        if self.held.nodes {
            self.nodes.push(cell.node);
        }
    }

    pub(super) fn cell(&self, place: usize) -> Individual {
        Individual {
            clone: self.clones[place],
            value: if self.held.traits { self.traits[place] } else { 0.0 },
            node: if self.held.nodes { self.nodes[place] } else { NO_NODE },
        }
    }

    /// Take the cell at `place` out.
    pub(super) fn take(&mut self, place: usize) -> Individual {
        let cell = self.cell(place);
        self.clones.swap_remove(place);
        if self.held.traits {
            self.traits.swap_remove(place);
        }
        if self.held.nodes {
            self.nodes.swap_remove(place);
        }
        cell
    }

    #[inline]
    pub(super) fn swap(&mut self, a: usize, b: usize) {
        self.clones.swap(a, b);
        if self.held.traits {
            self.traits.swap(a, b);
        }
        if self.held.nodes {
            self.nodes.swap(a, b);
        }
    }

    /// Move `chosen` cells of `start..end`, drawn without replacement, behind the others of them,
    /// in random order; where they begin.
    pub(super) fn choose<R: Rng>(&mut self, rng: &mut R, start: usize, end: usize, chosen: usize) -> usize {
        let mut halves = Halves { rng, spare: None };
        let fetch = self.clones.len() > CACHED;
        let mut places = [0u32; AT_ONCE];
        let (first, mut unchosen) = (end - chosen, end);
        while unchosen > first {
            let now = &mut places[..AT_ONCE.min(unchosen - first)];
            for (place, among) in now.iter_mut().zip((0..=unchosen - start).rev()) {
                *place = halves.below(among as u32);
            }
            if fetch {
                let met = now.iter().fold(0, |met, &place| met ^ self.clones[start + place as usize]);
                core::hint::black_box(met);
            }
            for &mut place in now {
                unchosen -= 1;
                self.swap(start + place as usize, unchosen);
            }
        }
        end - chosen
    }

    /// Put a newborn into the hole of a dead cell, or behind all; where the next hole is.
    pub(super) fn fill(&mut self, hole: usize, end: usize, cell: Individual) -> usize {
        if hole == end {
            self.push(cell);
            return hole;
        }
        self.clones[hole] = cell.clone;
        if self.held.traits {
            self.traits[hole] = cell.value;
            self.highest = self.highest.max(cell.value);
        }
        if self.held.nodes {
            self.nodes[hole] = cell.node;
        }
        hole + 1
    }

    /// The cell at `place` divides: what the daughter is made of.
    pub(super) fn divide(
        &mut self,
        place: usize,
        genealogy: Option<&mut Genealogy>,
        step: u64,
    ) -> Result<Individual> {
        let mut daughter = self.cell(place);
        if let Some(genealogy) = genealogy {
            (self.nodes[place], daughter.node) = genealogy.divide(daughter.node, step)?;
        }
        Ok(daughter)
    }

    /// Close the holes that are left, with cells from behind.
    pub(super) fn close(&mut self, hole: usize, end: usize) {
        for place in (hole..end).rev() {
            self.take(place);
        }
    }

    pub(super) fn find_highest(&self) -> f32 {
        self.traits.iter().copied().fold(f32::NEG_INFINITY, f32::max)
    }
}
