"""Measure what the project claims of its speed: `make bench`.

Absolute times are those of the machine at hand; ratios are against a baseline of the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tumor_abm as ta
from numpy_clones import grow_to
from rich.console import Console
from rich.table import Table
from tumor_abm import _core
from tumor_abm._base.frames import frame
from tumor_abm.config import load_experiment

ROOT = Path(__file__).parent.parent
MAIN = ROOT / "experiments" / "cdk46_first_or_second_line.toml"
Row = tuple[str, str, str]


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of all threads."""
    start = time.process_time()
    work()
    return time.process_time() - start


def spec(**changes: object) -> dict[str, object]:
    """The main experiment for the core, with changed entries of the population."""
    core = load_experiment(MAIN, seed=1).to_core()
    core["population"].update(changes)
    return core


def simulate(core: dict[str, object], first: int, patients: int, threads: int) -> dict[str, Any]:
    return _core.Experiment(json.dumps(core)).simulate(first, patients, threads)


def fixed(median: float) -> dict[str, float]:
    return {"median": median, "sigma": 0.0, "low": median, "high": median}


def one_patient() -> list[Row]:
    """1e10 cells at diagnosis, growth from one cell, ten years of three lines."""
    core = spec()
    core["population"]["diagnosis_volume_cm3"] = fixed(48.0)  # about 1e10 living cells
    core["population"]["lethal_volume_cm3"] = fixed(1e5)  # live on for the ten years
    core["population"]["other_death_per_year"] = core["population"]["loss_to_follow_up_per_year"] = 0.0
    core["horizon_days"] = 3652.5
    core["arms"] = core["arms"][:1]
    patients = 40
    seconds = cpu(lambda: simulate(core, 0, patients, 1))
    tables = simulate(core, 0, patients, 1)
    cells = frame(tables["patients"])["cells"].median()
    rows = [
        (
            "one patient, growth and ten years of three lines",
            f"{1000 * seconds / patients:.1f} ms CPU",
            "at most 50",
        )
    ]
    rows.append(("  ... median cells at diagnosis", f"{cells:.1e}", "1e10"))
    return rows


def burden() -> list[Row]:
    """The cost of a patient against the number of cells."""
    rows = []
    for cells, volume in [("1e8", 0.48), ("1e10", 48.0), ("1e12", 4800.0)]:
        core = spec()
        core["population"]["diagnosis_volume_cm3"] = fixed(volume)
        core["population"]["lethal_volume_cm3"] = fixed(1e6)
        core["population"]["other_death_per_year"] = core["population"]["loss_to_follow_up_per_year"] = 0.0
        core["arms"] = core["arms"][:1]
        seconds = cpu(lambda core=core: simulate(core, 0, 40, 1))
        rows.append((f"one patient with {cells} cells at diagnosis", f"{25 * seconds:.1f} ms CPU", ""))

    def hold(cells: int, mutation: float) -> float:
        pop = ta.Population(
            division=[0.13] * 4,
            death=[0.13] * 4,
            mutation=np.full((4, 4), mutation),
            initial=[cells] * 4,
            seed=1,
            max_clones=1,
        )
        return cpu(lambda: pop.step(20_000))

    # With mutations the many mutants of a huge tumour are drawn from a longer sampler, at any size.
    for words, mutation, goal in (("no mutation", 0.0, "about 1"), ("mutations at 1e-9", 1e-9, "bounded")):
        ratio = hold(10**12, mutation) / hold(10**8, mutation)
        rows.append((f"20,000 steps, {words}: 1e12 cells over 1e8", f"{ratio:.2f} x", goal))
    return rows


def cohort() -> list[Row]:
    """Wall time and memory of `tumor-abm run` for growing cohorts, in a process of its own."""
    rows = []
    for patients in (250, 500, 1000):
        code = (
            "import resource, sys, time, tempfile\n"
            "from tumor_abm.run.experiment import run_experiment\n"
            "start = time.perf_counter()\n"
            "with tempfile.TemporaryDirectory() as out:\n"
            f"    run_experiment({str(MAIN)!r}, out + '/run', patients={patients}, seed=1)\n"
            "print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)\n"
        )
        printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
        wall, memory = map(float, printed.stdout.split()[-2:])
        goal = "at most 60 s, 1024 MiB" if patients == 1000 else ""
        rows.append((f"{patients} patients x 2 arms x 3 lines", f"{wall:.1f} s wall, {memory:.0f} MiB", goal))
    return rows


def against_numpy() -> list[Row]:
    """Bozic's four types from one cell to 1e9, against the same law vectorised with numpy."""
    mutation = np.zeros((4, 4))
    mutation[0, 1:] = [50e-9, 50e-9, 1e-9]
    mutation[1, 3] = mutation[2, 3] = 50e-9
    replicates = 400
    ours = cpu(
        lambda: ta.replicate(
            replicates=replicates,
            until=ta.Until(total=1e9),
            division=[0.14] * 4,
            death=[0.13] * 4,
            mutation=mutation,
            initial=[1, 0, 0, 0],
            restart_on_extinction=True,
            seed=1,
            threads=1,
        )
    )
    theirs = cpu(lambda: grow_to(10**9, replicates, 0.14, 0.13, mutation, seed=1))
    return [
        ("one cell to 1e9, 4 types: tumor_abm", f"{1e3 * ours / replicates:.2f} ms CPU", ""),
        ("  ... numpy, vectorised over replicates", f"{1e3 * theirs / replicates:.2f} ms CPU", ""),
        ("  ... ratio", f"{theirs / ours:.1f} x", "baseline"),
    ]


def main() -> None:
    """Run the benchmarks and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    table = Table("what", "measured", "goal", title=f"{platform.machine()}, {os.cpu_count()} processors")
    rows = [row for part in (one_patient, burden, cohort, against_numpy) for row in part()]
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps([list(row) for row in rows], indent=1))


if __name__ == "__main__":
    main()
