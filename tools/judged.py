"""Whether what is simulated and what was published agree, how often, and how much of the count is chance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from tumor_abm.trials import Prediction
from tumor_abm.trials.published import (
    KEYS,
    arm_name,
    median_in,
    published_in,
    rates_of,
    ratio_in,
    response_of,
)
from tumor_abm.trials.sampling import Floats, Observed, interval, median

from tools.markdown import table
from tools.use import CHEMO, DRUG, FITTED, LATER, NEAR, POST, PRACTICE

FIRST_LINE = ("paloma_1", "paloma_2", "paloma_4", "monaleesa_2", "monarch_3", "dawna_2")
_DRAWS = 500
_SEED = 1

_FITTED_PARTS = {
    "calib-post": "Fitted, after a CDK4/6 inhibitor",
    "calib-chemo": "Fitted, chemotherapy",
    "calib-drug": "Fitted, one drug of each class",
}
"""By split."""
_OTHERS = {
    POST: "Not fitted yet, after a CDK4/6 inhibitor",
    CHEMO: "Not fitted yet, chemotherapy",
    DRUG: "Not fitted yet, one drug of each class",
    PRACTICE: "In practice, never fitted",
}

Judge = Callable[[Mapping[str, Any]], bool | None]
Label = tuple[str, ...]


def summary(held: pl.DataFrame, prediction: Prediction) -> str:
    """Write how many rows are inside, by what was fitted and what was not (see `tools.use.with_use`)."""
    rows = [row for row in held.iter_rows(named=True) if not row["split"].endswith("subset")]
    of_use = {use: [row for row in rows if row["use"] == use] for use in (FITTED, NEAR, *LATER, PRACTICE)}
    fitted, near = of_use[FITTED], of_use[NEAR]
    whole = [row for row in fitted if row["subset"] in ("", "ITT")]
    first = [row for row in fitted if row["file"] in FIRST_LINE and row["hr_published"] is not None]
    parts = {
        **{words: [row for row in fitted if row["split"] == split] for split, words in _FITTED_PARTS.items()},
        **{words: of_use[use] for use, words in _OTHERS.items()},
    }
    lines: Sequence[tuple[str, Sequence[Mapping[str, Any]], Judge]] = [
        (
            "Median PFS of the rows fitted, whole trials: simulated inside the published 95% CI",
            whole,
            median_in,
        ),
        ("The same rows: published inside the predicted 95% interval", whole, published_in),
        (
            "All rows fitted, subsets included: simulated inside the published 95% CI",
            fitted,
            median_in,
        ),
        (
            "Hazard ratios of the first-line trials of CDK4/6 inhibitors inside the published 95% CI",
            first,
            ratio_in,
        ),
        (
            "Median PFS of the rows near by, predicted and not fitted, inside the published 95% CI",
            near,
            median_in,
        ),
        ("The same rows: published inside the predicted 95% interval", near, published_in),
        ("The same rows: hazard ratio inside the published 95% CI", near, ratio_in),
        (
            "All of these rows: median inside, or the hazard ratio where the median has no published CI",
            near,
            _row_in,
        ),
        *(
            (f"{words}: {what}", of_part, judged)
            for words, of_part in parts.items()
            for what, judged in (
                ("median PFS inside the published 95% CI", median_in),
                ("published inside the predicted 95% interval", published_in),
                ("hazard ratio inside the published 95% CI", ratio_in),
            )
        ),
    ]
    others = _medians_of_others(prediction, [row for use in of_use.values() for row in use])
    return table(
        ("held against each other", "inside", "with other patients"),
        [
            (what, _share(of, judged), _range(of, judged, others) if judged in (median_in, _row_in) else "")
            for what, of, judged in lines
        ],
    )


def distances(held: pl.DataFrame) -> str:
    """Write how far rates and responses lie from what was published, by what rows were used for."""
    lines = []
    uses = {FITTED: "Fitted", NEAR: "Near by, predicted", **_OTHERS}
    parts = [
        *((words, held.filter(use=use)) for use, words in uses.items()),
        *((words, held.filter(use=FITTED, split=split)) for split, words in _FITTED_PARTS.items()),
    ]
    for words, of_part in parts:
        rows = list(of_part.iter_rows(named=True))
        rates = [simulated - published for row in rows for _, published, simulated in rates_of(row)]
        told = [(response_of(row), row["orr_pct_published"]) for row in rows]
        responses = [a - b for a, b in told if a is not None and b is not None]
        lines.append((words, _distance(rates), _distance(responses)))
    return table(("rows", "rates", "responses"), lines)


def _distance(differences: Sequence[float]) -> str:
    mean = np.abs(differences).mean() if differences else 0.0
    return f"{mean:.0f} (of {len(differences)})" if differences else "-"


def _range(rows: Sequence[Mapping[str, Any]], judged: Judge, others: Mapping[Label, Floats]) -> str:
    """How many rows are inside, in the middle 95% of the draws of `others`."""
    counts = np.zeros(_DRAWS)
    for row in rows:
        if judged(row) is not None:
            drawn = ({**row, "pfs_median_months": median} for median in others[_label(row)])
            counts += [bool(judged(other)) for other in drawn]
    low, high = interval(counts)
    return f"{low:.0f} to {high:.0f}"


def _medians_of_others(prediction: Prediction, rows: Sequence[Mapping[str, Any]]) -> Mapping[Label, Floats]:
    """Medians of rows had the simulated patients been others: these drawn with replacement, by trial."""
    found: dict[Label, Floats] = {}
    rng = np.random.default_rng(_SEED)
    for file in dict.fromkeys(row["file"] for row in rows):
        lived = prediction.observations.filter(pl.col("file") == file)
        patients = lived.select("member", "patient").unique(maintain_order=True).with_row_index("place")
        lived = lived.join(patients, on=["member", "patient"])
        arms = {}
        for row in (row for row in rows if row["file"] == file):
            arm = lived.filter(pl.col("arm") == arm_name(file, row))
            arms[_label(row)] = (
                arm["place"].to_numpy(),
                Observed(arm["months"].to_numpy(), arm["event"].to_numpy()),
            )
            found[_label(row)] = np.full(_DRAWS, np.nan)
        for draw in range(_DRAWS):
            times = rng.multinomial(patients.height, np.full(patients.height, 1 / patients.height))
            for label, (place, observed) in arms.items():
                who = np.repeat(np.arange(len(observed)), times[place])
                found[label][draw] = median(observed[who]) if who.size else np.nan
    return found


def _label(row: Mapping[str, Any]) -> Label:
    return tuple(row[key] for key in KEYS)


def _row_in(row: Mapping[str, Any]) -> bool | None:
    return ratio_in(row) if row["ci_lo"] is None else median_in(row)


def _share(rows: Iterable[Mapping[str, Any]], judged: Judge) -> str:
    told = [verdict for verdict in map(judged, rows) if verdict is not None]
    if not told:
        return "-"
    return f"{sum(told)} of {len(told)} ({100 * sum(told) / len(told):.0f}%)"
