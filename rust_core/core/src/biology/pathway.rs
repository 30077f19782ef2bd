//! From genotype and drug concentrations to the rates of division and death.
//!
//! ER, PI3K and MAPK signals drive cyclin D; cyclin D drives CDK4/6; CDK4/6 and CDK2 free E2F; E2F
//! sets the division rate. Resistance and cross-resistance follow from where an alteration and a
//! drug act. Activities are relative to an untreated HR+ cell = 1.

use crate::biology::alteration::NodeEffect;

use crate::biology::drug::{Drug, Node};
use crate::biology::effect::hill;
use crate::biology::genotype::Genotype;
use crate::bounds::{Bounded, bounded};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Constants of the pathway that all patients share.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pathway {
    /// Estradiol (relative to untreated after menopause) at which ligand-driven ER activity is half its
    /// ceiling.
    pub estradiol_half_saturation: f64,
    /// Share of estradiol that is of ovarian origin in a premenopausal patient.
    pub ovarian_share: f64,
    /// Share of the ER-independent drive of cyclin D that comes through PI3K; the rest is MAPK.
    pub pi3k_share: f64,
    /// Share of the PI3K signal of a cell without PIK3CA mutation that comes from the alpha isoform.
    pub pi3k_alpha_share: f64,
    /// CDK2 activity of an untreated cell of the median patient, relative to its CDK4/6 activity.
    pub cdk2_basal: f64,
    /// Kinase activity (CDK4/6 + CDK2) at which E2F is half free.
    pub e2f_half: f64,
    /// Steepness of E2F release.
    pub e2f_hill: f64,
    /// Death added when the whole ER survival signal is lost, as a share of the division rate.
    pub er_survival: f64,
    /// Death rate of arrested cells: added share of the division rate when division stops.
    pub arrest_death: f64,
}

bounded!(Pathway {
    estradiol_half_saturation: 1e-6, 100.0;
    ovarian_share: 0.0, 1.0;
    pi3k_share: 0.0, 1.0;
    pi3k_alpha_share: 0.0, 1.0;
    cdk2_basal: 0.0, 10.0;
    e2f_half: 1e-6, 100.0;
    e2f_hill: 0.1, 20.0;
    er_survival: 0.0, 10.0;
    arrest_death: 0.0, 10.0;
});

impl Pathway {
    /// Check every constant.
    pub fn validate(&self) -> Result<()> {
        self.within_bounds("pathway")
    }

    fn e2f(&self, activity: f64) -> f64 {
        if activity <= 0.0 {
            return 0.0;
        }
        // Drawn on every day for every genotype: exp and log cost half of pow.
        1.0 / (1.0 + libm::exp(self.e2f_hill * libm::log(self.e2f_half / activity)))
    }

    /// Free E2F of an untreated founder cell.
    pub fn untreated_e2f(&self, patient: &CellPhysiology) -> f64 {
        self.e2f(1.0 + self.cdk2_basal * patient.cyclin_e)
    }
}

/// What of the pathway differs between patients.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct CellPhysiology {
    /// Division rate of an untreated founder cell, per day.
    pub division: f64,
    /// Death rate of an untreated founder cell, per day.
    pub death: f64,
    /// Share of cyclin D that ER drives.
    pub er_dependence: f64,
    /// CDK2 activity (cyclin E) of the tumour over that of the median patient.
    pub cyclin_e: f64,
    /// Whether the ovaries make estradiol.
    pub premenopausal: bool,
}

/// Division and death rates per day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Division rate per day.
    pub division: f64,
    /// Death rate per day.
    pub death: f64,
}

/// The drugs of one day in one patient, reduced to what the pathway needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DrugDay {
    aromatase: f64,
    ovary: f64,
    pi3k: f64,
    pi3k_alpha: f64,
    akt: f64,
    mtor: f64,
    fgfr: f64,
    cdk2: f64,
    kill: f64,
    // ER and CDK4/6 inhibitors meet receptors of different affinity in different genotypes, so
    // these two are kept per drug: (concentration / ic50, max, hill).
    er: Vec<(f64, f64, f64)>,
    cdk46: Vec<(f64, f64, f64)>,
}

impl DrugDay {
    /// The joint action of `concentrations` (one per drug, in each drug's unit).
    pub fn new(drugs: &[Drug], concentrations: &[f64]) -> Self {
        let mut day = Self::default();
        for (drug, &concentration) in drugs.iter().zip(concentrations) {
            if concentration <= 0.0 {
                continue;
            }
            for effect in &drug.effects {
                let reached = hill(concentration, effect.max, effect.ic50, effect.hill);
                let bliss = |present: &mut f64| *present += reached - *present * reached;
                match effect.node {
                    Node::Aromatase => bliss(&mut day.aromatase),
                    Node::Ovary => bliss(&mut day.ovary),
                    Node::Pi3k => bliss(&mut day.pi3k),
                    Node::Pi3kAlpha => bliss(&mut day.pi3k_alpha),
                    Node::Akt => bliss(&mut day.akt),
                    Node::Mtor => bliss(&mut day.mtor),
                    Node::Fgfr => bliss(&mut day.fgfr),
                    Node::Cdk2 => bliss(&mut day.cdk2),
                    Node::Kill => bliss(&mut day.kill),
                    Node::Er => day.er.push((concentration / effect.ic50, effect.max, effect.hill)),
                    Node::Cdk46 => day.cdk46.push((concentration / effect.ic50, effect.max, effect.hill)),
                }
            }
        }
        day
    }
}

/// Ligand-driven and constitutive ER signal under antagonists (0 when ER is lost).
fn er_signal(pathway: &Pathway, patient: &CellPhysiology, drugs: &DrugDay, effect: &NodeEffect) -> f64 {
    let ovarian = if patient.premenopausal { pathway.ovarian_share } else { 0.0 };
    // Gonadotropins make up for an aromatase inhibitor in the ovaries, unless these are silenced.
    let ovaries = ovarian * (1.0 - drugs.ovary) * (1.0 - drugs.ovary * drugs.aromatase);
    let estradiol = ovaries + (1.0 - ovarian) * (1.0 - drugs.aromatase);
    // Relative to the patient's own untreated level, which before menopause is as many times higher.
    let half = pathway.estradiol_half_saturation * (1.0 - ovarian);
    let ligand = estradiol * (1.0 + half) / (estradiol + half);
    let mut er = ligand.max(effect.er_constitutive) * (1.0 - effect.er_lost);
    for &(over_ic50, max, steepness) in &drugs.er {
        er *= 1.0 - hill(over_ic50, max, effect.er_antagonist_fold, steepness);
    }
    er
}

/// Rates of one genotype on one day.
pub fn rates(pathway: &Pathway, patient: &CellPhysiology, drugs: &DrugDay, genotype: &Genotype) -> Rates {
    let effect = &genotype.effect;
    let er = er_signal(pathway, patient, drugs, effect);

    // What a mutation adds comes from the alpha isoform; without one, other isoforms signal too.
    let wild_pi3k = 1.0 - pathway.pi3k_alpha_share * drugs.pi3k_alpha;
    let pi3k = (wild_pi3k + effect.pi3k_gain * (1.0 - drugs.pi3k_alpha)) * (1.0 - drugs.pi3k);
    let akt = (pi3k + effect.pten_gain + effect.akt_gain) * (1.0 - drugs.akt);
    let mtor = (akt + effect.mtor_gain) * (1.0 - drugs.mtor);
    let mapk = (1.0 + effect.fgfr_gain) * (1.0 - drugs.fgfr) + effect.mapk_gain;

    let er_weight = patient.er_dependence;
    let pi3k_weight = (1.0 - er_weight) * pathway.pi3k_share;
    let mapk_weight = (1.0 - er_weight) * (1.0 - pathway.pi3k_share);
    let cyclin_d = (er_weight * er + pi3k_weight * mtor + mapk_weight * mapk + effect.cyclin_d_bypass)
        * effect.cyclin_d_fold;

    let mut cdk46 = cyclin_d * effect.cdk46_fold;
    for &(over_ic50, max, steepness) in &drugs.cdk46 {
        cdk46 *= 1.0 - hill(over_ic50, max, effect.cdk46_inhibitor_fold, steepness);
    }
    let cdk2 = pathway.cdk2_basal * patient.cyclin_e * effect.cdk2_fold * (1.0 - drugs.cdk2);
    let e2f = if effect.rb_lost > 0.0 { 1.0 } else { pathway.e2f(cdk46 + cdk2) };

    let activity = e2f / pathway.untreated_e2f(patient);
    // Chemotherapy kills in the attempt to divide: fast tumours shrink, and come back, the faster for it.
    let killed = (drugs.kill * effect.chemotherapy_fold).min(1.0);
    let attempted = patient.division * activity * genotype.fitness;
    let division = attempted * (1.0 - killed);
    let er_lack = er_weight * (1.0 - er).max(0.0) * (1.0 - effect.er_lost);
    let arrest = (1.0 - activity).max(0.0);
    let death = patient.death
        + patient.division * (pathway.er_survival * er_lack + pathway.arrest_death * arrest)
        + attempted * killed;
    Rates { division, death }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::biology::alteration::{Alteration, Catalogue, Origin};
    use crate::biology::drug::{DrugEffect, Missed, Route, Schedule};
    use crate::biology::genotype::Genotypes;

    const PATHWAY: Pathway = Pathway {
        estradiol_half_saturation: 0.1,
        ovarian_share: 0.9,
        pi3k_share: 0.5,
        pi3k_alpha_share: 0.5,
        cdk2_basal: 0.1,
        e2f_half: 0.45,
        e2f_hill: 3.0,
        er_survival: 0.1,
        arrest_death: 0.0,
    };
    const PATIENT: CellPhysiology = CellPhysiology {
        division: 0.04,
        death: 0.03,
        er_dependence: 0.85,
        cyclin_e: 1.0,
        premenopausal: false,
    };

    const RESISTANT: CellPhysiology = CellPhysiology { er_dependence: 0.3, ..PATIENT };

    fn drug(node: Node) -> Drug {
        Drug {
            name: "test".into(),
            route: Route::Oral,
            schedule: Schedule {
                days: vec![1],
                cycle_days: 1,
                doses_per_day: 1,
                loading_days: vec![],
                loading_dose: 1.0,
                missed: Missed::Skipped,
            },
            half_life_h: 24.0,
            absorption_half_life_h: 1.0,
            steady_state: 1.0,
            dosing_interval_h: 24.0,
            effects: vec![DrugEffect { node, max: 1.0, ic50: 0.02, hill: 1.0 }],
            neutrophil_slope: 0.0,
            dose_levels: vec![],
            marrow_protection: None,
            discontinuation_per_month: 0.0,
        }
    }

    fn net(effect: NodeEffect, patient: &CellPhysiology, node: Option<Node>) -> f64 {
        let origin = Origin::OneHit { per_division: 0.0 };
        let alteration = Alteration { name: "A".into(), gene: "A".into(), origin, fitness_cost: 0.0, effect };
        let catalogue = Catalogue { alterations: vec![alteration] };
        let genotypes = Genotypes::new(&catalogue, &[0], 1.0, 1.0);
        let drugs = node.map_or_else(DrugDay::default, |node| DrugDay::new(&[drug(node)], &[1.0]));
        let day = rates(&PATHWAY, patient, &drugs, genotypes.get(0));
        day.division - day.death
    }

    fn wild() -> NodeEffect {
        NodeEffect::default()
    }

    fn esr1() -> NodeEffect {
        NodeEffect { er_constitutive: 0.9, er_antagonist_fold: 8.0, ..wild() }
    }

    fn rb1() -> NodeEffect {
        NodeEffect { rb_lost: 1.0, ..wild() }
    }

    #[test]
    fn an_untreated_founder_cell_has_the_rates_of_its_patient() {
        assert!((net(wild(), &PATIENT, None) - 0.01).abs() < 1e-12);
    }

    #[test]
    fn estrogen_withdrawal_shrinks_the_wild_type_and_spares_the_mutant_receptor() {
        assert!(net(wild(), &PATIENT, Some(Node::Aromatase)) < 0.0);
        assert!(net(esr1(), &PATIENT, Some(Node::Aromatase)) > 0.0);
    }

    #[test]
    fn an_antagonist_acts_less_on_the_mutant_receptor() {
        let node = Some(Node::Er);
        assert!(net(wild(), &PATIENT, node) < net(esr1(), &PATIENT, node));
        assert!(net(esr1(), &PATIENT, node) < net(esr1(), &PATIENT, Some(Node::Aromatase)));
    }

    #[test]
    fn loss_of_rb_makes_a_cell_blind_to_cdk46_inhibitors() {
        assert!(net(wild(), &PATIENT, Some(Node::Cdk46)) < 0.0);
        let (free, treated) = (net(rb1(), &PATIENT, None), net(rb1(), &PATIENT, Some(Node::Cdk46)));
        assert!((free - treated).abs() < 1e-15 && treated > 0.0);
    }

    #[test]
    fn an_aromatase_inhibitor_alone_does_little_while_the_ovaries_work() {
        let premenopausal = CellPhysiology { premenopausal: true, ..PATIENT };
        assert!(net(wild(), &premenopausal, Some(Node::Aromatase)) > 0.0);
        assert!(
            net(wild(), &premenopausal, Some(Node::Ovary))
                < net(wild(), &premenopausal, Some(Node::Aromatase))
        );
    }

    #[test]
    fn with_silenced_ovaries_an_aromatase_inhibitor_does_what_it_does_after_menopause() {
        let premenopausal = CellPhysiology { premenopausal: true, ..PATIENT };
        let origin = Origin::OneHit { per_division: 0.0 };
        let alteration =
            Alteration { name: "A".into(), gene: "A".into(), origin, fitness_cost: 0.0, effect: wild() };
        let genotypes = Genotypes::new(&Catalogue { alterations: vec![alteration] }, &[0], 1.0, 1.0);
        let division = |patient: &CellPhysiology, nodes: &[Node]| {
            let drugs: Vec<Drug> = nodes.iter().map(|&node| drug(node)).collect();
            let day = DrugDay::new(&drugs, &vec![1.0; drugs.len()]);
            rates(&PATHWAY, patient, &day, genotypes.get(0)).division
        };
        let both = division(&premenopausal, &[Node::Aromatase, Node::Ovary]);
        let after = division(&PATIENT, &[Node::Aromatase]);
        let silenced = division(&premenopausal, &[Node::Ovary]);
        assert!((both / after - 1.0).abs() < 0.25, "{both} {after}");
        assert!((silenced / division(&PATIENT, &[]) - 1.0).abs() < 0.05, "{silenced}");
    }

    #[test]
    fn cyclin_e_makes_a_tumour_resist_cdk46_inhibitors_and_endocrine_therapy() {
        let high = CellPhysiology { cyclin_e: 8.0, ..PATIENT };
        for node in [Node::Cdk46, Node::Er, Node::Aromatase] {
            assert!(net(wild(), &high, Some(node)) > net(wild(), &PATIENT, Some(node)), "{node:?}");
        }
        assert!((net(wild(), &high, None) - 0.01).abs() < 1e-12);
    }

    #[test]
    fn an_inhibitor_of_one_isoform_slows_the_mutant_more_than_the_wild_type() {
        let mutant = NodeEffect { pi3k_gain: 1.0, ..wild() };
        let slowed = |effect, node| net(effect, &RESISTANT, None) - net(effect, &RESISTANT, Some(node));
        assert!(slowed(mutant, Node::Pi3kAlpha) > slowed(wild(), Node::Pi3kAlpha));
        assert!(slowed(wild(), Node::Pi3k) > slowed(wild(), Node::Pi3kAlpha));
    }

    #[test]
    fn chemotherapy_kills_dividing_cells_whatever_their_receptor() {
        let killed = |effect| net(effect, &PATIENT, None) - net(effect, &PATIENT, Some(Node::Kill));
        assert!(killed(wild()) > 0.0);
        assert!((killed(wild()) - killed(esr1())).abs() < 0.2 * killed(wild()));
    }

    #[test]
    fn chemotherapy_shrinks_a_tumour_in_proportion_to_its_growth() {
        let twice =
            CellPhysiology { division: 2.0 * PATIENT.division, death: 2.0 * PATIENT.death, ..PATIENT };
        let (slow, fast) = (net(wild(), &PATIENT, Some(Node::Kill)), net(wild(), &twice, Some(Node::Kill)));
        assert!(slow < 0.0);
        assert!((fast - 2.0 * slow).abs() < 1e-12, "{fast} {slow}");
    }
}
