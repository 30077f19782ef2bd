//! Columns of results, in memory order, for whoever wants to show or store them.

use std::collections::BTreeMap;

/// One column.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Unsigned numbers and counts.
    U64(Vec<u64>),
    /// Unsigned numbers that may be missing.
    MaybeU64(Vec<Option<u64>>),
    /// Small unsigned numbers.
    U32(Vec<u32>),
    /// Small unsigned numbers that may be missing.
    MaybeU32(Vec<Option<u32>>),
    /// Places.
    I32(Vec<i32>),
    /// Measurements; NaN means missing.
    F64(Vec<f64>),
    /// Flags.
    Bool(Vec<bool>),
    /// Flags that may be missing.
    Flag(Vec<Option<bool>>),
    /// Texts that repeat: codes into labels.
    Text(Texts),
    /// Lists of such texts.
    List(Lists),
}

/// Texts stored once each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Texts {
    /// One per row.
    pub codes: Vec<u32>,
    /// In order of first appearance.
    pub labels: Vec<String>,
    index: BTreeMap<String, u32>,
}

impl Texts {
    /// Append a row.
    pub fn push(&mut self, text: &str) {
        let code = if let Some(&code) = self.index.get(text) {
            code
        } else {
            let code = self.labels.len() as u32;
            self.labels.push(text.to_owned());
            self.index.insert(text.to_owned(), code);
            code
        };
        self.codes.push(code);
    }
}

/// Lists of texts, one behind another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lists {
    /// How many texts a row has.
    pub lengths: Vec<u32>,
    /// The texts of all rows.
    pub texts: Texts,
}

impl Lists {
    /// Append a row.
    pub fn push(&mut self, list: &[String]) {
        self.lengths.push(list.len() as u32);
        for text in list {
            self.texts.push(text);
        }
    }
}

/// A named set of columns of equal length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// In the order in which they are shown.
    pub columns: Vec<(String, Column)>,
}

impl Table {
    /// Append a column.
    pub fn put(&mut self, name: impl Into<String>, column: Column) {
        self.columns.push((name.into(), column));
    }
}
