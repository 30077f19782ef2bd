"""Studies of clonal evolution, from the file to the figures."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tumor_abm.cli import main
from tumor_abm.errors import InputError
from tumor_abm.run.experiment import Interrupted
from tumor_abm.study import Study, genealogy, load_study, run_study, summarise
from tumor_abm.study import run as running

from tools.evolution import write_evolution

CASES = Path(__file__).parent / "cases"
SHIPPED = Path(__file__).parents[1] / "experiments" / "evolution" / "neutral_or_selected.toml"

SMALL = """
title = "Small"
question = "Does it work?"
seed = 5
replicates = 2
cells = 400
whole_tumour_cells = 100
[genome]
mutations_per_division = 5
truncal = 10
[sequencing]
single_cells = 3
[[scenario]]
name = "Mixed"
types = ["founder", "driver"]
division = [0.5, 0.6]
death = [0.1, 0.1]
mutation = [[0.01, 0.01], [0, 0.01]]
[[scenario]]
name = "In 2-D"
types = ["founder"]
division = [0.5]
death = [0.1]
mutation = [[0.01]]
space = { dimensions = 2 }
[[biopsy]]
name = "left"
centre = [-0.6, 0, 0]
cells = 40
[[biopsy]]
name = "needle"
shape = "needle"
cells = 40
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


@pytest.fixture(scope="module")
def study() -> Study:
    import tomllib

    return Study.from_dict(tomllib.loads(SMALL))


@pytest.fixture(scope="module")
def results(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return run_study(study, tmp_path_factory.mktemp("study") / "out", jobs=1)


def test_the_command_writes_tables_files_and_figures(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = small.parent / "out"
    assert main(["evolve", str(small), "--out", str(out), "--jobs", "2"]) == 0
    printed = capsys.readouterr().out
    assert "Mixed" in printed
    assert "In 2-D" in printed
    assert (out / "provenance.json").is_file()
    assert {path.stem for path in (out / "figures").glob("*.png")} == {
        "spectra",
        "neutrality",
        "maps",
        "muller",
    }
    assert len(list((out / "maf").glob("*.maf.gz"))) == 4
    assert len(list((out / "trees").glob("*.nwk"))) == 4 * 3
    assert pl.read_parquet(out / "summary.parquet")["tumours"].to_list() == [2, 2]
    # Again: nothing is computed, and the same is printed.
    assert main(["evolve", str(small), "--out", str(out), "--no-figures"]) == 0
    assert capsys.readouterr().out.splitlines()[:4] == printed.splitlines()[:4]


def test_scenarios_and_biopsies_whose_names_look_alike_have_files_and_barcodes_of_their_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = (CASES / "evolve_names.toml").read_text(encoding="utf-8")
    alike = ["left A", "left/A", "LEFT A", "Whole Tumour"]
    written += "".join(f"[[biopsy]]\nname = '{name}'\nshape = 'random'\ncells = 40\n" for name in alike)
    (tmp_path / "study.toml").write_text(written, encoding="utf-8")
    out = tmp_path / "out"
    assert main(["evolve", str(tmp_path / "study.toml"), "--out", str(out), "--no-figures"]) == 0
    printed = capsys.readouterr().out
    assert "maf/, 5 tumours" in printed
    assert "trees/, 25 samples" in printed
    assert sorted(path.name for path in (out / "maf").iterdir()) == [
        "mu-0.maf.gz",
        "s_0.1-0.maf.gz",
        "s_0.1_2-0.maf.gz",
        "s_0.1_3-0.maf.gz",
        "sigma-0.maf.gz",
    ]
    assert len({path.name.lower() for path in (out / "trees").glob("*.nwk")}) == 25
    for path in (out / "maf").iterdir():
        table = pl.read_csv(path, separator="\t", comment_prefix="#")
        assert table["Tumor_Sample_Barcode"].n_unique() == 5


def test_a_tumour_without_mutations_has_a_maf_without_rows(tmp_path: Path) -> None:
    without = SMALL.replace("mutations_per_division = 5", "mutations_per_division = 0")
    without = without.replace("truncal = 10", "truncal = 0").replace(
        "[0.01, 0.01], [0, 0.01]", "[0, 0], [0, 0]"
    )
    (tmp_path / "study.toml").write_text(without, encoding="utf-8")
    out = tmp_path / "out"
    assert main(["evolve", str(tmp_path / "study.toml"), "--out", str(out), "--no-figures"]) == 0
    files = sorted((out / "maf").iterdir())
    assert len(files) == 4
    texts = [gzip.decompress(path.read_bytes()).decode() for path in files]
    assert [text.count("\n") for text in texts] == [2] * 4
    assert texts[0].splitlines()[1].startswith("Hugo_Symbol\t")


def test_tables_do_not_depend_on_threads_or_interruptions(
    study: Study, results: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulate, calls = running.simulate, []

    def interrupted(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return simulate(*arguments)

    monkeypatch.setattr(running, "simulate", interrupted)
    with pytest.raises(Interrupted, match="after 2 of 4 tumours"):
        run_study(study, tmp_path / "out", jobs=1)
    assert not (tmp_path / "out" / "provenance.json").exists()
    calls.clear()
    again = run_study(study, tmp_path / "out", jobs=2)
    assert len(calls) == 2
    assert sorted(again.tables) == sorted(results.tables)
    for name in results.tables:
        assert again[name].equals(results[name]), name


def test_a_tumour_does_not_depend_on_other_scenarios(study: Study, results: Any) -> None:
    from tumor_abm.study.tumour import simulate

    data = study.resolved()
    alone = Study.from_dict(data | {"scenario": data["scenario"][1:]})
    tables = simulate(alone, 0, 1, lambda: False)
    mine = (pl.col("scenario") == "In 2-D") & (pl.col("replicate") == 1)
    for name in ("clones", "variants", "nodes"):
        assert tables[name].equals(results[name].filter(mine)), name


def test_what_the_tables_say_of_each_other(study: Study, results: Any) -> None:
    tumours = results["tumours"]
    assert (tumours["cells"] >= 400).all()
    for row in tumours.iter_rows(named=True):
        here = (pl.col("scenario") == row["scenario"]) & (pl.col("replicate") == row["replicate"])
        clones = results["clones"].filter(here)
        assert clones["cells"].sum() == row["cells"]
        history = results["history"].filter(here)
        assert history.filter(pl.col("day") == row["day"])["cells"].sum() == row["cells"]
        variants = results["variants"].filter(here)
        truncal = variants.filter((pl.col("origin") == "truncal") & (pl.col("sample") == "left"))
        assert (truncal["cancer_cell_fraction"] == 1).all()
        assert row["clonal"] + row["subclonal"] == variants.filter(pl.col("sample") == "whole tumour").height
        biopsied = variants.filter(pl.col("sample") != "whole tumour")["mutation"].n_unique()
        assert row["in_all_biopsies"] + row["shared"] + row["private"] == biopsied
        tree = genealogy(results, row["scenario"], row["replicate"], "left")
        assert tree.cells.height == 40
        assert np.isclose(tree.day, row["day"])
    assert (results["sampled_cells"].filter(pl.col("scenario") == "Mixed")["x"].is_null()).all()
    summary = summarise(results)
    assert summary["scenario"].to_list() == ["Mixed", "In 2-D"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("cells = 400", "cells = 400.5"), "cells: found 400.5; allowed: a whole number"),
        (("death = [0.1]\n", "death = [0.6]\n"), "scenario[1]: the first type does not grow"),
        (("division = [0.5]", "division = [5.0]"), "dt_days = 0.25 is too long for its rates"),
        (("division = [0.5]", "division = [0.5, 1]"), "division: found 2 entries; allowed: 1, one per type"),
        (("dimensions = 2", "dimensions = 4"), "scenario[1].space.dimensions: found 4"),
        (('shape = "needle"', 'shape = "nedle"'), 'did you mean "needle"?'),
        (("[genome]", "[genom]"), 'did you mean "genome"?'),
        (("cells = 40\n[[", "cells = 4000\n[["), "a sample takes more, 4000"),
        (('name = "left"', 'name = "needle"'), 'biopsy: the name "needle" is there twice'),
    ],
)
def test_bad_studies_are_exit_code_2(
    small: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], message: str
) -> None:
    assert change[0] in SMALL
    small.write_text(SMALL.replace(*change))
    assert main(["evolve", str(small), "--out", str(small.parent / "out")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "small.toml" in error
    assert not (small.parent / "out").exists()


def test_a_tumour_that_cannot_grow_so_large_is_bad_input(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small.write_text(SMALL.replace("cells = 400", "cells = 400\nwithin_days = 3"))
    assert main(["evolve", str(small), "--out", str(small.parent / "out")]) == 2
    assert "cells only in 3 days" in capsys.readouterr().err


def test_ctrl_c_is_exit_code_130(
    small: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "simulate", interrupt)
    assert main(["evolve", str(small), "--out", str(small.parent / "out")]) == 130
    assert "interrupted after 0 of 4 tumours; run the same command again" in capsys.readouterr().err


def test_a_directory_of_something_else_is_left_alone(study: Study, results: Any, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="holds other files"):
        run_study(study, tmp_path)
    other = Study.from_dict(study.resolved() | {"replicates": 1})
    run_study(other, tmp_path / "out", jobs=1)
    with pytest.raises(InputError, match="holds the result of another"):
        run_study(study, tmp_path / "out")


def test_the_shipped_study_is_sound() -> None:
    study = load_study(SHIPPED, replicates=1)
    assert study.tumours == 6
    assert Study.from_dict(study.resolved()).resolved() == study.resolved()


@pytest.mark.slow
def test_the_page_follows_from_the_shipped_study(tmp_path: Path) -> None:
    results = run_study(load_study(SHIPPED), tmp_path / "out")
    write_evolution(results, tmp_path / "evolution.md")
    page = SHIPPED.parents[2] / "docs" / "evolution.md"
    assert (tmp_path / "evolution.md").read_text(encoding="utf-8") == page.read_text(encoding="utf-8")
