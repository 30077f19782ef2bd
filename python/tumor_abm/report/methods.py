"""How an experiment was simulated and compared, and where the model ends, in words."""

from __future__ import annotations

from typing import Any

from tumor_abm.run.results import Results


def methods_of(results: Results) -> list[str]:
    """Return paragraphs on design, estimates and limits."""
    crossed = [_CROSSED] if results.provenance.get("crossed") else []
    return [_design(results), _follow_up(results.experiment), _ESTIMATES, *crossed, _LIMITS]


def _design(results: Results) -> str:
    arms = len(results.arms)
    twins = (
        "Every patient lives every arm with the same random numbers up to the first difference, so arms "
        "differ by treatment alone. "
        if arms > 1
        else ""
    )
    provenance = results.provenance
    software = " ".join(str(provenance[key]) for key in ("software", "version") if key in provenance)
    by = f" It was run with {software}." if software else ""
    return (
        f"{results.enrolled} virtual patients in {arms} {'arm' if arms == 1 else 'arms'}, seed "
        f"{results.experiment.get('seed', 'not recorded')}. {twins}"
        "Each tumour grows from one cell under birth, death and mutation until diagnosis and brings its "
        f"resistant clones with it.{by} The same seed and version give the same bytes."
    )


def _follow_up(experiment: dict[str, Any]) -> str:
    told = []
    if "horizon_months" in experiment:
        told.append(f"The first patient is followed for {experiment['horizon_months']:g} months")
    if experiment.get("accrual_months"):
        told.append(f"patients are enrolled over {experiment['accrual_months']:g} months")
    if experiment.get("end_with_last_line"):
        told.append("follow-up ends with the last line")
    response = (
        "Response and progression are judged on scheduled scans with errors of measurement (RECIST 1.1); "
        "deaths from other causes and loss to follow-up are drawn."
    )
    return f"{'; '.join(told)}. {response}" if told else response


_ESTIMATES = (
    "Survival is Kaplan-Meier's, hazard ratios are Cox's with Efron's ties. Every difference has two "
    "intervals. That of a trial of this size takes the arms for different patients, as a trial would; the "
    "paired one knows that they are the same, and is the Monte Carlo error of the simulation. Neither "
    "holds the doubt about the parameters of the model, which an ensemble of parameter sets shows."
)
_CROSSED = (
    "The same patients live by every set of parameters. Tables that do not split chance from parameters "
    "count them once for every set, so that their intervals are too narrow."
)
_LIMITS = (
    "The model is a simplification: drugs act through a pathway of a few nodes, patients differ by what "
    "the population says and by nothing else, and every number of it has a range of its own. What was "
    "fitted to what, and how well it predicts, stands in the documentation. What is shown of a single "
    "patient is a possible course, not a forecast."
)
