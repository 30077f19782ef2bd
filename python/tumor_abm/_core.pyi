"""The compiled core. A table is an Arrow IPC stream; see `_base.frames`."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias, TypeVar, final

__all__ = [
    "DAYS_PER_MONTH",
    "GENERATOR",
    "Experiment",
    "Explanation",
    "Patient",
    "Population",
    "__version__",
    "bliss",
    "descendants",
    "draw_binomial",
    "draw_poisson",
    "draw_split",
    "first_scan_on_or_after",
    "hill",
    "integrated_hill",
    "interruptible",
    "oral_concentration",
    "philox",
    "philox32",
    "replicate",
    "schema",
    "sphere_diameter_mm",
    "sphere_volume_mm3",
    "subtree",
]

_Table: TypeAlias = bytes
_T = TypeVar("_T")

__version__: Final[str]
DAYS_PER_MONTH: Final[float]
GENERATOR: Final[str]

@final
class Experiment:
    """An experiment that was found valid."""

    def __new__(cls, spec_json: str) -> Experiment:
        """Read an experiment given as JSON, and check all but its step length."""

    def check(self, patients: int) -> None:
        """Check that the step is short enough for the first `patients` patients."""

    def screen(
        self, threads: int, progress: Callable[[int], object] | None = None
    ) -> list[tuple[str, int, int, list[tuple[str, int, int]]]]:
        """History, candidates, eligible, and for every condition how many were asked and met it."""

    def simulate(
        self,
        first_patient: int,
        patients: int,
        threads: int,
        progress: Callable[[int], object] | None = None,
    ) -> dict[str, _Table]:
        """Let consecutive patients live every arm."""

    def patient(self, patient: int, arm: int | None = None) -> Patient:
        """Grow a patient and enter an arm, or none."""

@final
class Explanation:
    """A pathway with alterations and drugs that was found valid."""

    def __new__(cls, known_json: str) -> Explanation:
        """Read pathway, alterations and drugs given as JSON, as an experiment has them."""

    def numbers(
        self,
        patient: list[float],
        treatments: list[list[float]],
        genotypes: list[list[int]],
        slots: list[int],
    ) -> bytes:
        """Numbers as ``float64``: by treatment (a concentration per drug), genotype and slot."""

@final
class Patient:
    """A virtual patient in one arm of an experiment."""

    @staticmethod
    def load(bytes: bytes) -> Patient: ...
    def step(self, steps: int = 1) -> None: ...
    def intervene(self, decision_json: str) -> None: ...
    def fork(self, seed: int | None = None) -> Patient: ...
    def save(self) -> bytes: ...
    def about(self) -> dict[str, Any]: ...
    def today(self) -> dict[str, Any]: ...
    def regimen(self) -> list[dict[str, Any]]: ...
    def clones(self) -> _Table: ...
    def genotypes(self) -> _Table: ...
    def extinct(self) -> _Table | None: ...
    def counted(self) -> _Table: ...
    def individuals(self) -> _Table | None: ...
    def remember(self, rows: bytes) -> int: ...
    def lines(self) -> tuple[_Table, bytes, _Table, _Table] | None: ...
    def drugs(self) -> _Table: ...
    def covariates(self) -> _Table: ...
    def composition(self) -> list[tuple[str, int]]: ...
    def genotype_names(self) -> list[str]: ...
    def genotype_alterations(self) -> list[list[str]]: ...
    def sites(self) -> tuple[list[int], list[int], bytes] | None: ...
    def records(self) -> dict[str, _Table]: ...
    @property
    def day(self) -> float: ...
    @property
    def status(self) -> str: ...
    @property
    def cells(self) -> int: ...
    @property
    def scans(self) -> int: ...
    @property
    def clone_ids(self) -> bytes: ...

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
    @staticmethod
    def load(bytes: bytes) -> Population: ...
    def step(self, steps: int) -> None: ...
    def fork(self, seed: int | None = None) -> Population: ...
    def save(self) -> bytes: ...
    def set_rates(self, rates_json: str) -> None: ...
    def remove(self, gone: bytes) -> None: ...
    def label(self) -> None: ...
    def remember(self, rows: bytes) -> None: ...
    def genealogy(self) -> tuple[_Table, bytes, bytes] | None: ...
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

def interruptible(work: Callable[[], _T], heartbeat: Callable[[], object]) -> _T:
    """Call `work`; what the core does in it calls `heartbeat` every 50 ms and ends with what that raises."""

def descendants(parent: bytes, cells: bytes) -> bytes:
    """Living cells at or below every node."""

def subtree(parent: bytes, divisions: bytes, cells: bytes) -> tuple[_Table, bytes]:
    """How some cells descend from each other; `step` is the former number of a node."""

def schema() -> str:
    """Fields, bounds and defaults of what an experiment may say, and constants, as JSON."""

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
def philox32(key: Sequence[int], counter: Sequence[int]) -> list[int]: ...
def draw_binomial(seed: int, n: int, p: float, size: int) -> bytes: ...
def draw_poisson(seed: int, mean: float, size: int) -> bytes: ...
def draw_split(seed: int, n: int, weights: Sequence[float], size: int) -> bytes: ...
