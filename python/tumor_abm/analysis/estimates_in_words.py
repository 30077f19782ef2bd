"""Estimates in words: medians, ratios, differences and p-values, as people write them."""

from __future__ import annotations

from collections.abc import Callable

from tumor_abm._base.section import NOTHING

NOT_REACHED = "NR"


def months(value: float | None) -> str:
    """Months to a tenth, or that they were not reached."""
    return "not reached" if value is None else f"{value:.1f}"


def median_text(median: float | None, lo: float | None, hi: float | None) -> str:
    """Median months with their limits, e.g. ``24.8 (22.1–27.6)``."""
    if lo is None and hi is None:
        return months(median)
    limits = (NOT_REACHED if limit is None else f"{limit:.1f}" for limit in (lo, hi))
    return f"{months(median)} ({'–'.join(limits)})"


def hazard_ratio_text(hr: float | None, lo: float | None, hi: float | None) -> str:
    """Hazard ratio with its limits, e.g. ``0.58 (0.46–0.72)``."""
    if hr is None or lo is None or hi is None:
        return "not estimable"
    return f"{ratio_text(hr)} ({ratio_text(lo)}–{ratio_text(hi)})"


def p_text(p: float | None) -> str:
    """P-value to three decimals."""
    if p is None:
        return NOTHING
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def p_equation(p: float | None) -> str:
    """P-value as an equation, e.g. ``p = 0.012``; empty without one."""
    if p is None:
        return ""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def ratio_text(value: float) -> str:
    """Write a ratio to two decimals."""
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def whole_text(value: float | None) -> str:
    """Write a number without decimals."""
    return NOTHING if value is None else f"{value:.0f}"


def percent_text(percent: float | None, lo: float | None, hi: float | None) -> str:
    """Percent with half the width of its 95% interval, e.g. ``54±8``."""
    if percent is None or lo is None or hi is None:
        return whole_text(percent)
    return f"{percent:.0f}±{(hi - lo) / 2:.0f}"


def interval_text(lo: float | None, hi: float | None, worded: Callable[[float], str]) -> str:
    """Limits, e.g. ``0.46–0.72``."""
    return NOTHING if lo is None or hi is None else f"{worded(lo)}–{worded(hi)}"


def signed_text(value: float | None) -> str:
    """Difference to a tenth, with its sign."""
    return NOTHING if value is None else f"{value:+.1f}".replace("-", "−")
