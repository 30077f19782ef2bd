//! What a doctor concludes: whether a condition holds, and what the rules of a line change.

use crate::clinic::DAYS_PER_MONTH;
use crate::clinic::care::not_tolerated;
use crate::clinic::intervention::Held;
use crate::clinic::patient::Patient;
use crate::clinic::records::EndReason;
use crate::clinic::strategy::{Action, Condition};
use crate::clinic::treatment::RunningLine;

impl Patient {
    pub(crate) fn holds(&self, condition: &Condition, line: Option<&RunningLine>) -> bool {
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
                line.sld_change.is_some_and(|change| {
                    above.is_none_or(|bound| change >= bound) && below.is_none_or(|bound| change <= bound)
                })
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

    pub(crate) fn apply_rules(&mut self, line: &mut RunningLine) -> Option<EndReason> {
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
            let coming = match coming.map(|dosing| (dosing, self.course(dosing))) {
                Some((dosing, None)) => {
                    self.note(line.number, "rule refused", not_tolerated(&dosing.drug));
                    continue;
                }
                Some((_, Some(course))) => Some(self.continued(course, Some(line), Held::Kept)),
                None => None,
            };
            if let Some(index) = leaving.and_then(|name| self.experiment.drug(name)) {
                line.courses.retain(|course| course.drug != index);
            }
            if let Some(course) = coming {
                line.courses.retain(|present| present.drug != course.drug);
                line.courses.push(course);
            }
            let regimen = self.regimen_name(&line.courses);
            self.note(line.number, "rule", format!("now on {regimen}"));
        }
        line.courses.is_empty().then_some(EndReason::Rule)
    }
}
