"""The state of a model: what steps change, what follows from it, and copies of it in memory and in files."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import mesa
import numpy as np

from tumor_abm._base.frames import frame
from tumor_abm._base.paths import path_of
from tumor_abm.knowledge import Drug, Knowledge
from tumor_abm.model import archive
from tumor_abm.model.bare import Core
from tumor_abm.model.clone_agent import CloneAgent
from tumor_abm.model.collector import Collector
from tumor_abm.model.setup import Drugs, seed_of
from tumor_abm.model.treatment import ByHand
from tumor_abm.model.view import PatientView

Rule = Callable[..., Drugs | None]
"""Called with the model."""


class ModelState(ByHand, PatientView, mesa.Model):  # type: ignore[misc]
    """The core, the agents that follow its clones, and what was collected."""

    running: bool
    _default_schedule: Any  # of Mesa 4

    def _begin(
        self,
        core: Core,
        *,
        seed: int,
        drugs: Mapping[str, Drug],
        alterations: list[str],
        rule: Rule | None,
        on_assessment: Rule | None,
        datacollector: Collector,
        collect_every_days: int,
    ) -> None:
        super().__init__(rng=seed)
        self._core = core
        self._about = core.about()
        self._first_day = core.day
        self._drugs = drugs
        self.alterations = alterations
        self.seed = seed
        self.rule = rule
        self.on_assessment = on_assessment
        self.datacollector = datacollector
        self.collect_every_days = collect_every_days
        self._history: list[tuple[float, str, int]] = []
        self._agent_of: dict[int, CloneAgent] = {}
        self._clone_ids = b""
        self._look()

    def _wrapped_step(self) -> None:
        """Take a step as Mesa counts it; where it raises, go on being stepped.

        Mesa 4 steps a model by an event that schedules the next one, which is lost when it raises.
        """
        before = getattr(self, "time", 0.0)
        try:
            super()._wrapped_step()
        except BaseException:
            if hasattr(self, "_default_schedule"):
                from mesa.time import Priority, Schedule

                self.time = before
                self._default_schedule.stop()
                each = Schedule(interval=1.0, start=before + 1.0)
                self._default_schedule = self.schedule_recurring(self._user_step, each, Priority.HIGH)
            raise

    def _look(self, *, afresh: bool = False) -> None:
        """Forget what was read before, and let agents follow the living clones; `afresh`: all of them."""
        self._today = self._genotypes = None
        self._clones: dict[str, Any] | None = None
        if self._core.status != "followed":
            self.running = False
        ids = self._core.clone_ids
        if ids == self._clone_ids and not afresh:
            return
        if afresh:
            for agent in [agent for agent in self.agents if self._agent_of.get(agent.unique_id) is not agent]:
                agent.remove()
        living = dict.fromkeys(np.frombuffer(ids, dtype=np.uint64).tolist())
        for clone in [clone for clone in self._agent_of if clone not in living]:
            self._agent_of.pop(clone).remove()
        for clone in living:
            if clone not in self._agent_of:
                self._agent_of[clone] = CloneAgent(self, clone)
        self._clone_ids = ids

    # --- copies ------------------------------------------------------------------------------

    def fork(self, strategy: Sequence[Any] | None = None, *, seed: int | None = None) -> Self:
        """Return a copy of the whole state: a twin. Attributes of a subclass are copied as `copy.copy` does.

        Parameters
        ----------
        strategy
            Lines that the twin follows from today on instead of the plan.
        seed
            Of the random streams that the twin goes on with: cells, lesions, scans and biopsies have another
            future, what was drawn of the patient before stays. By default those of this model, so that both
            have the same future.
        """
        seed = seed_of(None, seed)
        twin = type(self).__new__(type(self))
        twin._begin(
            self._core.fork(seed),
            seed=self.seed if seed is None else seed,
            drugs=self._drugs,
            alterations=list(self.alterations),
            rule=self.rule,
            on_assessment=self.on_assessment,
            datacollector=self.datacollector.copy(),
            collect_every_days=self.collect_every_days,
        )
        twin._first_day = self._first_day
        twin._history = list(self._history)
        if seed is None:
            twin.rng.bit_generator.state = self.rng.bit_generator.state
            twin.random.setstate(self.random.getstate())
        for name, value in vars(self).items():
            if name not in vars(twin):
                setattr(twin, name, copy.copy(value))
        if strategy is not None:
            twin.follow(strategy)
        return twin

    def save(self, path: str | Path) -> None:
        """Write the whole state to a file, whole or not at all; `load` goes on exactly.

        Rules and reporters that are functions are not written; give them to `load` again.
        """
        archive.write(
            path_of("path", path),
            self._core,
            {
                "seed": self.seed,
                "steps": self.steps,
                "alterations": list(self.alterations),
                "collect_every_days": self.collect_every_days,
                "history": self._history,
                "collected": self.datacollector.saved(),
                "rng": self.rng.bit_generator.state,
                "random": self.random.getstate(),
            },
        )

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        rule: Rule | None = None,
        on_assessment: Rule | None = None,
        drugs: Mapping[str, Drug] | None = None,
        model_reporters: Mapping[str, Any] | None = None,
        agent_reporters: Mapping[str, Any] | None = None,
    ) -> Self:
        """Go on from a file that `save` wrote.

        Parameters
        ----------
        path
            The file.
        rule, on_assessment
            As when the model was made.
        drugs
            Drugs beside those of the package.
        model_reporters, agent_reporters
            The functions among the reporters that the model had, by name; ``{}`` to go on without them.

        Raises
        ------
        InputError
            The file is missing, damaged, or from elsewhere, or a reporter that is a function is not given.
        """
        file = path_of("path", path)
        core, notes = archive.read(file)
        with archive.sound(file):
            return cls._restored(core, notes, rule, on_assessment, drugs, model_reporters, agent_reporters)

    @classmethod
    def _restored(
        cls,
        core: Core,
        notes: Mapping[str, Any],
        rule: Rule | None,
        on_assessment: Rule | None,
        drugs: Mapping[str, Drug] | None,
        model_reporters: Mapping[str, Any] | None,
        agent_reporters: Mapping[str, Any] | None,
    ) -> Self:
        """Make a model of what `save` wrote."""
        model = cls.__new__(cls)
        model._begin(
            core,
            seed=notes["seed"],
            drugs={**Knowledge.shipped().drugs, **(drugs or {})},
            alterations=notes["alterations"],
            rule=rule,
            on_assessment=on_assessment,
            datacollector=Collector.restored(notes["collected"], model_reporters, agent_reporters),
            collect_every_days=notes["collect_every_days"],
        )
        model._first_day = model.day - notes["steps"] * model.dt
        model._history = [tuple(row) for row in notes["history"]]
        model.rng.bit_generator.state = notes["rng"]
        version, state, spare = notes["random"]
        model.random.setstate((version, tuple(state), spare))
        return model

    # --- agents ------------------------------------------------------------------------------

    def _clone_value(self, clone: int, column: str) -> Any:
        """Return a value of the clone table; ``None`` once the clone has died out."""
        if self._clones is None:
            table = frame(self._core.clones())
            self._clones = {name: table[name].to_list() for name in table.columns}
            self._row_of = {clone: row for row, clone in enumerate(self._clones["clone"])}
        row = self._row_of.get(clone)
        return None if row is None else self._clones[column][row]
