"""Where a number comes from."""

from __future__ import annotations

from pydantic import Field

from tumor_abm._base.table import Table


class Source(Table):
    """A publication.

    Attributes
    ----------
    what
        Citation, or what was read there.
    address
        Where it can be read.
    from_memory
        Cited from memory: to be checked before it is relied upon.
    """

    what: str = Field(min_length=1)
    address: str = ""
    from_memory: bool = False
