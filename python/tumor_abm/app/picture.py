"""What the page shows of one twin on one day."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tumor_abm.app.twin import LegendRow, Twin


@dataclass(frozen=True)
class Picture:
    """What the page shows of one twin.

    Attributes
    ----------
    name
        Of the strategy.
    tumour
        The tumour as PNG.
    legend
        Genotypes, the most frequent first.
    founder
        Alterations of the first cell.
    facts
        Numbers and words of the day.
    solid
        Whether the tumour has three dimensions to look at.
    view
        From where it is seen.
    """

    name: str
    tumour: bytes
    legend: list[LegendRow]
    founder: list[str]
    facts: dict[str, Any]
    solid: bool
    view: str


def of_twin(pictures: Sequence[Picture], twin: int) -> Picture | None:
    """Return what is shown of a twin; ``None`` while there is nothing, or no such twin any more."""
    return pictures[twin] if twin < len(pictures) else None


def today(twin: Twin) -> Picture:
    """Return what there is to see of a twin today."""
    return Picture(
        twin.name, twin.picture(), twin.legend(), twin.founder, facts_of(twin), twin.solid, twin.view
    )


def on_day(twin: Twin, day: float) -> Picture:
    """Return what there was to see of a twin on an earlier day."""
    seen = twin.record.on(day)
    if seen.day >= twin.record.day:
        return today(twin)
    facts = facts_of(twin)
    scans = [scan for scan in twin.model.assessments.to_dicts() if scan["day"] <= seen.day]
    cured = facts["cured_day"]
    facts |= {
        "day": seen.day,
        "line": seen.line,
        "regimen": seen.regimen,
        "cells": seen.cells,
        "volume_cm3": seen.volume_cm3,
        "sld_mm": seen.sld_mm,
        "scan": scans[-1] if scans else None,
        "status": "followed",
        "outcomes": [row for row in facts["outcomes"] if row["end_day"] <= seen.day],
        "overall": None,
        "events": [event for event in facts["events"] if event["day"] <= seen.day],
        "cured_day": cured if cured is not None and cured <= seen.day else None,
        "individuals": None,
        "past": True,
        "drugs": [
            {"drug": drug, "relative_concentration": relative, "state": "taken", "held_for": ""}
            for drug, relative in seen.concentrations.items()
        ],
    }
    return Picture(
        twin.name, twin.picture_on(seen), twin.legend_on(seen), twin.founder, facts, twin.solid, twin.view
    )


def facts_of(twin: Twin) -> dict[str, Any]:
    """Return what the page says of a patient today."""
    model = twin.model
    return {
        "day": model.day,
        "line": model.line,
        "regimen": model.regimen,
        "cells": model.cells,
        "volume_cm3": model.volume_cm3,
        "sld_mm": model.sld_mm,
        "scan": model.scan,
        "status": model.status,
        "engine": model.engine,
        "scale": model.scale,
        "individuals": twin.individuals,
        "running": model.running,
        "drugs": model.drugs.to_dicts(),
        "covariates": model.covariates,
        "events": twin.record.events(model).to_dicts(),
        "cured_day": twin.record.cured_day,
        "earlier": twin.record.earlier_regimens(model.regimen),
        "outcomes": twin.record.outcomes(model).to_dicts(),
        "overall": next(iter(model.overall.to_dicts()), None),
        "first_day": math.ceil(twin.record.growth.first_day),
        "last_day": twin.record.day,
        "changed_in_line": twin.record.changed_in_line,
        "reduced": twin.record.reduced,
        "past": False,
    }
