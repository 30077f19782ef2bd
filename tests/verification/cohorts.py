"""Experiments whose patients differ in nothing but chance, so that exact laws hold for them."""

from __future__ import annotations

from typing import Any

# One net growth, turnover and so on for all: division 0.1, death 0.08 a day.
DIVISION, DEATH = 0.1, 0.08
MARKER = "marker"


def always(value: float) -> dict[str, float]:
    """Return a log-normal law that has only this value."""
    return {"median": value, "sigma": 0.0, "low": min(value, 1e-6), "high": max(value, 1e-3)}


def population(*, diagnosed_at_cm3: float, lethal_at_cm3: float = 1_000.0, **changes: Any) -> dict[str, Any]:
    """Patients without a difference between them, but for what is changed."""
    return {
        "base": "first_line_postmenopausal",
        "net_growth_per_day": always(DIVISION - DEATH) | {"low": 1e-3},
        "turnover": {"median": DEATH / DIVISION, "sigma": 0.0},
        "covariate": {"er_dependence": {"median": 0.8, "sigma": 0.0}, "cyclin_e": {"sigma": 0.0}},
        "diagnosis_volume_cm3": always(diagnosed_at_cm3),
        "lethal_volume_cm3": always(lethal_at_cm3),
        "bone_only": 0.0,
        "visceral_growth": 1.0,
        "mutation_rate_sigma": 0.0,
        "exposure_sigma": 0.0,
        "loss_to_follow_up_per_year": 0.0,
        "other_death_per_year": 0.0,
        **changes,
    }


def drug(
    *, half_life_h: float = 24.0, t_max_h: float = 1.0, steady_state: float = 1.0, **changes: Any
) -> dict[str, Any]:
    """Return a drug that is swallowed once a day and, unless it is given effects, does nothing."""
    return {
        "class": "none",
        "label": "for verification",
        "dose": {"value": 100.0, "unit": "mg"},
        "route": "oral",
        "given": "100 mg daily",
        "schedule": {"days": [1], "cycle_days": 1},
        "kinetics": {
            "half_life_h": half_life_h,
            "t_max_h": t_max_h,
            "steady_state": steady_state,
            "dosing_interval_h": 24.0,
        },
        "effects": {},
        "neutrophil_slope": 0.0,
        "discontinuation_per_month": 0.0,
        "source": "assumed",
        "note": "for verification",
        **changes,
    }


def experiment(people: dict[str, Any], *, mutation: float = 0.0, **changes: Any) -> dict[str, Any]:
    """One arm with one drug that does nothing, and one neutral alteration, `MARKER`."""
    return {
        "title": "Verification",
        "question": "Do patients follow the law?",
        "horizon_months": 1.0,
        "trajectory_every_days": 0,
        "population": people,
        "neutropenia": {"model": False},
        "alterations": [MARKER],
        "alteration": {
            MARKER: {
                "gene": "MARKER",
                "label": "changes nothing",
                "origin": {"kind": "one_hit", "per_division": mutation},
                "fitness_cost": 0.0,
                "effect": {},
                "source": "assumed",
                "note": "for verification",
            }
        },
        "drug": {"placebo": drug()},
        "arm": [{"name": "placebo", "line": [{"regimen": ["placebo"]}]}],
        **changes,
    }
