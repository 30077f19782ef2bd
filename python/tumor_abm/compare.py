"""The name under which `tumor_abm.comparison` can be imported too."""

from tumor_abm.comparison import Comparison, compare, who_gains

__all__ = ["Comparison", "compare", "who_gains"]
