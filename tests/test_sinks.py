"""The same nasty names through every place where a user's words end up."""

from __future__ import annotations

import pytest
from tumor_abm._sinks import file_names


@pytest.mark.parametrize(
    "names",
    [
        ["s = +0.1", "s = 0.1", "S 0.1", "s_0.1_2", "s_0.1"],
        ["left A", "left/A", "LEFT\tA", "left\\A", "..", "."],
        ["μ", "σ", "Σ", "mu", "µ", "é", "e", "小", "💊", "☠"],
        ["con", "NUL", "aux.", "a" * 300, "a" * 301, "", " "],
    ],
)
def test_file_names_differ_whatever_the_file_system_and_are_safe_on_all(names):
    found = file_names(names)
    assert list(found) == names
    assert len({name.lower() for name in found.values()}) == len(names)
    for name in found.values():
        assert name.isascii()
        assert name.replace("_", "").replace(".", "").isalnum()
        assert not name.startswith(".")
        assert name.lower() not in ("con", "nul", "aux")
        assert len(name) < 100
