//! What an experiment may say, as data: the fields of every structure, their bounds and defaults, and constants that
//! others must share.

use crate::biology::alteration::{Alteration, Origin};
use crate::biology::drug::{Drug, DrugEffect, LEAST_DOSE, MOST_DOSE, Protection, Schedule, SharedExposure};
use crate::bounds::Bounded;
use crate::clinic::instruments::imaging::Imaging;
use crate::clinic::instruments::liquid_biopsy::LiquidBiopsy;
use crate::clinic::instruments::response::{Criteria, MEASURABLE_MM, PARTIAL, PROGRESSION, PROGRESSION_MM};
use crate::clinic::instruments::toxicity::Neutropenia;
use crate::clinic::months::{DAYS_PER_MONTH, DAYS_PER_YEAR, MOST_MONTHS};
use crate::clinic::patient::cell_covariate::CellCovariate;
use crate::clinic::patient::experiment::{LEAST_INDIVIDUALS, MOST_INDIVIDUALS, Spec};
use crate::clinic::patient::laws::{LogNormal, LogitNormal};
use crate::clinic::patient::population::{Founder, Given, Population};
use crate::clinic::patient::site::Site;
use crate::clinic::patient::state::FOUND_IN_TISSUE;
use crate::clinic::plan::eligibility::{Eligibility, Exposure};
use crate::clinic::plan::history::{Adjuvant, History};
use crate::clinic::plan::scan_calendar::{ScanCalendar, ScanPeriod};
use crate::clinic::plan::strategy::{Adaptive, Dosing, Holiday, RegimenOption, Until};
use crate::clinic::plan::therapy::Therapy;
use crate::law::MOST_ACTIVE;
use crate::tumour::cells;
use crate::tumour::lattice::{MOST_FOUNDERS, Reach, Space};
use serde::de::{DeserializeOwned, Deserializer, Error, Visitor, value};
use serde::{Serialize, forward_to_deserialize_any};
use serde_json::{Map, Value, json};

/// Told by serde which fields a structure has; reads nothing.
struct Fields<'a>(&'a mut Vec<&'static str>);

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = value::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.extend(fields);
        Err(Error::custom("told"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(Error::custom("no structure"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The names of all fields of a structure, as they are written; none of an enumeration.
fn fields<T: DeserializeOwned>() -> Vec<&'static str> {
    let mut found = Vec::new();
    // It always ends in an error, once the names are told.
    let _ = T::deserialize(Fields(&mut found));
    found
}

fn described<T: Bounded + DeserializeOwned>() -> Value {
    let bounds: Map<String, Value> =
        T::BOUNDS.iter().map(|bound| (bound.field.into(), json!([bound.low, bound.high]))).collect();
    json!({"fields": fields::<T>(), "bounds": bounds})
}

fn with_default<T: Bounded + DeserializeOwned + Serialize + Default>() -> Value {
    let mut description = described::<T>();
    description["default"] = json!(T::default());
    description
}

/// Constants, structures with their fields, bounds (least, most) and defaults.
pub fn schema() -> Value {
    json!({
        "constants": {
            "days_per_month": DAYS_PER_MONTH,
            "days_per_year": DAYS_PER_YEAR,
            "found_in_tissue": FOUND_IN_TISSUE,
            "least_dose": LEAST_DOSE,
            "least_individuals_of_a_patient": LEAST_INDIVIDUALS,
            "measurable_mm": MEASURABLE_MM,
            "most_active": MOST_ACTIVE,
            "most_dose": MOST_DOSE,
            "most_founders_on_a_lattice": MOST_FOUNDERS,
            "most_individuals": cells::MOST_INDIVIDUALS,
            "most_individuals_of_a_patient": MOST_INDIVIDUALS,
            "most_months": MOST_MONTHS,
            "partial_response": PARTIAL,
            "progression": PROGRESSION,
            "progression_mm": PROGRESSION_MM,
        },
        "structures": {
            "Adaptive": described::<Adaptive>(),
            "Adjuvant": described::<Adjuvant>(),
            "Alteration": described::<Alteration>(),
            "CellCovariate": described::<CellCovariate>(),
            "Criteria": with_default::<Criteria>(),
            "Dosing": described::<Dosing>(),
            "Drug": described::<Drug>(),
            "DrugEffect": described::<DrugEffect>(),
            "Eligibility": with_default::<Eligibility>(),
            "Exposure": described::<Exposure>(),
            "Founder": described::<Founder>(),
            "Given": with_default::<Given>(),
            "History": described::<History>(),
            "Holiday": described::<Holiday>(),
            "Imaging": described::<Imaging>(),
            "LiquidBiopsy": described::<LiquidBiopsy>(),
            "LogNormal": described::<LogNormal>(),
            "LogitNormal": described::<LogitNormal>(),
            "Neutropenia": described::<Neutropenia>(),
            "Origin": described::<Origin>(),
            "Population": described::<Population>(),
            "Protection": described::<Protection>(),
            "Reach": described::<Reach>(),
            "RegimenOption": described::<RegimenOption>(),
            "ScanCalendar": described::<ScanCalendar>(),
            "ScanPeriod": described::<ScanPeriod>(),
            "Schedule": described::<Schedule>(),
            "SharedExposure": described::<SharedExposure>(),
            "Space": with_default::<Space>(),
            "Spec": described::<Spec>(),
            "Site": described::<Site>(),
            "Therapy": described::<Therapy>(),
            "Until": described::<Until>(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bound_is_of_a_field() {
        let schema = schema();
        let structures = schema["structures"].as_object().expect("an object");
        for (name, structure) in structures.iter().filter(|(name, _)| *name != "Origin") {
            let fields = structure["fields"].as_array().expect("a list");
            for field in structure["bounds"].as_object().expect("an object").keys() {
                assert!(fields.contains(&json!(field)), "{name}.{field}");
            }
        }
    }
}
