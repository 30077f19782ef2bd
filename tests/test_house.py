"""The house stays in order: what no room and no file may do. `lint-imports` holds who may know whom."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from vulture import Vulture

ROOT = Path(__file__).parents[1]
PYTHON = sorted(
    path
    for room in ("python", "tools", "tests", "docs", "benchmarks", "examples")
    for path in (ROOT / room).rglob("*.py")
    if "_build" not in path.parts
)
PACKAGE = [path for path in PYTHON if path.is_relative_to(ROOT / "python")]
LINES_OF_A_FILE, LINES_OF_A_FUNCTION = 450, 60

CALLED_BY_OTHERS = ["__getattr__", "*Error", "on_broken_pipe", "born_day", "_repr_html_", "Layout", "Page"]
"""By Python, the core, rich, a caller's reporters, notebooks and solara."""
DECORATORS = ["@model_validator", "@field_validator", "@pytest.*", "@solara.component", "@part"]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield functions and their lines, docstrings apart."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            told = node.body[0] if ast.get_docstring(node) is not None else None
            docstring = 0 if told is None else (told.end_lineno or 0) - told.lineno + 1
            yield node.name, (node.end_lineno or 0) - node.lineno + 1 - docstring


def test_files_are_short_enough_to_be_read() -> None:
    long = {name(path): n for path in PYTHON if (n := len(path.read_text().splitlines())) > LINES_OF_A_FILE}
    assert not long


def test_functions_are_short_enough_to_be_seen() -> None:
    long = [
        (name(path), function, lines)
        for path in PYTHON
        for function, lines in functions(path)
        if lines > LINES_OF_A_FUNCTION
    ]
    assert not long


@pytest.mark.parametrize(
    ("habit", "instead"),
    [
        (r"""\.split\((["'] \+ ["']|JOINT)\)""", "genotypes and regimens are typed"),
        (r"""genotype["']?\]?\)?\.(str\.)?(split|contains|starts_with|ends_with)""", "genotypes are typed"),
        (r"\bin str\((error|err|e)\)", "errors have fields"),
        (r"(?<!DAYS_PER_MONTH = )\b30\.43", "a month is as long as tumor_abm._base.units says"),
        (r"seed.*2\*\*6[34]", "which numbers are seeds is said in tumor_abm._base.seeds"),
        (r"\brandom\.(seed|random|randint|choice)\(", "what is drawn is drawn from a stream with a seed"),
        (r"\b(eval|exec)\(", "nothing that a user writes is run"),
    ],
)
def test_habits_that_were_given_up_stay_given_up(habit: str, instead: str) -> None:
    found = [
        f"{name(path)}:{number}: {line.strip()}"
        for path in PACKAGE
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(habit, line) and not re.search(r"^\s*(>>>|#)", line)
    ]
    assert not found, instead


def test_a_class_has_its_name_for_itself() -> None:
    places: dict[str, list[str]] = {}
    for path in PACKAGE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(f"{name(path)}:{node.lineno}")
    assert not {known: where for known, where in places.items() if len(where) > 1}


def test_nothing_is_defined_that_nobody_uses() -> None:
    vulture = Vulture(ignore_names=CALLED_BY_OTHERS, ignore_decorators=DECORATORS)
    vulture.scavenge([str(path) for path in PYTHON])
    kinds = {"function", "method", "class", "property", "import", "unreachable_code"}
    unused = vulture.get_unused_code(min_confidence=60)
    assert not [
        f"{name(Path(item.filename))}:{item.first_lineno}: {item.typ} {item.name}"
        for item in unused
        if item.typ in kinds and Path(item.filename).is_relative_to(ROOT / "python")
    ]
