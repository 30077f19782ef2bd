"""What a run compared, and the page of it: `docs/verification.md`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from tools.markdown import WIDTH, items, paragraph, table

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
        "The package's own closed form (`tumor_abm.theory`). No engine runs.",
    ),
    "test, its power": (
        ("design",),
        "Whether a test of this page sees a stated departure, at the level it uses.",
    ),
}

COLUMNS = ("engine", "expected", "found", "tolerance", "pass")
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

Every published or derived result that the engines must reproduce, and what they gave.

* The engines are `clones`, `cells` and `lattice`. `patients` are whole patients with tumour, drugs and
  clinic. `theory` is the closed form in `tumor_abm.theory`, `core` a function of the compiled core without
  an engine, `reference` the plain Python law in `tests/reference.py`. `design` says something about a test.
* Where a case is well mixed and the engine is `lattice`, its cells push their neighbours aside, however
  many. So every division finds room.
* Every seed follows from {seed} and from what is run, engine included, and none is chosen. Rows share
  random numbers only if they are statistics of the same runs.
* A tolerance is 4.5 standard errors ("SE") at the number of replicates (two-sided level 7e-6). For formulae
  that are themselves approximations a stated bias is added. Beside it stands its share of what is expected.
  Tests of laws and of two samples reject below p = 1e-6. So a failure means a bias or a bug.
* A case in continuous time runs at a step so short that what is left of it is a fraction of a standard
  error.
* Published values of closed forms stand in `reference.json`. Other code computed them from the publication,
  and simulation confirmed them.
* Found values are those of one run, the same on every run. `make verify` writes this page anew; it was last
  run on {run}. `make test` runs all but the dearest tests, and asks that their rows stand
  here as they are.

{cases} cases, {rows} comparisons, {passed} agree. What a row compares follows from its engine, unless the
line above its table says otherwise:

{kinds}"""


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

    def write(self, path: Path, order: Iterable[str], seed: int, *, run: str) -> None:
        """Write the page, cases in `order`, others behind them; `run` says when they were run."""
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
                run=run,
                kinds=_kinds(rows),
            )
        ]
        for section, (title, about) in SECTIONS.items():
            inside = [row for row in rows if row.section == section]
            if inside:
                text += [f"\n## {title}\n\n{paragraph(about)}\n", *_blocks(inside)]
        path.write_text("".join(text), encoding="utf-8")

    def not_in(self, page: Path) -> list[str]:
        """Comparisons that a page does not have; the last digits of what scipy finds may differ."""
        told = {
            (row["case"], *(_without_digits(row[column]) for column in COLUMNS))
            for row in read(page.read_text(encoding="utf-8"))
        }
        return [
            f"{row.case} on {row.engine}"
            for row in self.comparisons
            if (row.case, *map(_without_digits, _cells(row))) not in told
        ]


def _without_digits(cell: str) -> str:
    return re.sub(r"[-+.e\d]", "", cell)


def usually_compared(engine: str) -> str:
    """What a row of this engine compares unless it says otherwise."""
    return next(kind for kind, (engines, _) in COMPARED.items() if engine in engines)


def _kinds(rows: list[Comparison]) -> str:
    counts = (
        (
            kind,
            str(sum(row.compared == kind for row in rows)),
            ", ".join(f"`{engine}`" for engine in engines),
            shows,
        )
        for kind, (engines, shows) in COMPARED.items()
    )
    return table(("compared", "rows", "usual for", "what such a row shows"), counts)


def _blocks(rows: list[Comparison]) -> Iterator[str]:
    """Write a line and a table for all rows of a case that say the same of what they compare."""
    alike: dict[tuple[str, str, str], list[Comparison]] = {}
    for row in rows:
        unusual = "" if row.compared == usually_compared(row.engine) else row.compared
        alike.setdefault((row.case, row.what, unusual), []).append(row)
    before = ""
    for (case, what, unusual), same in alike.items():
        # Where a case is from is said once.
        source = "" if case == before else f" *Source:* {_sentence(same[0].source)}"
        compared = f" *Compared:* {unusual}." if unusual else ""
        before = case
        yield f"\n{paragraph(f'**{case}**: {_sentence(what)}{source}{compared}')}\n\n"
        yield _written(same)


def _written(rows: list[Comparison]) -> str:
    """Write comparisons as a table or, where one is too wide for it, as a list."""
    cells = [_cells(row) for row in rows]
    written = table(COLUMNS, cells)
    if max(map(len, written.splitlines())) <= WIDTH:
        return written
    return items(
        "; ".join(f"{name} {cell}" for name, cell in zip(COLUMNS, row, strict=True)) for row in cells
    )


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith((".", "?")) else f"{text}."


def _cells(row: Comparison) -> tuple[str, ...]:
    verdict = "yes" if row.passed else "NO"
    return (row.engine, row.expected, row.found, row.tolerance, verdict)


def read(text: str) -> list[dict[str, str]]:
    """Return the rows of a written page."""
    rows: list[dict[str, str]] = []
    said = re.split(r"^\*\*(.+?)\*\*: ", text.partition("\n## ")[2], flags=re.M)
    for case, block in zip(said[1::2], said[2::2], strict=True):
        line, _, written = block.partition("\n\n")
        told = re.search(r"\*Compared:\* (.+?)\.$", " ".join(line.split()))
        for row in _rows(written.partition("\n\n")[0]):
            rows.append(
                {"case": case, "compared": told[1] if told else usually_compared(row["engine"]), **row}
            )
    return rows


def _rows(written: str) -> Iterator[dict[str, str]]:
    if written.startswith("| "):
        for line in written.splitlines()[2:]:
            yield dict(zip(COLUMNS, line[2:-2].split(" | "), strict=True))
    else:
        for item in " ".join(written.split())[2:].split(" * "):
            yield dict(part.split(" ", 1) for part in item.split("; "))
