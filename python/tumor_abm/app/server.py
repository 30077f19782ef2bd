"""Serves the page on this machine."""

from __future__ import annotations

import errno
import logging
import os
import socket
import threading
import webbrowser
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tumor_abm.app.catalogue import Catalogue
from tumor_abm.errors import InputError

HOST = "127.0.0.1"
PORT = 8765

ABANDONED_AFTER = "2min"
"""How long the patient of a browser tab is kept that was lost without a word (a closed tab says so)."""

_GOODBYE_S = 2
_MISSING = "the app needs more packages: pip install '.[app]' in the checkout of tumor_abm"


@dataclass
class Served:
    """What every tab starts from; read by the page, set once before the server starts."""

    catalogue: Catalogue | None = None


served = Served()


def serve(experiment: Path | None = None, *, port: int | None = None, open_browser: bool = True) -> None:
    """Serve the page until Ctrl-C.

    Parameters
    ----------
    experiment
        File of the experiment whose patients and arms the page offers; otherwise those that come
        with the package.
    port
        Port to listen on; by default 8765, or a free one if that is taken.
    open_browser
        Whether to open the page in the browser.

    Raises
    ------
    InputError
        The experiment is wrong, the port is taken or not allowed, or packages are missing.
    """
    served.catalogue = Catalogue.of(experiment)
    listening = _bound(port)
    address = f"http://{HOST}:{listening.getsockname()[1]}"
    _quieten()
    try:
        import uvicorn
        from solara.server import app, settings
        from solara.server.starlette import app as asgi
    except ImportError as error:
        raise InputError(f"{_MISSING} ({error})") from None
    settings.telemetry.mixpanel_enable = False
    settings.kernel.cull_timeout = ABANDONED_AFTER
    settings.theme.title = "tumor_abm"
    settings.theme.show_banner = False
    app.apps["__default__"] = app.AppScript("tumor_abm.app.page")
    server = uvicorn.Server(
        uvicorn.Config(asgi, log_level="warning", timeout_graceful_shutdown=_GOODBYE_S, lifespan="on")
    )
    print(f"tumor_abm is at {address} (Ctrl-C ends it)", flush=True)
    if open_browser:
        threading.Thread(target=webbrowser.open, args=[address], daemon=True).start()
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listening])
    # Threads that still step a patient of an open tab are not waited for: nothing of theirs is kept.
    os._exit(0)


def _bound(port: int | None) -> socket.socket:
    """Return a socket that listens at `port`; without one, at the usual port or else a free one."""
    wanted = [PORT, 0] if port is None else [port]
    for candidate in wanted:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, candidate))
        except OSError as error:
            listening.close()
            if candidate != wanted[-1]:
                continue
            why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
            raise InputError(
                f"port {candidate} {why}; name another, or leave it out to get a free one", key="--port"
            ) from None
        return listening
    raise AssertionError("there is always a port to try")


def _quieten() -> None:
    """Set what Solara reads from the environment as it is imported."""
    os.environ["SOLARA_TELEMETRY_MIXPANEL_ENABLE"] = "0"
    logging.getLogger("solara").setLevel(logging.ERROR)
