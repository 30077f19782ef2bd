"""The pathway is data: its parts are named in no line of Python or Rust, but for what is listed here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tumor_abm.knowledge import Knowledge

ROOT = Path(__file__).parents[1]
PATHWAY = Knowledge.shipped().pathway
NAMES = {*PATHWAY.constants, *PATHWAY.covariates, *PATHWAY.effects, *PATHWAY.targets, *PATHWAY.nodes}

# What remains. These lists may become shorter, never longer: a name that is gone must be taken off.

WORDS = {
    "division",  # the rates of a clone, which every engine has; also the two outputs of every pathway
    "death",
    "kill",  # an argument of the theory of growth under treatment
}
"""Parts of the pathway that are called by an ordinary word, which code uses in its own sense."""

COVARIATES = {
    "er_dependence": {
        "python/tumor_abm/knowledge/patient_laws.py",  # its law
        "python/tumor_abm/model/setup.py",  # what a caller may set of a patient
        "python/tumor_abm/app/covariate.py",  # the page's sliders
        "python/tumor_abm/report/baseline.py",  # the table of patients at enrolment
        "tools/configuration.py",  # its symbol
        "rust_core/core/src/biology/pathway.rs",  # CellPhysiology and Covariate
        "rust_core/core/src/clinic/patient/covariates.rs",  # how it is drawn
        "rust_core/core/src/clinic/patient/population.rs",  # its law, and what may be given
        "rust_core/core/src/clinic/patient/row.rs",  # a column of patients
    },
    "cyclin_e": {
        "python/tumor_abm/knowledge/patient_laws.py",
        "python/tumor_abm/model/setup.py",
        "python/tumor_abm/app/covariate.py",
        "rust_core/core/src/biology/pathway.rs",
        "rust_core/core/src/clinic/patient/covariates.rs",
        "rust_core/core/src/clinic/patient/population.rs",
        "rust_core/core/src/clinic/patient/row.rs",
    },
    "premenopausal": {
        "python/tumor_abm/knowledge/patient_laws.py",
        "python/tumor_abm/model/setup.py",
        "python/tumor_abm/app/covariate.py",
        "python/tumor_abm/report/baseline.py",
        "python/tumor_abm/treatment/condition.py",  # rules may ask for it
        "python/tumor_abm/treatment/eligibility.py",  # trials may, too
        "python/tumor_abm/calibration/cohorts.py",  # trials in women before menopause
        "rust_core/core/src/biology/pathway.rs",
        "rust_core/core/src/clinic/patient/condition.rs",
        "rust_core/core/src/clinic/patient/covariates.rs",
        "rust_core/core/src/clinic/patient/fit.rs",
        "rust_core/core/src/clinic/patient/population.rs",
        "rust_core/core/src/clinic/patient/row.rs",
        "rust_core/core/src/clinic/plan/eligibility.rs",
    },
}
"""Covariates that the core draws and so must know, and the files that name them."""


def identifiers(source: str) -> Iterator[str]:
    """Yield names of Python, and texts that are names or paths of names; prose and docstrings are none."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for field in ("id", "attr", "arg", "name"):
            found = getattr(node, field, None)
            if isinstance(found, str):
                yield found
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.fullmatch(r"[\w.]+", node.value)
        ):
            yield from node.value.split(".")


def words_of_rust(source: str) -> Iterator[str]:
    """Yield the words of Rust without comments and without its tests."""
    code = re.sub(r"//.*", "", source.split("#[cfg(test)]")[0])
    yield from re.findall(r"\w+", code)


def named() -> dict[str, set[str]]:
    """The names of the pathway that code uses, and where."""
    found: dict[str, set[str]] = {}
    folders = [
        ("python", "*.py", identifiers),
        ("tools", "*.py", identifiers),
        ("rust_core", "*.rs", words_of_rust),
    ]
    for folder, pattern, read in folders:
        for path in (ROOT / folder).rglob(pattern):
            if "tests" in path.parts or "target" in path.parts:
                continue
            for name in NAMES & set(read(path.read_text(encoding="utf-8"))):
                found.setdefault(name, set()).add(path.relative_to(ROOT).as_posix())
    return found


FOUND = named()


@pytest.mark.parametrize("name", sorted(NAMES - WORDS - set(COVARIATES)))
def test_no_code_names_a_part_of_the_pathway(name: str) -> None:
    assert FOUND.get(name, set()) == set()


def test_what_code_still_names_is_what_is_listed() -> None:
    assert {name: FOUND.get(name, set()) for name in COVARIATES} == COVARIATES
    assert {name for name in WORDS if name in FOUND} == WORDS


def test_a_name_in_code_would_be_found() -> None:
    code = '"""Of e2f_half."""\nx = pathway["cdk2_basal"]\ny = "pathway.e2f_hill"\nz = cells.rb_lost\n'
    assert NAMES & set(identifiers(code)) == {"cdk2_basal", "e2f_hill", "rb_lost"}
    rust = "// e2f_half\nlet x = cell.rb_lost;\n#[cfg(test)]\nmod tests { fn cdk2_basal() {} }\n"
    assert NAMES & set(words_of_rust(rust)) == {"rb_lost"}
