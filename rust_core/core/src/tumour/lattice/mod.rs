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
mod engine;
mod envelope;
mod events;
mod field;
mod geometry;
mod grid;
mod labels;
mod layers;
mod lineage;
mod outline;
mod register;
mod space;
mod step;
mod surgery;
mod switching;
mod tissue;

pub use space::{Coordinate, Mutant, Neighbourhood, Placement, Profile, Reach, Space};
pub use tissue::{Lattice, Located, MOST_FOUNDERS};

#[cfg(test)]
mod tests;
