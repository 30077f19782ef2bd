"""Studies of clonal evolution: tumours grown under several scenarios, sampled, and sequenced."""

from tumor_abm.study.files import genealogy, write_mutations, write_trees
from tumor_abm.study.run import run_study
from tumor_abm.study.study import Study, load_study
from tumor_abm.study.summary import summarise

__all__ = [
    "Study",
    "genealogy",
    "load_study",
    "run_study",
    "summarise",
    "write_mutations",
    "write_trees",
]
