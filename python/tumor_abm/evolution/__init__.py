"""Populations under explicit rates: replicates, genealogies, mutations, biopsies, and their reading."""

from importlib import import_module
from typing import Any
from warnings import warn

from tumor_abm._base.lazy import modules_of

_STUDIES = ("Study", "load_study", "run_study", "summarise", "write_mutations", "write_trees")
"""What stood here before 0.2."""


def __getattr__(name: str) -> Any:
    if name not in _STUDIES:
        return modules_of(__name__)(name)
    warn(f"tumor_abm.evolution.{name} is tumor_abm.study.{name}", DeprecationWarning, stacklevel=2)
    return getattr(import_module("tumor_abm.study"), name)
