"""The endpoints of a trial: what is timed, from when to what, and where that has a meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import polars as pl

from tumor_abm._base.arguments import must_be
from tumor_abm._base.units import DAYS_PER_MONTH
from tumor_abm.errors import InputError
from tumor_abm.run.results import Results

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_PLANNED = ("cycles", "months", "response")
_SWITCHED = ("completed", "rule")


class Kind(Enum):
    """What is timed."""

    PFS = "progression or death on a line"
    PFS_FROM_START = "first progression or death, across planned switches"
    PFS2 = "progression on the second line, or death"
    OS = "death"


@dataclass(frozen=True)
class Endpoint:
    """A time to an event.

    Attributes
    ----------
    kind
        What is timed.
    line
        The line of therapy, from 1, that PFS belongs to; ``None`` for all others.
    """

    kind: Kind
    line: int | None = None

    @property
    def name(self) -> str:
        """Short, as in the comparison: ``PFS1``, ``PFS line 2``, ``PFS from start``, ``PFS2``, ``OS``."""
        if self.kind is Kind.PFS:
            return "PFS1" if self.line == 1 else f"PFS line {self.line}"
        return "PFS from start" if self.kind is Kind.PFS_FROM_START else self.kind.name

    @property
    def stem(self) -> str:
        """Name for files."""
        return self.name.lower().replace(" ", "_")

    @property
    def title(self) -> str:
        """Name in words."""
        match self.kind:
            case Kind.PFS:
                return f"Progression-free survival on the {self._ordinal} line"
            case Kind.PFS_FROM_START:
                return "Progression-free survival from the start, across planned switches"
            case Kind.PFS2:
                return "Progression-free survival on two lines (PFS2)"
            case Kind.OS:
                return "Overall survival"

    @property
    def start(self) -> str:
        """When the clock starts."""
        return f"the start of the {self._ordinal if self.line else 'first'} line"

    @property
    def event(self) -> str:
        """What stops it."""
        match self.kind:
            case Kind.PFS:
                return "progression or death"
            case Kind.PFS_FROM_START:
                return (
                    "the first progression, or death, on whichever line "
                    "(lines that end as planned or by a rule go on into the next)"
                )
            case Kind.PFS2:
                return "progression on the second line, or death"
            case Kind.OS:
                return "death from any cause"

    @property
    def definition(self) -> str:
        """From when to which event."""
        return f"from {self.start} to {self.event}"

    @property
    def without(self) -> str:
        """Who has not had the event."""
        match self.kind:
            case Kind.PFS:
                return "Alive without progression"
            case Kind.PFS_FROM_START:
                return "Alive without progression"
            case Kind.PFS2:
                return "Alive without progression on the second line"
            case Kind.OS:
                return "Alive"

    @property
    def randomised(self) -> bool:
        """Whether all patients are counted from the day of enrolment, so that arms can be compared."""
        return self.line in (None, 1)

    @property
    def _ordinal(self) -> str:
        line = self.line or 1
        return _ORDINALS[line - 1] if line <= len(_ORDINALS) else f"{line}th"

    def undefined(self, experiment: Mapping[str, Any], arm: str) -> str | None:
        """Say why the endpoint has no meaning in an arm of an experiment as run; ``None`` if it has one."""
        lines = lines_of(experiment, arm)
        if self.kind is Kind.PFS:
            line = lines[(self.line or 1) - 1 : self.line]
            return "the line ends as planned" if line and _ends_as_planned(line[0]) else None
        if self.kind is Kind.PFS_FROM_START:
            every = lines and all(map(_ends_as_planned, lines))
            return "the last line ends as planned, and nobody is scanned after it" if every else None
        if self.kind is Kind.PFS2:
            if len(lines) < 2:
                return "the arm has one line"
            if _ends_as_planned(lines[0]):
                return "the first line ends as planned, so the second does not follow a progression"
            return None
        if experiment.get("end_with_last_line"):
            return "follow-up ends with the last line, and later deaths are not seen"
        return None

    def observations(self, results: Results) -> pl.DataFrame:
        """``patient, arm, months, event``: a row per patient who reached the start of the clock.

        Arms in which the endpoint has no meaning have no rows.
        """
        defined = [arm for arm in results.arms if self.undefined(results.experiment, arm) is None]
        timed = self._timed(results)
        return timed.filter(pl.col("arm").cast(pl.String).is_in(defined)).drop_nulls().collect()

    def _timed(self, results: Results) -> pl.LazyFrame:
        outcomes, overall = results.scan("outcomes"), results.scan("overall")
        if self.kind is Kind.PFS_FROM_START:
            return _from_start(outcomes)
        if self.kind is Kind.PFS2:
            return _on_two_lines(outcomes, overall)
        if self.kind is Kind.PFS:
            table, measure = outcomes.filter(line=self.line), "pfs"
        else:
            table, measure = overall, "os"
        return table.select(
            "patient", "arm", months=pl.col(f"{measure}_months"), event=pl.col(f"{measure}_event")
        )


PFS1 = Endpoint(Kind.PFS, 1)
PFS_FROM_START = Endpoint(Kind.PFS_FROM_START)
PFS2 = Endpoint(Kind.PFS2)
OS = Endpoint(Kind.OS)


def endpoints(results: Results) -> list[Endpoint]:
    """All endpoints that `results` hold: each line's PFS, that across planned switches, PFS2 and OS.

    A line's PFS is held where it has no meaning, too: response is told beside it. Others are held if they
    have a meaning in any arm.
    """
    experiment = results.experiment
    begun = results.scan("outcomes").select(pl.col("line").unique().sort()).collect()
    lines = [Endpoint(Kind.PFS, line) for line in begun["line"]]
    whole = [PFS_FROM_START] if _has_switches(experiment, results.arms) else []
    return [*lines, *(each for each in (*whole, PFS2, OS) if is_defined(each, results))]


def without_meaning(results: Results) -> dict[Endpoint, list[str]]:
    """Return the endpoints that have no meaning in any arm, and why."""
    missing = [each for each in (PFS2, OS) if not is_defined(each, results)]
    reasons = {each: [each.undefined(results.experiment, arm) for arm in results.arms] for each in missing}
    return {each: list(dict.fromkeys(why for why in found if why)) for each, found in reasons.items()}


def is_defined(endpoint: Endpoint, results: Results) -> bool:
    """Whether an endpoint has a meaning in any arm."""
    must_be("endpoint", endpoint, Endpoint)
    must_be("results", results, Results)
    return any(endpoint.undefined(results.experiment, arm) is None for arm in results.arms)


def endpoint(results: Results, name: str) -> Endpoint:
    """Return the endpoint called `name`.

    Raises
    ------
    InputError
        `results` do not hold it.
    """
    must_be("results", results, Results)
    held = {each.name: each for each in endpoints(results)}
    if name not in held:
        raise InputError(key="endpoint", found=name, allowed=held)
    return held[name]


def lines_of(experiment: Mapping[str, Any], arm: str) -> list[Mapping[str, Any]]:
    """Return the lines of an arm of an experiment as it was run, and those given afterwards."""
    own = next(each.get("line", []) for each in experiment["arm"] if each["name"] == arm)
    return [*own, *experiment.get("afterwards", [])]


def _ends_as_planned(line: Mapping[str, Any]) -> bool:
    return any(key in line.get("until", {}) for key in _PLANNED)


def _has_switches(experiment: Mapping[str, Any], arms: list[str]) -> bool:
    """Whether any line leads to the next one before progression: as planned, or by a rule."""
    return any(
        _ends_as_planned(line) or any("next_line" in rule["then"] for rule in line.get("rule", []))
        for arm in arms
        for line in lines_of(experiment, arm)
    )


def _from_start(outcomes: pl.LazyFrame) -> pl.LazyFrame:
    """Time lines as one for as long as each leads to the next without progression."""
    key = ["arm", "patient"]
    switched = ~pl.col("pfs_event") & pl.col("end_reason").cast(pl.String).is_in(_SWITCHED)
    return (
        outcomes.sort(*key, "line")
        .filter((pl.col("line").first() == 1).over(key))
        .with_columns(on_the_way=switched.cast(pl.Int8).shift(1, fill_value=1).cum_min().over(key))
        .filter(pl.col("on_the_way") == 1)
        .group_by(key, maintain_order=True)
        .agg(
            months=(pl.col("start_day").last() - pl.col("start_day").first()) / DAYS_PER_MONTH
            + pl.col("pfs_months").last(),
            event=pl.col("pfs_event").last(),
        )
        .select("patient", "arm", "months", "event")
    )


def _on_two_lines(outcomes: pl.LazyFrame, overall: pl.LazyFrame) -> pl.LazyFrame:
    """Time progression on the second line, or death; a third line without it ends what can be seen."""
    key = ["patient", "arm"]
    start = pl.col("start_day") / DAYS_PER_MONTH
    second = outcomes.filter(pl.col("line") == 2, "pfs_event").select(
        *key, failed=start + pl.col("pfs_months")
    )
    third = outcomes.filter(pl.col("line") > 2).group_by(key).agg(left=start.min())
    failed, left = pl.col("failed").is_not_null(), pl.col("left").is_not_null()
    return (
        overall.join(second, on=key, how="left", maintain_order="left")
        .join(third, on=key, how="left", maintain_order="left")
        .select(
            *key,
            months=pl.coalesce("failed", "left", "os_months"),
            event=failed | (~left & pl.col("os_event")),
        )
    )
