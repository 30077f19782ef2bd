"""Generated pages are what their generators write, as far as that can be told without writing them anew.

All of docs/configuration.md is compared in `test_config.py`, of docs/evolution.md in `test_evolution.py`,
and of docs/verification.md in `.ci/run`, with what `make verify` wrote.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tumor_abm.knowledge import Knowledge
from tumor_abm.run.results import Results
from verification.ledger import PREAMBLE, SECTIONS, read

from tools.evidence import fingerprint
from tools.experiments import write_experiments
from tools.markdown import WIDTH

ROOT = Path(__file__).parents[1]
TEMPLATES = {
    template.stem: template
    for room in ("benchmarks", "tools")
    for template in sorted((ROOT / room).glob("*.md.in"))
}


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def words(text: str) -> str:
    """The words of a text: where lines break is up to its generator."""
    return " ".join(text.split())


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_generated_page_has_everything_that_its_template_says(name: str) -> None:
    text, at = words(page(name)), 0
    *pieces, last = map(words, re.split(r"\{\{ \w+ \}\}", TEMPLATES[name].read_text(encoding="utf-8")))
    for fixed in pieces:
        found = text.find(fixed, at)
        assert found >= 0, f"docs/{name} does not have: {fixed[:80]}"
        at = found + len(fixed)
    assert text[at:].endswith(last)


def test_the_page_of_evidence_is_about_the_numbers_that_come_with_the_package() -> None:
    assert f"numbers {fingerprint(Knowledge.shipped())}." in page("evidence.md")


def test_the_page_of_verification_has_the_form_that_its_generator_writes() -> None:
    text = page("verification.md")
    rows = read(text)
    cases = [
        case["id"] for case in json.loads((ROOT / "tests/verification/reference.json").read_text())["cases"]
    ]
    seen = {row["case"] for row in rows} & set(cases)
    passed = sum(row["pass"] == "yes" for row in rows)
    before_the_kinds = PREAMBLE.partition("{kinds}")[0]
    [run] = re.findall(r"last\n  run on (\d{4}-\d\d-\d\d with version \S+)\. ", text)
    told = before_the_kinds.format(seed="20_260_417", cases=len(seen), rows=len(rows), passed=passed, run=run)
    assert text.startswith(told)
    assert passed == len(rows)
    assert seen == set(cases)
    titles = re.findall(r"^## (.*)$", text, re.M)
    assert titles == [title for title, _ in SECTIONS.values() if title in titles]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"spectra and trees, pharmacokinetics: {len(seen)} results" in readme


def test_an_experiment_is_answered_arm_by_arm_for_each_endpoint(results: Results, tmp_path: Path) -> None:
    for name in re.findall(r"\{\{ (\w+) \}\}", TEMPLATES["experiments.md"].read_text(encoding="utf-8")):
        results.save(tmp_path / name)
    write_experiments(tmp_path, tmp_path / "experiments.md")
    text = (tmp_path / "experiments.md").read_text(encoding="utf-8")
    assert max(map(len, text.splitlines())) <= WIDTH
    rows = re.findall(r"^\| (\w*) ?\| ([^|]+) \|", text.split("\n## ")[1], re.M)
    arms = [arm for _, arm in rows if arm not in ("arm", "---")]
    assert arms[: len(results.arms)] == results.arms
    assert len(arms) % len(results.arms) == 0
