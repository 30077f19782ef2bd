//! One step of the law on a lattice.

use super::coins::Coins;
use super::domain::sites_of;
use super::events::{Event, below, shuffle};
use super::labels::SITES;
use super::space::{Mutant, Placement};
use super::tissue::{Chances, Lattice, PER_LOOK};
use crate::cancel::heed;
use crate::error::Result;
use crate::law::{Kinds, StepProbabilities, Tally};
use crate::random::uniform;
use crate::tumour::room::make_room;
use core::cmp::Reverse;
use rand::Rng;
use std::sync::atomic::AtomicBool;

/// Events whose sites are fetched from memory together.
const FETCH: usize = 32;
/// What there is no room for.
const EVENTS: &str = "events of a step";

impl Lattice {
    pub(super) fn act<R: Rng, K: Kinds>(
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
        let act = (most.die + most.divide) * self.register.total() as f64;
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
        if kinds.divided(kind, 1)
            && let Some(lineage) = &mut self.lineage
        {
            lineage.note_mother_of(daughter, kind);
        }
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
