"""Quality-adjusted time and cost as a table for terminal and report."""

from __future__ import annotations

from typing import Any

from tumor_abm._base.section import NOTHING, Section
from tumor_abm.analysis.compared import Compared
from tumor_abm.analysis.survival import NORMAL_95


def worth_section(comparison: Compared) -> Section:
    """Word what every arm gains and costs, and what a quality-adjusted year costs in it."""
    told = comparison.worth
    currency = str(comparison.experiment.get("price", {}).get("currency", "")).strip()
    until = f"{told['until_months'][0]:.0f}" if told.height else ""
    unit = f" ({currency})" if currency else ""
    return Section(
        title="Quality-adjusted time and cost",
        note=f"Means per patient up to month {until}, ± half their 95% interval, discounted as the "
        "experiment says; years are not. Against the control arm: 95% interval, paired by patient. Utilities "
        "and prices are the experiment's.",
        header=["Arm", "years", "QALYs", f"cost{unit}", "QALYs gained", f"cost more{unit}", "per QALY"],
        rows=[
            [
                row["arm"],
                _mean(row, "years", ".2f"),
                _mean(row, "qalys", ".2f"),
                _mean(row, "cost", ",.0f"),
                _gained(row, "qalys", "+.2f"),
                _gained(row, "cost", "+,.0f"),
                _per_qaly(row),
            ]
            for row in told.iter_rows(named=True)
        ],
    )


def _mean(row: dict[str, Any], name: str, form: str) -> str:
    value, error = row[name], row[f"{name}_se"]
    if value is None:
        return NOTHING
    return f"{value:{form}}" if error is None else f"{value:{form}} ±{NORMAL_95 * error:{form}}"


def _gained(row: dict[str, Any], name: str, form: str) -> str:
    value, lo, hi = (row[f"{name}_gained{of}"] for of in ("", "_lo", "_hi"))
    if value is None:
        return NOTHING
    whole = f"{value:{form}}" if lo is None else f"{value:{form}} ({lo:{form}} to {hi:{form}})"
    return whole.replace("-", "−")


def _per_qaly(row: dict[str, Any]) -> str:
    verdict, ratio = row["verdict"], row["cost_per_qaly"]
    if verdict is None:
        return NOTHING
    return str(verdict) if ratio is None else f"{ratio:,.0f} ({verdict})"
