//! What is written down of a patient's life, and the tables made of it.

use crate::clinic::DAYS_PER_MONTH;
use crate::clinic::response::Response;
use crate::table::{Column, Table, Texts};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Why a line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Progression on a scan.
    Progression,
    /// Death on the line.
    Death,
    /// The planned duration, number of cycles or response was reached.
    Completed,
    /// A rule moved the patient on.
    Rule,
    /// A drug was not tolerated.
    Toxicity,
    /// The patient fell ill with the disease, and no scan shows progression (symptomatic deterioration).
    Deterioration,
    /// Lost to follow-up, or the end of follow-up.
    Censored,
}

impl EndReason {
    /// The name used in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Progression => "progression",
            Self::Death => "death",
            Self::Completed => "completed",
            Self::Rule => "rule",
            Self::Toxicity => "toxicity",
            Self::Deterioration => "deterioration",
            Self::Censored => "censored",
        }
    }
}

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
    /// End of follow-up.
    pub overall: Option<Overall>,
}

/// Records of one patient in all arms, in the order of the arms.
#[derive(Clone, Debug)]
pub struct Life {
    /// Patient.
    pub patient: u64,
    /// One per arm.
    pub arms: Vec<Records>,
}

struct Rows<'a, T> {
    rows: Vec<(u64, &'a str, &'a T)>,
}

impl<'a, T> Rows<'a, T> {
    fn new(lives: &'a [Life], arms: &'a [String], pick: impl Fn(&'a Records) -> &'a [T]) -> Self {
        let mut rows = Vec::new();
        for life in lives {
            for (records, arm) in life.arms.iter().zip(arms) {
                rows.extend(pick(records).iter().map(|row| (life.patient, arm.as_str(), row)));
            }
        }
        Self { rows }
    }

    fn table(&self) -> Table {
        let mut table = Table::default();
        table.put("patient", Column::U64(self.rows.iter().map(|r| r.0).collect()));
        table.put("arm", texts(self.rows.iter().map(|r| r.1)));
        table
    }

    fn u32(&self, of: impl Fn(&T) -> u32) -> Column {
        Column::U32(self.rows.iter().map(|r| of(r.2)).collect())
    }

    fn u64(&self, of: impl Fn(&T) -> u64) -> Column {
        Column::U64(self.rows.iter().map(|r| of(r.2)).collect())
    }

    fn f64(&self, of: impl Fn(&T) -> f64) -> Column {
        Column::F64(self.rows.iter().map(|r| of(r.2)).collect())
    }

    fn bool(&self, of: impl Fn(&T) -> bool) -> Column {
        Column::Bool(self.rows.iter().map(|r| of(r.2)).collect())
    }

    fn text(&self, of: impl Fn(&'a T) -> &'a str) -> Column {
        texts(self.rows.iter().map(|r| of(r.2)))
    }
}

fn texts<'a>(rows: impl Iterator<Item = &'a str>) -> Column {
    let mut column = Texts::default();
    rows.for_each(|row| column.push(row));
    Column::Text(column)
}

fn months(days: u64) -> f64 {
    days as f64 / DAYS_PER_MONTH
}

impl Life {
    /// The tables of this life alone.
    pub fn tables(&self, arms: &[String]) -> Vec<(&'static str, Table)> {
        tables(core::slice::from_ref(self), arms)
    }
}

/// The tables of section "results" of the documentation, except `patients`.
pub fn tables(lives: &[Life], arms: &[String]) -> Vec<(&'static str, Table)> {
    vec![
        ("outcomes", outcomes(lives, arms)),
        ("overall", overall(lives, arms)),
        ("assessments", assessments(lives, arms)),
        ("liquid_biopsies", liquid_biopsies(lives, arms)),
        ("clones", clones(lives, arms)),
        ("trajectory", trajectory(lives, arms)),
        ("events", events(lives, arms)),
    ]
}

fn outcomes(lives: &[Life], arms: &[String]) -> Table {
    let rows = Rows::new(lives, arms, |r| &r.outcomes);
    let mut t = rows.table();
    t.put("line", rows.u32(|o| o.line));
    t.put("regimen", rows.text(|o| &o.regimen));
    t.put("start_day", rows.u64(|o| o.start_day));
    t.put("end_day", rows.u64(|o| o.end_day));
    t.put("end_reason", rows.text(|o| o.end_reason.name()));
    t.put("pfs_months", rows.f64(|o| months(o.pfs_days)));
    t.put("pfs_event", rows.bool(|o| o.pfs_event));
    t.put("best_sld_change", rows.f64(|o| o.best_sld_change));
    t.put("response", rows.text(|o| o.response.code()));
    t.put("lowest_neutrophils", rows.f64(|o| o.lowest_neutrophils));
    t
}

fn overall(lives: &[Life], arms: &[String]) -> Table {
    let rows = Rows::new(lives, arms, |r| r.overall.as_slice());
    let mut t = rows.table();
    t.put("os_months", rows.f64(|o| months(o.os_days)));
    t.put("os_event", rows.bool(|o| o.os_event));
    t.put("pfs2_months", rows.f64(|o| o.pfs2.map_or(f64::NAN, |(day, _)| months(day))));
    t.put("pfs2_event", Column::Flag(rows.rows.iter().map(|r| r.2.pfs2.map(|(_, event)| event)).collect()));
    t
}

fn assessments(lives: &[Life], arms: &[String]) -> Table {
    let rows = Rows::new(lives, arms, |r| &r.assessments);
    let mut t = rows.table();
    t.put("line", rows.u32(|a| a.line));
    t.put("day", rows.u64(|a| a.day));
    t.put("sld_mm", rows.f64(|a| a.sld_mm));
    t.put("sld_change", rows.f64(|a| a.sld_change));
    t.put("new_lesions", rows.u64(|a| a.new_lesions));
    t.put("response", rows.text(|a| a.response.code()));
    t
}

fn liquid_biopsies(lives: &[Life], arms: &[String]) -> Table {
    let rows = Rows::new(lives, arms, |r| &r.readings);
    let mut t = rows.table();
    t.put("line", rows.u32(|r| r.line));
    t.put("day", rows.u64(|r| r.day));
    t.put("gene", rows.text(|r| &r.gene));
    t.put("vaf", rows.f64(|r| r.vaf));
    t
}

fn clones(lives: &[Life], arms: &[String]) -> Table {
    let rows = Rows::new(lives, arms, |r| &r.compositions);
    let mut t = rows.table();
    t.put("line", rows.u32(|c| c.line));
    t.put("day", rows.u64(|c| c.day));
    t.put("moment", rows.text(|c| &c.moment));
    t.put("genotype", rows.text(|c| &c.genotype));
    t.put("cells", rows.u64(|c| c.cells));
    t.put("fraction", rows.f64(|c| c.fraction));
    t
}

fn trajectory(lives: &[Life], arms: &[String]) -> Table {
    let rows = Rows::new(lives, arms, |r| &r.trajectory);
    let mut t = rows.table();
    t.put("day", rows.u64(|p| p.day));
    t.put("line", rows.u32(|p| p.line));
    t.put("cells", rows.u64(|p| p.cells));
    t.put("volume_cm3", rows.f64(|p| p.volume_cm3));
    t.put("sld_mm", rows.f64(|p| p.sld_mm));
    t.put("neutrophils", rows.f64(|p| p.neutrophils));
    t
}

fn events(lives: &[Life], arms: &[String]) -> Table {
    let rows = Rows::new(lives, arms, |r| &r.events);
    let mut t = rows.table();
    t.put("day", rows.u64(|e| e.day));
    t.put("line", rows.u32(|e| e.line));
    t.put("event", rows.text(|e| &e.event));
    t.put("detail", rows.text(|e| &e.detail));
    t
}
