"""The page of what a patient costs: its rows, and who wrote it. No time is judged."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import numpy as np
import pytest
from tumor_abm.knowledge import Knowledge

from benchmarks import python_clones
from benchmarks.performance import ROWS, Cost, Measured, page

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
ASKED = {
    "tumour cells at diagnosis": ["1e08", "1e10", "1e12"],
    "arms": ["1", "2", "4"],
    "lines": ["1", "2", "3"],
    "alterations": ["core set", "everything on"],
    "years of follow-up": ["2", "5", "10"],
}


def made_up() -> Measured:
    """Costs that nobody measured."""
    designs = [design for rows in ROWS.values() for design in rows.values()]
    return Measured(
        costs={
            design: Cost(ms=(10.0, 12.0, 11.0), growth_days=2000.0, followed_days=1000.0, genotypes=20.0)
            for design in designs
        },
        numpy_us=0.11,
        python_us=1.1,
        mesa_us=0.5,
        shipped_ms=(14.0, 16.0, 12.0),
        spread=0.2,
        machine="a machine",
    )


def tables(text: str) -> dict[str, list[list[str]]]:
    """Rows of every table by the first word of its header."""
    found: dict[str, list[list[str]]] = {}
    for block in re.findall(r"(?m)(?:^\|.*\n)+", text):
        header, _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in block.splitlines())
        found[header[0]] = [header, *rows]
    return found


def test_the_page_has_the_rows_that_are_asked_for_as_time_and_over_every_baseline() -> None:
    found = tables(PAGE.read_text(encoding="utf-8"))
    assert {name: [row[0] for row in rows[1:]] for name, rows in found.items() if name != "what"} == ASKED
    for name in ASKED:
        header, *rows = found[name]
        for row in rows:
            told = dict(zip(header, row, strict=True))
            assert re.fullmatch(r"[\d,.]+ ms", told["a patient"])
            assert re.fullmatch(r"\d+%", told["noise"])
            for baseline in ("numpy", "plain Python", "Mesa"):
                assert re.fullmatch(r"[\d.]+(e\d+)? x", told[baseline])


def test_the_script_writes_the_page_but_for_what_was_measured() -> None:
    def form(text: str) -> list[str]:
        """What is no measurement: the first paragraph names the machine, goals are reached or not."""
        text = re.sub(
            r"Measured on [^;]*(;[^;]*)*; others", "Measured on this; others", " ".join(text.split())
        )
        return re.sub(r"[\d,.]*\d(e\d+)?|reached|missed", "#", text).split()

    assert form(PAGE.read_text(encoding="utf-8")) == form(page(made_up()))


def test_costs_are_told_per_day_of_a_genotype_and_over_the_baselines() -> None:
    header, row, *_ = tables(page(made_up()))["lines"]
    told = dict(zip(header, row, strict=True))
    # 11 ms for 20 genotypes on 1000 days of follow-up and, half as many, on 2000 of growth: 0.275 µs.
    assert told["a patient"] == "11.0 ms"
    assert told["noise"] == "9%"
    assert told["a genotype's day"] == "0.28 µs"
    assert (told["numpy"], told["plain Python"]) == ("0.4 x", "4.0 x")


def test_designs_vary_what_their_table_says() -> None:
    def experiment(table: str, row: str) -> dict[str, object]:
        return ROWS[table][row].core()

    assert [len(experiment("arms", row)["arms"]) for row in ASKED["arms"]] == [1, 2, 4]
    assert [len(experiment("lines", row)["arms"][0]["lines"]) for row in ASKED["lines"]] == [1, 2, 3]
    everything = experiment("alterations", "everything on")["alterations"]
    assert {each["name"] for each in everything} == set(Knowledge.shipped().alterations)
    assert len(experiment("alterations", "core set")["alterations"]) < len(everything)
    volumes = [
        experiment("tumour cells at diagnosis", row)["population"]["diagnosis_volume_cm3"]["median"]
        for row in ASKED["tumour cells at diagnosis"]
    ]
    assert volumes == pytest.approx([0.48, 48.0, 4800.0])


@pytest.mark.parametrize(
    ("trials", "chance"), [(30, 0.1), (1000, 0.3), (10**6, 0.045), (10**12, 1e-8), (50, 0.9)]
)
def test_the_law_in_plain_python_draws_binomials(trials: int, chance: float) -> None:
    rng, draws = Random(20_260_417), 20_000
    drawn = np.array([python_clones.binomial(rng, trials, chance) for _ in range(draws)], dtype=float)
    mean, variance = trials * chance, trials * chance * (1 - chance)
    # Five standard errors: one test in a million fails by chance.
    assert drawn.mean() == pytest.approx(mean, abs=5 * (variance / draws) ** 0.5)
    kurtosis = 3 + (1 - 6 * chance * (1 - chance)) / variance
    assert drawn.var() == pytest.approx(variance, abs=5 * variance * ((kurtosis - 1) / draws) ** 0.5)
