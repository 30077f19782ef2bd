"""Damaged files and directories, through the doors that read them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from random import Random

import tumor_abm as ta
from tumor_abm.calibration.store import calibrate
from tumor_abm.knowledge.ensemble import Ensemble
from tumor_abm.report import write_report
from tumor_abm.study import summarise, write_mutations, write_trees
from tumor_abm.trials import Prediction

from fuzz import odd, sound
from fuzz.damage import KINDS, forge
from fuzz.doors import BrokenError, command, must_equal, refused


def _taken(rng: Random, scratch: Path, name: str) -> tuple[Path, bool]:
    """Copy a sound thing and damage it; say whether its sums were changed with it."""
    folder = scratch / name
    shutil.copytree(sound.FOLDER / name, folder)
    place = folder / "out" if (folder / "out").is_dir() else folder
    forged = name.startswith(("unfinished", "calibration")) and rng.random() < 0.4
    for _ in range(rng.choice([1, 1, 1, 2])):
        if forged:
            forge(rng, place)
        else:
            KINDS[rng.choice(list(KINDS))](rng, place)
        if not any(path.is_file() for path in place.rglob("*")):
            break
    return folder, forged


def _tables(name: str) -> list[str]:
    return sorted(path.name for path in (sound.FOLDER / name / "out").glob("*.parquet"))


def run(rng: Random, scratch: Path) -> None:
    """A run, finished or not: compared as it was, gone on with as if nothing had happened, or refused."""
    name = rng.choice(["run", "unfinished_run"])
    folder, forged = _taken(rng, scratch, name)
    out, file = folder / "out", folder / "x.toml"
    compared = command("compare", out)
    if compared.done and not forged and compared.out != command("compare", sound.FOLDER / "run" / "out").out:
        raise BrokenError("another comparison, and nothing was said")
    if compared.done and rng.random() < 0.05:
        refused(write_report, ta.Results.load(out), scratch)
    again = command("run", file, "--out", out, "--jobs", "1", "--no-figures")
    if again.done and not forged:
        must_equal(out, sound.FOLDER / "run" / "out", _tables("run"))


def study(rng: Random, scratch: Path) -> None:
    """A study, finished or not."""
    name = rng.choice(["study", "unfinished_study"])
    folder, forged = _taken(rng, scratch, name)
    out = folder / "out"
    again = command("evolve", folder / "x.toml", "--out", out, "--jobs", "1", "--no-figures")
    if again.done and not forged:
        must_equal(
            out,
            sound.FOLDER / "study" / "out",
            [name for name in _tables("study") if name != "summary.parquet"],
        )
    unread, results = refused(ta.Results.load, out)
    if not unread and not again.done:
        for make in (summarise, lambda r: write_mutations(r, scratch), lambda r: write_trees(r, scratch)):
            refused(make, results)


def prediction(rng: Random, scratch: Path) -> None:
    """Predictions that are kept, and parts of one that was interrupted."""
    folder, forged = _taken(rng, scratch, rng.choice(["prediction", "parts"]))
    refused(Prediction.load, folder / "out")
    out = folder / "out.parquet"
    ensemble = ["--ensemble", folder / "ensemble.json"]
    said = command("predict", sound.TRIAL, "--out", out, "--patients", "2", *ensemble, "--jobs", "1")
    if said.done and not forged and Ensemble.load(folder / "ensemble.json") == Ensemble.defaults():
        expected = sound.FOLDER / "prediction" / "out" / "predictions.parquet"
        if out.read_bytes() != expected.read_bytes():
            raise BrokenError("another prediction, and nothing was said")


def ensemble(rng: Random, scratch: Path) -> None:
    """Parameter sets."""
    file = scratch / "ensemble.json"
    written = (sound.FOLDER / "ensemble" / "ensemble.json").read_bytes()
    if rng.random() < 0.7:
        tables = odd.mutated(rng, json.loads(written))
        file.write_text(json.dumps(tables, default=str), encoding="utf-8", errors="surrogatepass")
    else:
        file.write_bytes(odd.damaged(rng, written))
    if rng.random() < 0.1:
        command("predict", sound.TRIAL, "--out", scratch / "p.parquet", "--patients", "2", "--ensemble", file)
    else:
        was_refused, found = refused(Ensemble.load, file)
        if not was_refused:
            for member in found.members:
                refused(member.knowledge)
            refused(found.drawn, 1)


def model(rng: Random, scratch: Path) -> None:
    """Saved patients and populations."""
    name = rng.choice(["patient", "population", "bare"])
    file = scratch / name
    file.write_bytes((sound.FOLDER / "models" / name).read_bytes())
    forged = rng.random() < 0.5
    if forged:
        _repacked(rng, file)
    else:
        file.write_bytes(odd.damaged(rng, file.read_bytes()))
    load = ta.Population.load if name == "population" else ta.TumorModel.load
    was_refused, loaded = refused(load, file)
    if not (was_refused or forged):
        refused(loaded.step)
        refused(loaded.save, scratch / "again")


def _repacked(rng: Random, file: Path) -> None:
    """Change a member of a saved model, whose sums are right again afterwards."""
    from tumor_abm._base.archive import read_archive, write_archive

    members = read_archive(file, "model")
    name = rng.choice(sorted(members))
    if name.endswith(".json") and rng.random() < 0.8:
        members[name] = json.dumps(odd.mutated(rng, json.loads(members[name])), default=str).encode()
    elif rng.random() < 0.1:
        del members[name]
    else:
        members[name] = odd.damaged(rng, members[name])
    write_archive(file, members)


def calibration(rng: Random, scratch: Path) -> None:
    """The journal of a calibration, gone on with and learnt from."""
    folder, _ = _taken(rng, scratch, "calibration")

    def enough(done: int) -> None:
        raise sound.EnoughError

    arguments = sound.SMALL_CALIBRATION
    out = folder / "out"
    if rng.random() < 0.5:
        arguments, out = arguments | {"known": [out], "waves": ()}, scratch / "new"
    try:
        refused(calibrate, out, **arguments, progress=enough)
    except sound.EnoughError:
        return
