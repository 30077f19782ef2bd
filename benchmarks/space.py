"""Measure the engine `lattice` against numpy and Mesa: `python benchmarks/space.py`.

Absolute times are those of the machine at hand; ratios are against a baseline of the same run, from
the same tumour.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import tumor_abm as ta
from cells import Row, cpu, per_cell_step, population
from numpy_grid import NumpyGrid
from rich.console import Console
from rich.table import Table

SOLID = ta.Space()
DENSE = ta.Space(neighbourhood="moore", placement="any_free")
FLAT = ta.Space(dimensions=2, neighbourhood="moore", placement="any_free")


def tumour(space: ta.Space, division: float, death: float, cells: int) -> ta.Population:
    """A tumour grown to so many cells from a ball of half of them; founded, if it does not grow."""
    grows = division > 2 * death
    pop = ta.Population(
        engine="lattice",
        space=space,
        division=[division],
        death=[death],
        initial=[cells // 2 if grows else cells],
        mutation=[[1e-5]],
        seed=1,
    )
    while grows and pop.counts[0] < cells:
        pop.step()
    return pop


def places(pop: ta.Population) -> np.ndarray:
    cells = pop.cells
    return cells.select([axis for axis in ("x", "y", "z") if axis in cells.columns]).to_numpy()


def ours(pop: ta.Population, steps: int = 10) -> float:
    """Nanoseconds of CPU per cell and step; a growing tumour is taken at its mean size."""
    before = int(pop.counts[0])
    found = per_cell_step(pop.step, before, steps, repeats=3)
    return found * before / (0.5 * (before + int(pop.counts[0])))


def against_numpy(cells: int) -> list[Row]:
    """Rule B in 3-D, von Neumann."""
    rows = []
    for name, division, death in (
        ("1% divide and 1% die", 0.01, 0.01),
        ("14% divide", 0.14, 0.0),
        ("14% divide, 7% die", 0.14, 0.07),
    ):
        pop = tumour(SOLID, division, death, cells)
        start = places(pop)
        side = int(2 * np.abs(start).max()) + 80
        theirs = NumpyGrid(start, side, division, death, seed=1)
        own = ours(pop)
        numpy = per_cell_step(theirs.step, theirs.cells, 5, repeats=3)
        rows.append((f"3-D, rule B, {cells:.0e} cells, {name}", f"{own:.2f} ns per cell-step", "at most 15"))
        rows.append(("  ... numpy, same law", f"{numpy:.1f} ns, {numpy / own:.1f} x", ""))
    return rows


def other_rules(cells: int) -> list[Row]:
    """What a cell-step costs beside one of the engine `cells`, of as many cells (1% divide, 1% die)."""
    rows = []
    for name, space, division, death, goal in (
        ("3-D, rule B, 14% divide, 7% die", SOLID, 0.14, 0.07, 10),
        ("3-D Moore, rule C, 14% divide, 10% die", DENSE, 0.14, 0.10, 15),
        ("3-D pushing 10, 14% divide, 7% die", ta.Space(placement="push", depth=10), 0.14, 0.07, 40),
        (
            "3-D, rule B, 14% divide, 7% die, nutrients by depth",
            ta.Space(nutrient=ta.Reach(length=10)),
            0.14,
            0.07,
            None,
        ),
        (
            "  ... by diffusion",
            ta.Space(nutrient=ta.Reach(length=10, profile="diffusion")),
            0.14,
            0.07,
            500,
        ),
    ):
        # Where nutrients are short the middle dies out: such a tumour is not grown but founded.
        pop = tumour(SOLID if space.nutrient else space, division, death, cells)
        if space.nutrient:
            pop = ta.Population(
                engine="lattice",
                space=space,
                places=places(pop),
                division=[division],
                death=[death],
                initial=[int(pop.counts[0])],
                seed=1,
            )
        own = ours(pop, steps=4)
        # Beside each other: what a baseline takes moves with what else the machine does.
        baseline = per_cell_step(population(cells).step, cells, 20)
        measured = f"{own:.2f} ns per cell-step, {own / baseline:.0f} x a cell-step of `cells`"
        rows.append((name, measured, f"at most {goal} x" if goal else ""))
    return rows


def against_mesa(cells: int) -> list[Row]:
    """Rule C, Moore neighbourhood, from the same tumour of so many cells."""
    if importlib.util.find_spec("mesa") is None:
        return [("Mesa", "is not installed", "at least 300 x")]
    from mesa_grid import MesaGrid

    rows = []
    for name, space, division, death in (
        ("2-D, 14% divide, 7% die", FLAT, 0.14, 0.07),
        ("2-D, 1% divide and 1% die", FLAT, 0.01, 0.01),
        ("3-D, 14% divide, 7% die", DENSE, 0.14, 0.07),
    ):
        pop = tumour(space, division, death, cells)
        start = places(pop)
        side = int(2 * np.abs(start).max()) + 30
        theirs = MesaGrid([tuple(place) for place in start.tolist()], side, division, death, seed=1)
        own = ours(pop)
        mesa = per_cell_step(theirs.step, len(start), 3, repeats=3)
        rows.append((f"Moore, rule C, {cells} cells, {name}", f"{own:.2f} ns per cell-step", "at most 15"))
        rows.append(("  ... Mesa", f"{mesa:.0f} ns, {mesa / own:.0f} x", "at least 300 x"))
    return rows


def growth() -> list[Row]:
    """One cell to 1e6 cells, with driver mutations that are inherited and divide 2% faster.

    To 1e5 where nearly as many die as divide: such a tumour is slow.
    """
    rows = []
    for name, space, division, death, cells in (
        ("3-D, rule B", SOLID, 0.14, 0.0, 1e6),
        ("3-D, rule B, turnover", SOLID, 0.14, 0.07, 1e6),
        ("3-D, Moore, rule C, turnover", DENSE, 0.14, 0.10, 1e6),
        ("2-D, Moore, rule C", FLAT, 0.14, 0.0, 1e6),
        ("2-D, Moore, rule C, turnover 0.5", FLAT, 0.14, 0.07, 1e6),
        ("2-D, Moore, rule C, turnover 0.93", FLAT, 0.14, 0.13, 1e5),
    ):
        seconds = [
            cpu(
                lambda seed=seed, space=space, division=division, death=death, cells=cells: ta.replicate(
                    engine="lattice",
                    space=space,
                    replicates=1,
                    division=[division, 1.02 * division],
                    death=[death, death],
                    mutation=[[1e-3, 1e-4], [0, 1e-3]],
                    initial=[1, 0],
                    until=ta.Until(total=cells),
                    restart_on_extinction=True,
                    seed=seed,
                    threads=1,
                )
            )
            for seed in range(3)
        ]
        what = f"one cell to {cells:.0e}, drivers, {name}"
        rows.append((what, f"{np.median(seconds):.2f} s CPU", "under 2"))
    return rows


def memory() -> list[Row]:
    """Growth of the largest resident size, per cell, in a process of its own (Linux)."""
    if not Path("/proc/self/status").exists():
        return []
    code = (
        "import tumor_abm as ta\n"
        "def largest():\n"
        "    lines = open('/proc/self/status').read().splitlines()\n"
        "    return 1024 * int(next(line.split()[1] for line in lines if line.startswith('VmHWM')))\n"
        "def grow(cells):\n"
        "    pop = ta.Population(engine='lattice', division=[0.14], death=[0.0], initial=[1], seed=1)\n"
        "    while pop.counts[0] < cells:\n"
        "        pop.step(5)\n"
        "    return int(pop.counts[0])\n"
        "grow(1000)\n"
        "before = largest()\n"
        "cells = grow(4_000_000)\n"
        "print((largest() - before) / cells)\n"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return [("memory of 4e6 cells in 3-D, grown", f"{float(printed.stdout):.1f} bytes a cell", "at most 12")]


def main() -> None:
    """Run the benchmarks and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=float, default=1e6, help="cells of the large tumours")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    cells = int(arguments.cells)
    table = Table("what", "measured", "goal", title=f"{platform.machine()}, {os.cpu_count()} processors")
    rows = [*against_numpy(cells), *other_rules(cells), *against_mesa(20_000), *growth(), *memory()]
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps([list(row) for row in rows], indent=1))


if __name__ == "__main__":
    main()
