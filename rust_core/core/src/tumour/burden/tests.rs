//! The tumour of a patient: counted cells and individuals follow one law.

use super::*;
use crate::cancel::NEVER;
use crate::random::{Purpose, stream};
use crate::tumour::descent::Origin;
use crate::tumour::lattice::Space;
use crate::tumour::lineage::ALIVE;

/// Kind 0 mutates to kind 1.
struct Mutating(f64);

impl Kinds for Mutating {
    fn mutation_total(&self, kind: u32) -> f64 {
        if kind == 0 { self.0 } else { 0.0 }
    }

    fn mutate<R: Rng>(&mut self, _: &mut R, _: u32, mutants: u64, out: &mut Vec<(u32, u64)>) {
        out.push((1, mutants));
    }

    fn switch<R: Rng>(&mut self, _: &mut R, _: u32, _: u64, _: &mut Vec<(u32, u64)>) {}
}

const CELLS: Choice = Choice::Cells { heritable: None, genealogy: false };

/// Kinds 0 and 1 after growth from one cell to `size`, over replicates that did not die out.
fn grown(individuals: Option<u64>, size: u64, replicates: u64) -> Result<Vec<[f64; 3]>> {
    let p = [StepProbabilities { divide: 0.1, die: 0.05 }; 2];
    let mut found = Vec::new();
    for replicate in 0.. {
        let rng = &mut stream(20_260_417, replicate, Purpose::Replicate, 0);
        let mut burden = Burden::new(1, individuals.map(|scale| (&CELLS, scale)))?;
        burden.found(0, 1, &NEVER)?;
        let mut steps = 0u32;
        while burden.total() > 0 && burden.total() < size {
            burden.step(rng, &p, &mut Mutating(1e-3), &NEVER)?;
            steps += 1;
        }
        if burden.total() > 0 {
            let mutants = burden.counts().get(1).copied().unwrap_or(0) as f64;
            let scale = individuals.unwrap_or(1) as f64;
            found.push([f64::from(steps), libm::log1p(mutants), f64::from(mutants < scale)]);
        }
        if found.len() as u64 == replicates {
            break;
        }
    }
    Ok(found)
}

/// Two means differ by less than 4.9 standard errors: alpha = 1e-6.
fn alike(one: &[[f64; 3]], other: &[[f64; 3]], what: usize) {
    let moments = |sample: &[[f64; 3]]| {
        let n = sample.len() as f64;
        let mean = sample.iter().map(|x| x[what]).sum::<f64>() / n;
        let variance = sample.iter().map(|x| (x[what] - mean) * (x[what] - mean)).sum::<f64>() / (n - 1.0);
        (mean, variance / n)
    };
    let ((a, va), (b, vb)) = (moments(one), moments(other));
    assert!((a - b).abs() < 4.9 * libm::sqrt(va + vb), "{a} and {b}, variances {va} and {vb}");
}

#[test]
fn individuals_of_one_cell_follow_the_law_of_counts() -> Result<()> {
    let (counted, held) = (grown(None, 2000, 400)?, grown(Some(1), 2000, 400)?);
    alike(&counted, &held, 0);
    alike(&counted, &held, 1);
    Ok(())
}

#[test]
fn the_time_to_a_size_and_the_supply_of_mutants_do_not_depend_on_the_scale() -> Result<()> {
    let (counted, held) = (grown(None, 100_000, 300)?, grown(Some(500), 100_000, 300)?);
    alike(&counted, &held, 0);
    alike(&counted, &held, 1);
    Ok(())
}

/// What a treatment leaves of 1e6 cells, and kinds that were lost, over replicates.
fn left(individuals: Option<u64>, steps: u32, replicates: u64) -> Result<Vec<[f64; 3]>> {
    let p = [StepProbabilities { divide: 0.05, die: 0.15 }; 2];
    (0..replicates)
        .map(|replicate| {
            let rng = &mut stream(20_261_130, replicate, Purpose::Replicate, 0);
            let mut burden = Burden::new(1, individuals.map(|scale| (&CELLS, scale)))?;
            burden.found(0, 1_000_000, &NEVER)?;
            for _ in 0..steps {
                burden.step(rng, &p, &mut Mutating(0.0), &NEVER)?;
            }
            let cells = burden.total() as f64;
            Ok([cells, cells * cells, f64::from(burden.total() == 0)])
        })
        .collect()
}

#[test]
fn what_a_treatment_leaves_does_not_depend_on_the_scale() -> Result<()> {
    // 1e6 cells fall to 5,154, which fewer than three individuals hold, and to 27.
    for steps in [50, 100] {
        let (counted, held) = (left(None, steps, 200)?, left(Some(2_000), steps, 200)?);
        alike(&counted, &held, 0);
    }
    // Where single cells decide, the chance that none is left is that of single cells.
    let (counted, held) = (left(None, 130, 300)?, left(Some(2_000), 130, 300)?);
    alike(&counted, &held, 2);
    let cured = |sample: &[[f64; 3]]| sample.iter().map(|x| x[2]).sum::<f64>() / sample.len() as f64;
    assert!(cured(&counted) > 0.1 && cured(&counted) < 0.9, "{}", cured(&counted));
    Ok(())
}

#[test]
fn few_individuals_are_counted_and_come_back_when_they_are_many() -> Result<()> {
    let lattice =
        Choice::Lattice { space: Space::default(), places: Vec::new(), max_clones: 100, genealogy: false };
    for choice in [&CELLS, &lattice] {
        let rng = &mut stream(5, 0, Purpose::Replicate, 0);
        let mut burden = Burden::new(1, Some((choice, 1_000)))?;
        burden.found(0, 200_000, &NEVER)?;
        let none = [StepProbabilities { divide: 0.0, die: 0.0 }; 2];
        burden.step(rng, &none, &mut Mutating(0.0), &NEVER)?;
        assert_eq!((burden.total(), burden.items()), (200_000, 200));
        let falling = [StepProbabilities { divide: 0.0, die: 0.3 }; 2];
        while burden.total() > 40_000 {
            burden.step(rng, &falling, &mut Mutating(0.0), &NEVER)?;
        }
        assert_eq!(burden.items(), 1); // one counted clone
        let before = burden.total();
        burden.step(rng, &falling, &mut Mutating(0.0), &NEVER)?;
        assert_ne!(burden.total() % 1_000, 0, "cells die one by one now");
        assert!(burden.total() < before);
        let rising = [StepProbabilities { divide: 0.3, die: 0.0 }; 2];
        while burden.total() < 120_000 {
            burden.step(rng, &rising, &mut Mutating(0.0), &NEVER)?;
        }
        assert!(burden.items() > 100);
    }
    Ok(())
}

#[test]
fn what_is_counted_again_descends_from_an_individual() -> Result<()> {
    let rng = &mut stream(7, 0, Purpose::Replicate, 0);
    let cells = Choice::Cells { heritable: None, genealogy: true };
    let mut burden = Burden::new(100, Some((&cells, 1_000)))?;
    burden.record_descent(stream(7, 0, Purpose::Descent, 0));
    burden.found(0, 200_000, &NEVER)?;
    let falling = [StepProbabilities { divide: 0.05, die: 0.3 }; 2];
    burden.step(rng, &falling, &mut Mutating(0.0), &NEVER)?;
    assert!(burden.items() > 100, "they are individuals");
    while burden.items() > 1 {
        burden.step(rng, &falling, &mut Mutating(0.0), &NEVER)?;
    }
    let left = burden.counted_records()[0];
    let origin = burden.descent().and_then(|descent| descent.origins().get(&left.id).copied());
    let Some(Origin::Mother(mother)) = origin else { panic!("{origin:?}") };
    let (genealogy, tips) = burden.genealogy()?.expect("it is recorded");
    assert!(tips.is_empty());
    let node = genealogy.nodes()[genealogy.remembered()[mother as usize] as usize];
    assert_eq!(node.step, ALIVE, "it did not divide, it is counted");
    Ok(())
}

#[test]
fn counts_records_and_total_agree() -> Result<()> {
    let p = [StepProbabilities { divide: 0.14, die: 0.05 }; 2];
    let rng = &mut stream(3, 0, Purpose::Replicate, 0);
    let mut burden = Burden::new(1, Some((&CELLS, 100)))?;
    burden.found(0, 50, &NEVER)?;
    for _ in 0..120 {
        burden.step(rng, &p, &mut Mutating(1e-3), &NEVER)?;
        let sum: u64 = burden.records().iter().map(|clone| clone.cells).sum();
        assert_eq!(sum, burden.total());
        assert_eq!(burden.counts().iter().sum::<u64>(), burden.total());
    }
    assert!(burden.total() > 100_000);
    burden.thin(rng, 1e-2, &NEVER)?;
    assert!(burden.total() > 500 && burden.total() < burden.scale() * 1_000_000);
    Ok(())
}
