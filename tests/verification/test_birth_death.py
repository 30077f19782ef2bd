"""Cells that only divide and die: extinction, the law of their number, the time to detection.

Where a case is for continuous time, the step is so small that what is left of it is a fraction of
a standard error; the number is said at the step.
"""

import numpy as np
import pytest
import tumor_abm as ta
from tumor_abm import theory
from verification.ledger import within

WELL_MIXED = pytest.mark.parametrize("engine", ["clones", "cells"], scope="session")
EVERY = pytest.mark.parametrize("engine", ["clones", "cells", "lattice"], scope="session")


def fewer(replicates, engine, *, cells=1, lattice=4):
    """Replicates for an engine: those that hold every cell are slower."""
    return replicates // {"clones": 1, "cells": cells, "lattice": lattice}[engine]


@EVERY
@pytest.mark.parametrize(("id_", "dt"), [("GW-DT-EXT", 1.0), ("BD-CT-EXT-n1", 0.25)])
def test_extinction_probability_is_death_over_division(case, simulate, engine, id_, dt):
    extinction = case(id_)
    extinction.check_formula(theory.ultimate_extinction(0.14, 0.13))
    # Exact for every dt; of 400 cells all die out with probability 1e-13.
    runs = simulate(
        replicates=fewer(20_000, engine),
        division=[0.14],
        death=[0.13],
        initial=[1],
        dt=dt,
        until=ta.Until(total=400),
    )
    extinction.check_mean(runs["stopped_by"] == "extinct")


@EVERY
def test_cells_at_a_day_follow_the_linear_fractional_law(case, simulate, engine):
    law = case("BD-CT-LAW")
    pmf = theory.birth_death_pmf(1.0, 0.5, 3.0, len(law.expected) - 2)
    law.check_formula(pmf, 1e-10, law.expected[:-1])
    # The law at this dt has a chi-square distance of 1.1e-5 a replicate: 0.5 where the test spreads by 10.
    runs = simulate(
        replicates=fewer(25_000, engine, cells=2),
        division=[1.0],
        death=[0.5],
        initial=[1],
        dt=0.005,
        until=ta.Until(day=3),
    )
    law.check_counts(runs["n_0"])


@EVERY
def test_mean_grows_exponentially(case, simulate, engine):
    mean = case("BD-CT-MEAN")
    mean.check_formula(theory.mean_cells(0.14, 0.13, 100, 20))
    # dt = 0.25 lowers the mean by 0.12%, a quarter of a standard error.
    runs = simulate(
        replicates=fewer(20_000, engine, lattice=3),
        division=[0.14],
        death=[0.13],
        initial=[20],
        dt=0.25,
        until=ta.Until(day=100),
    )
    mean.check_mean(runs["n_0"])


@EVERY
def test_critical_cells_die_out_by_a_day(case, simulate, engine):
    extinct = case("BD-CT-CRIT")
    extinct.check_formula(theory.extinction_by(0.14, 0.14, 200, 5))
    # dt = 0.1 raises the probability by 0.00024, a tenth of a standard error.
    runs = simulate(
        replicates=fewer(10_000, engine, lattice=5),
        division=[0.14],
        death=[0.14],
        initial=[5],
        dt=0.1,
        until=ta.Until(day=200),
    )
    extinct.check_mean(runs["n_0"] == 0)


@EVERY
def test_mean_under_a_schedule_of_rates(case, simulate, engine):
    mean = case("BD-CT-PIECEWISE-MEAN")
    days, b, d = np.diff(mean.params["breakpoints"]), mean.params["b"], mean.params["d"]
    mean.check_formula(theory.mean_cells(b, d, days, 15))
    # dt = 0.1 lowers the mean by 0.7%, two fifths of a standard error.
    runs = simulate(
        replicates={"clones": 60_000, "cells": 30_000, "lattice": 25_000}[engine],
        division=[b[0]],
        death=[d[0]],
        initial=[15],
        dt=0.1,
        until=ta.Until(day=days[0]),
        treatment=[ta.Phase(division=[b[i]], death=[d[i]], until=ta.Until(day=days[i])) for i in (1, 2)],
    )
    mean.check_mean(runs["n_0"])


@pytest.mark.slow
def test_a_billion_declining_cells_are_gone_on_the_day_theory_says(case, simulate):
    median = case("BD-CT-EXTTIME-1e9")
    median.check_formula(theory.extinction_time_median(0.14, 0.17, 10**9), 1e-7)
    # dt = 0.05 declines 0.08% faster, 0.5 day, where a standard error is 1.5 days.
    runs = simulate(
        replicates=1_200, division=[0.14], death=[0.17], initial=[10**9], dt=0.05, until=ta.Until()
    )
    median.check_estimate(float(runs["day"].median()), runs.height)


@EVERY
def test_division_and_death_exclude_each_other_in_a_step(case, simulate, engine):
    # Death drawn first and then division among the survivors would shrink this population.
    wrong_law = case("GW-DT-ORDER")
    mean = theory.galton_watson_mean(0.14, 0.13, 100, 1000)
    assert mean == pytest.approx(2704.8, abs=0.05)
    runs = simulate(
        replicates=fewer(4_000, engine, cells=2, lattice=8),
        division=[0.14],
        death=[0.13],
        initial=[1000],
        until=ta.Until(day=100),
    )
    error = np.sqrt(theory.galton_watson_variance(0.14, 0.13, 100, 1000) / runs.height)
    found = runs["n_0"].mean()
    assert abs(found - wrong_law.expected) > 100 * error
    wrong_law.record(
        what="mean N if death came first, which must not be found; exclusive events give 2704.8",
        expected=f"not {wrong_law.expected:.6g} but {mean:.6g}",
        found=f"{found:.6g} ({runs.height:,} replicates)",
        tolerance=within(4.5 * error, mean, "4.5 SE"),
        passed=abs(found - mean) < 4.5 * error,
    )


@EVERY
def test_mean_after_some_steps(case, simulate, engine):
    mean = case("GW-DT-MEAN")
    mean.check_formula(theory.galton_watson_mean(0.14, 0.13, 50, 10))
    assert theory.galton_watson_variance(0.14, 0.13, 50, 10) == pytest.approx(mean.tolerance["sd"] ** 2)
    runs = simulate(
        replicates=fewer(30_000, engine, lattice=3),
        division=[0.14],
        death=[0.13],
        initial=[10],
        until=ta.Until(day=50),
    )
    mean.check_mean(runs["n_0"])


@EVERY
def test_law_after_some_steps_is_the_composed_generating_function(case, simulate, engine):
    law = case("GW-DT-LAW")
    law.check_formula(theory.galton_watson_pmf(0.3, 0.2, 4, 2), 1e-9)
    runs = simulate(
        replicates=fewer(200_000, engine, cells=2),
        division=[0.3],
        death=[0.2],
        initial=[2],
        until=ta.Until(day=4),
    )
    law.check_counts(runs["n_0"])


@WELL_MIXED
@pytest.mark.parametrize("dt", [0.25, 0.05])
def test_law_is_exact_at_every_step_length(simulate, p_of_law, dt):
    law = theory.galton_watson_pmf(1.0 * dt, 0.5 * dt, round(3 / dt), largest=60)
    runs = simulate(
        replicates=100_000, division=[1.0], death=[0.5], initial=[1], dt=dt, until=ta.Until(day=3)
    )
    seen = np.bincount(np.minimum(runs["n_0"].to_numpy().astype(int), 61), minlength=62)
    assert p_of_law(seen, np.append(law, 1 - law.sum())) > 1e-6


def test_steps_tend_to_continuous_time_linearly():
    exact = theory.birth_death_pmf(1.0, 0.5, 3.0, 40)
    errors = [
        np.abs(theory.galton_watson_pmf(dt, 0.5 * dt, round(3 / dt), largest=40) - exact).max()
        for dt in (0.1, 0.05, 0.025)
    ]
    assert np.divide(errors[:-1], errors[1:]) == pytest.approx(2, abs=0.1)


@WELL_MIXED
def test_steps_slow_growth_as_the_logarithm_says(case, simulate, engine):
    rates = case("GW-DT-EULERBIAS")
    steps = np.array([float(dt) for dt in rates.expected])
    rates.check_formula(
        [theory.step_growth_rate(0.14, 0.13, dt) for dt in steps], expected=list(rates.expected.values())
    )
    for dt in (1.0, 0.5, 0.1):
        cells = 10**12 if engine == "clones" else 10**6
        runs = simulate(
            replicates=20, division=[0.14], death=[0.13], initial=[cells], dt=dt, until=ta.Until(day=10)
        )
        rate, expected = np.log(runs["n_0"].to_numpy() / cells).mean() / 10, rates.expected[str(dt)]
        # The variance of N by the delta method.
        spread = np.sqrt(theory.galton_watson_variance(0.14 * dt, 0.13 * dt, round(10 / dt)) / cells)
        allowed = 4.5 * spread / np.exp(expected * 10) / 10 / np.sqrt(20)
        rates.record(
            what=f"growth rate per day at dt = {dt}",
            expected=expected,
            found=f"{rate:.8f} (20 replicates of {cells:.0e} cells)",
            tolerance=within(allowed, expected, "4.5 SE"),
            passed=abs(rate - expected) < allowed,
        )


def test_a_step_in_which_most_cells_act_is_refused(simulate):
    with pytest.raises(ValueError, match=r"dt = 2 .* type 0.*dt <= 1\.85"):
        simulate(replicates=1, division=[0.14], death=[0.13], initial=[1], dt=2.0, until=ta.Until(total=400))


@pytest.fixture(scope="module")
def detected(simulate):
    return simulate(
        replicates=1_200,
        division=[0.14],
        death=[0.13],
        initial=[1],
        dt=0.1,
        until=ta.Until(total=1_000_000),
        restart_on_extinction=True,
    )


@pytest.mark.slow
def test_day_of_detection_of_surviving_tumours(case, detected):
    mean = case("BD-CT-DETTIME-MEAN")
    mean.check_formula(theory.detection_time_mean(0.14, 0.13, 1e6))
    assert theory.detection_time_sd(0.14, 0.13) == pytest.approx(mean.tolerance["sd"], rel=1e-12)
    # dt = 0.1 delays by 0.05%, 0.6 days, within the bias of 1 day allowed for the formula.
    mean.check_mean(detected["day"])


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["cells"], scope="session")
def test_day_of_detection_of_small_tumours_held_cell_by_cell(case, simulate):
    # At 1e4 cells the formula is 0.1 day from the mean, and dt = 0.1 delays by 0.3 day.
    mean, day = case("BD-CT-DETTIME-MEAN"), theory.detection_time_mean(0.14, 0.13, 1e4)
    runs = simulate(
        replicates=400,
        division=[0.14],
        death=[0.13],
        initial=[1],
        dt=0.1,
        until=ta.Until(total=10_000),
        restart_on_extinction=True,
    )
    allowed = 1 + 4.5 * theory.detection_time_sd(0.14, 0.13) / np.sqrt(runs.height)
    found = runs["day"].mean()
    mean.record(
        what="mean day of detection, at 1e4 cells",
        expected=day,
        found=f"{found:.6g} ({runs.height:,} replicates)",
        tolerance=within(allowed, day, "4.5 SE + 1"),
        passed=abs(found - day) < allowed,
    )


@pytest.mark.slow
def test_attempts_until_a_tumour_survives_are_geometric(case, detected, p_of_law):
    survival = case("BD-CT-DETPROB").expected
    attempts = detected["attempts"].to_numpy().astype(int)
    law = survival * (1 - survival) ** np.arange(80)
    seen = np.bincount(np.minimum(attempts, 81) - 1, minlength=81)
    assert p_of_law(seen, np.append(law, 1 - law.sum())) > 1e-6


@EVERY
def test_probability_to_reach_detection(case, simulate, engine):
    reach = case("BD-CT-DETPROB")
    reach.check_formula(theory.reach_before_extinction(0.14, 0.13, 10**6))
    # Exact for every dt. Engines that hold cells stop at 400, whence all die out with probability 1e-13.
    total = 1_000_000 if engine == "clones" else 400
    runs = simulate(
        replicates=fewer(105_000, engine, lattice=2),
        division=[0.14],
        death=[0.13],
        initial=[1],
        until=ta.Until(total=total),
    )
    reach.check_mean(runs["stopped_by"] == "total")


@EVERY
@pytest.mark.slow
def test_gamblers_ruin_between_none_and_twenty(case, simulate, engine):
    reach = case("BD-CT-RUIN20")
    reach.check_formula(theory.reach_before_extinction(0.14, 0.13, 20, 3))
    # Divisions of one step may pass over 20: at dt = 0.02 this costs 0.0003, a ninth of a standard error.
    runs = simulate(
        replicates=fewer(24_000, engine, lattice=2),
        division=[0.14],
        death=[0.13],
        initial=[3],
        dt=0.02,
        until=ta.Until(total=20),
    )
    reach.check_mean(runs["stopped_by"] == "total")


def test_closed_forms_at_their_limits():
    # Critical, and with no death, as limits of the general formula.
    for rate in (1e-7, -1e-7):
        near = theory.linear_fractional(0.14 + rate, 0.14, 50)
        assert near == pytest.approx(theory.linear_fractional(0.14, 0.14, 50), rel=1e-4)
    assert theory.linear_fractional(0.14, 0.14, 50) == pytest.approx((7 / 8, 7 / 8))
    assert theory.variance_cells(0.2, 0.2, 10, 3) == pytest.approx(
        theory.variance_cells(0.2 + 1e-9, 0.2, 10, 3)
    )
    assert theory.reach_before_extinction(0.2, 0.2, 20, 5) == 0.25
    assert theory.reach_before_extinction(0.2, 0.0, 20, 5) == 1
    assert theory.reach_before_extinction(0.13, 0.14, 20, 3) == pytest.approx(
        (1 - (14 / 13) ** 3) / (1 - (14 / 13) ** 20)
    )
    assert theory.extinction_by(0.14, 0.17, theory.extinction_time_median(0.14, 0.17, 10**12), 10**12) == (
        pytest.approx(0.5, rel=1e-9)
    )
    assert theory.extinction_by(0.0, 0.1, 10) == pytest.approx(1 - np.exp(-1))
    assert theory.extinction_by(0.1, 0.0, 10) == 0
    pmf = theory.birth_death_pmf(1.0, 0.5, 3.0, 2000)
    cells = np.arange(pmf.size)
    assert pmf.sum() == pytest.approx(1)
    assert pmf @ cells == pytest.approx(theory.mean_cells(1.0, 0.5, 3.0))
    assert pmf @ cells**2 - (pmf @ cells) ** 2 == pytest.approx(theory.variance_cells(1.0, 0.5, 3.0))
    with pytest.raises(ValueError, match="growing population"):
        theory.detection_time_mean(0.13, 0.14, 1e6)
