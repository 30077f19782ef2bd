//! One strategy of an experiment.

use crate::clinic::plan::eligibility::Eligibility;
use crate::clinic::plan::scan_calendar::ScanPeriod;
use crate::clinic::plan::strategy::Line;
use serde::{Deserialize, Serialize};

/// One strategy.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// Unique name.
    pub name: String,
    /// Lines in order.
    pub lines: Vec<Line>,
    /// Which of the patients enrolled it is about; the others do not live it.
    #[serde(default)]
    pub among: Eligibility,
    /// Stretches of its own scan calendar; none: that of the experiment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calendar: Vec<ScanPeriod>,
}
