"""One tab of the page without a browser: orders, playing, stopping, cure."""

from __future__ import annotations

import io
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from page_session import lived
from PIL import Image
from tumor_abm.app.catalogue import Catalogue
from tumor_abm.app.session import Session
from tumor_abm.app.why import acting, of_clone, remedies
from tumor_abm.app.words import burden_in_words
from tumor_abm.knowledge.explanation import Explanation


@pytest.fixture(scope="module")
def catalogue():
    return Catalogue.of(None)


def test_session_begins_with_the_tumour_at_enrolment(catalogue):
    session = Session(catalogue)
    lived(session)
    assert session.pictures.value[0].facts["day"] == 0
    assert np.asarray(Image.open(io.BytesIO(session.pictures.value[0].tumour))).std() > 3


def test_steps_take_the_days_of_a_frame(catalogue):
    session = Session(catalogue)
    session.days_per_frame.value = 5
    lived(session, session.step, session.step)
    assert session.pictures.value[0].facts["day"] == 10


def test_what_is_wrong_is_told_and_the_patient_stays(catalogue):
    session = Session(catalogue)
    lived(session, session.step, lambda: session.choose(seed="seven"), session.reset)
    assert session.notice.value is not None
    assert 'found "seven"' in session.notice.value.text
    assert session.pictures.value[0].facts["day"] == 7


def test_drug_that_is_taken_already_is_told(catalogue):
    session = Session(catalogue)
    lived(session, lambda: session.do(0, "change", "letrozole", "palbociclib"))
    assert session.notice.value is not None
    assert "taken already" in session.notice.value.text


def test_fork_shows_two_and_keep_goes_on_with_one(catalogue):
    session = Session(catalogue)
    lived(session, lambda: session.fork("other", [["fulvestrant"]]), session.step)
    assert [picture.facts["day"] for picture in session.pictures.value] == [7, 7]
    session = Session(catalogue)
    lived(session, lambda: session.fork("other", [["fulvestrant"]]), lambda: session.keep(1))
    assert [picture.name for picture in session.pictures.value] == ["other"]


def test_sessions_share_nothing_but_the_catalogue(catalogue):
    one, other = Session(catalogue), Session(catalogue)
    lived(one, one.step)
    lived(other)
    assert (one.pictures.value[0].facts["day"], other.pictures.value[0].facts["day"]) == (7, 0)


def test_stop_ends_what_lasts_and_shows_the_day_that_was_reached(catalogue):
    session = Session(catalogue)
    session.days_per_frame.value = 10**6

    def stop():
        while session.twins[0].record.day < 20:
            time.sleep(0.01)
        session.stop()

    lived(session, lambda: (session.play(), threading.Thread(target=stop).start()))
    (shown,) = session.pictures.value
    assert 20 <= shown.facts["day"] < 3000
    assert not session.playing.value
    assert session.notice.value is None


def test_reset_ends_what_lasts_and_begins_again(catalogue):
    session = Session(catalogue)
    session.days_per_frame.value = 10**6

    def reset():
        while session.twins[0].record.day < 20:
            time.sleep(0.01)
        session.reset()

    lived(session, lambda: (session.play(), threading.Thread(target=reset).start()))
    assert session.pictures.value[0].facts["day"] == 0


def test_twins_that_were_stopped_on_different_days_meet_again(catalogue):
    session = Session(catalogue)
    lived(
        session,
        lambda: session.fork("other", [["fulvestrant"]]),
        lambda: session.order(lambda: session.twins[1].advance(5)),
        session.step,
    )
    assert [picture.facts["day"] for picture in session.pictures.value] == [12, 12]


def test_growth_that_is_stopped_is_said_and_can_begin_again(catalogue):
    session = Session(catalogue)
    session.choose(engine="lattice 3-D", cells=10_000_000)
    session.reset()
    said = []

    def stop():
        while not session._lock.locked():
            time.sleep(0.01)
        session.stop()

    def begin_again():
        said.append(session.notice.value.text)
        session.choose(engine="clones")
        session.reset()

    threading.Thread(target=stop).start()
    lived(session, begin_again)
    assert said == ["The tumour has not grown to the end; Reset grows it anew."]
    assert session.pictures.value[0].facts["day"] == 0


def test_playing_stops_once_when_no_cell_is_left_and_the_page_says_so(catalogue):
    session = Session(catalogue)
    # Few cells that all depend on ER, and hardly a mutation.
    surely = {"founder": (), "mutation_rate": 0.01, "covariates": {"er_dependence": 0.99}}
    session.choose(engine="cells", cells=20_000, **surely)
    session.reset()
    session.days_per_frame.value = 28
    seen = []

    def look_and_play_on():
        seen.append((session.pictures.value[0].facts, session.notice.value.text))
        session.play()

    lived(session, session.play, look_and_play_on)
    ((cured, said),) = seen
    assert cured["running"]
    assert cured["cells"] == 0
    day = cured["cured_day"]
    assert 0 <= cured["day"] - day < 28
    assert said.startswith(f"Cured: no cell of the tumour is left since day {day:,.0f}. Play goes on")
    assert [event["day"] for event in cured["events"] if event["event"] == "cure"] == [day]
    (ended,) = session.pictures.value
    assert not ended.facts["running"]
    assert session.notice.value is None
    assert ended.facts["cured_day"] == day
    assert burden_in_words(ended.facts) == f"no cell left since day {day:,.0f}: cured"


def test_a_clone_is_explained_by_the_growth_that_the_legend_shows(catalogue):
    """What the panel works out anew is what the patient's own cells do."""
    session = Session(catalogue)
    lived(session, session.step, session.step, session.step)
    (picture,) = session.pictures.value
    explanation = Explanation(catalogue.experiment.knowledge)
    shown = [row for row in picture.legend if row.genotype is not None]
    assert len(shown) > 3
    for row in shown:
        explained = of_clone(explanation, picture, row)
        assert len(explained.cells) == (4 if row.genotype else 2)
        assert explained.cells[-1].net == pytest.approx(row.net_growth, rel=1e-9)
    session.close()


def test_what_would_stop_a_clone_makes_it_shrink_and_what_is_taken_is_not_named(catalogue):
    session = Session(catalogue)
    lived(session, session.step, session.step)
    (picture,) = session.pictures.value
    explanation = Explanation(catalogue.experiment.knowledge)
    for row in [row for row in picture.legend if row.genotype is not None]:
        explained = of_clone(explanation, picture, row)
        found = remedies(explained)
        assert found == sorted(found, key=lambda each: each[1])
        assert not {drug for drug, _ in found} & set(explained.treatment)
        for drug, net in found:
            with_it = replace(explained, treatment={**explained.treatment, drug: 1.0})
            assert net < 0
            assert with_it.cells[-1].net == pytest.approx(net, rel=1e-9)
        assert len(acting(explained)) == len(explained.treatment)
    session.close()


def test_play_goes_on_from_the_last_day_after_an_earlier_one_was_looked_at(catalogue):
    session = Session(catalogue)
    seen = []
    lived(
        session,
        session.step,
        session.step,
        lambda: session.look_back(7),
        lambda: seen.append(session.pictures.value[0].facts["day"]),
        session.step,
    )
    assert seen == [7]
    assert session.pictures.value[0].facts["day"] == 21
    assert session.looking.value is None


def test_a_link_of_the_address_leads_to_what_is_shown(catalogue):
    session = Session(catalogue)
    session.choose(patient=5)
    lived(session, session.reset, session.step, lambda: session.do(0, "hold"), session.step)
    other = Session(catalogue, "?" + session.address.value.query)
    lived(other)
    assert other.setup.value.patient == 5
    assert other.pictures.value[0].facts["cells"] == session.pictures.value[0].facts["cells"]
    assert other.address.value.query == session.address.value.query


def test_a_link_that_cannot_be_followed_is_told_and_the_usual_patient_is_shown(catalogue):
    session = Session(catalogue, "engine=steam")
    assert session.notice.value is not None
    assert 'engine: found "steam"' in session.notice.value.text
    lived(session)
    assert session.pictures.value[0].facts["day"] == 0
    beyond = Session(catalogue, 'day=20&did=[10,0,"line",["no such drug"]]')
    lived(beyond)
    assert beyond.notice.value is not None
    assert "no such drug" in beyond.notice.value.text
    assert beyond.pictures.value[0].facts["day"] == 10
