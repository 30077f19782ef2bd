"""Treatment as data: arms of lines, each a regimen with reasons to leave it and rules within it."""

from tumor_abm.strategy.action import Action, Rule
from tumor_abm.strategy.arm import Arm
from tumor_abm.strategy.condition import Condition, SldChange
from tumor_abm.strategy.dosing import Dosing, Schedule, Standard
from tumor_abm.strategy.enrolment import Adjuvant, Eligibility, Exposure, History
from tumor_abm.strategy.line import Adaptive, Holiday, Line, Option, Until

__all__ = [
    "Action",
    "Adaptive",
    "Adjuvant",
    "Arm",
    "Condition",
    "Dosing",
    "Eligibility",
    "Exposure",
    "History",
    "Holiday",
    "Line",
    "Option",
    "Rule",
    "Schedule",
    "SldChange",
    "Standard",
    "Until",
]
