"""Colours of alterations and genotypes: always the same, and apart for every eye."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
from tumor_abm.app.catalogue import Catalogue
from tumor_abm.plots.genotypes import OTHERS, Palette
from tumor_abm.plots.hues import (
    ciede2000,
    difference,
    distinct_for_all,
    least_ciede2000,
    least_difference,
)

JUST_SEEN = 2.3  # Mahy, Van Eycken and Oosterlinck 1994, Color Res Appl 19:105


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.of(None)


def painted(catalogue: Catalogue, *genotypes: tuple[str, ...]) -> dict[tuple[str, ...], str]:
    """The colours of genotypes that are met in this order, after a founder without alterations."""
    palette = Palette(catalogue.states, alterations=catalogue.colour_order)
    for genotype in ((), *genotypes):
        palette.give(genotype)
    return {genotype: palette[genotype] for genotype in ((), *genotypes)}


def test_a_genotype_has_one_colour_in_whatever_order_genotypes_are_born(catalogue: Catalogue) -> None:
    born = [
        ("RB1 loss",),
        ("ESR1 Y537S",),
        ("CDK6-high",),
        ("RB1 loss", "ESR1 Y537S"),
        ("CDK6-high", "RB1 loss"),
    ]
    first = painted(catalogue, *born)
    for order in permutations(born):
        assert painted(catalogue, *order) == first


def test_an_alteration_has_one_colour_in_every_population_and_strategy(catalogue: Catalogue) -> None:
    palette = Palette(catalogue.states, alterations=catalogue.colour_order)
    for carried in ((), ("PIK3CA mutation",)):
        own = Palette(catalogue.states, alterations=catalogue.colour_order)
        own.give(carried)
        own.give((*carried, "ESR1 Y537S"))
        assert own[*carried, "ESR1 Y537S"] == palette.of_alteration("ESR1 Y537S")


def test_alterations_in_play_and_the_founder_can_be_told_apart_by_every_eye(catalogue: Catalogue) -> None:
    alone = [(name,) for name in catalogue.alterations if name not in catalogue.states]
    founder, *colours = painted(catalogue, *alone).values()
    assert len(set(colours)) == len(alone) >= 8
    # Twenty colours for four kinds of eye: a search that moved all of them together ended at 13.25.
    for one, other in combinations([*colours, founder, OTHERS, "#FFFFFF"], 2):
        assert least_ciede2000(one, other) > 13
        assert least_difference(one, other) > 5.5 * JUST_SEEN


def test_a_genotype_of_two_alterations_looks_like_neither(catalogue: Catalogue) -> None:
    alone = [name for name in catalogue.alterations if name not in catalogue.states]
    for one, other in combinations(alone, 2):
        shown = painted(catalogue, (one,), (other,), (one, other))
        assert min(least_ciede2000(shown[one, other], shown[each,]) for each in (one, other)) > 4


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
        ((50.0, -0.001, 2.49), (50.0, 0.0009, -2.49), 4.8045),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((50.0, 2.5, 0.0), (56.0, -27.0, -3.0), 31.9030),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_ciede2000_is_as_published(
    one: tuple[float, ...], other: tuple[float, ...], expected: float
) -> None:  # Sharma, Wu and Dalal 2005, Color Res Appl 30:21, table 1
    assert float(ciede2000(np.array(one), np.array(other))) == pytest.approx(expected, abs=5e-5)
    assert float(ciede2000(np.array(other), np.array(one))) == pytest.approx(expected, abs=5e-5)


def test_colours_for_all_keep_apart_for_those_who_lack_a_cone() -> None:
    found = distinct_for_all(24)
    assert found[:5] == distinct_for_all(5)
    for one, other in combinations(found, 2):
        assert difference(one, other) >= least_difference(one, other) > 4 * JUST_SEEN


def test_red_and_green_of_one_lightness_are_alike_to_those_who_lack_a_cone() -> None:
    assert difference("#B04A4A", "#5F7A2E") > 50
    assert least_difference("#B04A4A", "#5F7A2E") < 20
