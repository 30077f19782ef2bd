"""The web server: says when it listens, and ends at once."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import uvicorn
from starlette.types import ASGIApp

_OWN_THREADS = 8


class Listener(uvicorn.Server):
    """Serves an application at a port that is bound already.

    Parameters
    ----------
    app
        The application.
    on_listening
        Called once requests are answered.
    threads
        Work that can wait for its turn at once, beside what the server itself does.
    """

    def __init__(self, app: ASGIApp, on_listening: Callable[[], None], *, threads: int = 0) -> None:
        super().__init__(uvicorn.Config(app, log_level="warning", lifespan="on"))
        self._on_listening = on_listening
        self._threads = _OWN_THREADS + threads

    def listen(self, port: socket.socket) -> None:
        """Serve until Ctrl-C, which raises KeyboardInterrupt.

        Unlike `run` this waits for no connection and no thread: they may be in the middle of a long frame.
        """
        loop = asyncio.new_event_loop()
        loop.set_default_executor(ThreadPoolExecutor(self._threads, thread_name_prefix="page"))
        loop.run_until_complete(self.serve(sockets=[port]))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say so."""
        await super().startup(sockets=sockets)
        if not self.should_exit:
            self._on_listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say goodbye to nobody: the process ends."""
