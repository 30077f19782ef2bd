//! Errors of the core to exceptions of `tumor_abm.errors`, one class a variant.

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tumor_abm_core::error::{Error, Found};

/// What Python raises for an error of the core.
pub(crate) fn raised(error: Error) -> PyErr {
    match error {
        Error::Interrupted => PyKeyboardInterrupt::new_err("interrupted"),
        other => Python::attach(|py| exception(py, &other).unwrap_or_else(|failed| failed)),
    }
}

/// The exception of `tumor_abm.errors` for a variant, with its fields.
fn exception(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let fields = PyDict::new(py);
    macro_rules! fields {
        ($($name:ident),*) => {{ $(fields.set_item(stringify!($name), $name)?;)* }};
    }
    let class = match error {
        Error::Input { place: key, problem, found, allowed } => {
            fields!(problem, key, allowed);
            match found {
                Some(Found::Number(value))
                    if value.fract().abs() < f64::MIN_POSITIVE && value.abs() < 1e15 =>
                {
                    fields.set_item("found", *value as i64)?;
                }
                Some(Found::Number(value)) => fields.set_item("found", value)?,
                Some(Found::Whole(value)) => fields.set_item("found", value)?,
                None => {}
            }
            "InputError"
        }
        Error::StepTooLong { who, dt, probability, division, death, longest } => {
            fields!(who, dt, probability, division, death, longest);
            "StepTooLongError"
        }
        Error::TooManyCells { who } => {
            fields!(who);
            "TooManyCellsError"
        }
        Error::TooManyIndividuals { who, most } => {
            fields!(who, most);
            "TooManyIndividualsError"
        }
        Error::OutOfMemory { who, most, what } => {
            fields!(who, most, what);
            "OutOfMemoryError"
        }
        Error::TooManyToCount { who, what } => {
            fields!(who, what);
            "TooManyToCountError"
        }
        Error::TraitTooFast { who, fold, probability } => {
            fields!(who, fold, probability);
            "TraitTooFastError"
        }
        Error::NeverGrew { who, attempts } => {
            fields!(who, attempts);
            "NeverGrewError"
        }
        Error::Interrupted => return Ok(PyKeyboardInterrupt::new_err("interrupted")),
    };
    if !matches!(error, Error::Input { .. }) {
        fields.set_item("problem", error.to_string())?;
    }
    let class = py.import("tumor_abm.errors")?.getattr(class)?;
    Ok(PyErr::from_value(class.call((), Some(&fields))?))
}
