"""How well a number of a run is known, and whether that is well enough."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tumor_abm._base.arguments import must_be
from tumor_abm.analysis.endpoints import OS, PFS2, PFS_FROM_START, Endpoint, Kind
from tumor_abm.analysis.paired import Twins, hazard_ratio
from tumor_abm.analysis.survival import kaplan_meier
from tumor_abm.errors import InputError
from tumor_abm.run.results import Results

MEDIAN, HAZARD_RATIO, RATE = "median", "hazard ratio", "rate"
ALLOWED = (
    '"median PFS1 +- 0.5" (months), "hazard ratio PFS2 +- 0.05", or "rate 24 OS +- 3" (% at 24 months); '
    "endpoints: PFS1, PFS line 2, PFS from start, PFS2, OS"
)
LEAST_PATIENTS = 100
"""Fewer are never enough: the width of their interval is itself a matter of chance."""

_ASKED = re.compile(
    r"\s*(?P<measure>median|hazard ratio|rate (?P<month>\d{1,3}))\s+(?P<endpoint>\S.*?)\s*"
    r"(\+-|\+/-|±)\s*(?P<half>\d+(\.\d*)?|\.\d+)\s*"
)
_LINE = re.compile(r"PFS line ([1-9]\d?)")


@dataclass(frozen=True, kw_only=True)
class Precision:
    """Half the width of a 95% interval that is asked for.

    Attributes
    ----------
    measure
        ``median``, ``hazard ratio`` or ``rate``.
    endpoint
        Of which endpoint.
    half_width
        In months, as a ratio, or in percent.
    month
        Of a rate.
    """

    measure: str
    endpoint: Endpoint
    half_width: float
    month: int | None = None

    @classmethod
    def parse(cls, text: str) -> Precision:
        """Read e.g. ``median PFS1 +- 0.5``; ``PFS`` is ``PFS1``.

        Raises
        ------
        InputError
            It is not understood.

        Examples
        --------
        >>> Precision.parse("rate 24 OS +- 3").in_words()
        'rate 24 OS +- 3'
        """
        must_be("until-precise", text, str)
        found = _ASKED.fullmatch(text)
        endpoint = None if found is None else _endpoint(found["endpoint"])
        if found is None or endpoint is None or float(found["half"]) == 0:
            raise InputError(key="until-precise", found=text, allowed=ALLOWED)
        month = found["month"]
        return cls(
            measure=RATE if month else found["measure"],
            endpoint=endpoint,
            half_width=float(found["half"]),
            month=int(month) if month else None,
        )

    def in_words(self) -> str:
        """Say what is asked for."""
        measure = self.measure if self.month is None else f"{self.measure} {self.month}"
        return f"{measure} {self.endpoint.name} +- {self.half_width:g}"

    def check(self, experiment: Mapping[str, Any]) -> None:
        """See that an experiment, as it is run, can tell the number.

        Raises
        ------
        InputError
            The endpoint has no meaning in any arm, or there are no arms to be compared.
        """
        arms = [arm["name"] for arm in experiment["arm"]]
        reasons = [self.endpoint.undefined(experiment, arm) for arm in arms]
        problem = None
        if all(reasons):
            problem = f"{self.endpoint.name} is not defined: {'; '.join(dict.fromkeys(map(str, reasons)))}"
        elif self.measure == HAZARD_RATIO and len(arms) < 2:
            problem = "a hazard ratio is of two arms, and the experiment has one"
        elif self.measure == HAZARD_RATIO and not self.endpoint.randomised:
            problem = f"{self.endpoint.name} is counted from a later line, so it has no hazard ratio"
        elif self.endpoint.kind is Kind.PFS and not any(
            (self.endpoint.line or 1) <= len([*arm.get("line", []), *experiment.get("afterwards", [])])
            for arm in experiment["arm"]
        ):
            problem = f"{self.endpoint.name}: no arm has so many lines"
        if problem:
            raise InputError(problem, key="until-precise")

    def half_widths(self, results: Results) -> dict[str, float | None]:
        """Return half the width of the interval in each arm that has the number; ``None`` if it has no end.

        That of a hazard ratio is the paired one, which tells the error of the simulation.
        """
        observed = self.endpoint.observations(results)
        found: dict[str, float | None] = {}
        for arm in results.arms:
            if self.endpoint.undefined(results.experiment, arm) is not None:
                continue
            if self.measure == HAZARD_RATIO:
                if arm != results.control:
                    ratio = hazard_ratio(Twins.of(observed, arm, results.control))
                    found[arm] = _half(ratio.paired_lo, ratio.paired_hi)
                continue
            own = observed.filter(arm=arm)
            estimate = kaplan_meier(own["months"], own["event"])
            if self.month is None:
                found[arm] = _half(estimate.median_lo, estimate.median_hi)
            else:
                low, high = (100 * float(limit[0]) for limit in estimate.limits_at([self.month]))
                found[arm] = _half(low, high) if low == low else None
        return found

    def reached(self, results: Results) -> bool:
        """Whether the number is known so well in every arm."""
        if results.enrolled < LEAST_PATIENTS:
            return False
        return all(
            half is not None and half <= self.half_width for half in self.half_widths(results).values()
        )


def _half(low: float | None, high: float | None) -> float | None:
    return None if low is None or high is None else (high - low) / 2


def _endpoint(name: str) -> Endpoint | None:
    known = {each.name: each for each in (Endpoint(Kind.PFS, 1), PFS_FROM_START, PFS2, OS)}
    known["PFS"] = known["PFS1"]
    line = _LINE.fullmatch(name)
    return Endpoint(Kind.PFS, int(line[1])) if line else known.get(name)
