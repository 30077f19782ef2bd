"""The model: one virtual patient under treatment, a step at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tumor_abm._base.arguments import core_refusals, is_whole, must_be, real
from tumor_abm.errors import InputError
from tumor_abm.evolution.population import Population
from tumor_abm.evolution.space import Space
from tumor_abm.model.bare import Bare
from tumor_abm.model.collector import BARE_REPORTERS, REPORTERS, Collector
from tumor_abm.model.setup import (
    Source,
    Strategy,
    decision,
    horizon_days,
    seed_of,
    set_up,
    steps_for,
)
from tumor_abm.model.state import ModelState, Rule
from tumor_abm.model.treatment import as_regimen


class TumorModel(ModelState):
    """One virtual patient of an experiment under one strategy, stepped day by day.

    The patient is the core's: stepping patient 17 gives, day by day, the bytes of a batch run. The
    tumour is grown from one cell and brought to the first day of the arm when the model is made.

    Parameters
    ----------
    experiment
        A TOML file, the tables of one, or what `load_experiment` made of one; by default what
        ``usual.toml`` among the files of knowledge says.
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
    clone_genealogy
        Remember clones that die out, from the first cell on, for `all_clones` (engine ``"clones"``), and how
        individuals descend from each other, for `tumor_abm.model.clone_samples`. Nothing else changes.
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
        clone_genealogy: bool = False,
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
            clone_genealogy=clone_genealogy,
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


def _whole_times(day: float, every: int) -> int:
    """How often a number of days has passed, of a day that may be rounded."""
    return math.floor(day / every * (1 + 1e-12))


def _days(key: str, days: Any) -> int:
    if not is_whole(days) or not 0 <= days <= 2**53:
        raise InputError(key=key, found=days, allowed="a whole number of days up to 2^53, 0: never")
    return int(days)
