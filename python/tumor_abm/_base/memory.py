"""How much memory there is, and whether a call can do with it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from tumor_abm.errors import InputError

_GROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def room() -> int:
    """Return the bytes that this process can still have: of the machine, its container and its own limit."""
    return max(0, min(_of_machine(), _of_container(), _of_process()))


def afford(key: str, found: object, needs: float) -> None:
    """Refuse what needs more memory than there is.

    Raises
    ------
    InputError
        With the need and the limit.
    """
    left = room()
    if needs > left:
        raise InputError(
            key=key,
            found=found,
            allowed=f"what fits into memory; this needs about {_size(needs)}, and {_size(left)} are free",
        )


def _size(count: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9)):
        if count >= size:
            return f"{count / size:,.3g} {unit}"
    return f"{count / 1e6:,.0f} MB"


def _of_machine() -> int:
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    with suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return 2**63


def _of_container() -> int:
    for most, now in _GROUPS:
        with suppress(OSError, ValueError):
            return int(Path(most).read_text(encoding="ascii")) - int(Path(now).read_text(encoding="ascii"))
    return 2**63


def _of_process() -> int:
    with suppress(ImportError, OSError, ValueError, IndexError):
        import resource

        most, _ = resource.getrlimit(resource.RLIMIT_AS)
        if most != resource.RLIM_INFINITY:
            pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
            return most - pages * resource.getpagesize()
    return 2**63
