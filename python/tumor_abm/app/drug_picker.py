"""A choice of drugs, by class, with a search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import solara


@solara.component_vue("drug_picker.vue")
def DrugPicker(
    *, label: str, drugs: list[dict[str, Any]], value: list[str], event_put: Callable[[list[str]], None]
) -> None:
    """Show a field in which drugs are searched by name or class, and chosen.

    Parameters
    ----------
    label
        What they are for.
    drugs
        As `Catalogue.drugs_by_class`.
    value
        Names of the chosen ones.
    event_put
        Called with the names whenever the choice changes.
    """
