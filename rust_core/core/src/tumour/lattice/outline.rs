//! The outline of a tumour, and how deep below it every site lies.
//!
//! The tumour is copied into a box. A tumour with turnover is full of gaps that dead cells left;
//! they are part of it. Outside is a free site around which at most two fifths of the sites within
//! two steps (5 in a row, 5 x 5 or 5 x 5 x 5) are occupied, as beside a flat surface, if it is
//! connected to the surroundings through such sites.

use super::domain::Domain;
use super::envelope::Envelope;
use super::grid::Shape;
use super::labels::SITES;
use super::space::Coordinate;
use crate::cancel::heed;
use crate::error::{Error, Result};
use crate::tumour::room::room_for;
use core::ops::Range;
use std::sync::atomic::AtomicBool;

/// How far the crowding around a site is looked at.
const RADIUS: usize = 2;
/// Free sites around the tumour, so that the box begins outside.
const MARGIN: i32 = RADIUS.cast_signed() as i32 + 1;
/// Sites of the box for every site of the domain, at most, besides the first million.
const MOST_SPREAD: u64 = 64;
/// Lines of sites between two looks at whether to stop.
const LINES_PER_LOOK: usize = 256;
/// Of the box: occupied, outside, depth, two fields, and what a field is found with.
const BYTES_PER_SITE: usize = 30;

/// A box around the tumour; `x` runs fastest.
pub(super) struct Outline {
    low: Coordinate,
    pub(super) shape: Shape,
    pub(super) dimensions: usize,
    pub(super) occupied: Vec<bool>,
    pub(super) outside: Vec<bool>,
}

impl Outline {
    pub(super) fn new(domain: &Domain, cancel: &AtomicBool) -> Result<Self> {
        let geometry = domain.geometry();
        let dimensions = geometry.dimensions();
        let (mut low, mut high) = ([i32::MAX; 3], [i32::MIN; 3]);
        for site in domain.cells() {
            for (axis, x) in domain.place(site).into_iter().enumerate() {
                low[axis] = low[axis].min(x);
                high[axis] = high[axis].max(x);
            }
        }
        let mut periodic = [false; 3];
        for axis in 0..dimensions {
            if let Some(width) = geometry.width(axis) {
                periodic[axis] = true;
                (low[axis], high[axis]) = (0, width - 1);
            } else {
                low[axis] -= MARGIN;
                high[axis] += MARGIN;
            }
        }
        let size = [0, 1, 2].map(|axis| (i64::from(high[axis]) - i64::from(low[axis])) as usize + 1);
        // Two cells may lie 2^31 sites apart on every axis.
        let volume = size.iter().fold(1u64, |volume, &n| volume.saturating_mul(n as u64));
        if volume > MOST_SPREAD * domain.sites() as u64 + (1 << 20) {
            let message = format!("cells lie scattered over {volume} sites, too far apart for a reach");
            return Err(Error::input("space", message));
        }
        room_for(volume as usize, BYTES_PER_SITE, SITES)?;
        let occupied = vec![false; volume as usize];
        let mut outline =
            Self { low, shape: Shape { size, periodic }, dimensions, occupied, outside: Vec::new() };
        for (sites, start) in outline.rows_of(domain).collect::<Vec<_>>() {
            for (site, occupied) in sites.zip(&mut outline.occupied[start..]) {
                *occupied = domain.is_occupied(site);
            }
        }
        heed(cancel)?;
        outline.outside = outline.find_outside(cancel)?;
        Ok(outline)
    }

    /// The rows of sites of the domain that lie in the box, each with its beginning in the box.
    pub(super) fn rows_of(&self, domain: &Domain) -> impl Iterator<Item = (Range<u32>, usize)> {
        let length = domain.geometry().row();
        let high = [0, 1, 2].map(|axis| self.low[axis] + (self.shape.size[axis] as u32).cast_signed());
        (0..domain.sites() as u32).step_by(length as usize).filter_map(move |site| {
            let [x, y, z] = domain.place(site);
            let (first, last) = (x.max(self.low[0]), (x + length.cast_signed()).min(high[0]));
            let within = |axis: usize, at| (self.low[axis]..high[axis]).contains(&at);
            let sites = || site + (first - x) as u32..site + (last - x) as u32;
            (first < last && within(1, y) && within(2, z)).then(|| (sites(), self.index([first, y, z])))
        })
    }

    /// A value for every site of the box, given one for every site of the domain; 1 where there is none.
    pub(super) fn gather(&self, domain: &Domain, value: impl Fn(u32) -> f32) -> Vec<f32> {
        let mut values = vec![1.0; self.outside.len()];
        for (sites, start) in self.rows_of(domain) {
            sites.zip(&mut values[start..]).for_each(|(site, to)| *to = value(site));
        }
        values
    }

    /// The number in the box of a place.
    pub(super) fn index(&self, place: Coordinate) -> usize {
        let [x, y, z] = [0, 1, 2].map(|axis| (place[axis] - self.low[axis]) as usize);
        x + self.shape.size[0] * (y + self.shape.size[1] * z)
    }

    fn stride(&self, axis: usize) -> usize {
        self.shape.size[..axis].iter().product()
    }

    /// The indices at which the lines along an axis begin.
    fn lines(&self, axis: usize) -> impl Iterator<Item = usize> {
        let (stride, n) = (self.stride(axis), self.shape.size[axis]);
        (0..self.occupied.len() / n).map(move |line| line / stride * stride * n + line % stride)
    }

    /// For every site the sum of `values` over the sites `offsets` away along an axis.
    fn sum_along(&self, axis: usize, offsets: &[isize], values: &[u8]) -> Vec<u8> {
        let mut sums = vec![0; values.len()];
        let (stride, n) = (self.stride(axis), self.shape.size[axis]);
        let mut add = |to: usize, from: usize, length: usize| {
            for (sum, value) in sums[to..to + length].iter_mut().zip(&values[from..from + length]) {
                *sum += value;
            }
        };
        for &by in offsets {
            if axis == 0 {
                // The margin is free, so a row does not see the next.
                let away = by.unsigned_abs();
                let (to, from) = if by < 0 { (away, 0) } else { (0, away) };
                add(to, from, values.len() - away);
                continue;
            }
            for start in (0..values.len()).step_by(stride * n) {
                for at in 0..n {
                    if let Some(from) = self.shape.along(axis, at, by) {
                        add(start + at * stride, start + from * stride, stride);
                    }
                }
            }
        }
        sums
    }

    /// Free sites that are no gaps, were they connected to the surroundings: a bit each, rows of whole words.
    fn airy(&self) -> Vec<u64> {
        let mut crowding: Vec<u8> = self.occupied.iter().map(|&occupied| u8::from(occupied)).collect();
        for axis in 0..self.dimensions {
            crowding = self.sum_along(axis, &[-2, -1, 0, 1, 2], &crowding);
        }
        let most = 2 * (2 * RADIUS + 1).pow(self.dimensions as u32) / 5;
        let n = self.shape.size[0];
        let rows = self.occupied.chunks(n).zip(crowding.chunks(n));
        let words = rows.flat_map(|(occupied, crowding)| occupied.chunks(64).zip(crowding.chunks(64)));
        let word = |(occupied, crowding): (&[bool], &[u8])| {
            let sites = occupied.iter().zip(crowding).zip(0..);
            sites.fold(0, |word, ((&occupied, &crowding), bit)| {
                word | u64::from(!occupied && crowding <= most as u8) << bit
            })
        };
        words.map(word).collect()
    }

    fn find_outside(&self, cancel: &AtomicBool) -> Result<Vec<bool>> {
        let airy = self.airy();
        heed(cancel)?;
        let [n, rows, layers] = self.shape.size;
        let words = n.div_ceil(64);
        let mut outside = vec![0; airy.len()];
        // The first axis is never periodic, so its two ends lie in the margin, and a strip has a
        // surface on either side.
        outside[0] |= 1;
        outside[airy.len() - 1] |= 1 << ((n - 1) % 64);
        let mut row = vec![0; words];
        loop {
            let mut changed = false;
            for number in (0..rows * layers).chain((0..rows * layers).rev()) {
                if number % LINES_PER_LOOK == 0 {
                    heed(cancel)?;
                }
                let here = number * words..(number + 1) * words;
                row.copy_from_slice(&outside[here.clone()]);
                for beside in self.rows_beside(number).into_iter().flatten() {
                    for (seen, beside) in row.iter_mut().zip(&outside[beside * words..]) {
                        *seen |= beside;
                    }
                }
                spread(&mut row, &airy[here.clone()]);
                changed |= row != outside[here.clone()];
                outside[here].copy_from_slice(&row);
            }
            if !changed {
                break;
            }
        }
        let site = |bits: &[u64], x: usize| bits[x / 64] >> (x % 64) & 1 == 1;
        Ok(outside.chunks(words).flat_map(|bits| (0..n).map(move |x| site(bits, x))).collect())
    }

    /// The rows beside a row, by their numbers.
    fn rows_beside(&self, row: usize) -> [Option<usize>; 4] {
        let rows = self.shape.size[1];
        let (y, z) = (row % rows, row / rows);
        let on_y = |by| self.shape.along(1, y, by).map(|y| z * rows + y);
        let on_z = |by| self.shape.along(2, z, by).map(|z| z * rows + y);
        [on_y(-1), on_y(1), on_z(-1), on_z(1)]
    }

    /// Euclidean depth of the middle of every site below the outline, 0 outside: the distance to
    /// the nearest outside site, less half a site.
    pub(super) fn depths(&self, cancel: &AtomicBool) -> Result<Vec<f32>> {
        let mut squares: Vec<f32> =
            self.outside.iter().map(|&outside| if outside { 0.0 } else { f32::INFINITY }).collect();
        let mut transform = Envelope::default();
        for axis in 0..self.dimensions {
            let (stride, n) = (self.stride(axis), self.shape.size[axis]);
            // A periodic line is seen with a copy on either side.
            let copies = if self.shape.periodic[axis] { 3 } else { 1 };
            for (line, start) in self.lines(axis).enumerate() {
                if line % LINES_PER_LOOK == 0 {
                    heed(cancel)?;
                }
                let line = (0..copies * n).map(|i| squares[start + i % n * stride]);
                transform.build(line);
                for i in 0..n {
                    squares[start + i * stride] = transform.lowest(copies / 2 * n + i);
                }
            }
        }
        Ok(squares.iter().map(|&square| (square.sqrt() - 0.5).max(0.0)).collect())
    }
}

/// Go on from the seeds of a row, both ways, as far as it is airy.
fn spread(seeds: &mut [u64], airy: &[u64]) {
    // Added at its lowest seed, a run of ones turns over from there on.
    let upwards = |seeds: u64, airy: u64| (airy.wrapping_add(seeds) ^ airy | seeds) & airy;
    let mut carried = 0;
    for (seeds, &airy) in seeds.iter_mut().zip(airy) {
        *seeds = upwards((*seeds | carried) & airy, airy);
        carried = *seeds >> 63;
    }
    carried = 0;
    for (seeds, &airy) in seeds.iter_mut().zip(airy).rev() {
        let (back, air) = ((*seeds | carried << 63).reverse_bits(), airy.reverse_bits());
        *seeds = upwards(back & air, air).reverse_bits();
        carried = *seeds & 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::NEVER;
    use crate::tumour::lattice::{Lattice, Space};

    fn tumour(space: Space, places: &[Coordinate]) -> Lattice {
        let mut lattice = Lattice::new(space, 1).unwrap();
        lattice.found_at(0, places, &NEVER).unwrap();
        lattice
    }

    fn ball(radius: i32) -> impl Iterator<Item = Coordinate> {
        let span = move || -radius..=radius;
        span()
            .flat_map(move |x| span().flat_map(move |y| span().map(move |z| [x, y, z])))
            .filter(move |place| place.iter().map(|c| c * c).sum::<i32>() <= radius * radius)
    }

    #[test]
    fn depth_is_the_distance_to_the_nearest_place_outside() {
        // A ball with a bite, against every pair of sites.
        let places: Vec<_> = ball(7).filter(|&[x, y, z]| x < 3 || y < 2 || z < 0).collect();
        let lattice = tumour(Space::default(), &places);
        let outline = Outline::new(&lattice.domain, &NEVER).unwrap();
        let depths = outline.depths(&NEVER).unwrap();
        let [n, m, _] = outline.shape.size;
        let place = |i: usize| [i % n, i / n % m, i / n / m].map(|x| x as f64);
        let outside: Vec<_> = (0..depths.len()).filter(|&i| outline.outside[i]).map(place).collect();
        for (i, &depth) in depths.iter().enumerate().step_by(7) {
            let here = place(i);
            let square = |there: &[f64; 3]| (0..3).map(|a| libm::pow(here[a] - there[a], 2.0)).sum::<f64>();
            let nearest = outside.iter().map(square).fold(f64::INFINITY, f64::min).sqrt();
            assert!((f64::from(depth) - (nearest - 0.5).max(0.0)).abs() < 1e-5, "{here:?}");
        }
    }

    #[test]
    fn gaps_inside_a_tumour_are_no_surface() {
        // Every third cell of a ball is missing.
        let places: Vec<_> = ball(14).filter(|&[x, y, z]| (x + 2 * y + 5 * z).rem_euclid(3) > 0).collect();
        let lattice = tumour(Space::default(), &places);
        let outline = Outline::new(&lattice.domain, &NEVER).unwrap();
        let depth = outline.depths(&NEVER).unwrap()[outline.index([0; 3])];
        assert!((12.0..=15.0).contains(&depth), "{depth}");
    }

    /// Outside, site by site: what is airy and is reached through such sites from an end.
    fn outside_by_definition(outline: &Outline) -> Vec<bool> {
        let [n, m, _] = outline.shape.size;
        let place = |i: usize| [i % n, i / n % m, i / n / m];
        let reach = |from: [usize; 3], by: [isize; 3]| {
            let to = [0, 1, 2].map(|axis| outline.shape.along(axis, from[axis], by[axis]));
            Some(to[0]? + n * (to[1]? + m * to[2]?))
        };
        let near = |axis: usize| if axis < outline.dimensions { -2..=2 } else { 0..=0 };
        let airy = |i: usize| {
            let mut occupied = 0;
            for x in near(0) {
                for y in near(1) {
                    occupied += near(2)
                        .filter_map(|z| reach(place(i), [x, y, z]))
                        .filter(|&beside| outline.occupied[beside])
                        .count();
                }
            }
            !outline.occupied[i] && 5 * occupied <= 2 * 5usize.pow(outline.dimensions as u32)
        };
        let mut outside = vec![false; outline.occupied.len()];
        let mut waiting = vec![0, outside.len() - 1];
        while let Some(i) = waiting.pop() {
            if !outside[i] {
                outside[i] = true;
                let ways = [[-1, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0], [0, 0, -1], [0, 0, 1]];
                waiting.extend(ways.into_iter().filter_map(|by| reach(place(i), by)).filter(|&to| airy(to)));
            }
        }
        outside
    }

    #[test]
    fn outside_is_what_airy_sites_lead_to_however_they_wind() {
        // Walls with a door at either side in turn, so that the way goes up, over and down; a shut room at the end.
        let wall = |x: i32, y: i32| {
            let door = if x.rem_euclid(16) < 8 { y < 8 } else { y > 60 };
            x.rem_euclid(8) < 3 && !door || !(3..77).contains(&y) || x > 94 || (70..94).contains(&x) && y < 70
        };
        for (dimensions, width, depth) in [(2, None, 1), (2, Some(80), 1), (3, None, 9)] {
            let space = Space { dimensions, width, ..Space::default() };
            let all = (0..98).flat_map(|x| (0..80).flat_map(move |y| (0..depth).map(move |z| [x, y, z])));
            // Of 3-D the first and the last layers are shut.
            let shut = |z: i32| depth > 1 && !(2..depth - 2).contains(&z);
            let places: Vec<_> = all.filter(|&[x, y, z]| wall(x, y) || shut(z)).collect();
            let outline = Outline::new(&tumour(space, &places).domain, &NEVER).unwrap();
            assert_eq!(outline.outside, outside_by_definition(&outline));
            let corridor = outline.outside[outline.index([53, 70, depth / 2])];
            assert!(corridor || dimensions == 3, "{dimensions}-D, {width:?}");
        }
    }
}
