"""The model: one virtual patient under treatment, a step at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import mesa
import numpy as np

from tumor_abm._frames import frame
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Drug, Knowledge
from tumor_abm.model import archive
from tumor_abm.model.bare import Bare, Core
from tumor_abm.model.clone_agent import CloneAgent
from tumor_abm.model.setup import Drugs, Source, Strategy, decision, horizon_days, plan, seed_of, set_up
from tumor_abm.model.view import PatientView
from tumor_abm.population import Population
from tumor_abm.space import Space

Rule = Callable[["TumorModel"], Drugs | None]


REPORTERS = {
    name: name
    for name in (
        "day",
        "line",
        "regimen",
        "cells",
        "volume_cm3",
        "sld_mm",
        "neutrophils",
        "living_clones",
    )
}
"""What is collected unless the caller asks for something else."""

BARE_REPORTERS = {name: name for name in ("day", "cells", "living_clones")}
"""The same of a population with explicit rates."""


class TumorModel(PatientView, mesa.Model):  # type: ignore[misc]
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
        Name of a population, or a table of changes as in an experiment; or a `Population` with explicit
        rates, which is copied and stepped in the place of a patient: no drugs, no scans, types for
        genotypes, until extinction or `horizon_months`. The other arguments but the last three do not count.
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

    def __init__(
        self,
        experiment: Source = None,
        *,
        patient: int = 0,
        strategy: Strategy = None,
        population: str | Mapping[str, Any] | Population | None = None,
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
        if isinstance(population, Population):
            self._begin(
                Bare(population, horizon_days(horizon_months)),
                seed=population.seed,
                drugs={},
                alterations=[],
                rule=None,
                on_assessment=None,
                datacollector=_collector(model_reporters or BARE_REPORTERS, agent_reporters),
                collect_every_days=_days("collect_every_days", collect_every_days),
            )
            self._collect()
            return
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
            datacollector=_collector(
                REPORTERS if model_reporters is None else model_reporters, agent_reporters
            ),
            collect_every_days=_days("collect_every_days", collect_every_days),
        )
        self._ask()
        self._collect()

    def _begin(
        self,
        core: Core,
        *,
        seed: int,
        drugs: Mapping[str, Drug],
        alterations: list[str],
        rule: Rule | None,
        on_assessment: Rule | None,
        datacollector: mesa.DataCollector,
        collect_every_days: int,
    ) -> None:
        super().__init__(rng=seed)
        self._core = core
        self._about = core.about()
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
        """Take one step of `dt` days; after the end of follow-up nothing changes."""
        if not self.running:
            return
        scans = self._core.scans
        self._advance(1)
        if self._core.scans > scans or (self.rule is not None and self.line == 0):
            self._ask()
        if not self.running or (self.collect_every_days and self.day % self.collect_every_days == 0):
            self._collect()

    def run(self, days: float | None = None) -> None:
        """Step for so many days, or to the end of follow-up.

        Parameters
        ----------
        days
            Days from today.
        """
        until = float("inf") if days is None else self.day + days
        while self.running and self.day < until:
            self.step()

    def _advance(self, steps: int) -> None:
        try:
            self._core.step(steps)
        except ValueError as error:
            self.running = False
            raise InputError(str(error)) from None
        finally:
            self._look()

    def _look(self) -> None:
        """Forget what was read before, and let agents follow the living clones."""
        self._today = self._genotypes = None
        self._clones: dict[str, Any] | None = None
        if self._core.status != "followed":
            self.running = False
        ids = self._core.clone_ids
        if ids == self._clone_ids:
            return
        self._clone_ids = ids
        living = dict.fromkeys(np.frombuffer(ids, dtype=np.uint64).tolist())
        for clone in [clone for clone in self._agent_of if clone not in living]:
            self._agent_of.pop(clone).remove()
        for clone in living:
            if clone not in self._agent_of:
                self._agent_of[clone] = CloneAgent(self, clone)

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
            self._intervene(decision(drugs, self._drugs, **_as_regimen(may_be_same=True)))

    def _collect(self) -> None:
        if not self.collect_every_days:
            return
        self._history += [(self.day, genotype, cells) for genotype, cells in self._core.composition()]
        self.datacollector.collect(self)

    # --- treatment by hand -------------------------------------------------------------------

    def intervene(self, drugs: Drugs, *, new_line: bool = False) -> None:
        """Give these drugs and no others, from the next doses on.

        Parameters
        ----------
        drugs
            Names, or tables as in an experiment: ``{"drug": "palbociclib", "dose": 0.8}``. A drug that
            goes on keeps its cycle and its dose reductions; if it was on hold, it is given again.
        new_line
            Close the running line (reason ``rule``) and begin another, with today as its baseline.
            When no line runs, one always begins; it ends at progression, and then the plan goes on.

        Raises
        ------
        InputError
            No drug, an unknown one, one that was not tolerated, or what is taken already.
        """
        self._intervene(decision(drugs, self._drugs, **_as_regimen(new_line=new_line)))

    def add(self, drug: str | Mapping[str, Any]) -> None:
        """Give one drug more."""
        name = drug if isinstance(drug, str) else drug.get("drug")
        taken = self._taken()
        if name in taken:
            raise InputError(f'"{name}" is taken already', key="intervention")
        self._change([*taken.values(), drug])

    def stop(self, drug: str) -> None:
        """Give one drug less."""
        taken = self._taken()
        if drug not in taken:
            raise InputError(f'"{drug}" is not taken', key="intervention")
        if len(taken) == 1:
            raise InputError(f'"{drug}" is the last drug; hold it instead', key="intervention")
        self._change([dosing for name, dosing in taken.items() if name != drug])

    def _change(self, drugs: Drugs) -> None:
        self._intervene(decision(drugs, self._drugs, **_as_regimen(keep_held=True)))

    def _taken(self) -> dict[str, dict[str, Any]]:
        """Drugs of the running line, as they can be given again."""
        return {dosing["drug"]: dosing for dosing in self.dosings}

    def hold(self, *drugs: str) -> None:
        """Pause drugs of the running line until `resume`; all if none is named."""
        self._intervene(json.dumps({"kind": "hold", "drugs": self._known(drugs)}))

    def resume(self, *drugs: str) -> None:
        """Give paused drugs again; all if none is named."""
        self._intervene(json.dumps({"kind": "resume", "drugs": self._known(drugs)}))

    def follow(self, lines: Sequence[Any]) -> None:
        """Leave the plan: close the running line and follow these lines from today on."""
        self._intervene(plan(lines, self._drugs))

    def set_rates(self, **rates: Any) -> None:
        """Replace rates of a population with explicit rates, as `Population.set_rates` does."""
        if not isinstance(self._core, Bare):
            raise InputError("the rates of a patient follow from genotype and drugs; use intervene")
        self._core.set_rates(**rates)
        self._look()

    def _known(self, drugs: Sequence[str]) -> list[str]:
        for drug in drugs:
            if drug not in self._drugs:
                raise InputError(key="drug", found=drug, allowed=sorted(self._drugs))
        return list(drugs)

    def _intervene(self, command: str) -> None:
        try:
            self._core.intervene(command)
        except ValueError as error:
            raise InputError(str(error)) from None
        finally:
            self._look()

    # --- copies ------------------------------------------------------------------------------

    def fork(self, strategy: Sequence[Any] | None = None) -> TumorModel:
        """Return a copy of the whole state, random streams included: a twin.

        Parameters
        ----------
        strategy
            Lines that the twin follows from today on instead of the plan.
        """
        twin = type(self).__new__(type(self))
        twin._begin(
            self._core.fork(),
            seed=self.seed,
            drugs=self._drugs,
            alterations=list(self.alterations),
            rule=self.rule,
            on_assessment=self.on_assessment,
            datacollector=archive.copied(self.datacollector),
            collect_every_days=self.collect_every_days,
        )
        twin.steps = self.steps
        twin._history = list(self._history)
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
            Path(path),
            self._core,
            {
                "seed": self.seed,
                "steps": self.steps,
                "alterations": list(self.alterations),
                "collect_every_days": self.collect_every_days,
                "history": self._history,
                "collected": archive.plain_columns(self.datacollector),
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

        Raises
        ------
        InputError
            The file is missing, damaged, or from elsewhere.
        """
        core, notes = archive.read(Path(path))
        model = cls.__new__(cls)
        model._begin(
            core,
            seed=notes["seed"],
            drugs={**Knowledge.shipped().drugs, **(drugs or {})},
            alterations=notes["alterations"],
            rule=rule,
            on_assessment=on_assessment,
            datacollector=archive.restored(notes["collected"]),
            collect_every_days=notes["collect_every_days"],
        )
        model.steps = notes["steps"]
        model._history = [tuple(row) for row in notes["history"]]
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


def _collector(
    model_reporters: Mapping[str, Any], agent_reporters: Mapping[str, Any] | None
) -> mesa.DataCollector:
    return mesa.DataCollector(dict(model_reporters), dict(agent_reporters or {}) or None)


def _as_regimen(
    *,
    new_line: bool = False,
    may_be_same: bool = False,
    keep_held: bool = False,
) -> dict[str, bool | str]:
    return {
        "new_line": new_line,
        "may_be_same": may_be_same,
        "held": "kept" if keep_held else "resumed",
    }


def _days(key: str, days: Any) -> int:
    if isinstance(days, bool) or not isinstance(days, int | np.integer) or days < 0:
        raise InputError(key=key, found=days, allowed="a whole number of days, 0: never")
    return int(days)
