//! Tables to Arrow, JSON to designs.

use crate::error::raised;
use arrow_array::builder::{LargeListBuilder, StringViewBuilder};
use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int32Array, RecordBatch, UInt32Array, UInt64Array};
use arrow_ipc::writer::StreamEncoder;
use arrow_schema::ArrowError;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::mem::take;
use std::sync::Arc;
use tumor_abm_core::error::Error;
use tumor_abm_core::table::{Column, Lists, Table, Texts};

/// Bytes of numbers in native order, to be read with `numpy.frombuffer`.
macro_rules! bytes_of {
    ($py:expr, $values:expr) => {
        PyBytes::new($py, &$values.iter().flat_map(|v| v.to_ne_bytes()).collect::<Vec<u8>>())
    };
}

/// Bytes of `u16`.
pub(crate) fn u16_bytes<'py>(py: Python<'py>, values: &[u16]) -> Bound<'py, PyBytes> {
    bytes_of!(py, values)
}

/// Bytes of `f64`.
pub(crate) fn f64_bytes<'py>(py: Python<'py>, values: &[f64]) -> Bound<'py, PyBytes> {
    bytes_of!(py, values)
}

/// Bytes of `u64`.
pub(crate) fn u64_bytes<'py>(py: Python<'py>, values: &[u64]) -> Bound<'py, PyBytes> {
    bytes_of!(py, values)
}

/// Bytes of `u32`.
pub(crate) fn u32_bytes<'py>(py: Python<'py>, values: &[u32]) -> Bound<'py, PyBytes> {
    bytes_of!(py, values)
}

/// The `u32` values of a buffer in native order.
pub(crate) fn u32_values(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    bytes.as_chunks().0.iter().map(|&value| u32::from_ne_bytes(value))
}

/// The `u64` values of a buffer in native order.
pub(crate) fn u64_values(bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
    bytes.as_chunks().0.iter().map(|&value| u64::from_ne_bytes(value))
}

/// A table as an Arrow IPC stream of one batch.
pub(crate) fn table(py: Python<'_>, table: Table) -> PyResult<Bound<'_, PyBytes>> {
    let encode = || {
        let columns = table.columns.into_iter().map(|(name, column)| (name, array(column), true));
        let batch = RecordBatch::try_from_iter_with_nullable(columns)?;
        let mut encoder = StreamEncoder::try_new(&batch.schema())?;
        let mut parts = encoder.encode(&batch)?;
        parts.extend(encoder.finish()?);
        Ok(parts)
    };
    let parts = py.detach(encode).map_err(|error: ArrowError| PyRuntimeError::new_err(error.to_string()))?;
    PyBytes::new_with(py, parts.iter().map(|part| part.as_slice().len()).sum(), |mut bytes| {
        for part in &parts {
            let (here, rest) = take(&mut bytes).split_at_mut(part.len());
            here.copy_from_slice(part);
            bytes = rest;
        }
        Ok(())
    })
}

fn array(column: Column) -> ArrayRef {
    match column {
        Column::U64(values) => Arc::new(UInt64Array::from(values)),
        Column::MaybeU64(values) => Arc::new(UInt64Array::from(values)),
        Column::U32(values) => Arc::new(UInt32Array::from(values)),
        Column::MaybeU32(values) => Arc::new(UInt32Array::from(values)),
        Column::I32(values) => Arc::new(Int32Array::from(values)),
        Column::F64(values) if values.iter().any(|value| value.is_nan()) => {
            let known = values.into_iter().map(|value| (!value.is_nan()).then_some(value));
            Arc::new(known.collect::<Float64Array>())
        }
        Column::F64(values) => Arc::new(Float64Array::from(values)),
        Column::Bool(values) => Arc::new(BooleanArray::from(values)),
        Column::Flag(values) => Arc::new(BooleanArray::from(values)),
        Column::Text(texts) => text_array(&texts),
        Column::List(lists) => list_array(&lists),
    }
}

fn words(texts: &Texts) -> impl Iterator<Item = &str> {
    texts.codes.iter().map(|&code| texts.labels[code as usize].as_str())
}

/// Rows refer to the text that they share.
fn text_builder() -> StringViewBuilder {
    StringViewBuilder::new().with_deduplicate_strings()
}

fn text_array(texts: &Texts) -> ArrayRef {
    let mut builder = text_builder();
    words(texts).for_each(|word| builder.append_value(word));
    Arc::new(builder.finish())
}

fn list_array(lists: &Lists) -> ArrayRef {
    let mut builder = LargeListBuilder::new(text_builder());
    let mut words = words(&lists.texts);
    for &length in &lists.lengths {
        for word in words.by_ref().take(length as usize) {
            builder.values().append_value(word);
        }
        builder.append(true);
    }
    Arc::new(builder.finish())
}

/// Read a design or experiment from JSON; the error says where.
pub(crate) fn from_json<T: serde::de::DeserializeOwned>(json: &str) -> PyResult<T> {
    serde_json::from_str(json).map_err(|error| raised(Error::input("given", error.to_string())))
}
