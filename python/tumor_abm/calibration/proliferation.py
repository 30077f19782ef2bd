"""How far proliferation falls at the steady state of drugs: the early endpoint of window trials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import polars as pl

from tumor_abm.calibration.targets import Ki67Target
from tumor_abm.knowledge import Knowledge
from tumor_abm.knowledge.explanation import Explanation

_LEAST = 1e-6
_POPULATION = "first_line_postmenopausal"


def falls(
    knowledge: Knowledge, patients: pl.DataFrame, targets: Sequence[Ki67Target], node: str
) -> list[float]:
    """Mean logarithm of Ki-67 on treatment over that before, of cells without acquired alterations.

    Parameters
    ----------
    knowledge
        What holds.
    patients
        The table ``patients`` of a cohort; their exposures are spread over its law, alike for all drugs.
    targets
        What is given.
    node
        Output of the pathway that a biopsy shows.
    """
    explanation = Explanation(knowledge)
    spread = knowledge.populations[_POPULATION].exposure_sigma.value
    ranks = [(rank + 0.5) / patients.height for rank in range(patients.height)]
    # Neighbours in the table get exposures far from each other, whatever the order of the patients.
    folds = [math.exp(spread * NormalDist().inv_cdf(ranks[7 * k % len(ranks)])) for k in range(len(ranks))]
    changes = []
    for row, fold in zip(patients.iter_rows(named=True), folds, strict=True):
        treatments = [{}, *(dict.fromkeys(one.drugs, fold) for one in targets)]
        shown = explanation.numbers(
            explanation.patient_of(row), treatments=treatments, genotypes=[[]], nodes=[node]
        )[:, 0, 0]
        changes.append(np.log(np.maximum(shown[1:], _LEAST) / shown[0]))
    return [float(change) for change in np.mean(changes, axis=0)]
