//! How cells live in space: dimensions, neighbours, placement, reach. Data; what follows from them is computed elsewhere.

use crate::bounds::bounded;
use serde::{Deserialize, Serialize};

/// A place on the lattice; dimensions that do not exist stay 0.
pub type Coordinate = [i32; 3];

/// Which sites are neighbours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Neighbourhood {
    /// Sites that share a face: 2, 4 or 6 of them.
    #[default]
    VonNeumann,
    /// Sites that share a face, an edge or a corner: 2, 8 or 26 of them.
    Moore,
}

/// Where the daughter of a dividing cell goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// Rule B: to one of all neighbouring sites, drawn at random; no division if it is occupied.
    #[default]
    RandomNeighbour,
    /// Rule C: to one of the free neighbouring sites; no division only if there is none.
    AnyFree,
    /// In a lattice direction drawn at random, pushing the cells in its way outwards up to the
    /// nearest free site; no division if that is farther than `depth` sites. Depth 1 is rule B.
    Push {
        /// Farthest free site that can be pushed to, in sites.
        depth: u32,
    },
}

/// Which daughter carries the mutation of a division.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mutant {
    /// Either, with probability one half.
    #[default]
    Random,
    /// The one that is placed on the new site.
    Placed,
}

/// How cells live in space.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Space {
    /// 1, 2 or 3.
    pub dimensions: u32,
    /// Which sites are neighbours.
    pub neighbourhood: Neighbourhood,
    /// Where a daughter goes.
    pub placement: Placement,
    /// Which daughter mutates.
    pub mutant: Mutant,
    /// Sites after which all dimensions but the first begin anew: a strip or a bar with no edge.
    pub width: Option<u32>,
    /// How far nutrients reach into the tumour; everywhere if not given.
    pub nutrient: Option<Reach>,
    /// How far the drug reaches into the tumour; everywhere if not given.
    pub drug: Option<Reach>,
}

impl Default for Space {
    fn default() -> Self {
        Self {
            dimensions: 3,
            neighbourhood: Neighbourhood::default(),
            placement: Placement::default(),
            mutant: Mutant::default(),
            width: None,
            nutrient: None,
            drug: None,
        }
    }
}

/// How the share that reaches a cell falls from the outline inwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// `exp(-depth / length)`.
    #[default]
    Exponential,
    /// `1 - depth / length`, nothing below `length`.
    Linear,
    /// The quasi-steady field of a substance that diffuses and is taken up by living cells in
    /// proportion to its concentration: `length^2 * laplacian(c) = c` where cells live, `c = 1` on
    /// the outline. Deep below a flat surface of a dense tumour it is the exponential profile.
    Diffusion,
}

/// How far a substance reaches into a tumour.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// Penetration length in cell diameters (sites).
    pub length: f64,
    /// How the share falls.
    #[serde(default)]
    pub profile: Profile,
}

bounded!(Reach {
    length: 0.1, 1e4;
});

bounded!(Space {
    dimensions: 1.0, 3.0;
    width: 1.0, 16_777_216.0;
});
