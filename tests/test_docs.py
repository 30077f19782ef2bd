"""The site of the documentation: it is built without a warning, and no public name is missing."""

from __future__ import annotations

import inspect
import json
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
import tumor_abm
from sphinx.util.inventory import InventoryFile

DOCS = Path(__file__).parents[1] / "docs"
DOORS = {"app", "cli"}
"""Packages for people, not for programs."""
OWN = {
    *(
        f"tumor_abm.run.{own}"
        for own in ("chunk", "cluster", "directory", "local", "lock", "screening", "side_by_side")
    ),
    *("tumor_abm.run.shard", "tumor_abm.run.tables", "tumor_abm.evolution.rates", "tumor_abm.evolution.vcf"),
}
"""Modules for ourselves."""


def built(source: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """Build a site without running its tutorial."""
    options = ["-q", "-W", "--keep-going", "-D", "nb_execution_mode=off"]
    return subprocess.run(
        [sys.executable, "-m", "sphinx", *options, str(source), str(out)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    said = built(DOCS, out)
    assert said.returncode == 0, said.stderr
    return out


def public_names() -> dict[str, set[str]]:
    """What may be imported, each with the names under which it may be told."""
    found = {
        f"tumor_abm.{name}": {f"tumor_abm.{name}"} for name in tumor_abm.__all__ if name != "__version__"
    }
    for module in public_modules(tumor_abm):
        imported = import_module(module)
        names = getattr(imported, "__all__", None) or [
            name
            for name, value in vars(imported).items()
            if inspect.isroutine(value) or inspect.isclass(value)
            if value.__module__ == module and not name.startswith("_")
        ]
        for name in names:
            same = getattr(tumor_abm, name, None) is getattr(imported, name)
            found[f"{module}.{name}"] = {f"tumor_abm.{name}" if same else f"{module}.{name}"}
    return found


def public_modules(package: ModuleType) -> Iterator[str]:
    """Yield the modules of a package; of packages that say what they offer, the package alone."""
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        last = module.name.rpartition(".")[2]
        if last.startswith("_") or last in DOORS or module.name in OWN:
            continue
        imported = import_module(module.name)
        if module.ispkg and not hasattr(imported, "__all__"):
            yield from public_modules(imported)
        else:
            yield module.name


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    told = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="").data
    names = {name for kind, objects in told.items() if kind.startswith("py:") for name in objects}
    names |= set(told["py:module"])
    missing = [name for name, any_of in public_names().items() if not any_of & names]
    assert not missing
    assert {"tumor_abm.Population.step", "tumor_abm.analysis.survival.kaplan_meier"} <= names


def test_links_between_pages_and_to_files_of_the_repository_lead_where_they_say(site: Path) -> None:
    front, tutorial = ((site / f"{name}.html").read_text(encoding="utf-8") for name in ("index", "tutorial"))
    article = tutorial.split("<article")[1]
    for page in ("experiments.html", "calibration.html", "reference/index.html"):
        assert f'href="{page}"' in article
    article = front.split("<article")[1]
    for page in ("contributing.html", "changelog.html", "calibration.html"):
        assert f'href="{page}"' in article
    assert "CITATION.cff" in article
    assert 'href="CITATION.cff"' not in article


def test_readers_load_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        for tag in ("<script src=", '<link rel="stylesheet"', "<img "):
            assert not any("://" in piece.split(">")[0] for piece in text.split(tag)[1:]), page


@pytest.mark.parametrize("link", ["nowhere.md", "other.md#no-such-heading"])
def test_a_link_that_leads_nowhere_is_an_error(tmp_path: Path, link: str) -> None:
    for name in ("conf.py", "public_names.py", "site.css"):
        (tmp_path / name).write_text((DOCS / name).read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "index.md").write_text(f"# A page\n\n[a link]({link})\n\n```{{toctree}}\nother\n```\n")
    (tmp_path / "other.md").write_text("# Another page\n")
    said = built(tmp_path, tmp_path / "out")
    assert said.returncode == 1
    assert "myst.xref_missing" in said.stderr


def test_the_tutorial_is_kept_without_outputs() -> None:
    cells = json.loads((DOCS / "tutorial.ipynb").read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert len(code) > 5
    assert not any(cell["outputs"] or cell["execution_count"] for cell in code)
