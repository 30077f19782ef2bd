//! How fast the lattice is: one cell to 1e6 cells, then steps of a tumour of 1e6 cells.
//!
//! `cargo run --release --example lattice_speed`

use _core::Result;
use _core::random::{Purpose, stream};
use _core::tumour::clones::{Kinds, StepProbabilities};
use _core::tumour::lattice::{Lattice, Neighbourhood, Placement, Space};
use rand::Rng;
use std::time::Instant;

const CELLS: u64 = 1_000_000;

/// Division `b`, death `d` per day and the step, and a chance per division to found a new clone.
struct Case {
    name: &'static str,
    space: Space,
    rates: (f64, f64),
    dt: f64,
}

struct Drivers(f64);

impl Kinds for Drivers {
    fn mutation_total(&self, _: u32) -> f64 {
        self.0
    }

    fn mutate<R: Rng>(&mut self, _: &mut R, kind: u32, mutants: u64, out: &mut Vec<(u32, u64)>) {
        out.push((kind, mutants));
    }

    fn switch<R: Rng>(&mut self, _: &mut R, _: u32, _: u64, _: &mut Vec<(u32, u64)>) {}
}

fn run(case: &Case) -> Result<()> {
    let (b, d) = case.rates;
    let p = StepProbabilities::new(b, d, case.dt, || case.name.into())?;
    let mut kinds = Drivers(1e-5);
    let mut attempt = 0;
    let (mut tumour, mut rng, grown) = loop {
        let mut rng = stream(1, 0, Purpose::Replicate, attempt);
        attempt += 1;
        let mut tumour = Lattice::new(case.space, 10_000)?;
        tumour.found(0, 1)?;
        let start = Instant::now();
        while (1..CELLS).contains(&tumour.total()) {
            tumour.step(&mut rng, &[p], &mut kinds)?;
        }
        if tumour.total() > 0 {
            break (tumour, rng, start.elapsed());
        }
    };
    let (steps, bytes, cells) = (tumour.step_index(), tumour.bytes(), tumour.total());
    let start = Instant::now();
    let (mut cell_steps, mut events) = (0, 0);
    for _ in 0..20 {
        cell_steps += tumour.total();
        let tally = tumour.step(&mut rng, &[p], &mut kinds)?;
        events += tally.divisions + tally.deaths;
    }
    let stepped = start.elapsed();
    println!(
        "{:<34} {:>8.3} s {:>7} steps {:>6.2} bytes/cell {:>7} clones {:>8.2} ns/cell-step {:>7.1} ns/event",
        case.name,
        grown.as_secs_f64(),
        steps,
        bytes as f64 / cells as f64,
        tumour.records().len(),
        stepped.as_nanos() as f64 / cell_steps as f64,
        stepped.as_nanos() as f64 / events as f64,
    );
    Ok(())
}

fn main() -> Result<()> {
    let flat = Space { dimensions: 2, ..Space::default() };
    let solid = Space::default();
    let moore = Neighbourhood::Moore;
    let any = Placement::AnyFree;
    let push = Placement::Push { depth: 10 };
    let cases = [
        Case { name: "2-D von Neumann B", space: flat, rates: (0.14, 0.0), dt: 1.0 },
        Case { name: "3-D von Neumann B", space: solid, rates: (0.14, 0.0), dt: 1.0 },
        Case { name: "3-D von Neumann B, turnover", space: solid, rates: (0.14, 0.07), dt: 1.0 },
        Case { name: "3-D von Neumann B, 1% and 0.5%", space: solid, rates: (0.01, 0.005), dt: 1.0 },
        Case {
            name: "3-D Moore C",
            space: Space { neighbourhood: moore, placement: any, ..solid },
            rates: (0.14, 0.0),
            dt: 1.0,
        },
        Case {
            name: "3-D Moore C, turnover",
            space: Space { neighbourhood: moore, placement: any, ..solid },
            rates: (0.14, 0.10),
            dt: 1.0,
        },
        Case {
            name: "3-D pushing 10, turnover",
            space: Space { placement: push, ..solid },
            rates: (0.14, 0.07),
            dt: 1.0,
        },
    ];
    cases.iter().try_for_each(run)
}
