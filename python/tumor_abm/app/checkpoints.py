"""Earlier states of a patient, from which any day that was lived can be reached again."""

from __future__ import annotations

from tumor_abm.model import TumorModel

EVERY_DAYS = 28.0
"""Days between two states, at first."""

MOST = 64
"""States that are kept of a patient whose cells are counted."""

MOST_OF_INDIVIDUALS = 4
"""States that are kept of one whose cells are held one by one."""


class Checkpoints:
    """Copies of a model, the oldest first.

    Parameters
    ----------
    model
        The patient; today is kept for good.
    """

    def __init__(self, model: TumorModel) -> None:
        self._states: list[TumorModel] = [model.fork()]
        self._fixed: set[float] = {model.day}
        self._every_days = EVERY_DAYS

    def note(self, model: TumorModel) -> None:
        """Keep today if enough days have passed."""
        if model.day >= self._states[-1].day + self._every_days:
            self._states.append(model.fork())
            self._thin(MOST if model.engine == "clones" else MOST_OF_INDIVIDUALS)

    def fix(self, model: TumorModel) -> None:
        """Keep today for good, as it is now: something was done by hand."""
        if self._states[-1].day == model.day:
            self._states.pop()
        self._states.append(model.fork())
        self._fixed.add(model.day)

    def before(self, day: float) -> TumorModel:
        """Return a copy of the last state that is not later than a day."""
        return max((state for state in self._states if state.day <= day), key=_day).fork()

    def until(self, day: float) -> Checkpoints:
        """Return the states up to a day."""
        earlier = Checkpoints.__new__(Checkpoints)
        earlier._states = [state for state in self._states if state.day <= day]
        earlier._fixed = {fixed for fixed in self._fixed if fixed <= day}
        earlier._every_days = self._every_days
        return earlier

    def _thin(self, most: int) -> None:
        """Drop every other state that may go, when there are too many."""
        loose = [state for state in self._states if state.day not in self._fixed]
        if len(loose) > most:
            dropped = {id(state) for state in loose[::2]}
            self._states = [state for state in self._states if id(state) not in dropped]
            self._every_days *= 2


def _day(state: TumorModel) -> float:
    return state.day
