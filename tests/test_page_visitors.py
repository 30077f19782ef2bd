"""Visitors of one server: they take turns, hold what they may, and see nobody else's patient."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from threading import Event

import pytest
from page_client import Tab, serving
from tumor_abm.app.catalogue import Catalogue
from tumor_abm.app.session import Session
from tumor_abm.app.visitors import MOST_INDIVIDUALS, SLICE_S, Turns, Visitors
from tumor_abm.cli import main
from tumor_abm.errors import InputError


def test_no_more_compute_at_once_than_may() -> None:
    turns, at_work, most = Turns(2), [0], [0]
    counting = threading.Lock()

    def work() -> None:
        with turns.turn():
            with counting:
                at_work[0] += 1
                most[0] = max(most[0], at_work[0])
            time.sleep(0.01)
            with counting:
                at_work[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (most[0], at_work[0]) == (2, 0)


def test_who_waits_has_a_turn_while_somebody_computes_for_long() -> None:
    turns, began, done, order = Turns(1), threading.Event(), threading.Event(), []

    def long() -> None:
        with turns.turn() as turn:
            began.set()
            while not done.is_set():
                time.sleep(SLICE_S / 10)
                turn.share()
            order.append("long")

    def short() -> None:
        with turns.turn():
            order.append("short")
        done.set()

    one = threading.Thread(target=long)
    one.start()
    assert began.wait(30)
    two = threading.Thread(target=short)
    two.start()
    two.join(30)
    one.join(30)
    assert order == ["short", "long"]


def test_who_answers_a_click_comes_before_those_who_play() -> None:
    turns, order, is_urgent = Turns(1), [], Event()

    def waits(name: str, urgent: Callable[[], bool] = bool) -> threading.Thread:
        def wait() -> None:
            with turns.turn(urgent):
                order.append(name)

        thread, already = threading.Thread(target=wait), len(turns._waiting)
        thread.start()
        while len(turns._waiting) == already:
            time.sleep(0.001)
        return thread

    with turns.turn():
        threads = [waits("first"), waits("second"), waits("becomes urgent", is_urgent.is_set)]
        threads.append(waits("click", lambda: True))
        is_urgent.set()
    for thread in threads:
        thread.join(30)
    assert order == ["becomes urgent", "click", "first", "second"]


def test_a_click_that_takes_long_lets_those_who_play_have_their_turn() -> None:
    turns, began, done = Turns(1), threading.Event(), threading.Event()

    def long() -> None:
        with turns.turn(lambda: True) as turn:
            began.set()
            while not done.is_set():
                time.sleep(SLICE_S / 10)
                turn.share()

    def frame() -> None:
        with turns.turn():
            done.set()

    threads = [threading.Thread(target=long), threading.Thread(target=long)]
    threads[0].start()
    assert began.wait(30)
    threads += [threading.Thread(target=frame)]
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert done.is_set()


def test_a_turn_is_given_back_when_work_fails() -> None:
    turns = Turns(1)
    with pytest.raises(ZeroDivisionError), turns.turn():
        1 / 0  # noqa: B018
    with turns.turn():
        pass


def test_places_are_given_until_there_are_no_more_and_taken_back() -> None:
    visitors = Visitors(2)
    first, second = visitors.enter(), visitors.enter()
    assert first is not None
    assert second not in (None, first)
    assert visitors.enter() is None
    visitors.leave(first)
    assert visitors.enter() not in (None, second)
    visitors.leave(None)


def test_all_visitors_together_hold_so_many_cells_and_no_more() -> None:
    visitors = Visitors(3)
    one, two = visitors.enter(), visitors.enter()
    visitors.hold(one, MOST_INDIVIDUALS // 2)
    visitors.hold(one, MOST_INDIVIDUALS // 2)  # in the place of what was held
    visitors.hold(two, MOST_INDIVIDUALS // 2)
    with pytest.raises(InputError, match=r"cells: found .*; allowed: up to 10,000,000 while others hold"):
        visitors.hold(two, MOST_INDIVIDUALS // 2 + 1)
    visitors.hold(visitors.enter(), 0)  # cells that are counted are no matter
    visitors.leave(one)
    visitors.hold(two, MOST_INDIVIDUALS)


def test_who_would_hold_too_much_is_told_on_the_page_and_grows_nothing() -> None:
    visitors = Visitors()
    visitors.hold(visitors.enter(), MOST_INDIVIDUALS - 100_000)
    session = Session(Catalogue.of(None), visitors=visitors, place=visitors.enter())
    session.choose(engine="cells", cells=200_000)
    session.reset()
    _, notice = session._work(*session._next())
    assert notice is not None
    assert "allowed: up to 100,000 while others hold" in notice.text
    assert not session.twins


def test_who_comes_too_late_is_told_and_others_go_on() -> None:
    with serving("--visitors", "1") as (address, _), ExitStack() as stack:
        tab = stack.enter_context(Tab(address))
        tab.wait_for("Day 0")
        late = stack.enter_context(Tab(address))
        assert "All 1 places of this server are taken" in late.wait_for("places of this server")
        assert not late.says("Day 0")
        tab.click("Step")
        tab.wait_for("<b>Day 7</b>")


def test_visitors_see_their_own_patient_alone() -> None:
    """Six patients at once: each is on the day, and is the patient, that its visitor has chosen."""
    with serving() as (address, _), ExitStack() as stack:
        tabs = {n: stack.enter_context(Tab(address, f"?patient={n}&seed=1")) for n in range(6)}
        alone: dict[int, str] = {}
        for n, tab in tabs.items():
            alone[n] = tab.wait_for("Day 0")
        assert len(set(alone.values())) == 6
        for n, tab in tabs.items():
            for _ in range(n):
                tab.click("Step")
        for n, tab in tabs.items():
            tab.wait_for(f"<b>Day {7 * n}</b>")
        for n, tab in tabs.items():
            assert not any(tab.says(f"<b>Day {7 * other}</b>") for other in tabs if other != n)


@pytest.mark.parametrize("number", ["0", "many"])
def test_a_number_of_visitors_that_cannot_be_is_refused(
    number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["app", "--visitors", number, "--no-open"])
    assert ended.value.code == 2
    assert "--visitors" in capsys.readouterr().err


def test_more_visitors_than_a_server_can_be_told_of_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["app", "--visitors", "1001", "--no-open"]) == 2
    assert "allowed: a whole number from 1 to 1000" in capsys.readouterr().err
