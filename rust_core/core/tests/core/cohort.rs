//! Cohorts: the promises of determinism, virtual twins and origin from one cell.

// Whole numbers compare exactly.
#![allow(clippy::float_cmp, reason = "the same to the last bit is what is meant")]

use std::sync::atomic::{AtomicBool, AtomicUsize};
use tumor_abm_core::cancel::NEVER;
use tumor_abm_core::clinic::cohort::Cohort;
use tumor_abm_core::clinic::patient::covariates::Covariates;
use tumor_abm_core::clinic::patient::experiment::{Experiment, Spec};
use tumor_abm_core::table::{Column, Lists, Table};
use tumor_abm_core::{Error, Result};

type Tables = Vec<(&'static str, Table)>;

fn spec() -> Spec {
    serde_json::from_str(include_str!("../fixtures/experiment.json"))
        .expect("the fixture is a valid experiment")
}

fn run(spec: Spec, first: u64, patients: u64, threads: usize) -> Result<Tables> {
    let cohort = Cohort::new(Experiment::new(spec)?);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.install(|| cohort.run(first, patients, &AtomicBool::new(false), &AtomicUsize::new(0)))
}

fn column<'a>(tables: &'a Tables, table: &str, name: &str) -> &'a Column {
    let (_, table) = tables.iter().find(|(known, _)| *known == table).expect("table");
    &table.columns.iter().find(|(known, _)| known == name).expect("column").1
}

fn numbers(column: &Column) -> Vec<f64> {
    match column {
        Column::U64(v) => v.iter().map(|&x| x as f64).collect(),
        Column::MaybeU64(v) => v.iter().map(|x| x.map_or(f64::NAN, |x| x as f64)).collect(),
        Column::U32(v) => v.iter().map(|&x| f64::from(x)).collect(),
        Column::MaybeU32(v) => v.iter().map(|x| x.map_or(f64::NAN, f64::from)).collect(),
        Column::I32(v) => v.iter().map(|&x| f64::from(x)).collect(),
        Column::F64(v) => v.clone(),
        Column::Bool(v) => v.iter().map(|&x| f64::from(u8::from(x))).collect(),
        Column::Flag(v) => v.iter().map(|x| x.map_or(f64::NAN, |flag| f64::from(u8::from(flag)))).collect(),
        Column::Text(texts) => texts.codes.iter().map(|&x| f64::from(x)).collect(),
        Column::List(lists) => lists.lengths.iter().map(|&x| f64::from(x)).collect(),
    }
}

fn texts(column: &Column) -> Vec<&str> {
    match column {
        Column::Text(texts) | Column::List(Lists { texts, .. }) => {
            texts.codes.iter().map(|&code| texts.labels[code as usize].as_str()).collect()
        }
        _ => Vec::new(),
    }
}

/// Every bit of every number, NaN included, and every text.
fn bits(tables: &Tables) -> Vec<(String, Vec<u64>, Vec<String>)> {
    let mut out = Vec::new();
    for (table, columns) in tables {
        for (name, column) in &columns.columns {
            let words = numbers(column).iter().map(|x| x.to_bits()).collect();
            let texts = texts(column).iter().map(ToString::to_string).collect();
            out.push((format!("{table}.{name}"), words, texts));
        }
    }
    out
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() -> Result<()> {
    let one = run(spec(), 0, 12, 1)?;
    for threads in [2, 4] {
        assert_eq!(bits(&one), bits(&run(spec(), 0, 12, threads)?));
    }
    Ok(())
}

#[test]
fn a_patient_is_the_same_in_every_chunk() -> Result<()> {
    let whole = run(spec(), 0, 8, 2)?;
    let part = run(spec(), 5, 3, 2)?;
    let of_patient = |tables: &Tables, id: f64| -> Vec<f64> {
        let who = numbers(column(tables, "outcomes", "patient"));
        let pfs = numbers(column(tables, "outcomes", "pfs_months"));
        who.iter().zip(pfs).filter(|(w, _)| **w == id).map(|(_, months)| months).collect()
    };
    for id in [5.0, 6.0, 7.0] {
        assert_eq!(of_patient(&whole, id), of_patient(&part, id));
    }
    Ok(())
}

#[test]
fn twins_share_their_life_up_to_the_first_difference() -> Result<()> {
    // One in sixty switches.
    let tables = run(spec(), 0, 1000, 2)?;
    let (who, arm, day) = (
        numbers(column(&tables, "assessments", "patient")),
        texts(column(&tables, "assessments", "arm")),
        numbers(column(&tables, "assessments", "day")),
    );
    let sld = numbers(column(&tables, "assessments", "sld_mm"));
    let rules: Vec<(f64, f64)> = texts(column(&tables, "events", "event"))
        .iter()
        .zip(numbers(column(&tables, "events", "patient")))
        .zip(numbers(column(&tables, "events", "day")))
        .filter(|((event, _), _)| **event == "rule")
        .map(|((_, patient), day)| (patient, day))
        .collect();
    assert!(!rules.is_empty(), "nobody switched: the test would assert nothing");
    let scans = |patient: f64, of_arm: &str, until: f64| -> Vec<u64> {
        (0..who.len())
            .filter(|&i| who[i] == patient && arm[i] == of_arm && day[i] <= until)
            .map(|i| sld[i].to_bits())
            .collect()
    };
    let switched = rules.iter().map(|&(patient, _)| patient);
    for patient in (0..30).map(f64::from).chain(switched) {
        let until = rules.iter().find(|(p, _)| *p == patient).map_or(f64::INFINITY, |(_, day)| *day);
        assert_eq!(scans(patient, "stay", until), scans(patient, "switch", until));
    }
    Ok(())
}

#[test]
fn no_resistant_cell_comes_from_anywhere_but_mutation() -> Result<()> {
    let mut spec = spec();
    spec.alterations.clear();
    spec.population.founder.clear();
    spec.liquid_biopsy = None;
    spec.arms.truncate(1);
    let tables = run(spec, 0, 5, 2)?;
    let genotypes = texts(column(&tables, "clones", "genotype"));
    assert!(!genotypes.is_empty());
    assert!(genotypes.iter().all(|genotype| *genotype == "wild type"));
    Ok(())
}

#[test]
fn lines_follow_each_other_without_gap_and_end_for_a_reason() -> Result<()> {
    let tables = run(spec(), 0, 20, 2)?;
    let line = numbers(column(&tables, "outcomes", "line"));
    let start = numbers(column(&tables, "outcomes", "start_day"));
    let end = numbers(column(&tables, "outcomes", "end_day"));
    for i in 0..line.len() {
        assert!(start[i] <= end[i]);
        if line[i] > 1.0 {
            assert_eq!(start[i].to_bits(), end[i - 1].to_bits());
        } else {
            assert_eq!(start[i].to_bits(), 0f64.to_bits());
        }
    }
    Ok(())
}

#[test]
fn follow_up_that_ends_with_the_last_line_changes_nothing_before() -> Result<()> {
    let mut spec = spec();
    let whole = run(spec.clone(), 0, 20, 2)?;
    spec.end_with_last_line = true;
    let cut = run(spec, 0, 20, 2)?;
    for name in ["pfs_months", "pfs_event", "best_sld_change"] {
        let of = |tables: &Tables| -> Vec<u64> {
            numbers(column(tables, "outcomes", name)).iter().map(|x| x.to_bits()).collect()
        };
        assert_eq!(of(&whole), of(&cut), "{name}");
    }
    let days = |tables: &Tables| -> f64 { numbers(column(tables, "overall", "os_months")).iter().sum() };
    assert!(days(&cut) < days(&whole));
    Ok(())
}

#[test]
fn growth_and_a_covariate_of_the_pathway_correlate_as_told() -> Result<()> {
    let mut spec = spec();
    spec.population.covariates[0].correlated_with = Some("net_growth_per_day".into());
    spec.population.covariates[0].correlation = -0.6;
    let experiment = Experiment::new(spec)?;
    let mut drawn: Vec<(f64, f64)> = (0..4000)
        .map(|id| {
            let population = &experiment.spec.population;
            let one = Covariates::draw(population, &experiment.catalogue, 20_260_417, id, 0);
            // Site changes growth afterwards, so only patients of one kind are compared.
            let dependence = one.physiology.covariates[0];
            let kind = one.site.is_some();
            (
                if kind { f64::NAN } else { libm::log(one.net_growth_per_day) },
                libm::log(dependence / (1.0 - dependence)),
            )
        })
        .collect();
    drawn.retain(|(growth, _)| growth.is_finite());
    let n = drawn.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| drawn.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(|d| d.0), mean(|d| d.1));
    let sum = |of: &dyn Fn(&(f64, f64)) -> f64| drawn.iter().map(of).sum::<f64>();
    let r = sum(&|d| (d.0 - x) * (d.1 - y))
        / (sum(&|d| (d.0 - x) * (d.0 - x)) * sum(&|d| (d.1 - y) * (d.1 - y))).sqrt();
    // Fisher's z at alpha = 1e-6; the cut of the growth law weakens the correlation by less than 0.02.
    assert!((libm::atanh(r) - libm::atanh(-0.6)).abs() < 4.9 / (n - 3.0).sqrt() + 0.03, "r = {r}, n = {n}");
    Ok(())
}

#[test]
fn a_cancelled_cohort_says_so() {
    let cohort = Cohort::new(Experiment::new(spec()).expect("valid"));
    let result = cohort.run(0, 4, &AtomicBool::new(true), &AtomicUsize::new(0));
    assert!(matches!(result, Err(Error::Interrupted)));
}

#[test]
fn impossible_experiments_are_refused_with_their_place() {
    let refusal = |change: fn(&mut Spec)| {
        let mut spec = spec();
        change(&mut spec);
        Experiment::new(spec).map_err(|error| error.to_string()).err().unwrap_or_default()
    };
    assert!(refusal(|s| s.arms[0].lines.clear()).contains("arm[0].line"));
    assert!(refusal(|s| s.arms[1].name = "stay".into()).contains("named twice"));
    assert!(refusal(|s| s.liquid_biopsy = None).contains("nobody measures \"ESR1\""));
    assert!(refusal(|s| s.drugs[0].schedule.days = vec![2]).contains("days of its cycle"));
    assert!(refusal(|s| s.drugs[0].half_life_h = -1.0).contains("half_life_h"));
    assert!(refusal(|s| s.pathway.constants[0] = f64::NAN).contains("pathway.constants"));
    assert!(refusal(|s| s.pathway.division = 9_999).contains("pathway.division"));
    assert!(refusal(|s| s.pathway.targets[0].potency = Some(99)).contains("pathway.targets"));
    assert!(refusal(|s| s.pathway.steps[0].1[0] = 9_999).contains("pathway.steps[0]"));
    assert!(refusal(|s| s.drugs[0].effects[0].target = 99).contains("target"));
    assert!(refusal(|s| s.alterations[0].effects.clear()).contains("one for each effect"));
    assert!(refusal(|s| s.dt = 0.7).contains("dt"));
    assert!(refusal(|s| s.population.founder[0].alteration = "X".into()).contains("population.founder"));
}

#[test]
fn a_step_too_long_for_a_patient_is_refused_before_any_cell_grows() {
    let mut spec = spec();
    spec.population.net_growth_per_day.low = 0.55; // even without any death
    spec.population.net_growth_per_day.median = 0.6;
    spec.population.net_growth_per_day.high = 0.6;
    let cohort = Cohort::new(Experiment::new(spec).expect("valid"));
    let message = cohort.check_step(10, &NEVER).map_err(|error| error.to_string()).err().unwrap_or_default();
    assert!(message.contains("patient 0") && message.contains("would do"), "{message}");
}
