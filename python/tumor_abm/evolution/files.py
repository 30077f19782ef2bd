"""What a finished study is turned into for other tools: MAF, newick, tskit."""

from __future__ import annotations

import importlib.util
import re
from functools import partial
from pathlib import Path

import polars as pl

from tumor_abm._files import write_whole
from tumor_abm.genealogy import Genealogy
from tumor_abm.maf import maf, write_maf
from tumor_abm.results import Results


def genealogy(results: Results, scenario: str, replicate: int, sample: str | None = None) -> Genealogy:
    """How the sampled cells of a tumour descend from each other.

    Parameters
    ----------
    results
        Of a study.
    scenario, replicate
        The tumour.
    sample
        A biopsy; all samples together when ``None``.
    """

    def of(table: str) -> pl.DataFrame:
        here = (pl.col("scenario") == scenario) & (pl.col("replicate") == replicate)
        return results[table].filter(here).drop("scenario", "replicate")

    cells = of("sampled_cells")
    if sample is not None:
        cells = cells.filter(pl.col("sample") == sample)
    everyone = of("sampled_cells").unique("node", maintain_order=True).sort("node")
    whole = Genealogy(nodes=of("nodes"), cells=everyone, day=float(of("tumours")["day"][0]))
    rows = everyone["node"].search_sorted(cells["node"].unique().sort())
    return whole.restrict(rows.to_numpy())


def write_mutations(results: Results, directory: Path) -> int:
    """Write a MAF per tumour, its samples below each other; return the number of files."""
    directory.mkdir(exist_ok=True)
    tumours = results["variants"].partition_by("scenario", "replicate", as_dict=True)
    for (scenario, replicate), variants in tumours.items():
        name = f"{slug(str(scenario))}-{replicate}"
        samples = variants.with_columns(pl.lit(True).alias("called")).partition_by(
            "sample", maintain_order=True
        )
        tables = [maf(reads, tumour=name, sample=slug(reads["sample"][0])) for reads in samples]
        write_maf(pl.concat(tables), directory / f"{name}.maf.gz")
    return len(tumours)


def write_trees(results: Results, directory: Path) -> int:
    """Write the tree of every sample as newick and, if tskit is installed, as a tree sequence."""
    directory.mkdir(exist_ok=True)
    tskit = importlib.util.find_spec("tskit") is not None
    samples = results["sampled_cells"].select("scenario", "replicate", "sample").unique(maintain_order=True)
    for scenario, replicate, sample in samples.iter_rows():
        tree = genealogy(results, scenario, replicate, sample)
        stem = directory / f"{slug(scenario)}-{replicate}-{slug(sample)}"
        text = partial(Path.write_text, data=tree.newick() + "\n", encoding="utf-8")
        write_whole(stem.with_name(stem.name + ".nwk"), text)
        if tskit:
            write_whole(stem.with_name(stem.name + ".trees"), tree.tree_sequence().dump)
    return samples.height


def slug(name: str) -> str:
    """Make a name that can stand in a file name.

    Examples
    --------
    >>> slug("Neutral, 2-D")
    'neutral_2-d'
    """
    return re.sub(r"[^a-z0-9.-]+", "_", name.lower()).strip("_") or "_"
