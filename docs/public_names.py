"""The directive ``public``: documents what a module offers."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module

import tumor_abm
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


def public_names(module: str) -> Iterator[tuple[str, object]]:
    """Yield the names that a module offers, with what they stand for.

    Those of ``__all__`` or, in its absence, the classes and functions that it defines. What the package
    offers itself is not told again.
    """
    found = import_module(module)
    defined = [
        name
        for name, value in vars(found).items()
        if (inspect.isclass(value) or inspect.isfunction(value)) and value.__module__ == module
    ]
    for name in getattr(found, "__all__", defined):
        value = getattr(found, name)
        is_told = found is not tumor_abm and getattr(tumor_abm, name, None) is value
        if not (name.startswith("_") or is_told):
            yield name, value


def _directive(module: str, name: str, value: object) -> list[str]:
    if inspect.isclass(value):
        kind = "exception" if issubclass(value, BaseException) else "class"
        return [f".. auto{kind}:: {module}.{name}", ""]
    if inspect.isroutine(value):
        return [f".. autofunction:: {module}.{name}", ""]
    return [f".. py:data:: {name}", f"   :value: {value!r}", ""]


class Public(SphinxDirective):
    """``.. public:: module``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Document the names one after the other."""
        module = self.arguments[0]
        lines = [f".. py:module:: {module}", ""]
        for name, value in public_names(module):
            lines += _directive(module, name, value)
        return self.parse_text_to_nodes("\n".join(lines))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("public", Public)
    return {"parallel_read_safe": True}
