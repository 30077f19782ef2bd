//! What can be sampled of a patient whose cells are individuals beside counted ones, and how that descends from each
//! other. Clones are the counted ones, by the ids that they have among themselves.

use crate::clinic::patient::state::Patient;
use crate::error::{Error, Result};
use crate::law::CloneRecord;
use crate::table::{Column, Table};
use crate::tumour::descent::{Descent, Origin};
use crate::tumour::lineage::{ALIVE, NO_NODE};

const AXES: [&str; 3] = ["x", "y", "z"];

/// How what was sampled descends from each other.
pub struct Lines {
    /// Divisions of individuals, parents before children, and individuals: `parent`, and `day` of the division.
    pub nodes: Table,
    /// Nodes of the remembered individuals, in that order.
    pub remembered: Vec<u32>,
    /// Counted clones that live or ever lived: their `kind` and `born_day`, and from whom they come: a `parent`; a
    /// remembered individual, the `mother`; or the clone that they are the `rest` of.
    pub clones: Table,
    /// Remembered individuals that were put in, and the clone that they were of.
    pub founders: Table,
}

impl Patient {
    /// Living counted clones, and their cells.
    pub fn counted_table(&self) -> Table {
        let clones = self.state.burden.counted_records();
        let mut table = Table::default();
        table.put("clone", Column::U64(clones.iter().map(|clone| clone.id).collect()));
        table.put("kind", Column::U32(clones.iter().map(|clone| clone.kind).collect()));
        table.put("cells", Column::U64(clones.iter().map(|clone| clone.cells).collect()));
        table
    }

    /// Living individuals, and their places if they have some; `None` if their genealogy is not recorded.
    pub fn individual_table(&mut self) -> Result<Option<Table>> {
        let Some((_, tips)) = self.state.burden.genealogy()? else { return Ok(None) };
        let mut table = Table::default();
        table.put("kind", Column::U32(tips.iter().map(|tip| tip.kind).collect()));
        if let Some(lattice) = self.state.burden.lattice() {
            for (axis, name) in AXES.into_iter().enumerate().take(lattice.space().dimensions as usize) {
                table.put(name, Column::I32(lattice.cells().map(|cell| cell.place[axis]).collect()));
            }
        }
        Ok(Some(table))
    }

    /// Remember individuals by their rows in their table, whatever becomes of them; how many were remembered before.
    pub fn remember(&mut self, rows: &[u32]) -> Result<u32> {
        let Some((genealogy, tips)) = self.state.burden.genealogy()? else { return Ok(0) };
        let before = genealogy.remembered().len() as u32;
        let node = |&row: &u32| {
            let refused = || Error::refused("rows", row, format!("less than {}", tips.len()));
            tips.get(row as usize).map(|tip| tip.node).ok_or_else(refused)
        };
        let nodes = rows.iter().map(node).collect::<Result<Vec<u32>>>()?;
        self.state.burden.remember(&nodes)?;
        Ok(before)
    }

    /// How what was sampled descends from each other; `None` if that is not recorded.
    pub fn lines(&mut self) -> Result<Option<Lines>> {
        let (dt, steps_before, before) = (self.dt(), self.state.burden.steps_before(), self.days_before());
        let Some((genealogy, _)) = self.state.burden.genealogy()? else { return Ok(None) };
        let known = |number: u32| (number != NO_NODE).then_some(number);
        let divided = |step: u32| {
            // A division is in the middle of its step.
            let days = (f64::from(step) - 0.5 + steps_before as f64) * dt - before;
            if step == ALIVE { f64::NAN } else { days }
        };
        let mut nodes = Table::default();
        let all = genealogy.nodes();
        nodes.put("parent", Column::MaybeU32(all.iter().map(|node| known(node.parent)).collect()));
        nodes.put("day", Column::F64(all.iter().map(|node| divided(node.step)).collect()));
        let remembered = genealogy.remembered().to_vec();
        let Some(descent) = self.state.burden.descent() else { return Ok(None) };
        let mut founders = Table::default();
        founders.put("remembered", Column::U32(descent.founders().keys().copied().collect()));
        founders.put("clone", Column::U64(descent.founders().values().copied().collect()));
        Ok(Some(Lines { nodes, remembered, clones: self.counted_lines(descent), founders }))
    }

    /// Counted clones, and from whom they come.
    fn counted_lines(&self, descent: &Descent) -> Table {
        let dead = self.state.burden.extinct().iter().map(|clone| clone.record);
        let mut clones: Vec<CloneRecord> = dead.collect();
        clones.extend_from_slice(&self.state.burden.counted_records());
        clones.sort_unstable_by_key(|clone| clone.id);
        let origins: Vec<Option<Origin>> =
            clones.iter().map(|clone| descent.origins().get(&clone.id).copied()).collect();
        let (dt, before) = (self.dt(), self.days_before());
        let mut table = Table::default();
        table.put("clone", Column::U64(clones.iter().map(|clone| clone.id).collect()));
        table.put("kind", Column::U32(clones.iter().map(|clone| clone.kind).collect()));
        let born = clones.iter().map(|clone| clone.born_step as f64 * dt - before);
        table.put("born_day", Column::F64(born.collect()));
        table.put("origins", Column::U64(clones.iter().map(|clone| clone.origins).collect()));
        let parents = clones.iter().zip(&origins).map(|(clone, origin)| match origin {
            Some(Origin::Parent(parent)) => Some(*parent),
            _ => clone.parent,
        });
        table.put("parent", Column::MaybeU64(parents.collect()));
        let mothers = origins.iter().map(|origin| match origin {
            Some(Origin::Mother(mother)) => Some(*mother),
            _ => None,
        });
        table.put("mother", Column::MaybeU32(mothers.collect()));
        let rests = origins.iter().map(|origin| match origin {
            Some(Origin::Rest(of)) => Some(*of),
            _ => None,
        });
        table.put("rest", Column::MaybeU64(rests.collect()));
        table
    }

    /// Days of the tumour before enrolment.
    fn days_before(&self) -> f64 {
        (self.state.grown_days + self.state.enrolled_day) as f64
    }
}
