//! What is written down of a patient's life.

use crate::clinic::instruments::response::Response;
use crate::clinic::plan::end_reason::EndReason;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// One line of one patient in one arm; days count from enrolment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// Line, from 1.
    pub line: u32,
    /// Drugs at the start of the line.
    pub regimen: String,
    /// First day.
    pub start_day: u64,
    /// Last day.
    pub end_day: u64,
    /// Why it ended.
    pub end_reason: EndReason,
    /// Days to progression, death or censoring.
    pub pfs_days: u64,
    /// Whether progression was seen.
    pub progressed: bool,
    /// Whether progression or death was seen.
    pub pfs_event: bool,
    /// Best relative change of the sum of diameters; NaN without a scan.
    pub best_sld_change: f64,
    /// Best response.
    pub response: Response,
    /// Fewest neutrophils in a blood count, 1e9 per litre; NaN without one.
    pub lowest_neutrophils: f64,
}

/// One scan.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Assessment {
    /// Line, from 1.
    pub line: u32,
    /// Day since enrolment.
    pub day: u64,
    /// Measured sum of longest diameters, mm.
    pub sld_mm: f64,
    /// Relative change from the line's baseline.
    pub sld_change: f64,
    /// New lesions on this scan.
    pub new_lesions: u64,
    /// Category of this visit.
    pub response: Response,
}

/// One gene in one liquid biopsy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reading {
    /// Line, from 1.
    pub line: u32,
    /// Day since enrolment.
    pub day: u64,
    /// Gene.
    pub gene: String,
    /// Variant allele fraction; 0 below the limit of detection.
    pub vaf: f64,
}

/// Cells of one genotype at one moment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Composition {
    /// Line, from 1.
    pub line: u32,
    /// Day since enrolment.
    pub day: u64,
    /// `baseline`, `progression` or `end`.
    pub moment: Cow<'static, str>,
    /// Alterations in force.
    pub genotype: String,
    /// Living cells.
    pub cells: u64,
    /// Share of all living cells.
    pub fraction: f64,
}

/// State of the patient, every so many days.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TrajectoryPoint {
    /// Day since enrolment.
    pub day: u64,
    /// Line, from 1; 0 when no line is running.
    pub line: u32,
    /// Living cells.
    pub cells: u64,
    /// Tumour volume, cm3.
    pub volume_cm3: f64,
    /// Sum of longest diameters without measurement error, mm.
    pub sld_mm: f64,
    /// Neutrophils, 1e9 per litre.
    pub neutrophils: f64,
}

/// Something that happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Day since enrolment.
    pub day: u64,
    /// Line, from 1.
    pub line: u32,
    /// What.
    pub event: Cow<'static, str>,
    /// Detail in words.
    pub detail: String,
}

/// One drug of one line; amounts in standard doses.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DrugDoses {
    /// Line, from 1.
    pub line: u32,
    /// Drug.
    pub drug: String,
    /// Day since enrolment on which it was first in the regimen.
    pub start_day: u64,
    /// Days in the regimen, paused ones included.
    pub days: u64,
    /// Doses of its schedule on these days, as if none had been held, reduced or put off.
    pub planned: f64,
    /// Doses that were given.
    pub given: f64,
}

/// End of follow-up.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Overall {
    /// Days from enrolment to death or end of follow-up.
    pub os_days: u64,
    /// Whether death was seen.
    pub os_event: bool,
    /// Days from enrolment to progression on the second line, death or censoring, and whether one of the first
    /// two was seen; none where there is no second line.
    pub pfs2: Option<(u64, bool)>,
}

/// A patient's life in one arm.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Records {
    /// Lines.
    pub outcomes: Vec<Outcome>,
    /// Scans.
    pub assessments: Vec<Assessment>,
    /// Liquid biopsies.
    pub readings: Vec<Reading>,
    /// Clone composition.
    pub compositions: Vec<Composition>,
    /// State over time.
    pub trajectory: Vec<TrajectoryPoint>,
    /// Events.
    pub events: Vec<Event>,
    /// Doses.
    pub doses: Vec<DrugDoses>,
    /// End of follow-up.
    pub overall: Option<Overall>,
}

/// What genotypes carry: their alterations in force by their name.
pub(crate) type Carried = BTreeMap<String, Vec<String>>;

/// Records of one patient in all arms, in the order of the arms.
#[derive(Clone, Debug)]
pub struct Life {
    /// Patient.
    pub patient: u64,
    /// One per arm.
    pub arms: Vec<Records>,
}
