"""tumor_abm: which drugs, in which order, for whom.

A simulator of heterogeneous HR+/HER2- breast cancer under sequential lines of therapy. For
research, not for treating patients.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from tumor_abm._core import __version__

if TYPE_CHECKING:
    from tumor_abm import (  # noqa: F401
        calibration,
        endpoints,
        evolution,
        knowledge,
        maf,
        neutrality,
        plots,
        prediction,
        report,
        schemas,
        survival,
        theory,
        trials,
    )
    from tumor_abm.biopsy import Biopsy, Needle, RandomCells, Sphere
    from tumor_abm.comparison import compare
    from tumor_abm.config import load_experiment
    from tumor_abm.errors import InputError
    from tumor_abm.experiment import run_experiment
    from tumor_abm.genealogy import Genealogy
    from tumor_abm.model import CloneAgent, TumorModel
    from tumor_abm.mutations import Mutations
    from tumor_abm.population import Population
    from tumor_abm.replication import Cycle, Phase, Until, replicate
    from tumor_abm.results import Results
    from tumor_abm.sequencing import Sequencing
    from tumor_abm.space import Reach, Space
    from tumor_abm.trait import Trait

__all__ = [
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

_MODULES = (
    "calibration",
    "endpoints",
    "evolution",
    "knowledge",
    "maf",
    "neutrality",
    "plots",
    "prediction",
    "report",
    "schemas",
    "survival",
    "theory",
    "trials",
)

# Modules are imported when they, or one of their names, are first asked for, so that `import tumor_abm` and
# `tumor-abm --help` are quick.
_HOME = {
    "Biopsy": "biopsy",
    "CloneAgent": "model",
    "Cycle": "replication",
    "Genealogy": "genealogy",
    "InputError": "errors",
    "Mutations": "mutations",
    "Needle": "biopsy",
    "Phase": "replication",
    "Population": "population",
    "RandomCells": "biopsy",
    "Reach": "space",
    "Results": "results",
    "Sequencing": "sequencing",
    "Space": "space",
    "Sphere": "biopsy",
    "Trait": "trait",
    "TumorModel": "model",
    "Until": "replication",
    "compare": "comparison",
    "load_experiment": "config",
    "replicate": "replication",
    "run_experiment": "experiment",
}


def __getattr__(name: str) -> Any:
    value: Any
    if name in _HOME:
        value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    elif not name.startswith("_") and find_spec(f"{__name__}.{name}"):
        value = import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *_MODULES})
