"""Runs with an ensemble: sets of parameters named on the command line, and what is told of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tumor_abm.errors import InputError

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from tumor_abm.analysis.between_sets import BetweenSets
    from tumor_abm.knowledge.ensemble import Ensemble
    from tumor_abm.run.results import Results

SHIPPED = "shipped"
FILES = ("summary", "by_set", "intervals", "rankings", "deciding")
"""Tables of `BetweenSets` that are written, as ``sets_NAME.csv``."""


def named(ensemble: str | None, *, crossed: bool) -> Ensemble | None:
    """Return the ensemble of that name or file, if there is a name."""
    from tumor_abm.knowledge.ensemble import Ensemble

    if ensemble is None:
        if crossed:
            raise InputError(
                key="--crossed", found="no --ensemble", allowed="with --ensemble shipped or a file"
            )
        return None
    return Ensemble.shipped() if ensemble == SHIPPED else Ensemble.load(ensemble)


def of_run(results: Results, directory: Path | None = None) -> BetweenSets | None:
    """Compare the arms set by set, if the run had an ensemble, and write that into a directory."""
    from tumor_abm._base.files import write_whole
    from tumor_abm.analysis.between_sets import between_sets, has_sets

    if not has_sets(results):
        return None
    found = between_sets(results)
    if directory is not None:
        for name, table in tables(found).items():
            write_whole(directory / f"sets_{name}.csv", table.write_csv)
    return found


def tables(found: BetweenSets) -> dict[str, pl.DataFrame]:
    """Return what was found, by the names of the files; a ranking is one text."""
    import polars as pl

    ranking = pl.col("ranking").list.join(" > ")
    return {name: getattr(found, name) for name in FILES} | {"rankings": found.rankings.with_columns(ranking)}


def tell(found: BetweenSets | None, out: Console) -> None:
    """Print what the sets agree on."""
    from tumor_abm.analysis.sets_wording import sets_section

    if found is not None:
        out.print()
        out.print(sets_section(found).as_text(out.width))
