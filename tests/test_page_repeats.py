"""Many futures of one tumour: what they have in common, and that one visitor cannot hold the server."""

from __future__ import annotations

import asyncio
import itertools
import time

import pytest
import solara
import tumor_abm as ta
from page_session import lived
from tumor_abm.app import repeats
from tumor_abm.app.catalogue import Catalogue
from tumor_abm.app.repeat import Repeat, histogram_svg, resisted_html
from tumor_abm.app.repeats import Repeats
from tumor_abm.app.session import Session
from tumor_abm.app.setup import Choices
from tumor_abm.model.futures import future_of_line


@pytest.fixture(scope="module")
def model() -> ta.TumorModel:
    return ta.TumorModel(rng=1, patient=2, collect_every_days=0)


def choices() -> Choices:
    return Choices(population="metastatic", strategy="one")


async def ended(tab: Repeats) -> None:
    while tab.shown.value.running:
        await asyncio.sleep(0.01)


def test_a_future_is_a_fork_of_that_seed_lived_to_the_end_of_its_line(model: ta.TumorModel) -> None:
    twin = model.fork(seed=9)
    while not twin.outcomes.height:
        twin.step()
    future, told = future_of_line(model, 9), twin.outcomes.row(0, named=True)
    assert (future.months, future.event, future.reason) == (
        told["pfs_months"],
        told["pfs_event"],
        told["end_reason"],
    )
    largest = twin.composition.filter(moment="progression").sort("cells", descending=True)["alterations"][0]
    assert future.largest == tuple(largest)
    assert model.day == 0


def test_a_line_that_follow_up_cuts_off_has_no_event() -> None:
    model = ta.TumorModel(rng=1, patient=2, horizon_months=1)
    future = future_of_line(model, 3)
    assert (future.event, future.reason, future.largest) == (False, "censored", None)


def test_repeats_of_a_session_are_those_of_its_tumour() -> None:
    session = Session(Catalogue.of(None))

    def repeat() -> None:
        session.repeat(20)

    async def life() -> None:
        task = asyncio.create_task(session.run())
        while session._orders or session.busy.value:
            await asyncio.sleep(0.01)
        session.step()
        while session._orders or session.busy.value:
            await asyncio.sleep(0.01)
        repeat()
        await ended(session.repeats)
        session.close()
        await task

    enrolled = session.setup.value.model(session.catalogue)
    asyncio.run(life())
    shown = session.repeats.shown.value
    assert shown.futures == tuple(future_of_line(enrolled, enrolled.seed + 1 + k) for k in range(20))
    assert len({future.months for future in shown.futures}) > 1
    assert shown.choices == session.begun


def test_repeats_are_cancelled_and_what_was_lived_stays(model: ta.TumorModel) -> None:
    async def life() -> Repeats:
        tab = Repeats()
        tab.start(model.fork, choices(), 500)
        while not tab.shown.value.futures:
            await asyncio.sleep(0.01)
        tab.stop()
        await ended(tab)
        return tab

    shown = asyncio.run(life()).shown.value
    assert 0 < len(shown.futures) < 500
    assert not shown.problem


def test_visitors_take_turns_and_only_one_computes(
    model: ta.TumorModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work, most, order = 0, 0, []
    some = repeats._some

    def watched(copy, numbers, stop, most_s):
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        order.append(id(stop))
        time.sleep(0.002)
        lived_now = some(copy, numbers, stop, most_s)
        at_work -= 1
        return lived_now

    monkeypatch.setattr(repeats, "_some", watched)

    async def life() -> list[Repeats]:
        tabs = [Repeats(), Repeats()]
        for tab in tabs:
            tab.start(model.fork, choices(), 20)
        for tab in tabs:
            await ended(tab)
        return tabs

    first, second = (tab.shown.value for tab in asyncio.run(life()))
    assert len(first.futures) == len(second.futures) == 20
    assert first.futures == second.futures
    assert most == 1
    assert all(one != other for one, other in itertools.pairwise(order))


def test_repeats_end_at_the_limit(model: ta.TumorModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "MOST_S", 0.0)

    async def life() -> Repeats:
        tab = Repeats()
        tab.start(model.fork, choices(), 100)
        await ended(tab)
        return tab

    shown = asyncio.run(life()).shown.value
    assert len(shown.futures) == 0
    assert "seconds of computing" in shown.problem


def test_the_histogram_counts_every_future_once_and_the_table_too(model: ta.TumorModel) -> None:
    futures = tuple(future_of_line(model, seed) for seed in range(3, 9))
    drawn = histogram_svg(futures, futures[0].months)
    counts = [int(part.split("<")[0]) for part in drawn.split("months: ")[1:]]
    assert sum(counts[::2]) == len(futures)
    assert f"shown: {futures[0].months:.1f}" in drawn
    shown = repeats.Repeated(
        choices=choices(), founder=model.genotype_alterations[0], asked=6, futures=futures
    )
    table = resisted_html(shown)
    assert sum(int(part.split("<")[0]) for part in table.split('class="number">')[1:]) == len(futures)


def test_the_panel_is_drawn() -> None:
    session = Session(Catalogue.of(None))
    lived(session)
    _, rendered = solara.render(Repeat(session), handle_error=False)
    rendered.close()
