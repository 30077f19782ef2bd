"""What both sides of the door must agree on."""

from tumor_abm import _core
from tumor_abm._base.units import DAYS_PER_MONTH, DAYS_PER_WEEK


def test_a_month_is_as_long_here_as_in_the_core():
    assert DAYS_PER_MONTH == _core.DAYS_PER_MONTH == 365.25 / 12
    assert DAYS_PER_WEEK == 7
