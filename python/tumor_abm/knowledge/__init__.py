"""What is known: alterations, drugs, constants and populations, each number with its source."""

from tumor_abm.knowledge.alteration import Alteration
from tumor_abm.knowledge.constants import Assay, Imaging, Neutropenia
from tumor_abm.knowledge.drug import Drug
from tumor_abm.knowledge.explanation import Explanation
from tumor_abm.knowledge.kinetics import absorption_half_life
from tumor_abm.knowledge.library import Knowledge
from tumor_abm.knowledge.pathway import Pathway
from tumor_abm.knowledge.patient_laws import PatientLaws
from tumor_abm.knowledge.quantity import Quantity, plain, quantities
from tumor_abm.knowledge.response import response_matrix
from tumor_abm.knowledge.source import Source

__all__ = [
    "Alteration",
    "Assay",
    "Drug",
    "Explanation",
    "Imaging",
    "Knowledge",
    "Neutropenia",
    "Pathway",
    "PatientLaws",
    "Quantity",
    "Source",
    "absorption_half_life",
    "plain",
    "quantities",
    "response_matrix",
]
