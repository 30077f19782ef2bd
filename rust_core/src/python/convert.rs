//! Errors to exceptions, tables to buffers.

use crate::error::{Error, Found};
use crate::table::{Column, Table};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        match error {
            Error::Interrupted => PyKeyboardInterrupt::new_err("interrupted"),
            other => Python::attach(|py| exception(py, &other).unwrap_or_else(|failed| failed)),
        }
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

/// Bytes of numbers in native order, to be read with `numpy.frombuffer`.
macro_rules! bytes_of {
    ($py:expr, $values:expr) => {
        PyBytes::new($py, &$values.iter().flat_map(|v| v.to_ne_bytes()).collect::<Vec<u8>>())
    };
}

/// Bytes of a `u16` column.
pub(super) fn u16_bytes<'py>(py: Python<'py>, values: &[u16]) -> Bound<'py, PyBytes> {
    bytes_of!(py, values)
}

/// Bytes of a `u64` column.
pub(super) fn u64_bytes<'py>(py: Python<'py>, values: &[u64]) -> Bound<'py, PyBytes> {
    bytes_of!(py, values)
}

/// Bytes of a `u32` column.
pub(super) fn u32_bytes<'py>(py: Python<'py>, values: &[u32]) -> Bound<'py, PyBytes> {
    bytes_of!(py, values)
}

/// The `u32` values of a buffer in native order.
pub(super) fn u32_values(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    bytes.as_chunks().0.iter().map(|&value| u32::from_ne_bytes(value))
}

/// A dict of name to (dtype, buffer), or (labels, buffer of u32 codes) for texts.
pub(super) fn table<'py>(py: Python<'py>, table: &Table) -> PyResult<Bound<'py, PyDict>> {
    let columns = PyDict::new(py);
    for (name, column) in &table.columns {
        match column {
            Column::U64(v) => columns.set_item(name, ("u8", bytes_of!(py, v)))?,
            Column::U32(v) => columns.set_item(name, ("u4", bytes_of!(py, v)))?,
            Column::I32(v) => columns.set_item(name, ("i4", bytes_of!(py, v)))?,
            Column::F64(v) => columns.set_item(name, ("f8", bytes_of!(py, v)))?,
            Column::Bool(v) => {
                let bytes: Vec<u8> = v.iter().map(|&flag| u8::from(flag)).collect();
                columns.set_item(name, ("?", PyBytes::new(py, &bytes)))?;
            }
            Column::Flag(v) => {
                let bytes: Vec<u8> = v.iter().map(|flag| flag.map_or(2, u8::from)).collect();
                columns.set_item(name, ("flag", PyBytes::new(py, &bytes)))?;
            }
            Column::Text(texts) => {
                columns.set_item(name, (texts.labels.clone(), bytes_of!(py, texts.codes)))?;
            }
        }
    }
    Ok(columns)
}

/// Read a design or experiment from JSON; the error says where.
pub(super) fn from_json<T: serde::de::DeserializeOwned>(json: &str) -> PyResult<T> {
    serde_json::from_str(json).map_err(|error| Error::input("given", error.to_string()).into())
}
