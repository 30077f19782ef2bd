from __future__ import annotations

from itertools import pairwise

import matplotlib
import polars as pl
import pytest
from matplotlib.text import Text
from PIL import Image
from polars.testing import assert_frame_equal
from tumor_abm.analysis import portions
from tumor_abm.analysis.carried import carried_at
from tumor_abm.analysis.endpoints import endpoint
from tumor_abm.analysis.survival import kaplan_meier
from tumor_abm.errors import InputError
from tumor_abm.plots import plot_kaplan_meier, plot_resistance, save_figure, svg
from tumor_abm.run.results import Results


def texts(figure):
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]


def words(figure):
    return " ".join(text.get_text().replace("\n", " ") for text in texts(figure))


def with_clones(results, rows):
    columns = ["patient", "arm", "line", "moment", "alterations", "fraction"]
    clones = pl.DataFrame(
        rows,
        schema=dict.fromkeys(columns, pl.String)
        | {"patient": pl.Int64, "line": pl.Int64, "alterations": pl.List(pl.String), "fraction": pl.Float64},
        orient="row",
    )
    return Results(results.tables | {"clones": clones}, results.experiment, {})


def observed(results, name, arm, *which):
    rows = endpoint(results, name).observations(results).filter(pl.col("arm") == arm, *which)
    return rows["months"], rows["event"]


@pytest.fixture(params=["PFS1", "PFS line 2", "PFS2", "OS", "resistance"])
def figure(results, request):
    return (
        plot_resistance(results)
        if request.param == "resistance"
        else plot_kaplan_meier(results, request.param)
    )


def test_nothing_is_cut_off(figure):
    figure.draw_without_rendering()
    drawn = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert 0 <= drawn.x0 < drawn.x1 <= width
    assert 0 <= drawn.y0 < drawn.y1 <= height


def test_figure_is_not_empty(figure, tmp_path):
    paths = save_figure(figure, tmp_path / "figure.of.it")
    assert [path.name for path in paths] == ["figure.of.it.png", "figure.of.it.svg"]
    with Image.open(paths[0]) as image:
        assert image.info["dpi"] == pytest.approx((200, 200), abs=0.1)
        inked = sum(count for count, colour in image.convert("RGB").getcolors(1 << 24) if min(colour) < 200)
        assert inked / (image.width * image.height) > 0.01
    assert "<path" in paths[1].read_text(encoding="utf-8")


def test_same_results_give_the_same_bytes(results, tmp_path):
    files = [
        [path.read_bytes() for path in save_figure(plot_kaplan_meier(results, "OS"), tmp_path / name)]
        for name in ("one", "two")
    ]
    assert files[0] == files[1]


def test_survival_figure_says_what_a_reader_needs(results):
    said = words(plot_kaplan_meier(results, "PFS1"))
    assert "Progression-free survival on the first line" in said
    assert "Palbociclib first or second?" in said
    assert "Months from the start of the first line" in said
    assert "Alive without progression (%)" in said
    assert "Patients at risk" in said
    assert "Hazard ratio against control (95% CI of a trial of this size; paired)" in said
    for arm in results.arms:
        estimate = kaplan_meier(*observed(results, "PFS1", arm))
        assert said.count(arm) == 2  # at the curve, and at its numbers at risk
        assert f"median {estimate.median:.1f}" in said
        assert f" {estimate.at_risk(12)} " in said


def test_untitled_figure_leaves_the_title_to_the_page(results):
    assert "Overall survival" not in words(plot_kaplan_meier(results, "OS", titled=False))


def test_long_title_does_not_crowd_out_the_curves(results):
    named = results.experiment | {"title": "which drug is given first, and which one later, " * 5}
    figure = plot_kaplan_meier(Results(results.tables, named, {}), "OS")
    figure.draw_without_rendering()
    assert figure.get_tightbbox().x1 <= figure.get_size_inches()[0]
    assert figure.axes[0].get_position().width > 0.5


def test_curves_are_the_estimates(results):
    axes = plot_kaplan_meier(results, "OS").axes[0]
    estimate = kaplan_meier(*observed(results, "OS", results.control))
    months, survival = axes.lines[1].get_data()  # after the line at 50%
    assert list(survival) == pytest.approx(list(100 * estimate.at(months)))


@pytest.mark.parametrize("arms", [("one",), ("a", "b", "c", "d", "e", "f", "g", "h", "i")])
def test_names_at_the_curves_do_not_overlap(make_results, arms):
    figure = plot_kaplan_meier(make_results(40, arms), "OS")
    figure.draw_without_rendering()
    labels = [text for text in figure.axes[0].texts if text.arrow_patch is not None]
    boxes = sorted((Text.get_window_extent(label) for label in labels), key=lambda box: box.y0)
    assert len(boxes) == len(arms)
    assert all(lower.y1 <= upper.y0 for lower, upper in pairwise(boxes))


def test_arms_without_patients_or_events_can_be_drawn(results):
    overall = results.overall.filter(arm=results.control).with_columns(os_event=pl.lit(value=False))
    figure = plot_kaplan_meier(Results(results.tables | {"overall": overall}, results.experiment, {}), "OS")
    assert "median not reached" in words(figure)
    assert "not estimable" in words(figure)


def test_later_lines_have_no_hazard_ratio_in_their_figure(results):
    assert "Hazard ratio" not in words(plot_kaplan_meier(results, "PFS line 2"))


def test_time_ends_where_too_few_are_at_risk(make_results):
    results = make_results(200)
    axes = plot_kaplan_meier(results, "OS").axes[0]
    estimates = [kaplan_meier(*observed(results, "OS", arm)) for arm in results.arms]
    assert axes.get_xlim()[1] == max(estimate.told_until for estimate in estimates)
    assert max(estimate.at_risk(axes.get_xlim()[1]) for estimate in estimates) >= 20


def test_control_of_the_same_patients_is_drawn_where_an_arm_is_about_some(results):
    some = results.overall.filter((pl.col("arm") == results.control) | (pl.col("patient") % 2 == 0))
    axes = plot_kaplan_meier(Results(results.tables | {"overall": some}, results.experiment, {}), "OS").axes[
        0
    ]
    said = " ".join(text.get_text() for text in axes.texts)
    assert "30 patients in both arms" in said
    assert "dashed: the same patients in the control arm" in said
    months, event = observed(results, "OS", results.control, pl.col("patient") % 2 == 0)
    times, survival = axes.lines[-1].get_data()
    assert list(survival) == pytest.approx(list(100 * kaplan_meier(months, event).at(times)))


def test_unknown_endpoint_is_named(results):
    with pytest.raises(InputError, match='did you mean "PFS2"'):
        plot_kaplan_meier(results, "PFS 2")


def test_alteration_is_carried_from_a_fifth_of_the_cells(results):
    arm = results.control
    rows = [
        (0, arm, 1, "progression", [], 0.75),
        (0, arm, 1, "progression", ["ESR1 Y537S"], 0.15),
        (0, arm, 1, "progression", ["ESR1 Y537S", "RB1 loss"], 0.10),
        (1, arm, 1, "progression", [], 0.81),
        (1, arm, 1, "progression", ["RB1 loss"], 0.19),
        (1, arm, 1, "baseline", ["RB1 loss"], 1.0),
    ]
    carried = carried_at(with_clones(results, rows), "progression")
    assert carried.select("alteration", "tumours", "carried_pct").rows() == [
        ("ESR1 Y537S", 2, 50.0),
        ("none of them", 2, 50.0),
    ]


def test_results_of_older_versions_are_refused_in_words(results):
    tables = results.tables | {"clones": results["clones"].drop("alterations")}
    with pytest.raises(InputError, match=r"^clones: found a table without alterations, as older versions"):
        plot_resistance(Results(tables, results.experiment, {}))


def test_alterations_are_counted_a_few_patients_at_a_time(results, monkeypatch):
    whole = carried_at(results, "progression")
    assert whole.height > 8
    monkeypatch.setattr(portions, "PATIENTS_AT_A_TIME", 7)
    assert_frame_equal(carried_at(results, "progression"), whole)


def test_resistance_figure_names_arms_lines_and_alterations(results):
    said = words(plot_resistance(results))
    for word in (*results.arms, "Line 1", "Line 2", "ESR1 Y537S", "CDK6-high", "RB1 loss", "% of tumours"):
        assert word in said


def test_marks_are_what_tumours_carried_before_treatment(results):
    figure = plot_resistance(results)
    before = carried_at(results, "baseline").filter(arm=results.control)
    marks = sorted(figure.axes[1].lines[0].get_xdata(), reverse=True)
    assert marks == pytest.approx(sorted(before["carried_pct"], reverse=True))


def test_arm_that_never_had_a_line_has_no_share_on_it(results):
    first = results.clones.filter((pl.col("line") == 1) | (pl.col("arm") == results.control))
    figure = plot_resistance(Results(results.tables | {"clones": first}, results.experiment, {}))
    one, two = figure.axes
    assert len(one.patches) == 2 * len(two.patches)
    assert len(one.texts) == 2 * len(two.texts)


def test_shares_stand_in_a_column_where_no_mark_is_beside_them(results):
    for panel in plot_resistance(results).axes:
        widest = max(patch.get_width() for patch in panel.patches)
        marks = max(max(line.get_xdata()) for line in panel.lines)
        assert {text.get_position()[0] for text in panel.texts} == {0.99}
        assert panel.get_xlim()[1] > 1.1 * max(widest, marks)


def test_marks_are_said_to_be_of_the_day_of_enrolment(results):
    said = " ".join(text.get_text() for text in plot_resistance(results).legends[0].get_texts())
    assert "at enrolment" in said
    assert "before any treatment" not in said


def test_resistance_without_progressions_is_said(results):
    assert "No tumour progressed" in words(plot_resistance(with_clones(results, [])))


def test_svg_for_a_page_has_a_label_and_no_names_that_repeat(results):
    element = svg(plot_kaplan_meier(results, "OS"), 'Alive "in %"')
    assert element.startswith('<svg role="img" aria-label="Alive &quot;in %&quot;"')
    assert "<g id=" not in element
    assert element.rstrip().endswith("</svg>")


def test_drawing_leaves_the_state_of_matplotlib_alone(results):
    before = dict(matplotlib.rcParams)
    svg(plot_resistance(results), "")
    assert dict(matplotlib.rcParams) == before
