//! The lattice itself: which sites are neighbours, and how sites are numbered.
//!
//! Sites live in blocks of 512 (8 x 8 x 8, 32 x 16 or 512 in a row), so that neighbours share
//! cache lines and a domain can grow in any direction by adding blocks. The number of a site is
//! `block << 9 | local`.

use super::space::{Coordinate, Neighbourhood, Space};
use crate::cancel::heed;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::sync::atomic::AtomicBool;

/// Sites in a block, as a power of two.
pub(super) const BLOCK_BITS: u32 = 9;
/// Sites in a block.
pub(super) const BLOCK_SITES: usize = 1 << BLOCK_BITS;
/// The link of a block to itself.
pub(super) const SELF_LINK: usize = 0;

const LOCAL: u32 = BLOCK_SITES as u32 - 1;

/// Directions and the numbering of sites.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Geometry {
    dimensions: usize,
    width: Option<i32>,
    /// Bits of a local site number that belong to each dimension.
    bits: [u32; 3],
    directions: Vec<Coordinate>,
    /// How far each link of a block leads, in blocks.
    links: Vec<Coordinate>,
    /// `[direction][local]`: link to the block of the neighbour, and its local number there.
    steps: Vec<u16>,
}

/// A width, if blocks fill it.
fn whole_blocks(width: u32, bits: [u32; 3], dimensions: usize) -> Result<i32> {
    let side = 1 << bits[1..dimensions].iter().max().copied().unwrap_or(0);
    if dimensions > 1 && width > 0 && width.is_multiple_of(side) && width <= 1 << 24 {
        return Ok(width.cast_signed());
    }
    let allowed =
        if dimensions > 1 { format!("a multiple of {side}, up to 2^24") } else { "none in 1-D".into() };
    Err(Error::refused("space.width", width, allowed))
}

impl Geometry {
    pub(super) fn new(space: &Space) -> Result<Self> {
        let Space { dimensions, neighbourhood, .. } = *space;
        let bits: [u32; 3] = match dimensions {
            1 => [9, 0, 0],
            2 => [5, 4, 0],
            3 => [3, 3, 3],
            _ => {
                return Err(Error::refused("dimensions", dimensions, "1, 2 or 3"));
            }
        };
        let dimensions = dimensions as usize;
        let width = space.width.map(|width| whole_blocks(width, bits, dimensions)).transpose()?;
        let directions: Vec<Coordinate> = (0..27)
            .map(|code| [code % 3, code / 3 % 3, code / 9].map(|d| d - 1))
            .filter(|offset| {
                let moved = offset.iter().filter(|&&d| d != 0).count();
                let most = if neighbourhood == Neighbourhood::Moore { 3 } else { 1 };
                offset[dimensions..].iter().all(|&d| d == 0) && (1..=most).contains(&moved)
            })
            .collect();
        // A block is linked to itself and, as its sites are, to its neighbours.
        let links = [&[[0; 3]], &directions[..]].concat();
        let mut geometry = Self { dimensions, width, bits, directions, links, steps: Vec::new() };
        let walk = |direction| (0..=LOCAL).map(move |local| (direction, local));
        geometry.steps =
            (0..geometry.directions()).flat_map(walk).map(|(d, local)| geometry.walk(d, local)).collect();
        Ok(geometry)
    }

    fn walk(&self, direction: usize, local: u32) -> u16 {
        let mut to = self.local_coordinate(local);
        let mut blocks = [0; 3];
        for axis in 0..3 {
            to[axis] += self.directions[direction][axis];
            blocks[axis] = to[axis] >> self.bits[axis];
        }
        // Every offset is among the links: a step changes no more axes of the block than of the site.
        let link = self.links.iter().position(|&link| link == blocks).unwrap_or(SELF_LINK);
        (link << BLOCK_BITS | self.local(to) as usize) as u16
    }

    /// Number of dimensions.
    pub(super) fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Sites of a block that lie in a row along the first axis, and have numbers in a row.
    pub(super) fn row(&self) -> u32 {
        1 << self.bits[0]
    }

    /// Sites after which an axis begins anew, if it does.
    pub(super) fn width(&self, axis: usize) -> Option<i32> {
        self.width.filter(|_| (1..self.dimensions).contains(&axis))
    }

    /// The block that one beyond the end of a periodic axis is.
    pub(super) fn wrap(&self, block: Coordinate) -> Coordinate {
        if self.width.is_none() {
            return block;
        }
        [0, 1, 2].map(|axis| match self.width(axis) {
            Some(width) => block[axis].rem_euclid(width >> self.bits[axis]),
            None => block[axis],
        })
    }

    /// How far each link of a block leads, in blocks; the first leads to the block itself.
    pub(super) fn links(&self) -> &[Coordinate] {
        &self.links
    }

    /// The link that leads back.
    pub(super) fn back(&self, link: usize) -> usize {
        // Directions are sorted, so that opposite ones mirror each other.
        if link == SELF_LINK { SELF_LINK } else { self.links.len() - link }
    }

    /// Number of directions a daughter can go.
    pub(super) fn directions(&self) -> usize {
        self.directions.len()
    }

    /// Link to the block of the neighbour of `site`, and the neighbour's local number there.
    #[inline]
    pub(super) fn neighbour(&self, site: u32, direction: usize) -> (usize, u32) {
        let step = self.steps[direction << BLOCK_BITS | (site & LOCAL) as usize];
        ((step >> BLOCK_BITS) as usize, u32::from(step) & LOCAL)
    }

    /// Block and local number of a place; `None` if it lies off the lattice.
    pub(super) fn locate(&self, place: Coordinate) -> Option<(Coordinate, u32)> {
        const FAR: i32 = 1 << 30;
        let inside = place.iter().all(|x| (-FAR..=FAR).contains(x))
            && place[self.dimensions..].iter().all(|&x| x == 0);
        inside.then(|| {
            let block = [0, 1, 2].map(|axis| place[axis] >> self.bits[axis]);
            (self.wrap(block), self.local(place))
        })
    }

    /// The place of a site, given its block's.
    pub(super) fn place(&self, block: Coordinate, site: u32) -> Coordinate {
        let local = self.local_coordinate(site & LOCAL);
        [0, 1, 2].map(|axis| (block[axis] << self.bits[axis]) + local[axis])
    }

    /// Places nearest to the origin, at least `wanted` of them, nearest first.
    pub(super) fn ball(&self, wanted: u64, cancel: &AtomicBool) -> Result<Vec<Coordinate>> {
        let mut radius = 1i32;
        loop {
            let range = |axis: usize| match self.width(axis) {
                Some(width) => (-radius).max(-width / 2)..=radius.min(width / 2 - 1),
                None if axis < self.dimensions => -radius..=radius,
                None => 0..=0,
            };
            let mut places: Vec<(i64, Coordinate)> = Vec::new();
            for z in range(2) {
                for y in range(1) {
                    heed(cancel)?;
                    for x in range(0) {
                        let square = [x, y, z].iter().map(|&c| i64::from(c) * i64::from(c)).sum();
                        if square <= i64::from(radius) * i64::from(radius) {
                            places.push((square, [x, y, z]));
                        }
                    }
                }
            }
            if places.len() as u64 >= wanted {
                heed(cancel)?;
                places.sort_unstable();
                return Ok(places.into_iter().map(|(_, place)| place).collect());
            }
            radius += 1 + radius / 8;
        }
    }

    fn local(&self, place: Coordinate) -> u32 {
        let [x, y, z] = [0, 1, 2].map(|axis| (place[axis] & ((1 << self.bits[axis]) - 1)) as u32);
        x | y << self.bits[0] | z << (self.bits[0] + self.bits[1])
    }

    fn local_coordinate(&self, local: u32) -> Coordinate {
        let part = |shift: u32, bits: u32| (local >> shift & ((1 << bits) - 1)).cast_signed();
        let [x, y, z] = self.bits;
        [part(0, x), part(x, y), part(x + y, z)]
    }
}
