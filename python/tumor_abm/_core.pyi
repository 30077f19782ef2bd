"""The compiled core. Columns are ``(dtype, buffer)`` or, for texts, ``(labels, codes)``; see `_frames`."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias, final

__all__ = [
    "GENERATOR",
    "Population",
    "__version__",
    "bliss",
    "check",
    "descendants",
    "draw_binomial",
    "draw_poisson",
    "draw_split",
    "first_scan_on_or_after",
    "hill",
    "integrated_hill",
    "oral_concentration",
    "philox",
    "replicate",
    "simulate",
    "sphere_diameter_mm",
    "sphere_volume_mm3",
    "subtree",
]

_Table: TypeAlias = dict[str, tuple[Any, bytes]]

__version__: Final[str]
GENERATOR: Final[str]

@final
class Population:
    """Cells of several types under explicit rates."""

    def __new__(
        cls,
        rates_json: str,
        initial: Sequence[int],
        dt: float,
        engine_json: str,
        seed: int,
        keep_extinct: bool,
    ) -> Population: ...
    def step(self, steps: int) -> None: ...
    def set_rates(self, rates_json: str) -> None: ...
    def genealogy(self) -> tuple[_Table, bytes] | None: ...
    @property
    def day(self) -> float: ...
    @property
    def divisions(self) -> int: ...
    @property
    def counts(self) -> bytes: ...
    @property
    def clones(self) -> _Table: ...
    @property
    def extinct(self) -> _Table: ...
    @property
    def bytes(self) -> int | None: ...
    @property
    def cells(self) -> _Table | None: ...

def replicate(
    design_json: str,
    replicates: int,
    threads: int,
    all_phases: bool,
    progress: Callable[[int], object] | None = None,
) -> tuple[_Table, tuple[_Table, _Table] | None]:
    """Run the replicates of a design given as JSON; outcomes, and the nodes and cells of trees."""

def descendants(parent: bytes, cells: bytes) -> bytes:
    """Living cells at or below every node."""

def subtree(parent: bytes, divisions: bytes, cells: bytes) -> tuple[_Table, bytes]:
    """How some cells descend from each other; `step` is the former number of a node."""

def check(spec_json: str, patients: int = 0) -> None:
    """Check an experiment given as JSON, and its step length for the first `patients` patients."""

def simulate(
    spec_json: str,
    first_patient: int,
    patients: int,
    threads: int,
    progress: Callable[[int], object] | None = None,
) -> dict[str, _Table]:
    """Let consecutive patients of an experiment live every arm."""

def oral_concentration(
    amount_over_volume: float, ka: float, ke: float, dose_times: Sequence[float], times: Sequence[float]
) -> list[float]: ...
def hill(concentration: float, max: float, ic50: float, hill: float) -> float: ...
def bliss(a: float, b: float) -> float: ...
def integrated_hill(max: float, ic50: float, hill: float, c0: float, ke: float, tau: float) -> float: ...
def sphere_diameter_mm(volume_mm3: float) -> float: ...
def sphere_volume_mm3(diameter_mm: float) -> float: ...
def first_scan_on_or_after(day: float, interval_days: float) -> float: ...
def philox(key: Sequence[int], counter: Sequence[int]) -> list[int]: ...
def draw_binomial(seed: int, n: int, p: float, size: int) -> bytes: ...
def draw_poisson(seed: int, mean: float, size: int) -> bytes: ...
def draw_split(seed: int, n: int, weights: Sequence[float], size: int) -> bytes: ...
