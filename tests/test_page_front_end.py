"""The front end of the page: what is said where it is missing, and the document around the page."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import pytest
from page_client import serving
from tumor_abm.app.front_end import answers, lack, scripts

NEEDED = ["a/dist/app.js", "b.js"]
NOWHERE = {"SOLARA_ASSETS_CDN": "http://127.0.0.1:9/npm/"}


@pytest.mark.parametrize(
    ("present", "online", "told"), [(2, False, False), (1, True, False), (1, False, True)]
)
def test_front_end_is_missing_only_where_it_is_neither_stored_nor_reached(
    tmp_path: Path, present: int, online: bool, told: bool
) -> None:
    for name in NEEDED[:present]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    asked: list[str] = []

    def reach(address: str) -> bool:
        asked.append(address)
        return online

    said = lack(NEEDED, tmp_path, "https://cdn.example.org/npm/", reach)
    assert (said is not None) == told
    assert asked == ([] if present == 2 else ["https://cdn.example.org/npm/b.js"])
    if said is not None:
        assert "https://cdn.example.org/npm/" in said
        assert "offline" in said


def test_an_address_where_nobody_listens_does_not_answer() -> None:
    assert not answers("http://127.0.0.1:9/npm/b.js")


def test_scripts_of_a_page_are_found_through_the_proxy_and_without_it() -> None:
    page = '<script src="/_solara/cdn/@w/app@1/dist/a.min.js"></script><script src="/static/own.js"></script>'
    assert scripts(page) == ["@w/app@1/dist/a.min.js"]
    assert scripts('<script src="https://cdn.jsdelivr.net/npm//r@2/r.js" crossorigin="x">') == ["r@2/r.js"]


def test_page_without_front_end_says_so_in_the_terminal_first_and_in_its_place(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tumor_abm", "app", "--no-open"]
    environment = {**os.environ, **NOWHERE, "SOLARA_ASSETS_PROXY_CACHE_DIR": str(tmp_path)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as server:
        try:
            assert server.stdout is not None
            first, second = server.stdout.readline(), server.stdout.readline()
            assert "its front end is not on this machine" in first
            with pytest.raises(HTTPError) as refused:
                urllib.request.urlopen(second.split(" at ")[1].split()[0], timeout=60)
            assert refused.value.code == 503
            text = refused.value.read().decode()
        finally:
            server.kill()
    assert "pip install" in text
    assert "Then reload this page" in text


def test_document_names_its_language_and_may_be_zoomed_however_it_is_asked_for() -> None:
    with serving() as (address, _):
        for encoding in ("identity", "gzip"):
            asked = urllib.request.Request(address, headers={"Accept-Encoding": encoding})
            with urllib.request.urlopen(asked, timeout=60) as answer:
                text = answer.read().decode()
                assert int(answer.headers["content-length"]) == len(text.encode())
            assert '<html lang="en">' in text
            assert "user-scalable=no" not in text
            assert "maximum-scale" not in text
