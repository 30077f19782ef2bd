//! What therapy of a kind before shows of the disease: sensitivity and resistance as trials define them.

use crate::bounds::{Bounded, bounded};
use crate::clinic::months::{DAYS_PER_MONTH, MOST_MONTHS};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// A kind of therapy, and the times that tell sensitivity to it from resistance.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Therapy {
    /// Its name.
    pub name: String,
    /// Days without progression on a line of it for advanced disease that show sensitivity.
    pub sensitive_days: f64,
    /// Months of adjuvant therapy before relapse that show sensitivity.
    pub sensitive_adjuvant_months: f64,
    /// Progression on the first line of it within so many months shows primary resistance.
    pub primary_months: f64,
    /// So does relapse within so many months of adjuvant therapy.
    pub primary_adjuvant_months: f64,
    /// Relapse within so many months of the end of adjuvant therapy still shows secondary resistance.
    pub secondary_adjuvant_months: f64,
}

bounded!(Therapy {
    sensitive_days: 0.0, 70_000.0;
    sensitive_adjuvant_months: 0.0, MOST_MONTHS;
    primary_months: 0.0, MOST_MONTHS;
    primary_adjuvant_months: 0.0, MOST_MONTHS;
    secondary_adjuvant_months: 0.0, MOST_MONTHS;
});

/// A line for advanced disease with therapy of some kind, with or without other drugs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TherapyLine {
    /// Indices of the kinds of therapy in it.
    pub(crate) kinds: Vec<usize>,
    /// Days to progression, or to its end.
    pub(crate) days: u64,
    /// Whether it ended in progression.
    pub(crate) progressed: bool,
}

/// Adjuvant therapy of a kind after which the disease came back; days from its start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AdjuvantTherapy {
    pub(crate) planned_days: f64,
    pub(crate) relapse_days: u64,
}

/// What therapy of a kind before shows of the disease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resistance {
    /// No therapy of the kind before.
    Naive,
    /// Neither primary nor secondary resistance.
    Sensitive,
    /// Relapse on adjuvant therapy after the time that shows primary resistance, or soon after its end; or
    /// progression after that time on the first line of it for advanced disease, or on a later one.
    Secondary,
    /// Early relapse on adjuvant therapy; or early progression on the first line of it for advanced disease.
    Primary,
}

impl Therapy {
    /// Check every time.
    pub(crate) fn validate(&self) -> Result<()> {
        self.within_bounds(&format!("therapy.{}", self.name))
    }

    pub(crate) fn resistance(&self, adjuvant: Option<AdjuvantTherapy>, lines: &[&TherapyLine]) -> Resistance {
        let months = |number: f64| number * DAYS_PER_MONTH;
        let of_lines = match lines.first() {
            Some(first) if first.progressed && (first.days as f64) < months(self.primary_months) => {
                Some(Resistance::Primary)
            }
            _ => lines.iter().any(|line| line.progressed).then_some(Resistance::Secondary),
        };
        let of_adjuvant = adjuvant.map(|AdjuvantTherapy { planned_days, relapse_days }| {
            let relapse = relapse_days as f64;
            if relapse < planned_days.min(months(self.primary_adjuvant_months)) {
                Resistance::Primary
            } else if relapse < planned_days + months(self.secondary_adjuvant_months) {
                Resistance::Secondary
            } else {
                Resistance::Sensitive
            }
        });
        let untouched = if lines.is_empty() { Resistance::Naive } else { Resistance::Sensitive };
        of_lines.or(of_adjuvant).unwrap_or(untouched)
    }

    /// Whether therapy before helped long enough to call the disease sensitive to it, any line of it. Who had none
    /// is taken to be.
    pub(crate) fn is_sensitive(&self, adjuvant: Option<AdjuvantTherapy>, lines: &[&TherapyLine]) -> bool {
        adjuvant.is_none() && lines.is_empty()
            || adjuvant
                .is_some_and(|it| it.relapse_days as f64 >= self.sensitive_adjuvant_months * DAYS_PER_MONTH)
            || lines.iter().any(|line| line.days as f64 >= self.sensitive_days)
    }
}

#[cfg(test)]
mod tests {
    use super::Resistance::{Naive, Primary, Secondary, Sensitive};
    use super::*;

    /// Endocrine therapy, as the guidelines of ESO and ESMO and Turner and others have it.
    fn therapy() -> Therapy {
        Therapy {
            name: "endocrine".into(),
            sensitive_days: 168.0,
            sensitive_adjuvant_months: 24.0,
            primary_months: 6.0,
            primary_adjuvant_months: 24.0,
            secondary_adjuvant_months: 12.0,
        }
    }

    fn days(months: f64) -> u64 {
        libm::round(months * DAYS_PER_MONTH) as u64
    }

    /// Months of adjuvant therapy as planned, and to relapse.
    fn adjuvant(planned: f64, relapse: f64) -> AdjuvantTherapy {
        AdjuvantTherapy { planned_days: planned * DAYS_PER_MONTH, relapse_days: days(relapse) }
    }

    fn line(months: f64, progressed: bool) -> TherapyLine {
        TherapyLine { kinds: vec![0], days: days(months), progressed }
    }

    #[test]
    fn histories_show_resistance_as_eso_and_esmo_define_it() {
        for (adjuvant, lines, expected) in [
            (None, vec![], Naive),
            (Some(adjuvant(60.0, 20.0)), vec![], Primary),
            (Some(adjuvant(60.0, 23.9)), vec![], Primary),
            (Some(adjuvant(60.0, 24.1)), vec![], Secondary),
            (Some(adjuvant(60.0, 59.0)), vec![], Secondary),
            (Some(adjuvant(60.0, 71.9)), vec![], Secondary),
            (Some(adjuvant(60.0, 72.1)), vec![], Sensitive),
            (Some(adjuvant(12.0, 18.0)), vec![], Secondary),
            (None, vec![line(5.9, true)], Primary),
            (None, vec![line(6.1, true)], Secondary),
            (None, vec![line(3.0, false)], Sensitive),
            (None, vec![line(20.0, true), line(3.0, true)], Secondary),
            (None, vec![line(3.0, true), line(20.0, true)], Primary),
            (Some(adjuvant(60.0, 20.0)), vec![line(20.0, true)], Secondary),
            (Some(adjuvant(60.0, 90.0)), vec![line(2.0, true)], Primary),
            (Some(adjuvant(60.0, 90.0)), vec![line(2.0, false)], Sensitive),
        ] {
            let shown = therapy().resistance(adjuvant, &lines.iter().collect::<Vec<_>>());
            assert_eq!(shown, expected, "{adjuvant:?} {lines:?}");
        }
    }

    #[test]
    fn histories_show_sensitivity_as_turner_and_others_define_it() {
        for (adjuvant, lines, expected) in [
            (None, vec![], true),
            (Some(adjuvant(60.0, 23.0)), vec![], false),
            (Some(adjuvant(60.0, 25.0)), vec![], true),
            (None, vec![line(5.4, true)], false),
            (None, vec![line(5.6, true)], true),
            (Some(adjuvant(60.0, 23.0)), vec![line(3.0, true), line(9.0, true)], true),
            (Some(adjuvant(60.0, 23.0)), vec![line(3.0, true)], false),
        ] {
            assert_eq!(
                therapy().is_sensitive(adjuvant, &lines.iter().collect::<Vec<_>>()),
                expected,
                "{adjuvant:?} {lines:?}"
            );
        }
    }
}
