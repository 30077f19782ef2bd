//! Tables to buffers, JSON to designs.

use crate::error::raised;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use tumor_abm_core::error::Error;
use tumor_abm_core::table::{Column, Table};

/// Bytes of numbers in native order, to be read with `numpy.frombuffer`.
macro_rules! bytes_of {
    ($py:expr, $values:expr) => {
        PyBytes::new($py, &$values.iter().flat_map(|v| v.to_ne_bytes()).collect::<Vec<u8>>())
    };
}

/// Bytes of a `u16` column.
pub(crate) fn u16_bytes<'py>(py: Python<'py>, values: &[u16]) -> Bound<'py, PyBytes> {
    bytes_of!(py, values)
}

/// Bytes of a `f64` column.
pub(crate) fn f64_bytes<'py>(py: Python<'py>, values: &[f64]) -> Bound<'py, PyBytes> {
    bytes_of!(py, values)
}

/// Bytes of a `u64` column.
pub(crate) fn u64_bytes<'py>(py: Python<'py>, values: &[u64]) -> Bound<'py, PyBytes> {
    bytes_of!(py, values)
}

/// Bytes of a `u32` column.
pub(crate) fn u32_bytes<'py>(py: Python<'py>, values: &[u32]) -> Bound<'py, PyBytes> {
    bytes_of!(py, values)
}

/// The `u32` values of a buffer in native order.
pub(crate) fn u32_values(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    bytes.as_chunks().0.iter().map(|&value| u32::from_ne_bytes(value))
}

/// A dict of name to (dtype, buffer), or (labels, buffer of u32 codes) for texts.
///
/// Not Arrow: pyo3-arrow 0.20 brings 69 crates, 340 CPU seconds of build and 11 MB of library for what a few lines
/// of `_base/frames.py` decode.
pub(crate) fn table<'py>(py: Python<'py>, table: &Table) -> PyResult<Bound<'py, PyDict>> {
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
pub(crate) fn from_json<T: serde::de::DeserializeOwned>(json: &str) -> PyResult<T> {
    serde_json::from_str(json).map_err(|error| raised(Error::input("given", error.to_string())))
}
