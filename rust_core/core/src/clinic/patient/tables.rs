//! The tables made of what is written down.

use crate::clinic::months::DAYS_PER_MONTH;
use crate::clinic::patient::records::{Carried, Life, Records};
use crate::table::{Column, Lists, Table, Texts};

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
    pub(crate) fn tables(&self, arms: &[String], carried: &Carried) -> Vec<(&'static str, Table)> {
        tables(core::slice::from_ref(self), arms, carried)
    }
}

/// The tables of section "results" of the documentation, except `patients`.
pub(crate) fn tables(lives: &[Life], arms: &[String], carried: &Carried) -> Vec<(&'static str, Table)> {
    vec![
        ("outcomes", outcomes(lives, arms)),
        ("overall", overall(lives, arms)),
        ("assessments", assessments(lives, arms)),
        ("liquid_biopsies", liquid_biopsies(lives, arms)),
        ("clones", clones(lives, arms, carried)),
        ("trajectory", trajectory(lives, arms)),
        ("events", events(lives, arms)),
        ("doses", doses(lives, arms)),
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

fn clones(lives: &[Life], arms: &[String], carried: &Carried) -> Table {
    let rows = Rows::new(lives, arms, |r| &r.compositions);
    let mut t = rows.table();
    t.put("line", rows.u32(|c| c.line));
    t.put("day", rows.u64(|c| c.day));
    t.put("moment", rows.text(|c| &c.moment));
    t.put("genotype", rows.text(|c| &c.genotype));
    t.put("alterations", Column::List(alterations(lives, carried)));
    t.put("cells", rows.u64(|c| c.cells));
    t.put("fraction", rows.f64(|c| c.fraction));
    t
}

/// What the genotypes of the table `clones` carry.
fn alterations(lives: &[Life], carried: &Carried) -> Lists {
    let mut lists = Lists::default();
    for life in lives {
        for composition in life.arms.iter().flat_map(|records| &records.compositions) {
            lists.push(carried.get(&composition.genotype).map_or(&[], Vec::as_slice));
        }
    }
    lists
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

fn doses(lives: &[Life], arms: &[String]) -> Table {
    let rows = Rows::new(lives, arms, |r| &r.doses);
    let mut t = rows.table();
    t.put("line", rows.u32(|d| d.line));
    t.put("drug", rows.text(|d| &d.drug));
    t.put("start_day", rows.u64(|d| d.start_day));
    t.put("days", rows.u64(|d| d.days));
    t.put("planned", rows.f64(|d| d.planned));
    t.put("given", rows.f64(|d| d.given));
    t
}
