"""The tables of `docs/evidence.md`: published against simulated, alterations, parameters, predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np
import polars as pl
from tumor_abm._base.sinks import markdown_text
from tumor_abm.calibration.parameters import Parameters, Plan
from tumor_abm.calibration.plan_file import PlanFile
from tumor_abm.knowledge import Knowledge, evidence
from tumor_abm.knowledge.ensemble import Ensemble
from tumor_abm.knowledge.usual import DEFAULT_POPULATION
from tumor_abm.trials.published import (
    inside,
    median_in,
    published_in,
    rates_of,
    ratio_in,
    response_of,
)

from tools.markdown import limits, table, table_and_list

_CONTROLS = (
    *(("paloma_1", "L"), ("paloma_2", "L"), ("monaleesa_2", "L"), ("monarch_3", "NSAI")),
    *(("dawna_2", "AI"), ("falcon", "anastrozole")),
)
"""First line after menopause with an aromatase inhibitor alone; trials with the same arm count once."""
_INHIBITORS = (
    *(("paloma_1", "P+L"), ("paloma_2", "P+L"), ("monaleesa_2", "R+L"), ("monarch_3", "A+NSAI")),
    ("dawna_2", "D+AI"),
)
_AFTER_INHIBITOR = ("progression on AI", "progression on metastatic AI", "progression on ET")
MOMENTS = (
    (_CONTROLS, "baseline", "at diagnosis", ("metastatic, untreated",)),
    (_CONTROLS, "progression", "after an aromatase inhibitor", _AFTER_INHIBITOR),
    (_INHIBITORS, "progression", "after it with a CDK4/6 inhibitor", ("progression on ET + CDK4/6i",)),
    ((("paloma_3", "F"),), "progression", "after fulvestrant, pretreated", ("progression on fulvestrant",)),
    (
        (("paloma_3", "P+F"),),
        "progression",
        "after it with palbociclib, pretreated",
        ("progression on fulvestrant + CDK4/6i",),
    ),
)
"""Arms of trials, the moment in them, its name, and the settings of published prevalences like it."""
_GENES = {
    "ESR1": "ESR1 LBD mutation (Y537S/N, D538G, E380Q, L536)",
    "RB1": "RB1 loss",
    "CCNE1": "CCNE1 amplification / high cyclin E1",
    "PIK3CA": "PIK3CA mutation",
    "CDK6-high": "CDK6 amplification / overexpression",
    "EMT": "EMT / TGF-beta / SMAD3",
}


def _named(row: Mapping[str, Any]) -> list[str]:
    """Return trial, arm and subset as cells."""
    return [markdown_text(row[key]) for key in ("trial", "arm", "subset")]


def against_published(held: pl.DataFrame) -> str:
    """Write published against simulated: medians, hazard ratios and responses, a table each."""
    rows = list(held.iter_rows(named=True))
    medians = (
        (
            *_named(row),
            limits(row["mpfs_mo"], row["ci_lo"], row["ci_hi"], 1),
            limits(row["pfs_median_months"], row["pfs_lo"], row["pfs_hi"], 1),
            _verdict(median_in(row), published_in(row)),
        )
        for row in rows
    )
    ratios = (
        (
            *_named(row),
            limits(row["hr_published"], row["hr_lo_published"], row["hr_hi_published"], 2),
            limits(row["hr"], row["hr_lo"], row["hr_hi"], 2),
            _verdict(ratio_in(row), inside(row["hr_published"], row["hr_lo"], row["hr_hi"])),
        )
        for row in rows
        if row["hr_published"] is not None or row["hr"] is not None
    )
    responses = (
        (
            *_named(row),
            _response(row["orr_pct_published"], row["orr_base"]),
            _simulated_response(row),
        )
        for row in rows
        if row["orr_pct_published"] is not None
    )
    who = ("trial", "arm", "subset")
    tables = (
        ((*who, "median PFS: published", "simulated", "inside"), list(medians)),
        ((*who, "hazard ratio: published", "simulated", "inside"), list(ratios)),
        ((*who, "ORR: published", "simulated"), list(responses)),
    )
    return "\n".join(table(header, cells) for header, cells in tables if cells) or "No such row.\n"


def _response(value: float | None, base: str) -> str:
    return "" if value is None else f"{value:.0f}% ({base})" if base else f"{value:.0f}%"


def _simulated_response(row: Mapping[str, Any]) -> str:
    value = response_of(row)
    return "" if row["orr_pct_published"] is None or value is None else f"{value:.0f}%"


def _verdict(simulated: bool | None, published: bool | None) -> str:
    if simulated is None and published is None:
        return ""
    words = {(True, True): "both", (True, False): "simulated", (False, True): "published"}
    return words.get((bool(simulated), bool(published)), "**neither**")


def landmarks(held: pl.DataFrame) -> str:
    """Write the shares free of progression at months that trials published."""
    rows = [
        (*_named(row), str(month), f"{published:.0f}%", f"{simulated:.0f}%", f"{simulated - published:+.0f}")
        for row in held.iter_rows(named=True)
        for month, published, simulated in rates_of(row)
    ]
    return table(("trial", "arm", "subset", "month", "published", "simulated", "difference, points"), rows)


def prevalence(found: pl.DataFrame) -> str:
    """Write who carries which alteration, and when; published figures that are too long stand beneath."""
    rows = []
    for gene, alteration in _GENES.items():
        for arms, moment, words, settings in MOMENTS:
            of_trials = [_carrying(found, *arm, moment, gene) for arm in arms]
            counted = [one for one in of_trials if one[-1]]
            if not counted:
                continue
            some, most, patients = (sum(column) for column in zip(*counted, strict=True))
            shares = [100 * one[0] / one[-1] for one in counted]
            least, largest = (f"{share:.0f}" for share in (min(shares), max(shares)))
            between = f" ({least} to {largest})" if least != largest else ""
            shown = (f"{100 * some / patients:.0f}%{between}", f"{100 * most / patients:.0f}%")
            rows.append((gene, words, *shown, str(patients), _published_prevalence(alteration, settings)))
    header = ("gene or state", "when", "in 1% of cells or more (trials)", "in half or more", "patients")
    return table_and_list((*header, "published, %"), rows, named=2)


def _published_prevalence(alteration: str, settings: Sequence[str]) -> str:
    """Return what studies found, blood and tissue apart, those with counts first."""
    here = evidence.prevalence().filter(pl.col("setting").is_in(settings), alteration=alteration)
    counted = here.sort("n_patients", descending=True, nulls_last=True, maintain_order=True)
    told = []
    for (specimen,), rows in counted.group_by(["specimen"], maintain_order=True):
        studies = (limits(row["pct"], row["lo"], row["hi"], 0) for row in rows.iter_rows(named=True))
        told.append(f"{specimen} {', '.join(studies)}")
    return "; ".join(told)


def _carrying(found: pl.DataFrame, file: str, arm: str, moment: str, gene: str) -> tuple[int, int, int]:
    """Patients of an arm with the gene altered in 1% of their cells, in half of them, and all."""
    here = found.filter((pl.col("file") == file) & (pl.col("arm") == arm) & (pl.col("moment") == moment))
    some, most = here.filter(pl.col("gene") == gene).select("found", "most").sum().row(0)
    patients = here["patients"].max()
    return int(some or 0), int(most or 0), patients if isinstance(patients, int) else 0


def parameters(ensemble: Ensemble) -> str:
    """Write the ensemble beside the plausible ranges."""
    if len(ensemble.members) == 1 and not ensemble.members[0].overrides:
        return (
            "No ensemble comes with this version: predictions use the defaults, whose plausible ranges and "
            "sources are listed in [configuration.md](configuration.md).\n"
        )
    knowledge = Knowledge.shipped()
    known = {".".join(map(str, path)): number for path, number in knowledge.numbers().items()}
    free = {
        number: (parameter, ratio)
        for plan in get_args(Plan)
        for parameter in Parameters.of(PlanFile.shipped(plan).parameter, knowledge)
        for number, ratio in zip(parameter.numbers, parameter.ratios, strict=True)
    }
    weights = np.array([member.weight for member in ensemble.members])
    rows = []
    for name in ensemble.members[0].overrides:
        values = np.array([member.overrides[name] for member in ensemble.members])
        order = np.argsort(values)
        share = np.cumsum(weights[order]) / weights.sum()
        low, middle, high = (values[order][np.searchsorted(share, q)] for q in (0.05, 0.5, 0.95))
        number = known[name]
        prior = "" if number.low is None or number.high is None else f"{number.low:g} to {number.high:g}"
        edge = name in free and free[name][0].at_edge(middle / free[name][1])
        rows.append(
            (
                f"`{name.replace(f'population.{DEFAULT_POPULATION}.', 'population.')}`",
                number.unit,
                prior,
                f"{middle:.3g} ({low:.3g} to {high:.3g})" + (", edge" if edge else ""),
                ", ".join(number.source),
            )
        )
    return table_and_list(("parameter", "unit", "plausible", "ensemble: median (90%)", "source"), rows)


def left_out() -> str:
    """Write the rows of the tables that nothing simulates, with the reasons."""
    rows = ((*_named(row), row["reason"]) for row in evidence.left_out().iter_rows(named=True))
    return table_and_list(("trial", "arm", "subset", "why it is not simulated"), rows)


def misses(fitted: pl.DataFrame) -> str:
    """Write the medians that are missed both ways."""
    rows = []
    for row in fitted.iter_rows(named=True):
        if median_in(row) is False and published_in(row) is False:
            simulated = row["pfs_median_months"]
            shown = "not reached" if simulated is None else f"{simulated:.1f}"
            ratio = "" if simulated is None else f"{simulated / row['mpfs_mo']:.2f}"
            rows.append((*_named(row), f"{row['mpfs_mo']:.1f}", shown, ratio))
    if not rows:
        return "None of the fitted medians is missed both ways.\n"
    return table(("trial", "arm", "subset", "published", "simulated", "ratio"), rows)


def predicted(unseen: pl.DataFrame) -> str:
    """Write what is predicted of trials whose outcomes are not used."""
    header = (
        "trial",
        "arm",
        "subset",
        "n",
        "median PFS (95%)",
        "HR (95%)",
        "6, 12, 24 months",
        "ORR",
        "OS",
        "behind it",
    )
    rows = []
    for row in unseen.iter_rows(named=True):
        rates = [row[f"pfs{month}"] for month in (6, 12, 24)]
        rows.append(
            (
                *_named(row),
                "" if row["n"] is None else str(row["n"]),
                limits(row["pfs_median_months"], row["pfs_lo"], row["pfs_hi"], 1),
                limits(row["hr"], row["hr_lo"], row["hr_hi"], 2),
                ", ".join("-" if rate is None else f"{rate:.0f}%" for rate in rates),
                "" if row["orr_pct"] is None else f"{row['orr_pct']:.0f}%",
                "" if row["os_median_months"] is None else f"{row['os_median_months']:.0f}",
                str(row["simulated"]),
            )
        )
    return table(header, rows)
