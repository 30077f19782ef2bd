"""Results that were edited by hand, checksums included, are compared or refused, whatever was edited."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import tomli_w
from arms import arm, experiment
from tumor_abm import run_experiment
from tumor_abm._base.files import read_sums, sha256_of, write_sums
from tumor_abm.cli import main
from tumor_abm.cli.main import BAD_INPUT, DONE

Edit = Callable[[Path], object]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "out"
    run_experiment(experiment(arm("A", ["letrozole"]), arm("B", ["fulvestrant"]), patients=6), out)
    return out


def table(name: str, edit: Callable[[pl.DataFrame], pl.DataFrame]) -> Edit:
    def write(out: Path) -> None:
        path = out / f"{name}.parquet"
        edit(pl.read_parquet(path)).write_parquet(path)

    return write


def written(edit: Callable[[dict[str, Any]], object]) -> Edit:
    def write(out: Path) -> None:
        path = out / "experiment.toml"
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        edit(tables)
        path.write_text(tomli_w.dumps(tables), encoding="utf-8")

    return write


def provenance(edit: Callable[[dict[str, Any]], object]) -> Edit:
    def write(out: Path) -> None:
        path = out / "provenance.json"
        noted = json.loads(path.read_text(encoding="utf-8"))
        edit(noted)
        path.write_text(json.dumps(noted), encoding="utf-8")

    return write


EDITS: dict[str, Edit] = {
    "a table without a column": table("outcomes", lambda t: t.drop("pfs_months")),
    "a column of another type": table(
        "outcomes", lambda t: t.with_columns(pl.col("pfs_event").cast(pl.String))
    ),
    "months in words": table("overall", lambda t: t.with_columns(os_months=pl.lit("long"))),
    "no rows": table("outcomes", lambda t: t.clear()),
    "nobody": table("overall", lambda t: t.clear()),
    "an arm that there is not": table("outcomes", lambda t: t.with_columns(arm=pl.lit("C"))),
    "nothing but nothing": table("outcomes", lambda t: t.with_columns(pfs_months=None)),
    "negative times": table("overall", lambda t: t.with_columns(os_months=-pl.col("os_months"))),
    "an experiment without arms": written(lambda e: e.pop("arm")),
    "arms that are no tables": written(lambda e: e.update(arm=["A", "B"])),
    "arms without names": written(lambda e: [each.pop("name") for each in e["arm"]]),
    "an arm of another name": written(lambda e: e["arm"][0].update(name="Z")),
    "lines that are no lines": written(lambda e: e["arm"][0].update(line="fulvestrant")),
    "a control that is none": written(lambda e: e.update(control="Z")),
    "no title": written(lambda e: e.pop("title")),
    "another table of tables": provenance(lambda p: p.update(tables={"outcomes": 1})),
    "tables without rows": provenance(lambda p: p.update(tables=dict.fromkeys(p["tables"], "many"))),
}


@pytest.mark.parametrize("edit", EDITS)
def test_what_was_forged_is_compared_or_refused(
    edit: str, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = shutil.copytree(made, tmp_path / "out")
    EDITS[edit](out)
    write_sums(out, {name: sha256_of(out / name) for name in read_sums(out)})
    code = main(["compare", str(out)])
    said = capsys.readouterr().err
    assert code in (DONE, BAD_INPUT)
    assert "Traceback" not in said
    assert code == DONE or said.splitlines()[-1].startswith(f"tumor-abm: {out}")
