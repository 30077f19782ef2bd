"""Visitors of one page at once: `python benchmarks/visitors.py`. How many frames, how fast, at what cost.

Every visitor plays a patient of the default population at ten frames a second, as the page does. One more
presses Step now and then; how long the page takes to answer is what "responsive" means. No browser: it draws
elsewhere.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from page_client import Tab, serving
from websockets.exceptions import ConnectionClosed

DAYS_PER_FRAME = 7
"""As the page begins."""


@dataclass
class Visitor:
    """A tab that plays until it is told to stop, in a thread of its own."""

    address: str
    query: str
    days: list[tuple[float, float]] = field(default_factory=list)
    """When which day was seen."""

    def play(self, ready: Event, stop: Event) -> None:
        """Play, and note every day that is shown."""
        with Tab(self.address, self.query) as tab:
            tab.wait_for("Day 0")
            ready.set()
            tab.click("Play")
            while not stop.is_set():
                try:
                    found = re.findall(r"<b>Day ([\d,]+)</b>", tab.heard())
                except ConnectionClosed:  # the server ends with the measurement
                    return
                if found:
                    self.days.append((time.monotonic(), float(found[-1].replace(",", ""))))


def main() -> None:
    """Measure one visitor and many."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--visitors", type=int, nargs="+", default=[1, 5, 20])
    arguments.add_argument("--seconds", type=float, default=20)
    options = arguments.parse_args()
    load, _, _ = os.getloadavg()
    print(f"{os.cpu_count()} processors, load average {load:.1f}")
    print(
        f"{'visitors':>8}{'frames/s':>10}{'each':>7}{'slowest':>9}"
        f"{'CPU, ms/frame':>15}{'answer, ms':>12}{'at most':>9}"
    )
    for number in options.visitors:
        measure(number, options.seconds)


def measure(number: int, seconds: float) -> None:
    """Let so many play, and one press Step."""
    with serving() as (address, server), ExitStack() as stack:
        visitors = [Visitor(address, f"?patient={patient}&seed=1") for patient in range(2, number + 2)]
        stop = Event()
        stack.callback(stop.set)
        for visitor in visitors:
            ready = Event()
            Thread(target=visitor.play, args=(ready, stop), daemon=True).start()
            ready.wait(120)
        answers = []
        with Tab(address) as looking:
            looking.wait_for("Day 0")
            began, cpu = time.monotonic(), cpu_of(server.pid)
            while time.monotonic() - began < seconds:
                pressed = time.monotonic()
                looking.click("Step")
                looking.wait_for(f"<b>Day {DAYS_PER_FRAME * (len(answers) + 1):,}</b>")
                answers.append(time.monotonic() - pressed)
                time.sleep(1)
            spent, cpu = time.monotonic() - began, cpu_of(server.pid) - cpu
        frames = [frames_of(visitor, began) for visitor in visitors]
    total = sum(frames)
    rates = np.array(frames) / spent
    print(
        f"{number:8}{total / spent:10.1f}{np.median(rates):7.1f}{rates.min():9.1f}"
        f"{1000 * cpu / max(1, total + len(answers)):15.1f}"
        f"{1000 * np.median(answers):12.0f}{1000 * max(answers):9.0f}",
        flush=True,
    )


def frames_of(visitor: Visitor, began: float) -> float:
    """Return the frames that were lived since, seen or not, until follow-up ended."""
    before = [day for at, day in visitor.days if at <= began]
    return (visitor.days[-1][1] - (before[-1] if before else 0.0)) / DAYS_PER_FRAME


def cpu_of(process: int) -> float:
    """Return the seconds of CPU that a process has spent."""
    told = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
