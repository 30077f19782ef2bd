"""Studies of clonal evolution: tumours grown under several scenarios, sampled, and sequenced."""

from tumor_abm.evolution.files import genealogy, write_mutations, write_trees
from tumor_abm.evolution.run import run_study
from tumor_abm.evolution.study import Study, load_study
from tumor_abm.evolution.summary import summarise

__all__ = [
    "Study",
    "genealogy",
    "load_study",
    "run_study",
    "summarise",
    "write_mutations",
    "write_trees",
]
