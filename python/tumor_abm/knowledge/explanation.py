"""What the pathway says of genotypes under drugs, node by node."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tumor_abm import _core
from tumor_abm._base.problems import Problems
from tumor_abm.knowledge.formula import Name
from tumor_abm.knowledge.library import Knowledge
from tumor_abm.knowledge.pathway import OUTPUTS, RATES

Treatment = Mapping[str, float]
"""Dose of each drug, relative to that at which the average concentration is its steady state."""


class Explanation:
    """The pathway at work, for a patient's cells under constant concentrations of drugs.

    Parameters
    ----------
    knowledge
        Pathway, alterations and drugs.
    """

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.alterations = list(knowledge.alterations)
        self.drugs = list(knowledge.drugs)
        pathway = knowledge.pathway
        known = {
            "pathway": pathway.to_core(),
            "alterations": [
                alteration.to_core(name, pathway.effects)
                for name, alteration in knowledge.alterations.items()
            ],
            "drugs": [drug.to_core(name, pathway.targets) for name, drug in knowledge.drugs.items()],
        }
        self._core = _core.Explanation(json.dumps(known, allow_nan=False))

    def median_patient(self, population: str) -> dict[str, float]:
        """Return the covariates of the patient who has the median of everything.

        Raises
        ------
        InputError
            No population has the name.
        """
        problems = Problems()
        if population not in self.knowledge.populations:
            problems.add_unknown(["population"], population, "population", self.knowledge.populations)
        problems.raise_if_any()
        return self.knowledge.populations[population].median_cells

    def patient_of(self, covariates: Mapping[str, Any]) -> dict[str, float]:
        """Return what the pathway reads of a patient.

        Parameters
        ----------
        covariates
            A row of the table ``patients``.
        """
        net, turnover = covariates["net_growth_per_day"], covariates["turnover"]
        division = net / (1 - turnover)
        cells = {"division": division, "death": division - net}
        return cells | {name: float(covariates[name]) for name in self.knowledge.pathway.drawn}

    def numbers(
        self,
        patient: Mapping[str, float],
        *,
        treatments: Sequence[Treatment],
        genotypes: Sequence[Iterable[str]],
        nodes: Sequence[str | Name] = OUTPUTS,
    ) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return numbers of the pathway.

        Parameters
        ----------
        patient
            Covariates that the pathway reads, by name.
        treatments
            Of each: dose by drug, 1 for the concentration at steady state.
        genotypes
            Of each: its alterations.
        nodes
            Names of nodes; or of what is put in.

        Returns
        -------
        numpy.ndarray
            By treatment, genotype and node.

        Raises
        ------
        InputError
            A drug, an alteration or a node that is not known.
        """
        slots = self.knowledge.pathway.program.slots
        wanted = [name if isinstance(name, Name) else Name("", name) for name in nodes]
        problems = Problems()
        for treatment in treatments:
            for drug in treatment:
                if drug not in self.knowledge.drugs:
                    problems.add_unknown(["drugs"], drug, "drug", self.drugs)
        carried = [list(genotype) for genotype in genotypes]
        for alteration in {name for genotype in carried for name in genotype}:
            if alteration not in self.knowledge.alterations:
                problems.add_unknown(["alterations"], alteration, "alteration", self.alterations)
        for name in wanted:
            if name not in slots:
                problems.add_unknown(["nodes"], str(name), "node", map(str, slots))
        problems.raise_if_any()
        at = {name: index for index, name in enumerate(self.alterations)}
        steady = [drug.kinetics.steady_state.value for drug in self.knowledge.drugs.values()]
        buffer = self._core.numbers(
            [float(patient[name]) for name in (*RATES, *self.knowledge.pathway.drawn)],
            [
                [treatment.get(drug, 0.0) * level for drug, level in zip(self.drugs, steady, strict=True)]
                for treatment in treatments
            ],
            [[at[name] for name in genotype] for genotype in carried],
            [slots[name] for name in wanted],
        )
        return np.frombuffer(buffer).reshape(len(treatments), len(carried), len(wanted))
