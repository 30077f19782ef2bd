//! Whether what a doctor can know is so.

use crate::clinic::months::DAYS_PER_MONTH;
use crate::clinic::patient::experiment::Experiment;
use crate::clinic::patient::state::Patient;
use crate::clinic::patient::treatment::RunningLine;
use crate::clinic::plan::strategy::Condition;

impl Patient {
    pub(crate) fn holds(&self, condition: &Condition, line: Option<&RunningLine>) -> bool {
        match condition {
            Condition::Ctdna { gene, above, rise } => {
                let vaf = self.allele_fraction(gene);
                vaf > 0.0
                    && vaf >= *above
                    && rise.is_none_or(|rise| {
                        line.is_some_and(|line| vaf >= rise * self.least_allele_fraction(gene, line.number))
                    })
            }
            Condition::Tissue { gene, above } => {
                let found = self.carriers(&self.experiment.catalogue.of_gene(gene));
                found > 0.0 && found >= *above
            }
            Condition::Months { at_least } => {
                line.is_some_and(|line| line.days(self.state.day) as f64 >= at_least * DAYS_PER_MONTH)
            }
            Condition::SldChange { above, below } => line.is_some_and(|line| {
                line.sld_change.is_some_and(|change| {
                    above.is_none_or(|bound| change >= bound) && below.is_none_or(|bound| change <= bound)
                })
            }),
            Condition::PriorMonthsBelow { months } => self
                .state
                .treatment
                .last_line_days
                .is_some_and(|days| (days as f64) < months * DAYS_PER_MONTH),
            Condition::NewLesion => {
                self.state.records.assessments.last().is_some_and(|scan| scan.new_lesions > 0)
            }
            Condition::BestResponse { at_least } => {
                let last = || self.state.records.outcomes.last().map(|outcome| outcome.response);
                line.map(|line| line.response.best()).or_else(last).is_some_and(|best| best >= *at_least)
            }
            Condition::Neutrophils { below } => self.state.body.marrow.neutrophils() < *below,
            Condition::Site { name } => self
                .who
                .covariates
                .site
                .is_some_and(|at| self.experiment.spec.population.sites[at].name == *name),
            Condition::Covariate { name, at_least } => {
                let place = self.experiment.spec.population.covariate(name);
                place.is_some_and(|place| self.who.covariates.physiology.covariates[place] >= *at_least)
            }
            Condition::Output { name, at_least } => {
                self.mean_output(name).is_some_and(|shown| shown >= *at_least)
            }
            Condition::Taken { drug } => self.days_on(drug) > 0,
            Condition::All { of } => of.iter().all(|inner| self.holds(inner, line)),
            Condition::Any { of } => of.iter().any(|inner| self.holds(inner, line)),
            Condition::Not { of } => !self.holds(of, line),
        }
    }

    /// What a biopsy of the whole tumour shows of an output of the pathway; none where no cell is left.
    fn mean_output(&self, name: &str) -> Option<f64> {
        let Experiment { network, spec, .. } = &*self.experiment;
        let slot = network.outputs().iter().find(|output| output.name == name)?.slot;
        let mut cells = self.cache.cells.clone();
        cells.treat(network, &spec.drugs, &self.state.body.concentrations);
        let living = self.genotypes.iter().zip(self.state.burden.counts()).filter(|(_, count)| **count > 0);
        let (mut shown, mut total) = (0.0, 0.0);
        for (genotype, &count) in living {
            let numbers = cells.trace(network, &genotype.effects, genotype.fitness);
            shown += numbers[slot] * count as f64;
            total += count as f64;
        }
        (total > 0.0).then(|| shown / total)
    }

    /// Variant allele fraction in the last liquid biopsy; 0 if it is not seen.
    fn allele_fraction(&self, gene: &str) -> f64 {
        let assay = self.experiment.spec.liquid_biopsy.as_ref();
        let index = assay.and_then(|assay| assay.genes.iter().position(|known| known == gene));
        index.and_then(|i| self.state.treatment.allele_fractions.get(i)).copied().unwrap_or(0.0)
    }

    /// The least that liquid biopsies of a line have shown so far.
    fn least_allele_fraction(&self, gene: &str, line: u32) -> f64 {
        let readings = self.state.records.readings.iter().rev().take_while(|reading| reading.line == line);
        readings
            .filter(|reading| reading.gene == gene)
            .map(|reading| reading.vaf)
            .fold(f64::INFINITY, f64::min)
    }
}
