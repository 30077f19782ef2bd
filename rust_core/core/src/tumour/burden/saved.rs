//! How individuals are saved: with their descent if it is recorded, and else without a byte for it.

use super::Individuals;
use crate::tumour::descent::Descent;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
enum Held<I, D> {
    None,
    Alone(I),
    Recorded(I, D),
}

#[expect(clippy::ref_option, reason = "serde hands one over")]
pub(super) fn serialize<S: Serializer>(held: &Option<Individuals>, serializer: S) -> Result<S::Ok, S::Error> {
    let held = match held {
        None => Held::None,
        Some(individuals) => match &individuals.descent {
            None => Held::Alone(individuals),
            Some(descent) => Held::Recorded(individuals, descent),
        },
    };
    held.serialize(serializer)
}

pub(super) fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Option<Individuals>, D::Error> {
    Ok(match Held::<Individuals, Descent>::deserialize(deserializer)? {
        Held::None => None,
        Held::Alone(individuals) => Some(individuals),
        Held::Recorded(individuals, descent) => Some(Individuals { descent: Some(descent), ..individuals }),
    })
}
