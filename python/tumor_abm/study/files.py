"""What a finished study is turned into for other tools: MAF, newick, tskit."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import polars as pl

from tumor_abm._base.files import write_text, write_whole
from tumor_abm._base.sinks import file_names
from tumor_abm.evolution.genealogy import Genealogy
from tumor_abm.evolution.maf import maf, write_maf
from tumor_abm.run.results import Results
from tumor_abm.study.study import WHOLE


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
    scenarios, samples = _file_names(results)
    tumours = results["tumours"].select("scenario", "replicate")
    for scenario, replicate in tumours.iter_rows():
        name = f"{scenarios[scenario]}-{replicate}"
        variants = results["variants"].filter(scenario=scenario, replicate=replicate)
        called = variants.with_columns(pl.lit(True).alias("called"))
        tables = [
            maf(called.filter(sample=sample), tumour=name, sample=samples[sample]) for sample in samples
        ]
        write_maf(pl.concat(tables), directory / f"{name}.maf.gz")
    return tumours.height


def write_trees(results: Results, directory: Path) -> int:
    """Write the tree of every sample as newick and, if tskit is installed, as a tree sequence."""
    directory.mkdir(exist_ok=True)
    tskit = importlib.util.find_spec("tskit") is not None
    scenarios, samples = _file_names(results)
    taken = results["sampled_cells"].select("scenario", "replicate", "sample").unique(maintain_order=True)
    for scenario, replicate, sample in taken.iter_rows():
        tree = genealogy(results, scenario, replicate, sample)
        stem = directory / f"{scenarios[scenario]}-{replicate}-{samples[sample]}"
        write_text(stem.with_name(stem.name + ".nwk"), tree.newick() + "\n")
        if tskit:
            write_whole(stem.with_name(stem.name + ".trees"), tree.tree_sequence().dump)
    return taken.height


def _file_names(results: Results) -> tuple[dict[str, str], dict[str, str]]:
    """Return what scenarios and samples are called in names of files and in barcodes."""
    study = results.experiment
    samples = [WHOLE, *(sample["name"] for sample in study.get("biopsy", []))]
    return file_names(scenario["name"] for scenario in study["scenario"]), file_names(samples)
