"""What the browser is sent of the charts: all of it, once."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import solara
from tumor_abm.app.address import first_choices
from tumor_abm.app.catalogue import Catalogue
from tumor_abm.app.chart_grid import ChartGrid
from tumor_abm.app.chart_news import Sent, parted
from tumor_abm.app.charts import panels_of
from tumor_abm.app.life import Life
from tumor_abm.plots.thinning import extremes, steadily


class Browser:
    """What the page's component does with what it is sent."""

    def __init__(self) -> None:
        self.points: dict[str, dict[str, list[Any]]] = {}
        self.number = 0

    def hear(self, news: dict[str, Any]) -> bool:
        if news["follows"] and news["follows"] != self.number:
            return False
        if not news["follows"]:
            self.points = {}
        for chart, series in json.loads(json.dumps(news["points"])).items():
            known = self.points.setdefault(chart, {})
            for key, (stay, more) in series.items():
                known[key] = [*known.get(key, [])[:stay], *more]
        self.number = news["number"]
        return True


@pytest.fixture(scope="module")
def lived() -> list[list[dict[str, Any]]]:
    """The charts of a patient, a week after the other."""
    catalogue = Catalogue.of(None)
    life = Life(catalogue)
    life.begin(first_choices(catalogue))
    found = []
    for week in range(81):
        life.reach(7 * week)
        found += panels_of([(twin.course(), twin.palette, twin.record.growth) for twin in life.twins])
    return found


def written(what: Any) -> int:
    return len(json.dumps(what, separators=(",", ":")))


def test_what_is_sent_bit_by_bit_is_the_whole(lived: list[list[dict[str, Any]]]) -> None:
    sent, browser = Sent(), Browser()
    for panels in lived:
        parts = parted(panels)
        assert browser.hear(sent.news(parts.data))
        times = json.loads(parts.times)
        for head, panel in zip(json.loads(parts.heads), panels, strict=True):
            series = [
                {**{key: value for key, value in each.items() if key != "id"}, "data": points}
                for each in head["series"]
                for points in [browser.points[panel["key"]][each["id"]]]
            ]
            bare = [{key: value for key, value in each.items() if key != "id"} for each in panel["series"]]
            assert json.loads(json.dumps({**head, **times, "series": series})) == json.loads(
                json.dumps({**panel, "series": bare})
            )


def test_a_redraw_sends_what_is_new(lived: list[list[dict[str, Any]]]) -> None:
    sent = Sent()
    spent: list[int] = []
    before: tuple[Any, ...] = ()
    for panels in lived:
        parts = parted(panels)
        now = parts.heads, parts.times
        spent.append(written(sent.news(parts.data)) + sum(len(part) for part in now if part not in before))
        before = now
    whole = [written(panels) for panels in lived]
    assert whole[-1] > 80_000
    assert sum(spent) < sum(whole) / 12
    assert np.median(spent) < 3_500


def test_who_has_missed_something_is_sent_everything(lived: list[list[dict[str, Any]]]) -> None:
    sent, browser = Sent(), Browser()
    first, second, third = (parted(panels).data for panels in lived[10:13])
    assert browser.hear(sent.news(first))
    sent.news(second)
    assert not browser.hear(sent.news(third))
    sent.forget()
    assert browser.hear(sent.news(third))
    everything = json.loads(json.dumps(third))
    assert browser.points == {chart: series for chart, series in everything.items() if series}


def test_a_component_that_begins_anew_is_sent_everything(lived: list[list[dict[str, Any]]]) -> None:
    def grid(panels: list[dict[str, Any]]) -> Any:
        return ChartGrid(panels=parted(panels), said="", looking=None, chosen="", cdn="", event_choose=print)

    _, rendered = solara.render(grid(lived[3]), handle_error=False)
    (shown,) = [widget for widget in rendered.find().widgets if hasattr(widget, "news")]

    def number_and_before() -> tuple[int, int]:
        news = json.loads(shown.news)
        return news["number"], news["follows"]

    assert number_and_before() == (1, 0)
    second = grid(lived[4])
    rendered.render(second)
    assert number_and_before() == (2, 1)
    rendered.render(second)
    assert number_and_before() == (2, 1)
    shown.vue_whole(None)
    assert number_and_before() == (3, 0)
    rendered.close()


def test_a_curve_that_grows_keeps_its_points() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=3_000).cumsum()
    for count in range(700, 1_200, 13):
        earlier, later = (extremes(values[:end], 320, steady=True) for end in (count, count + 7))
        settled = count - 1 - 8
        assert later.size <= 322
        assert earlier[earlier < settled].tolist() == later[later < settled].tolist()
        earlier, later = steadily(count, 160), steadily(count + 7, 160)
        assert later.size <= 160
        if count + 7 <= 8 * 159:
            assert set(earlier[:-1]) <= set(later)


@pytest.mark.parametrize("steady", [False, True])
def test_every_peak_dip_and_edge_of_a_gap_is_drawn(steady: bool) -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=1_000)
    values[300:420] = np.nan
    values[rng.integers(0, 1_000, size=20)] = np.nan
    drawn = extremes(values, 100, steady=steady)
    known = ~np.isnan(values)
    edges = np.flatnonzero(known[1:] != known[:-1])
    assert set(edges) | set(edges + 1) <= set(drawn)
    length = 32 if steady else 20  # 1,000 values in 50 stretches; as a power of two
    for start in range(0, 1_000, length):
        stretch = values[start : start + length]
        if not np.isnan(stretch).all():
            assert {start + np.nanargmin(stretch), start + np.nanargmax(stretch)} <= set(drawn)
    inside = set(range(301, 419)) & set(drawn)
    assert not inside
