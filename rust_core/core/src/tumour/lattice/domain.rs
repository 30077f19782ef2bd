//! The growing domain: blocks of sites, added where cells arrive.
//!
//! A site holds the clone of its cell. Two bits a site say whether it is occupied and whether its
//! cell is *open*: may have room to divide. Every cell that has room is open; a cell that was
//! found without room is not.

use super::geometry::{BLOCK_BITS, BLOCK_SITES, Geometry, SELF_LINK};
use super::labels::{Labels, SITES};
use super::space::Coordinate;
use crate::error::{Error, Result};
use crate::tumour::room::make_room;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The site in a block that does not exist yet; it is free.
pub(super) const OUTSIDE: u32 = u32::MAX;
/// Site numbers leave one bit for the kind of event.
const MOST_BLOCKS: usize = 1 << (31 - BLOCK_BITS);
const WORDS: usize = BLOCK_SITES / 64;
/// Sites, and what is on them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Domain {
    geometry: Geometry,
    clones: Labels,
    occupied: Vec<u64>,
    open: Vec<u64>,
    /// `[block][link]`: blocks around a block, `OUTSIDE` where there is none.
    links: Vec<u32>,
    places: Vec<Coordinate>,
    blocks: BTreeMap<Coordinate, u32>,
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
            blocks: BTreeMap::new(),
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
            + 16 * self.blocks.len()
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
        make_room(&mut self.occupied, WORDS, SITES)?;
        make_room(&mut self.open, WORDS, SITES)?;
        let stride = self.geometry.links().len();
        make_room(&mut self.links, stride, SITES)?;
        make_room(&mut self.places, 1, SITES)?;
        self.clones.extend(BLOCK_SITES)?;
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
        if depth == 1 {
            return self.free_directions(site) != 0;
        }
        (0..self.geometry.directions()).any(|direction| self.room(site, direction, depth).is_some())
    }

    /// Close a cell that has no room.
    pub(super) fn close_if_full(&mut self, site: u32, depth: u32) {
        if !self.has_room(site, depth) {
            self.close(site);
        }
    }

    /// Close a cell.
    #[inline]
    pub(super) fn close(&mut self, site: u32) {
        let (word, mask) = bit(site);
        self.open[word] &= !mask;
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
        let all = (1 << self.geometry.directions()) - 1;
        all & !self.around(site, |word| self.occupied[word])
    }

    /// Directions around a site in which there is a cell that is known to have no room, a bit each.
    #[inline]
    pub(super) fn closed_directions(&self, site: u32) -> u32 {
        self.around(site, |word| self.occupied[word] & !self.open[word])
    }

    /// What `bits` says of the 64 sites of a word, of the neighbours of a site: a bit a direction.
    #[inline]
    fn around(&self, site: u32, bits: impl Fn(usize) -> u64) -> u32 {
        match self.geometry.directions() {
            8 => self.square_around(site, bits),
            6 => self.cross_around(site, bits),
            26 => self.cube_around(site, bits),
            directions => (0..directions).fold(0, |seen, direction| {
                let next = self.neighbour(site, direction);
                let (word, mask) = bit(next);
                seen | u32::from(next != OUTSIDE && bits(word) & mask != 0) << direction
            }),
        }
    }

    /// Words of the block that a link leads to, none where there is no block.
    #[inline]
    fn words_at<'a>(
        &self,
        site: u32,
        link: usize,
        bits: &'a impl Fn(usize) -> u64,
    ) -> impl Fn(u32) -> u64 + 'a {
        let block = match link {
            SELF_LINK => site >> BLOCK_BITS,
            _ => self.links[(site >> BLOCK_BITS) as usize * self.geometry.links().len() + link],
        };
        move |z| if block == OUTSIDE { 0 } else { bits(block as usize * WORDS + (z & 7) as usize) }
    }

    /// `around` for 8 neighbours in a block of 16 rows of 32 sites, two rows a word.
    #[inline]
    fn square_around(&self, site: u32, bits: impl Fn(usize) -> u64) -> u32 {
        let (x, y) = (site & 31, (site >> 5 & 15).cast_signed());
        let mut seen = 0;
        for (row, place) in (y - 1..=y + 1).zip([0, 3, 6]) {
            let part = |beside_x: i32| {
                let word =
                    self.words_at(site, link_in_plane(beside_x, row >> 4), &bits)((row & 15) as u32 / 2);
                word >> (32 * (row & 1)) & 0xFFFF_FFFF
            };
            let mut wide = part(0) << 1;
            match x {
                0 => wide |= part(-1) >> 31,
                31 => wide |= part(1) << 33,
                _ => {}
            }
            seen |= (wide >> x & 7) << place;
        }
        // The site itself stands in the middle.
        (seen & 0xF | seen >> 5 << 4) as u32
    }

    /// `around` for 6 neighbours in a block of 8 words of 8 rows of 8 sites.
    #[inline]
    fn cross_around(&self, site: u32, bits: impl Fn(usize) -> u64) -> u32 {
        let (x, y, z) = (site & 7, site >> 3 & 7, site >> 6 & 7);
        let at = |link, z: u32, index: u32| self.words_at(site, link, &bits)(z) >> (index & 63) & 1;
        // Links are in the order of the directions: -z, -y, -x, x, y, z.
        let link = |edge: bool, link| if edge { link } else { SELF_LINK };
        let index = site & 63;
        (at(link(z == 0, 1), z.wrapping_sub(1), index)
            | at(link(y == 0, 2), z, index.wrapping_sub(8)) << 1
            | at(link(x == 0, 3), z, if x == 0 { index + 7 } else { index - 1 }) << 2
            | at(link(x == 7, 4), z, if x == 7 { index - 7 } else { index + 1 }) << 3
            | at(link(y == 7, 5), z, index + 8) << 4
            | at(link(z == 7, 6), z + 1, index) << 5) as u32
    }

    /// `around` for 26 neighbours: three layers of 3 x 3 sites, each taken out of its word at once.
    #[inline]
    fn cube_around(&self, site: u32, bits: impl Fn(usize) -> u64) -> u32 {
        const LEFT: u64 = 0x01_01_01;
        const BELOW: u64 = 0x00_00_07;
        const ALL: u64 = 0x07_07_07;
        let (x, y, z) = (site & 7, site >> 3 & 7, site >> 6 & 7);
        let (beside_x, column) = match x {
            0 => (-1, LEFT),
            7 => (1, LEFT << 2),
            _ => (0, 0),
        };
        let (beside_y, row) = match y {
            0 => (-1, BELOW),
            7 => (1, BELOW << 16),
            _ => (0, 0),
        };
        let mut seen = 0;
        for layer in 0..3 {
            let beside_z = i32::from(z == 7 && layer == 2) - i32::from(z == 0 && layer == 0);
            // The middle of the 3 x 3 sites goes to bit 9. A block further on along x, the same
            // place is 8 sites less; along y it is 64 less, which is the same place in the word.
            let part = |x: i32, y: i32| {
                let word = self.words_at(site, link_of([x, y, beside_z]), &bits)(
                    z.wrapping_add(layer).wrapping_sub(1),
                );
                word.rotate_right((site & 63).wrapping_sub(9).wrapping_sub((8 * x).cast_unsigned()) & 63)
            };
            let mut square = part(0, 0) & !column & !row;
            if beside_x != 0 {
                square |= part(beside_x, 0) & column & !row;
            }
            if beside_y != 0 {
                square |= part(0, beside_y) & row & !column;
                if beside_x != 0 {
                    square |= part(beside_x, beside_y) & row & column;
                }
            }
            square &= ALL;
            let nine = square & 7 | square >> 5 & 0x38 | square >> 10 & 0x1C0;
            seen |= (nine as u32) << (9 * layer);
        }
        // The site itself stands in the middle.
        seen & 0x1FFF | seen >> 14 << 13
    }
}

/// The link that leads so many blocks along both axes, in a plane with 8 directions.
#[inline]
fn link_in_plane(x: i32, y: i32) -> usize {
    let code = 4 + x + 3 * y;
    match code {
        4 => SELF_LINK,
        ..4 => code as usize + 1,
        _ => code as usize,
    }
}

/// The link that leads so many blocks along every axis, in a cube: links are in the order of the
/// directions, after the one of a block to itself.
#[inline]
fn link_of([x, y, z]: Coordinate) -> usize {
    let code = 13 + x + 3 * y + 9 * z;
    match code {
        13 => SELF_LINK,
        ..13 => code as usize + 1,
        _ => code as usize,
    }
}
