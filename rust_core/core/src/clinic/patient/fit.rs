//! Whether a patient is what eligibility asks for.

use crate::clinic::months::DAYS_PER_MONTH;
use crate::clinic::patient::answers::Key;
use crate::clinic::patient::covariates::Covariates;
use crate::clinic::patient::population::Population;
use crate::clinic::patient::state::Patient;
use crate::clinic::plan::eligibility::{Eligibility, Exposure};
use crate::clinic::plan::therapy::{AdjuvantTherapy, TherapyLine};

/// What can be told before a tumour is grown.
pub(super) fn of_covariates(
    asked: &Eligibility,
    covariates: &Covariates,
    population: &Population,
) -> impl Iterator<Item = (Key, bool)> {
    let of_cells = (!asked.covariate.is_empty()).then(|| {
        let value = |name: &str| population.covariate(name).map(|c| covariates.physiology.covariates[c]);
        asked.covariate.iter().all(|(name, &wanted)| value(name).is_some_and(|v| (v > 0.5) == wanted))
    });
    let site = covariates.site.map(|at| &population.sites[at]);
    let is_at = |name: &str| site.is_some_and(|site| site.name == name);
    let sites: Vec<_> =
        asked.sites.iter().map(|(name, &wanted)| (name.clone().into(), is_at(name) == wanted)).collect();
    let measurable = site.is_none_or(|site| site.measurable);
    let measurable = asked.measurable.map(|wanted| ("measurable".into(), wanted == measurable));
    sites.into_iter().chain(measurable).chain(of_cells.map(|met| ("covariate".into(), met)))
}

impl Patient {
    /// Adjuvant therapy of a kind after which the disease came back.
    fn adjuvant_therapy(&self, kind: usize) -> Option<AdjuvantTherapy> {
        let adjuvant = self.experiment.histories[self.who.past.history].adjuvant.as_ref()?;
        let drugs = adjuvant.line.options.iter().flat_map(|option| &option.regimen);
        let known = drugs.filter_map(|dosing| self.experiment.drug(&dosing.drug));
        if !self.experiment.kinds_of_therapy(known).contains(&kind) {
            return None;
        }
        let planned_days = adjuvant.line.until.months.map_or(f64::INFINITY, |months| months * DAYS_PER_MONTH);
        self.who.past.relapse_days.map(|relapse_days| AdjuvantTherapy { planned_days, relapse_days })
    }

    /// Whether the patient, as known today, is what `asked` asks for.
    pub(crate) fn fits(&self, asked: &Eligibility) -> bool {
        let population = &self.experiment.spec.population;
        of_covariates(asked, &self.who.covariates, population).chain(self.answers(asked)).all(|(_, met)| met)
    }

    /// What is asked of a patient who has lived up to today, and whether they meet it.
    pub(super) fn answers(&self, asked: &Eligibility) -> impl Iterator<Item = (Key, bool)> {
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
        let all: [(&'static str, Option<bool>); 12] = [
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
        ];
        let all = all.into_iter().filter_map(|(name, met)| Some((name.into(), met?)));
        all.chain(self.shown_by_therapy(asked))
    }

    /// Whether therapy of some kind before showed what is asked.
    fn shown_by_therapy(&self, asked: &Eligibility) -> Vec<(Key, bool)> {
        let mut found: Vec<(Key, bool)> = Vec::new();
        for (kind, therapy) in self.experiment.spec.therapies.iter().enumerate() {
            let adjuvant = self.adjuvant_therapy(kind);
            let lines: Vec<&TherapyLine> =
                self.who.past.therapy.iter().filter(|line| line.kinds.contains(&kind)).collect();
            if let Some(&wanted) = asked.sensitive.get(&therapy.name) {
                let met = therapy.is_sensitive(adjuvant, &lines) == wanted;
                found.push((format!("{}_sensitive", therapy.name).into(), met));
            }
            if let Some(wanted) = asked.resistance.get(&therapy.name) {
                let met = wanted.contains(&therapy.resistance(adjuvant, &lines));
                found.push((format!("{}_resistance", therapy.name).into(), met));
            }
        }
        found
    }
}
