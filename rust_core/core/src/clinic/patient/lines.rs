//! A line of therapy: begun, gone on with, and left.

use crate::clinic::instruments::response::Course;
use crate::clinic::patient::records::Outcome;
use crate::clinic::patient::state::Patient;
use crate::clinic::patient::treatment::{DrugCourse, Held, RunningLine};
use crate::clinic::plan::end_reason::EndReason;
use crate::clinic::plan::strategy::{Dosing, Line, OBSERVATION, RegimenOption};
use crate::clinic::plan::therapy::TherapyLine;
use crate::random::{Purpose, choose, stream, uniform};

impl Patient {
    pub(crate) fn start_line(&mut self) {
        while self.state.treatment.line.is_none()
            && self.state.treatment.begun < self.state.treatment.plan.len()
        {
            let plan = self.state.treatment.plan.clone();
            let line = &plan[self.state.treatment.begun];
            self.state.treatment.begun += 1;
            let number = self.state.treatment.number();
            self.sample_plasma(number);
            let Some(option) = self.choose(line, number) else { continue };
            let mut courses: Vec<DrugCourse> = Vec::new();
            for dosing in &option.regimen {
                match self.course(dosing) {
                    Some(course) => courses.push(course),
                    None => self.note(number, "drug left out", not_tolerated(&dosing.drug)),
                }
            }
            if courses.is_empty() && !option.regimen.is_empty() {
                self.note(number, "line skipped", "no drug of it is tolerated");
                continue;
            }
            self.open_line(number, line, courses);
        }
    }

    /// The first option that fits, or, where they have shares, one drawn among those that fit. Twins draw alike.
    fn choose<'a>(&self, line: &'a Line, number: u32) -> Option<&'a RegimenOption> {
        let fits = |option: &&RegimenOption| option.when.as_ref().is_none_or(|when| self.holds(when, None));
        let fitting: Vec<&RegimenOption> = line.options.iter().filter(fits).collect();
        let shares: Option<Vec<f64>> = fitting.iter().map(|option| option.share).collect();
        let Some(shares) = shares.filter(|shares| shares.len() > 1) else {
            return fitting.first().copied().or(line.options.last());
        };
        let rng =
            &mut stream(self.experiment.spec.seed, self.who.id, Purpose::Choice, self.line_index(number));
        fitting.get(choose(&shares, uniform(rng)) - 1).copied()
    }

    /// Begin a line with these drugs: what the scans of today show is its baseline.
    pub(crate) fn open_line(&mut self, number: u32, line: &Line, courses: Vec<DrugCourse>) {
        let names = |drugs: &[String]| -> Vec<usize> {
            if drugs.is_empty() {
                (0..self.experiment.spec.drugs.len()).collect()
            } else {
                drugs.iter().filter_map(|name| self.experiment.drug(name)).collect()
            }
        };
        let holiday_drugs = line.holiday.as_ref().map_or_else(Vec::new, |holiday| names(&holiday.drugs));
        let adaptive_drugs = line.adaptive.as_ref().map_or_else(Vec::new, |adaptive| names(&adaptive.drugs));
        let assay = self.experiment.spec.liquid_biopsy.as_ref();
        let regimen = self.regimen_name(&courses);
        let (targets, baseline) = self.baseline_scan();
        let running = RunningLine {
            number,
            started: self.state.day,
            cycle_days: courses.iter().map(|course| course.schedule.cycle_days).max().unwrap_or(1),
            kinds: self.kinds_of(&courses),
            courses,
            holiday_drugs,
            adaptive_drugs,
            targets,
            response: Course::new(baseline, self.experiment.spec.criteria),
            next_scan: self.next_scan(0.0),
            next_biopsy: assay.map_or(f64::INFINITY, |assay| assay.every_days),
            started_cm3: self.volume_cm3(),
            sld_change: None,
            lowest_neutrophils: f64::NAN,
            progressed: None,
            rules_used: vec![false; line.rules.len()],
            regimen: regimen.clone(),
            line: line.clone(),
        };
        self.state.unseen_lesions = 0;
        if number == 1 {
            self.note_composition(1, "baseline");
        }
        self.note(number, "line started", regimen);
        self.state.treatment.line = Some(running);
    }

    pub(crate) fn course(&self, dosing: &Dosing) -> Option<DrugCourse> {
        let drug = self.experiment.drug(&dosing.drug)?;
        if self.state.treatment.not_tolerated.contains(&drug) {
            return None;
        }
        let schedule = dosing.schedule.clone().unwrap_or_else(|| self.drug(drug).schedule.clone());
        let mut course = DrugCourse::new(drug, dosing.dose, schedule);
        if let Some(model) = self.experiment.spec.neutropenia
            && self.drug(drug).is_myelotoxic()
        {
            course.hold_for(self.state.body.marrow.neutrophils(), &model);
        }
        Some(course)
    }

    /// The course as it goes on, if the drug was taken before: holds and reductions stay, and, on the same
    /// schedule, its cycle.
    pub(crate) fn continued(&self, course: DrugCourse, line: Option<&RunningLine>, held: Held) -> DrugCourse {
        let before = line.and_then(|line| line.courses.iter().find(|before| before.drug == course.drug));
        let Some(before) = before else { return course };
        let kept = held == Held::Kept;
        let clock = if before.schedule == course.schedule { before.clock } else { course.clock };
        DrugCourse {
            dose: self.drug(course.drug).reduced(course.planned_dose, before.reductions),
            planned_dose: course.planned_dose,
            schedule: course.schedule,
            clock,
            held_by_hand: before.held_by_hand && kept,
            held_adaptively: before.held_adaptively && kept,
            ..before.clone()
        }
    }

    pub(crate) fn regimen_name(&self, courses: &[DrugCourse]) -> String {
        if courses.is_empty() {
            return OBSERVATION.into();
        }
        let name = |course: &DrugCourse| {
            let name = &self.drug(course.drug).name;
            if (course.dose - 1.0).abs() < 1e-9 {
                name.clone()
            } else {
                format!("{name} {:.0}%", course.dose * 100.0)
            }
        };
        courses.iter().map(name).collect::<Vec<_>>().join(" + ")
    }

    pub(crate) fn kinds_of(&self, courses: &[DrugCourse]) -> Vec<usize> {
        self.experiment.kinds_of_therapy(courses.iter().map(|course| course.drug))
    }

    pub(crate) fn end_line(&mut self, reason: EndReason) {
        let Some(line) = self.state.treatment.line.take() else { return };
        let pfs_end = line.progressed.unwrap_or(self.state.day);
        let pfs_days = pfs_end - line.started;
        let start_day = line.started - self.state.enrolled_day;
        let progressed = line.progressed.is_some();
        self.state.records.outcomes.push(Outcome {
            line: line.number,
            regimen: line.regimen.clone(),
            start_day,
            end_day: self.day(),
            end_reason: reason,
            pfs_days,
            progressed,
            pfs_event: progressed || reason == EndReason::Death,
            best_sld_change: line.response.best_change(),
            response: line.response.best(),
            lowest_neutrophils: line.lowest_neutrophils,
        });
        self.state.treatment.last_line_days = Some(pfs_days);
        let kinds = line.kinds;
        if !kinds.is_empty() {
            self.who.past.therapy.push(TherapyLine { kinds, days: pfs_days, progressed });
        }
        if !progressed {
            self.note_composition(line.number, "end");
        }
        self.note(line.number, "line ended", reason.name());
    }
}

pub(crate) fn not_tolerated(drug: &str) -> String {
    format!("{drug} was not tolerated before")
}
