//! What a patient has behind them.

use crate::clinic::plan::end_reason::EndReason;
use crate::clinic::plan::therapy::TherapyLine;
use serde::{Deserialize, Serialize};

/// What a patient has behind them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Past {
    /// Index of the history.
    pub(crate) history: usize,
    /// Days from the start of adjuvant therapy to relapse.
    pub(crate) relapse_days: Option<u64>,
    /// Days from the start of adjuvant therapy to when the patient stopped taking it.
    pub(crate) stopped_days: Option<u64>,
    /// Regimens of the lines for advanced disease.
    pub(crate) regimens: Vec<String>,
    /// How the last of them ended.
    pub(crate) ended: Option<EndReason>,
    /// Lines for advanced disease with therapy of some kind, in order.
    pub(crate) therapy: Vec<TherapyLine>,
    /// Days of treatment with every drug.
    pub(crate) days_on: Vec<u64>,
}

impl Past {
    /// Whether therapy is prescribed and not taken: adjuvant therapy, by who has stopped. Records know nothing of it.
    pub(crate) fn leaves_its_drugs(&self) -> bool {
        self.stopped_days.is_some() && self.relapse_days.is_none()
    }
}
