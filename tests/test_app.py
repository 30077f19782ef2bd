"""The page without a browser: its set-up, its record, its charts, its session, its components."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from PIL import Image
from tumor_abm.app.catalogue import Catalogue
from tumor_abm.app.charts import panels_of
from tumor_abm.app.covariate import Covariate, flags, main_covariates, more_covariates
from tumor_abm.app.downloads import figure_png, figure_svg, zipped
from tumor_abm.app.figure import figure_of
from tumor_abm.app.film import FRAME_MS, FRAMES, LAST_MS, gif
from tumor_abm.app.server import _bound
from tumor_abm.app.setup import OWN_LINES, Choices, seed_of
from tumor_abm.app.timeline import event_in_words
from tumor_abm.app.twin import Twin
from tumor_abm.app.words import scientific
from tumor_abm.errors import InputError
from tumor_abm.model.setup import _COVARIATES
from tumor_abm.plots import tumour as pictures
from tumor_abm.plots.course import spans
from tumor_abm.plots.genotypes import OTHERS, Palette, nested, parents, short


@pytest.fixture(scope="module")
def catalogue():
    return Catalogue.of(None)


@pytest.fixture
def setup(catalogue):
    return Choices(population=catalogue.populations[0], strategy=catalogue.arms[0])


@pytest.fixture
def twin(setup, catalogue):
    return Twin(setup.model(catalogue), setup.strategy)


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


# --- pictures --------------------------------------------------------------------------------


def test_section_shows_a_single_rare_cell_on_a_lattice_larger_than_the_picture():
    codes = np.ones((1000, 1000), dtype=np.uint8)
    codes[501, 333] = 2
    shown = pixels(pictures.section(codes, ["#B9C4CE", "#D55E00"], 300))
    assert (shown == (0xD5, 0x5E, 0x00)).all(axis=-1).any()


def test_section_leaves_free_sites_empty():
    codes = np.zeros((50, 50), dtype=np.uint8)
    codes[10:20, 10:20] = 1
    shown = pixels(pictures.section(codes, ["#0072B2"], 100))
    assert (shown == pictures.EMPTY).all(axis=-1).mean() == pytest.approx(0.96)


def test_disc_gives_every_genotype_its_share_of_the_dots():
    shown = pixels(pictures.disc([0.75, 0.25], ["#0072B2", "#D55E00"], 1.0))
    blue = (shown == (0x00, 0x72, 0xB2)).all(axis=-1).sum()
    red = (shown == (0xD5, 0x5E, 0x00)).all(axis=-1).sum()
    assert red / (red + blue) == pytest.approx(0.25, abs=0.01)


def test_disc_of_half_the_diameter_covers_a_quarter():
    whole, half = (
        (pixels(pictures.disc([1.0], ["#0072B2"], diameter)) != pictures.EMPTY).any(axis=-1).sum()
        for diameter in (1.0, 0.5)
    )
    assert half / whole == pytest.approx(0.25, abs=0.01)


def test_surface_is_lit_and_empty_where_no_cell_is():
    y, x = np.mgrid[-1:1:60j, -1:1:60j]
    inside = x**2 + y**2 < 0.9
    heights = np.where(inside, 30 * np.sqrt(np.clip(1 - x**2 - y**2, 0, 1)), np.nan)
    shown = pixels(pictures.surface(heights, inside.astype(np.uint8), ["#0072B2"], 60))
    assert tuple(shown[0, 0]) == pictures.EMPTY
    assert shown[20, 20].astype(int).sum() > shown[45, 45].astype(int).sum()


# --- genotypes -------------------------------------------------------------------------------


def test_descendants_lie_within_their_parent():
    layers = nested([(), ("A",), ("A", "B"), ("C",)])
    assert layers == [
        ((), 0.5),
        (("A",), 0.5),
        (("A", "B"), 1.0),
        (("A",), 0.5),
        (("C",), 1.0),
        ((), 0.5),
    ]


def test_genotype_that_lost_an_alteration_descends_from_the_founder():
    assert parents([("A", "B"), ("A",)]) == {("A", "B"): None, ("A",): ("A", "B")}


def test_genotypes_keep_their_colours_and_latecomers_are_grey():
    palette = Palette()
    for number in range(80):
        palette.give((f"driver {number}",))
    first = palette["driver 1",]
    palette.give(("driver 1",))
    assert palette["driver 1",] == first
    assert palette["driver 79",] == palette["never seen",] == OTHERS


def test_genotype_is_named_by_what_it_has_beyond_the_founder():
    assert short(("A", "B", "C"), ["A"]) == "+ B + C"
    assert short(("B",), ["A"]) == "+ B − A"


# --- set-up ----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "one", "-1", "1.5", "9" * 20, "1" * 5000, "٣"])
def test_seed_that_is_no_number_is_refused_in_words(text):
    with pytest.raises(InputError, match="seed: found"):
        seed_of(text)


def test_seed_as_text_means_the_number():
    assert seed_of(" 42 ") == 42


def test_line_without_a_drug_is_refused(catalogue, setup):
    empty = Choices(population=setup.population, strategy=OWN_LINES, lines=(("letrozole",), ()))
    with pytest.raises(InputError, match="line 2 has no drug"):
        empty.model(catalogue)


def settable(catalogue, setup) -> list[Covariate]:
    population, pathway = catalogue.population(setup.population), catalogue.experiment.knowledge.pathway
    return [*main_covariates(population, pathway), *more_covariates(population, pathway)]


def test_every_covariate_of_a_patient_can_be_set_and_is_what_is_set(catalogue, setup):
    population, pathway = catalogue.population(setup.population), catalogue.experiment.knowledge.pathway
    numbers = settable(catalogue, setup)
    keys = {
        *(number.key for number in numbers),
        *flags(population, catalogue.experiment.knowledge),
        "target_lesions",
    }
    assert keys == {*_COVARIATES, *catalogue.experiment.knowledge.sites, *pathway.drawn}
    for number in numbers:
        assert list(number.values) == sorted(number.values)
        assert number.places == sorted(set(number.places))
        assert [number.of_place(place) for place in number.places] == pytest.approx(number.values, rel=0.006)
        assert number.of_place(10 * number.places[-1]) == number.values[-1]
    chosen = {number.key: number.values[len(number.values) // 3] for number in numbers}
    chosen |= {"premenopausal": True, "visceral": False, "bone_only": False, "target_lesions": 2}
    found = replace(setup, covariates=chosen).model(catalogue).covariates
    assert {key: found[key] for key in chosen if key in found} == {
        key: pytest.approx(value) if isinstance(value, float) else value
        for key, value in chosen.items()
        if key in found
    }
    assert len(chosen.keys() & found.keys()) >= 12


def test_the_ends_of_every_covariate_make_a_patient_or_say_that_cells_act_too_often(catalogue, setup):
    for number in settable(catalogue, setup):
        for value in (number.values[0], number.values[-1]):
            chosen = replace(setup, covariates={number.key: value})
            if (number.key, value) == ("turnover", number.values[-1]):
                with pytest.raises(InputError, match="Slower growth or a lower turnover"):
                    chosen.model(catalogue)
            else:
                assert chosen.model(catalogue).cells > 0


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (
            {"bone_only": True, "visceral": True},
            "the disease is called bone_only and visceral; name one of them",
        ),
        ({"net_growth_per_day": 0.03, "turnover": 0.95}, "Slower growth or a lower turnover"),
        ({"diagnosis_volume_cm3": 300.0, "lethal_volume_cm3": 200.0}, "above the volume at diagnosis"),
    ],
)
def test_covariates_that_exclude_each_other_are_refused(catalogue, setup, chosen, message):
    with pytest.raises(InputError, match=message):
        replace(setup, covariates=chosen).model(catalogue)


def test_every_shipped_strategy_can_be_followed_and_is_said_in_words(catalogue):
    for arm in catalogue.arms:
        model = Choices(population=catalogue.populations[0], strategy=arm).model(catalogue)
        assert model.line == 1
        assert all(catalogue.lines_in_words(arm))


def test_a_dosed_regimen_can_be_given_again(twin):
    dosed = [{"drug": "palbociclib", "dose": 0.8, "days": "1-14"}, "fulvestrant"]
    twin.give(dosed, new_line=True)
    twin.advance(3)
    twin.give(["letrozole"], new_line=True)
    twin.advance(3)
    earlier = dict(twin.record.earlier_regimens(twin.model.regimen))
    assert list(earlier)[-1] == "palbociclib 80% + fulvestrant"
    assert "letrozole" not in earlier
    twin.give(earlier["palbociclib 80% + fulvestrant"], new_line=True)
    assert twin.model.regimen == "palbociclib 80% + fulvestrant"
    assert twin.model.dosings[0]["days"] == list(range(1, 15))
    with pytest.raises(InputError, match="palbociclib 80% \\+ fulvestrant is taken already"):
        twin.give(earlier["palbociclib 80% + fulvestrant"], new_line=True)
    twin.give(["palbociclib", "fulvestrant"], new_line=True)  # at full dose that is something else
    assert twin.model.regimen == "palbociclib + fulvestrant"


def test_experiment_without_liquid_biopsies_gets_them_for_the_eye(tmp_path):
    file = tmp_path / "x.toml"
    file.write_text(
        'title = "x"\nquestion = "x?"\n[[arm]]\nname = "a"\n[[arm.line]]\nregimen = ["letrozole"]\n'
    )
    assert Catalogue.of(file).tables["liquid_biopsy"]["genes"]


def test_port_in_use_is_said():
    taken = _bound(None)
    with taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} is in use"):
            _bound(port)


# --- twins, record, charts, downloads --------------------------------------------------------


def test_record_has_every_day_once(twin):
    twin.advance(30)
    states = twin.course().states
    assert states["day"].to_list() == list(range(31))
    by_day = twin.course().clones.group_by("day").agg(pl.col("cells").sum()).sort("day")
    assert by_day["cells"].to_list() == states["cells"].to_list()


def test_twins_with_one_strategy_live_alike_and_the_past_is_shared(twin):
    twin.advance(20)
    other = twin.fork("the same")
    for each in (twin, other):
        each.advance(40)
    assert other.course().states.equals(twin.course().states)
    assert other.palette is twin.palette


def test_twin_under_other_drugs_goes_another_way(twin):
    twin.advance(20)
    other = twin.fork("chemotherapy", [["capecitabine"]])
    for each in (twin, other):
        each.advance(60)
    past, own = (each.course().states for each in (twin, other))
    assert own.head(20).equals(past.head(20))
    assert own["cells"][-1] != past["cells"][-1]


def test_change_of_treatment_begins_a_band_on_its_day(twin):
    twin.advance(10)
    twin.model.intervene(["capecitabine"], new_line=True)
    twin.record.note_line(twin.model)
    twin.advance(5)
    lines = twin.course().lines
    assert lines["regimen"].to_list() == ["letrozole + palbociclib", "capecitabine"]
    assert lines["start_day"].to_list() == [0, 10]
    assert lines["end_day"].to_list() == [10, None]


def test_bands_of_one_line_under_changing_drugs_are_told_apart(twin):
    for drugs, new_line in ((["fulvestrant"], False), (["capecitabine"], True)):
        twin.advance(40)
        twin.model.intervene(drugs, new_line=new_line)
        twin.record.note_line(twin.model)
    twin.advance(40)
    forked = twin.fork("another", [["letrozole"]])
    forked.advance(40)
    named = [[name for _, _, name in spans(each.course().lines, 10.0)] for each in (twin, forked)]
    assert named[0] == ["line 1a", "line 1b", "line 2"]
    assert named[1] == ["line 1a", "line 1b", "line 2", "line 3"]
    shown = [band["name"] for panel in live(forked) for band in panel["bands"]]
    assert set(shown) == set(named[1])


def live(*twins):
    """The charts of the first of these twins, which are compared."""
    return next(iter(panels_of([(twin.course(), twin.palette, twin.record.growth) for twin in twins])))


def test_charts_have_a_unit_on_every_axis_and_fill_the_panel_of_genotypes(twin):
    twin.advance(60)
    panels = live(twin)
    assert all(panel["unit"] for panel in panels)
    layers = [series for series in panels[0]["series"] if series.get("areaStyle")]
    highest = max(layers, key=lambda series: series["data"][-1][1])
    month, top, _ = highest["data"][-1]
    assert month == pytest.approx(60 / 30.4375, abs=1e-3)
    assert top == pytest.approx(100, abs=0.5)


def test_downloads_are_what_was_seen(twin, setup):
    twin.advance(15)
    other = twin.fork("other", [["fulvestrant"]])
    with zipfile.ZipFile(io.BytesIO(zipped([twin, other], "csv"))) as archive:
        states = pl.read_csv(archive.read("states.csv"))
        assert "events.csv" in archive.namelist()
    assert states.filter(strategy="other").height == 16
    with zipfile.ZipFile(io.BytesIO(zipped([twin], "parquet"))) as archive:
        assert pl.read_parquet(archive.read("states.parquet")).equals(
            twin.course().states.select(pl.lit(twin.name).alias("strategy"), pl.all())
        )
    assert figure_svg(figure_of([twin, other], setup)).startswith(b"<?xml")


def test_the_film_shows_the_tumour_from_the_first_day_to_the_last(twin):
    twin.advance(300)
    with Image.open(io.BytesIO(gif(twin))) as film:
        # Pictures that are the same are one that is shown for longer: the film lasts as long.
        assert film.n_frames <= FRAMES
        assert (
            sum(_shown_ms(film, place) for place in range(film.n_frames)) == (FRAMES - 1) * FRAME_MS + LAST_MS
        )
        first, last = (_covered(film, place) for place in (0, film.n_frames - 1))
    today, enrolled = (twin.record.on(day).volume_cm3 for day in (300, 0))
    assert last / first == pytest.approx((today / enrolled) ** (2 / 3), rel=0.1)


def _shown_ms(film, place):
    film.seek(place)
    return film.info["duration"]


def _covered(film, place):
    film.seek(place)
    return (np.asarray(film.convert("RGB")) < 250).any(axis=-1).sum()


def test_twins_are_drawn_on_the_same_axes_with_strategy_drugs_and_seed(twin, setup):
    other = twin.fork("chemotherapy", [["capecitabine"]])
    twin.advance(20)
    other.advance(90)
    figure = figure_of([twin, other], setup)
    left, right = figure.subfigs
    assert len(left.axes) == len(right.axes) == 6
    for one, same in zip(left.axes, right.axes, strict=True):
        assert one.get_title(loc="left") == same.get_title(loc="left")
        assert (one.get_xlim(), one.get_ylim()) == (same.get_xlim(), same.get_ylim())
    said = "\n".join(part.get_suptitle() for part in (figure, left, right))
    for words in ("seed 1", "Patient 2", twin.name, "chemotherapy", "line 2: capecitabine"):
        assert words in said


def test_the_charts_of_twins_have_the_same_axes(twin):
    other = twin.fork("chemotherapy", [["capecitabine"]])
    twin.advance(20)
    other.advance(200)
    seen = [(each.course(), each.palette, each.record.growth) for each in (twin, other)]
    for left, right in zip(*panels_of(seen), strict=True):
        for key in ("key", "end", "strip", "first"):
            assert left[key] == right[key]
        assert left["yAxis"]["max"] == right["yAxis"]["max"]


def test_everything_can_be_downloaded_of_a_bone_only_patient_after_progression(catalogue, setup):
    twin = Twin(replace(setup, covariates={"bone_only": True}).model(catalogue), setup.strategy)
    while twin.model.running and twin.model.assessments.filter(response="PD").is_empty():
        twin.advance(28)
    progression = twin.model.assessments.filter(response="PD")
    assert progression["sld_mm"].null_count() == progression.height == 1
    figure = figure_of([twin], setup)
    assert b"<!-- PD -->" in figure_svg(figure)
    assert Image.open(io.BytesIO(figure_png(figure))).size[0] > 1000
    assert zipped([twin], "csv")
    assert all(panel["series"] or panel["key"] == "ctdna" for panel in live(twin))


# --- words -----------------------------------------------------------------------------------


def test_counts_are_written_as_powers_of_ten():
    assert [scientific(count) for count in (0, 9_999, 12_345, 3.2e10)] == [
        "0",
        "9,999",
        "1.2×10⁴",
        "3.2×10¹⁰",
    ]


def test_events_are_said_in_words():
    assert (
        event_in_words({"line": 3, "event": "line ended", "detail": "progression"})
        == "Line 3 ended: progression"
    )
    assert event_in_words({"line": 1, "event": "death", "detail": ""}) == "Death"


@pytest.mark.parametrize(("engine", "solid"), [("lattice 2-D", False), ("lattice 3-D", True)])
def test_lattice_is_drawn_where_it_lies_and_shows_its_genotypes(setup, catalogue, engine, solid):
    chosen = replace(setup, engine=engine, cells=20_000)
    twin = Twin(chosen.model(catalogue), chosen.strategy)
    assert twin.solid == solid
    untreated = pixels(twin.picture(300))
    occupied = (untreated != pictures.EMPTY).any(axis=-1)
    assert 0.2 < occupied.mean() < 0.95
    assert not occupied[0].any()
    twin.view = "section"
    assert (pixels(twin.picture(300)) != pictures.EMPTY).any()


def test_untreated_lattice_fills_more_of_the_picture_than_a_treated_one(setup, catalogue):
    chosen = replace(setup, engine="lattice 2-D", cells=200_000)
    twin = Twin(chosen.model(catalogue), chosen.strategy)
    before = (pixels(twin.picture(300)) != pictures.EMPTY).any(axis=-1).mean()
    twin.advance(60)
    assert (pixels(twin.picture(300)) != pictures.EMPTY).any(axis=-1).mean() < before


def test_unknown_engine_is_refused(setup, catalogue):
    with pytest.raises(InputError, match="engine"):
        replace(setup, engine="cubes").model(catalogue)
