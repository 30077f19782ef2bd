//! How counted clones and individuals descend from each other, where both are held.

use crate::error::Result;
use crate::random::Philox4x64;
use crate::tumour::lineage::{Genealogy, Tip};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// From whom a counted clone comes that was founded among no counted cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// A remembered individual, in whose division its first cell was born, or whose cells were counted again.
    Mother(u32),
    /// A counted clone. Of the individuals in between nothing is known any more.
    Parent(u64),
    /// It is what is left of a counted clone that had become individuals.
    Rest(u64),
}

/// What the genealogy of the individuals does not tell. Clones are counted ones.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Descent {
    /// Chooses mothers.
    pub(super) rng: Philox4x64,
    /// Of clones that have no counted parent, but for the first.
    pub(super) origins: BTreeMap<u64, Origin>,
    /// Remembered founders of the individuals, and the clones whose cells they were.
    pub(super) founders: BTreeMap<u32, u64>,
}

impl Descent {
    pub(super) fn new(rng: Philox4x64) -> Self {
        Self { rng, origins: BTreeMap::new(), founders: BTreeMap::new() }
    }

    /// Cells `withdrawn` from clones became `individuals` of `scale` cells: those put in last.
    pub(super) fn promote(
        &mut self,
        genealogy: &mut Genealogy,
        (individuals, scale): (u64, u64),
        withdrawn: &[(u64, u64)],
    ) -> Result<()> {
        let first = genealogy.remember_newest(individuals)?;
        let mut clones = withdrawn.iter();
        let (mut end, mut clone) = (0, None);
        for individual in 0..individuals {
            // An individual is of the clone that its first cell was of.
            while end <= individual * scale {
                let Some(&(next, cells)) = clones.next() else { break };
                clone = Some(next);
                end += cells;
            }
            if let Some(clone) = clone {
                self.founders.insert(first + individual as u32, clone);
            }
        }
        Ok(())
    }

    /// Mutants of individuals of `kind` are the new clone `clone`.
    pub(super) fn branch(&mut self, genealogy: &mut Genealogy, kind: u32, clone: u64) -> Result<()> {
        if let Some(mother) = genealogy.remember_mother(kind)? {
            self.origins.insert(clone, Origin::Mother(mother));
        }
        Ok(())
    }

    /// The individuals are gone, and with them their genealogy: the clone that most of those of each kind were of.
    pub(super) fn forget(&mut self, genealogy: &Genealogy, individuals: &[Tip]) -> BTreeMap<u32, u64> {
        let remembered = genealogy.remembered();
        let clone_of: BTreeMap<u32, u64> =
            self.founders.iter().map(|(&founder, &clone)| (remembered[founder as usize], clone)).collect();
        let founders = genealogy.founders();
        let of = |node: u32| clone_of.get(&founders[node as usize]).copied();
        for origin in self.origins.values_mut() {
            if let Origin::Mother(mother) = *origin
                && let Some(clone) = of(remembered[mother as usize])
            {
                *origin = Origin::Parent(clone);
            }
        }
        self.founders.clear();
        let mut numbers: BTreeMap<(u32, u64), u64> = BTreeMap::new();
        for tip in individuals {
            if let Some(clone) = of(tip.node) {
                *numbers.entry((tip.kind, clone)).or_default() += 1;
            }
        }
        let mut most: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
        for ((kind, clone), number) in numbers {
            let leading = most.entry(kind).or_insert((number, clone));
            if number > leading.0 {
                *leading = (number, clone);
            }
        }
        most.into_iter().map(|(kind, (_, clone))| (kind, clone)).collect()
    }

    /// The new clone `clone` is what is left of individuals that were of the clone `of`.
    pub(super) fn rest(&mut self, clone: u64, of: u64) {
        self.origins.insert(clone, Origin::Rest(of));
    }

    /// Of clones that have no counted parent, but for the first.
    pub fn origins(&self) -> &BTreeMap<u64, Origin> {
        &self.origins
    }

    /// Remembered founders of the individuals, and the clones whose cells they were.
    pub fn founders(&self) -> &BTreeMap<u32, u64> {
        &self.founders
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::NEVER;
    use crate::law::{CloneRecord, Kinds, StepProbabilities};
    use crate::random::{Purpose, stream};
    use crate::tumour::burden::Burden;
    use crate::tumour::choice::Choice;
    use rand::Rng;

    #[test]
    fn an_individual_is_of_the_clone_that_its_first_cell_was_of() -> Result<()> {
        let mut descent = Descent::new(stream(1, 0, Purpose::Descent, 0));
        let mut tree = Genealogy::default();
        for _ in 0..4 {
            tree.found()?;
        }
        descent.promote(&mut tree, (4, 10), &[(8, 15), (3, 25)])?;
        assert_eq!(descent.founders.values().copied().collect::<Vec<_>>(), [8, 8, 3, 3]);
        Ok(())
    }

    #[test]
    fn what_is_left_after_surgery_descends_from_the_clones_that_individuals_were_of() -> Result<()> {
        let mut descent = Descent::new(stream(1, 0, Purpose::Descent, 0));
        let mut tree = Genealogy::default();
        let (founder, other) = (tree.found()?, tree.found()?);
        descent.promote(&mut tree, (2, 10), &[(2, 10), (3, 10)])?;
        let (a, b) = tree.divide(founder, 1)?;
        tree.note_mother(5, a);
        descent.branch(&mut tree, 5, 7)?;
        assert_eq!(descent.origins[&7], Origin::Mother(2));
        let tip = |node, kind| Tip { node, clone: 0, kind };
        let led = descent.forget(&tree, &[tip(other, 5), tip(a, 5), tip(b, 5), tip(other, 6)]);
        assert_eq!(led, BTreeMap::from([(5, 2), (6, 3)]));
        assert_eq!(descent.origins[&7], Origin::Parent(2));
        assert!(descent.founders.is_empty());
        Ok(())
    }

    /// Kind 0 mutates to kind 1.
    struct Mutating;

    impl Kinds for Mutating {
        fn mutation_total(&self, kind: u32) -> f64 {
            if kind == 0 { 1e-3 } else { 0.0 }
        }

        fn mutate<R: Rng>(&mut self, _: &mut R, _: u32, mutants: u64, out: &mut Vec<(u32, u64)>) {
            out.push((1, mutants));
        }

        fn switch<R: Rng>(&mut self, _: &mut R, _: u32, _: u64, _: &mut Vec<(u32, u64)>) {}
    }

    #[test]
    fn every_clone_and_every_individual_has_an_origin_and_none_changes_the_tumour() -> Result<()> {
        let p = [StepProbabilities { divide: 0.14, die: 0.05 }; 2];
        let grown = |genealogy: bool| -> Result<Burden> {
            let rng = &mut stream(3, 0, Purpose::Replicate, 0);
            let cells = Choice::Cells { heritable: None, genealogy };
            let mut burden = Burden::new(1_000, Some((&cells, 100)))?;
            if genealogy {
                burden.record_descent(stream(3, 0, Purpose::Descent, 0));
            }
            burden.found(0, 50, &NEVER)?;
            for step in 0..160 {
                burden.step(rng, &p, &mut Mutating, &NEVER)?;
                if step == 110 {
                    burden.thin(rng, 0.3, &NEVER)?;
                }
            }
            Ok(burden)
        };
        let mut burden = grown(true)?;
        assert_eq!(burden.records(), grown(false)?.records());
        let mut clones: Vec<CloneRecord> = burden.extinct().iter().map(|clone| clone.record).collect();
        clones.extend_from_slice(&burden.counted_records());
        let descent = burden.descent().expect("it is recorded").clone();
        let (genealogy, tips) = burden.genealogy()?.expect("it is recorded");
        assert!(tips.len() > 1000);
        let kinds: BTreeMap<u64, u32> = clones.iter().map(|clone| (clone.id, clone.kind)).collect();
        let mut met = [0; 3];
        for clone in &clones {
            match descent.origins().get(&clone.id) {
                None => assert!(clone.parent.is_some() || clone.id == 0, "{clone:?}"),
                Some(Origin::Mother(mother)) => {
                    met[0] += 1;
                    let mother = genealogy.nodes()[genealogy.remembered()[*mother as usize] as usize];
                    // She divided in the step in which the clone was born; steps are counted anew after surgery.
                    assert_eq!(u64::from(mother.step) + 111, clone.born_step);
                    assert_eq!(clone.kind, 1);
                }
                Some(Origin::Parent(parent)) => {
                    met[1] += 1;
                    assert_eq!((clone.kind, kinds[parent]), (1, 0));
                }
                Some(Origin::Rest(of)) => {
                    met[2] += 1;
                    assert_eq!(clone.kind, kinds[of]);
                }
            }
        }
        assert!(met.iter().all(|&number| number > 0), "{met:?}");
        let founders = genealogy.founders();
        let known: BTreeMap<u32, u64> = descent
            .founders()
            .iter()
            .map(|(&founder, &clone)| (genealogy.remembered()[founder as usize], clone))
            .collect();
        // Nothing turns here: an individual is of the kind of the clone that its founder was of.
        assert!(tips.iter().all(|tip| kinds[&known[&founders[tip.node as usize]]] == tip.kind));
        Ok(())
    }
}
