//! The core from outside, in one program: each would be linked by itself, for as long as the tests of all take.

mod advance;
mod cohort;
mod floor;
mod lattice;
mod patient;
