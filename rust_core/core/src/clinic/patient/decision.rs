//! What a doctor concludes: whether a condition holds, and what the rules of a line change.

use crate::clinic::patient::lines::not_tolerated;
use crate::clinic::patient::state::Patient;
use crate::clinic::patient::treatment::{Held, RunningLine};
use crate::clinic::plan::end_reason::EndReason;
use crate::clinic::plan::strategy::Action;

impl Patient {
    pub(crate) fn apply_rules(&mut self, line: &mut RunningLine) -> Option<EndReason> {
        let treated = !line.courses.is_empty();
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
                line.also(self.kinds_of(&line.courses));
            }
            let regimen = self.regimen_name(&line.courses);
            self.note(line.number, "rule", format!("now on {regimen}"));
        }
        (treated && line.courses.is_empty()).then_some(EndReason::Rule)
    }
}
