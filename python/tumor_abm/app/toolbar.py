"""Play, pause, step, reset; how fast; and the patient's state in a line of words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import solara

from tumor_abm._base.sinks import html_text
from tumor_abm._base.units import DAYS_PER_MONTH
from tumor_abm.app.boundary import part
from tumor_abm.app.session import SPEEDS, Session

MOST_DAYS_PER_FRAME = 28

_STATUS = {"followed": "", "dead": "died", "censored": "follow-up has ended"}


@part("The toolbar")
def Toolbar(session: Session) -> None:
    """Everything that moves time."""
    ready = bool(session.pictures.value)
    over = ready and not any(picture.facts["running"] for picture in session.pictures.value)
    playing = session.playing.value
    with solara.Div(classes=["tumor-card", "tumor-bar"]):
        if playing:
            solara.Button("Pause", icon_name="mdi-pause", on_click=session.pause, color="primary", small=True)
        else:
            solara.Button(
                "Play",
                icon_name="mdi-play",
                on_click=session.play,
                color="primary",
                disabled=not ready or over,
                small=True,
            )
        solara.Button(
            "Step",
            icon_name="mdi-skip-next",
            on_click=session.step,
            disabled=not ready or over,
            outlined=True,
            small=True,
        )
        solara.Button(
            "Stop",
            icon_name="mdi-stop",
            on_click=session.stop,
            disabled=not (playing or session.busy.value),
            outlined=True,
            small=True,
        )
        solara.Button("Reset", icon_name="mdi-restart", on_click=session.reset, outlined=True, small=True)
        Slider(
            f"{session.days_per_frame.value} days a frame",
            session.days_per_frame.value,
            (1, MOST_DAYS_PER_FRAME),
            session.days_per_frame.set,
        )
        with solara.Div(style={"width": "92px"}):
            solara.Select("frames/s, at most", values=list(SPEEDS), value=session.speed, dense=True)
        with solara.Div(classes=["tumor-grow"]):
            _Facts(session)


@part("The slider")
def Slider(
    label: str, value: int, bounds: tuple[int, int], on_value: Callable[[int], None], width: str = "110px"
) -> None:
    """Show a slider with its label above it."""
    with solara.Div(classes=["tumor-slider"], style={"width": width}):
        solara.Text(label)
        solara.SliderInt("", value=value, min=bounds[0], max=bounds[1], on_value=on_value, thumb_label=False)


@part("The patient's state")
def _Facts(session: Session) -> None:
    pictures = session.pictures.value
    if pictures:
        solara.HTML(
            tag="div", unsafe_innerHTML=_words(pictures[0].facts, len(pictures)), classes=["tumor-facts"]
        )
    if session.busy.value:
        solara.v.ProgressLinear(indeterminate=True, height=2, color="primary")


def _words(facts: dict[str, Any], twins: int) -> str:
    months = facts["day"] / DAYS_PER_MONTH
    when = f"<b>Day {facts['day']:,.0f}</b> (month {months:.1f})"
    ended = _STATUS.get(facts["status"], facts["status"])
    if twins > 1:
        return when
    treated = f"line {facts['line']}: {facts['regimen']}" if facts["line"] else "no treatment"
    return f"{when} · {html_text(ended or treated)}<br>{burden_in_words(facts)}"


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


def _volume(cm3: float) -> str:
    return f"{cm3:.3g} cm³" if cm3 >= 0.001 else "below 0.001 cm³"


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
