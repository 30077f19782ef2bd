"""The pathway and the clinic are data: what fits one cancer alone is named in no line of Python or Rust."""

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

# What remains. The list may become shorter, never longer: a name that is gone must be taken off.

WORDS = {
    "division",  # the rates of a clone, which every engine has; also the two outputs of every pathway
    "death",
    "kill",  # an argument of the theory of growth under treatment
}
"""Parts of the pathway that are called by an ordinary word, which code uses in its own sense."""


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


@pytest.mark.parametrize("name", sorted(NAMES - WORDS))
def test_no_code_names_a_part_of_the_pathway(name: str) -> None:
    assert FOUND.get(name, set()) == set()


def test_what_code_still_names_is_what_is_listed() -> None:
    assert {name for name in WORDS if name in FOUND} == WORDS


def test_a_name_in_code_would_be_found() -> None:
    code = '"""Of e2f_half."""\nx = pathway["cdk2_basal"]\ny = "pathway.e2f_hill"\nz = cells.rb_lost\n'
    assert NAMES & set(identifiers(code)) == {"cdk2_basal", "e2f_hill", "rb_lost"}
    rust = "// e2f_half\nlet x = cell.rb_lost;\n#[cfg(test)]\nmod tests { fn cdk2_basal() {} }\n"
    assert NAMES & set(words_of_rust(rust)) == {"rb_lost"}


# --- words of one cancer ------------------------------------------------------------------------------------

KNOWN = Knowledge.shipped()
ORDINARY_WORDS = [
    *["breast", "mammary", "visceral", "viscera", "bone", "liver", "ovary", "ovaries", "ovarian"],
    *["menopause", "menopausal", "premenopausal", "postmenopausal", "women", "hormone", "endocrine"],
    *["estradiol", "estrogen", "aromatase", "luminal"],
]
OF_ONE_CANCER = {
    *KNOWN.sites,
    *KNOWN.therapies,
    *KNOWN.populations,
    *KNOWN.drugs,
    *KNOWN.alterations,
    *(alteration.gene for alteration in KNOWN.alterations.values()),
    *(drug.class_ for drug in KNOWN.drugs.values()),
    *ORDINARY_WORDS,
    *map(str.capitalize, ORDINARY_WORDS),
    *["HER2", "SERD", "CDK4", "CDK6", "cdk46", "CDK4/6"],
} - {"other", "state", "EMT"}
"""What fits the cancer that comes with the package; without words of any cancer."""

ABOUT_WHAT_IS_SHIPPED = (
    "python/tumor_abm/calibration",  # it fits what comes with the package to trials in breast cancer
    "python/tumor_abm/trials",
    "python/tumor_abm/knowledge/evidence",
)
SAYS_WHAT_IS_SHIPPED = {("python/tumor_abm/__init__.py", "breast"), ("python/tumor_abm/__init__.py", "HER2")}
"""The one sentence that says which cancer comes with the package."""


def texts_of(source: str) -> Iterator[str]:
    """Yield the texts of Python, docstrings and help included, and its names; examples are left out."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.sub(r"(?ms)^ *>>>.*?(^\s*$|\Z)|^  tumor-abm [^\n]*$", "", node.value)
    yield from identifiers(source)


def texts_of_rust(source: str) -> Iterator[str]:
    """Yield Rust without comments and without its tests."""
    yield re.sub(r"//.*", "", source.split("#[cfg(test)]")[0])


def whole(source: str) -> Iterator[str]:
    """Yield a file as it is: what a page or a report is made of."""
    yield source


def words_of_one_cancer(texts: Iterator[str]) -> set[str]:
    """Return those of `OF_ONE_CANCER` that stand in some texts as words, or parts of names."""
    text = "\n".join(texts)
    words = "|".join(map(re.escape, sorted(OF_ONE_CANCER, key=len, reverse=True)))
    return set(re.findall(rf"(?<![A-Za-z0-9])(?:{words})(?![A-Za-z0-9])", text))


def said_of_one_cancer() -> set[tuple[str, str]]:
    """Return file and word of all that code, pages and reports say of one cancer."""
    readers = {".py": texts_of, ".pyi": whole, ".rs": texts_of_rust}
    readers |= dict.fromkeys((".vue", ".css", ".js", ".html"), whole)
    found = set()
    for path in (*(ROOT / "python").rglob("*"), *(ROOT / "rust_core").rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        if path.suffix not in readers or "tests" in path.parts or name.startswith(ABOUT_WHAT_IS_SHIPPED):
            continue
        texts = readers[path.suffix](path.read_text(encoding="utf-8"))
        found |= {(name, word) for word in words_of_one_cancer(texts)}
    return found


def test_no_code_page_or_report_says_a_word_of_one_cancer_alone() -> None:
    assert said_of_one_cancer() == SAYS_WHAT_IS_SHIPPED


def test_a_word_of_one_cancer_would_be_found() -> None:
    code = '"""Of menopause."""\nx = row["bone_only"]\nhelp = "in visceral disease"\n_GENES = ("ESR1",)\n'
    assert words_of_one_cancer(texts_of(code)) == {"menopause", "bone_only", "visceral", "ESR1"}
    assert words_of_one_cancer(texts_of('"""A.\n\n>>> f("ESR1")\n\nB."""\n')) == set()
    rust = "// visceral\npub visceral_growth: f64;\n#[cfg(test)]\nmod tests { fn endocrine() {} }\n"
    assert words_of_one_cancer(texts_of_rust(rust)) == {"visceral"}
    assert words_of_one_cancer(whole('<p title="Before menopause">')) == {"menopause"}
