"""A page from a template: one file that needs nothing but itself."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tumor_abm._base.sinks import terminal_text


def render(template: str, parts: Mapping[str, Any]) -> str:
    """Return a page: all words in it are escaped but for the figures and the house's own style and script.

    Parameters
    ----------
    template
        Name of a file in ``templates``.
    parts
        What it asks for.
    """
    script = _own("sort.js")
    return (
        _environment()
        .get_template(template)
        .render(
            {
                "style": Markup(_own("page.css")),
                "script": Markup(script),
                "script_sha256": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
                **parts,
            }
        )
    )


def _own(file: str) -> str:
    return (resources.files("tumor_abm.report") / file).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("tumor_abm.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: Any) -> Any:
    """Replace characters that no page may hold."""
    if isinstance(value, Markup):
        return value
    return terminal_text(value) if isinstance(value, str) else value
