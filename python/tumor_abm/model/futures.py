"""Other futures of one patient: the same tumour today, other chances from then on."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from tumor_abm._base.frames import frame
from tumor_abm.model.state import ModelState

_BLOCK_DAYS = 28.0


@dataclass(frozen=True)
class Future:
    """How a line of therapy ends in one future.

    Attributes
    ----------
    months
        Progression-free survival in the line.
    event
        Whether it ended with progression or death.
    reason
        Why the line ended.
    largest
        Alterations of the largest genotype at progression; ``None`` without progression.
    """

    months: float
    event: bool
    reason: str
    largest: tuple[str, ...] | None


def future_of_line(model: ModelState, seed: int) -> Future:
    """Live the line of therapy of today to its end with random streams of another seed.

    Parameters
    ----------
    model
        A patient under treatment, who stays as he or she is. Functions that decide are not asked.
    seed
        As of `TumorModel.fork`.
    """
    core, line = model._core.fork(seed), model.line
    steps = max(1, round(_BLOCK_DAYS / model.dt))
    while True:
        ended = frame(core.records()["outcomes"]).filter(line=line)
        if ended.height or core.status != "followed":
            break
        core.step(steps)
    row = ended.row(0, named=True)
    seen = frame(core.records()["clones"]).filter(line=line, moment="progression")
    largest = (
        seen.group_by("alterations", maintain_order=True)
        .agg(pl.col("cells").sum())
        .sort("cells", descending=True)
    )
    carried = tuple(largest["alterations"][0]) if largest.height else None
    return Future(row["pfs_months"], bool(row["pfs_event"]), str(row["end_reason"]), carried)
