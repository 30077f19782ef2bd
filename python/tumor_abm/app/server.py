"""Serves the page on this machine."""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
import threading
import warnings
import webbrowser
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tumor_abm._base.arguments import is_whole
from tumor_abm.app.catalogue import Catalogue
from tumor_abm.app.front_end import missing
from tumor_abm.app.visitors import MOST_VISITORS, Visitors
from tumor_abm.errors import InputError
from tumor_abm.model import TumorModel

if TYPE_CHECKING:
    from starlette.types import ASGIApp

HOST = "127.0.0.1"
PORT = 8765
MOST_TABS = 1_000
"""Visitors that a server can be told to serve."""

ABANDONED_AFTER = "2m"
"""How long the patient of a tab is kept that was lost without a word (a closed tab says so), as Solara writes
durations; ``SOLARA_KERNEL_CULL_TIMEOUT`` in the environment counts instead."""

_MISSING = "the app needs more packages: pip install '.[app]' in the checkout of tumor_abm"


@dataclass(frozen=True)
class OwnPage:
    """A page of one's own.

    Attributes
    ----------
    model
        Of which every tab has a copy.
    components, model_params
        As Mesa's ``SolaraViz`` takes them.
    """

    model: TumorModel
    components: Sequence[Any]
    model_params: Mapping[str, Any]


@dataclass
class Served:
    """What every tab starts from; read by the page, set once before the server starts."""

    catalogue: Catalogue | None = None
    own: OwnPage | None = None
    visitors: Visitors = field(default_factory=Visitors)


served = Served()


def serve(
    experiment: Path | None = None,
    *,
    model: TumorModel | None = None,
    components: Sequence[Any] = (),
    model_params: Mapping[str, Any] | None = None,
    port: int | None = None,
    allow_hosts: Sequence[str] = (),
    visitors: int | None = None,
    open_browser: bool = True,
) -> None:
    """Serve the page until Ctrl-C.

    Parameters
    ----------
    experiment
        File of the experiment whose patients and arms the page offers, or directory of a finished run;
        otherwise those that come with the package.
    model
        A model of one's own instead, on Mesa's page: of a subclass, or of a bare population. Every tab has a
        copy.
    components
        What is shown of it: parts of `tumor_abm.app.components`, or what else Mesa's ``SolaraViz`` takes. By
        default tumour, genotypes and course.
    model_params
        With what Reset makes the model anew, as ``SolaraViz`` takes it.
    port
        Port to listen on; by default 8765, or a free one if that is taken.
    allow_hosts
        Names beside those of this machine by which the page may be reached, e.g. through a proxy.
    visitors
        Tabs that are served at once, by default 40; who comes later is told so.
    open_browser
        Whether to open the page in the browser.

    Raises
    ------
    InputError
        The experiment is wrong, the port is taken or not allowed, a host is no name, or packages are missing.
    """
    if model is None:
        served.catalogue, served.own = Catalogue.of(experiment), None
    else:
        served.own = OwnPage(model, components, model_params or {})
    served.visitors = Visitors(_number_of(visitors))
    _set_environment()
    try:
        from tumor_abm.app.listener import Listener

        app = application(allow_hosts)
    except ImportError as error:
        raise InputError(f"{_MISSING} ({error})") from None
    listening = _bound(port)
    lacking = missing()
    if lacking is not None:
        print(lacking, file=sys.stderr, flush=True)
    address = f"http://{HOST}:{listening.getsockname()[1]}"

    def ready() -> None:
        print(f"tumor_abm is at {address} (Ctrl-C ends it)", flush=True)
        if open_browser:
            threading.Thread(target=webbrowser.open, args=[address], daemon=True).start()

    with suppress(KeyboardInterrupt):
        Listener(app, ready, threads=2 * served.visitors.most).listen(listening)
    # Threads that still step a patient of an open tab are not waited for: nothing of theirs is kept.
    os._exit(0)


def application(allow_hosts: Sequence[str] = ()) -> ASGIApp:
    """Return the page as an ASGI application.

    Raises
    ------
    InputError
        A host is no name.
    """
    import solara.settings
    from solara.server import app, settings
    from solara.server.starlette import app as asgi

    from tumor_abm.app.guard import Guard
    from tumor_abm.app.shell import Shell

    settings.theme.title = "tumor_abm"
    settings.theme.show_banner = False
    page = "tumor_abm.app.page" if served.own is None else "tumor_abm.app.own_page"
    app.apps["__default__"] = app.AppScript(page)
    assets = solara.settings.assets
    elsewhere = [] if assets.proxy else [f"https://{urlsplit(assets.cdn).netloc}"]
    return Guard(Shell(asgi, missing), allow_hosts, elsewhere)


def _number_of(visitors: int | None) -> int:
    """Return how many visitors there may be."""
    if visitors is None:
        return MOST_VISITORS
    if not is_whole(visitors) or not 1 <= visitors <= MOST_TABS:
        raise InputError(key="--visitors", found=visitors, allowed=f"a whole number from 1 to {MOST_TABS}")
    return int(visitors)


def _bound(port: int | None) -> socket.socket:
    """Return a socket that listens at `port`; without one, at the usual port or else a free one."""
    wanted = [PORT, 0] if port is None else [port]
    for candidate in wanted:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, candidate))
            listening.listen()
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


def _set_environment() -> None:
    """Set what Solara reads from the environment as it is imported."""
    os.environ["SOLARA_TELEMETRY_MIXPANEL_ENABLE"] = "0"
    os.environ.setdefault("REACTON_FAST", "1")  # what nothing has changed in is not walked through
    os.environ.setdefault("SOLARA_KERNEL_CULL_TIMEOUT", ABANDONED_AFTER)
    logging.getLogger("solara").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", "Cookies with samesite=none", UserWarning)  # the page is in no frame
    logging.getLogger("reacton").setLevel(logging.CRITICAL)  # `boundary` tells it
