"""The page's server: whom it answers, when it says so, and how it ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import textwrap
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError

import pytest
from page_client import PATIENCE_S, Tab, serving
from tumor_abm.app.guard import Guard
from tumor_abm.app.server import _bound
from tumor_abm.errors import InputError
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

LONG = """
title = "A tumour that takes long to grow"
question = "Does it end when told to?"
engine = "lattice"
most_cells = 10_000_000
[lattice]
dimensions = 3
placement = "push"
depth = 10
[[arm]]
name = "letrozole"
[[arm.line]]
regimen = ["letrozole"]
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving("--allow-host", "page.example.org") as (found, _):
        yield found


@pytest.fixture
def long(tmp_path: Path) -> str:
    """An experiment whose first patient takes far longer to grow than a test may."""
    file = tmp_path / "long.toml"
    file.write_text(LONG)
    return str(file)


def status(address: str, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=60) as answer:
            return int(answer.status)
    except HTTPError as refused:
        return refused.code


def names(address: str) -> dict[str, str]:
    """Return names of hosts with what becomes of them."""
    port = address.rpartition(":")[2]
    return {
        f"127.0.0.1:{port}": "served",
        f"LocalHost:{port}": "served",
        f"[::1]:{port}": "served",
        "page.example.org": "served",
        "page.example.org:443": "served",
        "evil.example": "refused",
        f"evil.example:{port}": "refused",
        f"localhost.evil.example:{port}": "refused",
        f"localhost@evil.example:{port}": "refused",
        "": "refused",
    }


def origins(address: str) -> dict[str, str]:
    port = address.rpartition(":")[2]
    return {
        address: "served",
        f"http://localhost:{port}": "served",
        "https://page.example.org": "served",
        "http://evil.example": "refused",
        f"http://evil.example:{port}": "refused",
        "http://localhost:1": "refused",
        "null": "refused",
        "file://": "refused",
    }


def test_foreign_hosts_and_origins_are_not_answered(address: str) -> None:
    found = {host: status(f"{address}/", Host=host) for host in names(address)}
    assert found == {host: 200 if fate == "served" else 403 for host, fate in names(address).items()}
    found = {origin: status(f"{address}/", Origin=origin) for origin in origins(address)}
    assert found == {origin: 200 if fate == "served" else 403 for origin, fate in origins(address).items()}


def test_foreign_hosts_and_origins_get_no_patient(address: str) -> None:
    port = int(address.rpartition(":")[2])

    def ask(host: str, origin: str | None) -> None:
        asked = f"ws://{host}/jupyter/api/kernels/a/channels?session_id=b"
        cookie = {"Cookie": "solara-session-id=c"}
        reached = socket.create_connection(("127.0.0.1", port))
        with connect(asked, sock=reached, origin=origin, additional_headers=cookie):  # type: ignore[arg-type]
            pass

    foreign = [
        (f"127.0.0.1:{port}", origin) for origin, fate in origins(address).items() if fate == "refused"
    ]
    for host, origin in [*foreign, ("evil.example", None), (f"evil.example:{port}", address)]:
        with pytest.raises(InvalidStatus) as refused:
            ask(host, origin)
        assert refused.value.response.status_code == 403
    ask(f"127.0.0.1:{port}", address)


def test_every_answer_says_what_a_browser_may_do(address: str) -> None:
    for path in ("/", "/readyz", "/nowhere/at/all", "/static/assets/style.css"):
        try:
            answer = urllib.request.urlopen(f"{address}{path}", timeout=60)
        except HTTPError as refused:
            answer = refused
        with answer:
            headers = answer.headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
        assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"
        assert policy["default-src"] == policy["connect-src"] == "'self'"


@pytest.mark.parametrize(
    "host", ["http://page.example.org", "page.example.org:80", "*.example.org/", "", "a b"]
)
def test_a_host_that_is_no_name_is_refused(host: str) -> None:
    with pytest.raises(InputError, match="--allow-host"):
        Guard(lambda *_: None, [host])  # type: ignore[arg-type,return-value]


def test_the_address_is_said_when_it_answers() -> None:
    with serving() as (address, _):
        assert status(f"{address}/readyz") == 200


def test_a_port_is_ours_as_soon_as_it_is_chosen() -> None:
    with _bound(None) as ours:
        port = ours.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} is in use"):
            _bound(port)


def test_a_port_in_use_ends_with_code_2_and_a_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            [sys.executable, "-m", "tumor_abm", "app", "--port", port, "--no-open"],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert f"port {port} is in use" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_page_in_the_middle_of_a_long_frame(long: str, number: int) -> None:
    with serving(long) as (address, server), Tab(address) as tab:
        tab.wait_for("The tumour grows")
        server.send_signal(number)
        assert server.wait(10) == 0
        assert server.stdout is not None
        assert "Traceback" not in server.stdout.read()


def test_a_connection_that_was_lost_for_a_while_finds_its_patient_again(address: str) -> None:
    with Tab(address) as tab:
        tab.wait_for("Day 0")
        tab.click("Step")
        tab.wait_for("Day 7")
        tab.drop()
        tab.connect()
        tab.click("Step")
        tab.wait_for("<b>Day 14</b>")


ABANDONED = """
    import sys, threading, time, weakref
    from pathlib import Path
    from page_client import PATIENCE_S, Tab
    from tumor_abm.app import server

    server.served.catalogue = server.Catalogue.of(Path(sys.argv[1]) if sys.argv[1:] else None)
    server._set_environment()
    application = server.application()
    from solara.server.kernel_context import contexts
    from tumor_abm.app.listener import Listener
    from tumor_abm.app.session import Session
    from tumor_abm.app.twin import Twin

    sessions, models, port, ready = [], [], server._bound(None), threading.Event()
    begin_session, begin_twin = Session.__init__, Twin.__init__
    def see_session(self, *arguments, **named):
        sessions.append(self)
        begin_session(self, *arguments, **named)
    def see_twin(self, model, *arguments, **named):
        models.append(weakref.ref(model))
        begin_twin(self, model, *arguments, **named)
    Session.__init__, Twin.__init__ = see_session, see_twin
    threading.Thread(target=Listener(application, ready.set).listen, args=[port], daemon=True).start()
    assert ready.wait(PATIENCE_S)

    def working():
        return session._lock.locked() or not session._loop.is_closed()

    tab = Tab(f"http://127.0.0.1:{port.getsockname()[1]}")
    tab.wait_for("The tumour grows" if sys.argv[1:] else "Day 0")
    (session,) = sessions
    while sys.argv[1:] and not session._lock.locked():
        time.sleep(0.1)
    assert working()
    assert tab.kernel in contexts
    assert len(models) == (0 if sys.argv[1:] else 1)
    tab.drop()
    until = time.monotonic() + 20  # for the 2 s after which a tab counts as abandoned, and what follows
    while time.monotonic() < until:
        if not (tab.kernel in contexts or working() or session.twins or any(model() for model in models)):
            with session._lock:
                print("freed")
            break
        time.sleep(0.1)
    else:
        print(tab.kernel in contexts, working(), session.twins, [model() for model in models])
"""


@pytest.mark.parametrize("when", ["idle", "growing"])
def test_an_abandoned_tab_is_freed(when: str, long: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLARA_KERNEL_CULL_TIMEOUT", "2s")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=":")
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(ABANDONED), *([long] if when == "growing" else [])],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ended.stdout == "freed\n", ended.stdout + ended.stderr


def test_tabs_are_abandoned_after_a_time_that_solara_understands() -> None:
    from solara.util import parse_timedelta
    from tumor_abm.app.server import ABANDONED_AFTER

    assert parse_timedelta(ABANDONED_AFTER) == 120
