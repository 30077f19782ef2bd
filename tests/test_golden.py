"""The same seed gives the same bytes as when golden.json was written.

A change of law, of what is known or of the order of draws changes them: then `python tests/golden.py` writes
them anew and `CHANGELOG.md` says so. A change of form must not.
"""

from __future__ import annotations

import json

import pytest
from golden import FILE, WORKS

GOLDEN = json.loads(FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", WORKS)
def test_the_same_seed_gives_the_same_bytes(name: str) -> None:
    assert dict(WORKS[name]()) == GOLDEN[name]
