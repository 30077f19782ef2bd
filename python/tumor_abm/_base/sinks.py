"""Where a user's words go, and what they must become there: one function for each place."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from rich.text import Text

_LONGEST_FILE_NAME = 80
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
"""What Windows lets no file be called."""


_COMMANDS = {*range(0x20), *range(0x7F, 0xA0)} - {ord("\t"), ord("\n")}
_REORDER = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}
_NO_XML = {*range(0xD800, 0xE000), 0xFFFE, 0xFFFF}
_UNSEEN = dict.fromkeys(_COMMANDS | _REORDER | _NO_XML, "\N{REPLACEMENT CHARACTER}")


def terminal_text(text: str) -> str:
    """Return `text` for a terminal: what would command it, or reorder the text around it, is replaced.

    Examples
    --------
    >>> terminal_text(chr(27) + "[31mred")
    '�[31mred'
    """
    return text.translate(_UNSEEN)


def rich_text(text: str, style: str = "") -> Text:
    """Return `text` for rich, which would take what stands in brackets for markup."""
    from rich.text import Text  # ``tumor-abm --help`` needs none

    return Text(terminal_text(text), style=style)


def html_text(text: str) -> str:
    """Return `text` for HTML and SVG, between tags or in a quoted attribute.

    Examples
    --------
    >>> html_text("<b> & 'c'")
    '&lt;b&gt; &amp; &#x27;c&#x27;'
    """
    return html.escape(terminal_text(text))


def figure_text(text: str) -> str:
    r"""Return `text` for matplotlib, which would set what stands between dollars as mathematics.

    Nor does a legend name what begins with an underscore.

    Examples
    --------
    >>> print(figure_text("$5 or $6"))
    \$5 or \$6
    """
    shown = terminal_text(text).replace("\t", " ").replace("$", r"\$")
    return f"\N{ZERO WIDTH SPACE}{shown}" if shown.startswith("_") else shown


def markdown_text(text: str) -> str:
    r"""Return `text` for a line, or a cell of a table, of Markdown.

    Examples
    --------
    >>> print(markdown_text("a|b *c* <d>"))
    a\|b \*c\* \<d\>
    """
    return re.sub(r"([\\`*_\[\]<>|$&~])", r"\\\1", " ".join(terminal_text(text).split()))


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
