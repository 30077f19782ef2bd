//! The lattice against the cases of the theory table (sections 5 and 5b), which hold in continuous
//! time. Tests step with a small `dt`; the law errs by order `dt`, and every test says how much it
//! allows for that besides 4.5 standard errors.

use rand::Rng;
use std::collections::BTreeSet;
use tumor_abm_core::Result;
use tumor_abm_core::cancel::NEVER;
use tumor_abm_core::law::{Kinds, StepProbabilities};
use tumor_abm_core::random::{Philox4x64, Purpose, stream};
use tumor_abm_core::tumour::engine::Engine;
use tumor_abm_core::tumour::lattice::{Coordinate, Lattice, Mutant, Neighbourhood, Placement, Space};

/// Mutants are of the next kind.
struct Ladder(f64);

impl Kinds for Ladder {
    fn mutation_total(&self, _: u32) -> f64 {
        self.0
    }

    fn mutate<R: Rng>(&mut self, _: &mut R, kind: u32, mutants: u64, out: &mut Vec<(u32, u64)>) {
        out.push((kind + 1, mutants));
    }

    fn switch<R: Rng>(&mut self, _: &mut R, _: u32, _: u64, _: &mut Vec<(u32, u64)>) {}
}

fn space(dimensions: u32, neighbourhood: Neighbourhood, placement: Placement) -> Space {
    Space { dimensions, neighbourhood, placement, ..Space::default() }
}

fn replicate_stream(seed: u64, replicate: u64) -> Philox4x64 {
    stream(seed, replicate, Purpose::Replicate, 0)
}

fn one_cell(space: Space) -> Result<Lattice> {
    let mut lattice = Lattice::new(space, 1)?;
    lattice.found(0, 1, &NEVER)?;
    Ok(lattice)
}

/// Division at rate 1, no death, for kinds below `kinds`.
fn division_only(dt: f64, kinds: usize) -> Result<Vec<StepProbabilities>> {
    Ok(vec![StepProbabilities::new(1.0, 0.0, dt, || "test".into())?; kinds])
}

/// Time to `cells` cells, by linear interpolation within the last step.
fn grow(lattice: &mut Lattice, rng: &mut Philox4x64, cells: u64, dt: f64) -> Result<f64> {
    let probabilities = division_only(dt, 1)?;
    let mut before = lattice.total();
    while lattice.total() < cells {
        before = lattice.total();
        lattice.step(rng, &probabilities, &mut Ladder(0.0), &NEVER)?;
    }
    let share = (cells - before) as f64 / (lattice.total() - before) as f64;
    Ok((lattice.step_index() as f64 - 1.0 + share) * dt)
}

/// Pairs of cells that share a face.
fn contacts(lattice: &Lattice) -> f64 {
    let places: BTreeSet<Coordinate> = lattice.cells().map(|cell| cell.place).collect();
    let shared = |place: &Coordinate| {
        (0..3)
            .filter(|&axis| {
                let mut next = *place;
                next[axis] += 1;
                places.contains(&next)
            })
            .count()
    };
    places.iter().map(shared).sum::<usize>() as f64
}

#[derive(Default)]
struct Mean {
    n: f64,
    sum: f64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.n += 1.0;
        self.sum += value;
    }

    fn assert(&self, case: &str, expected: f64, sd: f64, bias: f64) {
        let found = self.sum / self.n;
        let allowed = 4.5 * sd / self.n.sqrt() + bias;
        assert!((found - expected).abs() < allowed, "{case}: {found}, expected {expected} +- {allowed}");
    }
}

/// Small clusters at an exact size: time and face contacts as (expected, sd).
struct Cluster {
    id: &'static str,
    space: Space,
    cells: u64,
    time: (f64, f64),
    contacts: Option<(f64, f64)>,
}

/// In a step of `dt` a second event of a cluster of n cells has a chance below n dt / 2: that
/// bounds the error of the mean time of each of n stages (in units of dt) and the share of runs
/// that jump over the size asked for, which are left out of the contacts.
fn assert_cluster(case: &Cluster, seed: u64) -> Result<()> {
    const DT: f64 = 0.005;
    let start = one_cell(case.space)?;
    let (mut times, mut touching) = (Mean::default(), Mean::default());
    for replicate in 0..10_000 {
        let mut lattice = start.clone();
        let rng = &mut replicate_stream(seed, replicate);
        times.add(grow(&mut lattice, rng, case.cells, DT)?);
        if lattice.total() == case.cells && case.contacts.is_some() {
            touching.add(contacts(&lattice));
        }
    }
    let bias = case.cells as f64 * DT;
    times.assert(&format!("{}-TIME", case.id), case.time.0, case.time.1, bias);
    if let Some((expected, sd)) = case.contacts {
        touching.assert(&format!("{}-CONTACTS", case.id), expected, sd, bias / 2.0);
    }
    Ok(())
}

#[test]
fn small_clusters_grow_as_all_their_histories_say() -> Result<()> {
    use Neighbourhood::{Moore, VonNeumann};
    use Placement::{AnyFree as C, RandomNeighbour as B};
    let cases = [
        Cluster {
            id: "LAT-2D-VN4-B",
            space: space(2, VonNeumann, B),
            cells: 6,
            time: (2.943_333, 1.417_832),
            contacts: Some((5.696_667, 0.622_888)),
        },
        Cluster {
            id: "LAT-2D-Moore8-B",
            space: space(2, Moore, B),
            cells: 5,
            time: (2.329_981, 1.272_392),
            contacts: Some((3.260_501, 1.258_441)),
        },
        Cluster {
            id: "LAT-2D-Moore8-C",
            space: space(2, Moore, C),
            cells: 5,
            time: (2.083_333, 1.189_544),
            contacts: None,
        },
        Cluster {
            id: "LAT-3D-VN6-B",
            space: space(3, VonNeumann, B),
            cells: 5,
            time: (2.366_667, 1.285_908),
            contacts: None,
        },
        Cluster {
            id: "LAT-3D-VN6-C",
            space: space(3, VonNeumann, C),
            cells: 5,
            time: (2.083_333, 1.188_997),
            contacts: Some((4.282_667, 0.450_296)),
        },
        Cluster {
            id: "LAT-3D-Moore26-B",
            space: space(3, Moore, B),
            cells: 4,
            time: (1.875_315, 1.186_335),
            contacts: Some((1.081_081, 0.941_664)),
        },
        Cluster {
            id: "LAT-3D-Moore26-C",
            space: space(3, Moore, C),
            cells: 4,
            time: (1.833_333, 1.171_039),
            contacts: Some((1.081_805, 0.941_573)),
        },
    ];
    cases.iter().zip(100..).try_for_each(|(case, seed)| assert_cluster(case, seed))
}

#[test]
fn four_cells_form_a_square_as_often_as_rule_b_and_rule_c_say() -> Result<()> {
    const DT: f64 = 0.005;
    for (case, placement, expected, seed) in [
        ("LAT-SQUARE4-B", Placement::RandomNeighbour, 1.0f64 / 6.0, 120),
        ("LAT-SQUARE4-C", Placement::AnyFree, 4.0 / 27.0, 121),
    ] {
        let start = one_cell(space(2, Neighbourhood::VonNeumann, placement))?;
        let mut squares = Mean::default();
        for replicate in 0..60_000 {
            let mut lattice = start.clone();
            grow(&mut lattice, &mut replicate_stream(seed, replicate), 4, DT)?;
            if lattice.total() == 4 {
                // Only the square has four contacts.
                squares.add(f64::from(u8::from(contacts(&lattice) > 3.5)));
            }
        }
        // Histories with two divisions in one step have a share below 3 dt; what they lead to
        // differs by less than the chance of a square.
        squares.assert(case, expected, (expected * (1.0 - expected)).sqrt(), 3.0 * DT * expected);
    }
    Ok(())
}

#[test]
fn a_row_grows_at_both_ends() -> Result<()> {
    // LAT-1D-TIME-C: E T = 1 + (N - 2) / 2, variance 1 + (N - 2) / 4. Both ends act in every step,
    // so by Wald's identity the mean errs only by the cells beyond N in the last step: below dt.
    const DT: f64 = 0.01;
    let start = one_cell(space(1, Neighbourhood::VonNeumann, Placement::AnyFree))?;
    let mut times = Mean::default();
    for replicate in 0..3000 {
        let mut lattice = start.clone();
        times.add(grow(&mut lattice, &mut replicate_stream(130, replicate), 50, DT)?);
    }
    times.assert("LAT-1D-TIME-C", 25.0, 13.0f64.sqrt(), DT);
    Ok(())
}

#[test]
fn geometry_does_not_change_the_chance_of_no_mutant() -> Result<()> {
    // SPATIAL-P0-INVARIANT: (1 - u)^(N - 1), exact for any dt where the last step does not jump
    // over N; it adds less than one division in a hundred, so 10 u.
    let probabilities = division_only(0.1, 3)?;
    let start = one_cell(space(2, Neighbourhood::VonNeumann, Placement::RandomNeighbour))?;
    let mut none = Mean::default();
    for replicate in 0..5000 {
        let mut lattice = start.clone();
        let rng = &mut replicate_stream(140, replicate);
        while lattice.total() < 1000 && lattice.count(1) == 0 {
            lattice.step(rng, &probabilities, &mut Ladder(1e-3), &NEVER)?;
        }
        none.add(f64::from(u8::from(lattice.count(1) == 0)));
    }
    none.assert("SPATIAL-P0-INVARIANT", 0.368_063, 0.482_279, 10.0 * 1e-3 * 0.368);
    Ok(())
}

/// Speed of the front between 1e5 and 1e6 cells over that between 1e4 and 1e5.
fn speed_ratio(dimensions: u32, seed: u64) -> Result<f64> {
    // The speed itself depends on dt; the ratio of two speeds at one dt does not.
    const DT: f64 = 0.2;
    let mut lattice = one_cell(space(dimensions, Neighbourhood::VonNeumann, Placement::RandomNeighbour))?;
    let rng = &mut replicate_stream(seed, 0);
    let mut at = [0.0; 3];
    for (time, cells) in at.iter_mut().zip([10_000, 100_000, 1_000_000]) {
        *time = grow(&mut lattice, rng, cells, DT)?;
    }
    let step = libm::pow(10.0, 1.0 / f64::from(dimensions));
    Ok(step * (at[1] - at[0]) / (at[2] - at[1]))
}

#[test]
fn the_front_moves_at_constant_speed() -> Result<()> {
    for (case, dimensions, allowed) in [("SPATIAL-2D-GROWTH", 2, 0.03), ("SPATIAL-3D-GROWTH", 3, 0.06)] {
        let mut ratio = Mean::default();
        for seed in 150..154 {
            ratio.add(speed_ratio(dimensions, seed)?);
        }
        ratio.assert(case, 1.0, 0.0, allowed);
    }
    Ok(())
}

#[test]
fn cells_of_a_colony_descend_from_a_long_line_of_placed_daughters() -> Result<()> {
    // SPATIAL-MEANMUT-NEW: if every placed daughter is of the next kind, the kind of a cell counts
    // them along its line; its mean is E R / (u N) for small u.
    const DT: f64 = 0.02;
    let probabilities = division_only(DT, 1000)?;
    let space =
        Space { mutant: Mutant::Placed, ..space(2, Neighbourhood::VonNeumann, Placement::RandomNeighbour) };
    let (mut depth, mut time) = (Mean::default(), Mean::default());
    for replicate in 0..30 {
        let mut lattice = one_cell(space)?;
        let rng = &mut replicate_stream(160, replicate);
        while lattice.total() < 10_000 {
            lattice.step(rng, &probabilities, &mut Ladder(1.0), &NEVER)?;
        }
        let sum: u64 = lattice.counts().iter().zip(0..).map(|(&cells, kind)| cells * kind).sum();
        depth.add(sum as f64 / lattice.total() as f64);
        time.add(lattice.step_index() as f64 * DT);
    }
    depth.assert("SPATIAL-MEANMUT-NEW", 58.0895, 0.0, 0.02 * 58.0895);
    // The note of the case gives the time as well; a step shortens each of the ~58 generations of
    // a line by about dt / 2 at most.
    time.assert("mean time to 1e4 cells", 102.310, 0.0, 0.02 * 102.310);
    Ok(())
}

#[test]
fn no_direction_is_favoured() -> Result<()> {
    // The centre of mass of a colony has mean 0 along every axis, and its second moments agree.
    for (index, placement) in
        [Placement::RandomNeighbour, Placement::AnyFree, Placement::Push { depth: 4 }].into_iter().enumerate()
    {
        let runs = 400;
        let mut moments = vec![[0.0; 6]; runs];
        // Steps as long as the law allows, with deaths: an order that favours a side would show.
        let p = StepProbabilities::new(0.4, 0.1, 1.0, || "test".into())?;
        for (replicate, moment) in moments.iter_mut().enumerate() {
            let mut lattice = Lattice::new(space(3, Neighbourhood::VonNeumann, placement), 1)?;
            lattice.found_at(
                0,
                &[[0; 3], [1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]],
                &NEVER,
            )?;
            let rng = &mut replicate_stream(170 + index as u64, replicate as u64);
            while (1..2000).contains(&lattice.total()) {
                lattice.step(rng, &[p], &mut Ladder(0.0), &NEVER)?;
            }
            for cell in lattice.cells() {
                for axis in 0..3 {
                    let x = f64::from(cell.place[axis]);
                    let next = f64::from(cell.place[(axis + 1) % 3]);
                    moment[axis] += x / lattice.total() as f64;
                    moment[axis + 3] += (x * x - next * next) / lattice.total() as f64;
                }
            }
        }
        for which in 0..6 {
            let n = runs as f64;
            let mean = moments.iter().map(|m| m[which]).sum::<f64>() / n;
            let variance =
                moments.iter().map(|m| (m[which] - mean) * (m[which] - mean)).sum::<f64>() / (n - 1.0);
            let z = mean / (variance / n).sqrt();
            assert!(z.abs() < 4.9, "{placement:?}: moment {which} is {mean}, z = {z}");
        }
    }
    Ok(())
}

#[test]
fn pushing_far_enough_every_division_succeeds() -> Result<()> {
    // Then the tumour grows like a well-mixed one: E N = N0 (1 + b dt)^steps.
    let p = StepProbabilities::new(0.1, 0.0, 1.0, || "test".into())?;
    let mut cells = Mean::default();
    for replicate in 0..2000 {
        let mut lattice = Lattice::new(space(3, Neighbourhood::Moore, Placement::Push { depth: 1000 }), 1)?;
        lattice.found(0, 10, &NEVER)?;
        let rng = &mut replicate_stream(180, replicate);
        for _ in 0..30 {
            lattice.step(rng, &[p], &mut Ladder(0.0), &NEVER)?;
        }
        cells.add(lattice.total() as f64);
    }
    // Galton and Watson: variance N0 s2 m^(t-1) (m^t - 1) / (m - 1), s2 = b dt (1 - b dt).
    let growth = libm::pow(1.1, 30.0);
    let variance = 10.0 * 0.09 * growth / 1.1 * (growth - 1.0) / 0.1;
    cells.assert("pushing without limit", 10.0 * growth, variance.sqrt(), 0.0);
    Ok(())
}

#[test]
fn the_same_seed_gives_the_same_tumour() -> Result<()> {
    let p = StepProbabilities::new(0.3, 0.1, 1.0, || "test".into())?;
    let run = |seed| -> Result<_> {
        let mut lattice = Lattice::new(Space::default(), 10)?;
        lattice.found(0, 10, &NEVER)?;
        let rng = &mut replicate_stream(seed, 0);
        for _ in 0..60 {
            lattice.step(rng, &vec![p; 100], &mut Ladder(0.01), &NEVER)?;
        }
        Ok((lattice.cells().collect::<Vec<_>>(), lattice.records().to_vec(), rng.state()))
    };
    assert_eq!(run(190)?, run(190)?);
    assert_ne!(run(190)?.0, run(191)?.0);
    Ok(())
}
