"""Runs with an ensemble: sets of parameters named on the command line, and what is told of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from tumor_abm.analysis.between_sets import BetweenSets
    from tumor_abm.knowledge.ensemble import Ensemble
    from tumor_abm.run.results import Results

SHIPPED = "shipped"


def named(ensemble: str | None) -> Ensemble | None:
    """Return the ensemble of that name or file, if there is a name."""
    from tumor_abm.knowledge.ensemble import Ensemble

    if ensemble is None:
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
        write_whole(directory / "sets_by_set.csv", found.by_set.write_csv)
        write_whole(directory / "sets_summary.csv", found.summary.write_csv)
        write_whole(directory / "sets_deciding.csv", found.deciding.write_csv)
    return found


def tell(found: BetweenSets | None, out: Console) -> None:
    """Print what the sets agree on."""
    from tumor_abm._base.sinks import rich_text
    from tumor_abm.analysis.between_sets import told

    if found is not None:
        out.print("\nBetween sets of parameters:")
        for sentence in told(found):
            out.print(rich_text(f"* {sentence}."))
