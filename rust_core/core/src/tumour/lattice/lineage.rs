//! The genealogy of cells that have places, if it is recorded.

use super::domain::Domain;
use super::labels::SITES;
use crate::error::Result;
use crate::tumour::lineage::Genealogy;
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
    pub(super) fn node(&self, site: u32) -> u32 {
        self.nodes[site as usize]
    }

    /// Nodes and how they descend from each other.
    pub(super) fn genealogy(&self) -> &Genealogy {
        &self.genealogy
    }

    pub(super) fn genealogy_mut(&mut self) -> &mut Genealogy {
        &mut self.genealogy
    }

    /// The cell on `site` was just born: its mother stands for those of `kind`.
    pub(super) fn note_mother_of(&mut self, site: u32, kind: u32) {
        let mother = self.genealogy.nodes()[self.node(site) as usize].parent;
        self.genealogy.note_mother(kind, mother);
    }

    /// Remember cells by their nodes.
    pub(super) fn remember(&mut self, nodes: &[u32]) -> Result<()> {
        self.genealogy.remember(nodes)
    }

    /// Simplify when the genealogy has become long for so many living cells.
    pub(super) fn forget_lines(&mut self, domain: &Domain, living: u64) -> Result<()> {
        if self.genealogy.is_long(living) { self.simplify(domain) } else { Ok(()) }
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
    pub(super) fn simplify(&mut self, domain: &Domain) -> Result<()> {
        room_for(self.nodes.len(), size_of::<u32>(), SITES)?;
        let living: Vec<u32> = domain.cells().map(|site| self.node(site)).collect();
        let renamed = self.genealogy.simplify(living.into_iter())?;
        for site in domain.cells() {
            self.nodes[site as usize] = renamed[self.node(site) as usize];
        }
        Ok(())
    }
}
