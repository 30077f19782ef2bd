from __future__ import annotations

import pickle

import pytest
import tumor_abm as ta
from tumor_abm.errors import (
    EngineError,
    InputError,
    NeverGrewError,
    StepTooLongError,
    did_you_mean,
    of_file,
)


def test_message_is_one_line_that_says_where_what_and_what_would_do():
    error = InputError(file="x.toml", key="arm[1].drug", found="ribocilib", allowed=["ribociclib", "none"])
    assert str(error) == (
        'x.toml: arm[1].drug: found "ribocilib"; allowed: "ribociclib", "none"; did you mean "ribociclib"?'
    )


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (InputError("there is no such file", file="x.toml"), "x.toml: there is no such file"),
        (InputError(key="dt", found=0.0, allowed="above 0 days"), "dt: found 0.0; allowed: above 0 days"),
        (InputError(key="drug", found="x", allowed=[]), 'drug: found "x"; allowed: nothing'),
        (InputError("wrong"), "wrong"),
    ],
)
def test_message_leaves_out_what_is_not_known(error, message):
    assert str(error) == message


def test_nearest_name_is_found_whatever_the_case():
    assert did_you_mean("esr1 y537s", ["ESR1 Y537S", "RB1"]) == "ESR1 Y537S"
    assert did_you_mean("something else", ["ESR1", "RB1"]) is None


def test_error_crosses_processes():
    error = InputError(key="dt", found=0)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_what_nobody_would_read_to_its_end_is_shortened():
    error = InputError(file="x.toml", key="drug", found="x" * 10**6, allowed=["letrozole"])
    assert 3_000 < len(str(error)) < 5_000
    assert str(error).startswith('x.toml: drug: found "xxx')
    assert str(error).endswith('allowed: "letrozole"')


def test_an_error_can_be_told_with_its_file():
    with pytest.raises(InputError) as caught, of_file("x.toml"):
        raise InputError(key="dt", found=0, allowed="above 0")
    assert str(caught.value) == "x.toml: dt: found 0; allowed: above 0"
    assert caught.value.file == "x.toml"
    with pytest.raises(InputError) as caught, of_file(None):
        raise InputError("wrong")
    assert str(caught.value) == "wrong"


GROWING = {"division": [0.2], "death": [0.1], "initial": [1], "replicates": 1, "seed": 1}


def test_what_an_engine_refuses_comes_with_its_numbers():
    with pytest.raises(StepTooLongError, match="is too long for") as step:
        ta.replicate(**GROWING | {"division": [2.0]}, until=ta.Until(day=1), dt=0.5)
    assert (step.value.dt, step.value.division, step.value.death) == (0.5, 2.0, 0.1)
    assert step.value.probability == pytest.approx(1.05)
    assert step.value.longest == pytest.approx(0.5 / 2.1, abs=1e-6)
    with pytest.raises(NeverGrewError, match="never reached the stop") as never:
        ta.replicate(**GROWING | {"division": [0.0]}, until=ta.Until(total=5), restart_on_extinction=True)
    assert never.value.attempts > 1
    assert isinstance(never.value, EngineError)
    assert str(pickle.loads(pickle.dumps(step.value))) == str(step.value)
    assert pickle.loads(pickle.dumps(step.value)).longest == step.value.longest


def test_what_the_core_refuses_says_where_and_what():
    with pytest.raises(InputError) as caught:
        ta.replicate(**GROWING, until=ta.Until(counts={3: 1}))
    assert (caught.value.key, caught.value.found, caught.value.allowed) == (
        "until.counts",
        3,
        "types 0 to 0",
    )
