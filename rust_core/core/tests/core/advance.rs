//! A step is taken whole or not at all, whatever goes wrong in the middle of it.

use std::sync::atomic::AtomicBool;
use tumor_abm_core::cancel::NEVER;
use tumor_abm_core::tumour::cells::{Heritable, Rate};
use tumor_abm_core::tumour::choice::Choice;
use tumor_abm_core::tumour::lattice::{Placement, Profile, Reach, Space};
use tumor_abm_core::tumour::population::{Population, TypeRates};
use tumor_abm_core::{Error, Result};

fn rates(division: f64, death: f64) -> TypeRates {
    TypeRates {
        division: vec![division; 2],
        death: vec![death; 2],
        mutation: vec![vec![0.0, 0.01], vec![0.0; 2]],
        switching: vec![vec![0.0; 2]; 2],
        drug_division: None,
        drug_death: None,
    }
}

fn population(choice: &Choice, rates: TypeRates, cells: u64) -> Result<Population> {
    Population::new(rates, &[cells, 0], 1.0, choice, 5, (0, 0), &NEVER)
}

fn engines() -> [Choice; 3] {
    let space = Space {
        dimensions: 2,
        placement: Placement::Push { depth: 5 },
        nutrient: Some(Reach { length: 5.0, profile: Profile::Diffusion }),
        ..Space::default()
    };
    [
        Choice::Clones { max_clones: 100 },
        Choice::Cells { heritable: None, genealogy: true },
        Choice::Lattice { space, places: Vec::new(), max_clones: 100, genealogy: true },
    ]
}

#[test]
fn an_interrupted_step_was_never_taken() -> Result<()> {
    for choice in engines() {
        let mut one = population(&choice, rates(0.2, 0.1), 500)?;
        one.advance(7, &NEVER)?;
        let before = one.save()?;
        let refused = one.advance(3, &AtomicBool::new(true));
        assert!(matches!(refused, Err(Error::Interrupted)), "{choice:?}");
        assert!(one.save()? == before, "{choice:?}");
        // Inside a step the flag is heeded, too, which leaves the raw step broken off.
        assert!(matches!(one.step(&AtomicBool::new(true)), Err(Error::Interrupted)), "{choice:?}");
    }
    Ok(())
}

#[test]
fn steps_that_went_well_before_one_that_failed_are_kept() -> Result<()> {
    let largest = 1 << 53;
    let mut one = population(&engines()[0], rates(0.3, 0.0), largest / 20)?;
    let refused = one.advance(100, &NEVER);
    assert!(matches!(refused, Err(Error::TooManyCells { .. })));
    // A step makes three tenths more: the one that would pass the limit was not taken.
    assert!(one.total() <= largest && one.total() > largest / 3 * 2);
    let mut stepped = population(&engines()[0], rates(0.3, 0.0), largest / 20)?;
    stepped.advance(one.step_index(), &NEVER)?;
    assert!(stepped.save()? == one.save()?);
    Ok(())
}

#[test]
fn a_trait_that_is_too_fast_leaves_the_cells_as_they_were() -> Result<()> {
    let heritable = Some(Heritable { rate: Rate::Division, drift: 0.5, limit: None });
    let mut one = population(&Choice::Cells { heritable, genealogy: false }, rates(0.1, 0.05), 1_000)?;
    let refused = one.advance(10_000, &NEVER);
    assert!(matches!(refused, Err(Error::TraitTooFast { .. })), "{refused:?}");
    let before = one.save()?;
    assert!(one.advance(1, &NEVER).is_err());
    assert!(one.save()? == before);
    Ok(())
}

#[test]
fn founders_of_many_types_are_not_more_than_can_be_counted() {
    let types = 2048;
    let none = vec![vec![0.0; types]; types];
    let rates = TypeRates {
        division: vec![0.1; types],
        death: vec![0.1; types],
        mutation: none.clone(),
        switching: none,
        drug_division: None,
        drug_death: None,
    };
    // 2^53 cells of each of 2^11 types are 2^64, which a number of 64 bits takes for none.
    let refused = Population::new(rates, &vec![1 << 53; types], 1.0, &engines()[0], 1, (0, 0), &NEVER);
    assert!(refused.is_err_and(|error| error.to_string().contains("2^53 cells in all")));
}

#[test]
fn a_copy_with_a_seed_of_its_own_has_a_future_of_its_own() -> Result<()> {
    for choice in engines() {
        let mut one = population(&choice, rates(0.2, 0.1), 200)?;
        one.advance(5, &NEVER)?;
        let future = |seed: Option<u64>| -> Result<Vec<u8>> {
            let mut twin = one.clone();
            if let Some(seed) = seed {
                twin.reseed(seed);
            }
            twin.advance(20, &NEVER)?;
            twin.save()
        };
        assert!(future(None)? == future(None)?);
        assert!(future(Some(1))? == future(Some(1))?);
        assert!(future(None)? != future(Some(1))?);
        assert!(future(Some(2))? != future(Some(1))?);
    }
    Ok(())
}
