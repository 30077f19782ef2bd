//! The clinic of one day: start a line, see the patient, leave a line.

use crate::biology::pharmacology::Drug;
use crate::clinic::DAYS_PER_MONTH;
use crate::clinic::covariates::choose;
use crate::clinic::endocrine::EndocrineLine;
use crate::clinic::monitoring::BLOOD_EVERY_DAYS;
use crate::clinic::patient::{Patient, Status};
use crate::clinic::records::{Composition, EndReason, Event, Outcome, Overall, TrajectoryPoint};
use crate::clinic::response::Course;
use crate::clinic::strategy::{Dosing, Line, RegimenOption};
use crate::clinic::treatment::{DrugCourse, RunningLine};
use crate::random::{Purpose, stream, uniform};

/// Genotypes below this share of cells are left out of the composition table.
const SMALLEST_SHARE: f64 = 1e-6;
/// Lines before enrolment that are told apart in random choices.
const MOST_LINES: u64 = 1 << 16;

impl Patient {
    /// All that a doctor does on the morning of a day.
    pub(crate) fn visit(&mut self) {
        if self.treatment.line.is_none() {
            self.start_line();
        }
        if let Some(mut line) = self.treatment.line.take() {
            let reason = self.care(&mut line);
            self.treatment.line = Some(line);
            if let Some(reason) = reason {
                self.end_line(reason);
                self.start_line();
            }
        }
        self.note_trajectory();
    }

    pub(crate) fn note(&mut self, line: u32, event: &'static str, detail: impl Into<String>) {
        let day = self.day();
        self.records.events.push(Event { day, line, event: event.into(), detail: detail.into() });
    }

    fn note_trajectory(&mut self) {
        let every = u64::from(self.experiment.spec.trajectory_every_days);
        if every > 0 && self.day().is_multiple_of(every) {
            let point = TrajectoryPoint {
                day: self.day(),
                line: self.treatment.line.as_ref().map_or(0, |line| line.number),
                cells: self.cells(),
                volume_cm3: self.volume_cm3(),
                sld_mm: self.true_sld_mm(),
                neutrophils: self.body.marrow.neutrophils(),
            };
            self.records.trajectory.push(point);
        }
    }

    pub(crate) fn note_composition(&mut self, line: u32, moment: &'static str) {
        let total = self.cells() as f64;
        let day = self.day();
        for (genotype, cells) in self.composition() {
            let fraction = cells as f64 / total;
            if fraction >= SMALLEST_SHARE {
                let moment = moment.into();
                self.records.compositions.push(Composition { line, day, moment, genotype, cells, fraction });
            }
        }
    }

    // --- starting a line ---------------------------------------------------------------------

    pub(crate) fn start_line(&mut self) {
        while self.treatment.line.is_none() && self.treatment.begun < self.treatment.plan.len() {
            let plan = self.treatment.plan.clone();
            let line = &plan[self.treatment.begun];
            self.treatment.begun += 1;
            let number = self.treatment.number();
            self.sample_plasma(number);
            let Some(option) = self.choose(line, number) else { continue };
            let mut courses: Vec<DrugCourse> = Vec::new();
            for dosing in &option.regimen {
                match self.course(dosing) {
                    Some(course) => courses.push(course),
                    None => self.note(number, "drug left out", not_tolerated(&dosing.drug)),
                }
            }
            if courses.is_empty() {
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
        let rng = &mut stream(self.experiment.spec.seed, self.id, Purpose::Choice, self.line_index(number));
        fitting.get(choose(&shares, uniform(rng)) - 1).copied()
    }

    /// Names a line in random choices: those before and after enrolment are told apart.
    pub(crate) fn line_index(&self, number: u32) -> u64 {
        u64::from(number) + if self.treatment.is_observed() { MOST_LINES } else { 0 }
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
            started: self.day,
            cycle_days: courses.iter().map(|course| course.schedule.cycle_days).max().unwrap_or(1),
            courses,
            holiday_drugs,
            adaptive_drugs,
            targets,
            response: Course::new(baseline, self.experiment.spec.criteria),
            next_scan: self.experiment.spec.assessment.next(0.0),
            next_biopsy: assay.map_or(f64::INFINITY, |assay| assay.every_days),
            started_cm3: self.volume_cm3(),
            sld_change: None,
            lowest_neutrophils: f64::NAN,
            progressed: None,
            rules_used: vec![false; line.rules.len()],
            regimen: regimen.clone(),
            line: line.clone(),
        };
        self.unseen_lesions = 0;
        if number == 1 {
            self.note_composition(1, "baseline");
        }
        self.note(number, "line started", regimen);
        self.treatment.line = Some(running);
    }

    pub(crate) fn course(&self, dosing: &Dosing) -> Option<DrugCourse> {
        let drug = self.experiment.drug(&dosing.drug)?;
        if self.treatment.not_tolerated.contains(&drug) {
            return None;
        }
        let schedule = dosing.schedule.clone().unwrap_or_else(|| self.drug(drug).schedule.clone());
        let mut course = DrugCourse::new(drug, dosing.dose, schedule);
        if let Some(model) = self.experiment.spec.neutropenia
            && self.drug(drug).is_myelotoxic()
        {
            course.hold_for(self.body.marrow.neutrophils(), &model);
        }
        Some(course)
    }

    pub(crate) fn drug(&self, index: usize) -> &Drug {
        &self.experiment.spec.drugs[index]
    }

    pub(crate) fn regimen_name(&self, courses: &[DrugCourse]) -> String {
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

    // --- during a line -----------------------------------------------------------------------

    fn care(&mut self, line: &mut RunningLine) -> Option<EndReason> {
        let days = line.days(self.day);
        if days > 0 && days.is_multiple_of(BLOOD_EVERY_DAYS) {
            self.look_at_blood(line);
        }
        if let Some(reason) = self.check_tolerance(line) {
            return Some(reason);
        }
        let mut news = false;
        let falls_ill = self.deteriorates(line);
        let planned = self.scan_of_today(line);
        if let Some(evaluable) = planned.or(falls_ill.then_some(true)) {
            news = true;
            if let Some(reason) = self.scan(line, evaluable) {
                return Some(reason);
            }
        }
        if falls_ill && line.progressed.is_none() {
            return Some(EndReason::Deterioration);
        }
        if days as f64 >= line.next_biopsy {
            news = true;
            if let Some(assay) = &self.experiment.spec.liquid_biopsy {
                line.next_biopsy += assay.every_days;
            }
            self.sample_plasma(line.number);
        }
        if news
            && line.progressed.is_none()
            && let Some(reason) = self.apply_rules(line)
        {
            return Some(reason);
        }
        let until = &line.line.until;
        let over = until.months.is_some_and(|months| days as f64 >= months * DAYS_PER_MONTH)
            || until.cycles.is_some_and(|cycles| line.cycles_given(self.day) >= u64::from(cycles));
        over.then_some(EndReason::Completed)
    }

    // --- leaving a line ----------------------------------------------------------------------

    pub(crate) fn end_line(&mut self, reason: EndReason) {
        let Some(line) = self.treatment.line.take() else { return };
        let pfs_end = line.progressed.unwrap_or(self.day);
        let pfs_days = pfs_end - line.started;
        let start_day = line.started - self.enrolled_day;
        let progressed = line.progressed.is_some();
        self.records.outcomes.push(Outcome {
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
        self.treatment.last_line_days = Some(pfs_days);
        let drugs = &self.experiment.spec.drugs;
        if line.courses.iter().any(|course| drugs[course.drug].is_endocrine()) {
            self.past.endocrine.push(EndocrineLine { days: pfs_days, progressed });
        }
        if !progressed {
            self.note_composition(line.number, "end");
        }
        self.note(line.number, "line ended", reason.name());
    }

    /// Close the books at the end of follow-up.
    pub(crate) fn close(&mut self) {
        let (day, died) = match self.status() {
            Status::Dead(day) => (day, true),
            Status::Censored(day) => (day, false),
            Status::Followed => (self.day(), false),
        };
        self.end_line(if died { EndReason::Death } else { EndReason::Censored });
        self.note(0, if died { "death" } else { "end of follow-up" }, "");
        self.records.overall =
            Some(Overall { os_days: day, os_event: died, pfs2: self.progression_on_next_line(day, died) });
    }

    /// PFS2: day and event of progression on the line that follows on the first, or of death. Who leaves that
    /// line without progression is followed to the next one. None where no second line is planned or given.
    fn progression_on_next_line(&self, last_day: u64, died: bool) -> Option<(u64, bool)> {
        let mut begun = self.records.outcomes.iter().skip(1);
        let next = begun.next();
        if next.is_none() && self.treatment.plan.len() < 2 {
            return None;
        }
        let progressed = next.filter(|line| line.progressed).map(|line| line.start_day + line.pfs_days);
        let left = begun.next().map(|line| line.start_day);
        Some(match (progressed, left) {
            (Some(day), _) => (day, true),
            (None, Some(day)) => (day, false),
            (None, None) => (last_day, died),
        })
    }
}

pub(crate) fn not_tolerated(drug: &str) -> String {
    format!("{drug} was not tolerated before")
}
