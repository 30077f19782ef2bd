"""The patients of a run, a bar of lines of therapy each, of whom one can be opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import solara


@solara.component_vue("cohort_table.vue")
def CohortTable(
    *, arm: str, rows: list[dict[str, Any]], chosen: int | None, event_open: Callable[[int], None]
) -> None:
    """Show patients as bars over time.

    Parameters
    ----------
    arm
        Of whom they are.
    rows
        As `FinishedRun.lives` gives them.
    chosen
        Number of the patient that is open.
    event_open
        Called with the number of the patient that was clicked.
    """
