"""Completion of command lines by the shell."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

SHELLS = ("bash", "zsh", "tcsh")

_BASH = """
_tumor_abm_experiment_files() {
  compgen -f -X '!*.toml' -- "$1"
  compgen -d -- "$1"
  _tumor_abm_trials "$1"
}
_tumor_abm_trials() {
  compgen -W "%(trials)s" -- "$1"
}
"""
_ZSH = """
_tumor_abm_experiment_files() {
  _tumor_abm_trials
  _files -g '*.toml'
}
_tumor_abm_trials() {
  compadd -- %(trials)s
}
"""


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return what a shell reads to complete the command line of `parser`.

    Parameters
    ----------
    parser
        What an argument completes to follows from its metavar.
    shell
        One of `SHELLS`.
    """
    import shtab

    completions = _completions()
    for action in _actions(parser):
        if action.metavar in completions:
            action.complete = completions[action.metavar]  # type: ignore[attr-defined, index]
    return shtab.complete(parser, shell)


class PrintCompletion(argparse.Action):
    """Print the script, and end."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: object, values: Any, *_: object) -> None:
        """Print the script for the shell `values`."""
        print(script(parser, values))
        parser.exit()


def _completions() -> Mapping[str, Mapping[str, Any]]:
    """Return how the arguments of a metavar are completed, by shell."""
    import shtab

    from tumor_abm.config import named

    names = " ".join(named.files())
    functions = {shell: text % {"trials": names} for shell, text in (("bash", _BASH), ("zsh", _ZSH))}
    experiment = {
        "bash": "_tumor_abm_experiment_files",
        "zsh": "_tumor_abm_experiment_files",
        "tcsh": "f:*.toml",
    }
    trial = {"bash": "_tumor_abm_trials", "zsh": "_tumor_abm_trials", "tcsh": f"({names})"}
    return {
        "EXPERIMENT.toml": {**experiment, "preamble": functions},
        "EXPERIMENT.toml|DIR": {**experiment, "preamble": functions},
        "TRIAL": {**trial, "preamble": functions},
        "STUDY.toml": shtab.glob("*.toml"),
        "ENSEMBLE.json": shtab.glob("*.json"),
        "DIR": shtab.DIRECTORY,
        "FILE": shtab.FILE,
        "FILE.svg": shtab.FILE,
        "FILE.toml": shtab.glob("*.toml"),
        "FILE.parquet": shtab.FILE,
        "ADDRESS": shtab.FILE,
    }


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of a parser and of its commands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
