"""What results say: endpoints, survival, comparisons of arms, and how they are worded."""

from tumor_abm._base.lazy import modules_of

__getattr__ = modules_of(__name__)
