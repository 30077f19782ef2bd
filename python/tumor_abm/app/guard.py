"""Who may ask for the page, and what a browser may do with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tumor_abm.errors import InputError

LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""What this machine calls itself."""

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^\s:/@\[\]]+)(:(?P<port>\d+))?", re.IGNORECASE)

_HEADERS = {
    # Same origin, not none: without it browsers say that the page's own requests come from nowhere.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Guard:
    """ASGI middleware that answers only those who reach the page by a name of its own.

    A foreign page that has its name resolved to this machine is betrayed by `Host`; one that sends requests
    across by `Origin`. Of this machine only the port that is asked is no foreigner: another program may
    listen at another.

    Parameters
    ----------
    app
        The application.
    hosts
        Names beside those of this machine by which the page may be reached, on any port.
    sources
        From where the page loads what the server does not have.

    Raises
    ------
    InputError
        A host is no name.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = (), sources: Iterable[str] = ()) -> None:
        self._app = app
        self._hosts = frozenset(_checked(host) for host in hosts)
        self._headers = {**_HEADERS, "content-security-policy": _policy(sources)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(Headers(scope=scope))

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._put_headers(message)
            await send(message)

        if refusal is None:
            await self._app(scope, receive, send_guarded)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": refusal})  # before accepting: 403
        else:
            await PlainTextResponse(f"{refusal}\n", status_code=403)(scope, receive, send_guarded)

    def _put_headers(self, message: MutableMapping[str, Any]) -> None:
        headers = MutableHeaders(scope=message)
        for name, value in self._headers.items():
            headers[name] = value

    def _refusal(self, headers: Headers) -> str | None:
        """Say why a request is refused; ``None`` if it is not."""
        host = _HOST.fullmatch(headers.get("host", ""))
        if host is None or host["name"].lower() not in LOCAL | self._hosts:
            return "This host is not served; tumor-abm app --allow-host NAME would allow it."
        if "origin" not in headers:
            return None
        scheme, _, rest = headers["origin"].partition("://")
        origin = _HOST.fullmatch(rest)
        if scheme in ("http", "https") and origin is not None:
            name = origin["name"].lower()
            if name in self._hosts or (name in LOCAL and origin["port"] == host["port"]):
                return None
        return "Requests of other pages are not answered."


def _checked(host: str) -> str:
    found = _HOST.fullmatch(host)
    if found is None or found["port"]:
        allowed = "a name without scheme and port, e.g. page.example.org"
        raise InputError(key="--allow-host", found=host, allowed=allowed)
    return host.lower()


def _policy(sources: Iterable[str]) -> str:
    """Return what the page may load: from here; templates are compiled in the browser, styles stand in it."""
    here = " ".join(["'self'", *sources])
    rules = {
        "default-src": here,
        "script-src": f"{here} 'unsafe-inline' 'unsafe-eval'",
        "style-src": f"{here} 'unsafe-inline'",
        "img-src": f"{here} data: blob:",
        "font-src": f"{here} data:",
        "connect-src": here,
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{what} {whence}" for what, whence in rules.items())
