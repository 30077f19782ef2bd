//! Cells that turn reversibly into another kind where they stand.

use super::domain::sites_of;
use super::events::below;
use super::tissue::Lattice;
use crate::law::Kinds;
use rand::Rng;

/// Cells of one kind that are about to turn into others.
#[derive(Clone, Debug, Default)]
struct Turning {
    left: u64,
    needed: u64,
    targets: Vec<(u32, u64)>,
}

impl Lattice {
    /// Reversible turns: as many cells of every kind as are drawn, chosen uniformly. Mutants born in
    /// this step wait for the next, as in the other engines.
    pub(super) fn switch<R: Rng, K: Kinds>(&mut self, rng: &mut R, kinds: &mut K) {
        let mut newborn: Vec<u32> =
            self.newborn.drain(..).map(|index| self.events[index as usize].site()).collect();
        newborn.sort_unstable();
        let mut counts = self.register.counts().to_vec();
        for &site in &newborn {
            counts[self.register.kind(self.domain.clone_at(site)) as usize] -= 1;
            if self.pushes() {
                self.event_of[site as usize] = 0;
            }
        }
        let mut turning = Vec::new();
        for (kind, left) in counts.into_iter().enumerate() {
            let mut targets = Vec::new();
            if left > 0 {
                kinds.switch(rng, kind as u32, left, &mut targets);
            }
            let needed = targets.iter().map(|&(_, cells)| cells).sum();
            turning.push(Turning { left, needed, targets });
        }
        let mut needed: u64 = turning.iter().map(|turning| turning.needed).sum();
        for word in 0..self.domain.occupied().len() {
            if needed == 0 {
                return;
            }
            for site in sites_of(word, self.domain.occupied()[word]) {
                let clone = self.domain.clone_at(site);
                let turning = &mut turning[self.register.kind(clone) as usize];
                if turning.needed == 0 || newborn.binary_search(&site).is_ok() {
                    continue;
                }
                // Knuth's selection sampling: each of the cells left is as likely as the others.
                let mut rank = below(rng, turning.left).0;
                turning.left -= 1;
                if rank >= turning.needed {
                    continue;
                }
                turning.needed -= 1;
                needed -= 1;
                for (kind, cells) in &mut turning.targets {
                    if rank < *cells {
                        *cells -= 1;
                        let born = self.born_at(self.domain.place(site));
                        self.domain.relabel(site, self.register.turn(*kind, clone, born));
                        break;
                    }
                    rank -= *cells;
                }
            }
        }
    }
}
