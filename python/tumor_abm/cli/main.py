"""From the command line to a command, and from what happened to an exit code."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from tumor_abm._base.sinks import terminal_text
from tumor_abm.cli.arguments import parser
from tumor_abm.errors import InputError

DONE = 0
DEFECT = 1
BAD_INPUT = 2
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``tumor-abm`` and return its exit code."""
    _replace_unprintable()
    arguments = None
    try:
        arguments = parser().parse_args(argv)
        with _terminated_as_interrupted():
            arguments.command(arguments)
        sys.stdout.flush()
    except InputError as error:
        if getattr(arguments, "json", False):
            print(json.dumps({"error": str(error)}))
        return _say(str(error), BAD_INPUT)
    except KeyboardInterrupt as error:
        after = str(error) or "interrupted"
        return _say(f"{after}; run the same command again to go on", INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not flush the rest at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except MemoryError:
        return _say("not enough memory for this; ask for less at a time (patients, --jobs)", BAD_INPUT)
    except SystemExit:
        raise
    except BaseException:  # a panic of the core is no Exception
        traceback.print_exc()
        return _say(f"this is a defect of tumor_abm, not of your input; please report {_where()}", DEFECT)
    return DONE


def _say(message: str, code: int) -> int:
    print(f"tumor-abm: {terminal_text(message)}", file=sys.stderr)
    return code


def _where() -> str:
    from importlib.metadata import metadata

    urls = dict(entry.split(", ", 1) for entry in metadata("tumor_abm").get_all("Project-URL") or [])
    issues = urls.get("Issues")
    return f"it, with the lines above, at {issues}" if issues else "it with the lines above"


def _replace_unprintable() -> None:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM, the way a cluster ends a job, do what Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
