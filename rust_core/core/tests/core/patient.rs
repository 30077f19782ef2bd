//! One patient, stepped: the same life as in a cohort, in pieces, copied and saved.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use tumor_abm_core::cancel::NEVER;
use tumor_abm_core::clinic::cohort::Cohort;
use tumor_abm_core::clinic::patient::experiment::{Experiment, Spec};
use tumor_abm_core::clinic::patient::intervention::Intervention;
use tumor_abm_core::clinic::patient::state::{Patient, Status};
use tumor_abm_core::table::{Column, Table};
use tumor_abm_core::{Error, Result};

fn spec() -> Spec {
    serde_json::from_str(include_str!("../fixtures/experiment.json"))
        .expect("the fixture is a valid experiment")
}

fn patient(spec: Spec, id: u64, arm: usize) -> Result<Patient> {
    let mut patient = Patient::enrolled(&Arc::new(Experiment::new(spec)?), id, &AtomicBool::new(false))?;
    patient.enter(Some(arm))?;
    Ok(patient)
}

fn followed(mut patient: Patient) -> Result<Patient> {
    while patient.status() == Status::Followed {
        patient.step(&NEVER)?;
    }
    Ok(patient)
}

fn decide(json: &str) -> Intervention {
    serde_json::from_str(json).expect("a decision")
}

/// Tables as text: every digit of every number.
fn text(tables: &[(&str, Table)]) -> String {
    let mut out = String::new();
    for (table, columns) in tables {
        for (name, column) in &columns.columns {
            let cells = match column {
                Column::Text(texts) => format!("{:?} {:?}", texts.codes, texts.labels),
                Column::List(lists) => {
                    format!("{:?} {:?} {:?}", lists.lengths, lists.texts.codes, lists.texts.labels)
                }
                numbers => format!("{numbers:?}"),
            };
            writeln!(out, "{table}.{name}: {cells}").expect("a text can grow");
        }
    }
    out
}

/// The tables of one patient in one arm.
fn written(patient: &Patient) -> String {
    text(&patient.tables())
}

#[test]
fn a_stepped_patient_lives_the_life_of_the_cohort() -> Result<()> {
    for dt in [1.0, 0.5] {
        let mut spec = spec();
        (spec.dt, spec.horizon_days) = (dt, 400.0);
        spec.arms.truncate(1);
        let cohort = Cohort::new(Experiment::new(spec.clone())?);
        let batch = cohort.run(5, 1, &AtomicBool::new(false), &AtomicUsize::new(0))?;
        let stepped = followed(patient(spec, 5, 0)?)?;
        let of_life: Vec<(&str, Table)> = batch.into_iter().filter(|(name, _)| *name != "patients").collect();
        assert!(written(&stepped) == text(&of_life), "dt = {dt}");
    }
    Ok(())
}

#[test]
fn a_saved_patient_goes_on_exactly() -> Result<()> {
    let mut one = patient(spec(), 2, 0)?;
    for _ in 0..100 {
        one.step(&NEVER)?;
    }
    let bytes = one.save()?;
    let other = Patient::load(&bytes)?;
    assert!(other.save()? == bytes);
    let (one, other) = (followed(one)?, followed(other)?);
    assert!(written(&one) == written(&other));
    assert!(one.save()? == other.save()?);
    Ok(())
}

#[test]
fn a_part_of_a_day_is_saved_too() -> Result<()> {
    let mut spec = spec();
    (spec.dt, spec.horizon_days) = (0.25, 100.0);
    let mut one = patient(spec, 2, 0)?;
    for _ in 0..30 {
        one.step(&NEVER)?;
    }
    assert_eq!(one.time().to_bits(), 7.5f64.to_bits());
    let other = Patient::load(&one.save()?)?;
    assert!(followed(one)?.save()? == followed(other)?.save()?);
    Ok(())
}

#[test]
fn twins_part_at_a_decision_and_not_before() -> Result<()> {
    let mut one = patient(spec(), 4, 0)?;
    for _ in 0..50 {
        one.step(&NEVER)?;
    }
    let mut twin = one.clone();
    for _ in 0..50 {
        one.step(&NEVER)?;
        twin.step(&NEVER)?;
    }
    assert!(one.save()? == twin.save()?);
    twin.intervene(&decide(r#"{"kind": "hold", "drugs": []}"#))?;
    for _ in 0..30 {
        one.step(&NEVER)?;
        twin.step(&NEVER)?;
    }
    assert!(twin.cells() != one.cells());
    Ok(())
}

#[test]
fn what_cannot_be_done_changes_nothing() -> Result<()> {
    let mut one = patient(spec(), 4, 0)?;
    let before = one.save()?;
    for (decision, said) in [
        (r#"{"kind": "hold", "drugs": ["aspirin"]}"#, "not a known drug"),
        (r#"{"kind": "resume", "drugs": []}"#, "not on hold"),
        (r#"{"kind": "plan", "lines": []}"#, "no line"),
    ] {
        let refused = one.intervene(&decide(decision)).map_err(|error| error.to_string()).err();
        assert!(refused.as_ref().is_some_and(|message| message.contains(said)), "{refused:?}");
    }
    assert!(one.save()? == before);
    Ok(())
}

#[test]
fn bytes_that_are_no_patient_are_refused() -> Result<()> {
    let bytes = patient(spec(), 0, 0)?.save()?;
    let refused = |bytes: &[u8]| matches!(Patient::load(bytes), Err(Error::Input { .. }));
    assert!(refused(b""));
    assert!(refused(&bytes[1..]));
    assert!(refused(&bytes[..bytes.len() - 1]));
    let mut damaged = bytes.clone();
    damaged[40] ^= 1;
    assert!(refused(&damaged));
    Ok(())
}
