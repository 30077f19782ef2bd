//! The clinic of one day: start a line, look at blood, scan, sample, decide, leave a line.

use crate::biology::pharmacology::Drug;
use crate::clinic::DAYS_PER_MONTH;
use crate::clinic::covariates::choose;
use crate::clinic::patient::{Patient, Status};
use crate::clinic::records::{
    Assessment, Composition, EndReason, Event, Outcome, Overall, Reading, TrajectoryPoint,
};
use crate::clinic::response::{Course, Response, Scan};
use crate::clinic::strategy::{Action, Condition, Dosing, Line, RegimenOption};
use crate::clinic::treatment::{DrugCourse, RunningLine};
use crate::random::{Purpose, stream, uniform};

/// Days between blood counts.
const BLOOD_EVERY_DAYS: u64 = 7;
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

    fn note_composition(&mut self, line: u32, moment: &'static str) {
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
            let courses: Vec<DrugCourse> =
                option.regimen.iter().filter_map(|dosing| self.course(dosing)).collect();
            if courses.is_empty() {
                self.note(number, "line skipped", "no drug of it is tolerated");
                continue;
            }
            self.open_line(number, line, courses, line.adaptive.is_some());
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
    fn line_index(&self, number: u32) -> u64 {
        u64::from(number) + if self.treatment.is_observed() { MOST_LINES } else { 0 }
    }

    /// Begin a line with these drugs: what the scans of today show is its baseline.
    pub(crate) fn open_line(
        &mut self,
        number: u32,
        line: &Line,
        courses: Vec<DrugCourse>,
        against_baseline: bool,
    ) {
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
        let running = RunningLine {
            number,
            started: self.day,
            cycle_days: courses.iter().map(|course| course.schedule.cycle_days).max().unwrap_or(1),
            courses,
            holiday_drugs,
            adaptive_drugs,
            response: Course::new(self.measure(), !self.covariates.bone_only, against_baseline),
            next_scan: self.experiment.spec.assessment.next(0.0),
            next_biopsy: assay.map_or(f64::INFINITY, |assay| assay.every_days),
            nadir_cm3: self.volume_cm3(),
            sld_change: 0.0,
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
        Some(DrugCourse::new(drug, dosing.dose, schedule, self.day))
    }

    fn drug(&self, index: usize) -> &Drug {
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
        if self.is_scanned(line) {
            news = true;
            line.next_scan = self.experiment.spec.assessment.next(line.next_scan);
            if let Some(reason) = self.scan(line) {
                return Some(reason);
            }
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
            || until.cycles.is_some_and(|cycles| days >= u64::from(cycles) * u64::from(line.cycle_days));
        over.then_some(EndReason::Completed)
    }

    fn is_scanned(&self, line: &RunningLine) -> bool {
        let (spec, days) = (&self.experiment.spec, line.days(self.day) as f64);
        days >= line.next_scan - spec.assessment.window_days && {
            let index = self.line_index(line.number);
            days >= spec.assessment.made(line.next_scan, spec.seed, self.id, index)
        }
    }

    /// Hold myelotoxic drugs at low counts, resume them at recovery, with less dose after grade 4.
    fn look_at_blood(&mut self, line: &mut RunningLine) {
        let Some(model) = self.experiment.spec.neutropenia else { return };
        let neutrophils = self.body.marrow.neutrophils();
        let mut notes = Vec::new();
        for course in &mut line.courses {
            let drug = self.drug(course.drug);
            if drug.neutrophil_slope <= 0.0 {
                continue;
            }
            course.lowest_neutrophils = course.lowest_neutrophils.min(neutrophils);
            if neutrophils < model.hold_below && !course.held_for_neutrophils {
                course.held_for_neutrophils = true;
                notes.push(("dose held", format!("{} at neutrophils {neutrophils:.2}", drug.name)));
            } else if course.held_for_neutrophils && neutrophils >= model.resume_at {
                course.held_for_neutrophils = false;
                if course.lowest_neutrophils < model.reduce_below && course.reductions < model.most_reductions
                {
                    course.reductions += 1;
                    course.dose *= model.reduction;
                    notes.push(("dose reduced", format!("{} to {:.0}%", drug.name, course.dose * 100.0)));
                }
                course.lowest_neutrophils = f64::INFINITY;
                notes.push(("dose resumed", drug.name.clone()));
            }
        }
        for (event, detail) in notes {
            self.note(line.number, event, detail);
        }
    }

    /// Intolerance accrues on every day a drug is given; beyond a patient's threshold it is stopped.
    fn check_tolerance(&mut self, line: &mut RunningLine) -> Option<EndReason> {
        let mut stopped = Vec::new();
        for course in line.courses.iter().filter(|course| line.is_given(course, self.day)) {
            let hazard = self.drug(course.drug).discontinuation_per_month / DAYS_PER_MONTH;
            self.body.intolerance[course.drug] += hazard;
            if self.body.intolerance[course.drug] >= self.body.intolerance_at[course.drug] {
                stopped.push(course.drug);
            }
        }
        if stopped.is_empty() {
            return None;
        }
        for drug in stopped {
            self.treatment.not_tolerated.push(drug);
            line.courses.retain(|course| course.drug != drug);
            self.note(line.number, "drug stopped", format!("{} not tolerated", self.drug(drug).name));
        }
        (line.line.until.toxicity || line.courses.is_empty()).then_some(EndReason::Toxicity)
    }

    fn scan(&mut self, line: &mut RunningLine) -> Option<EndReason> {
        let volume = self.volume_cm3();
        let scan = Scan {
            sld_mm: self.measure(),
            new_lesions: core::mem::take(&mut self.unseen_lesions),
            volume_over_nadir: volume / line.nadir_cm3,
        };
        line.nadir_cm3 = line.nadir_cm3.min(volume);
        let (category, change) = line.response.read(&scan);
        line.sld_change = change;
        self.records.assessments.push(Assessment {
            line: line.number,
            day: self.day(),
            sld_mm: if self.covariates.bone_only { f64::NAN } else { scan.sld_mm },
            sld_change: change,
            new_lesions: scan.new_lesions,
            response: category,
        });
        if category == Response::Progression && line.progressed.is_none() {
            let by = if scan.new_lesions == 0 {
                "growth"
            } else if scan.sld_mm > line.response.baseline_mm() {
                "growth and a new lesion"
            } else {
                "a new lesion"
            };
            line.progressed = Some(self.day);
            self.note(line.number, "progression", by);
            self.note_composition(line.number, "progression");
            self.treatment.progressions.push(self.day());
            if line.line.until.progression {
                return Some(EndReason::Progression);
            }
        }
        if let Some(adaptive) = line.line.adaptive.clone() {
            self.adapt(line, adaptive.stop_at, adaptive.resume_at);
        }
        line.line.until.response.is_some_and(|target| change <= target).then_some(EndReason::Completed)
    }

    fn adapt(&mut self, line: &mut RunningLine, stop_at: f64, resume_at: f64) {
        let change = line.sld_change;
        let mut switched = None;
        for course in line.courses.iter_mut().filter(|c| line.adaptive_drugs.contains(&c.drug)) {
            if !course.held_adaptively && change <= stop_at {
                course.held_adaptively = true;
                switched = Some("adaptive pause");
            } else if course.held_adaptively && change >= resume_at {
                course.held_adaptively = false;
                switched = Some("adaptive resumption");
            }
        }
        if let Some(event) = switched {
            self.note(line.number, event, format!("sum of diameters {:+.0}%", change * 100.0));
        }
    }

    /// The liquid biopsy of the day of enrolment.
    pub(crate) fn read_plasma(&mut self) {
        self.sample_plasma(0);
    }

    pub(crate) fn sample_plasma(&mut self, line: u32) {
        let experiment = self.experiment.clone();
        let Some(assay) = &experiment.spec.liquid_biopsy else { return };
        let carriers: Vec<f64> = experiment.assayed.iter().map(|of_gene| self.carriers(of_gene)).collect();
        let fractions = assay.sample(
            &carriers,
            self.deaths_today as f64,
            self.covariates.shedding,
            experiment.spec.seed,
            self.id,
            self.day,
        );
        let day = self.day();
        for (gene, &vaf) in assay.genes.iter().zip(&fractions) {
            self.records.readings.push(Reading { line, day, gene: gene.clone(), vaf });
        }
        self.treatment.allele_fractions = fractions;
    }

    // --- decisions ---------------------------------------------------------------------------

    fn holds(&self, condition: &Condition, line: Option<&RunningLine>) -> bool {
        match condition {
            Condition::Ctdna { gene, above } => {
                let assay = self.experiment.spec.liquid_biopsy.as_ref();
                let index = assay.and_then(|assay| assay.genes.iter().position(|g| g == gene));
                let vaf = index.and_then(|i| self.treatment.allele_fractions.get(i)).copied().unwrap_or(0.0);
                vaf > 0.0 && vaf >= *above
            }
            Condition::Tissue { gene, above } => {
                let found = self.carriers(&self.experiment.catalogue.of_gene(gene));
                found > 0.0 && found >= *above
            }
            Condition::Months { at_least } => {
                line.is_some_and(|line| line.days(self.day) as f64 >= at_least * DAYS_PER_MONTH)
            }
            Condition::SldChange { above, below } => line.is_some_and(|line| {
                above.is_none_or(|bound| line.sld_change >= bound)
                    && below.is_none_or(|bound| line.sld_change <= bound)
            }),
            Condition::PriorMonthsBelow { months } => {
                self.treatment.last_line_days.is_some_and(|days| (days as f64) < months * DAYS_PER_MONTH)
            }
            Condition::Visceral => self.covariates.visceral,
            Condition::Premenopausal => self.covariates.physiology.premenopausal,
            Condition::Taken { drug } => self.days_on(drug) > 0,
            Condition::All { of } => of.iter().all(|inner| self.holds(inner, line)),
            Condition::Not { of } => !self.holds(of, line),
        }
    }

    fn apply_rules(&mut self, line: &mut RunningLine) -> Option<EndReason> {
        for r in 0..line.line.rules.len() {
            let rule = line.line.rules[r].clone();
            if line.rules_used[r] || !self.holds(&rule.when, Some(line)) {
                continue;
            }
            line.rules_used[r] = true;
            if matches!(rule.then, Action::NextLine) {
                self.note(line.number, "rule", "next line");
                return Some(EndReason::Rule);
            }
            let (leaving, coming) = match &rule.then {
                Action::Replace { drug, with } => (Some(drug), Some(with)),
                Action::Stop { drug } => (Some(drug), None),
                Action::Add { with } => (None, Some(with)),
                Action::NextLine => (None, None),
            };
            if let Some(index) = leaving.and_then(|name| self.experiment.drug(name)) {
                line.courses.retain(|course| course.drug != index);
            }
            if let Some(course) = coming.and_then(|dosing| self.course(dosing)) {
                line.courses.retain(|present| present.drug != course.drug);
                line.courses.push(course);
            }
            let regimen = self.regimen_name(&line.courses);
            self.note(line.number, "rule", format!("now on {regimen}"));
        }
        line.courses.is_empty().then_some(EndReason::Rule)
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
            pfs_event: progressed || reason == EndReason::Death,
            best_sld_change: line.response.best_change(),
            response: line.response.best(),
        });
        self.treatment.last_line_days = Some(pfs_days);
        let drugs = &self.experiment.spec.drugs;
        if line.courses.iter().any(|course| drugs[course.drug].is_endocrine()) {
            self.past.endocrine_days = self.past.endocrine_days.max(Some(pfs_days));
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
        let second = self.treatment.progressions.get(1).copied();
        self.note(0, if died { "death" } else { "end of follow-up" }, "");
        self.records.overall = Some(Overall {
            os_days: day,
            os_event: died,
            pfs2_days: second.unwrap_or(day),
            pfs2_event: second.is_some() || died,
        });
    }
}
