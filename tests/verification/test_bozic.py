"""Resistance to one drug and to two (Bozic et al. 2013, eLife 2:e00747), on tumours of full size.

Types are 0 sensitive, 1 resistant to drug 1, 2 resistant to drug 2, 3 resistant to both. Treatment
has failed when a lineage is sure to survive: K cells with (d/b)^K < 1e-6. A step of dt overshoots
detection by r dt / 2, 0.5% at dt = 1, which the tolerances (bias 0.006 to 0.012) allow for.
"""

import math

import numpy as np
import pytest
import tumor_abm as ta
from tumor_abm import theory
from verification.ledger import within

WELL_MIXED = pytest.mark.parametrize("engine", ["clones", "cells"], scope="session")


def tumour(*, b=0.14, d=0.13, size, first, second, both=0.0, cost=0.0, dt=1.0):
    """Growth of a tumour with four types; a cost lowers net growth through division."""
    rate = b - d
    steps = (1, 1 - cost, 1 - cost, (1 - cost) ** 2)
    return {
        "division": [d + rate * step for step in steps],
        "death": [d] * 4,
        "mutation": [
            [0, first, second, both],
            [0, 0, 0, second + both],
            [0, 0, 0, first + both],
            [0, 0, 0, 0],
        ],
        "initial": [1, 0, 0, 0],
        "dt": dt,
        "until": ta.Until(total=size),
        "restart_on_extinction": True,
    }


def sure_to_survive(b, d, cost=0.0):
    b = d + (b - d) * (1 - cost) ** 2
    return math.ceil(math.log(1e-6) / math.log(d / b))


def both_drugs(b=0.14, d=0.13, treated=0.17, cost=0.0):
    return ta.Phase(
        death=[treated, treated, treated, d], until=ta.Until(counts={3: sure_to_survive(b, d, cost)})
    )


def failed(runs):
    return runs["stopped_by"].str.starts_with("count").to_numpy()


@pytest.fixture(scope="module")
def one_drug(simulate, engine):
    """Detection at 1e4 cells and treatment with one drug, a row for each."""
    return simulate(
        replicates=6_000 if engine == "clones" else 1_500,
        division=[0.14, 0.14],
        death=[0.13, 0.13],
        mutation=[[0, 1e-4], [0, 0]],
        initial=[1, 0],
        until=ta.Until(total=10_000),
        restart_on_extinction=True,
        treatment=ta.Phase(death=[0.17, 0.13], until=ta.Until(counts={1: 250})),
        phases="all",
    )


@WELL_MIXED
@pytest.mark.slow
def test_resistance_is_present_at_detection(case, one_drug):
    present = case("BOZIC-PRES-M1e4")
    factor = theory.resistance_factor(
        division=0.14, death=0.13, resistant_division=0.14, resistant_death=0.13
    )
    present.check_formula(theory.resistance_present(1e4, 1e-4, factor))
    present.check_mean(one_drug.filter(phase=0)["n_1"] > 0)


@WELL_MIXED
@pytest.mark.slow
def test_one_drug_fails_from_before_or_during_treatment(case, one_drug):
    failure = case("BOZIC-MONO-M1e4")
    rates = {"division": 0.14, "death": 0.13, "treated_death": 0.17}
    failure.check_formula(theory.bozic_mono_failure(size=1e4, mutation=1e-4, **rates))
    failure.check_mean(failed(one_drug.filter(phase=1)))


@pytest.fixture(scope="module")
def two_drugs(simulate):
    """Detection at 1e9 cells and two drugs together (Figure 5 B), a row for each."""
    return simulate(
        replicates=50_000,
        **tumour(size=10**9, first=50e-9, second=50e-9, both=1e-9),
        treatment=both_drugs(),
        phases="all",
    )


@pytest.mark.dear
@pytest.mark.slow
def test_two_drugs_together_fail_if_one_mutation_protects_from_both(case, two_drugs):
    failure = case("BOZIC-FIG5-SIM-n12_1")
    counts = {"n1": 50, "n2": 50, "n12": 1}
    rates = {"division": 0.14, "death": 0.13, "treated_death": 0.17}
    failure.check_formula(theory.bozic_dual_failure(size=1e9, mutation=1e-9, **counts, **rates))
    failure.check_mean(failed(two_drugs.filter(phase=1)))


@pytest.mark.dear
@pytest.mark.slow
def test_number_of_singly_resistant_cells_at_detection(case, two_drugs):
    mean, median = case("BOZIC-MEAN10-1e9"), case("BOZIC-MEDIAN10-1e9")
    mean.check_formula(theory.expected_resistant(1e9, 50e-9, 0.14, 0.13))
    kinds = singly_resistant(two_drugs)
    mean.check_mean(kinds)
    median.check_value(np.median(kinds))


def singly_resistant(runs):
    """Cells that resist one drug only, of either kind, at detection: two numbers a tumour."""
    return runs.filter(phase=0).select("n_1", "n_2").to_numpy().astype(float).ravel()


MOST = 20_000


def law_of_singly_resistant(size):
    """Law of the number of cells with one neutral mutation at detection, as far as `MOST`."""
    clones = 50e-9 * theory.mean_divisions(size, 0.14, 0.13)
    return theory.compound_poisson_pmf(clones, theory.clone_sizes_with_death(0.13 / 0.14, MOST))


def mean_up_to_most(size):
    """Mean and standard deviation of that number, numbers above `MOST` counted as `MOST`."""
    law, cells = law_of_singly_resistant(size), np.arange(MOST + 1.0)
    law[-1] += 1 - law.sum()
    return law @ cells, np.sqrt(law @ cells**2 - (law @ cells) ** 2)


@pytest.mark.dear
@pytest.mark.slow
def test_typical_numbers_of_singly_resistant_cells_at_detection(case, two_drugs):
    # One tumour in many has a clone so large that it rules the mean; up to 20,000 cells few replicates do.
    mean, median = case("BOZIC-MEAN10-1e9"), case("BOZIC-MEDIAN10-1e9")
    detected = two_drugs.filter(phase=0)
    size = detected.select("n_0", "n_1", "n_2", "n_3").sum_horizontal().mean()
    expected, spread = mean_up_to_most(size)
    kinds = singly_resistant(two_drugs)
    found, allowed = np.minimum(kinds, MOST).mean(), 4.5 * spread / np.sqrt(kinds.size)
    mean.record(
        what=f"mean of type10, numbers above {MOST:,} counted as {MOST:,}, by its compound Poisson law",
        expected=expected,
        found=f"{found:.6g} ({kinds.size:,} replicates)",
        tolerance=within(allowed, expected, "4.5 SE"),
        passed=abs(found - expected) <= allowed,
    )
    half = int(np.searchsorted(np.cumsum(law_of_singly_resistant(1e9)), 0.5))
    median.record(
        what="median of the compound Poisson law of Keller and Antal 2015",
        found=half,
        tolerance="rel 0.05",
        passed=abs(half / median.expected - 1) <= 0.05,
        engine="theory",
    )


@pytest.mark.slow
def test_numbers_of_resistant_cells_would_show_that_none_mutates(case, simulate):
    mean = case("BOZIC-MEAN10-1e9")
    runs = simulate(replicates=50, **tumour(size=10**9, first=0.0, second=0.0), phases="all")
    none, (expected, spread) = singly_resistant(runs).mean(), mean_up_to_most(1e9)
    for what, departure, allowed in (
        ("mean of type10", abs(none - mean.expected), mean.allowed(100_000)),
        (f"mean of type10 up to {MOST:,}", abs(none - expected), 4.5 * spread / np.sqrt(100_000)),
    ):
        mean.record(
            what=f"{what} at 100,000 replicates, in tumours without mutation: the test must see it",
            expected=f"away by more than {allowed:.4g}",
            found=f"{none:.4g}, away by {departure:.6g}",
            tolerance="4.5 SE and the bias of the case",
            passed=departure > allowed,
            engine="design",
        )


@pytest.mark.slow
def test_two_drugs_one_after_the_other_always_fail(case, simulate):
    failure = case("BOZIC-FIG5-SEQ-n12_1")
    survives = sure_to_survive(0.14, 0.13)
    runs = simulate(
        replicates=1_000,
        **tumour(size=10**9, first=50e-9, second=50e-9, both=1e-9),
        treatment=[
            ta.Phase(death=[0.17, 0.13, 0.17, 0.13], until=ta.Until(total=10**9 + 10**8)),
            ta.Phase(death=[0.17, 0.17, 0.13, 0.13], until=ta.Until(counts={2: survives, 3: survives})),
        ],
    )
    failure.check_value(failed(runs).mean())


def allowed_failure(case, which):
    """Failure that rounds to the printed value, for any burden that rounds to the printed one."""
    published, slack = case.tolerance["published"][which], case.tolerance["rel_on_log_survival"]
    low = -np.log1p(-(published - 5e-4)) * (1 - slack)
    high = -np.log1p(-(published + 5e-4)) * (1 + slack) if published + 5e-4 < 1 else np.inf
    return -np.expm1(-low), -np.expm1(-high)


TABLE_1 = ["N22", "N21", "N20", "N1", "N10"]


@pytest.mark.parametrize("patient", TABLE_1)
def test_equation_1_gives_the_published_patients(case, patient):
    failure = case(f"BOZIC-TABLE1-{patient}")
    p = failure.params
    for which, n12 in enumerate((1, 0)):
        value = theory.bozic_dual_failure(
            size=p["M_total"],
            mutation=p["u"],
            division=p["b"],
            death=p["d"],
            treated_death=p["d_treat"],
            n1=p["n1"],
            n2=p["n2"],
            n12=n12,
            lesions=p["lesions"],
        )
        assert value == pytest.approx(failure.expected[which], rel=1e-9)
        low, high = allowed_failure(failure, which)
        failure.record(
            what=f"P(failure), n12 = {n12}, by equation (1)",
            expected=f"published {failure.tolerance['published'][which]}",
            found=value,
            tolerance=f"{low:.4g} to {high:.4g} (rounding of failure and burden)",
            passed=low <= value <= high,
            engine="theory",
        )


@pytest.mark.dear
@pytest.mark.slow
@pytest.mark.parametrize(
    ("patient", "n12", "replicates"),
    [("N22", 1, 2_000), ("N21", 1, 2_000), ("N20", 1, 2_000), ("N1", 0, 25_200), ("N10", 0, 40_000)],
)
def test_the_engine_gives_the_published_patients(case, simulate, patient, n12, replicates):
    # One lesion at a time; a patient fails if one of the lesions does. The other n12 of each patient
    # is so near 0 or 1 that a simulation could not miss it.
    failure = case(f"BOZIC-TABLE1-{patient}")
    lesions = failure.params["lesions"]
    size = round(failure.params["M_total"] / lesions)
    runs = simulate(
        replicates=replicates,
        # Steps of 1.5 days overshoot detection by 0.75%: nothing beside the standard error.
        **tumour(size=size, first=50e-9, second=50e-9, both=n12 * 1e-9, dt=1.5),
        treatment=both_drugs(),
    )
    lesion = failed(runs).mean()
    patient_failure = 1 - (1 - lesion) ** lesions
    error = lesions * (1 - lesion) ** (lesions - 1) * np.sqrt(lesion * (1 - lesion) / runs.height)
    low, high = allowed_failure(failure, 1 - n12)
    # Equation (1), which is what was published, is itself 4% high on the log scale at n12 = 0.
    low = -np.expm1(0.96 * np.log1p(-low)) if n12 == 0 else low
    failure.record(
        what=f"P(failure), n12 = {n12}",
        expected=f"published {failure.tolerance['published'][1 - n12]}",
        found=f"{patient_failure:.4g} ({runs.height:,} replicates)",
        tolerance=f"{low:.4g} to {high:.4g}, {within(4.5 * error, (low + high) / 2, '4.5 SE')}",
        passed=low - 4.5 * error <= patient_failure <= high + 4.5 * error,
    )


TABLE_2 = [
    # Steps nearly as long as (b + d) dt <= 0.5 allows.
    pytest.param("b0.14-c0", 1.5, 24_000, id="b=0.14,c=0"),
    pytest.param("b0.14-c10", 1.5, 18_000, id="b=0.14,c=0.1"),
    pytest.param("b1-c0", 0.2, 1_500, id="b=1,c=0"),
    pytest.param("b1-c10", 0.2, 1_800, id="b=1,c=0.1"),
]


@pytest.mark.dear
@pytest.mark.slow
@pytest.mark.parametrize(("row", "dt", "replicates"), TABLE_2)
def test_table_2_of_bozic(cases, simulate, row, dt, replicates):
    published = cases[f"TABLE2-THEORY-{row}"]
    p = published.params
    b, d, treated, cost = p["b"], p["d"], p["d_treat"], p["cost"]
    first, second = p["n1"] * p["u"], p["n2"] * p["u"]
    refined = theory.two_step_failure(
        size=p["M"], division=b, death=d, treated_death=treated, first=first, second=second, cost=cost
    )
    published.record(
        what="P(failure), by the backward equation",
        found=refined,
        tolerance=f"± {published.tolerance['allow']} (printed to two digits)",
        passed=abs(refined - published.expected) <= published.tolerance["allow"],
        engine="theory",
    )
    assert f"{refined:.4f}" in published.note
    runs = simulate(
        replicates=replicates,
        **tumour(b=b, d=d, size=int(p["M"]), first=first, second=second, cost=cost, dt=dt),
        treatment=both_drugs(b, d, treated, cost),
    )
    failure = failed(runs)
    # A step overshoots the size at detection by half its growth in the mean.
    overshot = p["M"] * (1 + (b - d) * dt / 2)
    refined = theory.two_step_failure(
        size=overshot, division=b, death=d, treated_death=treated, first=first, second=second, cost=cost
    )
    allowed = 4.5 * np.sqrt(refined * (1 - refined) / replicates)
    published.record(
        what="P(failure), against the backward equation at the size of detection",
        expected=refined,
        found=f"{failure.mean():.4g} ({replicates:,} replicates)",
        tolerance=within(allowed, refined, "4.5 SE"),
        passed=abs(failure.mean() - refined) <= allowed,
    )
    if f"BOZIC-TABLE2-{row}" in cases:
        cases[f"BOZIC-TABLE2-{row}"].check_mean(failure)


# Failure and its standard error by an event-by-event chain in continuous time, in code that shares
# nothing with the engine. The formula takes all cells of the growing tumour for sensitive: where
# mutants are a third of them, in the second row, it is 0.022 too high.
EVENT_BY_EVENT = {"M10000-U0.0005-X0": (0.3132, 0.0019), "M3000-U0.002-X0": (0.7005, 0.0014)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("engine", "name", "replicates"),
    [
        ("clones", "M10000-U0.0005-X0", 10_000),
        ("clones", "M3000-U0.002-X0", 5_000),
        ("cells", "M10000-U0.0005-X0", 2_000),
        ("cells", "M3000-U0.002-X0", 1_500),
    ],
    scope="session",
)
def test_two_steps_in_a_small_tumour(case, simulate, name, replicates):
    failure = case(f"TWOSTEP-{name}")
    p = failure.params
    first, second, both = p["U1"], p["U2"], p["U12"]
    refined = theory.two_step_failure(
        size=p["M"], division=0.14, death=0.13, treated_death=0.17, first=first, second=second, both=both
    )
    failure.check_formula(refined, 1e-6)
    # dt = 0.5 overshoots by 0.25%, up to 0.002 of the failure.
    runs = simulate(
        replicates=replicates,
        **tumour(size=p["M"], first=first, second=second, both=both, dt=0.5),
        treatment=both_drugs(),
    )
    failure.check_mean(failed(runs))
    chain, error = EVENT_BY_EVENT[name]
    error = np.hypot(error, np.sqrt(chain * (1 - chain) / runs.height))
    failure.record(
        what="the same, against a chain of single events, which does not take mutants for sensitive",
        expected=f"{chain} ± {EVENT_BY_EVENT[name][1]}",
        found=f"{failed(runs).mean():.4g} ({runs.height:,} replicates)",
        tolerance=within(0.002 + 4.5 * error, chain, "4.5 SE + 0.002"),
        passed=abs(failed(runs).mean() - chain) <= 0.002 + 4.5 * error,
    )


def test_closed_forms_of_two_drugs_agree_in_their_limits():
    rates = {"division": 0.14, "death": 0.13, "treated_death": 0.17}
    # Drugs that every mutation escapes are one drug, by either theory.
    one = theory.bozic_mono_failure(size=1e9, mutation=1e-9, **rates)
    assert theory.bozic_dual_failure(size=1e9, mutation=1e-9, n1=0, n2=0, n12=1, **rates) == pytest.approx(
        one
    )
    assert theory.two_step_failure(size=1e9, first=0, second=0, both=1e-9, **rates) == pytest.approx(
        one, rel=1e-6
    )
    # Equation (1) is the limit of large tumours.
    eq1 = theory.bozic_dual_failure(size=1e11, mutation=1e-9, n1=50, n2=50, n12=0, **rates)
    assert theory.two_step_failure(size=1e11, first=50e-9, second=50e-9, **rates) == pytest.approx(
        eq1, rel=0.06
    )
    with pytest.raises(ValueError, match="treated_death"):
        theory.bozic_mono_failure(size=1e9, mutation=1e-9, division=0.14, death=0.13, treated_death=0.13)


def test_expected_numbers_are_those_of_one_lineage():
    # Mean counts of the law after so long that the mean population is M s ... in small steps.
    n, days, dt = {"n1": 30.0, "n2": 50.0, "n12": 2.0}, 1000.0, 0.1
    u, b, d = 1e-5, 0.14, 0.13
    size = math.exp((b - d) * days) / (1 - d / b)
    mutation = [
        [0, n["n1"] * u, n["n2"] * u, n["n12"] * u],
        [0, 0, 0, (n["n2"] + n["n12"]) * u],
        [0, 0, 0, (n["n1"] + n["n12"]) * u],
        [0, 0, 0, 0],
    ]
    means = theory.mean_counts(
        division=[b] * 4, death=[d] * 4, mutation=mutation, initial=[1, 0, 0, 0], steps=10_000, dt=dt
    )
    doubly = theory.expected_doubly_resistant(size=size, mutation=u, division=b, death=d, **n)
    assert means[3] / means.sum() == pytest.approx(doubly / size, rel=2e-3)
    small = {"size": 1e9, "mutation": 1e-9, "division": b, "death": d}
    assert theory.expected_doubly_resistant(**small, n1=0, n2=0, n12=1) == pytest.approx(
        theory.expected_resistant(1e9, 1e-9, b, d), rel=1e-6
    )
