"""The patients of a run so far, and whether they are enough."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import polars as pl

from tumor_abm.run.results import Results


class SoFar:
    """The first patients of a run, chunk by chunk.

    Parameters
    ----------
    experiment
        As it is run.
    enough
        Says whether patients are enough; ``None``: never.
    """

    TABLES: ClassVar = ("outcomes", "overall")

    def __init__(self, experiment: dict[str, Any], enough: Callable[[Results], bool] | None) -> None:
        self._experiment, self._enough = experiment, enough
        self._held: dict[str, list[pl.DataFrame]] = {name: [] for name in self.TABLES}

    def suffices_with(self, tables: Mapping[str, pl.DataFrame]) -> bool:
        """Add the tables of a further chunk, and say whether the patients are enough now."""
        if self._enough is None:
            return False
        for name, held in self._held.items():
            held.append(tables[name])
        found = {name: pl.concat(held) for name, held in self._held.items()}
        return self._enough(Results(found, self._experiment, {}))
