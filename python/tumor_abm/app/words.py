"""Numbers and states in the page's words."""

from __future__ import annotations

from typing import Any

from tumor_abm._base.units import DAYS_PER_MONTH

ENDED = {"dead": "died", "censored": "follow-up has ended"}
"""What has become of a patient who is no longer followed."""

_HELD = "held"


def three_figures(value: float) -> str:
    """Write a number to three figures, without powers of ten.

    Examples
    --------
    >>> three_figures(5_003.0), three_figures(0.01234), three_figures(71.44)
    ('5,000', '0.0123', '71.4')
    """
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:.12f}".rstrip("0").rstrip(".")


def scientific(count: float) -> str:
    """Write a count of cells: whole below 10,000, else as a power of ten.

    Examples
    --------
    >>> scientific(950), scientific(3.2e10)
    ('950', '3.2×10¹⁰')
    """
    if count < 10_000:
        return f"{count:,.0f}"
    mantissa, exponent = f"{count:.1e}".split("e")
    raised = str(int(exponent)).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa}×10{raised}"


def when_in_words(day: float) -> str:
    """Say a day, and the month it lies in.

    Examples
    --------
    >>> when_in_words(336)
    'Day 336 (month 11.0)'
    """
    return f"Day {day:,.0f} (month {day / DAYS_PER_MONTH:.1f})".replace("-", "−")


def treatment_in_words(facts: dict[str, Any]) -> str:
    """Say what the patient is given, or why nothing.

    Examples
    --------
    >>> drugs = [{"drug": "capecitabine", "state": "held", "held_for": "by hand"}]
    >>> treatment_in_words({"status": "followed", "line": 2, "regimen": "capecitabine", "drugs": drugs})
    'line 2: capecitabine, all held'
    """
    if facts["status"] in ENDED:
        return ENDED[facts["status"]]
    if not facts["line"]:
        return "before treatment" if facts["day"] < 0 else "no treatment"
    said = f"line {facts['line']}: {facts['regimen']}"
    given = [row for row in facts["drugs"] if row["state"] != "stopped"]
    held = [row["drug"] for row in given if row["state"] == _HELD]
    if not held:
        return said
    return f"{said}, all held" if len(held) == len(given) else f"{said}, {' and '.join(held)} held"


def burden_in_words(facts: dict[str, Any]) -> str:
    """Say how much tumour there is."""
    if facts["cured_day"] is not None:
        return cure_in_words(facts)
    cells = f"{scientific(facts['cells'])} cells, {_volume(facts['volume_cm3'])}"
    scan = facts["scan"]
    if not scan or scan.get("sld_mm") is None:
        return cells
    change = scan.get("sld_change")
    changed = "" if change is None or change != change else f" ({change:+.0%})".replace("-", "−")
    return f"{cells} · last scan {scan['sld_mm']:.0f} mm{changed}, {scan['response']}"


def cure_in_words(facts: dict[str, Any]) -> str:
    """Say since when no cell is left."""
    return f"no cell left since day {facts['cured_day']:,.0f}: cured"


def places_in_words(facts: dict[str, Any]) -> str:
    """Say what a picture of a lattice shows, and what of the tumour has no place on it."""
    scale, held = facts["scale"], facts["individuals"]
    if held is None:
        return "The last picture that was made by this day."
    one = f"One stands for {scientific(scale)} cells."
    if held == 0:
        return (
            f"No cell has a place: the {scientific(facts['cells'])} living ones would be few individuals, "
            f"and are counted one by one. Each dot stands for the same number of them. {one}"
        )
    counted = max(facts["cells"] - held, 0)
    rest = (
        f" Another {scientific(counted)} living cells are counted only, and have no place." if counted else ""
    )
    return f"Each individual has its place. {one}{rest}"


def _volume(cm3: float) -> str:
    return f"{three_figures(cm3)} cm³" if cm3 >= 0.001 else "below 0.001 cm³"
