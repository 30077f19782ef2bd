"""What is taken where nothing is said: a population, and the treatment of a model without an experiment."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any

USUAL: Mapping[str, Any] = tomllib.loads(
    resources.files("tumor_abm.knowledge").joinpath("usual.toml").read_text(encoding="utf-8")
)
"""An experiment, as written."""

DEFAULT_POPULATION: str = USUAL["population"]
