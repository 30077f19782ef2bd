"""A process that runs chunks of a batch for another one: chunks come in, tables go out.

It ends when the other process does, however that ends, since nothing comes in any more.
"""

from __future__ import annotations

import os
import pickle
import sys

from tumor_abm.batch.shard_of_runs import compute_there


def main() -> None:
    """Serve the process that started this one."""
    asked, answered = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints, it is no answer
    try:
        spec, version = pickle.load(asked)
        while True:
            chunk = pickle.load(asked)
            answer: object
            try:
                answer = compute_there(spec, chunk, version)
            except BaseException as error:  # for the other process to judge
                answer = error
            pickle.dump(answer, answered)
            answered.flush()
    except (EOFError, BrokenPipeError):
        return


if __name__ == "__main__":
    main()
