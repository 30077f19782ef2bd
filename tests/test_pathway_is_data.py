"""The pathway is data: its parts are named in no line of Python or Rust."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tumor_abm.knowledge import Knowledge

ROOT = Path(__file__).parents[1]
PATHWAY = Knowledge.shipped().pathway
NAMES = {*PATHWAY.constants, *PATHWAY.covariates, *PATHWAY.effects, *PATHWAY.targets, *PATHWAY.nodes}

# What remains. The list may become shorter, never longer: a name that is gone must be taken off.

WORDS = {
    "division",  # the rates of a clone, which every engine has; also the two outputs of every pathway
    "death",
    "kill",  # an argument of the theory of growth under treatment
}
"""Parts of the pathway that are called by an ordinary word, which code uses in its own sense."""


def identifiers(source: str) -> Iterator[str]:
    """Yield names of Python, and texts that are names or paths of names; prose and docstrings are none."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for field in ("id", "attr", "arg", "name"):
            found = getattr(node, field, None)
            if isinstance(found, str):
                yield found
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.fullmatch(r"[\w.]+", node.value)
        ):
            yield from node.value.split(".")


def words_of_rust(source: str) -> Iterator[str]:
    """Yield the words of Rust without comments and without its tests."""
    code = re.sub(r"//.*", "", source.split("#[cfg(test)]")[0])
    yield from re.findall(r"\w+", code)


def named() -> dict[str, set[str]]:
    """The names of the pathway that code uses, and where."""
    found: dict[str, set[str]] = {}
    folders = [
        ("python", "*.py", identifiers),
        ("tools", "*.py", identifiers),
        ("rust_core", "*.rs", words_of_rust),
    ]
    for folder, pattern, read in folders:
        for path in (ROOT / folder).rglob(pattern):
            if "tests" in path.parts or "target" in path.parts:
                continue
            for name in NAMES & set(read(path.read_text(encoding="utf-8"))):
                found.setdefault(name, set()).add(path.relative_to(ROOT).as_posix())
    return found


FOUND = named()


@pytest.mark.parametrize("name", sorted(NAMES - WORDS))
def test_no_code_names_a_part_of_the_pathway(name: str) -> None:
    assert FOUND.get(name, set()) == set()


def test_what_code_still_names_is_what_is_listed() -> None:
    assert {name for name in WORDS if name in FOUND} == WORDS


def test_a_name_in_code_would_be_found() -> None:
    code = '"""Of e2f_half."""\nx = pathway["cdk2_basal"]\ny = "pathway.e2f_hill"\nz = cells.rb_lost\n'
    assert NAMES & set(identifiers(code)) == {"cdk2_basal", "e2f_hill", "rb_lost"}
    rust = "// e2f_half\nlet x = cell.rb_lost;\n#[cfg(test)]\nmod tests { fn cdk2_basal() {} }\n"
    assert NAMES & set(words_of_rust(rust)) == {"rb_lost"}
