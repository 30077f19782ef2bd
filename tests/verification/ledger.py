"""What a run compared, and the table of it: `docs/verification.md`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

ENGINES = ("theory", "reference", "clones", "cells", "lattice", "core", "design")

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
        "Closed forms without chance: one-compartment kinetics, Hill effects, log-kill, Gompertz growth, "
        "RECIST 1.1, Kaplan-Meier.",
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
        "replicates it takes to see which mistake.",
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
}

PREAMBLE = """\
# Verification

<!-- Written by `make verify` (pytest tests/verification --verification-table docs/verification.md). -->

Every published or derived result that the engines must reproduce, and what they gave. The engines are
`clones`, `cells` and `lattice`; `theory` is the closed form in `tumor_abm.theory`, `core` a function of the
compiled core without an engine, `reference` the plain Python law in `tests/reference.py`, and `design` says
something about a test. Where a case is well mixed and the engine is `lattice`, its cells push their
neighbours aside, however many, so that every division finds room.

* The seed is {seed} everywhere and is not chosen: a tolerance is 4.5 standard errors ("SE") at the number of
  replicates (plus, for formulae that are themselves approximations, a stated bias), or p > 1e-6, so that a
  failure means a bias or a bug.
* A case in continuous time runs at a step so short that what is left of it is a fraction of a standard error.
* Found values are those of one run, the same on every run. `make verify` writes this page anew.

{cases} cases, {rows} comparisons, {passed} agree.
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


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One thing found, against what was expected."""

    case: str
    section: str
    what: str
    source: str
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
            )
        ]
        for section, (title, about) in SECTIONS.items():
            inside = [row for row in rows if row.section == section]
            if inside:
                text += [f"\n## {title}\n\n{about}\n\n", *_table(inside)]
        path.write_text("".join(text), encoding="utf-8")


def _table(rows: list[Comparison]) -> Iterable[str]:
    yield "| case | what | source | engine | expected | found | tolerance | pass |\n"
    yield "|---|---|---|---|---|---|---|---|\n"
    before = None
    for row in rows:
        # What and where from is said once, and again where it changes.
        what, source = row.what, row.source
        if before is not None and row.case == before.case:
            what, source = "" if what == before.what else what, ""
        before = row
        cells = [row.case, what, source, row.engine, row.expected, row.found, row.tolerance]
        cells.append("yes" if row.passed else "NO")
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |\n"
