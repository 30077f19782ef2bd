"""``tumor-abm explain`` says why a cell grows or stops, and draws the network."""

from __future__ import annotations

import itertools
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from tumor_abm.cli import main
from tumor_abm.knowledge import Knowledge
from tumor_abm.knowledge.explanation import Explanation
from tumor_abm.knowledge.formula import Name
from tumor_abm.knowledge.influence import causes, signs, state
from tumor_abm.plots import plot_pathway
from tumor_abm.plots.layered import layout

KNOWN = Knowledge.shipped()
SHIPPED = Explanation(KNOWN)
MEDIAN = SHIPPED.median_patient("first_line_postmenopausal")


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run ``tumor-abm explain``; return its exit code and what it said to stdout and stderr."""
    try:
        code = main(["explain", *map(str, arguments)])
    except SystemExit as exited:
        code = exited.code if isinstance(exited.code, int) else 0
    said = capsys.readouterr()
    return code, said.out, said.err


def record(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict:
    code, out, err = told(capsys, "--json", *arguments)
    assert (code, err) == (0, "")
    return json.loads(out)


def row(out: str, name: str) -> list[str]:
    """The words of the row of a node or input, without its asterisk."""
    rows = [line.split() for line in out.splitlines() if f" {name} " in f"{line[:26]} "]
    return rows[0]


def test_without_drugs_and_alterations_every_node_of_the_untreated_wild_type_is_told(capsys) -> None:
    code, out, err = told(capsys)
    assert (code, err) == (0, "")
    for node in KNOWN.pathway.order:
        assert row(out, node)[0] == node
    assert "wild type" in out
    assert "altered" not in out
    assert out.endswith("The cells grow: they double in 66 days.\n")


def test_rb1_loss_under_palbociclib_is_resistant_because_e2f_is_free(capsys) -> None:
    code, out, err = told(capsys, "--alterations", "RB1 loss", "--drugs", "palbociclib,fulvestrant")
    assert (code, err) == (0, "")
    assert row(out, "e2f")[0] == "*"
    assert row(out, "e2f")[-4:] == ["0.873", "0.00828", "1", "0.809"]
    assert row(out, "drug.cdk46")[-4:] == ["0", "0.72", "0", "0.72"]
    assert row(out, "akt_signal")[0] == "akt_signal"
    said = " ".join(out.split())
    assert "alteration.rb_lost (101%: e2f → activity → attempted → division)" in said
    assert (
        "Resistant in part, with 27% of the drugs' effect on the wild type left. The altered cells shrink"
        in said
    )
    assert "alteration.cdk2_fold" not in out  # what does nothing here is not told


def test_the_wild_type_stops_under_letrozole_because_estradiol_is_gone(capsys) -> None:
    code, out, _ = told(capsys, "--drugs", "letrozole")
    said = " ".join(out.split())
    assert code == 0
    assert "letrozole changes net growth of the wild type from +0.0105 to -" in said
    assert "drug.aromatase (100%: estradiol → ligand → er_signal → cyclin_d" in said
    assert said.endswith("The cells shrink: they halve in 17 days.")
    assert "altered" not in out


def test_an_alteration_alone_is_held_against_the_wild_type(capsys) -> None:
    found = record(capsys, "--alterations", "RB1 loss", "--alterations", "CCNE1 amplification, RB1 loss")
    wild_type, altered = found["cells"]
    assert altered["alterations"] == ["RB1 loss", "CCNE1 amplification"]
    assert wild_type["drugs"] == altered["drugs"] == []
    assert found["response"] is None
    assert altered["net_growth_per_day"] > wild_type["net_growth_per_day"]


def test_lost_potency_is_laid_to_the_alteration(capsys) -> None:
    found = record(capsys, "--alterations", "ESR1 Y537S", "--drugs", "fulvestrant")
    ways = {cause["name"]: cause["path"] for cause in found["causes"]}
    assert ways["alteration.er_antagonist_fold"][:3] == [
        "alteration.er_antagonist_fold",
        "drug.er",
        "er_signal",
    ]
    assert "drug.er" not in ways
    assert found["response"] == "partial"
    assert 0.25 < found["effect_left"] < 0.8


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--drugs", "letrzole"], 'drugs: "letrzole" is not a known drug; did you mean "letrozole"?'),
        (["--alterations", "RB1 los"], 'alterations: "RB1 los" is not a known alteration; did you mean'),
        (["--alterations", "a,"], 'alterations: "'),
        (["--population", "nobody"], 'population: "nobody" is not a known population (known: first_line'),
        (["--knowledge", "nowhere.toml"], "nowhere.toml: "),
        (["--graph", "x.gif"], 'x.gif: found ".gif"; allowed: ".png", ".svg", ".pdf"'),
        (["--graph", "nowhere/x.svg"], "cannot be written: No such file or directory"),
        (["--knowledge", "a\0b"], "is no name"),
        (["--drugs", "\x1b[31m[red]"], "is not a known drug"),
        (["letrozole"], "unrecognized arguments: letrozole"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(capsys, tmp_path, monkeypatch, arguments, words) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = told(capsys, *arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert "\x1b" not in err
    assert list(tmp_path.iterdir()) == []


MINE = """
[node.my_signal]
label = "[bold]Mine[/bold] $x_1^2$ \\u001b[31m"
formula = "0.5 * akt_signal * (1 - drug.mine)"
unit = "[/foo]"
[node.mtor_signal]
formula = "(akt_signal + alteration.mtor_gain) * (1 - drug.mtor) * (0.5 + my_signal)"
[target.mine]
label = "Inhibits $mine$"
[drug."a, b [red]"]
class = "mine"
dose = { value = 1.0, unit = "mg" }
route = "oral"
schedule = { days = "1-28", cycle_days = 28 }
neutrophil_slope = 0.0
discontinuation_per_month = 0.0
[drug."a, b [red]".kinetics]
half_life_h = 24.0
t_max_h = 1.5
steady_state = 20.0
dosing_interval_h = 24.0
[drug."a, b [red]".effects.mine]
max = 1.0
ic50 = 2.0
hill = 1.0
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(MINE, encoding="utf-8")
    return path


def test_a_users_node_is_told_and_drawn_whatever_its_words(capsys, tmp_path: Path, mine: Path) -> None:
    graph = tmp_path / "graph.svg"
    code, out, err = told(capsys, "--knowledge", mine, "--drugs", "a, b [red]", "--graph", graph)
    assert (code, err) == (0, "")
    assert row(out, "my_signal")[-2:] == ["0.5", "0.0455"]
    assert "[bold]Mine[/bold]" in " ".join(out.split())
    assert "[/foo]" in out
    assert "\x1b" not in out
    assert "a, b [red] changes net growth" in " ".join(out.split())
    assert ET.parse(graph).getroot().tag.endswith("svg")


@pytest.mark.parametrize(("kind", "begins"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_the_graph_is_written_as_its_name_says_the_same_each_time(capsys, tmp_path, kind, begins) -> None:
    files = [tmp_path / f"{name}.{kind}" for name in ("one", "two")]
    for file in files:
        assert told(capsys, "--graph", file)[0] == 0
    one, two = (file.read_bytes() for file in files)
    assert one.startswith(begins)
    assert one == two


def test_a_circle_in_a_users_network_is_refused(capsys, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[node.er_signal]\nformula = "cyclin_d * ligand"\n', encoding="utf-8")
    code, out, err = told(capsys, "--knowledge", path)
    assert (code, out) == (2, "")
    assert "node: found a circle" in err


# ------------------------------------------------------------------------------------- what moves what


IMMUNE = ("antigen", "pd_l1")
"""Nodes that rise as CDK4/6 is inhibited."""


def test_arrows_have_the_signs_that_biology_gives_them() -> None:
    found = signs(SHIPPED, MEDIAN)
    for target in ("cdk46", "er", "aromatase", "mtor", "akt", "fgfr", "cdk2", "pi3k", "pi3k_alpha"):
        into = {
            sign
            for (read, node), sign in found.items()
            if read == Name("drug", target) and node not in IMMUNE
        }
        assert into <= {-1, 0}
    assert found[Name("drug", "cdk46"), "cdk46_activity"] == -1
    assert {found[Name("drug", "cdk46"), node] for node in IMMUNE} == {1}
    assert found[Name("drug", "mdm2"), "mdm2"] == -1
    assert found[Name("", "mdm2"), "p53"] == -1
    assert found[Name("", "p53"), "p21"] == 1
    assert found[Name("", "p21"), "cdk2_freed"] == -1
    assert found[Name("", "cyclin_d"), "cdk46_activity"] == 1
    assert found[Name("alteration", "rb_lost"), "e2f"] == 1
    assert found[Name("", "activity"), "arrest"] == -1
    assert found[Name("", "killed"), "division"] == -1
    assert found[Name("", "killed"), "death"] == 1


@pytest.mark.parametrize("alteration", list(KNOWN.alterations))
@pytest.mark.parametrize("drugs", [(), ("palbociclib", "letrozole"), ("paclitaxel",)], ids=str)
def test_shares_of_causes_add_up_and_end_in_an_output(alteration: str, drugs: tuple[str, ...]) -> None:
    cells = [state(SHIPPED, MEDIAN, dict.fromkeys(drugs, 1.0), carried) for carried in ([], [alteration])]
    found = causes(KNOWN.pathway, *cells)
    if found:
        assert sum(cause.share for cause in found) == pytest.approx(1.0, abs=1e-6)
    for cause in found:
        assert cause.path[0] == cause.name
        assert cause.path[-1].name in ("division", "death")
        assert cells[0][cause.name] != cells[1][cause.name]


def test_no_two_boxes_of_the_drawing_overlap_and_arrows_go_right() -> None:
    rng = np.random.default_rng(20_260_417)
    for _ in range(20):
        names = [f"n{at}" for at in range(int(rng.integers(2, 40)))]
        reads = {name: [names[b] for b in range(at) if rng.random() < 0.12] for at, name in enumerate(names)}
        heights = {name: float(rng.uniform(0.2, 2)) for name in names}
        placed = layout(reads, heights, gap=0.1)
        column = {name: at for at, layer in enumerate(placed.layers) for name in layer}
        assert sorted(column) == sorted(names)
        for layer in placed.layers:
            for below, above in itertools.pairwise(layer):
                apart = placed.middle[above] - placed.middle[below]
                assert apart >= (heights[above] + heights[below]) / 2 + 0.1 - 1e-9
        for (read, name), passing in placed.passing.items():
            assert column[read] + len(passing) + 1 == column[name]
            for at, height in enumerate(passing, column[read] + 1):
                for other in placed.layers[at]:
                    assert abs(placed.middle[other] - height) >= heights[other] / 2


def test_the_drawing_of_an_altered_cell_differs_from_that_of_the_wild_type() -> None:
    plain, marked = plot_pathway(), plot_pathway(drugs=["palbociclib"], alterations=["RB1 loss"])
    assert isinstance(plain, Figure)
    assert len(marked.axes[0].patches) > len(plain.axes[0].patches)
