"""The model: one virtual patient under treatment, a step at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import mesa
import numpy as np

from tumor_abm._base.arguments import core_refusals, is_whole, must_be, real
from tumor_abm._base.frames import frame
from tumor_abm._base.paths import path_of
from tumor_abm.errors import InputError
from tumor_abm.evolution.population import Population
from tumor_abm.evolution.space import Space
from tumor_abm.knowledge import Drug, Knowledge
from tumor_abm.model import archive
from tumor_abm.model.bare import Bare, Core
from tumor_abm.model.clone_agent import CloneAgent
from tumor_abm.model.collector import BARE_REPORTERS, REPORTERS, Collector
from tumor_abm.model.setup import (
    Drugs,
    Source,
    Strategy,
    decision,
    horizon_days,
    seed_of,
    set_up,
    steps_for,
)
from tumor_abm.model.treatment import ByHand, as_regimen
from tumor_abm.model.view import PatientView

Rule = Callable[["TumorModel"], Drugs | None]


class TumorModel(ByHand, PatientView, mesa.Model):  # type: ignore[misc]
    """One virtual patient of an experiment under one strategy, stepped day by day.

    The patient is the core's: stepping patient 17 gives, day by day, the bytes of a batch run. The
    tumour is grown from one cell and brought to the first day of the arm when the model is made.

    Parameters
    ----------
    experiment
        A TOML file, the tables of one, or what `load_experiment` made of one; by default letrozole and
        palbociclib, then fulvestrant, then capecitabine.
    patient
        Number of the patient in the cohort.
    strategy
        Name or number of an arm (default: the first); a list of lines, each a drug, a list of drugs or
        a line as in TOML; or a rule, called as ``rule(model)`` on day 0, after every scan, and while no
        line runs on every day. It returns the drugs from that day on, ``[]`` to pause them all, or
        ``None`` to leave all as it is.
    population
        Name of a population, or a table of changes as in an experiment; `of_population` steps one with
        explicit rates.
    covariates
        Values that this patient has instead of drawn ones, e.g. ``{"turnover": 0.7}``.
    founder
        Alterations of the first cell; drawn when ``None``.
    mutation_rate
        Factor on every mutation probability.
    engine
        ``"clones"``, ``"cells"`` or ``"lattice"``, instead of that of the experiment.
    cells
        Individuals of the engines ``cells`` and ``lattice`` in a tumour of lethal size, from 1e4 to 1e7.
    space
        The lattice; by default 2-D, with pushing.
    horizon_months
        Follow-up instead of that of the experiment.
    progression_from
        ``"nadir"`` (RECIST 1.1), or ``"baseline"`` where regrowth is planned, instead of that of the
        experiment.
    rng, seed
        A whole number (as text, too), a numpy generator or seed sequence; by default the seed of the
        experiment, or a drawn one. `seed` is the older name in Mesa.
    on_assessment
        Called as ``on_assessment(model)`` after every scan; what it returns counts as with a rule.
    model_reporters, agent_reporters
        As in `mesa.DataCollector`.
    collect_every_days
        Days between collections; 0: none.

    Raises
    ------
    InputError
        An argument makes no sense; the message says which, and what would do.

    Examples
    --------
    >>> model = TumorModel(rng=1)
    >>> for _ in range(10):
    ...     model.step()
    >>> model.day, model.regimen
    (10.0, 'letrozole + palbociclib')
    """

    running: bool

    def __init__(
        self,
        experiment: Source = None,
        *,
        patient: int = 0,
        strategy: Strategy = None,
        population: str | Mapping[str, Any] | None = None,
        covariates: Mapping[str, Any] | None = None,
        founder: Sequence[str] | None = None,
        mutation_rate: float = 1.0,
        engine: str | None = None,
        cells: int | None = None,
        space: Space | None = None,
        horizon_months: float | None = None,
        progression_from: str | None = None,
        rng: Any = None,
        seed: Any = None,
        on_assessment: Rule | None = None,
        model_reporters: Mapping[str, Any] | None = None,
        agent_reporters: Mapping[str, Any] | None = None,
        collect_every_days: int = 1,
    ) -> None:
        collector = Collector.of(REPORTERS, model_reporters, agent_reporters)
        if on_assessment is not None and not callable(on_assessment):
            raise InputError(key="on_assessment", found=on_assessment, allowed="a function of the model")
        setup = set_up(
            experiment,
            patient=patient,
            strategy=strategy,
            population=population,
            covariates=covariates,
            founder=founder,
            mutation_rate=mutation_rate,
            engine=engine,
            cells=cells,
            space=space,
            horizon_months=horizon_months,
            progression_from=progression_from,
            seed=seed_of(rng, seed),
        )
        self._begin(
            setup.grow(),
            seed=setup.spec["seed"],
            drugs=setup.drugs,
            alterations=setup.alterations,
            rule=strategy if callable(strategy) else None,
            on_assessment=on_assessment,
            datacollector=collector,
            collect_every_days=_days("collect_every_days", collect_every_days),
        )
        self._ask()
        self._collect()

    @classmethod
    def of_population(
        cls,
        population: Population,
        *,
        horizon_months: float | None = None,
        rng: Any = None,
        seed: Any = None,
        model_reporters: Mapping[str, Any] | None = None,
        agent_reporters: Mapping[str, Any] | None = None,
        collect_every_days: int = 1,
    ) -> TumorModel:
        """Step a population with explicit rates: no drugs, no scans, types for genotypes.

        Parameters
        ----------
        population
            It is copied, and stepped until extinction or `horizon_months`.
        horizon_months
            Last day; for ever by default.
        rng, seed
            Of a random stream of its own; by default that of the population goes on.
        model_reporters, agent_reporters, collect_every_days
            As of a patient.

        Raises
        ------
        InputError
            An argument makes no sense; the message says which, and what would do.

        Examples
        --------
        >>> model = TumorModel.of_population(Population(division=[0.2], death=[0.1], initial=[10], seed=1))
        >>> model.step()
        >>> model.day
        1.0
        """
        must_be("population", population, Population)
        given_seed = seed_of(rng, seed)
        model = cls.__new__(cls)
        model._begin(
            Bare(population, horizon_days(horizon_months), seed=given_seed),
            seed=population.seed if given_seed is None else given_seed,
            drugs={},
            alterations=[],
            rule=None,
            on_assessment=None,
            datacollector=Collector.of(BARE_REPORTERS, model_reporters, agent_reporters),
            collect_every_days=_days("collect_every_days", collect_every_days),
        )
        model._collect()
        return model

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

    # --- stepping ----------------------------------------------------------------------------

    def step(self) -> None:
        """Take one step of `dt` days; after the end of follow-up nothing changes.

        What raises in the middle of it, rules and reporters included, leaves the model as it was; Ctrl-C
        leaves it as it was before the step or after it.
        """
        if not self.running:
            return
        scans, day = self._core.scans, self.day
        history, rows = len(self._history), self.datacollector.rows
        before = self._core.fork() if self._calls_functions else None
        try:
            self._advance()
            if self._core.scans > scans or (self.rule is not None and self.line == 0):
                self._ask()
            self._collect_since(day)
        except BaseException:
            del self._history[history:]
            self.datacollector.keep(rows)
            if before is not None:
                self._core = before
                self.running = True
            self._look(afresh=True)
            if self.day > day:  # the core had taken the step
                self._collect_since(day)
            raise

    @property
    def _calls_functions(self) -> bool:
        """Whether functions of the caller have a part in a step."""
        return self.rule is not None or self.on_assessment is not None or self.datacollector.calls_functions

    def _collect_since(self, before: float) -> None:
        """Collect, if that is due between the day `before` and today."""
        every = self.collect_every_days
        if not self.running or (every > 0 and _whole_times(self.day, every) > _whole_times(before, every)):
            self._collect()

    def run(self, days: float | None = None) -> None:
        """Step for so many days, or to the end of follow-up.

        Parameters
        ----------
        days
            Days from today.
        """
        if days is not None:
            days = real("days", days, "a number of days of at least 0")
        left = math.inf if days is None else steps_for(days, self.dt)
        while self.running and left > 0:
            self.step()
            left -= 1

    def _advance(self) -> None:
        try:
            with core_refusals():
                self._core.step(1)
        finally:
            self._look()

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

    def _ask(self) -> None:
        """Let a rule decide on treatment."""
        for rule in (self.rule, self.on_assessment):
            if rule is None or not self.running:
                continue
            drugs = rule(self)
            if drugs is None:
                continue
            if isinstance(drugs, Sequence) and not drugs:
                if set(self.drugs["state"]) & {"taken", "off day"}:
                    self.hold()
                continue
            self._intervene(decision(drugs, self._drugs, **as_regimen(may_be_same=True)))

    def _collect(self) -> None:
        if not self.collect_every_days:
            return
        self._history += [(self.day, genotype, cells) for genotype, cells in self._core.composition()]
        self.datacollector.collect(self)

    # --- rates ------------------------------------------------------------------------------

    def set_rates(self, **rates: Any) -> None:
        """Replace rates of a population with explicit rates, as `Population.set_rates` does."""
        if not isinstance(self._core, Bare):
            raise InputError("the rates of a patient follow from genotype and drugs; use intervene")
        self._core.set_rates(**rates)
        self._look()

    # --- copies ------------------------------------------------------------------------------

    def fork(self, strategy: Sequence[Any] | None = None, *, seed: int | None = None) -> TumorModel:
        """Return a copy of the whole state: a twin.

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
    ) -> TumorModel:
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
    ) -> TumorModel:
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


def _whole_times(day: float, every: int) -> int:
    """How often a number of days has passed, of a day that may be rounded."""
    return math.floor(day / every * (1 + 1e-12))


def _days(key: str, days: Any) -> int:
    if not is_whole(days) or not 0 <= days <= 2**53:
        raise InputError(key=key, found=days, allowed="a whole number of days up to 2^53, 0: never")
    return int(days)
