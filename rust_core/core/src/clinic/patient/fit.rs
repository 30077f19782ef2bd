//! Whether a patient is what eligibility asks for.

use crate::clinic::months::DAYS_PER_MONTH;
use crate::clinic::patient::covariates::Covariates;
use crate::clinic::patient::population::Population;
use crate::clinic::patient::state::Patient;
use crate::clinic::plan::eligibility::{Eligibility, Exposure};
use crate::clinic::plan::endocrine::{self, AdjuvantEndocrine, EndocrineResistance};

/// What can be told before a tumour is grown.
pub(super) fn of_covariates(
    asked: &Eligibility,
    covariates: &Covariates,
    population: &Population,
) -> impl Iterator<Item = (&'static str, bool)> {
    let of_cells = (!asked.covariate.is_empty()).then(|| {
        let value = |name: &str| population.covariate(name).map(|c| covariates.physiology.covariates[c]);
        asked.covariate.iter().all(|(name, &wanted)| value(name).is_some_and(|v| (v > 0.5) == wanted))
    });
    let is = [
        ("visceral", asked.visceral, covariates.visceral),
        ("measurable", asked.measurable, !covariates.bone_only),
    ];
    let is = is.into_iter().filter_map(|(name, wanted, is)| Some((name, wanted? == is)));
    is.chain(of_cells.map(|met| ("covariate", met)))
}

impl Patient {
    /// Adjuvant endocrine therapy after which the disease came back.
    fn adjuvant_endocrine(&self) -> Option<AdjuvantEndocrine> {
        let adjuvant = self.experiment.histories[self.who.past.history].adjuvant.as_ref()?;
        let drugs = adjuvant.line.options.iter().flat_map(|option| &option.regimen);
        let mut known = drugs.filter_map(|dosing| self.experiment.drug(&dosing.drug));
        if !known.any(|drug| self.experiment.spec.drugs[drug].endocrine) {
            return None;
        }
        let planned_days = adjuvant.line.until.months.map_or(f64::INFINITY, |months| months * DAYS_PER_MONTH);
        self.who.past.relapse_days.map(|relapse_days| AdjuvantEndocrine { planned_days, relapse_days })
    }

    /// Whether the patient, as known today, is what `asked` asks for.
    pub(crate) fn fits(&self, asked: &Eligibility) -> bool {
        let population = &self.experiment.spec.population;
        of_covariates(asked, &self.who.covariates, population).chain(self.answers(asked)).all(|(_, met)| met)
    }

    /// What is asked of a patient who has lived up to today, and whether they meet it.
    pub(super) fn answers(&self, asked: &Eligibility) -> impl Iterator<Item = (&'static str, bool)> {
        let prior_months = self.state.treatment.last_line_days.unwrap_or(0) as f64 / DAYS_PER_MONTH;
        let exposed = |exposure: &Exposure| {
            let days: u64 = exposure.drugs.iter().map(|drug| self.days_on(drug)).sum();
            let months = days as f64 / DAYS_PER_MONTH;
            exposure.months_at_least.is_none_or(|least| months >= least)
                && exposure.months_below.is_none_or(|most| months < most)
        };
        let any = |drugs: &[String]| drugs.iter().any(|drug| self.days_on(drug) > 0);
        let listed = |names: &[String], met: bool| (!names.is_empty()).then_some(met);
        let ended = self.who.past.ended.is_some_and(|reason| asked.prior_ended.contains(&reason));
        let history = &self.experiment.histories[self.who.past.history].name;
        let (adjuvant, endocrine) = (self.adjuvant_endocrine(), &self.who.past.endocrine);
        let sensitive = endocrine::is_sensitive(adjuvant, endocrine);
        let resistance = EndocrineResistance::shown_by(adjuvant, endocrine);
        let all: [(&'static str, Option<bool>); 14] = [
            ("prior_months_at_least", asked.prior_months_at_least.map(|least| prior_months >= least)),
            ("prior_months_below", asked.prior_months_below.map(|most| prior_months < most)),
            ("prior_ended", (!asked.prior_ended.is_empty()).then_some(ended)),
            ("altered", listed(&asked.altered, asked.altered.iter().all(|gene| self.has(gene)))),
            ("altered_any", listed(&asked.altered_any, asked.altered_any.iter().any(|gene| self.has(gene)))),
            ("not_altered", listed(&asked.not_altered, !asked.not_altered.iter().any(|gene| self.has(gene)))),
            ("detected", listed(&asked.detected, asked.detected.iter().all(|gene| self.shows(gene)))),
            (
                "not_detected",
                listed(&asked.not_detected, !asked.not_detected.iter().any(|gene| self.shows(gene))),
            ),
            ("taken", listed(&asked.taken, any(&asked.taken))),
            ("not_taken", listed(&asked.not_taken, !any(&asked.not_taken))),
            ("exposure", asked.exposure.as_ref().map(exposed)),
            ("history", listed(&asked.history, asked.history.contains(history))),
            ("endocrine_sensitive", asked.endocrine_sensitive.map(|wanted| wanted == sensitive)),
            (
                "endocrine_resistance",
                (!asked.endocrine_resistance.is_empty())
                    .then_some(asked.endocrine_resistance.contains(&resistance)),
            ),
        ];
        all.into_iter().filter_map(|(name, met)| Some((name, met?)))
    }
}
