"""The shipped pathway in plain Python, by hand: what the formulas of `pathway.toml` are held against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tumor_abm.knowledge import Knowledge

Numbers = Mapping[str, float]

CHEMOTHERAPY = ("tubulin", "microtubule_ends", "antimetabolite", "dna_damage")
CONJUGATES = {"trop2_conjugate": "trop2_fold", "her2_conjugate": "her2_fold"}


def joint_effects(known: Knowledge, alterations: Iterable[str]) -> dict[str, float]:
    """What several alterations in one cell do together: folds multiply, losses do not add up, gains do."""
    joint = {name: effect.neutral for name, effect in known.pathway.effects.items()}
    for name in alterations:
        for key, quantity in known.alterations[name].effect.items():
            if key.endswith("_fold"):
                joint[key] *= quantity.value
            elif key.endswith(("_gain", "_bypass")) and key not in ("hdac_gain", "autophagy_gain"):
                joint[key] += quantity.value
            else:
                joint[key] = max(joint[key], quantity.value)
    return joint


def reached(known: Knowledge, drugs: Numbers, target: str, fold: float = 1.0) -> float:
    """How far drugs at these doses act, independently, on a target that lost so much affinity."""
    left = 1.0
    for name, dose in drugs.items():
        action = known.drugs[name].effects.get(target)
        if action is not None:
            concentration = dose * known.drugs[name].kinetics.steady_state.value
            ratio = fold * action.ic50.value / concentration
            left *= 1 - action.max.value / (1 + ratio**action.hill.value)
    return 1 - left


def rates(
    known: Knowledge, patient: Numbers, alterations: Iterable[str], drugs: Numbers
) -> tuple[float, float]:
    """Division and death per day."""
    alterations = list(alterations)
    c = {name: quantity.value for name, quantity in known.pathway.values.items()}
    e = joint_effects(known, alterations)
    fitness = 1.0
    for name in alterations:
        fitness *= 1 - known.alterations[name].fitness_cost.value
    inhibited = {key: reached(known, drugs, key) for key in known.pathway.targets}
    inhibited["er"] = reached(known, drugs, "er", e["er_antagonist_fold"])
    inhibited["cdk46"] = reached(known, drugs, "cdk46", e["cdk46_inhibitor_fold"])
    inhibited["cdk7"] = reached(known, drugs, "cdk7", e["cdk7_inhibitor_fold"])
    free = {key: 1 - value for key, value in inhibited.items()}
    silenced = e["hdac_gain"] * free["hdac"]
    p53 = 2 * (1 - e["p53_lost"]) / (1 + (1 + e["mdm2_gain"]) * free["mdm2"])
    myc = 1 + (e["myc_gain"] + e["chromatin_gain"] * free["hdac"]) * free["bet"]

    er, er_left = receptor(c, e, patient, free, silenced)
    cyclin_d = drive(c, e, patient, free, er, silenced)
    cdk2_gain = way_past_cdk46(c, e, free, silenced, p53, myc)
    e2f = free_e2f(c, e, patient, free, cyclin_d, cdk2_gain)
    activity = e2f / released(c, 1 + c["cdk2_basal"] * patient["cyclin_e"])

    damaged, killed = kills(e, patient, inhibited, cdk2_gain)
    attempted = patient["division"] * activity * fitness
    lack = patient["er_dependence"] * max(1 - er, 0) * er_left
    arrest = max(1 - activity, 0)
    sheltered = e["autophagy_gain"] * free["autophagy"]
    dying = arrest * (1 - c["autophagy_shelter"] * sheltered) * (1 - c["p53_senescence"] * max(1 - p53, 0))
    risen = max(p53 - 2 * (1 - e["p53_lost"]) / (2 + e["mdm2_gain"]), 0)
    lost = c["er_survival"] * lack + c["arrest_death"] * dying + c["p53_death"] * risen
    living_on_cdk7 = max(e["cdk7_gain"], 1 - 1 / max(cdk2_gain, 1))
    lost += c["cdk7_death"] * living_on_cdk7 * inhibited["cdk7"] * (1 - e["p53_lost"])
    lost += c["repair_loss"] * damaged * arrest
    died = patient["death"] * (1 + c["immune_share"] * (attack(c, e, inhibited, myc) - 1))
    return attempted * (1 - killed), died + patient["division"] * lost + attempted * killed


def receptor(c: Numbers, e: Numbers, patient: Numbers, free: Numbers, silenced: float) -> tuple[float, float]:
    """ER activity, and how much of the receptor is left."""
    ovarian = c["ovarian_share"] if patient["premenopausal"] else 0.0
    ovaries = ovarian * free["ovary"] * (1 - (1 - free["ovary"]) * (1 - free["aromatase"]))
    estradiol = ovaries + (1 - ovarian) * free["aromatase"]
    half = c["estradiol_half_saturation"] * (1 - ovarian)
    ligand = estradiol * (1 + half) / (estradiol + half)
    left = (
        (1 - e["er_lost"]) * (1 - c["hdac_er"] * silenced) / (1 + e["ap1_gain"] * free["mek"] * free["bet"])
    )
    return max(ligand, e["er_constitutive"]) * left * free["er"], left


def drive(c: Numbers, e: Numbers, patient: Numbers, free: Numbers, er: float, silenced: float) -> float:
    """Cyclin D: what ER, PI3K and MAPK make of it, and what needs none of them."""
    alpha = 1 - free["pi3k_alpha"]
    pi3k = (1 - c["pi3k_alpha_share"] * alpha + e["pi3k_gain"] * free["pi3k_alpha"]) * free["pi3k"]
    akt = (pi3k + e["pten_gain"] + e["akt_gain"]) * free["akt"]
    mtor = (akt + e["mtor_gain"] + e["tgfb_gain"] * free["tgfb"]) * free["mtor"]
    mapk = ((1 + e["fgfr_gain"]) * free["fgfr"] + e["mapk_gain"]) * free["mek"]
    w = patient["er_dependence"]
    other = (1 - w) * (c["pi3k_share"] * mtor + (1 - c["pi3k_share"]) * mapk)
    bypass = e["cyclin_d_bypass"] + e["ap1_gain"] * free["mek"] * free["bet"] + c["hdac_cyclin_d"] * silenced
    return (w * er + other + bypass) * e["cyclin_d_fold"]


def way_past_cdk46(c: Numbers, e: Numbers, free: Numbers, silenced: float, p53: float, myc: float) -> float:
    """Fold of CDK2 activity: cyclin E, p21 and p27, and what signals, WEE1, autophagy, HDACs add."""
    held = (p53 * (1 - silenced) + (1 - e["p27_lost"]) / myc) / 2
    freed = (1 + c["cip_kip_hold"]) / (1 + c["cip_kip_hold"] * held)
    signals = (
        e["akt_cdk2_gain"] * free["akt"] * free["pi3k"]
        + (e["mtor_cdk2_gain"] + e["tgfb_gain"] * free["tgfb"]) * free["mtor"]
        + (e["fgfr_cdk2_gain"] * free["fgfr"] + e["mapk_cdk2_gain"]) * free["mek"]
    )
    adapted = c["autophagy_escape"] * e["autophagy_gain"] * free["autophagy"] + c["hdac_cdk2"] * silenced
    return e["cdk2_fold"] * freed + signals + e["wee1_gain"] * free["wee1"] + adapted


def free_e2f(
    c: Numbers, e: Numbers, patient: Numbers, free: Numbers, cyclin_d: float, cdk2_gain: float
) -> float:
    """Share of E2F that is free."""
    uninhibited = 1 - (1 - free["cdk46"]) * (1 - e["cdk46_shield"])
    cdk46 = cyclin_d * e["cdk46_fold"] * (1 + e["cdk7_gain"] * free["cdk7"]) * uninhibited
    cdk2 = (
        c["cdk2_basal"] * patient["cyclin_e"] * cdk2_gain * (1 + e["cdk7_gain"]) * free["cdk7"] * free["cdk2"]
    )
    drive_of_g1 = (cdk46 + cdk2) * (1 + c["smad3_hold"] * e["smad3_lost"] * free["cdk2"])
    of_both = min((cyclin_d + cdk2) / (1 + c["cdk2_basal"] * patient["cyclin_e"]), 1)
    without_rb = e["rb_lost"] * (c["rb_free"] + (1 - c["rb_free"]) * of_both)
    return max(released(c, drive_of_g1), without_rb)


def kills(e: Numbers, patient: Numbers, inhibited: Numbers, cdk2_gain: float) -> tuple[float, float]:
    """Shares of divisions that chemotherapy by class, and all drugs, end in death."""
    spared = 1.0
    for target in CHEMOTHERAPY:
        kill = inhibited[target] * patient[f"{target}_sensitivity"] * e[f"{target}_fold"]
        spared *= 1 - min(kill * e["chemotherapy_fold"], 1)
    without = 1.0
    for target, antigen in CONJUGATES.items():
        without *= 1 - min(inhibited[target] * e[antigen], 1)
    kill = (1 - without) * patient["payload_sensitivity"] * e["topoisomerase_fold"]
    spared *= 1 - min(kill * e["chemotherapy_fold"], 1)
    stress = 1 - 1 / cdk2_gain if cdk2_gain > 1 else 0.0
    whole = spared * (1 - min(inhibited["kill"] * e["chemotherapy_fold"], 1))
    whole *= 1 - min(inhibited["wee1"] * (1 + e["p53_lost"] + stress), 1)
    return 1 - spared, 1 - whole


def attack(c: Numbers, e: Numbers, inhibited: Numbers, myc: float) -> float:
    """Killing by T cells, relative to that in an untreated tumour."""
    antigen = 1 + c["antigen_rise"] * inhibited["cdk46"] * (1 - e["rb_lost"])
    spared = 1 - inhibited["kill"]
    for target in (*CHEMOTHERAPY, *CONJUGATES):
        spared *= 1 - inhibited[target]
    t_cells = (1 + c["treg_release"] * inhibited["treg"]) * (1 - c["t_cell_loss"] * (1 - spared))
    t_cells *= 1 - inhibited["lymphocytes"]
    pd_l1 = 1 + c["pd_l1_rise"] * inhibited["cdk46"] + e["pd_l1_gain"] + c["pd_l1_myc"] * (myc - 1)
    pd_l1 *= 1 - inhibited["pd_l1"]
    held = (1 + c["pd_l1_brake"]) / (1 + c["pd_l1_brake"] * pd_l1)
    return antigen * t_cells * (1 - e["immune_escape"]) * held


def released(c: Numbers, activity: float) -> float:
    """Share of E2F that RB does not hold."""
    if activity <= 0:
        return 0.0
    return float(activity ** c["e2f_hill"] / (c["e2f_half"] ** c["e2f_hill"] + activity ** c["e2f_hill"]))
