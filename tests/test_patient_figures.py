"""Figures of patients one by one: they show who they say, and nothing overlaps or is cut."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import polars as pl
import pytest
import tumor_abm as ta
from lived import lived
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from tumor_abm.analysis.comparison import compare
from tumor_abm.plots.shown_patients import spread_out
from tumor_abm.run.results import Results

NAMES = ("burden", "escape", "patient", "spider", "swimmer", "waterfall", "who_gains")
NINE = tuple(f"Arm {number}: a regimen + another one" for number in range(1, 10))


@pytest.fixture(scope="module")
def full(results: Results) -> Results:
    return lived(results)


def draw(name: str, results: Results) -> Figure:
    if name == "patient":
        return ta.plots.plot_patient(results, 0)
    if name == "who_gains":
        return ta.plots.plot_who_gains(results, ["age", "response_in_control"], "PFS1")
    return getattr(ta.plots, f"plot_{name}")(results)


def outside(figure: Figure) -> list[float]:
    """By how many inches what is drawn sticks out of the figure."""
    figure.draw_without_rendering()
    drawn = figure.get_tightbbox()
    beyond = (-drawn.x0, -drawn.y0, drawn.x1 - figure.get_figwidth(), drawn.y1 - figure.get_figheight())
    return [inches for inches in beyond if inches > 0.01]


def overlapping(figure: Figure) -> list[tuple[str, str]]:
    """Titles, labels and ticks of panels that lie on each other."""
    figure.draw_without_rendering()
    texts = []
    for axes in figure.findobj(match=lambda artist: hasattr(artist, "get_xticklabels")):
        if axes.axison:
            titles = [axes.title, axes._left_title, axes._right_title, axes.xaxis.label, axes.yaxis.label]
            texts += [text for text in titles if text.get_text().strip() and text.get_visible()]
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
    return [
        (one, other)
        for (one, here), (other, there) in itertools.combinations(boxes, 2)
        if here.overlaps(there)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_cut_and_nothing_overlaps(full: Results, name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = draw(name, full)
        assert outside(figure) == []
        assert overlapping(figure) == []


@pytest.mark.parametrize("name", NAMES)
def test_nine_arms_have_room(make_results, name: str) -> None:
    figure = draw(name, lived(make_results(12, NINE)))
    assert outside(figure) == []


def test_survival_of_nine_arms_has_room(make_results) -> None:
    figure = ta.plots.plot_kaplan_meier(make_results(60, NINE), "OS")
    assert outside(figure) == []
    told = [text.get_text() for text in figure.axes[0].texts]
    assert sum("), p " in text for text in told) == 8  # a hazard ratio each


def test_arms_about_some_of_the_patients_leave_the_curves_their_room(make_results) -> None:
    results = make_results(60, NINE)
    some = results.overall.filter((pl.col("arm") == results.control) | (pl.col("patient") % 2 == 0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = ta.plots.plot_kaplan_meier(
            Results(results.tables | {"overall": some}, results.experiment, {}), "OS"
        )
        figure.canvas.draw()
    assert figure.axes[0].get_position().width > 0.6
    assert outside(figure) == []
    told = [text.get_text() for text in figure.axes[0].texts]
    assert told.count("dashed: the same patients in the control arm") == 1


@pytest.mark.parametrize("name", sorted({*NAMES} - {"who_gains"}))
def test_one_patient_in_one_arm_is_drawn(make_results, name: str) -> None:
    assert outside(draw(name, lived(make_results(1, ("The only arm",))))) == []


@pytest.mark.parametrize("name", ["spider", "waterfall"])
def test_a_line_that_nobody_began_is_empty(full: Results, name: str) -> None:
    figure = getattr(ta.plots, f"plot_{name}")(full, line=9)
    assert outside(figure) == []


def bars_of(figure: Figure, panel: int) -> list[float]:
    """Heights of the bars of a waterfall, from the left: each has two corners off the axis."""
    paths = (path for drawn in figure.axes[panel].collections for path in drawn.get_paths())
    corners = np.vstack([path.vertices for path in paths])
    off_axis = corners[corners[:, 1] != 0]
    return off_axis[np.argsort(off_axis[:, 0], kind="stable")][::2, 1].tolist()


def test_a_bar_of_the_waterfall_is_a_patient(full: Results) -> None:
    changes = np.linspace(-0.9, 0.5, full.outcomes.height)
    outcomes = full.outcomes.with_columns(best_sld_change=pl.Series(changes), response=pl.lit("SD"))
    figure = ta.plots.plot_waterfall(Results({**full.tables, "outcomes": outcomes}, full.experiment, {}))
    for panel, arm in enumerate(full.arms):
        mine = outcomes.filter(arm=arm, line=1)["best_sld_change"].sort(descending=True)
        assert bars_of(figure, panel) == pytest.approx((100 * mine).to_list())


def test_spider_draws_so_many_patients(full: Results) -> None:
    figure = ta.plots.plot_spider(full, patients=7)
    drawn = [
        len(lines.get_segments())
        for axes in figure.axes
        for lines in axes.collections
        if isinstance(lines, LineCollection)
    ]
    assert drawn == [7, 7]


def test_swimmer_has_the_same_patients_in_every_panel(full: Results) -> None:
    shown = spread_out(full.overall.filter(arm=full.control).sort("os_months", descending=True), 5)
    figure = ta.plots.plot_swimmer(full, patients=5)
    survival = {
        arm: full.overall.filter(arm=arm).select("patient", "os_months").rows_by_key("patient", unique=True)
        for arm in full.arms
    }
    for panel, arm in enumerate(full.arms):
        alive = sorted(figure.axes[panel].patches[:5], key=lambda bar: bar.get_y())
        lengths = [bar.get_width() for bar in alive]
        expected = [survival[arm][patient] for patient in shown["patient"]]
        assert lengths == pytest.approx(np.ravel(expected).tolist())


def test_escape_shows_all_patients_at_every_moment(full: Results) -> None:
    figure = ta.plots.plot_escape(full)
    for axes in figure.axes:
        tops: dict[float, float] = {}
        for bar in axes.patches:
            tops[bar.get_x()] = tops.get(bar.get_x(), 0.0) + bar.get_height()
        assert list(tops.values()) == pytest.approx([100.0] * len(tops))


def test_who_gains_shows_each_pair_of_twins_once(full: Results) -> None:
    figure = ta.plots.plot_who_gains(full, ["age"])
    dots = next(line for line in figure.axes[0].lines if line.get_marker() == ".")
    assert len(dots.get_xdata()) == 60


def test_all_of_the_few_are_shown_and_of_many_the_first_and_the_last() -> None:
    ranked = pl.DataFrame({"patient": range(100)})
    assert spread_out(ranked, 200)["patient"].to_list() == list(range(100))
    few = spread_out(ranked, 4)["patient"].to_list()
    assert few == [0, 33, 66, 99]


def test_a_patient_is_drawn_in_the_arms_that_are_wanted(full: Results) -> None:
    wanted = full.arms[1:]
    figure = ta.plots.plot_patient(full, 0, arms=wanted)
    headings = [axes.get_title(loc="left") for axes in figure.axes]
    assert all(any(arm in heading for heading in headings) for arm in wanted)
    assert not any(full.arms[0] in heading for heading in headings)


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        (
            lambda r: ta.plots.plot_patient(r, 10_000),
            r"patient: found 10000; allowed: the number",
        ),
        (lambda r: ta.plots.plot_patient(r, "x"), r'patient: found "x"'),
        (lambda r: ta.plots.plot_patient(r, 0, arms=["y"]), r'arms: found "y"; allowed: '),
        (lambda r: ta.plots.plot_who_gains(r, []), r"by: found .*; allowed: at least one covariate"),
        (lambda r: ta.plots.plot_who_gains(r, ["age"], arm="x"), r'arm: found "x"; allowed: '),
        (lambda r: ta.plots.plot_forest(compare(r)), r"comparison: .*allowed: compare\(results, by"),
        (lambda r: ta.plots.plot_forest(compare(r, ["age"]), "PFS9"), r'timed: found "PFS9"'),
        (lambda r: ta.plots.plot_swimmer(r, patients=0), r"patients: found 0"),
        (lambda r: ta.plots.plot_spider(r, 0), r"line: found 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(full: Results, asked, problem: str) -> None:
    with pytest.raises(ta.InputError, match=problem):
        asked(full)


def test_forest_tells_every_subgroup(full: Results) -> None:
    comparison = compare(full, ["age:55:65"])
    figure = ta.plots.plot_forest(comparison, "OS")
    told = [text.get_text() for text in figure.axes[0].texts]
    for row in comparison.subgroups.filter(endpoint="OS").iter_rows(named=True):
        assert row["level"] in told
        assert str(row["n"]) in told
    assert outside(figure) == []
