"""Whether the numbers of a pathway stay where they belong, over all that its inputs can be."""

from __future__ import annotations

import numpy as np

from tumor_abm._base.problems import Problems
from tumor_abm.knowledge.formula import Name, names
from tumor_abm.knowledge.pathway import FITNESS, FRACTION, RATE, RATES, Pathway
from tumor_abm.knowledge.program import Numbers

_POINTS = 4_096
_KEY = 20_260_417
_SLACK = 1e-9
_FITNESS = (0.0, 2.0)


def check_ranges(pathway: Pathway, problems: Problems) -> None:
    """Note nodes that somewhere are not finite, fractions outside 0 to 1, and rates below 0.

    Every input is at its least, at its most, or in between (evenly, or over orders of magnitude),
    independently of the others, at 4,096 points that are always the same; constants also have their own
    value. So it finds what goes wrong at ends and in large parts, not at single points in between.
    """
    inputs = _points(pathway)
    slots = pathway.program.run(inputs)
    for name in pathway.order:
        node, found = pathway.nodes[name], slots[pathway.program.slots[Name("", name)]]
        wrong = ~np.isfinite(found)
        said, allowed = "no finite number", "a formula that is finite wherever its inputs can be"
        if not wrong.any() and node.unit in (FRACTION, RATE):
            wrong = (found < -_SLACK) | ((found > 1 + _SLACK) & (node.unit == FRACTION))
            said = ""
            allowed = "from 0 to 1" if node.unit == FRACTION else "at least 0"
        if wrong.any():
            at = int(np.argmax(wrong))
            values = {
                **inputs,
                **{Name("", key): slots[pathway.program.slots[Name("", key)]] for key in pathway.nodes},
            }
            read = dict.fromkeys(names(pathway.trees[name]))
            where = ", ".join(f"{key} = {values[key][at]:.6g}" for key in read)
            said = said or f"{found[at]:.6g}"
            problems.add(
                ["node", name, "formula"],
                f"found {said}{f' where {where}' if where else ''}; allowed: {allowed}",
            )
            return


def _points(pathway: Pathway) -> dict[Name, Numbers]:
    rng = np.random.default_rng(_KEY)
    ranges: dict[Name, tuple[float, float]] = {}
    for name, quantity in pathway.values.items():
        value = quantity.value
        low = value if quantity.low is None else quantity.low
        ranges[Name("", name)] = (low, value if quantity.high is None else quantity.high)
    ranges |= {Name("patient", name): (0.0, 1.0) for name in RATES}
    for name, covariate in pathway.covariates.items():
        ranges[Name("patient", name)] = (covariate.low, covariate.high)
    for name, effect in pathway.effects.items():
        ranges[Name("alteration", name)] = (effect.low, effect.high)
    ranges[Name("alteration", FITNESS)] = _FITNESS
    ranges |= {Name("drug", name): (0.0, 1.0) for name in pathway.targets}
    points = {name: _between(rng, *ranges[name]) for name in pathway.inputs()}
    for name in pathway.constants:
        points[Name("", name)][0] = pathway[name]
    return points


def _between(rng: np.random.Generator, low: float, high: float) -> Numbers:
    kind, where = rng.integers(4, size=_POINTS), rng.random(_POINTS)
    evenly = low + (high - low) * where
    least = max(low, 1e-6 * high)
    over_magnitudes = least * (high / least) ** where if least > 0 else evenly
    return np.choose(kind, [np.full(_POINTS, low), np.full(_POINTS, high), evenly, over_magnitudes])
