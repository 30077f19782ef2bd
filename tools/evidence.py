"""Write `docs/evidence.md`: what trials published against what is simulated, and what is predicted of others.

``python -m tools.evidence KEPT PAGE`` reads what ``tumor-abm predict --keep KEPT`` kept.
Outcomes are read from the table of trials that may be known; those to predict appear with predictions alone.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import polars as pl
from tumor_abm._base.files import write_whole
from tumor_abm.knowledge import Knowledge, evidence
from tumor_abm.knowledge.ensemble import Ensemble
from tumor_abm.plots.evidence import Panel, plot_against_published
from tumor_abm.plots.style import png
from tumor_abm.trials import Prediction
from tumor_abm.trials.published import KEYS, with_published

from tools.evidence_tables import (
    against_published,
    landmarks,
    left_out,
    misses,
    parameters,
    predicted,
    prevalence,
)
from tools.judged import distances, summary
from tools.use import CHEMO, CONTEXT, DRUG, FITTED, NEAR, POST, PRACTICE, with_use

FIGURES: Mapping[str, tuple[str, Sequence[str]]] = {
    "evidence_first_line": (
        "First line: an aromatase inhibitor with and without a CDK4/6 inhibitor",
        ("paloma_2", "monaleesa_2", "monarch_3", "dawna_2", "monaleesa_7", "falcon"),
    ),
    "evidence_later_lines": (
        "After endocrine therapy",
        ("monaleesa_3", "paloma_3", "monarch_2", "dawna_1", "bolero_2", "ace"),
    ),
    "evidence_after_cdk46": (
        "After a CDK4/6 inhibitor",
        ("ameera_3", "ember_3", "serena_2", "veritac_2", "elaine_1", "epik_b5"),
    ),
    "evidence_first_chemotherapy": (
        "First chemotherapy",
        ("meridian", "peggy", "rose", "ribbon_1", "bolero_6", "young_pearl"),
    ),
    "evidence_other_classes": (
        "Other classes, and chemotherapy",
        (
            *("faktion", "solar_1", "destiny_breast06"),
            *("destiny_breast04_hr", "tropion_breast01", "tropics_02"),
        ),
    ),
}
_DOTS_PER_INCH = 200


def write_evidence(prediction: Prediction, page: Path, ensemble: Ensemble) -> list[Path]:
    """Write the page and its figures; return all files."""
    images = page.parent / "images"
    images.mkdir(parents=True, exist_ok=True)
    held = with_use(with_published(prediction.table).filter(pl.col("split").is_not_null()))
    drawn: list[Path] = []
    pictures: dict[str, str] = {}
    for stem, (title, files) in FIGURES.items():
        panels = [panel for file in files if (panel := _panel(prediction, held, file)) is not None]
        if panels:
            picture = png(plot_against_published(panels, title), _DOTS_PER_INCH)
            drawn.append(images / f"{stem}.png")
            write_whole(drawn[-1], partial(Path.write_bytes, data=picture))
            pictures[stem] = f"![{title}](images/{stem}.png)"
    of_use = {use: held.filter(use=use) for use in (FITTED, NEAR, POST, CHEMO, DRUG, PRACTICE, CONTEXT)}
    unseen = prediction.table.join(evidence.trials_to_predict(), on=KEYS, how="semi", maintain_order="left")
    filled = {
        "made": _made(prediction, ensemble),
        "summary": summary(held, prediction),
        "distances": distances(held),
        **{use: against_published(rows) for use, rows in of_use.items()},
        "landmarks": landmarks(of_use[FITTED]),
        "other_landmarks": landmarks(held.filter(pl.col("use") != FITTED)),
        "left_out": left_out(),
        "figures": "\n\n".join(pictures.values()),
        "prevalence": prevalence(prediction.prevalence),
        "parameters": parameters(ensemble),
        "misses": misses(of_use[FITTED]),
        "predicted": predicted(unseen),
    }
    template = Path(__file__).with_name("evidence.md.in").read_text(encoding="utf-8")
    text = re.sub(r"\{\{ (\w+) \}\}", lambda match: filled[match[1]], template)
    write_whole(page, lambda draft: draft.write_text(text, encoding="utf-8"))
    return [page, *drawn]


def _made(prediction: Prediction, ensemble: Ensemble) -> str:
    patients = int(prediction.observations.group_by("file", "arm").len()["len"].to_numpy().max())
    sets = len(ensemble.members)
    words = "the defaults alone" if sets == 1 else f"an ensemble of {sets} parameter sets"
    return f"up to {patients} virtual patients per trial, {words}, numbers {fingerprint(Knowledge.shipped())}"


def fingerprint(knowledge: Knowledge) -> str:
    """Return eight digits that change when any number of the knowledge does."""
    numbers = sorted((".".join(map(str, path)), number.value) for path, number in knowledge.numbers().items())
    return hashlib.sha256(json.dumps(numbers).encode()).hexdigest()[:8]


def _panel(prediction: Prediction, held: pl.DataFrame, file: str) -> Panel | None:
    rows = held.filter(
        (pl.col("file") == file) & pl.col("subset").is_in(["", "ITT", "PIK3CAm", "ESR1m", "HER2-low", "HR+"])
    )
    return Panel.of(prediction, rows) if rows.height else None


def main(arguments: Sequence[str]) -> None:
    """Write the page; `arguments` are the directory of predictions and the page."""
    kept, page = arguments
    for file in write_evidence(Prediction.load(kept), Path(page), Ensemble.shipped()):
        print(file)


if __name__ == "__main__":
    main(sys.argv[1:])
