//! The clones on the lattice and how many cells each has.
//!
//! Sites name a clone by a slot that stays the same while the clone lives; the records stay
//! together, oldest first.

use super::space::Coordinate;
use crate::law::{CloneRecord, Extinct};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Slot {
    record: u32,
    kind: u32,
}

/// When and where a clone is born.
#[derive(Clone, Copy, Debug)]
pub(super) struct Born {
    pub(super) step: u64,
    pub(super) place: Coordinate,
}

/// Living clones.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Register {
    max_per_kind: usize,
    next_id: u64,
    total: u64,
    records: Vec<CloneRecord>,
    slot_of: Vec<u32>,
    slots: Vec<Slot>,
    vacant: Vec<u32>,
    of_kind: Vec<Vec<u32>>,
    counts: Vec<u64>,
    extinct: Option<Vec<Extinct>>,
    /// Empty between steps.
    #[serde(skip)]
    turned: BTreeMap<(u32, u32), u32>,
}

impl Register {
    pub(super) fn new(max_per_kind: usize) -> Self {
        Self {
            max_per_kind: max_per_kind.max(1),
            next_id: 0,
            total: 0,
            records: Vec::new(),
            slot_of: Vec::new(),
            slots: Vec::new(),
            vacant: Vec::new(),
            of_kind: Vec::new(),
            counts: Vec::new(),
            extinct: None,
            turned: BTreeMap::new(),
        }
    }

    /// Remember clones that die out from now on.
    pub(super) fn keep_extinct(&mut self) {
        self.extinct.get_or_insert_default();
    }

    /// Clones that died out, in that order, if they are remembered.
    pub(super) fn extinct(&self) -> &[Extinct] {
        self.extinct.as_deref().unwrap_or_default()
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    pub(super) fn counts(&self) -> &[u64] {
        &self.counts
    }

    pub(super) fn records(&self) -> &[CloneRecord] {
        &self.records
    }

    pub(super) fn clones_of(&self, kind: u32) -> usize {
        self.of_kind.get(kind as usize).map_or(0, Vec::len)
    }

    /// The kind of the cells in a slot.
    #[inline]
    pub(super) fn kind(&self, slot: u32) -> u32 {
        self.slots[slot as usize].kind
    }

    /// The record of a slot.
    pub(super) fn record(&self, slot: u32) -> &CloneRecord {
        &self.records[self.slots[slot as usize].record as usize]
    }

    /// A new clone without cells, the first of which is born at `born`.
    pub(super) fn create(&mut self, kind: u32, from: Option<(u64, u64)>, born: Born) -> u32 {
        let place = kind as usize;
        if self.of_kind.len() <= place {
            self.of_kind.resize_with(place + 1, Vec::new);
            self.counts.resize(place + 1, 0);
        }
        let id = self.next_id;
        self.next_id += 1;
        let entry = Slot { record: self.records.len() as u32, kind };
        let slot = if let Some(slot) = self.vacant.pop() {
            self.slots[slot as usize] = entry;
            slot
        } else {
            self.slots.push(entry);
            self.slots.len() as u32 - 1
        };
        self.of_kind[place].push(slot);
        self.slot_of.push(slot);
        self.records.push(CloneRecord {
            id,
            parent: from.map(|(parent, _)| parent),
            kind,
            born_step: born.step,
            cells: 0,
            peak: 0,
            place: Some(born.place),
            origins: 1,
            lineage: from.map_or(id, |(_, lineage)| lineage),
        });
        slot
    }

    /// A cell more in a slot.
    #[inline]
    pub(super) fn gain(&mut self, slot: u32) {
        let Slot { record, kind } = self.slots[slot as usize];
        self.records[record as usize].cells += 1;
        self.counts[kind as usize] += 1;
        self.total += 1;
    }

    /// A cell fewer in a slot.
    #[inline]
    pub(super) fn lose(&mut self, slot: u32) {
        let Slot { record, kind } = self.slots[slot as usize];
        self.records[record as usize].cells -= 1;
        self.counts[kind as usize] -= 1;
        self.total -= 1;
    }

    /// The smallest living clone of a kind (the oldest of equals), when the kind is full.
    fn merge_target(&self, kind: u32) -> Option<u32> {
        let siblings = self.of_kind.get(kind as usize)?;
        if siblings.len() < self.max_per_kind {
            return None;
        }
        let living = || siblings.iter().copied().filter(|&slot| self.record(slot).cells > 0);
        if living().count() < self.max_per_kind {
            return None;
        }
        living().min_by_key(|&slot| self.record(slot).cells)
    }

    /// A mutant of `kind` was born in the clone of `parent`; the slot it belongs to.
    pub(super) fn arrive(&mut self, kind: u32, parent: u32, born: Born) -> u32 {
        let slot = if let Some(slot) = self.merge_target(kind) {
            let record = self.slots[slot as usize].record;
            self.records[record as usize].origins += 1;
            slot
        } else {
            let parent = self.record(parent).id;
            let lineage = self.next_id;
            self.create(kind, Some((parent, lineage)), born)
        };
        self.gain(slot);
        slot
    }

    /// A cell of a slot becomes the first of a clone of its own: its new slot.
    pub(super) fn label(&mut self, slot: u32, born: Born) -> u32 {
        let (kind, parent, lineage) = (self.kind(slot), self.record(slot).id, self.next_id);
        let own = self.create(kind, Some((parent, lineage)), born);
        self.gain(own);
        self.lose(slot);
        own
    }

    /// Living clones of a kind that are kept apart.
    pub(super) fn most(&self) -> u64 {
        self.max_per_kind as u64
    }

    /// A cell of the slot `from` turned into `kind`: it stays of one lineage. Its new slot.
    pub(super) fn turn(&mut self, kind: u32, from: u32, born: Born) -> u32 {
        let slot = match self.turned.get(&(from, kind)) {
            Some(&slot) => slot,
            None => self.turn_first(kind, from, born),
        };
        self.gain(slot);
        self.lose(from);
        slot
    }

    fn turn_first(&mut self, kind: u32, from: u32, born: Born) -> u32 {
        let CloneRecord { id, lineage, .. } = *self.record(from);
        let same_lineage = self
            .of_kind
            .get(kind as usize)
            .and_then(|s| s.iter().copied().find(|&slot| self.record(slot).lineage == lineage));
        let slot = match same_lineage.or_else(|| self.merge_target(kind)) {
            Some(slot) => slot,
            None => self.create(kind, Some((id, lineage)), born),
        };
        self.turned.insert((from, kind), slot);
        slot
    }

    /// The step is over: note how large clones are, and forget those without cells.
    pub(super) fn bury(&mut self, step: u64) {
        self.turned.clear();
        let mut any_extinct = false;
        for clone in &mut self.records {
            clone.peak = clone.peak.max(clone.cells);
            any_extinct |= clone.cells == 0;
        }
        if !any_extinct {
            return;
        }
        if let Some(extinct) = &mut self.extinct {
            let dead = self.records.iter().filter(|clone| clone.cells == 0);
            extinct.extend(dead.map(|&record| Extinct { record, died_step: step }));
        }
        for siblings in &mut self.of_kind {
            siblings.clear();
        }
        let mut kept = 0;
        for index in 0..self.records.len() {
            let (clone, slot) = (self.records[index], self.slot_of[index]);
            if clone.cells == 0 {
                self.vacant.push(slot);
                continue;
            }
            self.records[kept] = clone;
            self.slot_of[kept] = slot;
            self.slots[slot as usize].record = kept as u32;
            self.of_kind[clone.kind as usize].push(slot);
            kept += 1;
        }
        self.records.truncate(kept);
        self.slot_of.truncate(kept);
    }
}
