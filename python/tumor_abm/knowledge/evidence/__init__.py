"""What trials and sequencing studies have found: the tables that calibration and prediction are held against.

``trials.csv`` has a row per arm or subset of a published trial; its column ``split`` says what a row may be
used for. ``trials_to_predict.csv`` has the designs of further trials, without their outcomes: those enter
nothing, neither tuning nor priors nor structure. ``left_out.csv`` has the rows of both that no experiment
simulates, each with the reason. ``prevalence.csv`` says which share of patients carries an alteration, and
when; ``ki67.csv`` how proliferation falls in window trials; ``dynamics.csv`` what changes in the first weeks;
``exposure.csv`` how exposure to drugs varies. ``alterations.csv`` describes alterations in words,
``claims.csv`` has what these words say of treatments, a claim a row. Marks in the columns of sources are keys
of ``sources.csv``, or K for literature cited from memory, D for what was derived, S for the review the
project started from, whose errors the notes name.
"""

from tumor_abm.knowledge.evidence.measured import dynamics, exposure, ki67, prevalence
from tumor_abm.knowledge.evidence.outcomes import (
    IN_PRACTICE,
    designs,
    left_out,
    trials,
    trials_to_predict,
)
from tumor_abm.knowledge.evidence.words import alterations, claims, sources

__all__ = [
    "IN_PRACTICE",
    "alterations",
    "claims",
    "designs",
    "dynamics",
    "exposure",
    "ki67",
    "left_out",
    "prevalence",
    "sources",
    "trials",
    "trials_to_predict",
]
