"""The legend: all genotypes of the day, of which one can be seen alone in the charts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import solara


@solara.component_vue("legend.vue")
def Legend(*, rows: list[dict[str, Any]], chosen: str, event_choose: Callable[[str], None]) -> None:
    """Show genotypes with colour, cells, share and growth.

    Parameters
    ----------
    rows
        ``name`` in the charts (empty: in none), ``label``, ``title``, ``colour``, ``cells``, ``share`` and
        ``growth``.
    chosen
        Name of the genotype that stands out.
    event_choose
        Called with the name of the genotype that was clicked.
    """
