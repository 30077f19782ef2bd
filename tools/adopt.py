"""Make a calibration the package's own: its centre becomes the defaults, its ensemble is shipped.

``python -m tools.adopt DIR`` rewrites the TOML files of the checkout that it runs in. Only
values change, and ``Calibration`` joins the sources of the numbers; comments, notes and order stay.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, MutableMapping
from functools import partial
from pathlib import Path
from typing import Any

import tomlkit
from tumor_abm._base.files import write_whole
from tumor_abm._base.sinks import terminal_text
from tumor_abm.calibration.store import ENSEMBLE, VALUES
from tumor_abm.errors import InputError
from tumor_abm.knowledge.ensemble import Ensemble

KNOWLEDGE = Path(__file__).parents[1] / "python" / "tumor_abm" / "knowledge"

_FILES = ("pathway.toml", "populations.toml", "alterations.toml", "drugs.toml", "instruments.toml")
_SOURCE = "Calibration"


def adopt(path: Path, knowledge: Path = KNOWLEDGE) -> list[str]:
    """Take over a finished calibration.

    Parameters
    ----------
    path
        Directory of the calibration.
    knowledge
        Directory of the TOML files.

    Returns
    -------
    list of str
        Numbers that were set, by path.

    Raises
    ------
    InputError
        The calibration is not finished, or sets a number that no file has.
    """
    ensemble = Ensemble.load(path / ENSEMBLE)
    centre = _centre(path / VALUES)
    left = dict(centre)
    changed: dict[Path, str] = {}
    for file in (knowledge / name for name in _FILES):
        document = tomlkit.parse(file.read_text(encoding="utf-8"))
        here = [number for number in left if _set(document, number.split("."), left[number])]
        for number in here:
            del left[number]
        if here:
            changed[file] = tomlkit.dumps(document)
    if left:
        raise InputError("no file has the number", file=path / VALUES, key=next(iter(left)))
    for file, text in changed.items():
        write_whole(file, partial(_write, text=text))
    ensemble.save(knowledge / ENSEMBLE)
    return list(centre)


def _write(draft: Path, text: str) -> None:
    draft.write_text(text, encoding="utf-8")


def _centre(file: Path) -> Mapping[str, float]:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        return {str(number): float(value) for number, value in values["centre"].items()}
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}; is the calibration finished?"
        raise InputError(problem, file=file) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError('allowed: a table "centre" of numbers', file=file) from error


def _set(document: MutableMapping[str, Any], path: list[str], value: float) -> bool:
    """Set a number, if the document has it."""
    table: Any = document
    for step in path:
        if not isinstance(table, MutableMapping) or step not in table:
            return False
        table = table[step]
    table["value"] = value
    source = table.get("source", [])
    sources = [source] if isinstance(source, str) else list(source)
    if _SOURCE not in sources:
        table["source"] = [_SOURCE, *sources]
    return True


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("path", metavar="DIR", type=Path, help="a finished calibration")
    try:
        numbers = adopt(parser.parse_args().path)
    except InputError as error:
        print(f"tumor-abm: {terminal_text(str(error))}", file=sys.stderr)
        return 2
    print(f"{len(numbers)} numbers set in {KNOWLEDGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
