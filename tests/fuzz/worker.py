"""Runs cases by number, in a process of its own that may come to grief."""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from importlib import import_module
from pathlib import Path
from random import Random

MOST_BYTES = 8_000_000_000


def run(cases: str, folder: Path, seed: int, number: int) -> dict[str, str]:
    """Run one case; what came of it, and which kind of case it was."""
    table = import_module(cases).CASES
    rng = Random(f"{seed}/{number}")
    kind = rng.choices(list(table), weights=[weight for weight, _ in table.values()])[0]
    scratch = Path(tempfile.mkdtemp(dir=folder))
    told: dict[str, str] = {"kind": kind}
    before = Path.cwd()
    os.chdir(scratch)
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        table[kind][1](rng, scratch)
    except KeyboardInterrupt:
        told["stopped"] = "had to be interrupted"
    except BaseException:
        told["broken"] = traceback.format_exc()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.chdir(before)
        if "broken" not in told:
            shutil.rmtree(scratch, ignore_errors=True)
    return told | {"scratch": str(scratch)}


def serve(cases: str, folder: Path, seed: int) -> None:
    """Run cases whose numbers are read, a line each; answer with a line of JSON."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ["COLUMNS"] = "200"
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    getattr(import_module(cases), "prepare", lambda folder: None)(folder)
    print("{}", file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(run(cases, folder, seed, int(line))), file=answers, flush=True)


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
