"""Where a user's words go, and what they must become there: one function for each place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import quote

_LONGEST_FILE_NAME = 80
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
"""What Windows lets no file be called."""


def file_names(names: Iterable[str]) -> dict[str, str]:
    """Return a file name (or a part of one) for each name.

    They consist of what every file system takes, differ even where case does not count, and are
    numbered where little else is left to tell them apart. None has a hyphen, which can join several.

    Examples
    --------
    >>> file_names(["s = 0.1", "S 0.1", "Neutral, 2-D", "μ"])
    {'s = 0.1': 's_0.1', 'S 0.1': 's_0.1_2', 'Neutral, 2-D': 'neutral_2_d', 'μ': 'mu'}
    """
    found: dict[str, str] = {}
    for name in names:
        if name in found:
            continue
        stem, number = _file_name(name), 1
        candidate = f"{stem}_" if stem in _RESERVED else stem
        while candidate in found.values():
            number += 1
            candidate = f"{stem}_{number}"
        found[name] = candidate
    return found


def _file_name(name: str) -> str:
    plain = "".join(_in_ascii(character) for character in unicodedata.normalize("NFKD", name))
    kept = re.sub(r"[^a-z0-9.]+", "_", plain.lower())[:_LONGEST_FILE_NAME].strip("._")
    return kept or "unnamed"


def _in_ascii(character: str) -> str:
    if character.isascii():
        return character
    if unicodedata.combining(character):
        return ""
    # The last word: GREEK SMALL LETTER MU.
    return unicodedata.name(character, "_").rsplit(" ", 1)[-1] if character.isalpha() else "_"


def maf_text(text: str) -> str:
    """Return `text` as a field of a MAF, which knows no quotes: percent-encoded where need be, as in VCF.

    Examples
    --------
    >>> maf_text('the "left" one')
    'the %22left%22 one'
    """
    return re.sub(r'[\x00-\x1f\x7f-\x9f"%]', lambda match: quote(match[0]), text)
