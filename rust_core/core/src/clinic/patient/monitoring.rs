//! What a doctor looks at: blood, tolerance, scans, plasma.

use crate::clinic::instruments::imaging::diameter_mm;
use crate::clinic::instruments::response::{Baseline, MEASURABLE_MM, Response, Scan, Visit};
use crate::clinic::months::DAYS_PER_MONTH;
use crate::clinic::patient::records::{Assessment, Reading};
use crate::clinic::patient::state::Patient;
use crate::clinic::patient::treatment::RunningLine;
use crate::clinic::plan::end_reason::EndReason;
use crate::clinic::plan::scan_calendar::Made;

/// Days between blood counts.
pub(crate) const BLOOD_EVERY_DAYS: u64 = 7;

impl Patient {
    // --- blood and tolerance ---------------------------------------------------------------------

    /// Hold myelotoxic drugs at low counts, resume them at recovery, with less dose after grade 4.
    pub(crate) fn look_at_blood(&mut self, line: &mut RunningLine) {
        let Some(model) = self.experiment.spec.neutropenia else { return };
        let neutrophils = self.state.body.marrow.neutrophils();
        line.lowest_neutrophils = line.lowest_neutrophils.min(neutrophils);
        let mut notes = Vec::new();
        for course in &mut line.courses {
            let drug = self.drug(course.drug);
            if !drug.is_myelotoxic() {
                continue;
            }
            course.lowest_neutrophils = course.lowest_neutrophils.min(neutrophils);
            if course.held_at_neutrophils.is_none() {
                course.hold_for(neutrophils, &model);
            } else if neutrophils >= model.resume_at {
                let reduced = drug.reduced(course.dose, 1);
                if course.lowest_neutrophils < model.reduce_below && reduced < course.dose {
                    course.reductions += 1;
                    course.dose = reduced;
                    notes.push(("dose reduced", format!("{} to {:.0}%", drug.name, reduced * 100.0)));
                }
                if course.dose_was_missed {
                    notes.push(("dose resumed", drug.name.clone()));
                }
                course.held_at_neutrophils = None;
                course.dose_was_missed = false;
                course.lowest_neutrophils = f64::INFINITY;
            }
        }
        for (event, detail) in notes {
            self.note(line.number, event, detail);
        }
    }

    /// Write down the first dose of each hold for neutropenia that is due today and not given.
    pub(crate) fn note_missed_doses(&mut self) {
        let mut notes = Vec::new();
        if let Some(line) = &mut self.state.treatment.line {
            for course in &mut line.courses {
                if let Some(count) = course.held_at_neutrophils
                    && course.is_due()
                    && !course.dose_was_missed
                {
                    course.dose_was_missed = true;
                    let drug = &self.experiment.spec.drugs[course.drug].name;
                    notes.push((line.number, format!("{drug} at neutrophils {count:.2}")));
                }
            }
        }
        for (number, detail) in notes {
            self.note(number, "dose held", detail);
        }
    }

    /// Intolerance accrues on every day a drug is given; beyond a patient's threshold it is stopped.
    pub(crate) fn check_tolerance(&mut self, line: &mut RunningLine) -> Option<EndReason> {
        let mut stopped = Vec::new();
        for course in line.courses.iter().filter(|course| line.is_given(course, self.state.day)) {
            let hazard = self.drug(course.drug).discontinuation_per_month / DAYS_PER_MONTH;
            self.state.body.intolerance[course.drug] += hazard;
            if self.state.body.intolerance[course.drug] >= self.state.body.intolerance_at[course.drug] {
                stopped.push(course.drug);
            }
        }
        if stopped.is_empty() {
            return None;
        }
        for drug in stopped {
            self.state.treatment.not_tolerated.push(drug);
            line.courses.retain(|course| course.drug != drug);
            self.note(line.number, "drug stopped", format!("{} not tolerated", self.drug(drug).name));
        }
        line.line.until.toxicity.then_some(EndReason::Toxicity)
    }

    // --- scans -----------------------------------------------------------------------------------

    /// The scan before a line: which lesions are target lesions of it, and what it shows.
    pub(crate) fn baseline_scan(&self) -> (Vec<bool>, Baseline) {
        let site = self.who.covariates.site.map(|at| &self.experiment.spec.population.sites[at]);
        let targets: Vec<bool> = if site.is_none_or(|site| site.measurable) {
            self.measure().iter().map(|&diameter| diameter >= MEASURABLE_MM).collect()
        } else {
            vec![false; self.who.covariates.target_shares.len()]
        };
        let rest_cm3 = self.rest_cm3(&targets);
        let baseline = Baseline {
            target_mm: targets.contains(&true).then(|| self.target_mm(&targets)),
            rest_cm3: (rest_cm3 > 0.0).then_some(rest_cm3),
        };
        (targets, baseline)
    }

    /// Measured diameters today of the lesions that can be target lesions, mm.
    fn measure(&self) -> Vec<f64> {
        let spec = &self.experiment.spec;
        let shares = &self.who.covariates.target_shares;
        spec.imaging.diameters(self.volume_cm3(), shares, spec.seed, self.who.id, self.state.day)
    }

    fn target_mm(&self, targets: &[bool]) -> f64 {
        self.measure().iter().zip(targets).filter(|(_, target)| **target).map(|(diameter, _)| diameter).sum()
    }

    /// Volume of all disease but the target lesions, cm3; 0 when none of it is seen.
    fn rest_cm3(&self, targets: &[bool]) -> f64 {
        let shares = self.who.covariates.target_shares.iter().zip(targets);
        let of_targets: f64 = shares.filter(|(_, target)| **target).map(|(share, _)| share).sum();
        let rest = self.volume_cm3() * (1.0 - of_targets);
        if self.experiment.spec.imaging.sees(rest) { rest } else { 0.0 }
    }

    /// Whether a scan is made today, and, if so, whether it can be judged.
    pub(crate) fn scan_of_today(&mut self, line: &mut RunningLine) -> Option<bool> {
        let spec = &self.experiment.spec;
        let (assessment, days, index) =
            (&spec.assessment, line.days(self.state.day) as f64, self.line_index(line.number));
        if days < line.next_scan - assessment.window_days
            || days < assessment.made(line.next_scan, spec.seed, self.who.id, index)
        {
            return None;
        }
        let made = assessment.quality(line.next_scan, spec.seed, self.who.id, index);
        line.next_scan = self.next_scan(line.next_scan);
        if made == Made::Missed {
            self.note(line.number, "scan missed", "");
            return None;
        }
        Some(made == Made::Evaluable)
    }

    /// Day of a line on which the scan after that of `day` is planned.
    pub(crate) fn next_scan(&self, day: f64) -> f64 {
        let spec = &self.experiment.spec;
        let of_arm = self.who.arm.and_then(|arm| spec.arms.get(arm)).map_or(&[][..], |arm| &arm.calendar);
        spec.assessment.next(day, of_arm)
    }

    /// Whether the patient falls ill with the disease today, between scans.
    pub(crate) fn deteriorates(&self, line: &RunningLine) -> bool {
        self.experiment.spec.criteria.symptomatic_share.is_some_and(|share| {
            let ill_cm3 = share * self.who.covariates.lethal_volume_cm3;
            line.progressed.is_none() && line.started_cm3 < ill_cm3 && self.volume_cm3() >= ill_cm3
        })
    }

    pub(crate) fn scan(&mut self, line: &mut RunningLine, evaluable: bool) -> Option<EndReason> {
        let scan = Scan {
            day: line.days(self.state.day),
            evaluable,
            target_mm: self.target_mm(&line.targets),
            rest_cm3: self.rest_cm3(&line.targets),
            recurred: diameter_mm(self.volume_cm3()) >= MEASURABLE_MM,
            new_lesions: core::mem::take(&mut self.state.unseen_lesions),
        };
        let visit = line.response.read(&scan);
        line.sld_change = visit.change.or(line.sld_change);
        self.state.records.assessments.push(Assessment {
            line: line.number,
            day: self.day(),
            sld_mm: visit.change.map_or(f64::NAN, |_| scan.target_mm),
            sld_change: visit.change.unwrap_or(f64::NAN),
            new_lesions: scan.new_lesions,
            response: visit.category,
        });
        if visit.category == Response::Progression && line.progressed.is_none() {
            self.find_progression(line, &scan, visit);
            if line.line.until.progression {
                return Some(EndReason::Progression);
            }
        }
        let change = visit.change?;
        if let Some(adaptive) = line.line.adaptive.clone() {
            self.adapt(line, change, adaptive.stop_at, adaptive.resume_at);
        }
        line.line.until.response.is_some_and(|target| change <= target).then_some(EndReason::Completed)
    }

    fn find_progression(&mut self, line: &mut RunningLine, scan: &Scan, visit: Visit) {
        let by = match (visit.grown, scan.new_lesions) {
            (true, 0) => "growth",
            (true, _) => "growth and a new lesion",
            (false, _) => "a new lesion",
        };
        line.progressed = Some(self.state.day);
        self.note(line.number, "progression", by);
        self.note_composition(line.number, "progression");
    }

    fn adapt(&mut self, line: &mut RunningLine, change: f64, stop_at: f64, resume_at: f64) {
        let mut switched = None;
        for course in line.courses.iter_mut().filter(|c| line.adaptive_drugs.contains(&c.drug)) {
            if !course.held_adaptively && change < stop_at {
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

    // --- plasma ----------------------------------------------------------------------------------

    /// The liquid biopsy of the day of enrolment.
    pub(crate) fn read_plasma(&mut self) {
        self.sample_plasma(0);
    }

    pub(crate) fn sample_plasma(&mut self, line: u32) {
        let experiment = self.experiment.clone();
        let Some(assay) = &experiment.spec.liquid_biopsy else { return };
        let carriers: Vec<Option<f64>> = experiment
            .assayed
            .iter()
            .map(|of_gene| of_gene.as_ref().map(|of_gene| self.carriers(of_gene)))
            .collect();
        let fractions =
            assay.sample(&carriers, self.shed_per_day(), experiment.spec.seed, self.who.id, self.state.day);
        let day = self.day();
        for (gene, &vaf) in assay.genes.iter().zip(&fractions) {
            self.state.records.readings.push(Reading { line, day, gene: gene.clone(), vaf });
        }
        self.state.treatment.allele_fractions = fractions;
    }
}
