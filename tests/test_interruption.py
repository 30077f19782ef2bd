"""Ctrl-C, in a notebook too: it ends what runs, and what is half done is not left half done."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest
import tumor_abm as ta
from jupyter_client import BlockingKernelClient, KernelManager

LATE_S = 60.0


class Interruption:
    """Raises `KeyboardInterrupt` at a line of the model's code, as a signal would."""

    def __init__(self, at: int) -> None:
        self.left = at
        self.raised = False

    def __call__(self, frame: FrameType, event: str, _: object) -> Any:
        if "/tumor_abm/model/" not in frame.f_code.co_filename:
            return None
        if event == "line" and frame.f_code.co_name != "step":
            self.left -= 1
            if self.left < 0 and not self.raised:
                self.raised = True
                raise KeyboardInterrupt
        return self

    def during(self, work: Callable[[], object]) -> None:
        before = sys.gettrace()
        sys.settrace(self)
        try:
            work()
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)


def state(model: ta.TumorModel) -> tuple[Any, ...]:
    return (
        model.day,
        model.steps,
        model.running,
        model._core.save(),
        {name: list(column) for name, column in model.datacollector.model_vars.items()},
        model._history,
        sorted(agent.unique_id for agent in model.agents),
    )


def clones(model: ta.TumorModel) -> set[int]:
    return {agent.unique_id for agent in model.agents}


def rule(model: ta.TumorModel) -> list[str] | None:
    return ["letrozole"] if model.line == 0 else None


@pytest.mark.parametrize("strategy", [None, rule])
@pytest.mark.parametrize("born", [True, False])
def test_a_step_that_is_interrupted_anywhere_was_taken_or_not(strategy: Any, born: bool) -> None:
    model = ta.TumorModel(rng=3, strategy=strategy)
    stepped = model.fork()
    stepped.step()
    while not (clones(stepped) - clones(model) if born else clones(model) - clones(stepped)):
        assert stepped.running, "no clone is born, or none dies out"
        model.step()
        stepped.step()
    either = [state(model), state(stepped)]
    found, at = set(), 0
    while True:
        twin, interruption = model.fork(), Interruption(at)
        interruption.during(twin.step)
        if not interruption.raised:
            break
        assert state(twin) in either, at
        found.add(twin.day)
        at += 1
    assert at > 20
    assert found == ({model.day} if strategy else {model.day, stepped.day})


@pytest.fixture(scope="module")
def kernel() -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=LATE_S)
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def reply(client: BlockingKernelClient, code: str) -> dict[str, Any]:
    """Run a cell to its end."""
    content: dict[str, Any] = client.execute_interactive(
        code, timeout=LATE_S, output_hook=lambda message: None, store_history=False
    )["content"]
    return content


LONG = {
    "run_experiment": (
        "tables = {'title': 'x', 'question': 'x?', 'patients': 200_000, 'seed': 1,"
        " 'arm': [{'name': 'a', 'line': [{'regimen': ['letrozole']}]}]}",
        "ta.run_experiment(tables)",
        "True",
    ),
    "TumorModel": (
        "model = ta.TumorModel(rng=1, engine='lattice', cells=1_000_000, collect_every_days=0)",
        "while True: model.fork().run()",
        "model.day == model.steps == 0",
    ),
    "Population.step": (
        "population = ta.Population(division=[0.2], death=[0.2], initial=[2_000_000], seed=1,"
        " engine='lattice')\n"
        "other = population.fork()",
        "population.step(100_000)",
        "other.step(int(population.day)) is None and other._core.save() == population._core.save()",
    ),
    "replicate": (
        "rates = dict(division=[0.2], death=[0.2], initial=[5_000_000], engine='cells', seed=1)",
        "ta.replicate(replicates=4, until=ta.Until(day=100_000), **rates)",
        "True",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG)
def test_a_notebook_is_interrupted_and_its_objects_stay_whole(
    kernel: tuple[KernelManager, BlockingKernelClient], name: str
) -> None:
    manager, client = kernel
    before, long, whole = LONG[name]
    assert reply(client, f"import tumor_abm as ta\n{before}")["status"] == "ok"
    asked = client.execute(f"print('begun', flush=True)\n{long}", store_history=False, stop_on_error=False)
    while client.get_iopub_msg(timeout=LATE_S)["content"].get("text") != "begun\n":
        pass
    time.sleep(1)
    manager.interrupt_kernel()
    while (answer := client.get_shell_msg(timeout=LATE_S))["parent_header"].get("msg_id") != asked:
        pass
    assert answer["content"]["ename"] in ("KeyboardInterrupt", "Interrupted")
    assert reply(client, f"assert {whole}")["status"] == "ok"
