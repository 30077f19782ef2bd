//! The genealogy of cells that have places, if it is recorded.

use super::Lattice;
use super::domain::{Domain, SITES};
use crate::error::Result;
use crate::tumour::clones::Extinct;
use crate::tumour::lineage::{Genealogy, Tip};
use crate::tumour::room::{make_room, room_for};
use serde::{Deserialize, Serialize};

/// The genealogy, and the node of the cell on every site.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Lineage {
    genealogy: Genealogy,
    nodes: Vec<u32>,
}

impl Lineage {
    /// The node of the cell on a site.
    fn node(&self, site: u32) -> u32 {
        self.nodes[site as usize]
    }

    /// Bytes allocated.
    pub(super) fn bytes(&self) -> usize {
        4 * self.nodes.capacity() + self.genealogy.bytes()
    }

    /// A founder was put on a site.
    pub(super) fn found(&mut self, site: u32, sites: usize) -> Result<()> {
        let node = self.genealogy.found()?;
        self.put(site, node, sites)
    }

    /// The cell on `mother` divided, and a daughter went to `daughter`.
    pub(super) fn divide(&mut self, mother: u32, daughter: u32, step: u64, sites: usize) -> Result<()> {
        let (stays, goes) = self.genealogy.divide(self.node(mother), step)?;
        self.nodes[mother as usize] = stays;
        self.put(daughter, goes, sites)
    }

    /// A cell was pushed.
    pub(super) fn push(&mut self, from: u32, to: u32, sites: usize) -> Result<()> {
        self.put(to, self.node(from), sites)
    }

    fn put(&mut self, site: u32, node: u32, sites: usize) -> Result<()> {
        if self.nodes.len() < sites {
            let more = sites - self.nodes.len();
            make_room(&mut self.nodes, more, SITES)?;
            self.nodes.resize(sites, 0);
        }
        self.nodes[site as usize] = node;
        Ok(())
    }

    /// Forget what the cells do not descend from.
    fn simplify(&mut self, domain: &Domain) -> Result<()> {
        room_for(self.nodes.len(), size_of::<u32>(), SITES)?;
        let living: Vec<u32> = domain.cells().map(|site| self.node(site)).collect();
        let renamed = self.genealogy.simplify(living.into_iter())?;
        for site in domain.cells() {
            self.nodes[site as usize] = renamed[self.node(site) as usize];
        }
        Ok(())
    }
}

impl Lattice {
    /// Record the genealogy of cells that are put in from now on.
    pub fn record_genealogy(&mut self) {
        self.lineage.get_or_insert_default();
    }

    /// The genealogy, simplified to the living cells, and these in the order of `cells`; `None` if
    /// it was not asked for.
    pub fn genealogy(&mut self) -> Result<Option<(&Genealogy, Vec<Tip>)>> {
        let Some(lineage) = &mut self.lineage else { return Ok(None) };
        lineage.simplify(&self.domain)?;
        room_for(self.register.total() as usize, size_of::<Tip>(), "cells")?;
        let Some(lineage) = &self.lineage else { return Ok(None) };
        let nodes = self.domain.cells().map(|site| lineage.node(site));
        let tips =
            nodes.zip(self.cells()).map(|(node, cell)| Tip { node, clone: cell.clone, kind: cell.kind });
        Ok(Some((&lineage.genealogy, tips.collect())))
    }

    /// Simplify the genealogy when it has become long.
    pub(super) fn forget_lines(&mut self) -> Result<()> {
        let living = self.register.total();
        match self.lineage.as_mut().filter(|lineage| lineage.genealogy.is_long(living)) {
            Some(lineage) => lineage.simplify(&self.domain),
            None => Ok(()),
        }
    }

    /// Remember clones that die out from now on.
    pub fn keep_extinct(&mut self) {
        self.register.keep_extinct();
    }

    /// Clones that died out, in that order, if they are remembered.
    pub fn extinct(&self) -> &[Extinct] {
        self.register.extinct()
    }
}
