"""What a host and the hooks run: everything for a change, a wheel for every platform for a tag."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = ROOT / ".github" / "workflows"
NAMES = sorted(file.stem for file in WORKFLOWS.glob("*.yml"))
GATE = "all-green"


def workflow(name: str) -> dict[Any, Any]:
    return yaml.safe_load((WORKFLOWS / f"{name}.yml").read_text(encoding="utf-8"))


def steps(job: dict[str, Any], key: str) -> list[str]:
    return [step[key] for step in job["steps"] if key in step]


def began(name: str) -> dict[str, Any]:
    """What starts a workflow; YAML reads the key `on` as yes."""
    return workflow(name)[True]


def test_there_are_two_workflows() -> None:
    assert NAMES == ["ci", "wheels"]


def test_every_change_runs_what_must_pass_before_it_is_merged() -> None:
    assert {"push", "pull_request"} <= set(began("ci"))
    everything = workflow("ci")["jobs"]["everything"]
    assert ".ci/run" in steps(everything, "run")
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_the_python_that_builds_is_the_oldest_that_is_promised() -> None:
    everything = workflow("ci")["jobs"]["everything"]
    [versions] = [step["with"]["python-version"].split() for step in everything["steps"] if "with" in step]
    promised = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert promised["requires-python"] == f">={versions[-1]}"


@pytest.mark.parametrize("name", NAMES)
def test_the_gate_needs_every_other_job_and_always_speaks(name: str) -> None:
    jobs = workflow(name)["jobs"]
    gate = jobs[GATE]
    assert set(gate["needs"]) == set(jobs) - {GATE}
    assert gate["if"] == "always()"
    [step] = gate["steps"]
    assert "needs.*.result" in step["env"]["RESULTS"]
    assert "exit 1" in step["run"]


@pytest.mark.parametrize("name", NAMES)
def test_actions_are_of_a_major_version_and_may_only_read(name: str) -> None:
    found = workflow(name)
    assert found["permissions"] == {"contents": "read"}
    used = [action for job in found["jobs"].values() for action in steps(job, "uses")]
    assert used
    for action in used:
        assert re.fullmatch(r"actions/[a-z-]+@v\d+", action), action


@pytest.mark.parametrize("name", NAMES)
def test_every_job_ends(name: str) -> None:
    jobs = workflow(name)["jobs"]
    assert all("timeout-minutes" in job for title, job in jobs.items() if title != GATE)


def test_tags_make_a_wheel_for_each_of_five_platforms() -> None:
    assert began("wheels")["push"] == {"tags": ["v*"]}
    wheel = workflow("wheels")["jobs"]["wheel"]
    platforms = [row["platform"] for row in wheel["strategy"]["matrix"]["include"]]
    assert sorted(platforms) == [
        *("linux-aarch64", "linux-x86_64", "macos-arm64", "macos-x86_64", "windows-x86_64")
    ]
    assert any("cibuildwheel" in line for line in steps(wheel, "run"))


def test_one_wheel_serves_every_python_and_runs_before_it_is_kept() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["cibuildwheel"]
    assert settings["build"] == "cp311-*"
    assert "rustup" in settings["linux"]["before-all"]
    tried = " && ".join(settings["test-command"])
    assert "tumor-abm --help" in tried
    assert "tumor-abm run" in tried


def test_hooks_before_a_commit_download_nothing_and_are_commands_of_this_checkout() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert {repo["repo"] for repo in config["repos"]} == {"local"}
    for hook in config["repos"][0]["hooks"]:
        assert hook["language"] == "system"
        command, *arguments = hook["entry"].split()
        assert command == "cargo" or command.startswith(".venv/bin/")
        for file in (argument for argument in arguments if argument.endswith(".py")):
            assert (ROOT / file).is_file()
