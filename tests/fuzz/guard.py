"""Watches a worker: what hangs is interrupted, then killed; what dies is noted, and the next one starts."""

from __future__ import annotations

import json
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

PATIENCE_S = 20.0
"""After so long a case is interrupted: honest work goes on for as long as it likes, but not unheard."""
GRACE_S = 10.0
"""After so long more it is killed."""
_LONGEST_START_S = 300.0


@dataclass(frozen=True)
class Finding:
    """A case that went wrong; `what` begins with how."""

    number: int
    kind: str
    what: str
    scratch: str

    @property
    def place(self) -> str:
        """Where it broke: the innermost line of ours in the last traceback, and the error."""
        ours = re.findall(r'File ".*?(tumor_abm/\S+)", line (\d+)', self.what)
        lines = self.what.splitlines()
        errors = [line for line in lines if re.match(r"[\w.]+(Error|Exception|Warning)\b", line)]
        return f"{':'.join(ours[-1]) if ours else '?'} {(errors or lines)[-1][:100]}"


@dataclass
class Tally:
    """What came of the cases so far."""

    cases: Counter[str] = field(default_factory=Counter)
    stopped: dict[int, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


class Worker:
    """A worker process."""

    def __init__(self, cases: str, folder: Path, seed: int) -> None:
        self._folder = folder
        self._log = folder / "worker.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fuzz.worker", cases, str(folder), str(seed)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._answers, selectors.EVENT_READ)
        if self._answer(_LONGEST_START_S) is None:
            raise RuntimeError(f"the worker does not start:\n{self.close()}")

    @property
    def _answers(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def run(self, number: int, patience: float, grace: float) -> dict[str, str]:
        """Run a case; tell what came of it, the worker's end included."""
        assert self._process.stdin is not None
        said_before = self._log.stat().st_size
        self._process.stdin.write(f"{number}\n".encode())
        self._process.stdin.flush()
        told = self._answer(patience)
        if told is None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            told = self._answer(grace)
        if told is None:
            how = self._end()
            return {
                "kind": "?",
                "dead": "",
                "broken": f"{how}\n{self._said_since(said_before)}",
                "scratch": "?",
            }
        if "panicked at" in (said := self._said_since(said_before)):
            told["broken"] = f"panic\n{said}"
        return told

    def close(self) -> str:
        """End the process; return the end of what it said."""
        self._process.kill()
        self._process.communicate()
        self._selector.close()
        return self._said_since(0)

    def _answer(self, seconds: float) -> dict[str, str] | None:
        if not self._selector.select(seconds):
            return None
        line = self._answers.readline()
        return json.loads(line) if line else None

    def _end(self) -> str:
        """Say how the process ended, or that it did not listen; it is gone afterwards."""
        try:
            code = self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGUSR1)
            time.sleep(1)
            self.close()
            return "hang: does not end, nor listen to Ctrl-C"
        self.close()
        return f"abort: {signal.Signals(-code).name if code < 0 else f'exit code {code}'}"

    def _said_since(self, before: int) -> str:
        with self._log.open("rb") as log:
            log.seek(before)
            return log.read()[-6_000:].decode("utf-8", "replace")


def watch(
    cases: str,
    folder: Path,
    *,
    seed: int,
    seconds: float,
    first: int = 0,
    most: int | None = None,
    patience: float = PATIENCE_S,
    grace: float = GRACE_S,
    found: Callable[[Finding], None] = lambda finding: None,
) -> Tally:
    """Run cases from number `first` on, for so many seconds or so many cases.

    Parameters
    ----------
    cases
        Module with ``CASES``: name to weight and function of a random generator and a folder.
    folder
        Where cases work; what broken ones made stays there.
    found
        Called with what broke, at once.
    """
    tally, worker = Tally(), Worker(cases, folder, seed)
    end, number = time.monotonic() + seconds, first
    try:
        while time.monotonic() < end and (most is None or number < first + most):
            told = worker.run(number, patience, grace)
            tally.cases[told["kind"]] += 1
            if "broken" in told:
                tally.findings.append(Finding(number, told["kind"], told["broken"], told["scratch"]))
                found(tally.findings[-1])
            elif "stopped" in told:
                tally.stopped[number] = told["kind"]
            if "dead" in told:
                worker = Worker(cases, folder, seed)
            number += 1
    except KeyboardInterrupt:
        pass  # what was found so far is told
    finally:
        worker.close()
    return tally
