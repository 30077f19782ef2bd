"""Made results with everything that figures of patients read: scans, blood, burden, events."""

from __future__ import annotations

import numpy as np
import polars as pl
from tumor_abm.run.results import Results

STEP_DAYS = 56
MONTH_DAYS = 30.4375


def lived(results: Results, seed: int = 4) -> Results:
    """The same patients, scanned and sampled every eight weeks of each line."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[dict[str, object]]] = {
        name: [] for name in ("assessments", "trajectory", "events", "liquid_biopsies")
    }
    for row in results.outcomes.iter_rows(named=True):
        who = {"patient": row["patient"], "arm": row["arm"], "line": row["line"]}
        days = range(row["start_day"], row["end_day"] + 1, STEP_DAYS)
        changes = np.cumsum(rng.normal(-0.05, 0.1, len(days))).clip(-0.9, 2.0)
        for day, change in zip(days, changes, strict=True):
            found["assessments"].append(
                who
                | {"day": day, "sld_mm": 50 * (1 + change), "sld_change": change, "new_lesions": 0}
                | {"response": row["response"]}
            )
            found["trajectory"].append(
                who
                | {"day": day, "cells": int(1e9 * (1.1 + change)), "volume_cm3": 10.0 * (1 + change)}
                | {"sld_mm": 50 * (1 + change), "neutrophils": float(rng.uniform(0.8, 4.0))}
            )
            found["liquid_biopsies"].append(who | {"day": day, "gene": "ESR1", "vaf": float(max(0, change))})
        at_ends = [("line started", row["start_day"]), ("dose held", row["start_day"] + 14)]
        at_ends += [("progression", row["end_day"])] if row["end_reason"] == "progression" else []
        found["events"] += [who | {"event": event, "day": day, "detail": ""} for event, day in at_ends]
    tables = {name: pl.DataFrame(rows) for name, rows in found.items()}
    return Results({**results.tables, **tables}, results.experiment, results.provenance)
