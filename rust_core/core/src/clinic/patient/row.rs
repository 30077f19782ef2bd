//! What is reported of a patient at enrolment: a row of the table `patients`.

use crate::clinic::patient::covariates::Covariates;
use crate::clinic::patient::population::Population;
use crate::table::{Column, Table, Texts};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What is reported of a patient at enrolment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PatientRow {
    pub(super) patient: u64,
    pub(super) screened: u64,
    pub(super) covariates: Covariates,
    pub(super) founder: String,
    pub(super) history: String,
    pub(super) relapse_months: f64,
    pub(super) stopped_months: f64,
    pub(super) prior_regimens: Vec<String>,
    pub(super) prior_months: f64,
    pub(super) altered: String,
    pub(super) detected: String,
    pub(super) grown_days: u64,
    pub(super) growths: u64,
    pub(super) cells: u64,
    pub(super) volume_cm3: f64,
    pub(super) sld_mm: f64,
}

fn texts(rows: &[Arc<PatientRow>], of: impl Fn(&PatientRow) -> String) -> Column {
    let mut column = Texts::default();
    for row in rows {
        column.push(&of(row));
    }
    Column::Text(column)
}

/// The table `patients`, with a column for everything that the pathway reads of them, and for every site.
pub(crate) fn patient_table(rows: &[Arc<PatientRow>], population: &Population) -> Table {
    let f64s = |of: fn(&Covariates) -> f64| Column::F64(rows.iter().map(|r| of(&r.covariates)).collect());
    let mut founder = Texts::default();
    for row in rows {
        founder.push(&row.founder);
    }
    let mut t = Table::default();
    t.put("patient", Column::U64(rows.iter().map(|r| r.patient).collect()));
    t.put("screened", Column::U64(rows.iter().map(|r| r.screened).collect()));
    t.put("net_growth_per_day", f64s(|c| c.net_growth_per_day));
    t.put("turnover", f64s(|c| c.turnover));
    t.put("division_per_day", f64s(|c| c.physiology.division));
    t.put("death_per_day", f64s(|c| c.physiology.death));
    for (index, covariate) in population.covariates.iter().enumerate() {
        let values = rows.iter().map(|row| row.covariates.physiology.covariates[index]);
        let column = if covariate.is_flag() {
            Column::Bool(values.map(|value| value > 0.5).collect())
        } else {
            Column::F64(values.collect())
        };
        t.put(&covariate.name, column);
    }
    for (index, site) in population.sites.iter().enumerate().rev() {
        t.put(&site.name, Column::Bool(rows.iter().map(|row| row.covariates.site == Some(index)).collect()));
    }
    t.put(
        "target_lesions",
        Column::U64(rows.iter().map(|r| r.covariates.target_shares.len() as u64).collect()),
    );
    t.put("target_share", f64s(|c| c.target_shares.iter().sum()));
    t.put("mutation_fold", f64s(|c| c.mutation_fold));
    t.put("shedding", f64s(|c| c.shedding));
    t.put("seeding", f64s(|c| c.seeding));
    t.put("neutrophils", f64s(|c| c.neutrophils));
    t.put("lethal_volume_cm3", f64s(|c| c.lethal_volume_cm3));
    t.put("founder", Column::Text(founder));
    t.put("history", texts(rows, |r| r.history.clone()));
    t.put("relapse_months", Column::F64(rows.iter().map(|r| r.relapse_months).collect()));
    t.put("stopped_months", Column::F64(rows.iter().map(|r| r.stopped_months).collect()));
    t.put("prior_lines", Column::U64(rows.iter().map(|r| r.prior_regimens.len() as u64).collect()));
    t.put("prior_regimens", texts(rows, |r| r.prior_regimens.join("; ")));
    t.put("prior_months", Column::F64(rows.iter().map(|r| r.prior_months).collect()));
    t.put("altered", texts(rows, |r| r.altered.clone()));
    t.put("detected", texts(rows, |r| r.detected.clone()));
    t.put("growth_days", Column::U64(rows.iter().map(|r| r.grown_days).collect()));
    t.put("growth_attempts", Column::U64(rows.iter().map(|r| r.growths).collect()));
    t.put("cells", Column::U64(rows.iter().map(|r| r.cells).collect()));
    t.put("volume_cm3", Column::F64(rows.iter().map(|r| r.volume_cm3).collect()));
    t.put("sld_mm", Column::F64(rows.iter().map(|r| r.sld_mm).collect()));
    t
}
