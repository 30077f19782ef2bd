//! The field of a substance that diffuses into a tumour from its outline and is taken up by its cells.
//!
//! The equation is solved on the sites, by multigrid (Brandt 1977, doi:10.1090/S0025-5718-1977-0431719-X): sweeps
//! over the sites smooth the error, and what is smooth is found on a grid of half as many points along every axis,
//! which asks a coarser one in turn. The unknown is what the share lacks of 1: it is 0 outside.
//!
//! The outline runs along the faces between sites, half a site from the middle of the outermost
//! cell, as in `Outline::depths`. With the uptake `2 cosh(1 / length) - 2` and the value
//! `2 cosh(1 / 2 length) - c` beyond a face of a cell with `c`, the field below a flat surface
//! of a dense tumour falls by e over `length` sites exactly.

use super::grid::{Grid, Shape};
use super::outline::Outline;
use crate::cancel::heed;
use crate::error::Result;
use std::sync::atomic::AtomicBool;

/// The field is solved to about this error.
const ACCURACY: f32 = 5e-4;
/// The share of its error that a cycle is taken to leave, at least.
const LEFT: f32 = 0.2;
const MOST_CYCLES: usize = 100;

/// The share of a substance at every site of the box of an outline, from a `guess` of it on: 1 on the outline,
/// `length^2 * laplacian(c) = c` where cells live, `laplacian(c) = 0` in gaps.
pub(super) fn diffuse(
    outline: &Outline,
    length: f64,
    guess: &[f32],
    cancel: &AtomicBool,
) -> Result<Vec<f32>> {
    let uptake = (2.0 * (libm::cosh(1.0 / length) - 1.0)) as f32;
    let beyond = (libm::cosh(0.5 / length) - 1.0) as f32;
    // Planes are what sweeps take turns with; in two dimensions they are the rows.
    let order = if outline.dimensions == 2 { [0, 2, 1] } else { [0, 1, 2] };
    let shape = Shape {
        size: order.map(|axis| outline.shape.size[axis]),
        periodic: order.map(|axis| outline.shape.periodic[axis]),
    };
    let inside = outline.outside.iter().map(|&outside| if outside { 0.0 } else { 1.0 }).collect();
    let taken = outline.occupied.iter().map(|&occupied| if occupied { uptake } else { 0.0 }).collect();
    let mut finest = Grid::finest(shape, inside, taken);
    let source = |bound, uptake| if uptake > 0.0 { uptake - beyond * bound } else { 0.0 };
    finest.set(source, |index| 1.0 - guess[index]);
    let mut grids = vec![finest];
    while let Some(coarser) = grids.last().and_then(Grid::coarser) {
        heed(cancel)?;
        grids.push(coarser);
    }
    let mut before = f32::INFINITY;
    for number in 0..MOST_CYCLES {
        let change = cycle(&mut grids, cancel)?;
        // What later cycles would change, were each to change as small a share of the one before it.
        let left = if number == 0 { 1.0 } else { (change / before).clamp(LEFT, 0.9) };
        if change * left < ACCURACY * (1.0 - left) || change == 0.0 {
            break;
        }
        before = change;
    }
    Ok(grids[0].values().map(|lack| (1.0 - lack).clamp(0.0, 1.0)).collect())
}

/// One cycle through the grids: how much it changed the values of the first, at most.
fn cycle(grids: &mut [Grid], cancel: &AtomicBool) -> Result<f32> {
    heed(cancel)?;
    let Some((grid, coarser)) = grids.split_first_mut() else { return Ok(0.0) };
    let Some(next) = coarser.first_mut() else { return grid.solve(cancel) };
    let before = grid.sweep();
    grid.ask(next);
    cycle(coarser, cancel)?;
    let corrected = grid.correct(&coarser[0]);
    Ok(before + corrected + grid.sweep())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::NEVER;
    use crate::random::{Purpose, stream};
    use crate::tumour::lattice::events::below;
    use crate::tumour::lattice::{Coordinate, Lattice, Neighbourhood, Space};

    fn outline(space: Space, places: &[Coordinate]) -> Outline {
        let mut lattice = Lattice::new(space, 1).unwrap();
        lattice.found_at(0, places, &NEVER).unwrap();
        Outline::new(&lattice.domain, &NEVER).unwrap()
    }

    fn field(outline: &Outline, length: f64, guess: f32) -> Vec<f32> {
        diffuse(outline, length, &vec![guess; outline.outside.len()], &NEVER).unwrap()
    }

    fn ball(radius: i32) -> impl Iterator<Item = Coordinate> {
        let span = move || -radius..=radius;
        span()
            .flat_map(move |x| span().flat_map(move |y| span().map(move |z| [x, y, z])))
            .filter(move |place| place.iter().map(|c| c * c).sum::<i32>() <= radius * radius)
    }

    /// The equations of the sites themselves, in double precision, swept until nothing changes.
    fn direct(outline: &Outline, length: f64) -> Vec<f64> {
        let (shape, length) = (outline.shape, length);
        let uptake = 2.0 * (libm::cosh(1.0 / length) - 1.0);
        let mut field = vec![1.0; outline.outside.len()];
        for _ in 0..200_000 {
            let mut largest = 0.0f64;
            for index in (0..field.len()).filter(|&index| !outline.outside[index]) {
                let cell = outline.occupied[index];
                let beyond = if cell { 2.0 * libm::cosh(0.5 / length) } else { 2.0 };
                let (mut sum, mut weight, mut stride) = (0.0, if cell { uptake } else { 0.0 }, 1);
                for axis in 0..outline.dimensions {
                    let here = index / stride % shape.size[axis];
                    for by in [-1, 1] {
                        let there = shape.along(axis, here, by).unwrap();
                        let beside = index + there * stride - here * stride;
                        // The value beyond the face of a site with c is `beyond - c`.
                        let faces = outline.outside[beside];
                        sum += if faces { beyond } else { field[beside] };
                        weight += if faces { 2.0 } else { 1.0 };
                    }
                    stride *= shape.size[axis];
                }
                let change = 1.9 * (sum / weight - field[index]);
                field[index] += change;
                largest = largest.max(change.abs());
            }
            if largest < 1e-12 {
                return field.into_iter().map(|c| c.clamp(0.0, 1.0)).collect();
            }
        }
        panic!("no solution");
    }

    /// Lumps in each other's way, with a hole that no cell is left in, and a share of single gaps.
    fn ragged(dimensions: usize, gaps: u64, width: Option<i32>, seed: u64) -> Vec<Coordinate> {
        let rng = &mut stream(seed, 0, Purpose::Replicate, 0);
        let most = if dimensions == 2 { 60 } else { 17 };
        let span = |axis: usize| match width {
            Some(width) if axis > 0 && axis < dimensions => 0..width,
            _ if axis < dimensions => -most..most + 1,
            _ => 0..1,
        };
        let far = |place: Coordinate, from: Coordinate| {
            (0..3).map(|axis| f64::from(place[axis] - from[axis])).map(|x| x * x).sum::<f64>().sqrt()
        };
        let m = f64::from(most);
        let mut places = Vec::new();
        for x in span(0) {
            for y in span(1) {
                for z in span(2) {
                    let place = [x, y, z];
                    let lump = far(place, [0; 3]) < 0.7 * m || far(place, [most / 2, most / 3, 0]) < 0.5 * m;
                    let bite = far(place, [-most / 2, most / 2, 0]) < 0.3 * m;
                    let hole = far(place, [most / 5, -most / 6, 0]) < 0.25 * m;
                    let slit = dimensions > 1 && x == -most / 3 && y < 0;
                    if lump && !bite && !hole && !slit && below(rng, 100).0 >= gaps {
                        places.push(place);
                    }
                }
            }
        }
        places
    }

    #[test]
    fn the_field_is_the_direct_solution_to_a_thousandth() {
        for (dimensions, width) in [(1, None), (2, None), (3, None), (2, Some(48)), (3, Some(24))] {
            for (gaps, length, seed) in [(0, 3.0, 1), (30, 10.0, 2), (50, 40.0, 3), (45, 1.0, 4)] {
                let places = ragged(dimensions, gaps, width, seed);
                let space = Space {
                    dimensions: dimensions as u32,
                    neighbourhood: Neighbourhood::Moore,
                    width: width.map(i32::cast_unsigned),
                    ..Space::default()
                };
                let outline = outline(space, &places);
                let expected = direct(&outline, length);
                // From far above, from far below, and from the solution as layers round it.
                let rounded = expected.iter().map(|c| (libm::round(c * 63.0) / 63.0) as f32).collect();
                let guesses = [vec![1.0; expected.len()], vec![0.0; expected.len()], rounded];
                for (number, guess) in guesses.iter().enumerate() {
                    let found = diffuse(&outline, length, guess, &NEVER).unwrap();
                    let apart = found.iter().zip(&expected).map(|(&found, c)| (f64::from(found) - c).abs());
                    let most = apart.fold(0.0, f64::max);
                    let case = format!("{dimensions}-D, {width:?}, {gaps}% gaps, length {length}, {number}");
                    assert!(most < 1e-3, "{case}: {most}");
                }
            }
        }
    }

    #[test]
    fn a_strip_has_no_depth_along_its_width() {
        let space = Space { dimensions: 2, width: Some(32), ..Space::default() };
        let places: Vec<Coordinate> = (0..20).flat_map(|x| (0..32).map(move |y| [x, y, 0])).collect();
        let outline = outline(space, &places);
        let depths = outline.depths(&NEVER).unwrap();
        let field = field(&outline, 4.0, 1.0);
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
            let outline = outline(Space { dimensions: 1, ..Space::default() }, &places);
            let depths = outline.depths(&NEVER).unwrap();
            let field = field(&outline, length, 1.0);
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
        let outline = outline(Space::default(), &ball(9).collect::<Vec<_>>());
        let field = field(&outline, 1e4, 0.5);
        assert!(field.iter().all(|&share| (share - 1.0).abs() < 1e-3));
    }

    #[test]
    fn the_field_in_a_ball_is_that_of_the_diffusion_equation() {
        // c(r) = R sinh(r / L) / (r sinh(R / L)), R the radius of the ball with as many sites.
        let (radius, length) = (24, 8.0f64);
        let places: Vec<_> = ball(radius).collect();
        let edge = libm::cbrt(places.len() as f64 * 0.75 / core::f64::consts::PI);
        let outline = outline(Space::default(), &places);
        let field = field(&outline, length, 1.0);
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
