"""The fuzz job finds what it is there to find."""

from __future__ import annotations

import ctypes
import signal
import sys
import time
from pathlib import Path
from random import Random

import pytest
from fuzz.doors import BrokenError, command
from fuzz.guard import watch


def _fails(rng: Random, scratch: Path) -> None:
    {}["no such key"]


def _aborts(rng: Random, scratch: Path) -> None:
    ctypes.string_at(0)


def _listens(rng: Random, scratch: Path) -> None:
    while True:
        time.sleep(0.01)


def _hangs(rng: Random, scratch: Path) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    time.sleep(1_000)


def _is_right(rng: Random, scratch: Path) -> None:
    (scratch / "x").write_text(str(rng.random()))


PLANTED = {"fails": _fails, "aborts": _aborts, "listens": _listens, "hangs": _hangs, "is right": _is_right}
CASES = {name: (1.0, case) for name, case in PLANTED.items()}
NAMES = [Random(f"1/{number}").choices(list(CASES), weights=[1.0] * len(CASES))[0] for number in range(16)]


def test_what_fails_aborts_or_hangs_is_found_and_the_next_case_runs(tmp_path: Path) -> None:
    assert set(NAMES) == set(CASES)
    tally = watch("test_fuzz", tmp_path, seed=1, seconds=200, most=len(NAMES), patience=1, grace=1)
    found = {finding.number: finding for finding in tally.findings}
    assert sum(tally.cases.values()) == len(NAMES)
    assert tally.stopped == {number: name for number, name in enumerate(NAMES) if name == "listens"}
    for number, name in enumerate(NAMES):
        if name in ("fails", "aborts", "hangs"):
            said = {"fails": "KeyError", "aborts": "abort: SIGSEGV", "hangs": "hang: "}[name]
            assert said in found[number].what
        else:
            assert number not in found
    place = next(finding.place for number, finding in found.items() if NAMES[number] == "fails")
    assert place.endswith("KeyError: 'no such key'")


def test_a_traceback_and_a_commanded_terminal_are_no_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, **_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("tumor_abm.config.load_experiment", fail)
    with pytest.raises(BrokenError, match="exit code 1"):
        command("check", "paloma_2")
    monkeypatch.undo()
    monkeypatch.setattr(sys.modules["tumor_abm.cli.main"], "terminal_text", lambda text: text)
    with pytest.raises(BrokenError, match="would be commanded"):
        command("check", "\x1b[31m.toml")
