//! The core of `tumor_abm`: one law of division, death and mutation, the engines that run it, and
//! the clinic around it. The library is whole without Python; the crate `python` only opens the door.

pub mod biology;
pub mod bounds;
pub mod cancel;
pub mod clinic;
pub mod elementary;
pub mod error;
pub mod law;
pub mod random;
pub mod schema;
mod sealed;
pub mod table;
pub mod tumour;

pub use error::{Error, Result};
