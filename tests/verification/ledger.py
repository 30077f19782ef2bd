"""What a run compared, and the table of it: `docs/verification.md`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

ENGINES = ("theory", "reference", "clones", "cells", "lattice", "patients", "core", "design")

# What a row compares: the engines of whose rows this is usually true, and what such a row shows.
COMPARED = {
    "engine, theory": (
        ("clones", "cells", "lattice"),
        "Tumours that the engine grew, against an exact or published result.",
    ),
    "engine, plain law": ((), "Tumours that the engine grew, against the law in plain Python, cell by cell."),
    "engine, engine": ((), "Two engines, or two settings of one, with seeds of their own."),
    "patients, theory": (
        ("patients",),
        "Whole patients of `run_experiment` or `TumorModel`, as tables show them, against an exact law.",
    ),
    "patients, patients": ((), "Whole patients whose cells are held in two ways, with seeds of their own."),
    "function, known answer": (
        ("core",),
        "A function of the core that engines or patients call, against an exact or published result.",
    ),
    "function apart, known answer": ((), "The same for a function that Python offers and no patient runs."),
    "plain law, theory": (("reference",), "The law in plain Python against an exact result."),
    "closed form, published value": (
        ("theory",),
        "The package's own closed form (`tumor_abm.theory`) against that of `reference.json`, which other "
        "code computed from the publication and simulation confirmed. No engine runs.",
    ),
    "test, its power": (
        ("design",),
        "Whether a test of this page sees a stated departure, at the level it uses.",
    ),
}

SECTIONS = {
    "1_birth_death": (
        "Birth and death",
        "Kendall (1948) solved the linear birth-death process: from one cell the number after a time is "
        "geometric with an atom at zero. `GW-DT-*` are the same for steps, by composing the generating "
        "function of one step.",
    ),
    "2_luria_delbruck": (
        "Mutants in a growing population",
        "The law of Luria and Delbrück (1943) in the form of Lea and Coulson (1949), its exact chain for "
        "small populations (Angerer 2001), with differential growth (Mandelbrot 1974), with plating "
        "(Stewart et al. 1990) and with death (Iwasa et al. 2006; Keller and Antal 2015).",
    ),
    "3_bozic": (
        "Resistance to one drug and to two",
        "Bozic et al. (2013, eLife 2:e00747): equation (1) for failure of two drugs together, numbers of "
        "resistant cells at detection, and the patients of their Table 1, on tumours of full size.",
    ),
    "3b_twostep": (
        "Two steps to resistance",
        "The backward Kolmogorov equation for both steps. It refines equation (1) and has its limit. It "
        "takes all cells of the growing tumour for sensitive. In `TWOSTEP-M3000-U0.002-X0` mutants are a "
        "third of them, and its 0.7229 is 0.022 too high: an independent chain of single events gives 0.7005 "
        "± 0.0014, and the engines agree with the chain. They stay within the tolerance of the formula (a "
        "bias of 0.01 and 4.5 SE) at the replicates used here; at some 20,000 no right engine would be sure "
        "to.",
    ),
    "3d_clones_pulsed": (
        "Clones at detection, and pulses of a drug",
        "Resistant clones at detection are Poisson (Bozic and Nowak 2014). Under a periodic dose the "
        "probability that a cell leaves a surviving resistant lineage solves a backward equation "
        "(after Foo and Michor 2009).",
    ),
    "4_neutral_sfs": (
        "Neutral site-frequency spectra",
        "Clade sizes of Yule trees (Heard 1992) give N/(j(j+1)) mutations in j of N cells; with death "
        "Gunnarsson, Leder and Foo (2021); a sample is a hypergeometric mixture. Engines that hold cells "
        "record a genealogy; `clones` has one where every division founds a clone.",
    ),
    "5_spatial": (
        "Space",
        "Small clusters by exact enumeration of all lattice animals; large ones by the shape theorem "
        "(Eden 1961; Richardson 1973) and the scaling of rough fronts (Hallatschek et al. 2007; Fusco et "
        "al. 2016).",
    ),
    "5b_lattice1d": (
        "Space of one dimension",
        "Only the two ends divide, so times are sums of exponentials.",
    ),
    "6_pharmacology": (
        "Pharmacology, growth and response",
        "One-compartment kinetics, Hill effects, log-kill, Gompertz growth, RECIST 1.1, Kaplan-Meier, all "
        "without chance: closed forms, functions of the core, and what patients run of them, which is the "
        "average concentration of a day, the rates under it, and scans.",
    ),
    "7_trees": (
        "Trees",
        "Balance and height of Yule trees, lineages through time (Nee, May and Harvey 1994), divisions in "
        "the ancestry of all cells.",
    ),
    "7b_tskit": ("Tree sequences", "What tskit itself computes from the exported tree sequence."),
    "8_engine_equality": (
        "Equality of engines, by exact tables",
        "The joint law of two types in a few steps, by composing generating functions, and how many "
        "replicates it takes to see which mistake at p < 1e-6. `TWOSAMPLE-CALIBRATION` shows that the energy "
        "distance rejects equal laws as often as it should: at 0.05, for at 1e-6 no number of runs would.",
    ),
    "9_rng_samplers": (
        "Random numbers and samplers",
        "Known answers of the generator, and the traps that published samplers fell into.",
    ),
    "10_reference": (
        "The plain reference",
        "`tests/reference.py` is the law in plain Python, one cell after the other. Engines are compared "
        "with it, and with each other, by exact tables, by chi-square tests of two samples and by the energy "
        "distance (Szekely and Rizzo 2004) with p by permutation.",
    ),
    "11_steps": (
        "Short steps tend to continuous time",
        "Moments of the law of steps against the closed forms of continuous time: the error falls as the "
        "first power of dt.",
    ),
    "12_patients": (
        "Whole patients",
        "Patients of `run_experiment` and `TumorModel` as their tables show them: what arose on the way to "
        "diagnosis, what scans and liquid biopsies see, how follow-up ends, and what drugs do. Covariates "
        "that matter are fixed in the experiment.",
    ),
    "13_power": (
        "Power",
        "For each kind of test on this page, runs with a stated mistake that it must reject, at the level "
        "that it uses: 4.5 standard errors, p < 1e-6. `POWER-CHI2` has the same by computation; "
        "`BOZIC-MEAN10-1e9` and `PATIENT-LESIONS` have rows of their own.",
    ),
}

PREAMBLE = """\
# Verification

<!-- Written by `make verify` (pytest tests/verification --verification-table docs/verification.md). -->

Every published or derived result that the engines must reproduce, and what they gave. The engines are
`clones`, `cells` and `lattice`; `patients` are whole patients with tumour, drugs and clinic, `theory` is the
closed form in `tumor_abm.theory`, `core` a function of the compiled core without an engine, `reference` the
plain Python law in `tests/reference.py`, and `design` says something about a test. Where a case is well mixed
and the engine is `lattice`, its cells push their neighbours aside, however many, so that every division finds
room.

* Every seed follows from {seed} and from what is run, engine included, and none is chosen: rows share random
  numbers only if they are statistics of the same runs.
* A tolerance is 4.5 standard errors ("SE") at the number of replicates (two-sided level 7e-6), plus, for
  formulae that are themselves approximations, a stated bias; beside it stands its share of what is expected.
  Tests of laws and of two samples reject below p = 1e-6. So a failure means a bias or a bug.
* A case in continuous time runs at a step so short that what is left of it is a fraction of a standard error.
* Found values are those of one run, the same on every run. `make verify` writes this page anew.

{cases} cases, {rows} comparisons, {passed} agree. What they compare:

| compared | rows | what such a row shows |
|---|---|---|
{kinds}
"""


def number(value: Any) -> str:
    """Write a number, or some, in six digits."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {number(item)}" for key, item in value.items())
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, Real):
        return str(value) if isinstance(value, int) and abs(value) < 10**7 else f"{float(value):.6g}"
    if isinstance(value, Iterable):
        items = list(value)
        shown = ", ".join(number(item) for item in items[:4])
        return shown + (", …" if len(items) > 4 else "")
    return str(value)


def within(allowed: float, expected: float, why: str) -> str:
    """Write a tolerance, its size relative to what is expected, and what it follows from."""
    share = f"{allowed / abs(expected):.1%}, " if expected else ""
    return f"± {allowed:.3g} ({share}{why})"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One thing found, against what was expected."""

    case: str
    section: str
    what: str
    source: str
    compared: str
    engine: str
    expected: str
    found: str
    tolerance: str
    passed: bool


@dataclass
class Ledger:
    """The comparisons of a run, in the order of the tests."""

    comparisons: list[Comparison] = field(default_factory=list)

    def write(self, path: Path, order: Iterable[str], seed: int) -> None:
        """Write the table, cases in `order`, others behind them."""
        place = {case: i for i, case in enumerate(order)}
        rows = sorted(
            self.comparisons,
            key=lambda row: (
                list(SECTIONS).index(row.section),
                place.get(row.case, len(place)),
                row.case,
                ENGINES.index(row.engine),
            ),
        )
        text = [
            PREAMBLE.format(
                seed=f"{seed:_}",
                cases=len({row.case for row in rows} & place.keys()),
                rows=len(rows),
                passed=sum(row.passed for row in rows),
                kinds="\n".join(_kinds(rows)),
            )
        ]
        for section, (title, about) in SECTIONS.items():
            inside = [row for row in rows if row.section == section]
            if inside:
                text += [f"\n## {title}\n\n{about}\n\n", *_table(inside)]
        path.write_text("".join(text), encoding="utf-8")


def _kinds(rows: list[Comparison]) -> Iterable[str]:
    for kind, (_, shows) in COMPARED.items():
        yield f"| {kind} | {sum(row.compared == kind for row in rows)} | {shows} |"


def _table(rows: list[Comparison]) -> Iterable[str]:
    yield "| case | what | source | compared | engine | expected | found | tolerance | pass |\n"
    yield "|---|---|---|---|---|---|---|---|---|\n"
    before = None
    for row in rows:
        # What and where from is said once, and again where it changes.
        what, source = row.what, row.source
        if before is not None and row.case == before.case:
            what, source = "" if what == before.what else what, ""
        before = row
        cells = [row.case, what, source, row.compared, row.engine]
        cells += [row.expected, row.found, row.tolerance]
        cells.append("yes" if row.passed else "NO")
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |\n"
