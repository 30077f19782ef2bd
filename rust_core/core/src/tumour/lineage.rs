//! The genealogy of cells, recorded while they divide and simplified now and then, so that memory
//! follows the living cells and not all that ever lived.

use crate::error::{Error, Result};
use crate::tumour::room::{make_room, push, room_for};
use serde::{Deserialize, Serialize};

/// No node: the parent of a founder.
pub const NO_NODE: u32 = u32::MAX;
/// The step of a node that has not divided: a living cell.
pub const ALIVE: u32 = u32::MAX;
/// Nodes below which simplifying is not worth the while.
const FEW: usize = 1 << 16;
/// What there is no room for.
const NODES: &str = "nodes of the genealogy";

/// A cell from its birth to its division, or, once simplified, a line of cells up to the division
/// from which two lines still live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// The node from whose division this one was born; it stands before this one.
    pub parent: u32,
    /// Step in which it divided, or `ALIVE`.
    pub step: u32,
    /// Divisions from the parent's to this node: 1 and those of the lines that died out.
    pub divisions: u32,
}

/// A cell of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tip {
    /// Its node.
    pub node: u32,
    /// The id of its clone.
    pub clone: u64,
    /// Its type or genotype.
    pub kind: u32,
}

/// How some living cells descend from each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree {
    /// The nodes, parents before children.
    pub nodes: Vec<Node>,
    /// Cells below every node.
    pub descendants: Vec<u32>,
    /// The cells.
    pub tips: Vec<Tip>,
}

/// All nodes that living and remembered cells descend from, parents before children.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Genealogy {
    nodes: Vec<Node>,
    remembered: Vec<u32>,
    /// A kind, and the node of a cell of it that divided in this step. Empty between steps.
    #[serde(skip)]
    mothers: Vec<(u32, u32)>,
}

impl Genealogy {
    /// A founder cell.
    pub fn found(&mut self) -> Result<u32> {
        let founder = self.nodes.len() as u32;
        push(&mut self.nodes, Node { parent: NO_NODE, step: ALIVE, divisions: 0 }, NODES)?;
        Ok(founder)
    }

    /// The nodes of the two daughters of `mother`.
    pub fn divide(&mut self, mother: u32, step: u64) -> Result<(u32, u32)> {
        make_room(&mut self.nodes, 2, NODES)?;
        self.nodes[mother as usize].step = step as u32;
        let first = self.nodes.len() as u32;
        self.nodes.extend([Node { parent: mother, step: ALIVE, divisions: 1 }; 2]);
        Ok((first, first + 1))
    }

    /// Keep the nodes of some cells, whatever becomes of them; one that divides later stays a node of its own.
    pub fn remember(&mut self, nodes: &[u32]) -> Result<()> {
        make_room(&mut self.remembered, nodes.len(), NODES)?;
        self.remembered.extend_from_slice(nodes);
        Ok(())
    }

    /// Remember the `founders` that were put in last; the number of the first among the remembered.
    pub fn remember_newest(&mut self, founders: u64) -> Result<u32> {
        let (first, end) = (self.remembered.len() as u32, self.nodes.len() as u32);
        let newest: Vec<u32> = (end - founders as u32..end).collect();
        self.remember(&newest)?;
        Ok(first)
    }

    /// `mother`, a cell of `kind` that divides in this step, stands for those of its kind until the step is over.
    pub fn note_mother(&mut self, kind: u32, mother: u32) {
        self.mothers.retain(|&(other, _)| other != kind);
        self.mothers.push((kind, mother));
    }

    /// Remember the mother that stands for a kind; her number among the remembered.
    pub fn remember_mother(&mut self, kind: u32) -> Result<Option<u32>> {
        let Some(&(_, mother)) = self.mothers.iter().find(|(other, _)| *other == kind) else {
            return Ok(None);
        };
        self.remember(&[mother])?;
        Ok(Some(self.remembered.len() as u32 - 1))
    }

    /// The step is over: no mother stands for her kind any more.
    pub fn forget_mothers(&mut self) {
        self.mothers.clear();
    }

    /// The founder from which each node descends.
    pub fn founders(&self) -> Vec<u32> {
        let mut founders: Vec<u32> = Vec::with_capacity(self.nodes.len());
        for (index, node) in self.nodes.iter().enumerate() {
            founders.push(if node.parent == NO_NODE { index as u32 } else { founders[node.parent as usize] });
        }
        founders
    }

    /// Nodes of the remembered cells, in that order.
    pub fn remembered(&self) -> &[u32] {
        &self.remembered
    }

    /// Bytes allocated.
    pub fn bytes(&self) -> usize {
        size_of::<Node>() * self.nodes.capacity() + size_of::<u32>() * self.remembered.capacity()
    }

    /// The nodes, parents before children.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The genealogy that was written down as `nodes`, parents before children.
    pub fn from_nodes(nodes: Vec<Node>) -> Result<Self> {
        let after = |(index, node): (usize, &Node)| node.parent != NO_NODE && node.parent as usize >= index;
        match nodes.iter().enumerate().find(|&entry| after(entry)) {
            Some((index, node)) => {
                Err(Error::refused("parent", node.parent, format!("a node before {index}")))
            }
            None => Ok(Self { nodes, ..Self::default() }),
        }
    }

    /// How `tips` descend from each other; the tree numbers its nodes anew.
    pub fn tree(mut self, mut tips: Vec<Tip>) -> Result<Tree> {
        self.remembered.clear();
        self.mothers.clear();
        let renamed = self.simplify(tips.iter().map(|tip| tip.node))?;
        for tip in &mut tips {
            tip.node = renamed[tip.node as usize];
        }
        let descendants = self.descendants(tips.iter().map(|tip| tip.node));
        Ok(Tree { nodes: self.nodes, descendants, tips })
    }

    /// Whether it is time to simplify, with `living` cells. A simplified genealogy has at most twice
    /// as many nodes as cells.
    pub fn is_long(&self, living: u64) -> bool {
        self.nodes.len() > FEW.max(3 * (living as usize + self.remembered.len()))
    }

    /// Living descendants of every node, itself included.
    pub fn descendants(&self, living: impl Iterator<Item = u32>) -> Vec<u32> {
        let mut descendants = vec![0; self.nodes.len()];
        living.for_each(|node| descendants[node as usize] = 1);
        for (index, node) in self.nodes.iter().enumerate().rev() {
            if node.parent != NO_NODE {
                descendants[node.parent as usize] += descendants[index];
            }
        }
        descendants
    }

    /// Keep living and remembered cells, and divisions of which both daughters have such descendants. Returns
    /// the new number of every old node that is kept.
    pub fn simplify(&mut self, living: impl Iterator<Item = u32>) -> Result<Vec<u32>> {
        // A byte and a number for each, and the nodes that are kept.
        room_for(self.nodes.len(), 5 + size_of::<Node>(), NODES)?;
        // Lines that lead to living cells, up to 2; a living cell is kept like a branching.
        let mut lines = vec![0u8; self.nodes.len()];
        let mothers = self.mothers.iter().map(|&(_, mother)| mother);
        let kept_anyway = self.remembered.iter().copied().chain(mothers);
        living.chain(kept_anyway).for_each(|node| lines[node as usize] = 2);
        for index in (0..self.nodes.len()).rev() {
            let parent = self.nodes[index].parent;
            if lines[index] > 0 && parent != NO_NODE {
                lines[parent as usize] = (lines[parent as usize] + 1).min(2);
            }
        }
        let kept = lines.iter().map(|&lines| usize::from(lines == 2)).sum();
        let mut nodes = Vec::with_capacity(kept);
        let mut renamed = vec![NO_NODE; self.nodes.len()];
        for index in 0..self.nodes.len() {
            let mut node = self.nodes[index];
            if lines[index] == 0 {
                continue;
            }
            if node.parent != NO_NODE {
                let parent = node.parent as usize;
                if lines[parent] == 2 {
                    node.parent = renamed[parent];
                } else {
                    // A line without branching: its own parent is already a kept one.
                    let Node { parent, divisions, .. } = self.nodes[parent];
                    (node.parent, node.divisions) = (parent, divisions + node.divisions);
                }
            }
            if lines[index] == 2 {
                renamed[index] = nodes.len() as u32;
                nodes.push(node);
            } else {
                self.nodes[index] = node;
            }
        }
        self.nodes = nodes;
        let mothers = self.mothers.iter_mut().map(|(_, mother)| mother);
        for node in self.remembered.iter_mut().chain(mothers) {
            *node = renamed[*node as usize];
        }
        Ok(renamed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_died_out_are_forgotten_and_their_divisions_counted() -> Result<()> {
        let mut tree = Genealogy::default();
        let founder = tree.found()?;
        let (a, b) = tree.divide(founder, 1)?;
        let (a1, a2) = tree.divide(a, 2)?;
        let (b1, b2) = tree.divide(b, 3)?;
        let (b11, b12) = tree.divide(b1, 5)?;
        // a2 and b2 died.
        let renamed = tree.simplify([a1, b11, b12].into_iter())?;
        assert_eq!([founder, a1, b1, b11, b12].map(|node| renamed[node as usize]), [0, 1, 2, 3, 4]);
        assert_eq!([a, a2, b, b2].map(|node| renamed[node as usize]), [NO_NODE; 4]);
        let node = |parent, step, divisions| Node { parent, step, divisions };
        assert_eq!(
            tree.nodes(),
            [node(NO_NODE, 1, 0), node(0, ALIVE, 2), node(0, 5, 2), node(2, ALIVE, 1), node(2, ALIVE, 1)]
        );
        assert_eq!(tree.descendants([1, 3, 4].into_iter()), [3, 1, 2, 1, 1]);
        // Only one line is left: what all cells share stays in its length.
        let renamed = tree.simplify([3].into_iter())?;
        assert_eq!(renamed[3], 0);
        assert_eq!(tree.nodes(), [node(NO_NODE, ALIVE, 3)]);
        Ok(())
    }

    #[test]
    fn a_remembered_cell_stays_after_its_death_and_after_its_division() -> Result<()> {
        let mut tree = Genealogy::default();
        let founder = tree.found()?;
        let (a, b) = tree.divide(founder, 1)?;
        tree.remember(&[a, b])?;
        let (a1, _) = tree.divide(a, 2)?;
        // The daughter a2 died, and so did b.
        let renamed = tree.simplify([a1].into_iter())?;
        assert_eq!([founder, a, b, a1].map(|node| renamed[node as usize]), [0, 1, 2, 3]);
        assert_eq!(tree.remembered(), [1, 2]);
        let node = |parent, step, divisions| Node { parent, step, divisions };
        assert_eq!(tree.nodes(), [node(NO_NODE, 1, 0), node(0, 2, 1), node(0, ALIVE, 1), node(1, ALIVE, 1)]);
        Ok(())
    }

    #[test]
    fn a_mother_stands_for_her_kind_until_the_step_is_over() -> Result<()> {
        let mut tree = Genealogy::default();
        let founder = tree.found()?;
        assert_eq!(tree.remember_newest(1)?, 0);
        let (a, b) = tree.divide(founder, 1)?;
        tree.note_mother(7, a);
        tree.note_mother(7, b);
        tree.divide(b, 2)?;
        // All die, and the genealogy is simplified before the mother is asked for.
        tree.simplify(core::iter::empty())?;
        assert_eq!(tree.remember_mother(3)?, None);
        assert_eq!(tree.remember_mother(7)?, Some(1));
        tree.forget_mothers();
        assert_eq!(tree.remember_mother(7)?, None);
        let mother = tree.remembered()[1];
        assert_eq!(tree.nodes()[mother as usize], Node { parent: 0, step: 2, divisions: 1 });
        assert_eq!(tree.founders()[mother as usize], tree.remembered()[0]);
        Ok(())
    }

    #[test]
    fn nobody_left_leaves_nothing() -> Result<()> {
        let mut tree = Genealogy::default();
        let founder = tree.found()?;
        tree.divide(founder, 1)?;
        tree.simplify(core::iter::empty())?;
        assert_eq!(tree.nodes(), []);
        Ok(())
    }
}
