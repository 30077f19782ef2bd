//! How far nutrients and drugs reach into a tumour: every site lies in a *layer* of one exposure.
//!
//! A reach has a penetration length and a profile. By depth, a cell gets a share that falls with
//! its depth; by diffusion, the substance spreads from the outline and is taken up by living cells.
//! Depth is the distance of the middle of a cell from the outline, which runs along the faces of
//! the outermost cells: they are half a site deep, whatever the profile. Shares are rounded to 64ths, so that cells fall into
//! few layers, and rates are computed once for each.

use super::domain::Domain;
use super::field::diffuse;
use super::outline::Outline;
use super::space::{Profile, Reach};
use crate::bounds::Bounded;
use crate::cancel::heed;
use crate::error::Result;
use crate::law::Exposure;
use serde::{Deserialize, Serialize};
use std::sync::atomic::AtomicBool;

impl Reach {
    fn share(self, depth: f64) -> f64 {
        match self.profile {
            Profile::Exponential | Profile::Diffusion => libm::exp(-depth / self.length),
            Profile::Linear => (1.0 - depth / self.length).max(0.0),
        }
    }
}

/// Shares are rounded to multiples of 1 / FINEST.
const FINEST: u16 = 63;
/// Layers are found anew when this share of the cells has been born or has died.
const STALE: u64 = 32;

/// The layer of every site.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Layers {
    nutrient: Option<Reach>,
    drug: Option<Reach>,
    exposures: Vec<Exposure>,
    /// Empty without reach; sites beyond its end are in layer 0.
    of_site: Vec<u16>,
    changes: u64,
}

impl Layers {
    pub(super) fn new(nutrient: Option<Reach>, drug: Option<Reach>) -> Result<Self> {
        for (name, reach) in [("nutrient", nutrient), ("drug", drug)] {
            if let Some(reach) = reach {
                reach.within_bounds(&format!("space.{name}"))?;
            }
        }
        Ok(Self { nutrient, drug, exposures: vec![Exposure::FULL], of_site: Vec::new(), changes: 0 })
    }

    /// What reaches the cells of each layer; full exposure first.
    pub(super) fn exposures(&self) -> &[Exposure] {
        &self.exposures
    }

    /// The layer of a site.
    #[inline]
    pub(super) fn at(&self, site: u32) -> usize {
        self.of_site.get(site as usize).map_or(0, |&layer| usize::from(layer))
    }

    /// Bytes allocated.
    pub(super) fn bytes(&self) -> usize {
        2 * self.of_site.capacity()
    }

    /// So many cells were born or died: find the layers anew once that makes a difference.
    pub(super) fn follow(
        &mut self,
        domain: &Domain,
        changes: u64,
        cells: u64,
        cancel: &AtomicBool,
    ) -> Result<()> {
        if self.nutrient.is_none() && self.drug.is_none() {
            return Ok(());
        }
        self.changes += changes;
        if cells == 0 || self.changes == 0 || self.changes.saturating_mul(STALE) < cells {
            return Ok(());
        }
        self.changes = 0;
        self.find(domain, cancel)
    }

    fn find(&mut self, domain: &Domain, cancel: &AtomicBool) -> Result<()> {
        let outline = Outline::new(domain, cancel)?;
        heed(cancel)?;
        let by_depth = |reach: Option<Reach>| reach.is_some_and(|reach| reach.profile != Profile::Diffusion);
        let depths =
            if by_depth(self.nutrient) || by_depth(self.drug) { outline.depths(cancel)? } else { Vec::new() };
        heed(cancel)?;
        let field = |reach: Option<Reach>, now: fn(&Exposure) -> f64| match reach {
            None => Ok(Vec::new()),
            Some(Reach { length, profile: Profile::Diffusion }) => {
                // The field before this one is close: start there.
                let shares: Vec<f32> = self.exposures.iter().map(|exposure| now(exposure) as f32).collect();
                diffuse(&outline, length, &outline.gather(domain, |site| shares[self.at(site)]), cancel)
            }
            Some(reach) => Ok(depths.iter().map(|&depth| reach.share(f64::from(depth)) as f32).collect()),
        };
        let nutrient = field(self.nutrient, |exposure| exposure.nutrient)?;
        let drug = field(self.drug, |exposure| exposure.drug)?;
        let level = |field: &[f32], index: usize| {
            field.get(index).map_or(FINEST, |&share| (share * f32::from(FINEST) + 0.5) as u16)
        };
        // Which layer a pair of levels is, counted from 1; full exposure is the first.
        let levels = usize::from(FINEST) + 1;
        let mut known = vec![0u16; levels * levels];
        known[levels * levels - 1] = 1;
        let exposures = &mut self.exposures;
        exposures.truncate(1);
        self.of_site.clear();
        self.of_site.resize(domain.sites(), 0);
        let of_site = &mut self.of_site;
        for (site, index) in outline.rows_of(domain).flat_map(|(sites, start)| sites.zip(start..)) {
            let (n, d) = (level(&nutrient, index), level(&drug, index));
            let layer = &mut known[usize::from(n) * levels + usize::from(d)];
            if *layer == 0 {
                let share = |level: u16| f64::from(level) / f64::from(FINEST);
                exposures.push(Exposure { nutrient: share(n), drug: share(d) });
                *layer = exposures.len() as u16;
            }
            of_site[site as usize] = *layer - 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::NEVER;
    use crate::law::{Kinds, StepProbabilities};
    use crate::random::{Purpose, stream};
    use crate::tumour::engine::Engine;
    use crate::tumour::lattice::{Lattice, Space};
    use rand::Rng;

    struct Silent;

    impl Kinds for Silent {
        fn mutation_total(&self, _: u32) -> f64 {
            0.0
        }
        fn mutate<R: Rng>(&mut self, _: &mut R, _: u32, _: u64, _: &mut Vec<(u32, u64)>) {}
        fn switch<R: Rng>(&mut self, _: &mut R, _: u32, _: u64, _: &mut Vec<(u32, u64)>) {}
    }

    fn slab(drug: Reach) -> Lattice {
        let space = Space { dimensions: 2, width: Some(512), drug: Some(drug), ..Space::default() };
        let places: Vec<_> = (0..24).flat_map(|x| (0..512).map(move |y| [x, y, 0])).collect();
        let mut lattice = Lattice::new(space, 1).unwrap();
        lattice.found_at(0, &places, &NEVER).unwrap();
        lattice
    }

    #[test]
    fn shares_fall_with_depth_as_the_profile_says() {
        for profile in [Profile::Exponential, Profile::Linear] {
            let reach = Reach { length: 5.0, profile };
            let lattice = slab(reach);
            for cell in lattice.cells() {
                let [x, ..] = cell.place;
                let expected = reach.share(f64::from(x.min(23 - x)) + 0.5);
                let Exposure { nutrient, drug } = lattice.exposures()[cell.layer as usize];
                assert!((drug - expected).abs() < 0.5 / f64::from(FINEST) + 1e-6);
                assert!((nutrient - 1.0).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn profiles_agree_on_where_depth_begins() {
        // Below the flat surface of a thick slab, diffusion with uptake is the exponential profile.
        let shares = |profile| {
            let lattice = slab(Reach { length: 2.0, profile });
            lattice.cells().map(|cell| lattice.exposures()[cell.layer as usize].drug).collect::<Vec<_>>()
        };
        let (by_depth, by_diffusion) = (shares(Profile::Exponential), shares(Profile::Diffusion));
        for (depth, diffusion) in by_depth.into_iter().zip(by_diffusion) {
            // Each is rounded to a layer, and from the other side of the slab comes exp(-23 / 2) at most.
            assert!((depth - diffusion).abs() < 1.01 / f64::from(FINEST), "{depth} {diffusion}");
        }
    }

    #[test]
    fn cells_die_as_often_as_the_drug_that_reaches_them_says() {
        let p = |divide, die| StepProbabilities { divide, die };
        let (without, with) = (p(0.0, 0.02), p(0.0, 0.4));
        let start = slab(Reach { length: 4.0, profile: Profile::Exponential });
        let table: Vec<_> = start.exposures().iter().map(|exposure| exposure.mix(without, with)).collect();
        let mut deaths = [0.0; 24];
        let runs = 40;
        for run in 0..runs {
            let mut lattice = start.clone();
            lattice.step(&mut stream(31, run, Purpose::Replicate, 0), &table, &mut Silent, &NEVER).unwrap();
            for (x, deaths) in (0..24).zip(&mut deaths) {
                *deaths += (0..512).filter(|&y| !lattice.is_occupied([x, y, 0])).count() as f64;
            }
        }
        for (x, found) in (0..).zip(deaths) {
            let share = start.exposures()[start.layers.at(start.domain.find([x, 0, 0]).unwrap())];
            let chance = share.mix(without, with).die;
            let cells = 512.0 * runs as f64;
            let sd = (cells * chance * (1.0 - chance)).sqrt();
            assert!((found - cells * chance).abs() < 4.9 * sd, "{x}: {found}, {}", cells * chance);
        }
    }

    #[test]
    fn reach_that_stays_full_changes_nothing() {
        let p = [StepProbabilities { divide: 0.2, die: 0.1 }];
        let run = |drug| {
            let mut lattice = Lattice::new(Space { drug, ..Space::default() }, 1).unwrap();
            lattice.found(0, 500, &NEVER).unwrap();
            let rng = &mut stream(32, 0, Purpose::Replicate, 0);
            for _ in 0..30 {
                let table = vec![p[0]; lattice.exposures().len()];
                lattice.step(rng, &table, &mut Silent, &NEVER).unwrap();
            }
            lattice.cells().map(|cell| cell.place).collect::<Vec<_>>()
        };
        let reach = |length| Some(Reach { length, profile: Profile::Diffusion });
        assert_eq!(run(None), run(reach(3.0)));
    }
}
