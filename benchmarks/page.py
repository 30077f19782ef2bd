"""Frames a second of the page: `python benchmarks/page.py`. A frame is a step, the picture, and its PNG.

The browser's own work is not in it; `--browser` counts what headless chromium really draws. Wall and CPU time
are both given, since the machine may be loaded.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

import numpy as np
import tumor_abm as ta
from page_in_browser import measure
from tumor_abm.app.catalogue import Catalogue
from tumor_abm.app.charts import panels_of
from tumor_abm.app.picture import today
from tumor_abm.app.setup import Choices
from tumor_abm.app.twin import Twin
from tumor_abm.plots.tumour import section

COLOURS = ["#B9C4CE", "#D55E00"]
DIVISION, DEATH = 0.3, 0.03
"""Per day: cells with room to divide, and all cells once frames are counted."""

FILLED = 0.6
"""Share of the sites of the square that are taken when frames are counted."""


def main() -> None:
    """Measure patients and lattices."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--frames", type=int, default=40)
    arguments.add_argument("--browser", action="store_true", help="count the frames that chromium draws")
    arguments.add_argument("--seconds", type=float, default=15, help="of play in the browser")
    options = arguments.parse_args()
    frames = options.frames
    load, _, _ = os.getloadavg()
    print(f"{os.cpu_count()} processors, load average {load:.1f}")
    if options.browser:
        measure(options.seconds)
        return
    print(f"{'what':42}{'frames/s wall':>14}{'frames/s CPU':>14}")
    patient, charts = patient_frames()
    report("patient, clones, 7 days a frame", patient, frames)
    report("its charts (4 a second at most)", charts, frames)
    for side in (300, 1000):
        report(f"lattice {side} x {side}, a day a frame", lattice_frames(side), frames)


def patient_frames() -> tuple[Callable[[], object], Callable[[], object]]:
    """Return what makes a frame of a patient, and what makes the charts."""
    catalogue = Catalogue.of(None)
    setup = Choices(population=catalogue.populations[0], strategy=catalogue.arms[0])
    twin = Twin(setup.model(catalogue), setup.strategy)
    twin.advance(700)

    def frame() -> object:
        twin.advance(7)
        return today(twin)

    return frame, lambda: list(panels_of([(twin.course(), twin.palette, twin.record.growth)]))


def lattice_frames(side: int) -> Callable[[], object]:
    """Return what makes a frame of a flat tumour that fills most of a square."""
    population = ta.Population(
        engine="lattice",
        space=ta.Space(dimensions=2, neighbourhood="moore", placement="any_free"),
        division=[DIVISION, DIVISION],
        death=[0.0, 0.0],
        mutation=[[0, 1e-4], [0, 0]],
        initial=[1, 0],
        seed=7,
    )
    while population.counts.sum() < FILLED * side**2:
        population.step(5)
    population.set_rates(death=[DEATH, DEATH])

    def frame() -> object:
        population.step(1)
        cells = population.cells
        x, y = (cells[axis].to_numpy() for axis in ("x", "y"))
        codes = np.zeros((y.max() - y.min() + 1, x.max() - x.min() + 1), dtype=np.uint8)
        codes[y - y.min(), x - x.min()] = cells["type"].to_numpy() + 1
        return section(codes, COLOURS)

    return frame


def report(what: str, frame: Callable[[], object], frames: int) -> None:
    """Make so many frames and print how many there were a second."""
    frame()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(frames):
        frame()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{what:42}{frames / wall:14.1f}{frames / cpu:14.1f}", flush=True)


if __name__ == "__main__":
    main()
