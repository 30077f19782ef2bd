"""Write `docs/evidence.md`: what trials published against what is simulated, and what is predicted of others.

``python -m tools.evidence KEPT PAGE`` reads what ``tumor-abm predict --keep KEPT`` kept.
Outcomes are read from the table of trials that may be known; those to predict appear with predictions alone.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
import polars as pl
from tumor_abm._base.files import write_whole
from tumor_abm._base.sinks import markdown_text
from tumor_abm.calibration.parameters import Parameters, Plan
from tumor_abm.calibration.plan_file import PlanFile
from tumor_abm.knowledge import Knowledge, evidence
from tumor_abm.knowledge.ensemble import Ensemble
from tumor_abm.plots.evidence import Panel, plot_against_published
from tumor_abm.plots.style import png
from tumor_abm.trials import Prediction
from tumor_abm.trials.prediction import LANDMARKS
from tumor_abm.trials.sampling import Floats, Observed, interval, median

from tools.markdown import limits, table

FIRST_LINE = ("paloma_1", "paloma_2", "paloma_4", "monaleesa_2", "monarch_3", "dawna_2")
FIGURES: Mapping[str, tuple[str, Sequence[str]]] = {
    "evidence_first_line": (
        "First line: an aromatase inhibitor with and without a CDK4/6 inhibitor",
        ("paloma_2", "monaleesa_2", "monarch_3", "dawna_2", "monaleesa_7", "falcon"),
    ),
    "evidence_later_lines": (
        "After endocrine therapy",
        ("monaleesa_3", "paloma_3", "monarch_2", "dawna_1", "bolero_2", "ace"),
    ),
    "evidence_other_classes": (
        "Other classes, and chemotherapy",
        (
            *("faktion", "solar_1", "destiny_breast06"),
            *("destiny_breast04_hr", "tropion_breast01", "tropics_02"),
        ),
    ),
}
_CONTROLS = (
    *(("paloma_1", "L"), ("paloma_2", "L"), ("monaleesa_2", "L"), ("monarch_3", "NSAI")),
    *(("dawna_2", "AI"), ("falcon", "anastrozole")),
)
"""First line after menopause with an aromatase inhibitor alone; trials with the same arm count once."""
_INHIBITORS = (
    *(("paloma_1", "P+L"), ("paloma_2", "P+L"), ("monaleesa_2", "R+L"), ("monarch_3", "A+NSAI")),
    ("dawna_2", "D+AI"),
)
MOMENTS = (
    (_CONTROLS, "baseline", "at diagnosis", "prev_mets_dx_pct"),
    (_CONTROLS, "progression", "after an aromatase inhibitor", "prev_after_ET_pct"),
    (_INHIBITORS, "progression", "after it with a CDK4/6 inhibitor", "prev_after_CDK46i_ET_pct"),
    ((("paloma_3", "F"),), "progression", "after fulvestrant, pretreated", ""),
    ((("paloma_3", "P+F"),), "progression", "after it with palbociclib, pretreated", ""),
)
_GENES = {
    "ESR1": "ESR1 LBD mutation (Y537S/N, D538G, E380Q, L536)",
    "RB1": "RB1 loss",
    "CCNE1": "CCNE1 amplification / high cyclin E1",
    "PIK3CA": "PIK3CA mutation",
    "CDK6-high": "CDK6 amplification / overexpression",
    "EMT": "EMT / TGF-beta / SMAD3",
}
_KEYS = ("trial", "arm", "subset", "prior_cdk46i")
_MONTH_DIGITS = 1
_DOTS_PER_INCH = 200
_DRAWS = 500
_SEED = 1

Judge = Callable[[Mapping[str, Any]], bool | None]
Label = tuple[str, ...]


def write_evidence(prediction: Prediction, page: Path, ensemble: Ensemble) -> list[Path]:
    """Write the page and its figures; return all files."""
    images = page.parent / "images"
    images.mkdir(parents=True, exist_ok=True)
    held = prediction.table.join(
        evidence.trials(), on=_KEYS, how="inner", suffix="_published", maintain_order="left"
    )
    drawn: list[Path] = []
    pictures: dict[str, str] = {}
    for stem, (title, files) in FIGURES.items():
        panels = [panel for file in files if (panel := _panel(prediction, held, file)) is not None]
        if panels:
            picture = png(plot_against_published(panels, title), _DOTS_PER_INCH)
            drawn.append(images / f"{stem}.png")
            write_whole(drawn[-1], partial(Path.write_bytes, data=picture))
            pictures[stem] = f"![{title}](images/{stem}.png)"
    fitted = held.filter(pl.col("split").str.starts_with("calib"))
    near = held.filter(pl.col("split").str.starts_with("validate-near"))
    context = held.filter(pl.col("split") == "context")
    unseen = prediction.table.join(evidence.trials_to_predict(), on=_KEYS, how="semi", maintain_order="left")
    filled = {
        "made": _made(prediction, ensemble),
        "summary": _summary(held, prediction),
        "fitted": _against_published(fitted),
        "near": _against_published(near),
        "context": _against_published(context),
        "landmarks": _landmarks(held),
        "figures": "\n\n".join(pictures.values()),
        "prevalence": _prevalence(prediction.prevalence),
        "parameters": _parameters(ensemble),
        "misses": _misses(fitted),
        "predicted": _predicted(unseen),
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
        (pl.col("file") == file) & pl.col("subset").is_in(["", "ITT", "PIK3CAm", "HER2-low", "HR+"])
    )
    rows = rows.unique("arm", keep="first", maintain_order=True)
    if rows.height == 0:
        return None
    observations = prediction.observations.filter(pl.col("file") == file)
    arms = {}
    for row in rows.iter_rows(named=True):
        name = _arm_name(file, row)
        arms[row["arm"]] = (observations.filter(pl.col("arm") == name), row)
    return Panel(title=rows["trial"][0], arms=arms)


def _arm_name(file: str, row: Mapping[str, Any]) -> str:
    from tumor_abm import trials

    for found in trials.rows(trials.load(file)):
        if all(getattr(found, key) == row[key] for key in _KEYS):
            return found.name
    raise AssertionError(f"{file} has lost an arm")


def _inside(
    value: float | None, low: float | None, high: float | None, *, digits: int | None = None
) -> bool | None:
    """Whether a value lies in an interval of which the upper end may not be reached.

    `digits` are the decimals of what is published: what agrees to these is inside.
    """
    if value is None or low is None:
        return None
    high = np.inf if high is None else high
    if digits is not None:
        value, low, high = round(value, digits), round(low, digits), round(high, digits)
    return low <= value <= high


def _summary(held: pl.DataFrame, prediction: Prediction) -> str:
    rows = list(held.iter_rows(named=True))
    fitted = [row for row in rows if row["split"].startswith("calib") and not row["split"].endswith("subset")]
    whole = [row for row in fitted if row["subset"] in ("", "ITT")]
    near = [row for row in rows if row["split"] == "validate-near"]
    first = [row for row in fitted if row["file"] in FIRST_LINE and row["hr_published"] is not None]
    lines: Sequence[tuple[str, Sequence[Mapping[str, Any]], Judge]] = [
        (
            "Median PFS of the rows fitted, whole trials: simulated inside the published 95% CI",
            whole,
            _median_in,
        ),
        ("The same rows: published inside the predicted 95% interval", whole, _published_in),
        (
            "All rows fitted, subsets included: simulated inside the published 95% CI",
            fitted,
            _median_in,
        ),
        (
            "Hazard ratios of the first-line trials of CDK4/6 inhibitors inside the published 95% CI",
            first,
            _ratio_in,
        ),
        (
            "Median PFS of the rows near by, predicted and not fitted, inside the published 95% CI",
            near,
            _median_in,
        ),
        ("The same rows: published inside the predicted 95% interval", near, _published_in),
        ("The same rows: hazard ratio inside the published 95% CI", near, _ratio_in),
        (
            "All of these rows: median inside, or the hazard ratio where the median has no published CI",
            near,
            _row_in,
        ),
    ]
    others = _medians_of_others(prediction, [*fitted, *near])
    return table(
        ("held against each other", "inside", "with other patients"),
        [
            (what, _share(of, judged), _range(of, judged, others) if judged in (_median_in, _row_in) else "")
            for what, of, judged in lines
        ],
    )


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
            arm = lived.filter(pl.col("arm") == _arm_name(file, row))
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
    return tuple(row[key] for key in _KEYS)


def _median_in(row: Mapping[str, Any]) -> bool | None:
    low = row["ci_lo"]
    if row["mpfs_mo"] is None or low is None:
        return None
    return _inside(row["pfs_median_months"] or np.inf, low, row["ci_hi"], digits=_MONTH_DIGITS)


def _published_in(row: Mapping[str, Any]) -> bool | None:
    return _inside(row["mpfs_mo"], row["pfs_lo"], row["pfs_hi"], digits=_MONTH_DIGITS)


def _ratio_in(row: Mapping[str, Any]) -> bool | None:
    return _inside(row["hr"], row["hr_lo_published"], row["hr_hi_published"])


def _row_in(row: Mapping[str, Any]) -> bool | None:
    return _ratio_in(row) if row["ci_lo"] is None else _median_in(row)


def _share(rows: Iterable[Mapping[str, Any]], judged: Judge) -> str:
    told = [verdict for verdict in map(judged, rows) if verdict is not None]
    if not told:
        return "-"
    return f"{sum(told)} of {len(told)} ({100 * sum(told) / len(told):.0f}%)"


def _named(row: Mapping[str, Any]) -> list[str]:
    """Return trial, arm and subset as cells."""
    return [markdown_text(row[key]) for key in ("trial", "arm", "subset")]


def _against_published(held: pl.DataFrame) -> str:
    header = (
        *("trial", "arm", "subset", "median PFS: published", "simulated", "inside"),
        *("HR: published", "simulated", "inside", "ORR: published", "simulated"),
    )
    rows = []
    for row in held.iter_rows(named=True):
        rows.append(
            (
                *_named(row),
                limits(row["mpfs_mo"], row["ci_lo"], row["ci_hi"], 1),
                limits(row["pfs_median_months"], row["pfs_lo"], row["pfs_hi"], 1),
                _verdict(_median_in(row), _published_in(row)),
                limits(row["hr_published"], row["hr_lo_published"], row["hr_hi_published"], 2),
                limits(row["hr"], row["hr_lo"], row["hr_hi"], 2),
                _verdict(_ratio_in(row), _inside(row["hr_published"], row["hr_lo"], row["hr_hi"])),
                _response(row["orr_pct_published"], row["orr_base"]),
                _simulated_response(row),
            )
        )
    return table(header, rows)


def _response(value: float | None, base: str) -> str:
    return "" if value is None else f"{value:.0f}% ({base})" if base else f"{value:.0f}%"


def _simulated_response(row: Mapping[str, Any]) -> str:
    if row["orr_pct_published"] is None or row["orr_pct"] is None:
        return ""
    of_measurable = row["orr_base"].startswith("measurable")
    value = row["orr_measurable_pct"] if of_measurable else row["orr_pct"]
    return "" if value is None else f"{value:.0f}%"


def _verdict(simulated: bool | None, published: bool | None) -> str:
    if simulated is None and published is None:
        return ""
    words = {(True, True): "both", (True, False): "simulated", (False, True): "published"}
    return words.get((bool(simulated), bool(published)), "**neither**")


def _landmarks(held: pl.DataFrame) -> str:
    rows = []
    for row in held.iter_rows(named=True):
        for month in LANDMARKS:
            published = row[f"pfs{month}_published"]
            simulated = row[f"pfs{month}"]
            if published is not None and simulated is not None:
                difference = f"{simulated - published:+.0f}"
                rows.append(
                    (
                        *_named(row)[:2],
                        str(month),
                        f"{published:.0f}%",
                        f"{simulated:.0f}%",
                        difference,
                    )
                )
    return table(("trial", "arm", "month", "published", "simulated", "difference, points"), rows)


def _prevalence(found: pl.DataFrame) -> str:
    known = {row["alteration"]: row for row in evidence.alterations().iter_rows(named=True)}
    rows = []
    for gene, alteration in _GENES.items():
        for arms, moment, words, column in MOMENTS:
            of_trials = [_carrying(found, *arm, moment, gene) for arm in arms]
            counted = [one for one in of_trials if one[-1]]
            if not counted:
                continue
            some, most, patients = (sum(column) for column in zip(*counted, strict=True))
            shares = [100 * one[0] / one[-1] for one in counted]
            least, largest = (f"{share:.0f}" for share in (min(shares), max(shares)))
            between = f" ({least} to {largest})" if least != largest else ""
            shown = (f"{100 * some / patients:.0f}%{between}", f"{100 * most / patients:.0f}%")
            published = known[alteration][column] if column else ""
            rows.append((gene, words, *shown, str(patients), published))
    header = (
        "gene or state",
        "when",
        "in 1% of cells or more (trials)",
        "in half or more",
        "patients",
        "published, %",
    )
    return table(header, rows)


def _carrying(found: pl.DataFrame, file: str, arm: str, moment: str, gene: str) -> tuple[int, int, int]:
    """Patients of an arm with the gene altered in 1% of their cells, in half of them, and all."""
    here = found.filter((pl.col("file") == file) & (pl.col("arm") == arm) & (pl.col("moment") == moment))
    some, most = here.filter(pl.col("gene") == gene).select("found", "most").sum().row(0)
    patients = here["patients"].max()
    return int(some or 0), int(most or 0), patients if isinstance(patients, int) else 0


def _parameters(ensemble: Ensemble) -> str:
    if len(ensemble.members) == 1 and not ensemble.members[0].overrides:
        return (
            "No ensemble comes with this version: predictions use the defaults, whose plausible ranges and "
            "sources are listed in [configuration.md](configuration.md).\n"
        )
    knowledge = Knowledge.shipped()
    known = {".".join(map(str, path)): number for path, number in knowledge.numbers().items()}
    free = {
        number: (parameter, ratio)
        for plan in get_args(Plan)
        for parameter in Parameters.of(PlanFile.shipped(plan).parameter, knowledge)
        for number, ratio in zip(parameter.numbers, parameter.ratios, strict=True)
    }
    weights = np.array([member.weight for member in ensemble.members])
    rows = []
    for name in ensemble.members[0].overrides:
        values = np.array([member.overrides[name] for member in ensemble.members])
        order = np.argsort(values)
        share = np.cumsum(weights[order]) / weights.sum()
        low, middle, high = (values[order][np.searchsorted(share, q)] for q in (0.05, 0.5, 0.95))
        number = known[name]
        prior = "" if number.low is None or number.high is None else f"{number.low:g} to {number.high:g}"
        edge = name in free and free[name][0].at_edge(middle / free[name][1])
        rows.append(
            (
                f"`{name}`",
                number.unit,
                prior,
                f"{middle:.3g} ({low:.3g} to {high:.3g})",
                "at the edge" if edge else "",
                ", ".join(number.source),
            )
        )
    return table(("parameter", "unit", "plausible", "ensemble: median (90%)", "", "source"), rows)


def _misses(fitted: pl.DataFrame) -> str:
    rows = []
    for row in fitted.iter_rows(named=True):
        if _median_in(row) is False and _published_in(row) is False:
            simulated = row["pfs_median_months"]
            shown = "not reached" if simulated is None else f"{simulated:.1f}"
            ratio = "" if simulated is None else f"{simulated / row['mpfs_mo']:.2f}"
            rows.append((*_named(row), f"{row['mpfs_mo']:.1f}", shown, ratio))
    if not rows:
        return "None of the fitted medians is missed both ways.\n"
    return table(("trial", "arm", "subset", "published", "simulated", "ratio"), rows)


def _predicted(unseen: pl.DataFrame) -> str:
    header = (
        "trial",
        "arm",
        "subset",
        "n",
        "median PFS (95%)",
        "HR (95%)",
        "6, 12, 24 months",
        "ORR",
        "OS",
        "behind it",
    )
    rows = []
    for row in unseen.iter_rows(named=True):
        rates = [row[f"pfs{month}"] for month in (6, 12, 24)]
        rows.append(
            (
                *_named(row),
                "" if row["n"] is None else str(row["n"]),
                limits(row["pfs_median_months"], row["pfs_lo"], row["pfs_hi"], 1),
                limits(row["hr"], row["hr_lo"], row["hr_hi"], 2),
                ", ".join("-" if rate is None else f"{rate:.0f}%" for rate in rates),
                "" if row["orr_pct"] is None else f"{row['orr_pct']:.0f}%",
                "" if row["os_median_months"] is None else f"{row['os_median_months']:.0f}",
                str(row["simulated"]),
            )
        )
    return table(header, rows)


def main(arguments: Sequence[str]) -> None:
    """Write the page; `arguments` are the directory of predictions and the page."""
    kept, page = arguments
    for file in write_evidence(Prediction.load(kept), Path(page), Ensemble.shipped()):
        print(file)


if __name__ == "__main__":
    main(sys.argv[1:])
