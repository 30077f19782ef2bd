"""One tumour, many futures: how long its first line lasts, and what resists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import solara

from tumor_abm._base.genotype import Genotype
from tumor_abm._base.sinks import html_text
from tumor_abm.app.boundary import part
from tumor_abm.app.only import use_only
from tumor_abm.app.picture import Picture
from tumor_abm.app.repeats import MOST_S, NUMBERS, Repeated
from tumor_abm.app.session import Session
from tumor_abm.model.futures import Future
from tumor_abm.plots.genotypes import short

_WIDTH, _HEIGHT, _BELOW, _ABOVE = 250, 110, 18, 14
_BINS = 12
_SHOWN = 6
_NONE = "no progression"


@part("The panel of repeats")
def Repeat(session: Session) -> None:
    """Repeat the first line with other chances; show a histogram of PFS and what resisted."""
    number, set_number = solara.use_state(NUMBERS[1])
    shown = session.repeats.shown.value
    ready, begun, lived = use_only(
        session.pictures, lambda pictures: (bool(pictures), session.begun, _lived(pictures))
    )
    if shown is not None and ready and shown.choices != begun:
        shown = None
    running = shown is not None and shown.running
    solara.Text(
        "The first line of this tumour again and again, from enrolment: the same clones, other chances. "
        "What is done by hand later is left out.",
        classes=["tumor-note"],
    )
    solara.Select("How often", values=list(NUMBERS), value=number, on_value=set_number, dense=True)
    if running:
        solara.Button(
            "Cancel", icon_name="mdi-stop", small=True, outlined=True, on_click=session.repeats.stop
        )
    else:
        solara.Button(
            f"Repeat {number} times",
            icon_name="mdi-repeat",
            color="primary",
            small=True,
            disabled=not ready,
            on_click=lambda: session.repeat(number),
        )
    if shown is None:
        solara.Text(f"At most {MOST_S:g} seconds of computing.", classes=["tumor-note"])
        return
    solara.v.Html(
        tag="div",
        class_="tumor-note",
        attributes={"role": "status"},
        children=[_progress(shown)],
    )
    if shown.problem:
        solara.Warning(shown.problem, dense=True)
    if shown.futures:
        solara.HTML(tag="div", unsafe_innerHTML=histogram_svg(shown.futures, lived) + resisted_html(shown))


def _lived(pictures: Sequence[Picture]) -> float | None:
    """Return PFS of the first line in the life that is shown, in months; ``None`` while it goes on."""
    rows = pictures[0].facts["outcomes"] if pictures else []
    return next((float(row["pfs_months"]) for row in rows if row["line"] == 1), None)


def _progress(shown: Repeated) -> str:
    done = f"{len(shown.futures)} of {shown.asked} lived"
    if shown.running or not shown.futures:
        return done
    months = [future.months for future in shown.futures]
    low, median, high = np.percentile(months, [5, 50, 95])
    return f"{done}: PFS {median:.1f} months in the middle one, 90% from {low:.1f} to {high:.1f}"


def histogram_svg(futures: Sequence[Future], lived: float | None) -> str:
    """Draw the histogram of PFS as SVG.

    Parameters
    ----------
    futures
        What was lived; lines without progression or death are pale.
    lived
        PFS in the life that the page shows, where it is known.
    """
    months = np.array([future.months for future in futures])
    ended = np.array([future.event for future in futures])
    low, high = float(np.floor(months.min())), float(np.ceil(max(months.max(), months.min() + 1)))
    edges = np.linspace(low, high, _BINS + 1)
    counts, events = np.histogram(months, edges)[0], np.histogram(months[ended], edges)[0]
    room = _HEIGHT - _BELOW - _ABOVE
    wide = _WIDTH / _BINS
    marks = []
    for place, (count, event) in enumerate(zip(counts.tolist(), events.tolist(), strict=True)):
        said = f"<title>{edges[place]:.1f} to {edges[place + 1]:.1f} months: {count}</title>"
        for value, colour in ((count, "#B9CAD8"), (event, "#1D5C8C")):
            tall = room * value / max(counts.max(), 1)
            marks.append(
                f'<rect x="{place * wide + 1:.1f}" y="{_HEIGHT - _BELOW - tall:.1f}" width="{wide - 2:.1f}" '
                f'height="{tall:.1f}" fill="{colour}">{said}</rect>'
            )
    for at, anchor in ((low, "start"), ((low + high) / 2, "middle"), (high, "end")):
        x = _WIDTH * (at - low) / (high - low)
        marks.append(f'<text x="{x:.1f}" y="{_HEIGHT - 5}" text-anchor="{anchor}">{at:g}</text>')
    if lived is not None and low <= lived <= high:
        x = _WIDTH * (lived - low) / (high - low)
        marks.append(f'<path d="M{x:.1f} {_ABOVE}V{_HEIGHT - _BELOW}" stroke="#B00020" stroke-width="1.5"/>')
        anchor = "start" if x < _WIDTH / 2 else "end"
        marks.append(
            f'<text x="{x:.1f}" y="10" fill="#B00020" text-anchor="{anchor}">shown: {lived:.1f}</text>'
        )
    label = f"PFS of line 1 in months, {len(futures)} futures, at most {counts.max()} in a bar"
    return (
        f'<div class="tumor-note">{label}</div><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="100%" role="img" '
        f'aria-label="{label}" font-size="10">{"".join(marks)}</svg>'
    )


def resisted_html(shown: Repeated) -> str:
    """Return a table of the largest genotypes at progression."""
    counted: Counter[Genotype | None] = Counter(future.largest for future in shown.futures)
    rows = "".join(
        f"<tr><td>{html_text(_NONE if carried is None else short(carried, shown.founder))}</td>"
        f'<td class="number">{count}</td></tr>'
        for carried, count in counted.most_common(_SHOWN)
    )
    rest = sum(count for _, count in counted.most_common()[_SHOWN:])
    if rest:
        rows += f'<tr><td>others</td><td class="number">{rest}</td></tr>'
    head = '<tr><th scope="col">largest at progression</th><th scope="col">futures</th></tr>'
    return f'<table class="tumor-legend"><thead>{head}</thead><tbody>{rows}</tbody></table>'
