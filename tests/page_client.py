"""A tab of the page without a browser: what Solara's front end says to the server."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect

PATIENCE_S = 120
"""How long anything may take before a test fails; the page itself is not timed."""


class Tab:
    """One tab.

    Parameters
    ----------
    address
        Of the page.
    query
        What its address says of the patient.
    """

    def __init__(self, address: str, query: str = "") -> None:
        with urllib.request.urlopen(address, timeout=PATIENCE_S) as answer:
            self._cookie = answer.headers["set-cookie"].split(";")[0]
        self._address, self.kernel = address.replace("http", "ws", 1), uuid.uuid4().hex
        self._widgets: dict[str, dict[str, Any]] = {}
        self._stack = ExitStack()
        self.connect()
        self._control = uuid.uuid4().hex
        self._send("comm_open", comm_id=self._control, target_name="solara.control", data={})
        themes: dict[str, dict[str, str]] = {"light": {}, "dark": {}}
        run = {"method": "run", "args": {"path": f"/{query}", "dark": False, "themes": themes}}
        self._send("comm_msg", comm_id=self._control, data=run)

    def connect(self) -> None:
        """Connect, or connect again after `drop`."""
        page = uuid.uuid4().hex
        connection = connect(
            f"{self._address}/jupyter/api/kernels/{self.kernel}/channels?session_id={page}",
            additional_headers={"Cookie": self._cookie},
            max_size=None,
            close_timeout=0.1,
        )
        self._socket: ClientConnection = self._stack.enter_context(connection)

    def drop(self) -> None:
        """Go without a word."""
        self._socket.socket.shutdown(socket.SHUT_RDWR)
        self._stack.close()

    def __enter__(self) -> Tab:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def click(self, label: str) -> None:
        """Click a button."""
        (button,) = (
            comm for comm, state in self._widgets.items() if label in self._words(state.get("children"))
        )
        event = {"method": "custom", "content": {"event": "click", "data": {}}}
        self._send("comm_msg", comm_id=button, data=event)

    def wait_for(self, text: str) -> str:
        """Read until a text is on the page; return that text and what stands around it."""
        while True:
            for state in self._widgets.values():
                for value in state.values():
                    shown = " ".join(self._words(value))
                    if text in shown:
                        return shown
            self.read()

    def heard(self) -> str:
        """Return the next message of the server as it is, and forget it."""
        received = self._socket.recv(timeout=PATIENCE_S)
        return received if isinstance(received, str) else received.decode(errors="replace")

    def says(self, text: str) -> bool:
        """Whether a text is on the page, as far as it was read."""
        return any(
            text in word
            for state in self._widgets.values()
            for value in state.values()
            for word in self._words(value)
        )

    def _words(self, value: Any) -> list[str]:
        words = value if isinstance(value, list) else [value]
        return [word for word in words if isinstance(word, str)]

    def read(self) -> None:
        """Read the next message of the server."""
        received = self._socket.recv(timeout=PATIENCE_S)
        if isinstance(received, bytes):
            count = int.from_bytes(received[:4], "big")
            start, end = (int.from_bytes(received[4 * n : 4 * n + 4], "big") for n in (1, 2))
            message = json.loads(received[start : end if count > 1 else None])
        else:
            message = json.loads(received)
        content = message["content"]
        if message["header"]["msg_type"] == "comm_open":
            self._widgets[content["comm_id"]] = dict(content["data"].get("state", {}))
        elif message["header"]["msg_type"] == "comm_msg" and content["data"].get("method") == "update":
            self._widgets[content["comm_id"]].update(content["data"]["state"])
        elif message["header"]["msg_type"] == "comm_close":
            self._widgets.pop(content["comm_id"], None)

    def _send(self, kind: str, **content: Any) -> None:
        header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "session": self.kernel, "username": ""}
        message = {"header": {**header, "version": "5.3", "date": ""}, "content": content}
        rest = {"parent_header": {}, "metadata": {}, "channel": "shell", "buffers": []}
        self._socket.send(json.dumps({**message, **rest}))


@contextmanager
def serving(*arguments: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve the page at a free port; give its address as it is said, and the process."""
    command = [sys.executable, "-m", "tumor_abm", "app", *arguments, "--no-open"]
    with serving_command(*command, **environment) as served:
        yield served


@contextmanager
def serving_command(*command: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run what serves a page; give its address as it is said, and the process."""
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **environment},
    ) as server:
        try:
            assert server.stdout is not None
            said = server.stdout.readline()
            assert " at http://" in said, said + server.stdout.read()
            yield said.split(" at ")[1].split()[0], server
        finally:
            server.kill()
