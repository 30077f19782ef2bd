"""One patient, stepped: the simulator as a Mesa model."""

from tumor_abm.model.clone_agent import CloneAgent
from tumor_abm.model.tumor_model import TumorModel

__all__ = ["CloneAgent", "TumorModel"]
