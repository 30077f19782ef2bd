//! The outline of a tumour, how deep below it every site lies, and what diffuses in from it.
//!
//! The tumour is copied into a box. A tumour with turnover is full of gaps that dead cells left;
//! they are part of it. Outside is a free site around which at most two fifths of the sites within
//! two steps (5 in a row, 5 x 5 or 5 x 5 x 5) are occupied, as beside a flat surface, if it is
//! connected to the surroundings through such sites.

use super::domain::Domain;
use super::labels::SITES;
use super::space::Coordinate;
use crate::cancel::heed;
use crate::error::{Error, Result};
use crate::tumour::room::room_for;
use std::sync::atomic::AtomicBool;

/// How far the crowding around a site is looked at.
const RADIUS: usize = 2;
/// Free sites around the tumour, so that the box begins outside.
const MARGIN: i32 = RADIUS.cast_signed() as i32 + 1;
/// Sites of the box for every site of the domain, at most, besides the first million.
const MOST_SPREAD: u64 = 64;
/// The field is solved to about this error.
const ACCURACY: f32 = 5e-4;
const MOST_SWEEPS: usize = 10_000;
/// Lines of sites between two looks at whether to stop.
const LINES_PER_LOOK: usize = 256;
/// Of the box: its cell, outside or not, depth, and two fields.
const BYTES_PER_SITE: usize = 17;

/// A box around the tumour; `x` runs fastest.
pub(super) struct Outline {
    low: Coordinate,
    size: [usize; 3],
    periodic: [bool; 3],
    dimensions: usize,
    /// The site of an occupied place, counted from 1; 0 where no cell is.
    cells: Vec<u32>,
    outside: Vec<bool>,
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
        let mut outline =
            Self { low, size, periodic, dimensions, cells: vec![0; volume as usize], outside: Vec::new() };
        for site in domain.cells() {
            let index = outline.index(domain.place(site));
            outline.cells[index] = site + 1;
        }
        heed(cancel)?;
        outline.outside = outline.find_outside(cancel)?;
        Ok(outline)
    }

    fn index(&self, place: Coordinate) -> usize {
        let [x, y, z] = [0, 1, 2].map(|axis| (place[axis] - self.low[axis]) as usize);
        x + self.size[0] * (y + self.size[1] * z)
    }

    fn stride(&self, axis: usize) -> usize {
        self.size[..axis].iter().product()
    }

    /// Number along an axis, `by` sites on; `None` beyond the box.
    fn along(&self, axis: usize, at: usize, by: isize) -> Option<usize> {
        let n = self.size[axis];
        match at.checked_add_signed(by) {
            Some(to) if to < n => Some(to),
            _ if self.periodic[axis] => {
                Some((at.cast_signed() + by).rem_euclid(n.cast_signed()).cast_unsigned())
            }
            _ => None,
        }
    }

    /// The indices at which the lines along an axis begin.
    fn lines(&self, axis: usize) -> impl Iterator<Item = usize> {
        let (stride, n) = (self.stride(axis), self.size[axis]);
        (0..self.cells.len() / n).map(move |line| line / stride * stride * n + line % stride)
    }

    /// Occupied sites within `RADIUS` along every axis.
    fn crowding(&self) -> Vec<u8> {
        let mut sums: Vec<u8> = self.cells.iter().map(|&cell| u8::from(cell > 0)).collect();
        let mut line = Vec::new();
        for axis in 0..self.dimensions {
            let (stride, n) = (self.stride(axis), self.size[axis]);
            for start in self.lines(axis) {
                line.clear();
                line.extend((0..n).map(|i| sums[start + i * stride]));
                for i in 0..n {
                    sums[start + i * stride] = if (RADIUS..n.saturating_sub(RADIUS)).contains(&i) {
                        line[i - RADIUS..=i + RADIUS].iter().sum()
                    } else {
                        let reach = RADIUS.cast_signed();
                        (-reach..=reach).filter_map(|by| self.along(axis, i, by)).map(|j| line[j]).sum()
                    };
                }
            }
        }
        sums
    }

    fn find_outside(&self, cancel: &AtomicBool) -> Result<Vec<bool>> {
        let crowding = self.crowding();
        heed(cancel)?;
        let window = (2 * RADIUS + 1).pow(self.dimensions as u32);
        let airy = |index: usize| self.cells[index] == 0 && 5 * usize::from(crowding[index]) <= 2 * window;
        let mut outside = vec![false; self.cells.len()];
        // The first axis is never periodic, so its two ends lie in the margin, and a strip has a
        // surface on either side.
        let mut waiting = vec![0, outside.len() - 1];
        for &end in &waiting {
            outside[end] = true;
        }
        while let Some(index) = waiting.pop() {
            for axis in 0..self.dimensions {
                let stride = self.stride(axis);
                let at = index / stride % self.size[axis];
                for by in [-1, 1] {
                    let Some(to) = self.along(axis, at, by) else { continue };
                    let next = index + to * stride - at * stride;
                    if !outside[next] && airy(next) {
                        outside[next] = true;
                        waiting.push(next);
                    }
                }
            }
        }
        Ok(outside)
    }

    /// Euclidean depth of the middle of every site below the outline, 0 outside: the distance to
    /// the nearest outside site, less half a site.
    pub(super) fn depths(&self, cancel: &AtomicBool) -> Result<Vec<f32>> {
        let mut squares: Vec<f32> =
            self.outside.iter().map(|&outside| if outside { 0.0 } else { f32::INFINITY }).collect();
        let mut transform = Envelope::default();
        for axis in 0..self.dimensions {
            let (stride, n) = (self.stride(axis), self.size[axis]);
            // A periodic line is seen with a copy on either side.
            let copies = if self.periodic[axis] { 3 } else { 1 };
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

    /// A value for every site of the box, given one for every site of the lattice with a cell on it
    /// that lies inside; 1 elsewhere.
    pub(super) fn gather(&self, value: impl Fn(u32) -> f32) -> Vec<f32> {
        self.cells.iter().map(|&cell| if cell > 0 { value(cell - 1) } else { 1.0 }).collect()
    }

    /// Every site of the domain that lies in the box, with its number in the box.
    pub(super) fn scatter(&self, domain: &Domain, mut take: impl FnMut(u32, usize)) {
        for site in 0..domain.sites() as u32 {
            let place = domain.place(site);
            let inside =
                |axis: usize| (0..self.size[axis]).contains(&((place[axis] - self.low[axis]) as usize));
            if (0..3).all(inside) {
                take(site, self.index(place));
            }
        }
    }

    /// How many of the sites that share a face with a site lie outside.
    fn faces_outside(&self) -> Vec<u8> {
        let mut faces = vec![0; self.outside.len()];
        for axis in 0..self.dimensions {
            let stride = self.stride(axis);
            for (index, faces) in faces.iter_mut().enumerate() {
                let at = index / stride % self.size[axis];
                let beside = [-1, 1].into_iter().filter_map(|by| self.along(axis, at, by));
                *faces += beside.filter(|to| self.outside[index + to * stride - at * stride]).count() as u8;
            }
        }
        faces
    }

    /// The field of a substance that is 1 on the outline, diffuses, and is taken up by cells in
    /// proportion to its concentration: successive over-relaxation, from the given field on.
    ///
    /// The outline runs along the faces between sites, half a site from the middle of the outermost
    /// cell, as in [`Self::depths`]. With the uptake `2 cosh(1 / length) - 2` and the value
    /// `2 cosh(1 / 2 length) - c` beyond a face of a cell with `c`, the field below a flat surface
    /// of a dense tumour falls by e over `length` sites exactly.
    pub(super) fn diffuse(&self, length: f64, field: &mut [f32], cancel: &AtomicBool) -> Result<()> {
        let uptake = 2.0 * (libm::cosh(1.0 / length) - 1.0);
        let degree = 2 * self.dimensions;
        // Spectral radius of Jacobi's iteration: that of the uptake, or that of the box.
        let shortest = (0..self.dimensions).map(|axis| self.size[axis]).min().unwrap_or(1) as f64;
        let jacobi =
            degree as f64 / (degree as f64 + uptake) * libm::cos(core::f64::consts::PI / (shortest + 1.0));
        let over = (2.0 / (1.0 + libm::sqrt(1.0 - jacobi * jacobi))) as f32;
        // By the number of faces outside, without a cell and with one: what the outline adds to the
        // sum of the sites around, of which those outside count 1, and by what the sum is divided.
        let balance = |uptake: f64, beyond: f64| {
            core::array::from_fn::<_, 7, _>(|faces| {
                let faces = faces as f64;
                ((faces * (beyond - 1.0)) as f32, (degree as f64 + faces + uptake).recip() as f32)
            })
        };
        let balances = [balance(0.0, 2.0), balance(uptake, 2.0 * libm::cosh(0.5 / length))];
        let faces = self.faces_outside();
        for (value, &outside) in field.iter_mut().zip(&self.outside) {
            if outside {
                *value = 1.0;
            }
        }
        let [n, rows, _] = self.size;
        for _ in 0..MOST_SWEEPS {
            heed(cancel)?;
            let mut largest = 0.0f32;
            for row in 0..self.cells.len() / n {
                let beside = self.rows_beside(row % rows, row / rows);
                for x in 0..n {
                    let index = row * n + x;
                    if self.outside[index] {
                        continue;
                    }
                    // The margin lies outside, so x - 1 and x + 1 are in the row.
                    let around = beside.iter().flatten().map(|start| field[start + x]).sum::<f32>()
                        + field[index - 1]
                        + field[index + 1];
                    let (added, fold) =
                        balances[usize::from(self.cells[index] > 0)][usize::from(faces[index])];
                    let change = over * ((around + added) * fold - field[index]);
                    field[index] += change;
                    largest = largest.max(change.abs());
                }
            }
            if largest < ACCURACY * (2.0 - over) {
                break;
            }
        }
        for value in field {
            *value = value.clamp(0.0, 1.0);
        }
        Ok(())
    }

    /// Where the rows beside a row begin. Rows beyond the box are not met: they lie outside.
    fn rows_beside(&self, y: usize, z: usize) -> [Option<usize>; 4] {
        let [n, rows, _] = self.size;
        let start = |y: usize, z: usize| (z * rows + y) * n;
        let dimension = |axis: usize| self.dimensions > axis;
        let on_y = |by| dimension(1).then(|| self.along(1, y, by)).flatten().map(|y| start(y, z));
        let on_z = |by| dimension(2).then(|| self.along(2, z, by)).flatten().map(|z| start(y, z));
        [on_y(-1), on_y(1), on_z(-1), on_z(1)]
    }
}

/// The lower envelope of parabolas on a line: the exact distance transform of Felzenszwalb and
/// Huttenlocher 2012, Theory of Computing 8:415.
#[derive(Default)]
struct Envelope {
    heights: Vec<f64>,
    /// Parabola and where it becomes the lowest.
    pieces: Vec<(usize, f64)>,
    at: usize,
}

impl Envelope {
    fn build(&mut self, heights: impl Iterator<Item = f32>) {
        self.heights.clear();
        self.heights.extend(heights.map(f64::from));
        self.pieces.clear();
        self.at = 0;
        for q in 0..self.heights.len() {
            if self.heights[q].is_infinite() {
                continue;
            }
            let lifted = |i: usize| self.heights[i] + (i * i) as f64;
            let mut from = f64::NEG_INFINITY;
            while let Some(&(last, since)) = self.pieces.last() {
                from = (lifted(q) - lifted(last)) / (2 * (q - last)) as f64;
                if from > since {
                    break;
                }
                self.pieces.pop();
                from = f64::NEG_INFINITY;
            }
            self.pieces.push((q, from));
        }
    }

    /// The envelope at `i`; ask in rising order.
    fn lowest(&mut self, i: usize) -> f32 {
        while self.pieces.get(self.at + 1).is_some_and(|&(_, since)| since < i as f64) {
            self.at += 1;
        }
        self.pieces.get(self.at).map_or(f32::INFINITY, |&(q, _)| {
            let distance = i.abs_diff(q) as f64;
            (self.heights[q] + distance * distance) as f32
        })
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
        let [n, m, _] = outline.size;
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

    #[test]
    fn a_strip_has_no_depth_along_its_width() {
        let space = Space { dimensions: 2, width: Some(32), ..Space::default() };
        let places: Vec<Coordinate> = (0..20).flat_map(|x| (0..32).map(move |y| [x, y, 0])).collect();
        let lattice = tumour(space, &places);
        let outline = Outline::new(&lattice.domain, &NEVER).unwrap();
        let depths = outline.depths(&NEVER).unwrap();
        let mut field = outline.gather(|_| 1.0);
        outline.diffuse(4.0, &mut field, &NEVER).unwrap();
        for &[x, y, _] in &places {
            let expected = x.min(19 - x) as f32 + 0.5;
            assert!((depths[outline.index([x, y, 0])] - expected).abs() < 1e-6);
            let beside = field[outline.index([x, 0, 0])];
            assert!((field[outline.index([x, y, 0])] - beside).abs() < 2e-3);
        }
    }

    #[test]
    fn the_field_in_a_slab_is_that_of_the_diffusion_equation_at_the_same_depth() {
        // L^2 c'' = c with c = 1 on the outlines, at depths 0 and 61: a hyperbolic cosine.
        for length in [0.3f64, 1.5, 6.0, 30.0] {
            let places: Vec<Coordinate> = (0..61).map(|x| [x, 0, 0]).collect();
            let lattice = tumour(Space { dimensions: 1, ..Space::default() }, &places);
            let outline = Outline::new(&lattice.domain, &NEVER).unwrap();
            let depths = outline.depths(&NEVER).unwrap();
            let mut field = outline.gather(|_| 1.0);
            outline.diffuse(length, &mut field, &NEVER).unwrap();
            for place in places {
                let depth = f64::from(depths[outline.index(place)]);
                let expected = libm::cosh((30.5 - depth) / length) / libm::cosh(30.5 / length);
                let found = f64::from(field[outline.index(place)]);
                assert!((found - expected).abs() < 1e-3, "{length} {depth}: {found} {expected}");
            }
        }
    }

    #[test]
    fn a_field_that_nothing_takes_up_is_one_everywhere() {
        let lattice = tumour(Space::default(), &ball(9).collect::<Vec<_>>());
        let outline = Outline::new(&lattice.domain, &NEVER).unwrap();
        let mut field = outline.gather(|_| 0.5);
        outline.diffuse(1e4, &mut field, &NEVER).unwrap();
        assert!(field.iter().all(|&share| (share - 1.0).abs() < 1e-3));
    }

    #[test]
    fn the_field_in_a_ball_is_that_of_the_diffusion_equation() {
        // c(r) = R sinh(r / L) / (r sinh(R / L)), R the radius of the ball with as many sites.
        let (radius, length) = (24, 8.0f64);
        let places: Vec<_> = ball(radius).collect();
        let edge = libm::cbrt(places.len() as f64 * 0.75 / core::f64::consts::PI);
        let lattice = tumour(Space::default(), &places);
        let outline = Outline::new(&lattice.domain, &NEVER).unwrap();
        let mut field = outline.gather(|_| 1.0);
        outline.diffuse(length, &mut field, &NEVER).unwrap();
        let share = |r: f64, edge: f64| {
            let inside = if r > 0.0 { libm::sinh(r / length) / r } else { 1.0 / length };
            edge * inside / libm::sinh(edge / length)
        };
        for [x, y, z] in ball(radius).step_by(97).chain([[0; 3]]) {
            let r = f64::from(x * x + y * y + z * z).sqrt();
            let found = f64::from(field[outline.index([x, y, z])]);
            // The edge of a ball of sites is good to half a site.
            let (low, high) = (share(r, edge + 0.5), share(r, edge - 0.5));
            assert!((low - 2e-3..=high + 2e-3).contains(&found), "{r}: {found}, {low} to {high}");
        }
    }
}
