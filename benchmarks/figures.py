"""Time the report of five arms, and every figure of it, with the timeline of one patient.

Run it with ``python -m benchmarks.figures --out DIR``; the figures lie in ``DIR/figures``, coloured and grey.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

import matplotlib.image as mpimg
import numpy as np
from matplotlib.figure import Figure
from tumor_abm import Results, compare, run_experiment
from tumor_abm.plots import plot_kaplan_meier, plot_patient, svg
from tumor_abm.plots.style import write_figure
from tumor_abm.report import write_report
from tumor_abm.report.figures import figures_of

AFTER = [{"regimen": ["fulvestrant", "capivasertib"]}, {"regimen": ["capecitabine"]}]
FIRST = {
    "aromatase inhibitor": ["letrozole"],
    "with palbociclib": ["letrozole", "palbociclib"],
    "with ribociclib": ["letrozole", "ribociclib"],
    "fulvestrant": ["fulvestrant"],
    "chemotherapy": ["paclitaxel"],
}
EXPERIMENT = {
    "title": "Five first lines",
    "question": "Which first line should patients begin with?",
    "seed": 11,
    "liquid_biopsy": {"every_weeks": 8, "genes": ["ESR1", "PIK3CA"]},
    "trajectory_every_days": 28,
    "arm": [{"name": name, "line": [{"regimen": drugs}, *AFTER]} for name, drugs in FIRST.items()],
}
SUBGROUPS = ["visceral", "premenopausal"]
REPORT_TARGET_S, FIGURE_TARGET_S = 30, 2


def save_grey(figure: Figure, path: Path) -> None:
    """Save a figure, and what a printer without colours makes of it."""
    write_figure(figure, path)
    seen = mpimg.imread(path)[..., :3] @ np.array([0.299, 0.587, 0.114])
    mpimg.imsave(path.with_name(f"{path.stem}_grey.png"), seen, cmap="gray", vmin=0, vmax=1)


def drawn(results: Results) -> dict[str, Callable[[], Figure]]:
    """Every figure of a report, by what it is called, and the timeline of one patient."""
    comparison = compare(results, SUBGROUPS)
    figures: dict[str, Callable[[], Figure]] = {
        f"Curves of {timed}": partial(plot_kaplan_meier, results, timed) for timed in ("PFS1", "PFS2", "OS")
    }
    figures |= {each.title: each.draw for each in figures_of(results, comparison)}
    return figures | {"One patient": partial(plot_patient, results, 0, arms=list(FIRST)[:2])}


def main() -> None:
    """Simulate, and time."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--patients", type=int, default=1000)
    arguments.add_argument("--out", type=Path)
    options = arguments.parse_args()
    directory = options.out or Path(mkdtemp())
    (directory / "figures").mkdir(parents=True, exist_ok=True)
    results = run_experiment({**EXPERIMENT, "patients": options.patients})
    results.save(directory / "run")
    results = Results.load(directory / "run")
    start = time.perf_counter()
    write_report(results, directory / "run", by=SUBGROUPS)
    took = time.perf_counter() - start
    print(f"report of {len(FIRST)} arms x {options.patients}: {took:.1f} s (target: {REPORT_TARGET_S} s)")
    for number, (title, each) in enumerate(drawn(results).items()):
        path = directory / "figures" / f"{number:02d}.png"
        start = time.perf_counter()
        svg(each(), path.stem)
        took = time.perf_counter() - start
        save_grey(each(), path)
        print(f"{path.stem} {title}: {took:.2f} s (target: {FIGURE_TARGET_S} s)")


if __name__ == "__main__":
    main()
