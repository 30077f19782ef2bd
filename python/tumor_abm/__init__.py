"""tumor_abm: which drugs, in which order, for whom.

A simulator of heterogeneous tumours under sequential lines of therapy; what comes with it is of HR+/HER2-
breast cancer. For research, not for treating patients.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tumor_abm._base.lazy import modules_of
from tumor_abm._core import __version__

if TYPE_CHECKING:
    from tumor_abm import (  # noqa: F401
        analysis,
        batch,
        calibration,
        evolution,
        knowledge,
        plots,
        report,
        schemas,
        study,
        theory,
        trials,
    )
    from tumor_abm.analysis import endpoints, survival  # noqa: F401
    from tumor_abm.analysis.comparison import compare
    from tumor_abm.batch import Batch
    from tumor_abm.config import load_experiment
    from tumor_abm.errors import InputError
    from tumor_abm.evolution import biopsy, maf, neutrality  # noqa: F401
    from tumor_abm.evolution.biopsy import Biopsy, Needle, RandomCells, Sphere
    from tumor_abm.evolution.genealogy import Genealogy
    from tumor_abm.evolution.mutations import Mutations
    from tumor_abm.evolution.population import Population
    from tumor_abm.evolution.replication import Cycle, Phase, Until, replicate
    from tumor_abm.evolution.sequencing import Sequencing
    from tumor_abm.evolution.space import Reach, Space
    from tumor_abm.evolution.trait import Trait
    from tumor_abm.model import CloneAgent, TumorModel
    from tumor_abm.run.experiment import run_experiment
    from tumor_abm.run.results import Results
    from tumor_abm.trials import prediction  # noqa: F401

__all__ = [
    "Batch",
    "Biopsy",
    "CloneAgent",
    "Cycle",
    "Genealogy",
    "InputError",
    "Mutations",
    "Needle",
    "Phase",
    "Population",
    "RandomCells",
    "Reach",
    "Results",
    "Sequencing",
    "Space",
    "Sphere",
    "Trait",
    "TumorModel",
    "Until",
    "__version__",
    "compare",
    "load_experiment",
    "replicate",
    "run_experiment",
]

# Modules are imported when they, or one of their names, are first asked for, so that `import tumor_abm` and
# `tumor-abm --help` are quick.
_HOME = {
    "Batch": "batch",
    "Biopsy": "evolution.biopsy",
    "CloneAgent": "model",
    "Cycle": "evolution.replication",
    "Genealogy": "evolution.genealogy",
    "InputError": "errors",
    "Mutations": "evolution.mutations",
    "Needle": "evolution.biopsy",
    "Phase": "evolution.replication",
    "Population": "evolution.population",
    "RandomCells": "evolution.biopsy",
    "Reach": "evolution.space",
    "Results": "run.results",
    "Sequencing": "evolution.sequencing",
    "Space": "evolution.space",
    "Sphere": "evolution.biopsy",
    "Trait": "evolution.trait",
    "TumorModel": "model",
    "Until": "evolution.replication",
    "compare": "analysis.comparison",
    "load_experiment": "config",
    "replicate": "evolution.replication",
    "run_experiment": "run.experiment",
}
_MODULES = {
    "analysis": "analysis",
    "batch": "batch",
    "biopsy": "evolution.biopsy",
    "calibration": "calibration",
    "comparison": "analysis.comparison",
    "endpoints": "analysis.endpoints",
    "ensemble": "knowledge.ensemble",
    "evolution": "evolution",
    "genealogy": "evolution.genealogy",
    "knowledge": "knowledge",
    "maf": "evolution.maf",
    "mutations": "evolution.mutations",
    "neutrality": "evolution.neutrality",
    "paired": "analysis.paired",
    "plots": "plots",
    "prediction": "trials.prediction",
    "provenance": "run.provenance",
    "report": "report",
    "results": "run.results",
    "schemas": "schemas",
    "sequencing": "evolution.sequencing",
    "study": "study",
    "survival": "analysis.survival",
    "theory": "theory",
    "toxicity": "analysis.toxicity",
    "trials": "trials",
    "wording": "analysis.wording",
}


def __getattr__(name: str) -> Any:
    value: Any
    if name in _HOME:
        value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    elif name in _MODULES:
        value = import_module(f"{__name__}.{_MODULES[name]}")
    else:
        value = modules_of(__name__)(name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *_MODULES})
