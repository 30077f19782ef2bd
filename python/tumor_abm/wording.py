"""A comparison in words and numbers for people: the same tables for terminal and report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich import box
from rich.cells import cell_len
from rich.console import Group
from rich.table import Table
from rich.text import Text

from tumor_abm._sinks import rich_text
from tumor_abm.endpoints import Endpoint

if TYPE_CHECKING:
    from tumor_abm.comparison import Comparison

WIDE = 110
"""Columns of a terminal that shows a whole table."""

LEGEND = (
    "Medians in months, NR: not reached. 6 to 36 mo: % without the event. "
    "ORR, CBR: % of all who began the line. HR: Cox, against the control arm. p: log-rank."
)
NOT_REACHED = "NR"
NOTHING = "–"

Row = dict[str, Any]

_GAP = 2
_NAMES_AT_LEAST = 12
_NAMES_COMFORTABLE = 22


@dataclass(frozen=True, kw_only=True)
class Section:
    """A titled table of texts.

    Attributes
    ----------
    title, note
        What stands above it.
    header, rows
        Cells; the first column holds the names of the rows.
    spare
        Columns a narrow terminal does without.
    """

    title: str
    note: str
    header: list[str]
    rows: list[list[str]]
    spare: frozenset[str] = frozenset()

    def as_text(self, columns: int = WIDE) -> Group:
        """Render for a terminal of so many columns."""
        header, *rows = self._fitted(columns)
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, _GAP - 1, 0, 0))
        table.add_column(header[0], width=max(_NAMES_AT_LEAST, _room_for_names([header, *rows], columns)))
        for name in header[1:]:
            table.add_column(name, justify="right", no_wrap=True)
        for row in rows:
            table.add_row(*map(rich_text, row))
        return Group(rich_text(self.title, "bold"), rich_text(self.note, "dim"), Text(), table, Text())

    def _fitted(self, columns: int) -> list[list[str]]:
        """Cells that leave room for the names: limits go to a line of their own, then columns go."""
        whole = [self.header, *self.rows]
        kept = [column for column, name in enumerate(self.header) if name not in self.spare]
        broken = [[row[0], *(cell.replace(" (", "\n(") for cell in row[1:])] for row in whole]
        narrow = [[row[column] for column in kept] for row in broken]
        wanted = min(_NAMES_COMFORTABLE, _width(row[0] for row in whole))
        for table in (whole, broken):
            if _room_for_names(table, columns) >= wanted:
                return table
        return narrow


def sections(comparison: Comparison) -> list[Section]:
    """Word `comparison`: a section per endpoint, then who gains."""
    worded = [endpoint_section(comparison, endpoint) for endpoint in comparison.endpoints]
    return [*worded, gains_section(comparison)] if comparison.gains.height else worded


def _room_for_names(table: list[list[str]], columns: int) -> int:
    names, *others = (_width(column) for column in zip(*table, strict=True))
    return min(names, columns - sum(_GAP + width for width in others))


def _width(cells: Iterable[str]) -> int:
    return max(cell_len(line) for cell in cells for line in cell.split("\n"))


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
    return f"{_ratio(hr)} ({_ratio(lo)}–{_ratio(hi)})"


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


def _ratio(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def _whole(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.0f}"


def summary_section(comparison: Comparison) -> Section:
    """Word medians and hazard ratios of the endpoints that are counted from the first day."""
    endpoints = [each.name for each in comparison.endpoints if each.line in (None, 1)]
    rows = {(row["arm"], row["endpoint"]): row for row in comparison.table.iter_rows(named=True)}
    arms = comparison.table["arm"].unique(maintain_order=True).to_list()
    compared = len(arms) > 1
    ratio = " and, below, hazard ratio against the control arm (95% CI)" if compared else ""
    return Section(
        title="In short",
        note=f"Median months (95% CI){ratio}.",
        header=["Arm", *endpoints],
        rows=[
            [
                arm,
                *("\n".join(_in_short(rows[arm, name], comparison.control, compared)) for name in endpoints),
            ]
            for arm in arms
        ],
    )


def _in_short(row: Row, control: str, compared: bool) -> Iterator[str]:
    yield median_text(row["median_months"], row["lo"], row["hi"]) if row["n"] else NOTHING
    if compared:
        yield next(_against_control(row, control))


def endpoint_section(comparison: Comparison, endpoint: Endpoint) -> Section:
    """Word the arms' survival and response for one endpoint."""
    rows = comparison.table.filter(endpoint=endpoint.name)
    landmarks = [name for name in rows.columns if name.startswith("rate_")]
    responses = ["orr_pct", "cbr_pct"] if endpoint.line is not None else []
    compared = rows.height > 1
    return Section(
        title=endpoint.title if endpoint.name in endpoint.title else f"{endpoint.title} ({endpoint.name})",
        note=_endpoint_note(endpoint),
        header=[
            "Arm",
            "events/n",
            "median (95% CI)",
            *(landmark.removeprefix("rate_") + " mo" for landmark in landmarks),
            *(name.removesuffix("_pct").upper() for name in responses),
            *(("HR (95% CI)", "p") if compared else ()),
        ],
        rows=[
            [
                row["arm"],
                f"{row['events']}/{row['n']}",
                median_text(row["median_months"], row["lo"], row["hi"]) if row["n"] else NOTHING,
                *(_whole(row[name]) for name in [*landmarks, *responses]),
                *(_against_control(row, comparison.control) if compared else ()),
            ]
            for row in rows.iter_rows(named=True)
        ],
        spare=frozenset({"6 mo", "18 mo", "36 mo"}),
    )


def _endpoint_note(endpoint: Endpoint) -> str:
    note = endpoint.definition[0].upper() + endpoint.definition[1:]
    if endpoint.line is not None and endpoint.line > 1:
        note += ", of those who reached this line: not a randomised comparison"
    return note + "."


def _against_control(row: Row, control: str) -> Iterator[str]:
    if row["arm"] == control:
        yield from ("1 (control)", "")
    elif row["n"] == 0:
        yield from (NOTHING, NOTHING)
    else:
        yield from (hazard_ratio_text(row["hr"], row["hr_lo"], row["hr_hi"]), p_text(row["p"]))


def gains_section(comparison: Comparison) -> Section:
    """Word how the virtual twins fare."""
    return Section(
        title=f"Who gains against {comparison.control}",
        note="Each patient against the same one in the control arm, while both are followed; mean in months.",
        header=[
            "Arm",
            "endpoint",
            "pairs",
            "gain ≥ 1 mo",
            "within 1 mo",
            "lose ≥ 1 mo",
            "mean",
        ],
        rows=[
            [
                row["arm"],
                row["endpoint"],
                str(row["n"]),
                *(
                    NOTHING if row[name] is None else f"{row[name]:.0f}%"
                    for name in ("gain_pct", "same_pct", "lose_pct")
                ),
                _signed(row["mean_difference_months"]),
            ]
            for row in comparison.gains.iter_rows(named=True)
        ],
        spare=frozenset({"pairs"}),
    )


def _signed(value: float | None) -> str:
    return NOTHING if value is None else f"{value:+.1f}".replace("-", "−")
