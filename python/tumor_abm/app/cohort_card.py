"""The run that was opened: its patients, and where the one that is shown lies among them."""

from __future__ import annotations

import solara

from tumor_abm._base.sinks import html_text
from tumor_abm.analysis.survival import KaplanMeier
from tumor_abm.app.boundary import part
from tumor_abm.app.cohort import FinishedRun, Place
from tumor_abm.app.cohort_table import CohortTable
from tumor_abm.app.only import use_only
from tumor_abm.app.session import Session
from tumor_abm.plots.thinning import evenly

_WIDTH, _HEIGHT, _LEFT, _BELOW = 330, 150, 34, 20
_MOST_STEPS = 300
_BLUE, _RED = "#1D5C8C", "#B00020"


@part("The patients of the run")
def CohortCard(session: Session, cohort: FinishedRun) -> None:
    """List the patients of an arm; show the curve of the arm, and on it the patient of the page."""
    begun = use_only(session.pictures, lambda pictures: session.begun if pictures else None)
    open_arm = begun.strategy if begun is not None and session.is_of_cohort(begun) else None
    arm, set_arm = solara.use_state(open_arm or cohort.results.arms[0])
    patient = begun.patient if begun is not None and open_arm == arm else None
    rows = solara.use_memo(lambda: cohort.lives(arm, patient), [arm, patient])
    drawn = solara.use_memo(lambda: _curve_and_words(cohort, arm, patient), [arm, patient])
    title = f"{len(cohort.patients):,} patients of the run {cohort.name}"
    with solara.Div(classes=["tumor-card"]):
        solara.HTML(tag="div", unsafe_innerHTML=f"<h2>{html_text(title)}</h2>", classes=["tumor-facts"])
        with solara.Div(classes=["tumor-row"]):
            with solara.Div(classes=["tumor-charts"]):
                solara.Select("Arm", values=cohort.results.arms, value=arm, on_value=set_arm, dense=True)
                CohortTable(
                    arm=arm,
                    rows=rows,
                    chosen=patient,
                    event_open=lambda number: session.open_patient(int(number), arm),
                )
            solara.HTML(tag="div", unsafe_innerHTML=drawn, classes=["tumor-look", "tumor-facts"])


def _curve_and_words(cohort: FinishedRun, arm: str, patient: int | None) -> str:
    """Return the curve of an arm as SVG, with a patient on it, and in words where that one lies."""
    place = None if patient is None else cohort.place(arm, patient)
    said = html_text(_said(cohort, arm, patient, place))
    return f"{curve_svg(cohort.curve(arm), place, cohort.endpoint(arm).title)}<div>{said}</div>"


def _said(cohort: FinishedRun, arm: str, patient: int | None, place: Place | None) -> str:
    if patient is None:
        return "Choose a patient to see that very patient live."
    if place is None:
        return f"Of patient {patient} nothing was timed in this arm."
    without = cohort.endpoint(arm).without.lower()
    months = f"{place.months:.1f} months" if place.event else f"over {place.months:.1f} months (censored)"
    lies = (
        "" if place.free_pct != place.free_pct else f" {place.free_pct:.0f}% of the arm were then {without}."
    )
    return f"Patient {patient}: {months}.{lies}"


def curve_svg(estimate: KaplanMeier, place: Place | None, title: str) -> str:
    """Draw a survival curve as SVG, with a dot where a patient lies."""
    curve = estimate.curve[evenly(estimate.curve.height, _MOST_STEPS)]
    end = max(float(curve["time"][-1]), 1.0)
    across, up = (_WIDTH - _LEFT - 8) / end, (_HEIGHT - _BELOW - 8) / 100

    def x(months: float) -> float:
        return round(_LEFT + across * months, 1)

    def y(percent: float) -> float:
        return round(_HEIGHT - _BELOW - up * percent, 1)

    steps = [f"M{x(0)} {y(100)}"]
    for months, survival in curve.select("time", "survival").iter_rows():
        steps.append(f"H{x(months)}V{y(100 * survival)}")
    marks = [f'<path d="{"".join(steps)}" fill="none" stroke="{_BLUE}" stroke-width="1.6"/>']
    for percent in (0, 50, 100):
        marks.append(f'<text x="{_LEFT - 5}" y="{y(percent) + 4}" text-anchor="end">{percent}</text>')
    step = next((step for step in (1, 3, 6, 12, 24, 60) if end / step <= 7), 120)
    for months in range(0, int(end) + 1, step):
        marks.append(f'<text x="{x(months)}" y="{_HEIGHT - 5}" text-anchor="middle">{months}</text>')
    marks.append(f'<path d="M{_LEFT} {y(100)}V{y(0)}H{_WIDTH - 8}" fill="none" stroke="#6e6e6e"/>')
    if place is not None and place.free_pct == place.free_pct:
        marks.append(
            f'<circle class="tumor-place" cx="{x(place.months)}" cy="{y(place.free_pct)}" r="5" '
            f'fill="{_RED if place.event else "white"}" stroke="{_RED}" stroke-width="1.5"/>'
        )
    label = html_text(f"{title} of this arm, % over months")
    return (
        f'<div class="tumor-note">{label}</div><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="100%" role="img" '
        f'aria-label="{label}" font-size="10">{"".join(marks)}</svg>'
    )
