//! How cells become a tumour: the engines.

pub mod burden;
pub mod cells;
pub mod choice;
pub mod clones;
pub mod descent;
pub mod engine;
pub mod grid;
pub mod lattice;
pub mod lineage;
pub mod population;
pub mod replicate;
mod room;
mod saved;
