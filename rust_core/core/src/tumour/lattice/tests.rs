//! The law of one step against its enumeration, and what must hold after every step.

use super::events::below;
use super::*;
use crate::cancel::NEVER;
use crate::error::Result;
use crate::law::{Kinds, StepProbabilities};
use crate::random::{Purpose, stream};
use crate::tumour::engine::Engine;
use rand::Rng;
use std::collections::{BTreeMap, BTreeSet};

/// Kinds 0 and 1; a division of kind 0 makes a cell of kind 1 with probability `mutation`.
struct Two {
    mutation: f64,
    /// Probability per step that a cell of kind 0 turns into kind 1, and back.
    turn: f64,
}

impl Kinds for Two {
    fn mutation_total(&self, kind: u32) -> f64 {
        if kind == 0 { self.mutation } else { 0.0 }
    }

    fn mutate<R: Rng>(&mut self, _: &mut R, _: u32, mutants: u64, out: &mut Vec<(u32, u64)>) {
        out.push((1, mutants));
    }

    fn switch<R: Rng>(&mut self, rng: &mut R, kind: u32, cells: u64, out: &mut Vec<(u32, u64)>) {
        let turning = crate::random::binomial(rng, cells, self.turn);
        if turning > 0 {
            out.push((1 - kind, turning));
        }
    }
}

const P: [StepProbabilities; 2] =
    [StepProbabilities { divide: 0.25, die: 0.15 }, StepProbabilities { divide: 0.1, die: 0.3 }];

fn space(dimensions: u32, neighbourhood: Neighbourhood, placement: Placement) -> Space {
    Space { dimensions, neighbourhood, placement, ..Space::default() }
}

/// One cell of the enumeration: its place, its kind, whether it still has its event.
type State = Vec<(Coordinate, u32, Option<bool>)>;
type Outcomes = BTreeMap<Vec<(Coordinate, u32)>, f64>;

/// The law, read aloud: every history of one step with its probability.
struct Enumeration {
    space: Space,
    directions: Vec<Coordinate>,
    mutation: f64,
    outcomes: Outcomes,
}

impl Enumeration {
    fn new(space: Space, mutation: f64) -> Self {
        let moore = space.neighbourhood == Neighbourhood::Moore;
        let span = |axis| if axis < space.dimensions { -1..=1 } else { 0..=0 };
        let mut directions = Vec::new();
        for x in span(0) {
            for y in span(1) {
                for z in span(2) {
                    let moved = [x, y, z].iter().filter(|&&d| d != 0).count();
                    if moved == 1 || moore && moved > 1 {
                        directions.push([x, y, z]);
                    }
                }
            }
        }
        Self { space, directions, mutation, outcomes: BTreeMap::new() }
    }

    /// Draw the events of the cells from `index` on.
    fn draw(&mut self, mut state: State, index: usize, probability: f64) {
        let Some(&(_, kind, _)) = state.get(index) else {
            return self.act(&state, probability);
        };
        let StepProbabilities { divide, die } = P[kind as usize];
        for (event, chance) in [(None, 1.0 - divide - die), (Some(true), die), (Some(false), divide)] {
            state[index].2 = event;
            self.draw(state.clone(), index + 1, probability * chance);
        }
    }

    /// Any cell that still has an event may be the next.
    fn act(&mut self, state: &State, probability: f64) {
        let waiting: Vec<usize> = (0..state.len()).filter(|&i| state[i].2.is_some()).collect();
        if waiting.is_empty() {
            let mut key: Vec<_> = state.iter().map(|&(place, kind, _)| (place, kind)).collect();
            key.sort_unstable();
            *self.outcomes.entry(key).or_default() += probability;
        }
        for &next in &waiting {
            let share = probability / waiting.len() as f64;
            let mut after = state.clone();
            if after[next].2.take() == Some(true) {
                after.swap_remove(next);
                self.act(&after, share);
            } else {
                self.divide(&after, next, share);
            }
        }
    }

    fn divide(&mut self, state: &State, mother: usize, probability: f64) {
        let at = |from: Coordinate, by: Coordinate| [0, 1, 2].map(|axis| from[axis] + by[axis]);
        let cell_on = |place| state.iter().position(|cell| cell.0 == place);
        let place = state[mother].0;
        let free = || {
            self.directions.iter().copied().filter(|&d| cell_on(at(place, d)).is_none()).collect::<Vec<_>>()
        };
        let depth = if let Placement::Push { depth } = self.space.placement { depth } else { 1 };
        let choices =
            if self.space.placement == Placement::AnyFree { free() } else { self.directions.clone() };
        if choices.is_empty() {
            return self.act(state, probability);
        }
        let share = probability / choices.len() as f64;
        for direction in choices {
            let mut chain = Vec::new();
            let mut to = at(place, direction);
            while let Some(cell) = cell_on(to) {
                chain.push(cell);
                to = at(to, direction);
            }
            if chain.len() as u32 >= depth {
                self.act(state, share);
                continue;
            }
            let mut after = state.clone();
            for cell in chain {
                after[cell].0 = at(after[cell].0, direction);
            }
            let kind = after[mother].1;
            after.push((at(place, direction), kind, None));
            let mutation = if kind == 0 { self.mutation } else { 0.0 };
            self.act(&after, share * (1.0 - mutation));
            if mutation > 0.0 {
                for (mutant, weight) in [(after.len() - 1, 0.5), (mother, 0.5)] {
                    let weight = match self.space.mutant {
                        Mutant::Random => weight,
                        Mutant::Placed => f64::from(u8::from(mutant != mother)),
                    };
                    let mut mutated = after.clone();
                    mutated[mutant].1 = 1;
                    if weight > 0.0 {
                        self.act(&mutated, share * mutation * weight);
                    }
                }
            }
        }
    }
}

/// Upper point of the chi-square law at alpha = 1e-6 (Wilson and Hilferty 1931).
fn chi_square_limit(df: f64) -> f64 {
    df * libm::pow(1.0 - 2.0 / (9.0 * df) + 4.753 * (2.0 / (9.0 * df)).sqrt(), 3.0)
}

fn assert_law_of_a_step(
    space: Space,
    founders: &[(Coordinate, u32)],
    mutation: f64,
    seed: u64,
) -> Result<()> {
    let mut law = Enumeration::new(space, mutation);
    law.draw(founders.iter().map(|&(place, kind)| (place, kind, None)).collect(), 0, 1.0);
    let total: f64 = law.outcomes.values().sum();
    assert!((total - 1.0).abs() < 1e-9, "{total}");

    let mut start = Lattice::new(space, 100)?;
    for &(place, kind) in founders {
        start.found_at(kind, &[place], &NEVER)?;
    }
    // Cells without room are closed, as they would be after a step.
    let all: Vec<u32> = start.domain.cells().collect();
    for site in all {
        start.domain.close_if_full(site, start.depth);
    }
    let rng = &mut stream(seed, 0, Purpose::Replicate, 0);
    let samples = 200_000;
    let mut seen = Outcomes::new();
    for _ in 0..samples {
        let mut lattice = start.clone();
        lattice.step(rng, &P, &mut Two { mutation, turn: 0.0 }, &NEVER)?;
        let mut key: Vec<_> = lattice.cells().map(|cell| (cell.place, cell.kind)).collect();
        key.sort_unstable();
        *seen.entry(key).or_default() += 1.0;
    }
    assert!(seen.keys().all(|key| law.outcomes.contains_key(key)), "an outcome that cannot be");
    let (mut chi, mut cells, mut rest) = (0.0, 0.0, (0.0, 0.0));
    for (key, probability) in &law.outcomes {
        let expected = probability * f64::from(samples);
        let found = seen.get(key).copied().unwrap_or(0.0);
        if expected < 5.0 {
            rest = (rest.0 + expected, rest.1 + found);
        } else {
            chi += (found - expected) * (found - expected) / expected;
            cells += 1.0;
        }
    }
    if rest.0 > 5.0 {
        chi += (rest.1 - rest.0) * (rest.1 - rest.0) / rest.0;
        cells += 1.0;
    }
    assert!(cells > 10.0 && chi < chi_square_limit(cells - 1.0), "chi-square {chi} over {cells} outcomes");
    Ok(())
}

/// Four cells in a row of two kinds: the middle ones have no room until another dies.
const ROW: [(Coordinate, u32); 4] = [([0, 0, 0], 0), ([1, 0, 0], 0), ([2, 0, 0], 1), ([3, 0, 0], 0)];
/// A cell with its four neighbours.
const PLUS: [(Coordinate, u32); 5] =
    [([0, 0, 0], 0), ([1, 0, 0], 0), ([-1, 0, 0], 1), ([0, 1, 0], 0), ([0, -1, 0], 0)];

#[test]
fn a_step_in_a_row_has_the_law_of_rule_b() -> Result<()> {
    let space = space(1, Neighbourhood::VonNeumann, Placement::RandomNeighbour);
    assert_law_of_a_step(space, &ROW, 0.0, 11)?;
    assert_law_of_a_step(space, &ROW, 0.4, 12)
}

#[test]
fn a_step_in_a_row_has_the_law_of_rule_c() -> Result<()> {
    let space = space(1, Neighbourhood::VonNeumann, Placement::AnyFree);
    assert_law_of_a_step(space, &ROW, 0.0, 13)?;
    assert_law_of_a_step(Space { mutant: Mutant::Placed, ..space }, &ROW, 0.4, 14)
}

#[test]
fn a_step_in_a_row_has_the_law_of_pushing() -> Result<()> {
    for (depth, seed) in [(1, 15), (2, 16), (3, 17)] {
        let space = space(1, Neighbourhood::VonNeumann, Placement::Push { depth });
        assert_law_of_a_step(space, &ROW, 0.2, seed)?;
    }
    Ok(())
}

#[test]
fn a_step_in_the_plane_has_the_law_of_every_rule() -> Result<()> {
    for (placement, seed) in [
        (Placement::RandomNeighbour, 21),
        (Placement::AnyFree, 22),
        (Placement::Push { depth: 1 }, 23),
        (Placement::Push { depth: 2 }, 24),
    ] {
        assert_law_of_a_step(space(2, Neighbourhood::VonNeumann, placement), &PLUS, 0.0, seed)?;
    }
    Ok(())
}

/// Everything that must hold between steps.
fn check(lattice: &Lattice) {
    let places: Vec<Located> = lattice.cells().collect();
    assert_eq!(places.len() as u64, lattice.total(), "as many occupied sites as cells");
    let distinct: BTreeSet<Coordinate> = places.iter().map(|cell| cell.place).collect();
    assert_eq!(distinct.len(), places.len(), "no two cells on one site");
    assert_eq!(lattice.counts().iter().sum::<u64>(), lattice.total());
    for (kind, &count) in lattice.counts().iter().enumerate() {
        let of_kind = |cell: &&Located| cell.kind == kind as u32;
        assert_eq!(places.iter().filter(of_kind).count() as u64, count);
        let clones = lattice.records().iter().filter(|clone| clone.kind == kind as u32).count();
        assert_eq!(clones, lattice.clones_of(kind as u32));
    }
    let mut of_clone = BTreeMap::new();
    for cell in &places {
        *of_clone.entry(cell.clone).or_insert(0) += 1;
    }
    let records: BTreeMap<u64, u64> = lattice.records().iter().map(|r| (r.id, r.cells)).collect();
    assert_eq!(of_clone, records, "records count the cells of their clones");
    assert!(lattice.records().is_sorted_by_key(|record| record.id), "oldest first");
    for word in 0..lattice.domain.occupied().len() {
        assert_eq!(lattice.domain.open_word(word) & !lattice.domain.occupied()[word], 0);
    }
    for site in lattice.domain.cells() {
        let room = (0..lattice.domain.geometry().directions())
            .any(|direction| lattice.domain.room(site, direction, lattice.depth).is_some());
        let open = lattice.domain.open_word((site >> 6) as usize) >> (site & 63) & 1 == 1;
        assert!(open || !room, "a cell with room is open");
        let place = lattice.domain.place(site);
        assert_eq!(lattice.domain.find(place), Some(site));
        for direction in 0..lattice.domain.geometry().directions() {
            let next = lattice.domain.neighbour(site, direction);
            if next != domain::OUTSIDE {
                let back = lattice.domain.geometry().directions() - 1 - direction;
                assert_eq!(lattice.domain.neighbour(next, back), site);
            }
        }
    }
    assert!(lattice.event_of.iter().all(|&event| event == 0), "no event is left over");
}

fn every_space() -> Vec<Space> {
    let mut spaces = Vec::new();
    for dimensions in 1..=3 {
        for neighbourhood in [Neighbourhood::VonNeumann, Neighbourhood::Moore] {
            for placement in [Placement::RandomNeighbour, Placement::AnyFree, Placement::Push { depth: 3 }] {
                spaces.push(space(dimensions, neighbourhood, placement));
            }
        }
    }
    spaces
}

#[test]
fn sites_cells_clones_and_counts_agree_after_every_step() -> Result<()> {
    let probabilities =
        [StepProbabilities { divide: 0.3, die: 0.1 }, StepProbabilities { divide: 0.2, die: 0.15 }];
    for (index, space) in every_space().into_iter().enumerate() {
        let rng = &mut stream(31, index as u64, Purpose::Replicate, 0);
        let mut lattice = Lattice::new(space, 5)?;
        lattice.found(0, 20, &NEVER)?;
        for _ in 0..40 {
            lattice.step(rng, &probabilities, &mut Two { mutation: 0.1, turn: 0.05 }, &NEVER)?;
            check(&lattice);
        }
    }
    Ok(())
}

#[test]
fn founders_fill_a_ball_and_no_site_twice() -> Result<()> {
    for dimensions in 1..=3 {
        let mut lattice = Lattice::new(space(dimensions, Neighbourhood::Moore, Placement::AnyFree), 1)?;
        lattice.found(0, 1000, &NEVER)?;
        lattice.found(1, 500, &NEVER)?;
        lattice.found(1, 0, &NEVER)?;
        check(&lattice);
        assert_eq!(lattice.counts(), [1000, 500]);
        let far = |kind| {
            let square = |c: &Located| c.place.map(|x| x * x).iter().sum::<i32>();
            lattice.cells().filter(|c| c.kind == kind).map(|c| square(&c)).max().unwrap_or(0)
        };
        assert!(far(0) < far(1));
    }
    Ok(())
}

#[test]
fn places_that_are_taken_or_off_the_lattice_are_refused() -> Result<()> {
    let mut lattice = Lattice::new(space(2, Neighbourhood::Moore, Placement::AnyFree), 1)?;
    lattice.found_at(0, &[[-5, 7, 0]], &NEVER)?;
    assert!(lattice.is_occupied([-5, 7, 0]));
    assert!(!lattice.is_occupied([-5, 7, 1]));
    assert!(lattice.found_at(0, &[[-5, 7, 0]], &NEVER).is_err());
    assert!(lattice.found_at(0, &[[0, 0, 1]], &NEVER).is_err());
    assert!(lattice.found_at(0, &[[i32::MAX, 0, 0]], &NEVER).is_err());
    assert!(lattice.found(0, u64::MAX, &NEVER).is_err());
    assert!(Lattice::new(Space { dimensions: 4, ..Space::default() }, 1).is_err());
    assert!(Lattice::new(Space { placement: Placement::Push { depth: 0 }, ..Space::default() }, 1).is_err());
    Ok(())
}

#[test]
fn extinction_leaves_an_empty_lattice_that_can_be_stepped() -> Result<()> {
    let rng = &mut stream(32, 0, Purpose::Replicate, 0);
    let mut lattice = Lattice::new(Space::default(), 10)?;
    lattice.found(0, 50, &NEVER)?;
    for _ in 0..200 {
        lattice.step(
            rng,
            &[StepProbabilities { divide: 0.0, die: 0.5 }],
            &mut Two { mutation: 0.0, turn: 0.0 },
            &NEVER,
        )?;
    }
    assert_eq!((lattice.total(), lattice.records().len(), lattice.cells().count()), (0, 0, 0));
    Ok(())
}

#[test]
fn the_switched_cells_are_as_many_as_drawn_and_any_of_their_kind() -> Result<()> {
    // Half of the cells turn: a cell of the first half of memory is as likely as another.
    let mut start = Lattice::new(Space { dimensions: 1, ..Space::default() }, 10)?;
    start.found(0, 10, &NEVER)?;
    let none = [StepProbabilities::default(); 2];
    let rng = &mut stream(33, 0, Purpose::Replicate, 0);
    let samples = 20_000;
    let mut turned = BTreeMap::new();
    for _ in 0..samples {
        let mut lattice = start.clone();
        lattice.step(rng, &none, &mut Two { mutation: 0.0, turn: 0.3 }, &NEVER)?;
        check(&lattice);
        for cell in lattice.cells().filter(|cell| cell.kind == 1) {
            *turned.entry(cell.place).or_insert(0u32) += 1;
        }
    }
    assert_eq!(turned.len(), 10);
    for (place, count) in turned {
        let z = (f64::from(count) - 0.3 * f64::from(samples)) / (0.21 * f64::from(samples)).sqrt();
        assert!(z.abs() < 4.9, "{place:?}: {z}");
    }
    Ok(())
}

#[test]
fn more_clones_than_two_bytes_can_name_are_kept_apart() -> Result<()> {
    let rng = &mut stream(34, 0, Purpose::Replicate, 0);
    let mut lattice = Lattice::new(Space::default(), usize::MAX)?;
    // Founders with free sites between them.
    let apart = |i: i32| [i % 45, i / 45 % 45, i / 2025].map(|x| 2 * x);
    lattice.found_at(0, &(0..45 * 45 * 45).map(apart).collect::<Vec<_>>(), &NEVER)?;
    // Every division of kind 0 founds a clone of kind 1.
    let p = StepProbabilities { divide: 0.4, die: 0.0 };
    for _ in 0..3 {
        lattice.step(rng, &[p, p], &mut Two { mutation: 1.0, turn: 0.0 }, &NEVER)?;
    }
    assert!(lattice.clones_of(1) > 1 << 16, "{}", lattice.clones_of(1));
    check(&lattice);
    Ok(())
}

#[test]
fn what_is_seen_around_a_site_is_what_its_neighbours_are() {
    let rng = &mut stream(88, 0, Purpose::Replicate, 0);
    for (dimensions, neighbourhood) in
        [(2, Neighbourhood::Moore), (3, Neighbourhood::VonNeumann), (3, Neighbourhood::Moore)]
    {
        // A sparse tumour over several blocks, with blocks missing beside it; half its cells closed.
        let mut lattice = Lattice::new(space(dimensions, neighbourhood, Placement::AnyFree), 1).unwrap();
        let span = |axis| if axis < dimensions { -9..21 } else { 0..1 };
        let mut places = Vec::new();
        for x in span(0) {
            for y in span(1) {
                places.extend(span(2).map(|z| [x, y, z]).filter(|_| below(rng, 2).0 == 1));
            }
        }
        lattice.found_at(0, &places, &NEVER).unwrap();
        let domain = &mut lattice.domain;
        for site in domain.cells().collect::<Vec<_>>() {
            if below(rng, 2).0 == 1 {
                domain.close(site);
            }
        }
        for site in 0..domain.sites() as u32 {
            let (mut free, mut closed) = (0, 0);
            for direction in 0..domain.geometry().directions() {
                let next = domain.neighbour(site, direction);
                free |= u32::from(!domain.is_occupied(next)) << direction;
                closed |= u32::from(domain.is_closed(next)) << direction;
            }
            assert_eq!(domain.free_directions(site), free, "{:?}", domain.place(site));
            assert_eq!(domain.closed_directions(site), closed, "{:?}", domain.place(site));
        }
    }
}
