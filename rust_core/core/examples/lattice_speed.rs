//! How fast the lattice is: one cell to 1e6 cells, then steps of a tumour of 1e6 cells.
//!
//! `cargo run --release --example lattice_speed`

use rand::Rng;
use tumor_abm_core::Result;
use tumor_abm_core::cancel::NEVER;
use tumor_abm_core::law::{Kinds, StepProbabilities};
use tumor_abm_core::random::{Purpose, stream};
use tumor_abm_core::tumour::engine::Engine;
use tumor_abm_core::tumour::lattice::{Lattice, Neighbourhood, Placement, Profile, Reach, Space};

/// CPU time of this process in ns, where the system tells (Linux); elsewhere the time of day.
#[allow(clippy::disallowed_methods, reason = "time is what is measured; no result depends on it")]
fn cpu_ns() -> f64 {
    let told = std::fs::read_to_string("/proc/self/schedstat").ok();
    let first = told.as_deref().and_then(|text| text.split(' ').next()?.parse().ok());
    first.unwrap_or_else(|| std::time::UNIX_EPOCH.elapsed().map_or(0.0, |time| time.as_nanos() as f64))
}

const CELLS: u64 = 1_000_000;

/// Division and death per day, steps of a day, and 1e-5 new clones per division.
struct Case {
    name: &'static str,
    space: Space,
    rates: (f64, f64),
    /// One, or the whole tumour as a ball.
    founders: u64,
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
    let p = StepProbabilities::new(b, d, 1.0, || case.name.into())?;
    let mut kinds = Drivers(1e-5);
    let mut attempt = 0;
    let (mut tumour, mut rng, grown) = loop {
        let mut rng = stream(1, 0, Purpose::Replicate, attempt);
        attempt += 1;
        let mut tumour = Lattice::new(case.space, 10_000)?;
        tumour.found(0, case.founders, &NEVER)?;
        let start = cpu_ns();
        while (1..CELLS).contains(&tumour.total()) {
            let table: Vec<_> = tumour.exposures().iter().map(|share| share.mix(p, p)).collect();
            tumour.step(&mut rng, &table, &mut kinds, &NEVER)?;
        }
        if tumour.total() > 0 {
            break (tumour, rng, cpu_ns() - start);
        }
    };
    let (steps, bytes, cells) = (tumour.step_index(), tumour.bytes(), tumour.total());
    let start = cpu_ns();
    let (mut cell_steps, mut events) = (0, 0);
    for _ in 0..50 {
        cell_steps += tumour.total();
        let table: Vec<_> = tumour.exposures().iter().map(|share| share.mix(p, p)).collect();
        let tally = tumour.step(&mut rng, &table, &mut kinds, &NEVER)?;
        events += tally.divisions + tally.deaths;
    }
    let stepped = cpu_ns() - start;
    println!(
        "{:<34} {:>8.3} s {:>7} steps {:>6.2} bytes/cell {:>7} clones {:>8.2} ns/cell-step {:>7.1} ns/event",
        case.name,
        grown / 1e9,
        steps,
        bytes as f64 / cells as f64,
        tumour.records().len(),
        stepped / cell_steps as f64,
        stepped / events as f64,
    );
    Ok(())
}

fn main() -> Result<()> {
    println!("CPU time: one cell to 1e6 cells; then 50 steps (events: divisions and deaths)");
    let flat = Space { dimensions: 2, ..Space::default() };
    let solid = Space::default();
    let moore = Neighbourhood::Moore;
    let any = Placement::AnyFree;
    let push = Placement::Push { depth: 10 };
    let fed = |profile| Space { nutrient: Some(Reach { length: 10.0, profile }), ..solid };
    let cases = [
        Case { name: "2-D von Neumann B", space: flat, rates: (0.14, 0.0), founders: 1 },
        Case {
            name: "2-D Moore C, disc, turnover",
            space: Space { neighbourhood: moore, placement: any, ..flat },
            rates: (0.14, 0.07),
            founders: CELLS,
        },
        Case { name: "3-D von Neumann B", space: solid, rates: (0.14, 0.0), founders: 1 },
        Case { name: "3-D von Neumann B, turnover", space: solid, rates: (0.14, 0.07), founders: 1 },
        Case { name: "3-D von Neumann B, 1% and 0.5%", space: solid, rates: (0.01, 0.005), founders: 1 },
        Case {
            name: "3-D von Neumann B, ball, 1% and 1%",
            space: solid,
            rates: (0.01, 0.01),
            founders: CELLS,
        },
        Case {
            name: "3-D Moore C",
            space: Space { neighbourhood: moore, placement: any, ..solid },
            rates: (0.14, 0.0),
            founders: 1,
        },
        Case {
            name: "3-D Moore C, turnover",
            space: Space { neighbourhood: moore, placement: any, ..solid },
            rates: (0.14, 0.10),
            founders: 1,
        },
        Case {
            name: "3-D pushing 10, turnover",
            space: Space { placement: push, ..solid },
            rates: (0.14, 0.07),
            founders: 1,
        },
        Case {
            name: "3-D nutrients by depth, ball",
            space: fed(Profile::Exponential),
            rates: (0.14, 0.07),
            founders: CELLS,
        },
        Case {
            name: "3-D nutrients by diffusion, ball",
            space: fed(Profile::Diffusion),
            rates: (0.14, 0.07),
            founders: CELLS,
        },
    ];
    // A word of the name, if given, picks the cases.
    let wanted = std::env::args().nth(1).unwrap_or_default();
    cases.iter().filter(|case| case.name.contains(&wanted)).try_for_each(run)
}
