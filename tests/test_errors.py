from __future__ import annotations

import pickle

import pytest
from tumor_abm.errors import InputError, did_you_mean


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
