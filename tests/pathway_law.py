"""The shipped pathway in plain Python, by hand: what the formulas of `pathway.toml` are held against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tumor_abm.knowledge import Knowledge

ADDED = ("cyclin_d_bypass", "pi3k_gain", "pten_gain", "akt_gain", "mtor_gain", "fgfr_gain", "mapk_gain")
SIGNALS = ("aromatase", "ovary", "pi3k", "pi3k_alpha", "akt", "mtor", "fgfr", "cdk2")
CHEMOTHERAPY = ("tubulin", "antimetabolite", "dna_damage")
LARGEST = ("er_constitutive", "er_lost", "rb_lost")


def joint_effects(known: Knowledge, alterations: Iterable[str]) -> dict[str, float]:
    """What several alterations in one cell do together; folds multiply."""
    joint = {
        **dict.fromkeys((*ADDED, *LARGEST), 0.0),
        **dict.fromkeys(
            (
                "er_antagonist_fold",
                "cyclin_d_fold",
                "cdk46_fold",
                "cdk46_inhibitor_fold",
                "cdk2_fold",
                "chemotherapy_fold",
                *(f"{target}_fold" for target in CHEMOTHERAPY),
            ),
            1.0,
        ),
    }
    for name in alterations:
        for key, quantity in known.alterations[name].effect.items():
            if key in ADDED:
                joint[key] += quantity.value
            elif key in LARGEST:
                joint[key] = max(joint[key], quantity.value)
            else:
                joint[key] *= quantity.value
    return joint


def reached(known: Knowledge, drugs: Mapping[str, float], target: str, fold: float = 1.0) -> float:
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
    known: Knowledge, patient: Mapping[str, float], alterations: Iterable[str], drugs: Mapping[str, float]
) -> tuple[float, float]:
    """Division and death per day."""
    alterations = list(alterations)
    c = {name: quantity.value for name, quantity in known.pathway.values.items()}
    e = joint_effects(known, alterations)
    fitness = 1.0
    for name in alterations:
        fitness *= 1 - known.alterations[name].fitness_cost.value
    inhibited = {key: reached(known, drugs, key) for key in (*SIGNALS, "kill", *CHEMOTHERAPY)}
    ovarian = c["ovarian_share"] if patient["premenopausal"] else 0.0
    ovaries = ovarian * (1 - inhibited["ovary"]) * (1 - inhibited["ovary"] * inhibited["aromatase"])
    estradiol = ovaries + (1 - ovarian) * (1 - inhibited["aromatase"])
    half = c["estradiol_half_saturation"] * (1 - ovarian)
    ligand = estradiol * (1 + half) / (estradiol + half)
    er = max(ligand, e["er_constitutive"]) * (1 - e["er_lost"])
    er *= 1 - reached(known, drugs, "er", e["er_antagonist_fold"])

    wild = 1 - c["pi3k_alpha_share"] * inhibited["pi3k_alpha"]
    pi3k = (wild + e["pi3k_gain"] * (1 - inhibited["pi3k_alpha"])) * (1 - inhibited["pi3k"])
    akt = (pi3k + e["pten_gain"] + e["akt_gain"]) * (1 - inhibited["akt"])
    mtor = (akt + e["mtor_gain"]) * (1 - inhibited["mtor"])
    mapk = (1 + e["fgfr_gain"]) * (1 - inhibited["fgfr"]) + e["mapk_gain"]
    w = patient["er_dependence"]
    other = (1 - w) * (c["pi3k_share"] * mtor + (1 - c["pi3k_share"]) * mapk)
    cyclin_d = (w * er + other + e["cyclin_d_bypass"]) * e["cyclin_d_fold"]

    cdk46 = cyclin_d * e["cdk46_fold"] * (1 - reached(known, drugs, "cdk46", e["cdk46_inhibitor_fold"]))
    cdk2 = c["cdk2_basal"] * patient["cyclin_e"] * e["cdk2_fold"] * (1 - inhibited["cdk2"])
    e2f = 1.0 if e["rb_lost"] > 0 else free(c, cdk46 + cdk2)
    activity = e2f / free(c, 1 + c["cdk2_basal"] * patient["cyclin_e"])

    spared = 1 - min(inhibited["kill"] * e["chemotherapy_fold"], 1)
    for target in CHEMOTHERAPY:
        kill = inhibited[target] * patient[f"{target}_sensitivity"] * e[f"{target}_fold"]
        spared *= 1 - min(kill * e["chemotherapy_fold"], 1)
    killed = 1 - spared
    attempted = patient["division"] * activity * fitness
    lack = w * max(1 - er, 0) * (1 - e["er_lost"])
    arrest = max(1 - activity, 0)
    lost = patient["division"] * (c["er_survival"] * lack + c["arrest_death"] * arrest)
    return attempted * (1 - killed), patient["death"] + lost + attempted * killed


def free(c: Mapping[str, float], activity: float) -> float:
    """Share of E2F that RB does not hold."""
    if activity <= 0:
        return 0.0
    return float(activity ** c["e2f_hill"] / (c["e2f_half"] ** c["e2f_hill"] + activity ** c["e2f_hill"]))
