"""What is allowed in an experiment and may surprise: said once, before it runs."""

from __future__ import annotations

from collections.abc import Iterator

from tumor_abm.config.checks import unmeasured_share
from tumor_abm.config.experiment import Experiment
from tumor_abm.config.written import CORE
from tumor_abm.treatment import Adaptive, Line

_REGROWTH_TO_PROGRESSION = 1.2


def notices(experiment: Experiment) -> list[str]:
    """Return a sentence for each surprise, with the key that it is about."""
    return [
        *_left_out(experiment),
        *_without_effect(experiment),
        *_unmeasured(experiment),
        *_adaptive(experiment),
    ]


def _left_out(experiment: Experiment) -> Iterator[str]:
    """Alterations of the core set that a list of alterations leaves out."""
    written = experiment.written
    if written.alterations is None or written.self_contained:
        return
    missing = [name for name in experiment.core_set if name not in experiment.alterations]
    if missing:
        yield (
            f"alterations: leaves out {', '.join(missing)} of the core set;"
            f' alterations = ["{CORE}", ...] names them all'
        )


def _without_effect(experiment: Experiment) -> Iterator[str]:
    """Drugs that act neither on the tumour nor on the marrow."""
    given = {
        dosing.drug
        for lines in _treatment(experiment).values()
        for line in lines
        for _, dosing in line.dosings()
    }
    for name in sorted(given):
        drug = experiment.knowledge.drugs[name]
        if not drug.effects and drug.marrow_protection is None:
            why = f" ({drug.note})" if drug.note else ""
            yield f"{name}: has no target in the pathway, so arms that differ by it alone fare alike{why}"


def _unmeasured(experiment: Experiment) -> Iterator[str]:
    """Rules on sums of diameters, which disease that cannot be measured does not have."""
    share = unmeasured_share(experiment.population, experiment.knowledge)
    if share == 0 or experiment.population.eligibility.measurable:
        return
    for place, lines in _treatment(experiment).items():
        for line_number, line in enumerate(lines):
            if line.asks_for_sums:
                yield (
                    f"{place}[{line_number}]: what asks for the sum of diameters never holds in disease that"
                    f" cannot be measured ({share:.0%} of the population)"
                )


def _adaptive(experiment: Experiment) -> Iterator[str]:
    """Pauses that cannot delay resistance, or that progression forestalls."""
    paused = [
        (f"{place}[{number}].adaptive", line.adaptive)
        for place, lines in _treatment(experiment).items()
        for number, line in enumerate(lines)
        if line.adaptive is not None
    ]
    competes = experiment.population.carrying_capacity_cm3 is not None
    if paused and experiment.written.engine != "lattice" and not competes:
        yield (
            f"{paused[0][0]}: cells do not compete in engine {experiment.written.engine!r}, so that sensitive"
            ' cells cannot hold resistant ones back while a drug is paused; engine = "lattice" has'
            " competition for space, and population.carrying_capacity_cm3 limits growth"
        )
    for place, adaptive in paused:
        if experiment.written.assessment.progression_from == "nadir" and _never_resumed(adaptive):
            yield (
                f"{place}: regrowth by a fifth over the nadir is progression, and comes before"
                f' resume_at = {adaptive.resume_at:g}; assessment.progression_from = "baseline" counts'
                " progression of all arms from their baselines"
            )


def _never_resumed(adaptive: Adaptive) -> bool:
    stopped, resumed = 1 + adaptive.stop_at, 1 + adaptive.resume_at
    return stopped > 0 and _REGROWTH_TO_PROGRESSION * stopped < resumed


def _treatment(experiment: Experiment) -> dict[str, list[Line]]:
    """Lines after enrolment, by their place."""
    arms = {f"arm[{a}].line": arm.line for a, arm in enumerate(experiment.arms)}
    return {**arms, "afterwards": experiment.written.afterwards}
