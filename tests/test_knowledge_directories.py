"""A directory of knowledge is one change, may replace what is shipped, and is faulted file by file."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from tumor_abm.cli import main
from tumor_abm.config import Experiment, load_experiment
from tumor_abm.errors import InputError
from tumor_abm.knowledge import Knowledge
from tumor_abm.run.experiment import run_experiment

KNOWN = Knowledge.shipped()
LUNG = (
    Path(__file__).parents[1]
    / "experiments"
    / "other_cancers"
    / "egfr_lung"
    / "first_or_third_generation.toml"
)

NODE = """
[node.division]
label = "Division"
formula = "patient.division * (1 - drug.mine)"
unit = "per day"
[node.death]
label = "Death"
formula = "patient.death"
unit = "per day"
"""
TARGET = '[target.mine]\nlabel = "Slows division"\n'
COVARIATES = "".join(
    f'[covariate.{name}]\nlabel = "Rate of {name}"\nunit = "per day"\nlow = 0\nhigh = 0.5\n'
    for name in ("division", "death")
)
ALL = 'replaces = ["pathway", "alteration", "drug", "population"]\n'
DRUG = """
[drug.brake]
class = "brake"
dose = { value = 1.0, unit = "mg" }
route = "oral"
schedule = { days = "1-28", cycle_days = 28 }
neutrophil_slope = 0.0
discontinuation_per_month = 0.0
kinetics = { half_life_h = 24.0, t_max_h = 1.0, steady_state = 1.0, dosing_interval_h = 24.0 }
effects = { mine = { max = 1.0, ic50 = 0.1, hill = 1.0 } }
"""
EXPERIMENT = """
title = "t"
question = "Does it?"
seed = 1
patients = 2
end_with_last_line = true
knowledge = ["mine/"]
"""


def directory(tmp_path: Path, **files: str) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


def population() -> str:
    """The lung patients of the example, under another name."""
    text = (LUNG.parent / "knowledge" / "population.toml").read_text(encoding="utf-8")
    return text.replace("egfr_lung", "mine")


def test_files_of_a_directory_name_each_others_entries_in_any_order(tmp_path: Path) -> None:
    erk = '[target.erk]\nlabel = "Inhibits ERK"\n'
    node = '[node.akt_signal]\nformula = "(pi3k_signal + alteration.pten_gain + alteration.akt_gain)'
    node += ' * (1 - drug.akt) * (1 - drug.erk)"\n'
    drug = DRUG.replace("mine", "erk")
    known = KNOWN.with_file(directory(tmp_path, a=drug, b=node, c=erk))
    assert "erk" in known.pathway.targets
    assert known.drugs["palbociclib"] == KNOWN.drugs["palbociclib"]
    for file in (tmp_path / "mine").iterdir():  # one after the other, none of the first two would do
        with pytest.raises(InputError):
            KNOWN.with_file(file)


def test_what_is_replaced_is_gone_and_the_rest_stays(tmp_path: Path) -> None:
    sources = (LUNG.parent / "knowledge" / "sources.toml").read_text(encoding="utf-8")
    folder = directory(tmp_path, a=ALL + COVARIATES, b=NODE + TARGET, c=DRUG, d=population(), e=sources)
    known = KNOWN.with_file(folder)
    assert (list(known.drugs), list(known.alterations), list(known.populations)) == (["brake"], [], ["mine"])
    pathway = known.pathway
    assert not pathway.constants
    assert not pathway.effects
    assert (list(pathway.targets), set(pathway.nodes)) == (["mine"], {"division", "death"})
    assert known.sources.items() >= KNOWN.sources.items()
    assert (known.imaging, known.assay, known.neutropenia) == (KNOWN.imaging, KNOWN.assay, KNOWN.neutropenia)


def test_the_core_alterations_of_the_new_set_are_in_play(tmp_path: Path) -> None:
    assert load_experiment(LUNG).alterations == [
        "EGFR T790M",
        "EGFR C797S",
        "MET amplification",
        "repair-proficient",
    ]


def test_a_resolved_experiment_runs_again_without_the_directory(tmp_path: Path) -> None:
    experiment = load_experiment(LUNG, patients=3)
    written = tmp_path / "experiment.toml"
    written.write_text(experiment.to_toml(), encoding="utf-8")
    again = load_experiment(written)
    assert again.to_core() == experiment.to_core()
    assert again.resolved() == experiment.resolved()
    first, second = run_experiment(LUNG, patients=3, jobs=1), run_experiment(written, jobs=1)
    for table in ("outcomes", "patients", "clones"):
        assert first[table].equals(second[table])


def refused(folder: Path) -> str:
    with pytest.raises(InputError) as found:
        KNOWN.with_file(folder)
    return str(found.value)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("b", "[drug.palbociclib]\ndose = 3", "drug.palbociclib.dose: found 3; allowed: a table"),
        ("b", "[drug.palbociclib\n", "not valid TOML"),
        ("b", "[drugs.x]\n", 'drugs: "drugs" is not a known table of knowledge; did you mean "drug"?'),
        ("b", '[drug.brake]\nclass = "x"', "drug.brake.class: stands in a.toml, too; allowed: in one file"),
        ("b", "drug = 3", "drug: stands in a.toml, too; allowed: in one file"),
        (
            "b",
            'replaces = "drug"',
            'replaces: found "drug"; allowed: a list of pathway, alteration, drug, population',
        ),
        (
            "b",
            'replaces = ["drugs"]',
            'replaces[0]: "drugs" is not a known part of the knowledge; did you mean "drug"?',
        ),
        ("a", DRUG, 'drug.brake.effects.mine: "mine" is not a known target'),
        (
            "b",
            'replaces = ["pathway"]\n' + NODE + COVARIATES,
            'replaces: the pathway is replaced, and drug "palbociclib" of the package needs its target'
            ' "cdk46"; allowed: "drug" in the list, too, or a pathway that has it',
        ),
        ("b", ALL, "node.division: missing; every pathway ends in division and death"),
    ],
)
def test_what_is_wrong_names_the_file_in_the_directory(
    tmp_path: Path, file: str, text: str, said: str
) -> None:
    folder = directory(tmp_path, **({"a": DRUG} | {file: text}))
    told = refused(folder)
    assert said in told
    assert "Traceback" not in told
    if said.startswith("node"):  # what no file has is missing in the directory
        assert told.startswith(f"{folder}: ")
    else:
        assert f"{folder / file}.toml: " in told


def test_a_directory_that_is_not_there_or_empty_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "mine") == f"{tmp_path / 'mine'}: there is no such file"
    assert refused(directory(tmp_path)) == (
        f"{tmp_path / 'mine'}: found no TOML file; allowed: a directory with files NAME.toml"
    )


ARM = '[[arm]]\nname = "a"\nline = [{ regimen = ["brake"] }]\n'


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("", 'population: missing; the default "first_line_postmenopausal" was replaced; allowed: "mine"'),
        ("[population]\nlabel = 'x'\n", "population.base: missing; the default"),
        ('population = "min"\n', 'population: "min" is not a known population; did you mean "mine"?'),
    ],
)
def test_a_population_must_be_named_when_those_shipped_are_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], keys: str, said: str
) -> None:
    sources = (LUNG.parent / "knowledge" / "sources.toml").read_text(encoding="utf-8")
    directory(tmp_path, a=ALL + COVARIATES + NODE + TARGET, c=DRUG, d=population(), e=sources)
    file = tmp_path / "x.toml"
    file.write_text(EXPERIMENT + (keys + ARM if "[" not in keys else ARM + keys), encoding="utf-8")
    assert main(["check", str(file)]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_pathway_that_reads_a_law_asks_populations_for_it(tmp_path: Path) -> None:
    covariate = '[covariate.cyclin_e]\nlabel = "Cyclin E"\nlow = 0.01\nhigh = 100\n'
    node = NODE.replace("(1 - drug.mine)", "(1 - drug.mine) * min(patient.cyclin_e, 1)")
    sources = (LUNG.parent / "knowledge" / "sources.toml").read_text(encoding="utf-8")
    parts = {"a": ALL + COVARIATES + covariate, "b": node + TARGET, "c": DRUG, "e": sources}
    told = refused(directory(tmp_path, **parts, d=population()))
    assert told == (
        f"{tmp_path / 'mine' / 'd.toml'}: population.mine.covariate.cyclin_e: missing;"
        " the pathway reads what is drawn from it"
    )


def test_a_history_with_adjuvant_therapy_asks_for_its_laws() -> None:
    tables = tomllib.loads(load_experiment(LUNG).to_toml())
    del tables["population"]["residual_cells"]
    tables["population"]["history"] = [
        {"name": "relapse", "adjuvant": {"regimen": ["gefitinib"], "months": 24}, "prior": []}
    ]
    with pytest.raises(InputError, match="a history with adjuvant therapy needs residual_cells"):
        Experiment.from_dict(tables)
