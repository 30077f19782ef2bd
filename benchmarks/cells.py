"""Measure the engine `cells` against numpy and Mesa: `python benchmarks/cells.py`.

Absolute times are those of the machine at hand; ratios are against a baseline of the same run.

"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tumor_abm as ta
from numpy_cells import NumpyCells, NumpyEvents
from rich.console import Console
from rich.table import Table

RATE = 0.01
Row = tuple[str, str, str]


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of all threads."""
    start = time.process_time()
    work()
    return time.process_time() - start


def per_cell_step(step: Callable[[], object], cells: int, steps: int, repeats: int = 5) -> float:
    """Nanoseconds of CPU per cell and step, the median of some repeats; the first steps are left out."""
    step()

    def several() -> None:
        for _ in range(steps):
            step()

    return 1e9 * float(np.median([cpu(several) for _ in range(repeats)])) / (cells * steps)


def population(cells: int, **changes: object) -> ta.Population:
    law = {"engine": "cells", "division": [RATE], "death": [RATE], "initial": [cells], "seed": 1}
    return ta.Population(**{**law, **changes})


def cell_steps(cells: int) -> list[Row]:
    """Stationary populations with 1% divisions and 1% deaths a day, on one thread."""
    ours = per_cell_step(population(cells).step, cells, 10)
    with_trait = per_cell_step(population(cells, trait=ta.Trait(drift=0.01)).step, cells, 10)
    recorded = per_cell_step(population(cells, genealogy=True).step, cells, 10)
    every_cell = per_cell_step(NumpyCells(cells, RATE, RATE, seed=1).step, cells, 2, repeats=3)
    events = per_cell_step(NumpyEvents(cells, RATE, RATE, seed=1).step, cells, 2, repeats=3)
    rows = [
        (f"{cells:.0e} cells, 1% divide and 1% die: tumor_abm", f"{ours:.2f} ns per cell-step", "at most 2"),
        ("  ... with a heritable trait", f"{with_trait:.2f} ns per cell-step", ""),
        ("  ... with its genealogy recorded", f"{recorded:.2f} ns per cell-step", ""),
        ("  ... numpy, every cell", f"{every_cell:.2f} ns, {every_cell / ours:.1f} x", "at least 4 x"),
        ("  ... numpy, events only", f"{events:.2f} ns, {events / ours:.1f} x", ""),
    ]
    if importlib.util.find_spec("mesa") is None:
        return [*rows, ("  ... Mesa", "is not installed", "at least 1000 x")]
    from mesa_cells import MesaCells

    few = 100_000
    mesa = per_cell_step(MesaCells(few, RATE, RATE, seed=1).step, few, 3, repeats=3)
    return [*rows, (f"  ... Mesa, {few} cells", f"{mesa:.0f} ns, {mesa / ours:.0f} x", "at least 1000 x")]


def growth() -> list[Row]:
    """One cell to 1e6 cells, with driver mutations that are inherited and divide 2% faster."""
    rows = []
    for division, death in ((0.14, 0.13), (0.2, 0.1)):
        law = {
            "division": [division, 1.02 * division],
            "death": [death, death],
            "mutation": [[1e-3, 1e-4], [0, 1e-3]],
        }
        seconds = [
            cpu(
                lambda seed=seed, law=law: ta.replicate(
                    engine="cells",
                    replicates=1,
                    **law,
                    initial=[1, 0],
                    until=ta.Until(total=1e6),
                    restart_on_extinction=True,
                    seed=seed,
                    threads=1,
                )
            )
            for seed in range(9)
        ]
        name = f"one cell to 1e6, drivers, d/b = {death / division:.2f}"
        rows.append((name, f"{np.median(seconds):.3f} s CPU, at most {max(seconds):.3f}", "under 0.5"))
    return rows


def memory(cells: int) -> list[Row]:
    """Growth of the largest resident size, per cell, in a process of its own (Linux)."""
    if not Path("/proc/self/status").exists():
        return []
    rows = []
    for name, size, initial, steps, options, goal in (
        ("founded", cells, cells, 20, "", 8),
        ("grown tenfold", cells, cells // 10, 49, "", 8),
        ("grown tenfold, with a trait", cells, cells // 10, 49, "trait=ta.Trait(drift=0.0), ", 8),
        ("grown from 100, with genealogy", 10**6, 100, 190, "genealogy=True, ", 64),
    ):
        growing = steps > 20
        code = (
            "import tumor_abm as ta\n"
            "def largest():\n"
            "    lines = open('/proc/self/status').read().splitlines()\n"
            "    return 1024 * int(next(line.split()[1] for line in lines if line.startswith('VmHWM')))\n"
            "def hold(initial, steps):\n"
            f"    pop = ta.Population(engine='cells', division=[{0.06 if growing else 0.01}], death=[0.01], "
            f"{options}initial=[initial], seed=1)\n"
            "    pop.step(steps)\n"
            "    return int(pop.counts[0])\n"
            "hold(1000, 1)\n"
            "before = largest()\n"
            f"cells = hold({initial}, {steps})\n"
            "print((largest() - before) / cells)\n"
        )
        printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
        rows.append(
            (
                f"memory of {size:.0e} cells, {name}",
                f"{float(printed.stdout):.1f} bytes a cell",
                f"at most {goal}",
            )
        )
    return rows


def main() -> None:
    """Run the benchmarks and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=float, default=1e7, help="cells of the stationary population")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    cells = int(arguments.cells)
    table = Table("what", "measured", "goal", title=f"{platform.machine()}, {os.cpu_count()} processors")
    rows = [*cell_steps(cells), *growth(), *memory(cells)]
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps([list(row) for row in rows], indent=1))


if __name__ == "__main__":
    main()
