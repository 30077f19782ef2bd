"""What moves what in a pathway: the sign of every arrow, and where two cells' difference comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tumor_abm.knowledge.explanation import Explanation, Treatment
from tumor_abm.knowledge.formula import Name, Tree, names
from tumor_abm.knowledge.pathway import Pathway
from tumor_abm.knowledge.program import Numbers, Program, literals_of

_NUDGE = 0.1
_SLIGHT = 1e-9

Values = Mapping[Name, float]
"""What everything is in a cell: inputs and nodes, by name."""


def state(
    explanation: Explanation, patient: Mapping[str, float], treatment: Treatment, genotype: Iterable[str]
) -> dict[Name, float]:
    """Return what everything is in a cell: inputs and nodes, by name."""
    pathway = explanation.knowledge.pathway
    wanted = [*pathway.inputs(), *(Name("", node) for node in pathway.order)]
    numbers = explanation.numbers(patient, treatments=[treatment], genotypes=[genotype], nodes=wanted)[0, 0]
    return dict(zip(wanted, numbers.tolist(), strict=True))


def reads(pathway: Pathway, node: str) -> list[Name]:
    """Return what a node's formula reads, each once, in its order."""
    return list(dict.fromkeys(names(pathway.trees[node])))


def signs(explanation: Explanation, patient: Mapping[str, float]) -> dict[tuple[Name, str], int]:
    """Return of every arrow (what is read, the node that reads it) whether it raises or lowers.

    1: more of it is more of the node; -1: less; 0: neither. An arrow is tried in an untreated cell of the
    patient without alterations and, where it moves nothing there, under half of the effect of every drug.

    Parameters
    ----------
    explanation
        The pathway at work.
    patient
        Covariates.
    """
    pathway = explanation.knowledge.pathway
    untreated = state(explanation, patient, {}, [])
    half = {**untreated, **{Name("drug", target): 0.5 for target in pathway.targets}}
    for node in pathway.order:
        half[Name("", node)] = float(_evaluated(pathway.trees[node], _arrays([half]))[0])
    found = {}
    for node in pathway.order:
        for read in reads(pathway, node):
            tried = (_sign(pathway.trees[node], read, values) for values in (untreated, half))
            found[read, node] = next((sign for sign in tried if sign), 0)
    return found


@dataclass(frozen=True, kw_only=True)
class Cause:
    """An input in which two cells differ, and how much of the difference in net growth comes from it.

    Attributes
    ----------
    name
        The input.
    share
        Part of the difference: 1 for all of it, below 0 where it works against it.
    path
        What leads from it to division or death, by the arrows that carry most.
    """

    name: Name
    share: float
    path: tuple[Name, ...]


def causes(pathway: Pathway, before: Values, after: Values) -> list[Cause]:
    """Return where a difference in net growth comes from, the largest share first.

    From division and death backwards, what a node differs by is laid to what it reads: to each by what the
    node does when that alone is exchanged, on the mean of both cells. Shares are of the sum of these.

    Parameters
    ----------
    pathway
        The network.
    before, after
        The two cells.
    """
    net = (after[Name("", "division")] - before[Name("", "division")]) - (
        after[Name("", "death")] - before[Name("", "death")]
    )
    if abs(net) <= _SLIGHT:
        return []
    laid: dict[Name, float] = {}
    onward: dict[Name, dict[Name, float]] = {}

    def lay(name: Name, part: float, reader: Name | None) -> None:
        laid[name] = laid.get(name, 0.0) + part
        if reader is not None:
            to = onward.setdefault(name, {})
            to[reader] = to.get(reader, 0.0) + part

    for output, sign in (("division", 1), ("death", -1)):
        name = Name("", output)
        lay(name, sign * (after[name] - before[name]) / net, None)
    for node in reversed(pathway.order):
        part = laid.pop(Name("", node), 0.0)
        for read, share in _shares(pathway.trees[node], before, after).items():
            lay(read, part * share, Name("", node))
    for name in [name for name in laid if name.space == "drug"]:
        potency = pathway.targets[name.name].potency
        effect = None if potency is None else Name("alteration", potency)
        if effect is not None and before[effect] != after[effect]:
            lay(effect, laid.pop(name), name)
    found = [Cause(name=name, share=share, path=_path(name, onward)) for name, share in laid.items() if share]
    return sorted(found, key=lambda cause: -abs(cause.share))


def _path(name: Name, onward: Mapping[Name, Mapping[Name, float]]) -> tuple[Name, ...]:
    path = [name]
    while path[-1] in onward:
        to = onward[path[-1]]
        path.append(max(to, key=lambda reader: abs(to[reader])))
    return tuple(path)


def _shares(tree: Tree, before: Values, after: Values) -> dict[Name, float]:
    """Return, of what a formula differs by, the part that is due to each of what it reads."""
    differing = [name for name in dict.fromkeys(names(tree)) if before[name] != after[name]]
    if not differing:
        return {}
    cells: list[Values] = [before, after]
    for name in differing:
        cells += [{**before, name: after[name]}, {**after, name: before[name]}]
    first, last, *exchanged = _evaluated(tree, _arrays(cells)).tolist()
    moved = {
        name: (exchanged[2 * at] - first + last - exchanged[2 * at + 1]) / 2
        for at, name in enumerate(differing)
    }
    whole = sum(moved.values())
    return {name: part / whole for name, part in moved.items()} if abs(whole) > _SLIGHT else {}


def _sign(tree: Tree, name: Name, values: Values) -> int:
    here = values[name]
    step = _NUDGE * abs(here) or 0.5
    ends: list[Values] = [{**values, name: here + step}, {**values, name: max(here - step, min(here, 0.0))}]
    numbers = _evaluated(tree, _arrays(ends))
    difference = float(numbers[0] - numbers[1])
    return 0 if abs(difference) <= _SLIGHT else int(np.sign(difference))


def _arrays(cells: Sequence[Values]) -> dict[Name, Numbers]:
    return {name: np.array([cell[name] for cell in cells]) for name in cells[0]}


def _evaluated(tree: Tree, values: Mapping[Name, Numbers]) -> Numbers:
    """Work out one formula for many cells, whatever the other formulas say."""
    program = Program(literals_of([tree]), tuple(values))
    result = Name("", "")
    program.add(result.name, tree)
    return np.nan_to_num(program.run(values)[program.slots[result]], posinf=0.0, neginf=0.0)
