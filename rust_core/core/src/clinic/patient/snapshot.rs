//! A patient as seen today: what can be shown between two steps.

use crate::biology::pathway::Rates;
use crate::clinic::patient::experiment::Holding;
use crate::clinic::patient::records::{Assessment, Carried, Life, Records};
use crate::clinic::patient::row::patient_table;
use crate::clinic::patient::state::Patient;
use crate::clinic::patient::treatment::{DrugCourse, RunningLine};
use crate::clinic::plan::strategy::Dosing;
use crate::table::{Column, Lists, Table, Texts};
use std::collections::{BTreeMap, BTreeSet};

/// A box of lattice sites, the last dimension first in memory.
pub struct Sites {
    /// Its lowest corner.
    pub origin: Vec<i32>,
    /// Its size in every dimension.
    pub shape: Vec<usize>,
    /// 0 for a free site, else 1 more than the index of the genotype of its cell.
    pub genotypes: Vec<u16>,
}

impl Patient {
    /// Number of the patient.
    pub fn id(&self) -> u64 {
        self.who.id
    }

    /// The arm that the patient entered.
    pub fn arm(&self) -> &str {
        let arm = self.who.arm.and_then(|arm| self.experiment.spec.arms.get(arm));
        arm.map_or("by hand", |arm| &arm.name)
    }

    /// Step in days.
    pub fn dt(&self) -> f64 {
        self.experiment.spec.dt
    }

    /// Number of the running line, from 1; 0 when none runs.
    pub fn line(&self) -> u32 {
        self.state.treatment.line.as_ref().map_or(0, |line| line.number)
    }

    /// Drugs of the running line, in words.
    pub fn regimen(&self) -> String {
        self.state.treatment.line.as_ref().map_or_else(String::new, |line| self.regimen_name(&line.courses))
    }

    /// The same as they can be given again: doses before reductions.
    pub fn dosings(&self) -> Vec<Dosing> {
        let spec = &self.experiment.spec;
        let courses = self.state.treatment.line.iter().flat_map(|line| &line.courses);
        courses
            .map(|course| Dosing {
                drug: spec.drugs[course.drug].name.clone(),
                dose: course.planned_dose,
                schedule: Some(course.schedule.clone()),
            })
            .collect()
    }

    /// Neutrophils, 1e9 per litre.
    pub fn neutrophils(&self) -> f64 {
        self.state.body.marrow.neutrophils()
    }

    /// What is written down so far.
    pub fn records(&self) -> &Records {
        &self.state.records
    }

    /// The last scan since enrolment.
    pub fn last_scan(&self) -> Option<&Assessment> {
        self.state.records.assessments.last()
    }

    /// The last liquid biopsy: gene and variant allele fraction.
    pub fn last_biopsy(&self) -> Vec<(&str, f64)> {
        let genes = self.experiment.spec.liquid_biopsy.iter().flat_map(|assay| &assay.genes);
        genes.map(String::as_str).zip(self.state.treatment.allele_fractions.iter().copied()).collect()
    }

    /// Variant allele fraction below which a liquid biopsy reports nothing; none without biopsies.
    pub fn limit_of_detection(&self) -> Option<f64> {
        self.experiment.spec.liquid_biopsy.as_ref().map(|assay| assay.limit_of_detection)
    }

    /// Last day of follow-up, if nothing ends it before.
    pub fn horizon_day(&self) -> f64 {
        let spec = &self.experiment.spec;
        spec.horizon_days - spec.accrual_days * self.who.covariates.accrual_share
    }

    /// Names of the genotypes met so far; those that differ in silent hits only share one.
    pub fn genotype_names(&self) -> Vec<String> {
        (0..self.genotypes.len() as u32)
            .map(|kind| self.genotypes.name(&self.experiment.catalogue, kind))
            .collect()
    }

    /// The alterations in force of the genotypes met so far, in the order of their names.
    pub fn genotype_alterations(&self) -> Vec<Vec<String>> {
        let name = |&alteration: &usize| self.experiment.catalogue.alterations[alteration].name.clone();
        self.genotypes.iter().map(|genotype| genotype.carried.iter().map(name).collect()).collect()
    }

    /// The same of the genotypes that are written down, by their names.
    pub(crate) fn carried(&self) -> Carried {
        let written = &self.state.records.compositions;
        let written: BTreeSet<&str> = written.iter().map(|each| each.genotype.as_str()).collect();
        let met = self.genotype_names().into_iter().zip(self.genotype_alterations());
        met.filter(|(name, _)| written.contains(name.as_str())).collect()
    }

    /// What is written down so far: the tables of a batch run, of this patient and arm.
    pub fn tables(&self) -> Vec<(&'static str, Table)> {
        let life = Life { patient: self.id(), arms: vec![self.records().clone()] };
        life.tables(&[self.arm().to_owned()], &self.carried())
    }

    /// Real cells that an individual of the engine stands for.
    pub fn scale(&self) -> u64 {
        self.state.burden.scale()
    }

    /// Which engine holds the cells.
    pub fn engine(&self) -> &'static str {
        match self.experiment.spec.engine {
            Holding::Clones => "clones",
            Holding::Cells { .. } => "cells",
            Holding::Lattice { .. } => "lattice",
        }
    }

    /// The smallest box of sites that holds the tumour; `None` without a lattice.
    pub fn sites(&self) -> Option<Sites> {
        let lattice = self.state.burden.lattice()?;
        let dimensions = lattice.space().dimensions as usize;
        let (mut low, mut high) = ([0; 3], [0; 3]);
        for cell in lattice.cells() {
            for axis in 0..3 {
                low[axis] = low[axis].min(cell.place[axis]);
                high[axis] = high[axis].max(cell.place[axis]);
            }
        }
        let shape = [0, 1, 2].map(|axis| (high[axis] - low[axis] + 1) as usize);
        let mut genotypes = vec![0u16; shape.iter().product()];
        for cell in lattice.cells() {
            let [x, y, z] = [0, 1, 2].map(|axis| (cell.place[axis] - low[axis]) as usize);
            genotypes[(x * shape[1] + y) * shape[2] + z] = cell.kind as u16 + 1;
        }
        Some(Sites { origin: low[..dimensions].to_vec(), shape: shape[..dimensions].to_vec(), genotypes })
    }

    /// Ids of the living clones.
    pub fn clone_ids(&self) -> Vec<u64> {
        self.state.burden.records().iter().map(|clone| clone.id).collect()
    }

    /// Living clones: their cells, and their rates (per day) under the drugs of the last doses.
    pub fn clone_table(&self) -> Table {
        let records = self.state.burden.records();
        let (names, carried) = (self.genotype_names(), self.genotype_alterations());
        let rates: Vec<Rates> = (0..names.len() as u32).map(|kind| self.rates_of(kind)).collect();
        let of = |pick: fn(Rates) -> f64| {
            Column::F64(records.iter().map(|clone| pick(rates[clone.kind as usize])).collect())
        };
        let (mut genotype, mut alterations) = (Texts::default(), Lists::default());
        for clone in &records {
            genotype.push(&names[clone.kind as usize]);
            alterations.push(&carried[clone.kind as usize]);
        }
        // Steps are counted from the first cell.
        let before = (self.state.grown_days + self.state.enrolled_day) as f64;
        let born = |step: u64| step as f64 * self.experiment.spec.dt - before;
        let total = self.cells() as f64;
        let mut table = Table::default();
        table.put("clone", Column::U64(records.iter().map(|clone| clone.id).collect()));
        table.put("parent", Column::MaybeU64(records.iter().map(|clone| clone.parent).collect()));
        table.put("kind", Column::U32(records.iter().map(|clone| clone.kind).collect()));
        table.put("genotype", Column::Text(genotype));
        table.put("alterations", Column::List(alterations));
        table.put("born_day", Column::F64(records.iter().map(|clone| born(clone.born_step)).collect()));
        table.put("cells", Column::U64(records.iter().map(|clone| clone.cells).collect()));
        table.put("origins", Column::U64(records.iter().map(|clone| clone.origins).collect()));
        table.put("fraction", Column::F64(records.iter().map(|clone| clone.cells as f64 / total).collect()));
        table.put("division", of(|rates| rates.division));
        table.put("death", of(|rates| rates.death));
        table
    }

    /// Living cells of each genotype, in the order of its oldest clone, and its rates as in `clone_table`. Genotypes
    /// that differ in silent hits only share a name, and a row.
    pub fn genotype_table(&self) -> Table {
        let (names, carried) = (self.genotype_names(), self.genotype_alterations());
        let total = self.cells() as f64;
        let mut row_of: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut kinds, mut cells, mut fraction) = (Vec::new(), Vec::new(), Vec::new());
        for clone in self.state.burden.records() {
            let row = *row_of.entry(names[clone.kind as usize].as_str()).or_insert(kinds.len());
            if row == kinds.len() {
                kinds.push(clone.kind);
                cells.push(0);
                fraction.push(0.0);
            }
            cells[row] += clone.cells;
            fraction[row] += clone.cells as f64 / total;
        }
        let rates: Vec<Rates> = kinds.iter().map(|&kind| self.rates_of(kind)).collect();
        let (mut genotype, mut alterations) = (Texts::default(), Lists::default());
        for &kind in &kinds {
            genotype.push(&names[kind as usize]);
            alterations.push(&carried[kind as usize]);
        }
        let mut table = Table::default();
        table.put("genotype", Column::Text(genotype));
        table.put("alterations", Column::List(alterations));
        table.put("cells", Column::U64(cells));
        table.put("fraction", Column::F64(fraction));
        table.put("division", Column::F64(rates.iter().map(|rates| rates.division).collect()));
        table.put("death", Column::F64(rates.iter().map(|rates| rates.death).collect()));
        table
    }

    /// Clones that died out, in that order, if they are remembered: those of counted cells.
    pub fn extinct_table(&self) -> Option<Table> {
        if !self.experiment.spec.keep_extinct {
            return None;
        }
        let extinct = self.state.burden.extinct();
        let before = (self.state.grown_days + self.state.enrolled_day) as f64;
        let day = |step: u64| step as f64 * self.experiment.spec.dt - before;
        let mut table = Table::default();
        table.put("clone", Column::U64(extinct.iter().map(|clone| clone.record.id).collect()));
        table.put("parent", Column::MaybeU64(extinct.iter().map(|clone| clone.record.parent).collect()));
        table.put("kind", Column::U32(extinct.iter().map(|clone| clone.record.kind).collect()));
        table.put("born_day", Column::F64(extinct.iter().map(|clone| day(clone.record.born_step)).collect()));
        table.put("died_day", Column::F64(extinct.iter().map(|clone| day(clone.died_step)).collect()));
        table.put("origins", Column::U64(extinct.iter().map(|clone| clone.record.origins).collect()));
        Some(table)
    }

    /// The row of the `patients` table.
    pub fn covariate_table(&self) -> Table {
        patient_table(self.state.at_enrolment.as_slice(), &self.experiment.spec.population)
    }

    /// Drugs of the running line, and those that are still in the body.
    pub fn drug_table(&self) -> Table {
        let drugs = &self.experiment.spec.drugs;
        let line = self.state.treatment.line.as_ref();
        let course_of =
            |drug: usize| line.and_then(|line| line.courses.iter().find(|course| course.drug == drug));
        let shown: Vec<(usize, Option<&DrugCourse>)> = (0..drugs.len())
            .map(|drug| (drug, course_of(drug)))
            .filter(|(drug, course)| course.is_some() || self.state.body.concentrations[*drug] > 0.0)
            .collect();
        let (mut names, mut states, mut reasons) = (Texts::default(), Texts::default(), Texts::default());
        for &(drug, course) in &shown {
            names.push(&drugs[drug].name);
            let (state, reason) = match (line, course) {
                (Some(line), Some(course)) => self.dose_state(line, course),
                _ => ("stopped", ""),
            };
            states.push(state);
            reasons.push(reason);
        }
        let concentration = |drug: usize| self.state.body.concentrations[drug];
        let mut table = Table::default();
        table.put("drug", Column::Text(names));
        table.put("dose", Column::F64(shown.iter().map(|(_, c)| c.map_or(0.0, |c| c.dose)).collect()));
        table.put("state", Column::Text(states));
        table.put("held_for", Column::Text(reasons));
        table.put("concentration", Column::F64(shown.iter().map(|&(d, _)| concentration(d)).collect()));
        table.put(
            "relative_concentration",
            Column::F64(shown.iter().map(|&(d, _)| concentration(d) / drugs[d].steady_state).collect()),
        );
        table
    }

    /// Whether a drug of the line is due on the day of the next doses, and what keeps it back.
    fn dose_state(&self, line: &RunningLine, course: &DrugCourse) -> (&'static str, &'static str) {
        let today = self.state.day;
        if course.held_by_hand {
            ("held", "by hand")
        } else if course.held_at_neutrophils.is_some() {
            ("held", "neutrophils")
        } else if course.held_adaptively {
            ("held", "adaptive dosing")
        } else if line.on_holiday(course.drug, today) {
            ("held", "holiday")
        } else if course.is_due() {
            ("taken", "")
        } else {
            ("off day", "")
        }
    }
}
