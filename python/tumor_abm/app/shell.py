"""The document around the page: its language, its zoom, and what is said where the front end is missing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tumor_abm._base.sinks import html_text

_INSTEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>tumor_abm</title></head>
<body style="font-family: sans-serif; max-width: 42em; margin: 4em auto">
<h1>tumor_abm</h1><p>{why}</p><p>Then reload this page.</p></body></html>
"""

_CHANGES = (
    (re.compile(r"<html>"), '<html lang="en">'),
    (re.compile(r", maximum-scale=1, user-scalable=no, minimal-ui"), ""),
)


class Shell:
    """ASGI middleware that mends the document which Solara sends, or says what is missing in its place.

    Parameters
    ----------
    app
        The application.
    missing
        Says what the front end lacks; asked until it lacks nothing.
    """

    def __init__(self, app: ASGIApp, missing: Callable[[], str | None]) -> None:
        self._app = app
        self._missing = missing
        self._whole = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        asks_for_page = scope["type"] == "http" and scope["path"] == "/"
        if asks_for_page and not self._whole:
            why = await asyncio.to_thread(self._missing)
            if why is not None:
                await HTMLResponse(_INSTEAD.format(why=html_text(why)), 503)(scope, receive, send)
                return
            self._whole = True
        if not asks_for_page:
            await self._app(scope, receive, send)
            return
        plain = [header for header in scope["headers"] if header[0] != b"accept-encoding"]
        await self._app({**scope, "headers": plain}, receive, _Mended(send).send)


class _Mended:
    """Sends an answer of which every HTML document is mended."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        """Hold an HTML document back until it is whole; send all else on."""
        if message["type"] == "http.response.start":
            if "text/html" in Headers(raw=message["headers"]).get("content-type", ""):
                self._start = message
                return
        elif self._start is not None:
            self._body += message.get("body", b"")
            if message.get("more_body", False):
                return
            text = self._body.decode()
            for found, instead in _CHANGES:
                text = found.sub(instead, text, count=1)
            message = {**message, "body": text.encode()}
            MutableHeaders(scope=self._start)["content-length"] = str(len(message["body"]))
            await self._send(self._start)
        await self._send(message)
