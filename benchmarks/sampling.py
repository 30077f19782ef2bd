"""Time what reads a large tumour: a MAF of 1e6 mutations, 20 single cells of as many, newick of 1e6 cells.

Run it with ``python -m benchmarks.sampling``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import polars as pl
import tumor_abm as ta
from tumor_abm.evolution.maf import maf, write_maf

CELLS = 1_000_000
MUTATIONS = 1_000_000


def timed(what: str, target_s: float, work: Callable[[], object]) -> None:
    """Print how long some work takes beside what it must reach."""
    start = time.perf_counter()
    work()
    print(f"{what}: {time.perf_counter() - start:.2f} s (target: under {target_s:g} s)")


def tumour() -> ta.Population:
    """Grow a well-mixed tumour with its genealogy."""
    population = ta.Population(
        engine="cells", division=[0.4], death=[0.05], initial=[10], dt=1.0, seed=1, genealogy=True
    )
    while population.counts.sum() < CELLS:
        population.step()
    return population


def written(reads: pl.DataFrame) -> None:
    """Make a MAF of reads and write it."""
    write_maf(maf(reads, tumour="t", sample="s"), Path(mkdtemp()) / "t.maf")


def main() -> None:
    """Time all three."""
    genealogy = tumour().genealogy
    timed(f"newick of {genealogy.cells.height:,} cells", 3, genealogy.newick)
    mutations = ta.Mutations.draw(genealogy, 1.1, truncal=1000, seed=1)
    rows = np.arange(0, 20 * 50_000, 50_000)
    timed(
        f"20 single cells of {mutations.table.height:,} mutations",
        1,
        lambda: ta.Sequencing(depth=30).single_cells(mutations, rows, seed=2),
    )
    many = pl.DataFrame({"mutation": np.arange(MUTATIONS, dtype=np.uint32)}).with_columns(
        origin=pl.lit("passenger"),
        type=pl.lit(None, pl.UInt32),
        depth=pl.lit(100, pl.UInt32),
        alt_reads=pl.lit(30, pl.UInt32),
        vaf=pl.lit(0.3),
        called=pl.lit(True),
    )
    timed(f"MAF of {MUTATIONS:,} mutations", 10, lambda: written(many))


if __name__ == "__main__":
    main()
