//! The growing domain: blocks of sites, added where cells arrive.
//!
//! A site holds the clone of its cell. Two bits a site say whether it is occupied and whether its
//! cell is *open*: may have room to divide. Every cell that has room is open; a cell that was
//! found without room is not.

use super::geometry::{BLOCK_BITS, BLOCK_SITES, Coordinate, Geometry, SELF_LINK};
use super::labels::Labels;
use crate::error::{Error, Result};
use std::collections::HashMap;

/// The site in a block that does not exist yet; it is free.
pub(super) const OUTSIDE: u32 = u32::MAX;
/// Site numbers leave one bit for the kind of event.
const MOST_BLOCKS: usize = 1 << (31 - BLOCK_BITS);
const WORDS: usize = BLOCK_SITES / 64;

/// Sites, and what is on them.
#[derive(Clone, Debug)]
pub(super) struct Domain {
    geometry: Geometry,
    clones: Labels,
    occupied: Vec<u64>,
    open: Vec<u64>,
    /// `[block][link]`: blocks around a block, `OUTSIDE` where there is none.
    links: Vec<u32>,
    places: Vec<Coordinate>,
    blocks: HashMap<Coordinate, u32>,
}

/// Grow by an eighth, not by doubling, so that memory follows the cells.
pub(super) fn make_room<T>(items: &mut Vec<T>, more: usize) {
    if items.capacity() - items.len() < more {
        items.reserve_exact(more.max(items.len() / 8));
    }
}

/// The sites of the set bits of a word.
pub(super) fn sites_of(word: usize, mut bits: u64) -> impl Iterator<Item = u32> {
    core::iter::from_fn(move || {
        let site = (word as u32) << 6 | bits.trailing_zeros();
        let any = bits != 0;
        bits &= bits.wrapping_sub(1);
        any.then_some(site)
    })
}

#[inline]
fn bit(site: u32) -> (usize, u64) {
    ((site >> 6) as usize, 1 << (site & 63))
}

impl Domain {
    pub(super) fn new(geometry: Geometry) -> Self {
        Self {
            geometry,
            clones: Labels::Narrow(Vec::new()),
            occupied: Vec::new(),
            open: Vec::new(),
            links: Vec::new(),
            places: Vec::new(),
            blocks: HashMap::new(),
        }
    }

    pub(super) fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// Sites that exist, occupied or not.
    pub(super) fn sites(&self) -> usize {
        self.clones.len()
    }

    /// Bytes allocated.
    pub(super) fn bytes(&self) -> usize {
        self.clones.bytes()
            + 8 * (self.occupied.capacity() + self.open.capacity())
            + 4 * self.links.capacity()
            + 12 * self.places.capacity()
            + 17 * self.blocks.capacity()
    }

    /// Occupied sites of the 64 sites of a word.
    pub(super) fn occupied(&self) -> &[u64] {
        &self.occupied
    }

    /// Occupied sites, in the order of memory.
    pub(super) fn cells(&self) -> impl Iterator<Item = u32> {
        self.occupied.iter().enumerate().flat_map(|(word, &bits)| sites_of(word, bits))
    }

    /// The neighbour of a site, `OUTSIDE` if its block does not exist.
    #[inline]
    pub(super) fn neighbour(&self, site: u32, direction: usize) -> u32 {
        let (link, local) = self.geometry.neighbour(site, direction);
        let block = if link == SELF_LINK {
            site >> BLOCK_BITS
        } else {
            let block = self.links[(site >> BLOCK_BITS) as usize * self.geometry.links().len() + link];
            if block == OUTSIDE {
                return OUTSIDE;
            }
            block
        };
        block << BLOCK_BITS | local
    }

    /// The neighbour of a site, in a new block if need be.
    pub(super) fn reach(&mut self, site: u32, direction: usize) -> Result<u32> {
        let known = self.neighbour(site, direction);
        if known != OUTSIDE {
            return Ok(known);
        }
        let (link, local) = self.geometry.neighbour(site, direction);
        let here = self.places[(site >> BLOCK_BITS) as usize];
        let step = self.geometry.links()[link];
        let there = [0, 1, 2].map(|axis| here[axis] + step[axis]);
        let block = self.block(self.geometry.wrap(there))?;
        Ok(block << BLOCK_BITS | local)
    }

    /// The site of a place, in a new block if need be.
    pub(super) fn site(&mut self, place: Coordinate) -> Result<u32> {
        let (block, local) = self.geometry.locate(place).ok_or_else(|| {
            Error::input("place", format!("{place:?} lies off the lattice; allowed: from -2^30 to 2^30"))
        })?;
        Ok(self.block(block)? << BLOCK_BITS | local)
    }

    /// The site of a place, if its block exists.
    pub(super) fn find(&self, place: Coordinate) -> Option<u32> {
        let (block, local) = self.geometry.locate(place)?;
        Some(self.blocks.get(&block)? << BLOCK_BITS | local)
    }

    /// The place of a site.
    pub(super) fn place(&self, site: u32) -> Coordinate {
        self.geometry.place(self.places[(site >> BLOCK_BITS) as usize], site)
    }

    fn block(&mut self, place: Coordinate) -> Result<u32> {
        if let Some(&known) = self.blocks.get(&place) {
            return Ok(known);
        }
        let new = self.places.len();
        if new >= MOST_BLOCKS {
            return Err(Error::input("lattice", "the tumour needs more than 2^31 sites"));
        }
        make_room(&mut self.occupied, WORDS);
        make_room(&mut self.open, WORDS);
        let stride = self.geometry.links().len();
        make_room(&mut self.links, stride);
        make_room(&mut self.places, 1);
        self.clones.extend(BLOCK_SITES);
        self.occupied.resize((new + 1) * WORDS, 0);
        self.open.resize((new + 1) * WORDS, 0);
        self.places.push(place);
        self.blocks.insert(place, new as u32);
        self.links.resize((new + 1) * stride, OUTSIDE);
        for (link, step) in self.geometry.links().iter().enumerate() {
            let there = self.geometry.wrap([0, 1, 2].map(|axis| place[axis] + step[axis]));
            if let Some(&block) = self.blocks.get(&there) {
                self.links[new * stride + link] = block;
                self.links[block as usize * stride + self.geometry.back(link)] = new as u32;
            }
        }
        Ok(new as u32)
    }

    #[inline]
    pub(super) fn is_occupied(&self, site: u32) -> bool {
        let (word, mask) = bit(site);
        site != OUTSIDE && self.occupied[word] & mask != 0
    }

    /// All there is about a site, mixed: reading it brings it into the cache.
    #[inline]
    pub(super) fn read(&self, site: u32) -> u64 {
        let (word, _) = bit(site);
        let links = (site >> BLOCK_BITS) as usize * self.geometry.links().len();
        u64::from(self.links[links])
            ^ self.occupied[word]
            ^ self.open[word]
            ^ u64::from(self.clones.get(site))
    }

    /// The clone on an occupied site.
    #[inline]
    pub(super) fn clone_at(&self, site: u32) -> u32 {
        self.clones.get(site)
    }

    /// Change the clone on an occupied site.
    #[inline]
    pub(super) fn relabel(&mut self, site: u32, clone: u32) {
        self.clones.set(site, clone);
    }

    /// Put a cell on a free site; it is open.
    #[inline]
    pub(super) fn occupy(&mut self, site: u32, clone: u32) {
        let (word, mask) = bit(site);
        self.occupied[word] |= mask;
        self.open[word] |= mask;
        self.clones.set(site, clone);
    }

    /// Take the cell off a site.
    #[inline]
    pub(super) fn vacate(&mut self, site: u32) {
        let (word, mask) = bit(site);
        self.occupied[word] &= !mask;
        self.open[word] &= !mask;
    }

    /// Open cells among the 64 sites of a word.
    #[inline]
    pub(super) fn open_word(&self, word: usize) -> u64 {
        self.open[word]
    }

    /// Open more cells of a word.
    #[inline]
    pub(super) fn open_cells(&mut self, word: usize, cells: u64) {
        self.open[word] |= cells;
    }

    /// Whether there is a cell that is known to have no room.
    #[inline]
    pub(super) fn is_closed(&self, site: u32) -> bool {
        let (word, mask) = bit(site);
        site != OUTSIDE && self.occupied[word] & !self.open[word] & mask != 0
    }

    /// Open a cell.
    #[inline]
    pub(super) fn open(&mut self, site: u32) {
        let (word, mask) = bit(site);
        self.open[word] |= mask;
    }

    /// Whether there is a free site within `depth` in any direction.
    pub(super) fn has_room(&self, site: u32, depth: u32) -> bool {
        (0..self.geometry.directions()).any(|direction| self.room(site, direction, depth).is_some())
    }

    /// Close a cell that has no room.
    pub(super) fn close_if_full(&mut self, site: u32, depth: u32) {
        if !self.has_room(site, depth) {
            let (word, mask) = bit(site);
            self.open[word] &= !mask;
        }
    }

    /// The last occupied site before the nearest free one within `depth`, and how far that one is.
    #[inline]
    pub(super) fn room(&self, site: u32, direction: usize, depth: u32) -> Option<(u32, u32)> {
        let mut at = site;
        for distance in 1..=depth {
            let next = self.neighbour(at, direction);
            if !self.is_occupied(next) {
                return Some((at, distance));
            }
            at = next;
        }
        None
    }

    /// Free directions around a site, a bit each.
    #[inline]
    pub(super) fn free_directions(&self, site: u32) -> u32 {
        (0..self.geometry.directions())
            .fold(0, |free, d| free | u32::from(!self.is_occupied(self.neighbour(site, d))) << d)
    }
}
