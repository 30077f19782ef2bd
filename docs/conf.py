"""How the pages of this folder become a site: `make docs`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

HERE = Path(__file__).parent
ROOT = HERE.parent
PAGES = {"README.md": "index", "CONTRIBUTING.md": "contributing", "CHANGELOG.md": "changelog"}
sys.path.insert(0, str(HERE))

from tumor_abm import __version__  # noqa: E402

project = "tumor_abm"
author = "The tumor_abm developers"
version = release = __version__
extensions = ["myst_nb", "public_names", "numpydoc", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"tumor_abm {release}"
html_show_sphinx = html_show_copyright = html_copy_source = False
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_theme_options = {"source_repository": None, "footer_icons": []}

default_role = "py:obj"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_type_aliases = {name: name for name in ("ArrayLike", "NDArray")}
autodoc_default_options = {
    "members": True,
    "inherited-members": "Model,Agent,BaseModel,Table,ValueError,KeyboardInterrupt,Enum,tuple",
}
numpydoc_show_class_members = False
python_maximum_signature_line_length = 90

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True


def link_to_pages(app: Sphinx, doctree: nodes.document) -> None:
    """Let links of README to files of the repository lead to their page, or be what they are called."""
    for link in list(doctree.findall(addnodes.pending_xref)):
        target = link.get("reftarget", "")
        if link.get("reftype") != "myst" or link.get("refdomain") == "doc" or not target:
            continue
        if target in PAGES:
            page = {"refdomain": "doc", "reftarget": PAGES[target], "reftargetid": None, "refexplicit": True}
            link.attributes.update(page)
        elif (ROOT / target).exists():
            link.replace_self(link.children)


def plain_signature(
    app: Sphinx, what: str, name: str, value: object, options: object, signature: str, returned: str
) -> tuple[str | None, str | None]:
    """Write aliases of types in unions as what they are called."""
    return tuple(
        text and re.sub(r"TypeAliasForwardRef\('(\w+)'\)", r"\1", text) for text in (signature, returned)
    )


def setup(app: Sphinx) -> None:
    """Register what is above."""
    app.connect("doctree-read", link_to_pages)
    app.connect("autodoc-process-signature", plain_signature)
