//! The `lattice` engine: cells at the sites of a 1-, 2- or 3-D lattice, at most one a site.
//!
//! # The law
//!
//! In each step every cell that lives at its start is offered exactly one event, drawn from
//! (divide, die, stay) with the probabilities of its kind, at a time of its own that is uniform
//! in the step. Events happen in the order of their times, so no cell, site or direction goes
//! first. A death frees its site at once. A division takes place if at its time the placement rule
//! finds a free site, and is lost otherwise: the cell stays, and tries again in the next step.
//! Cells born in a step are offered nothing before the next one.
//!
//! No two events share a time, so there are no ties to break. In continuous time a cell tries to
//! divide at rate `b` and dies at rate `d`; here it does so with probabilities `b dt` and `d dt`,
//! at most once a step. A second event of one cell, or an event of a newborn, within one step has
//! a probability of order `dt^2`, so that the law converges to the continuous-time rules B and C
//! with an error of order `dt`.
//!
//! # How its cost follows events
//!
//! A cell without room cannot divide whatever it draws, so only *open* cells (a superset of those
//! with room) are offered divisions: in a compact tumour a thin shell. The law above is kept to
//! the letter by one correction. When a death gives room to a closed cell, the cell's division,
//! which had not been drawn, is drawn then: it is not one of those that die in this step (they are
//! opened when drawn), so it divides with probability `b / (1 - d)`, and the rank of its time among
//! the drawn events is uniform; it acts if that rank is still to come.
//!
//! Deaths are drawn for all cells and divisions, given no death, for open cells, 64 sites at a time
//! (`coins`). The drawn events are shuffled: given the events, all orders of their times are
//! equally likely.
//!
//! # Reach
//!
//! Where nutrients and drugs reach only so far (`reach`), the chances are those of the kind in the
//! layer of the site. Candidates are drawn with the largest chances and act with their own share.
//!
//! # Space
//!
//! Blocks of 512 sites are added where cells arrive (`domain`), so the domain has no size to set
//! and no edge to meet. A site takes 2 bytes (4 when more than 65,536 clones
//! live) and 2 bits; a cell takes nothing beyond its site.

mod coins;
mod domain;
mod events;
mod geometry;
mod labels;
mod lineage;
mod outline;
mod reach;
mod register;
mod switching;

pub use geometry::{Coordinate, Mutant, Neighbourhood, Placement, Space};
pub use reach::{Exposure, Profile, Reach};

use crate::cancel::heed;
use crate::error::{Error, Result};
use crate::random::uniform;
use crate::tumour::clones::{CloneRecord, Kinds, StepProbabilities, Tally};
use crate::tumour::room::make_room;
use coins::Coins;
use core::cmp::Reverse;
use domain::{Domain, SITES, sites_of};
use events::{Event, below, shuffle};
use geometry::Geometry;
use lineage::Lineage;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};
use reach::Layers;
use register::{Born, Register};
use serde::{Deserialize, Serialize};
use std::collections::BinaryHeap;
use std::sync::atomic::AtomicBool;

/// A tumour that is larger is grown, not founded.
pub const MOST_FOUNDERS: u64 = 10_000_000;
/// From so many cells on, a step draws from a faster generator of its own, seeded by the stream.
const MANY: u64 = 4096;
/// Events whose sites are fetched from memory together.
const FETCH: usize = 32;
/// Words of 64 sites, or events, between two looks at whether to stop.
const PER_LOOK: usize = 4096;
/// What there is no room for.
const EVENTS: &str = "events of a step";

/// A cell and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located {
    /// Its place on the lattice.
    pub place: Coordinate,
    /// The id of its clone.
    pub clone: u64,
    /// Its type or genotype.
    pub kind: u32,
    /// Its layer: what reaches it, see `Lattice::exposures`.
    pub layer: u32,
}

/// Chances of one kind in one layer in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Chances {
    die: f64,
    /// Given that it does not die.
    divide: f64,
}

/// A population on a lattice.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lattice {
    space: Space,
    depth: u32,
    step: u64,
    domain: Domain,
    register: Register,
    lineage: Option<Lineage>,
    layers: Layers,
    /// `[kind][layer]`.
    chances: Vec<Chances>,
    /// Events of the step in their order, then those of cells that were opened on the way.
    events: Vec<Event>,
    scheduled: usize,
    /// (events before it, order among equals, index) of the events of cells opened on the way.
    late: BinaryHeap<Reverse<(u32, u64, u32)>>,
    /// When cells can be pushed: the event of the cell on a site, counted from 1.
    event_of: Vec<u32>,
    suspects: Vec<u32>,
    pushed: Vec<u32>,
    mutants: Vec<(u32, u64)>,
    /// Places, as events that never happen, of the mutants born in this step.
    newborn: Vec<u32>,
}

impl Lattice {
    /// An empty lattice that keeps at most `max_per_kind` clones of a kind apart.
    pub fn new(space: Space, max_per_kind: usize) -> Result<Self> {
        let depth = match space.placement {
            Placement::RandomNeighbour | Placement::AnyFree => 1,
            Placement::Push { depth: 0 } => {
                return Err(Error::input("placement.push.depth", "found 0; allowed: at least 1"));
            }
            Placement::Push { depth } => depth,
        };
        Ok(Self {
            space,
            depth,
            step: 0,
            domain: Domain::new(Geometry::new(&space)?),
            register: Register::new(max_per_kind),
            lineage: None,
            layers: Layers::new(space.nutrient, space.drug)?,
            chances: Vec::new(),
            events: Vec::new(),
            scheduled: 0,
            late: BinaryHeap::new(),
            event_of: Vec::new(),
            suspects: Vec::new(),
            pushed: Vec::new(),
            mutants: Vec::new(),
            newborn: Vec::new(),
        })
    }

    /// Put `cells` founder cells of `kind` on the free sites nearest to the origin, as one clone.
    pub fn found(&mut self, kind: u32, cells: u64, cancel: &AtomicBool) -> Result<()> {
        if cells > MOST_FOUNDERS {
            let allowed = format!("at most {MOST_FOUNDERS} founder cells");
            return Err(Error::refused(format!("initial[{kind}]"), cells, allowed));
        }
        let mut places = self.domain.geometry().ball(cells.saturating_add(self.total()), cancel)?;
        places.retain(|&place| !self.is_occupied(place));
        places.truncate(cells as usize);
        self.found_at(kind, &places, cancel)
    }

    /// Put founder cells of `kind` on `places`, as one clone.
    pub fn found_at(&mut self, kind: u32, places: &[Coordinate], cancel: &AtomicBool) -> Result<()> {
        if places.is_empty() {
            return Ok(());
        }
        let slot = self.register.create(kind, None, self.born_at(places[0]));
        for (index, &place) in places.iter().enumerate() {
            if index % PER_LOOK == 0 {
                heed(cancel)?;
            }
            self.put(slot, place)?;
        }
        self.layers.follow(&self.domain, self.total(), self.total(), cancel)
    }

    /// Put founder cells of given kinds on given places, each a clone of its own.
    pub fn found_apart(
        &mut self,
        founders: impl Iterator<Item = (u32, Coordinate)>,
        cancel: &AtomicBool,
    ) -> Result<()> {
        for (index, (kind, place)) in founders.enumerate() {
            if index % PER_LOOK == 0 {
                heed(cancel)?;
            }
            let slot = self.register.create(kind, None, self.born_at(place));
            self.put(slot, place)?;
        }
        self.layers.follow(&self.domain, self.total(), self.total(), cancel)
    }

    fn put(&mut self, slot: u32, place: Coordinate) -> Result<()> {
        let site = self.domain.site(place)?;
        if self.domain.is_occupied(site) {
            return Err(Error::input("place", format!("{place:?} is occupied already")));
        }
        self.domain.occupy(site, slot);
        self.register.gain(slot);
        if let Some(lineage) = &mut self.lineage {
            lineage.found(site, self.domain.sites())?;
        }
        Ok(())
    }

    fn born_at(&self, place: Coordinate) -> Born {
        Born { step: self.step, place }
    }

    /// What reaches the cells of each layer of the tumour, full exposure first; the layers follow
    /// the tumour from step to step. Without reach there is one layer.
    pub fn exposures(&self) -> &[Exposure] {
        self.layers.exposures()
    }

    /// How its cells live in space.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// Steps taken.
    pub fn step_index(&self) -> u64 {
        self.step
    }

    /// Living cells.
    pub fn total(&self) -> u64 {
        self.register.total()
    }

    /// Living cells of `kind`.
    pub fn count(&self, kind: u32) -> u64 {
        self.counts().get(kind as usize).copied().unwrap_or(0)
    }

    /// Living cells per kind, for the kinds met so far.
    pub fn counts(&self) -> &[u64] {
        self.register.counts()
    }

    /// Living clones of `kind`.
    pub fn clones_of(&self, kind: u32) -> usize {
        self.register.clones_of(kind)
    }

    /// Living clones, oldest first.
    pub fn records(&self) -> &[CloneRecord] {
        self.register.records()
    }

    /// Every cell with its place, in the order of memory.
    pub fn cells(&self) -> impl Iterator<Item = Located> {
        self.domain.cells().map(|site| {
            let record = self.register.record(self.domain.clone_at(site));
            let layer = self.layers.at(site) as u32;
            Located { place: self.domain.place(site), clone: record.id, kind: record.kind, layer }
        })
    }

    /// Whether there is a cell on `place`.
    pub fn is_occupied(&self, place: Coordinate) -> bool {
        self.domain.find(place).is_some_and(|site| self.domain.is_occupied(site))
    }

    /// Bytes allocated for cells, sites and the genealogy, without clones.
    pub fn bytes(&self) -> usize {
        self.domain.bytes()
            + self.layers.bytes()
            + self.lineage.as_ref().map_or(0, Lineage::bytes)
            + 4 * (self.events.capacity()
                + self.event_of.capacity()
                + self.suspects.capacity()
                + self.pushed.capacity())
    }

    fn pushes(&self) -> bool {
        self.depth > 1
    }

    /// One step of the law. `probabilities` holds those of every kind in every layer,
    /// `[kind * layers + layer]`, and must cover every living kind.
    /// After an error (no more room, or interrupted) the tumour is not to be used.
    pub fn step<R: Rng, K: Kinds>(
        &mut self,
        rng: &mut R,
        probabilities: &[StepProbabilities],
        kinds: &mut K,
        cancel: &AtomicBool,
    ) -> Result<Tally> {
        self.step += 1;
        let tally = if self.total() < MANY {
            self.act(rng, probabilities, kinds, cancel)?
        } else {
            let mut seed = [0; 32];
            rng.fill_bytes(&mut seed);
            self.act(&mut Xoshiro256PlusPlus::from_seed(seed), probabilities, kinds, cancel)?
        };
        self.register.bury(self.step);
        self.forget_lines()?;
        self.layers.follow(&self.domain, tally.divisions + tally.deaths, self.total(), cancel)?;
        Ok(tally)
    }

    fn act<R: Rng, K: Kinds>(
        &mut self,
        rng: &mut R,
        probabilities: &[StepProbabilities],
        kinds: &mut K,
        cancel: &AtomicBool,
    ) -> Result<Tally> {
        self.schedule(rng, probabilities, cancel)?;
        let mut tally = Tally::default();
        for done in 0..=self.scheduled {
            if done % FETCH == 0 {
                self.fetch(done);
            }
            if done % PER_LOOK == 0 {
                heed(cancel)?;
            }
            while let Some(&Reverse((before, _, index))) = self.late.peek() {
                if before as usize > done {
                    break;
                }
                self.late.pop();
                self.divide(rng, index as usize, kinds, &mut tally)?;
            }
            if done == self.scheduled {
                break;
            }
            if self.events[done].is_death() {
                self.die(rng, done);
                tally.deaths += 1;
            } else {
                self.divide(rng, done, kinds, &mut tally)?;
            }
        }
        for site in self.suspects.drain(..) {
            self.domain.close_if_full(site, self.depth);
        }
        self.switch(rng, kinds);
        Ok(tally)
    }

    /// Read what the next events will need, all at once: memory then answers them together
    /// instead of one by one, and most of the time of a step is waiting for memory.
    fn fetch(&self, from: usize) {
        let end = (from + FETCH).min(self.scheduled);
        let read = self.events[from..end].iter().fold(0, |read, event| read ^ self.domain.read(event.site()));
        core::hint::black_box(read);
    }

    /// Draw who acts in this step, and in which order.
    fn schedule<R: Rng>(
        &mut self,
        rng: &mut R,
        probabilities: &[StepProbabilities],
        cancel: &AtomicBool,
    ) -> Result<()> {
        self.chances.clear();
        let mut most = Chances::default();
        let mut alike = true;
        let mut first = None;
        let layers = self.layers.exposures().len();
        for (&count, of_kind) in self.register.counts().iter().zip(probabilities.chunks(layers)) {
            for &StepProbabilities { divide, die } in of_kind {
                let mut chances = Chances::default();
                if count > 0 {
                    chances = Chances { die, divide: divide / (1.0 - die) };
                    most.die = most.die.max(chances.die);
                    most.divide = most.divide.max(chances.divide);
                    alike &= chances == *first.get_or_insert(chances);
                }
                self.chances.push(chances);
            }
        }
        self.events.clear();
        let act = (most.die + most.divide) * self.total() as f64;
        make_room(&mut self.events, (act + 6.0 * libm::sqrt(act)) as usize, EVENTS)?;
        let mut deaths = Coins::new(rng, most.die);
        let mut divisions = Coins::new(rng, most.divide);
        for word in 0..self.domain.occupied().len() {
            if word % PER_LOOK == 0 {
                heed(cancel)?;
            }
            let occupied = self.domain.occupied()[word];
            if occupied == 0 {
                continue;
            }
            let mut dying = deaths.toss(rng, occupied);
            if dying != 0 {
                if !alike {
                    dying = self.thin(rng, word, dying, |chances| chances.die / most.die);
                }
                self.events.extend(sites_of(word, dying).map(|site| Event::new(site, true)));
                self.domain.open_cells(word, dying);
            }
            let mut dividing = divisions.toss(rng, self.domain.open_word(word) & !dying);
            if dividing != 0 {
                if !alike {
                    dividing = self.thin(rng, word, dividing, |chances| chances.divide / most.divide);
                }
                self.events.extend(sites_of(word, dividing).map(|site| Event::new(site, false)));
            }
        }
        shuffle(rng, &mut self.events);
        self.scheduled = self.events.len();
        if self.pushes() {
            self.follow_domain()?;
            for (index, event) in self.events.iter().enumerate() {
                self.event_of[event.site() as usize] = index as u32 + 1;
            }
        }
        Ok(())
    }

    fn follow_domain(&mut self) -> Result<()> {
        let sites = self.domain.sites();
        let more = sites - self.event_of.len();
        make_room(&mut self.event_of, more, SITES)?;
        self.event_of.resize(sites, 0);
        Ok(())
    }

    /// Keep each of the cells of a word with the probability of its kind.
    fn thin<R: Rng>(&self, rng: &mut R, word: usize, cells: u64, keep: impl Fn(Chances) -> f64) -> u64 {
        sites_of(word, cells)
            .filter(|&site| uniform(rng) < keep(self.chances_at(site)))
            .fold(0, |kept, site| kept | 1 << (site & 63))
    }

    fn chances_at(&self, site: u32) -> Chances {
        let kind = self.register.kind(self.domain.clone_at(site)) as usize;
        self.chances[kind * self.layers.exposures().len() + self.layers.at(site)]
    }

    /// The event `index` is over: the site whose cell it was.
    fn take(&mut self, index: usize) -> u32 {
        let site = self.events[index].site();
        if self.pushes() {
            self.event_of[site as usize] = 0;
        }
        site
    }

    /// A cell dies; cells that see its site have room now.
    fn die<R: Rng>(&mut self, rng: &mut R, index: usize) {
        let site = self.take(index);
        self.register.lose(self.domain.clone_at(site));
        self.domain.vacate(site);
        if !self.pushes() {
            let mut closed = self.domain.closed_directions(site);
            while closed != 0 {
                let at = self.domain.neighbour(site, closed.trailing_zeros() as usize);
                closed &= closed - 1;
                self.domain.open(at);
                self.offer_late(rng, at, index + 1);
            }
            return;
        }
        for direction in 0..self.domain.geometry().directions() {
            let mut at = site;
            for left in (0..self.depth).rev() {
                at = self.domain.neighbour(at, direction);
                if self.domain.is_closed(at) {
                    self.domain.open(at);
                    self.offer_late(rng, at, index + 1);
                }
                if left == 0 || !self.domain.is_occupied(at) {
                    break;
                }
            }
        }
    }

    /// A closed cell has room after `done` events: draw the division it had not been offered.
    fn offer_late<R: Rng>(&mut self, rng: &mut R, site: u32, done: usize) {
        let chance = self.chances_at(site).divide;
        if chance <= 0.0 || uniform(rng) >= chance {
            return;
        }
        let rank = below(rng, self.scheduled as u64 + 1).0;
        if rank < done as u64 {
            return;
        }
        self.events.push(Event::new(site, false));
        let order = rng.next_u64();
        self.late.push(Reverse((rank as u32, order, self.events.len() as u32 - 1)));
        if self.pushes() {
            self.event_of[site as usize] = self.events.len() as u32;
        }
    }

    /// A cell tries to divide.
    fn divide<R: Rng, K: Kinds>(
        &mut self,
        rng: &mut R,
        index: usize,
        kinds: &mut K,
        tally: &mut Tally,
    ) -> Result<()> {
        let site = self.take(index);
        let Some((daughter, chance)) = self.make_place(rng, site)? else {
            let full = self.space.placement == Placement::AnyFree;
            if full || !self.domain.has_room(site, self.depth) {
                self.suspects.push(site);
            }
            return Ok(());
        };
        tally.divisions += 1;
        if let Some(lineage) = &mut self.lineage {
            lineage.divide(site, daughter, self.step, self.domain.sites())?;
        }
        let clone = self.domain.clone_at(site);
        let kind = self.register.kind(clone);
        kinds.divided(kind, 1);
        let mutation = kinds.mutation_total(kind);
        if chance < mutation {
            self.mutants.clear();
            kinds.mutate(rng, kind, 1, &mut self.mutants);
            if let Some(&(into, _)) = self.mutants.first() {
                let stays = self.space.mutant == Mutant::Random && below(rng, 2).0 == 1;
                let place = self.domain.place(if stays { site } else { daughter });
                let mutant = self.register.arrive(into, clone, self.born_at(place));
                if stays {
                    self.domain.relabel(site, mutant);
                    self.domain.occupy(daughter, clone);
                } else {
                    self.domain.occupy(daughter, mutant);
                }
                return self.remember(if stays { site } else { daughter });
            }
        }
        self.register.gain(clone);
        self.domain.occupy(daughter, clone);
        Ok(())
    }

    /// A mutant was born on `site`. Should it be pushed, its event moves with it.
    fn remember(&mut self, site: u32) -> Result<()> {
        self.newborn.push(self.events.len() as u32);
        self.events.push(Event::new(site, false));
        if self.pushes() {
            self.follow_domain()?;
            self.event_of[site as usize] = self.events.len() as u32;
        }
        Ok(())
    }

    /// The site a daughter of the cell on `site` goes to, made free if need be, and a uniform
    /// number that is independent of it.
    fn make_place<R: Rng>(&mut self, rng: &mut R, site: u32) -> Result<Option<(u32, f64)>> {
        if self.space.placement == Placement::AnyFree {
            let free = self.domain.free_directions(site);
            if free == 0 {
                return Ok(None);
            }
            let (skip, chance) = below(rng, u64::from(free.count_ones()));
            let left = (0..skip).fold(free, |left, _| left & (left - 1));
            let to = self.domain.reach(site, left.trailing_zeros() as usize)?;
            return Ok(Some((to, chance)));
        }
        let (direction, chance) = below(rng, self.domain.geometry().directions() as u64);
        let direction = direction as usize;
        let Some((last, distance)) = self.domain.room(site, direction, self.depth) else {
            return Ok(None);
        };
        let free = self.domain.reach(last, direction)?;
        let to = if distance > 1 { self.push(site, direction, free)? } else { free };
        Ok(Some((to, chance)))
    }

    /// Move the cells between `site` and `free` one on, each with its event; the site made free.
    fn push(&mut self, site: u32, direction: usize, free: u32) -> Result<u32> {
        self.follow_domain()?;
        self.pushed.clear();
        let mut at = self.domain.neighbour(site, direction);
        while at != free {
            self.pushed.push(at);
            at = self.domain.neighbour(at, direction);
        }
        let mut to = free;
        while let Some(from) = self.pushed.pop() {
            self.domain.occupy(to, self.domain.clone_at(from));
            if let Some(lineage) = &mut self.lineage {
                lineage.push(from, to, self.domain.sites())?;
            }
            let event = core::mem::take(&mut self.event_of[from as usize]);
            self.event_of[to as usize] = event;
            if event > 0 {
                let moved = &mut self.events[event as usize - 1];
                *moved = Event::new(to, moved.is_death());
            }
            to = from;
        }
        Ok(to)
    }
}

#[cfg(test)]
mod tests;
