//! One grid of the multigrid that finds a diffusing field.
//!
//! Inside, `links + bound + uptake` times the value of a point is the sum of the linked values around it and a source;
//! outside the value is 0. A point of the coarser grid stands for two along every axis. It has their bounds, uptakes and
//! sources together, and as many links; but links and bounds are half as strong, since the way is twice as long.

use crate::cancel::heed;
use crate::error::Result;
use core::mem::take;
use std::sync::atomic::AtomicBool;

/// Sweeps over the coarsest grid, at most.
const MOST_SWEEPS: usize = 1000;
/// The share of all change that the last sweep over the coarsest grid may make.
const LAST: f32 = 1e-3;

/// Points in a row (`x`), rows in a plane, planes; and which of these axes begin anew at their end.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) size: [usize; 3],
    pub(super) periodic: [bool; 3],
}

impl Shape {
    /// Number along an axis, `by` points on; `None` beyond the end.
    pub(super) fn along(&self, axis: usize, at: usize, by: isize) -> Option<usize> {
        let n = self.size[axis];
        match at.checked_add_signed(by) {
            Some(to) if to < n => Some(to),
            _ if self.periodic[axis] => {
                Some((at.cast_signed() + by).rem_euclid(n.cast_signed()).cast_unsigned())
            }
            _ => None,
        }
    }

    pub(super) fn volume(&self) -> usize {
        self.size.iter().product()
    }

    /// Whether a coarser grid has half as many points along an axis. An end that is none stays even, so that planes can
    /// take turns; of others the outermost points are outside.
    fn halves(&self, axis: usize) -> bool {
        let n = self.size[axis];
        if self.periodic[axis] { n.is_multiple_of(4) } else { n > 3 }
    }

    fn coarser(&self) -> Self {
        let mut coarser = *self;
        for axis in (0..3).filter(|&axis| self.halves(axis)) {
            let n = self.size[axis];
            coarser.size[axis] = if self.periodic[axis] { n / 2 } else { n / 2 + 1 + n % 2 };
        }
        coarser
    }

    /// The point of the coarser axis that stands for a point, the next one on its other side, and what share of a value
    /// between them is that of the other.
    fn between(&self, axis: usize, at: usize) -> ([usize; 2], f32) {
        if !self.halves(axis) {
            return ([at; 2], 0.0);
        }
        let shifted = at + usize::from(!self.periodic[axis]);
        let (coarse, by) = (shifted / 2, if shifted.is_multiple_of(2) { -1 } else { 1 });
        ([coarse, self.coarser().along(axis, coarse, by).unwrap_or(coarse)], 0.25)
    }

    /// Add the values of all points that a coarser point stands for.
    fn together(&self, values: &[f32]) -> Vec<f32> {
        let coarser = self.coarser();
        let mut sums = vec![0.0; coarser.volume()];
        let [n, rows, _] = self.size;
        for (row, values) in values.chunks(n).enumerate() {
            let (y, z) = (self.between(1, row % rows).0[0], self.between(2, row / rows).0[0]);
            let start = coarser.size[0] * (y + coarser.size[1] * z);
            self.add_row(&mut sums[start..start + coarser.size[0]], values);
        }
        sums
    }

    fn add_row(&self, sums: &mut [f32], values: &[f32]) {
        if self.halves(0) {
            // The ends are outside: a last point that has no other is 0.
            for (sum, pair) in sums[1..].iter_mut().zip(values[1..].chunks_exact(2)) {
                *sum += pair[0] + pair[1];
            }
        } else {
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
    }
}

/// The bits of a number without its sign: they are in the order of such numbers, and quicker to compare.
fn size(number: f32) -> i32 {
    number.abs().to_bits().cast_signed()
}

/// Values of all points: those of the even planes and those of the odd ones.
type Planes = [Vec<f32>; 2];

pub(super) struct Grid {
    shape: Shape,
    /// How strongly neighbours along an axis are linked; 0 where there is no such axis.
    links: [f32; 3],
    /// How far a sweep goes towards what the points around a point say.
    pace: f32,
    bound: Vec<f32>,
    uptake: Vec<f32>,
    source: Vec<f32>,
    /// What the sum around is multiplied by: 0 outside.
    fold: Vec<f32>,
    /// From the first point inside to after the last one, of every row.
    spans: Vec<[usize; 2]>,
    values: Planes,
    /// A row beyond the end.
    nothing: Vec<f32>,
}

impl Grid {
    /// Points that are inside (1) or outside (0); where there is a cell, `taken` is its uptake. A neighbour outside lies
    /// behind a bound, half a step away.
    pub(super) fn finest(shape: Shape, inside: Vec<f32>, taken: Vec<f32>) -> Self {
        let links = shape.size.map(|n| if n > 1 { 1.0 } else { 0.0 });
        let mut grid = Self::linked(shape, links, inside);
        let all = 2.0 * links.iter().sum::<f32>();
        grid.bound = grid.source.iter().map(|linked| 2.0 * (all - linked)).collect();
        grid.uptake = taken;
        grid.settle();
        grid
    }

    /// The grid that stands for this one, where that is any smaller.
    pub(super) fn coarser(&self) -> Option<Self> {
        let halved = [0, 1, 2].map(|axis| self.shape.halves(axis));
        if halved == [false; 3] {
            return None;
        }
        let together: f32 = halved.iter().map(|&halved| if halved { 2.0 } else { 1.0 }).product();
        let links = [0, 1, 2].map(|axis| self.links[axis] * together * if halved[axis] { 0.25 } else { 1.0 });
        let within = |fold: &f32| if *fold > 0.0 { 1.0 } else { 0.0 };
        let mut inside = self.shape.together(&self.fold.iter().map(within).collect::<Vec<_>>());
        for points in &mut inside {
            *points = points.min(1.0);
        }
        let mut grid = Self::linked(self.shape.coarser(), links, inside);
        grid.bound = self.shape.together(&self.bound);
        for bound in &mut grid.bound {
            *bound *= 0.5;
        }
        grid.uptake = self.shape.together(&self.uptake);
        grid.settle();
        Some(grid)
    }

    /// A grid with the values `inside`, and the sums around in the place of the source.
    fn linked(shape: Shape, links: [f32; 3], inside: Vec<f32>) -> Self {
        let [n, rows, _] = shape.size;
        let span = |row: &[f32]| {
            let first = row.iter().position(|&inside| inside > 0.0).unwrap_or(0);
            [first, row.iter().rposition(|&inside| inside > 0.0).map_or(first, |last| last + 1)]
        };
        let mut values = [Vec::new(), Vec::new()];
        for (z, plane) in inside.chunks(n * rows).enumerate() {
            values[z % 2].extend_from_slice(plane);
        }
        let mut grid = Self {
            shape,
            links,
            pace: 1.0 / (1.0 + 0.5 * links[0] / links.iter().sum::<f32>()),
            bound: Vec::new(),
            uptake: Vec::new(),
            source: vec![0.0; inside.len()],
            spans: inside.chunks(n).map(span).collect(),
            fold: inside,
            values,
            nothing: vec![0.0; n],
        };
        let mut source = take(&mut grid.source);
        for row in 0..grid.spans.len() {
            let [first, last] = grid.spans[row];
            let (own, beside) =
                grid.rows(row, &grid.values[row / rows % 2], &grid.values[1 - row / rows % 2]);
            grid.around(row, own, beside, &mut source[row * n + first..row * n + last]);
        }
        grid.source = source;
        grid
    }

    /// All is known of the points: make ready to sweep.
    fn settle(&mut self) {
        let terms = self.source.iter().zip(&self.bound).zip(&self.uptake);
        for (fold, ((linked, bound), uptake)) in self.fold.iter_mut().zip(terms) {
            *fold /= (linked + bound + uptake).max(f32::MIN_POSITIVE);
        }
        self.source.fill(0.0);
        self.values.iter_mut().for_each(|values| values.fill(0.0));
    }

    /// What a point inside adds to the sum around it, given its bound and its uptake, and its value, given its number.
    pub(super) fn set(&mut self, source: impl Fn(f32, f32) -> f32, value: impl Fn(usize) -> f32) {
        let plane = self.shape.size[0] * self.shape.size[1];
        for index in 0..self.fold.len() {
            if self.fold[index] > 0.0 {
                self.source[index] = source(self.bound[index], self.uptake[index]);
                let z = index / plane;
                self.values[z % 2][z / 2 * plane + index % plane] = value(index);
            }
        }
    }

    /// The values of all points, in their order.
    pub(super) fn values(&self) -> impl Iterator<Item = f32> {
        let plane = self.shape.size[0] * self.shape.size[1];
        (0..self.shape.size[2])
            .flat_map(move |z| self.values[z % 2][z / 2 * plane..][..plane].iter().copied())
    }

    /// A row and those beside it, given the planes that are even and odd as its own and the others.
    fn rows<'a>(&'a self, row: usize, own: &'a [f32], other: &'a [f32]) -> (&'a [f32], [&'a [f32]; 4]) {
        let [n, rows, _] = self.shape.size;
        let (y, z) = (row % rows, row / rows);
        let start = |y: usize, z: usize| (z / 2 * rows + y) * n;
        let on_y = |by| self.shape.along(1, y, by).map_or(&self.nothing[..], |y| &own[start(y, z)..][..n]);
        let on_z = |by| self.shape.along(2, z, by).map_or(&self.nothing[..], |z| &other[start(y, z)..][..n]);
        (&own[start(y, z)..][..n], [on_y(-1), on_y(1), on_z(-1), on_z(1)])
    }

    /// The linked values around the points of a row that may be inside.
    fn around(&self, row: usize, own: &[f32], beside: [&[f32]; 4], sums: &mut [f32]) {
        let [first, last] = self.spans[row];
        if first == last {
            return;
        }
        let n = last - first;
        let [front, back, below, above] = beside.map(|row| &row[first..last][..n]);
        // The first axis does not begin anew, so its outermost points are outside.
        let (left, right, sums) = (&own[first - 1..][..n], &own[first + 1..][..n], &mut sums[..n]);
        let [on_x, on_y, on_z] = self.links;
        for i in 0..n {
            sums[i] =
                on_x * (left[i] + right[i]) + on_y * (front[i] + back[i]) + on_z * (below[i] + above[i]);
        }
    }

    /// Let every point go towards what those around it say, plane by plane: the largest change.
    pub(super) fn sweep(&mut self) -> f32 {
        let mut values = take(&mut self.values);
        let mut largest = 0.0f32;
        for parity in 0..2 {
            let [even, odd] = &mut values;
            let (own, other) = if parity == 0 { (even, &*odd) } else { (odd, &*even) };
            for plane in 0..own.len() / (self.shape.size[0] * self.shape.size[1]) {
                largest = largest.max(self.relax(2 * plane + parity, own, other));
            }
        }
        self.values = values;
        largest
    }

    fn relax(&self, z: usize, own: &mut [f32], other: &[f32]) -> f32 {
        let [n, rows, _] = self.shape.size;
        let mut sums = vec![0.0; n];
        let mut largest = 0;
        for row in z * rows..(z + 1) * rows {
            let [first, last] = self.spans[row];
            let (here, beside) = self.rows(row, own, other);
            self.around(row, here, beside, &mut sums);
            let start = (z / 2 * rows + row % rows) * n;
            let points = row * n + first..row * n + last;
            let terms = sums.iter().zip(&self.source[points.clone()]).zip(&self.fold[points]);
            for (value, ((sum, source), fold)) in own[start + first..start + last].iter_mut().zip(terms) {
                let change = self.pace * ((sum + source) * fold - *value);
                *value += change;
                largest = largest.max(size(change));
            }
        }
        f32::from_bits(largest.cast_unsigned())
    }

    /// Sweep until hardly anything changes: all change.
    pub(super) fn solve(&mut self, cancel: &AtomicBool) -> Result<f32> {
        let mut all = 0.0;
        for _ in 0..MOST_SWEEPS {
            heed(cancel)?;
            let change = self.sweep();
            all += change;
            if change <= LAST * all {
                break;
            }
        }
        Ok(all)
    }

    /// Ask the coarser grid what the points lack.
    pub(super) fn ask(&self, coarser: &mut Self) {
        let [n, rows, _] = self.shape.size;
        coarser.source.fill(0.0);
        coarser.values.iter_mut().for_each(|values| values.fill(0.0));
        let [wide, high, _] = coarser.shape.size;
        let mut lack = vec![0.0; n];
        for (row, &[first, last]) in self.spans.iter().enumerate() {
            let (y, z) = (row % rows, row / rows);
            let (here, beside) = self.rows(row, &self.values[z % 2], &self.values[1 - z % 2]);
            lack.fill(0.0);
            self.around(row, here, beside, &mut lack[first..last]);
            let points = row * n + first..row * n + last;
            let terms = self.source[points.clone()].iter().zip(&self.fold[points]).zip(&here[first..last]);
            for (lack, ((source, &fold), value)) in lack[first..last].iter_mut().zip(terms) {
                let found = *lack + source - value / fold;
                *lack = if fold > 0.0 { found } else { 0.0 };
            }
            let start = wide * (self.shape.between(1, y).0[0] + high * self.shape.between(2, z).0[0]);
            self.shape.add_row(&mut coarser.source[start..start + wide], &lack);
        }
    }

    /// Add what the coarser grid found, between its points in proportion: the largest change.
    pub(super) fn correct(&mut self, coarser: &Self) -> f32 {
        let [n, rows, _] = self.shape.size;
        let [wide, high, _] = coarser.shape.size;
        let (mut mixed, mut found) = (vec![0.0; wide], vec![0.0; n]);
        let mut largest = 0;
        for (row, &[first, last]) in self.spans.iter().enumerate().filter(|(_, [first, last])| first < last) {
            let (y, z) = (row % rows, row / rows);
            let ((on_y, by_y), (on_z, by_z)) = (self.shape.between(1, y), self.shape.between(2, z));
            mixed.fill(0.0);
            for (y, share_y) in on_y.into_iter().zip([1.0 - by_y, by_y]) {
                for (z, share_z) in on_z.into_iter().zip([1.0 - by_z, by_z]) {
                    let share = share_y * share_z;
                    let row = &coarser.values[z % 2][(z / 2 * high + y) * wide..][..wide];
                    mixed.iter_mut().zip(row).for_each(|(mixed, value)| *mixed += share * value);
                }
            }
            if self.shape.halves(0) {
                for (pair, near) in found[1..].chunks_exact_mut(2).zip(mixed.windows(3)) {
                    pair[0] = 0.75 * near[1] + 0.25 * near[0];
                    pair[1] = 0.75 * near[1] + 0.25 * near[2];
                }
            } else {
                found.copy_from_slice(&mixed);
            }
            let start = (z / 2 * rows + y) * n;
            let values = self.values[z % 2][start + first..start + last].iter_mut();
            for ((value, fold), found) in
                values.zip(&self.fold[row * n + first..row * n + last]).zip(&found[first..last])
            {
                let found = if *fold > 0.0 { *found } else { 0.0 };
                *value += found;
                largest = largest.max(size(found));
            }
        }
        f32::from_bits(largest.cast_unsigned())
    }
}
