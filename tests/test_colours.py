"""Colours of alterations and genotypes: always the same, and apart for every eye."""

from __future__ import annotations

from itertools import combinations, permutations

import pytest
from tumor_abm.app.catalogue import Catalogue
from tumor_abm.plots.genotypes import OTHERS, Palette
from tumor_abm.plots.hues import difference, distinct_for_all, least_difference

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
    # Nineteen colours for every eye: as far apart as two dozen can be.
    for one, other in combinations([*colours, founder], 2):
        assert least_difference(one, other) > 4 * JUST_SEEN
    for each in (*colours, founder):
        assert least_difference(each, OTHERS) > 4 * JUST_SEEN


def test_a_genotype_of_two_alterations_looks_like_neither(catalogue: Catalogue) -> None:
    alone = [name for name in catalogue.alterations if name not in catalogue.states]
    for one, other in combinations(alone, 2):
        shown = painted(catalogue, (one,), (other,), (one, other))
        assert min(least_difference(shown[one, other], shown[each,]) for each in (one, other)) > JUST_SEEN


def test_colours_for_all_keep_apart_for_those_who_lack_a_cone() -> None:
    found = distinct_for_all(24)
    assert found[:5] == distinct_for_all(5)
    for one, other in combinations(found, 2):
        assert difference(one, other) >= least_difference(one, other) > 4 * JUST_SEEN


def test_red_and_green_of_one_lightness_are_alike_to_those_who_lack_a_cone() -> None:
    assert difference("#B04A4A", "#5F7A2E") > 50
    assert least_difference("#B04A4A", "#5F7A2E") < 20
