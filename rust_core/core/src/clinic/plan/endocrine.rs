//! What endocrine therapy before shows of the disease: sensitivity and resistance as trials define them.

use crate::clinic::months::DAYS_PER_MONTH;
use serde::{Deserialize, Serialize};

/// Benefit from which endocrine therapy of advanced disease shows sensitivity (24 weeks; Turner 2015).
const SENSITIVE_DAYS: u64 = 24 * 7;
/// Time on adjuvant therapy from which relapse shows endocrine sensitivity (Turner 2015).
const SENSITIVE_ADJUVANT_MONTHS: f64 = 24.0;

/// A line of endocrine therapy for advanced disease, with or without other drugs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EndocrineLine {
    /// Days to progression, or to its end.
    pub(crate) days: u64,
    /// Whether it ended in progression.
    pub(crate) progressed: bool,
}

/// Adjuvant endocrine therapy after which the disease came back; days from its start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AdjuvantEndocrine {
    pub(crate) planned_days: f64,
    pub(crate) relapse_days: u64,
}

/// What endocrine therapy before shows of the disease, by the definitions of the ESO-ESMO guidelines for
/// advanced breast cancer (ABC 5; Cardoso et al. 2020, Ann Oncol 31:1623).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EndocrineResistance {
    /// No endocrine therapy before.
    Naive,
    /// Neither primary nor secondary resistance.
    Sensitive,
    /// Relapse on adjuvant therapy after its first two years, or within a year of its end; or progression
    /// after six months or more of the first endocrine line for advanced disease, or on a later one.
    Secondary,
    /// Relapse in the first two years of adjuvant therapy; or progression within six months of the first
    /// endocrine line for advanced disease.
    Primary,
}

impl EndocrineResistance {
    pub(crate) fn shown_by(adjuvant: Option<AdjuvantEndocrine>, lines: &[EndocrineLine]) -> Self {
        let months = |number: f64| number * DAYS_PER_MONTH;
        let of_lines = match lines.first() {
            Some(first) if first.progressed && (first.days as f64) < months(6.0) => Some(Self::Primary),
            _ => lines.iter().any(|line| line.progressed).then_some(Self::Secondary),
        };
        let of_adjuvant = adjuvant.map(|AdjuvantEndocrine { planned_days, relapse_days }| {
            let relapse = relapse_days as f64;
            if relapse < planned_days.min(months(24.0)) {
                Self::Primary
            } else if relapse < planned_days + months(12.0) {
                Self::Secondary
            } else {
                Self::Sensitive
            }
        });
        let untouched = if lines.is_empty() { Self::Naive } else { Self::Sensitive };
        of_lines.or(of_adjuvant).unwrap_or(untouched)
    }
}

/// Whether endocrine therapy before helped long enough to call the disease sensitive to it, any line of it
/// (Turner et al. 2015). Who had none is taken to be.
pub(crate) fn is_sensitive(adjuvant: Option<AdjuvantEndocrine>, lines: &[EndocrineLine]) -> bool {
    adjuvant.is_none() && lines.is_empty()
        || adjuvant.is_some_and(|it| it.relapse_days as f64 >= SENSITIVE_ADJUVANT_MONTHS * DAYS_PER_MONTH)
        || lines.iter().any(|line| line.days >= SENSITIVE_DAYS)
}

#[cfg(test)]
mod tests {
    use super::EndocrineResistance::{Naive, Primary, Secondary, Sensitive};
    use super::*;

    fn days(months: f64) -> u64 {
        libm::round(months * DAYS_PER_MONTH) as u64
    }

    /// Months of adjuvant therapy as planned, and to relapse.
    fn adjuvant(planned: f64, relapse: f64) -> AdjuvantEndocrine {
        AdjuvantEndocrine { planned_days: planned * DAYS_PER_MONTH, relapse_days: days(relapse) }
    }

    fn line(months: f64, progressed: bool) -> EndocrineLine {
        EndocrineLine { days: days(months), progressed }
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
            let shown = EndocrineResistance::shown_by(adjuvant, &lines);
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
            assert_eq!(is_sensitive(adjuvant, &lines), expected, "{adjuvant:?} {lines:?}");
        }
    }
}
