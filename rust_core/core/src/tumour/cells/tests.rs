use super::*;
use crate::cancel::NEVER;
use crate::random::{Purpose, split, stream};

/// Two kinds: mutation and switching with the given probabilities per division and step.
struct Two {
    mutation: [[f64; 2]; 2],
    switching: [f64; 2],
}

impl Kinds for Two {
    fn mutation_total(&self, kind: u32) -> f64 {
        self.mutation[kind as usize].iter().sum()
    }

    fn mutate<R: Rng>(&mut self, rng: &mut R, kind: u32, mutants: u64, out: &mut Vec<(u32, u64)>) {
        split(rng, mutants, &self.mutation[kind as usize], |to, cells| out.push((to as u32, cells)));
    }

    fn switch<R: Rng>(&mut self, rng: &mut R, kind: u32, cells: u64, out: &mut Vec<(u32, u64)>) {
        out.push((1 - kind, binomial(rng, cells, self.switching[kind as usize])));
    }
}

const MUTATING: Two = Two { mutation: [[0.01, 0.02], [0.0, 0.01]], switching: [0.0, 0.0] };
const SWITCHING: Two = Two { mutation: [[0.01, 0.0], [0.0, 0.01]], switching: [0.02, 0.08] };
const STILL: Two = Two { mutation: [[0.0; 2]; 2], switching: [0.0; 2] };
const GROWING: StepProbabilities = StepProbabilities { divide: 0.14, die: 0.10 };

fn heritable(drift: f64) -> Heritable {
    Heritable { rate: Rate::Division, drift, limit: None }
}

fn check(cells: &Cells) {
    let records = cells.records();
    let mut held = std::collections::BTreeMap::new();
    for cell in cells.individuals() {
        *held.entry((cell.clone, cell.kind)).or_insert(0u64) += 1;
    }
    assert_eq!(held.len(), records.len());
    for clone in records.iter() {
        assert_eq!(held.get(&(clone.id, clone.kind)), Some(&clone.cells));
        assert!(clone.parent.is_none_or(|parent| parent < clone.id));
    }
    for (bucket, kind) in cells.buckets.iter().zip(0..) {
        assert_eq!(bucket.clones.len() as u64, cells.count(kind));
        let traits = if cells.heritable.is_some() { bucket.clones.len() } else { 0 };
        assert_eq!(bucket.traits.len(), traits);
        assert!(bucket.traits.iter().all(|&value| value <= bucket.highest));
        assert_eq!(records.iter().filter(|clone| clone.kind == kind).count(), cells.clones_of(kind));
    }
    assert_eq!(records.iter().map(|clone| clone.cells).sum::<u64>(), cells.total());
}

fn run(kinds: &mut Two, heritable: Option<Heritable>, start: u64, steps: u32) -> Result<Cells> {
    let mut rng = stream(1, 0, Purpose::Replicate, 0);
    let mut cells = Cells::new(heritable, false);
    cells.found(0, start, &NEVER)?;
    for _ in 0..steps {
        let before = cells.total();
        let tally = cells.step(&mut rng, &[GROWING; 2], kinds, &NEVER)?;
        assert_eq!(cells.total(), before + tally.divisions - tally.deaths);
        check(&cells);
    }
    Ok(cells)
}

#[test]
fn cells_clones_and_counts_always_agree() -> Result<()> {
    // More cells than a block holds, so that holes are closed from behind other blocks.
    let cells = run(&mut { MUTATING }, None, 20_000, 30)?;
    assert!(cells.count(1) > 100 && cells.clones_of(1) > 50);
    Ok(())
}

#[test]
fn cells_clones_and_counts_agree_with_a_trait() -> Result<()> {
    let cells = run(&mut { MUTATING }, Some(heritable(0.05)), 20_000, 30)?;
    assert!(cells.count(1) > 100);
    assert!(cells.individuals().any(|cell| cell.value > 0.0));
    Ok(())
}

#[test]
fn cells_that_switch_stay_in_their_lineage() -> Result<()> {
    for heritable in [None, Some(heritable(0.05))] {
        let cells = run(&mut { SWITCHING }, heritable, 2_000, 60)?;
        let records = cells.records();
        let mut lineages: Vec<_> = records.iter().map(|clone| (clone.lineage, clone.kind)).collect();
        lineages.sort_unstable();
        lineages.dedup();
        assert_eq!(lineages.len(), records.len(), "one clone of a lineage in each kind");
        assert!(cells.count(1) > 100);
    }
    Ok(())
}

#[test]
fn switching_alone_neither_makes_nor_loses_cells() -> Result<()> {
    let mut rng = stream(3, 0, Purpose::Replicate, 0);
    let mut cells = Cells::new(None, false);
    cells.found(0, 1_000, &NEVER)?;
    for _ in 0..50 {
        cells.step(&mut rng, &[StepProbabilities::default(); 2], &mut { SWITCHING }, &NEVER)?;
        assert_eq!(cells.total(), 1_000);
    }
    assert_eq!(cells.records().len(), 2);
    Ok(())
}

#[test]
fn extinction_leaves_an_empty_population_that_can_be_stepped() -> Result<()> {
    let mut rng = stream(2, 0, Purpose::Replicate, 0);
    for heritable in [None, Some(heritable(0.1))] {
        let mut cells = Cells::new(heritable, false);
        cells.found(0, 300, &NEVER)?;
        let p = StepProbabilities { divide: 0.0, die: 0.5 };
        for _ in 0..200 {
            cells.step(&mut rng, &[p], &mut { STILL }, &NEVER)?;
        }
        assert_eq!((cells.total(), cells.records().len(), cells.clones_of(0)), (0, 0, 0));
    }
    Ok(())
}

#[test]
fn places_of_extinct_clones_are_used_again() -> Result<()> {
    let mut rng = stream(4, 0, Purpose::Replicate, 0);
    let mut cells = Cells::new(None, false);
    cells.found(0, 1_000, &NEVER)?;
    let p = StepProbabilities { divide: 0.2, die: 0.2 };
    let mut kinds = Two { mutation: [[0.5, 0.0], [0.0; 2]], switching: [0.0; 2] };
    for _ in 0..500 {
        cells.step(&mut rng, &[p; 2], &mut kinds, &NEVER)?;
        if cells.total() == 0 {
            break;
        }
    }
    assert!(cells.table.next_id > 10 * cells.table.about.len() as u64);
    Ok(())
}

#[test]
fn the_peak_is_the_largest_number_after_any_step() -> Result<()> {
    let mut rng = stream(5, 0, Purpose::Replicate, 0);
    let mut cells = Cells::new(None, false);
    cells.found(0, 10_000, &NEVER)?;
    let mut most = 10_000;
    for step in 0..60 {
        let die = if step < 20 { 0.1 } else { 0.3 };
        cells.step(&mut rng, &[StepProbabilities { divide: 0.2, die }], &mut { STILL }, &NEVER)?;
        most = most.max(cells.total());
        assert_eq!(cells.records()[0].peak, most);
    }
    assert!(cells.total() < most / 2);
    Ok(())
}

#[test]
fn a_trait_without_drift_changes_no_rate() -> Result<()> {
    let cells = run(&mut { STILL }, Some(heritable(0.0)), 20_000, 30)?;
    assert!(cells.individuals().all(|cell| cell.value == 0.0));
    let (mean, n) = (20_000.0 * libm::pow(1.04, 30.0), cells.total() as f64);
    assert!((n / mean - 1.0).abs() < 0.05, "{n} against {mean}");
    Ok(())
}

#[test]
fn drift_selects_for_cells_that_divide_faster() -> Result<()> {
    // With more drift one seed in ten finds a cell that is too fast for the step.
    let cells = run(&mut { STILL }, Some(heritable(0.04)), 5_000, 60)?;
    let mean: f64 = cells.individuals().map(|cell| f64::from(cell.value)).sum::<f64>() / cells.total() as f64;
    // Selection moves it by b^2 drift^2 t^2 / 2 = 0.06; it would stay 0 if the trait did nothing.
    assert!(mean > 0.03, "{mean}");
    Ok(())
}

#[test]
fn a_trait_that_drifts_too_far_for_the_step_is_refused() {
    let error = run(&mut { STILL }, Some(heritable(2.0)), 1_000, 100).err();
    assert!(matches!(error, Some(Error::TraitTooFast { .. })), "{error:?}");
}

#[test]
fn more_cells_than_can_be_numbered_are_refused() {
    let refused = Cells::new(None, false).found(0, MOST_INDIVIDUALS + 1, &NEVER);
    assert!(matches!(refused, Err(Error::TooManyIndividuals { .. })));
    assert!(Cells::new(None, false).found(0, u64::MAX, &NEVER).is_err());
}

#[test]
fn choosing_is_uniform_and_without_replacement() {
    let mut rng = stream(6, 0, Purpose::Replicate, 0);
    let mut chosen = [0u32; 10];
    for _ in 0..100_000 {
        let mut bucket = Bucket { clones: (0..12).collect(), ..Bucket::default() };
        let from = bucket.choose(&mut rng, 1, 11, 3);
        assert_eq!((from, bucket.clones[0], bucket.clones[11]), (8, 0, 11));
        for &clone in &bucket.clones[from..11] {
            chosen[clone as usize - 1] += 1;
        }
        bucket.clones.sort_unstable();
        assert!(bucket.clones.iter().copied().eq(0..12));
    }
    // 30,000 each, with a standard deviation of 145.
    assert!(chosen.iter().all(|&times| times.abs_diff(30_000) < 711), "{chosen:?}");
}
