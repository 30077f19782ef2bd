"""Whatever is done to an experiment, it loads or is refused in words; nothing else ever happens."""

from __future__ import annotations

import contextlib
import copy
import datetime
import tomllib
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tumor_abm.config import Experiment, load_experiment
from tumor_abm.errors import InputError

EXPERIMENTS = Path(__file__).parent.parent / "experiments"
WRITTEN = [tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(EXPERIMENTS.glob("*.toml"))]
RESOLVED = Experiment.from_dict(WRITTEN[0]).resolved()

settings.register_profile("fuzz", derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))

odd = st.one_of(
    st.sampled_from([0, -1, 1, 2**31, 2**63, 2**64, 10**400, -(10**400), True, False, "", " ", [], {}, [[]]]),
    st.sampled_from([0.0, -0.0, -1.0, 1e-320, 1e308, -1e308, float("inf"), float("-inf"), float("nan")]),
    st.sampled_from(
        [datetime.date(2020, 1, 1), datetime.time(1), {"value": 1}, {"kind": "state"}, {"drug": "x"}]
    ),
    st.sampled_from(
        ["letrozole", "RB1 loss", "ESR1", "\u202e", "\x00", "é" * 500, "1-21", "0-9999", "a: b", "{}"]
    ),
    st.text(max_size=20),
    st.floats(),
    st.integers(),
)


def places(value: Any, where: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Paths of everything in nested tables and lists."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = []
    for key, below in inner:
        found += [(*where, key), *places(below, (*where, key))]
    return found


def mutated(data: st.DataObject, tables: dict[str, Any]) -> dict[str, Any]:
    tables = copy.deepcopy(tables)
    for _ in range(data.draw(st.integers(1, 3))):
        found = places(tables)
        if not found:
            break
        path = data.draw(st.sampled_from(found))
        parent: Any = tables
        for step in path[:-1]:
            parent = parent[step]
        last: Any = path[-1]
        match data.draw(st.sampled_from(["delete", "replace", "swap", "duplicate", "rename"])):
            case "delete":
                del parent[last]
            case "replace":
                parent[last] = copy.deepcopy(data.draw(odd))
            case "swap":
                parent[last] = data.draw(
                    st.sampled_from([[parent[last]], {"a": parent[last]}, str(parent[last])])
                )
            case "duplicate" if isinstance(parent, list):
                parent.append(copy.deepcopy(parent[last]))
            case "duplicate" | "rename":
                name = data.draw(st.text(max_size=8))
                if isinstance(parent, dict):
                    parent[name] = copy.deepcopy(parent[last])
    return tables


def loads_or_is_refused(tables: dict[str, Any]) -> None:
    try:
        experiment = Experiment.from_dict(tables, file="x.toml")
    except InputError as error:
        for line in str(error).splitlines():
            assert line.startswith(("x.toml: ", "... and "))
            assert len(line) < 2_000
    else:
        assert Experiment.from_dict(tomllib.loads(experiment.to_toml())).to_core() == experiment.to_core()


@settings(settings.get_profile("fuzz"), max_examples=800)
@given(data=st.data())
def test_a_mutated_experiment_loads_or_is_refused(data: st.DataObject) -> None:
    loads_or_is_refused(mutated(data, data.draw(st.sampled_from(WRITTEN))))


@settings(settings.get_profile("fuzz"), max_examples=400)
@given(data=st.data())
def test_a_mutated_resolved_experiment_loads_or_is_refused(data: st.DataObject) -> None:
    loads_or_is_refused(mutated(data, RESOLVED))


@settings(settings.get_profile("fuzz"), max_examples=200)
@given(data=st.data())
def test_a_mutated_file_loads_or_is_refused(data: st.DataObject, tmp_path_factory: Any) -> None:
    raw = bytearray(data.draw(st.sampled_from(sorted(EXPERIMENTS.glob("*.toml")))).read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        start = data.draw(st.integers(0, len(raw)))
        raw[start : start + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=10))
    path = tmp_path_factory.getbasetemp() / "mutated.toml"
    path.write_bytes(raw)
    with contextlib.suppress(InputError):
        load_experiment(path)
