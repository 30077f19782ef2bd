"""Treatment as data: arms of lines, each a regimen with reasons to leave it and rules within it."""

from tumor_abm.treatment.action import Rule, TreatmentChange
from tumor_abm.treatment.arm import Arm
from tumor_abm.treatment.condition import Condition, SldChange
from tumor_abm.treatment.dosing import Dosing, Schedule, Standard
from tumor_abm.treatment.eligibility import Adjuvant, Eligibility, Exposure, History
from tumor_abm.treatment.line import Adaptive, EndOfLine, Holiday, Line, Option

__all__ = [
    "Adaptive",
    "Adjuvant",
    "Arm",
    "Condition",
    "Dosing",
    "Eligibility",
    "EndOfLine",
    "Exposure",
    "History",
    "Holiday",
    "Line",
    "Option",
    "Rule",
    "Schedule",
    "SldChange",
    "Standard",
    "TreatmentChange",
]
