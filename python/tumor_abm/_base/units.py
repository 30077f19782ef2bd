"""How long months and weeks are, here and in the core."""

DAYS_PER_MONTH = 30.4375
"""A twelfth of the mean year of 365.25 days."""
DAYS_PER_WEEK = 7
