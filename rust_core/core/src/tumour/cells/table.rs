//! Living clones: how many cells they have and had, and where they came from.

use crate::error::Result;
use crate::law::{CloneRecord, Extinct};
use crate::tumour::room::{make_room, push};
use serde::{Deserialize, Serialize};

/// What changes at every event of a clone. `peak` holds for all steps before `touched`, the last in
/// which the clone changed.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Size {
    pub(super) cells: u32,
    pub(super) peak: u32,
    pub(super) touched: u32,
}

impl Size {
    #[inline]
    pub(super) fn touch(&mut self, step: u64) {
        if self.touched != step as u32 {
            self.touched = step as u32;
            self.peak = self.peak.max(self.cells);
        }
    }
}

/// What is said of a clone once. Clones of one lineage, whose cells switched, form a ring.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) id: u64,
    pub(super) parent: Option<u64>,
    pub(super) kind: u32,
    pub(super) born_step: u64,
    pub(super) lineage: u64,
    pub(super) next_of_lineage: u32,
}

/// Living clones; the place of an extinct one is given to the next.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct CloneTable {
    pub(super) sizes: Vec<Size>,
    pub(super) about: Vec<About>,
    pub(super) free: Vec<u32>,
    pub(super) next_id: u64,
    pub(super) living_of_kind: Vec<usize>,
    pub(super) extinct: Option<Vec<Extinct>>,
}

impl CloneTable {
    /// Bytes allocated.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Size>() * self.sizes.capacity()
            + size_of::<About>() * self.about.capacity()
            + size_of::<Extinct>() * self.extinct.as_ref().map_or(0, Vec::capacity)
    }

    /// What is said of the clone in `slot`.
    pub(super) fn record(&self, slot: usize) -> CloneRecord {
        let (about, size) = (&self.about[slot], &self.sizes[slot]);
        CloneRecord {
            id: about.id,
            parent: about.parent,
            kind: about.kind,
            born_step: about.born_step,
            cells: u64::from(size.cells),
            peak: u64::from(size.peak.max(size.cells)),
            place: None,
            origins: 1,
            lineage: about.lineage,
        }
    }

    pub(super) fn create(&mut self, kind: u32, cells: u32, step: u64, parent: Option<u64>) -> Result<u32> {
        if self.free.is_empty() {
            make_room(&mut self.sizes, 1, "clones")?;
            make_room(&mut self.about, 1, "clones")?;
        }
        let id = self.next_id;
        self.next_id += 1;
        let size = Size { cells, peak: 0, touched: step as u32 };
        let mut about = About { id, parent, kind, born_step: step, lineage: id, next_of_lineage: 0 };
        if self.living_of_kind.len() <= kind as usize {
            self.living_of_kind.resize(kind as usize + 1, 0);
        }
        self.living_of_kind[kind as usize] += 1;
        if let Some(slot) = self.free.pop() {
            about.next_of_lineage = slot;
            self.sizes[slot as usize] = size;
            self.about[slot as usize] = about;
            return Ok(slot);
        }
        let slot = self.about.len() as u32;
        about.next_of_lineage = slot;
        self.sizes.push(size);
        self.about.push(about);
        Ok(slot)
    }

    #[inline]
    pub(super) fn gain(&mut self, slot: u32, step: u64) {
        let size = &mut self.sizes[slot as usize];
        size.touch(step);
        size.cells += 1;
    }

    #[inline]
    pub(super) fn lose(&mut self, slot: u32, step: u64) -> Result<()> {
        let size = &mut self.sizes[slot as usize];
        size.touch(step);
        size.cells -= 1;
        if size.cells == 0 { self.bury(slot, step) } else { Ok(()) }
    }

    #[cold]
    fn bury(&mut self, slot: u32, step: u64) -> Result<()> {
        let record = self.record(slot as usize);
        if let Some(extinct) = &mut self.extinct {
            push(extinct, Extinct { record, died_step: step }, "extinct clones")?;
        }
        let next = self.about[slot as usize].next_of_lineage;
        let mut before = next;
        while self.about[before as usize].next_of_lineage != slot {
            before = self.about[before as usize].next_of_lineage;
        }
        self.about[before as usize].next_of_lineage = next;
        self.living_of_kind[self.about[slot as usize].kind as usize] -= 1;
        push(&mut self.free, slot, "clones")
    }

    /// A cell of the clone in `slot` turned into `kind`: the clone of the same lineage it joins.
    pub(super) fn turn(&mut self, slot: u32, kind: u32, step: u64) -> Result<u32> {
        let from = self.about[slot as usize];
        let mut joined = slot;
        while self.about[joined as usize].kind != kind {
            joined = self.about[joined as usize].next_of_lineage;
            if joined == slot {
                joined = self.create(kind, 0, step, Some(from.id))?;
                let about = &mut self.about[joined as usize];
                about.lineage = from.lineage;
                about.next_of_lineage = from.next_of_lineage;
                self.about[slot as usize].next_of_lineage = joined;
                break;
            }
        }
        self.gain(joined, step);
        self.lose(slot, step)?;
        Ok(joined)
    }
}
