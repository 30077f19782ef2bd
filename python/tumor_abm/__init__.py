"""tumor_abm: which drugs, in which order, for whom.

A simulator of heterogeneous HR+/HER2- breast cancer under sequential lines of therapy. For
research, not for treating patients.
"""

from tumor_abm._core import __version__
from tumor_abm.population import Cycle, Phase, Population, Until, replicate

__all__ = ["Cycle", "Phase", "Population", "Until", "__version__", "replicate"]
