//! A population with explicit rates as bytes: all that is needed to go on exactly.

use crate::error::Result;
use crate::random::Philox4x64;
use crate::sealed::Seal;
use crate::tumour::choice::AnyEngine;
use crate::tumour::population::{Population, TypeRates};
use serde::{Deserialize, Serialize};

const SEAL: Seal = Seal { magic: b"TUMORPOP", format: 3, content: "saved population" };

/// State that cannot be computed again.
#[derive(Serialize, Deserialize)]
struct State {
    dt: f64,
    rates: TypeRates,
    engine: AnyEngine,
    rng: Philox4x64,
    divisions: u64,
}

impl Population {
    /// The whole state, random stream included.
    pub fn save(&self) -> Result<Vec<u8>> {
        SEAL.close(&State {
            dt: self.dt,
            rates: self.rates.clone(),
            engine: self.engine.clone(),
            rng: self.rng.clone(),
            divisions: self.divisions,
        })
    }

    /// The population that was saved.
    pub fn load(bytes: &[u8]) -> Result<Self> {
        let state: State = SEAL.open(bytes)?;
        Self::of(state.rates, state.dt, state.engine, state.rng, state.divisions)
    }
}
