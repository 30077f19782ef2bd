"""Write `docs/calibration.md`: what was fitted, how well, and what the fit says of every parameter.

``python -m tools.calibration DIR PAGE`` reads what ``tumor-abm calibrate --out DIR`` wrote.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from tumor_abm._base.files import write_whole
from tumor_abm.calibration.left_out import scores
from tumor_abm.calibration.search import JOURNAL
from tumor_abm.calibration.store import AGAIN, SEARCHES

from tools.left_out import LEFT_OUT
from tools.markdown import paragraph, table, table_and_list

MOST = 3
"""Parameters named for every endpoint."""


def write_calibration(found: Path, page: Path) -> list[Path]:
    """Write the page and its figure; return both.

    Parameters
    ----------
    found
        Directory of a finished calibration.
    page
        File to write; its figure goes to ``images`` beside it.
    """
    targets = pl.read_csv((found / "targets.csv").absolute(), glob=False)
    parameters = pl.read_csv((found / "parameters.csv").absolute(), glob=False)
    sensitivity = pl.read_csv((found / "sensitivity.csv").absolute(), glob=False)
    fitted, near = targets.filter(pl.col("fitted")), targets.filter(~pl.col("fitted"))
    filled = {
        "plan": _plan(found, parameters.height),
        "summary": _summary(fitted, near),
        "fitted": _held(fitted),
        "near": _held(near),
        "left_out": _left_out(found / LEFT_OUT),
        "edge": _edge(parameters),
        "searches": _searches(found / SEARCHES, parameters.height),
        "parameters": _parameters(parameters),
        "sensitivity": _sensitivity(sensitivity),
    }
    template = Path(__file__).with_name("calibration.md.in").read_text(encoding="utf-8")
    text = re.sub(r"\{\{ (\w+) \}\}", lambda match: filled[match[1]], template)
    figure = page.parent / "images" / "calibration_sensitivity.png"
    figure.parent.mkdir(parents=True, exist_ok=True)
    write_whole(page, lambda draft: draft.write_text(text, encoding="utf-8"))
    shutil.copyfile(found / "sensitivity.png", figure)
    return [page, figure]


def _plan(found: Path, parameters: int) -> str:
    with (found / JOURNAL).open(encoding="utf-8") as file:
        searched = json.loads(file.readline())
    with (found / AGAIN).open(encoding="utf-8") as file:
        again = json.loads(file.readline())
    waves = ", ".join(f"{wave['sets']} of {wave['patients']} patients" for wave in searched["waves"])
    begun = "around the shipped values"
    if searched["from_scratch"]:
        begun = "in the middle of all ranges"
    elif "around" in searched:
        begun = "around another ensemble"
    came = f"begun {begun}; sets of the waves and patients of every cohort: {waves}"
    if "known" in searched:
        came = f"learnt from the sets of {len(searched['known'])} searches"
    return paragraph(
        f"The calibration behind it: {parameters} parameters; {came}; "
        f"then, {again['rounds']} times, {again['sets']} sets of the posterior with {again['patients']} "
        f"other patients; seed {searched['seed']}."
    )


def _summary(fitted: pl.DataFrame, near: pl.DataFrame) -> str:
    rows = []
    for words, rows_of in (("fitted", fitted), ("predicted, not fitted", near)):
        for quantity in rows_of["quantity"].unique(maintain_order=True):
            here = rows_of.filter(pl.col("quantity") == quantity)
            rows.append(
                (
                    words,
                    quantity,
                    *(f"{here[column].sum()} of {here.height}" for column in ("best_inside", "inside")),
                )
            )
    return table(("", "quantity", "best set inside", "median of the ensemble inside"), rows)


def _left_out(file: Path) -> str:
    if not file.exists():
        return "Here no class was left out."
    rows = [
        (
            row["class"],
            f"{row['medians_inside']} of {row['medians']}",
            f"{row['ratios_inside']} of {row['ratios']}",
            f"{row['error_left_out']:.2f}",
            f"{row['error_fitted']:.2f}",
            f"{100 * row['covered']:.0f}%",
        )
        for row in scores(pl.read_csv(file.absolute(), glob=False)).iter_rows(named=True)
    ]
    header = (
        *("left out", "medians inside", "hazard ratios inside", "error of logarithms, left out"),
        *("fitted", "in the 80% interval"),
    )
    return table(header, rows)


def _searches(file: Path, parameters: int) -> str:
    rows = [
        (
            f"{row['search']}",
            f"{row['sets']}",
            f"{row['best']:.0f}",
            f"{row['middle']:.0f}",
            f"{row['apart']} of {parameters}",
        )
        for row in pl.read_csv(file.absolute(), glob=False).iter_rows(named=True)
    ]
    return table(("search", "sets", "least loss", "loss in the middle", "parameters apart"), rows)


def _held(targets: pl.DataFrame) -> str:
    header = ("trial", "arm", "quantity", "published (95% interval)", "best set", "ensemble", "inside")
    return table(header, (_held_row(row) for row in targets.iter_rows(named=True)))


def _held_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    quantity = row["quantity"]

    def shown(value: float) -> str:
        if value is None or not math.isfinite(value):
            return "-"
        if quantity in ("rate", "response", "prevalence"):
            return f"{100 * value:.0f}%"
        return f"{value:.2f}" if quantity == "hazard ratio" else f"{value:.1f}"

    words = {
        "median": "median PFS, months",
        "rate": f"free of progression at {row['at_months'] or 0:.0f} months",
    }
    interval = f"{shown(row['low'])} to {shown(row['high'])}"
    if quantity == "prevalence":
        trial, arm, published = row["trial"].replace("_", " "), row["subset"], interval
    else:
        subset = row["subset"] or ""
        trial, arm = row["trial"], row["arm"] + (f", {subset}" if subset and subset not in row["arm"] else "")
        published = f"{shown(row['published'])} ({interval})"
    return (
        *(trial, arm, words.get(quantity, quantity), published, shown(row["best"])),
        f"{shown(row['ensemble_low'])} to {shown(row['ensemble_high'])}",
        "yes" if row["best_inside"] else "no",
    )


def _edge(parameters: pl.DataFrame) -> str:
    found = parameters.filter(pl.col("at_edge"))
    if found.height == 0:
        return "* No parameter is at the edge of its range (in its outer tenths)."
    listed = "; ".join(
        f"{row['label']} ({row['median']:.3g}{' ' if row['unit'] else ''}{row['unit'] or ''})"
        for row in found.iter_rows(named=True)
    )
    return paragraph(f"At the edge of their ranges (in the outer tenths): {listed}.", "* ", "  ")


def _parameters(parameters: pl.DataFrame) -> str:
    header = (
        *("parameter", "unit", "plausible range", "ensemble: median", "10th to 90th percentile"),
        *("width over that of the range", "correlates most with"),
    )
    rows = []
    for row in parameters.iter_rows(named=True):
        unit = row["unit"] or ""
        median = f"{row['median']:.3g}"
        rows.append(
            (
                row["label"],
                "" if row["label"].startswith(unit) else unit,
                f"{row['range_low']:.3g} to {row['range_high']:.3g}",
                f"**{median}**" if row["at_edge"] else median,
                f"{row['p10']:.3g} to {row['p90']:.3g}",
                f"{row['width']:.2f}",
                f"{row['correlates_with'].replace('_', ' ')} ({row['correlation']:+.1f})",
            )
        )
    return table_and_list(header, rows)


def _sensitivity(sensitivity: pl.DataFrame) -> str:
    rows = []
    for endpoint in sensitivity["endpoint"].unique(maintain_order=True):
        most = sensitivity.filter(pl.col("endpoint") == endpoint).sort("total", descending=True).head(MOST)
        named = (
            f"{row['parameter'].replace('_', ' ')} {row['total']:.2f}" for row in most.iter_rows(named=True)
        )
        rows.append((endpoint, ", ".join(named)))
    return table(("endpoint", "parameters that matter most: total Sobol index"), rows)


def main(arguments: Sequence[str]) -> None:
    """Write the page; `arguments` are the directory of the calibration and the page."""
    found, page = map(Path, arguments)
    for file in write_calibration(found, page):
        print(file)


if __name__ == "__main__":
    main(sys.argv[1:])
