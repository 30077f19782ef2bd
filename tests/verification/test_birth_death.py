"""Cells that only divide and die: extinction, the law of their number, the time to detection.

Where a case is for continuous time, the step is so small that what is left of it is a fraction of
a standard error; the number is said at the step.
"""

import numpy as np
import pytest
import tumor_abm as ta
from tumor_abm import theory


@pytest.mark.parametrize("engine", ["clones", "cells"], scope="session")
@pytest.mark.parametrize(("id_", "dt"), [("GW-DT-EXT", 1.0), ("BD-CT-EXT-n1", 0.25)])
def test_extinction_probability_is_death_over_division(case, simulate, id_, dt):
    extinction = case(id_)
    assert theory.ultimate_extinction(0.14, 0.13) == pytest.approx(extinction.expected, rel=1e-12)
    # Exact for every dt; of 400 cells all die out with probability 1e-13.
    runs = simulate(
        replicates=40_000, division=[0.14], death=[0.13], initial=[1], dt=dt, until=ta.Until(total=400)
    )
    extinction.check_mean(runs["stopped_by"] == "extinct")


@pytest.mark.parametrize("engine", ["clones", "cells"], scope="session")
def test_cells_at_a_day_follow_the_linear_fractional_law(case, simulate):
    law = case("BD-CT-LAW")
    pmf = theory.birth_death_pmf(1.0, 0.5, 3.0, len(law.expected) - 2)
    np.testing.assert_allclose(pmf, law.expected[:-1], rtol=1e-10)
    # The law at this dt has a chi-square distance of 1.1e-5 a replicate: 0.5 where the test spreads by 10.
    runs = simulate(
        replicates=50_000, division=[1.0], death=[0.5], initial=[1], dt=0.005, until=ta.Until(day=3)
    )
    law.check_counts(runs["n_0"])


@pytest.mark.parametrize("engine", ["clones", "cells"], scope="session")
def test_mean_grows_exponentially(case, simulate):
    mean = case("BD-CT-MEAN")
    assert theory.mean_cells(0.14, 0.13, 100, 20) == pytest.approx(mean.expected, rel=1e-12)
    # dt = 0.25 lowers the mean by 0.12%, a quarter of a standard error.
    runs = simulate(
        replicates=40_000, division=[0.14], death=[0.13], initial=[20], dt=0.25, until=ta.Until(day=100)
    )
    mean.check_mean(runs["n_0"])


@pytest.mark.parametrize("engine", ["clones", "cells"], scope="session")
def test_critical_cells_die_out_by_a_day(case, simulate):
    extinct = case("BD-CT-CRIT")
    assert theory.extinction_by(0.14, 0.14, 200, 5) == pytest.approx(extinct.expected, rel=1e-12)
    # dt = 0.1 raises the probability by 0.00024, a tenth of a standard error.
    runs = simulate(
        replicates=20_000, division=[0.14], death=[0.14], initial=[5], dt=0.1, until=ta.Until(day=200)
    )
    extinct.check_mean(runs["n_0"] == 0)


@pytest.mark.parametrize("engine", ["clones", "cells"], scope="session")
def test_mean_under_a_schedule_of_rates(case, simulate):
    mean = case("BD-CT-PIECEWISE-MEAN")
    days, b, d = np.diff(mean.params["breakpoints"]), mean.params["b"], mean.params["d"]
    assert theory.mean_cells(b, d, days, 15) == pytest.approx(mean.expected, rel=1e-12)
    # dt = 0.1 lowers the mean by 0.7%, a third of a standard error.
    runs = simulate(
        replicates=40_000,
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
    assert theory.extinction_time_median(0.14, 0.17, 10**9) == pytest.approx(median.expected, rel=1e-7)
    # dt = 0.05 declines 0.08% faster, 0.5 day, where a standard error is 1.2 days.
    runs = simulate(
        replicates=2_000, division=[0.14], death=[0.17], initial=[10**9], dt=0.05, until=ta.Until()
    )
    median.check_estimate(float(runs["day"].median()), runs.height)


@pytest.mark.parametrize("engine", ["clones", "cells"], scope="session")
def test_division_and_death_exclude_each_other_in_a_step(case, simulate):
    # Death drawn first and then division among the survivors would shrink this population.
    wrong_law = case("GW-DT-ORDER")
    mean = theory.galton_watson_mean(0.14, 0.13, 100, 1000)
    assert mean == pytest.approx(2704.8, abs=0.05)
    runs = simulate(replicates=4_000, division=[0.14], death=[0.13], initial=[1000], until=ta.Until(day=100))
    error = np.sqrt(theory.galton_watson_variance(0.14, 0.13, 100, 1000) / runs.height)
    assert abs(runs["n_0"].mean() - mean) < 4.5 * error
    assert abs(runs["n_0"].mean() - wrong_law.expected) > 1000 * error / 4.5


@pytest.mark.parametrize("engine", ["clones", "cells"], scope="session")
def test_mean_after_some_steps(case, simulate):
    mean = case("GW-DT-MEAN")
    assert theory.galton_watson_mean(0.14, 0.13, 50, 10) == pytest.approx(mean.expected, rel=1e-12)
    assert theory.galton_watson_variance(0.14, 0.13, 50, 10) == pytest.approx(mean.tolerance["sd"] ** 2)
    runs = simulate(replicates=60_000, division=[0.14], death=[0.13], initial=[10], until=ta.Until(day=50))
    mean.check_mean(runs["n_0"])


@pytest.mark.parametrize("engine", ["clones", "cells"], scope="session")
def test_law_after_some_steps_is_the_composed_generating_function(case, simulate):
    law = case("GW-DT-LAW")
    np.testing.assert_allclose(theory.galton_watson_pmf(0.3, 0.2, 4, 2), law.expected, rtol=1e-9)
    runs = simulate(replicates=400_000, division=[0.3], death=[0.2], initial=[2], until=ta.Until(day=4))
    law.check_counts(runs["n_0"])


@pytest.mark.parametrize("engine", ["clones", "cells"], scope="session")
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


def test_steps_slow_growth_as_the_logarithm_says(case, simulate):
    rates = case("GW-DT-EULERBIAS")
    for dt, rate in rates.expected.items():
        assert theory.step_growth_rate(0.14, 0.13, float(dt)) == pytest.approx(rate, abs=1e-12)
    for dt in (1.0, 0.5, 0.1):
        # 1e12 cells grow by 10% with an error of 2e-6.
        runs = simulate(
            replicates=50, division=[0.14], death=[0.13], initial=[10**12], dt=dt, until=ta.Until(day=10)
        )
        rate = np.log(runs["n_0"].to_numpy() / 1e12).mean() / 10
        assert rate == pytest.approx(rates.expected[str(dt)], abs=4.5 * 1.8e-7 / np.sqrt(50))


def test_a_step_in_which_most_cells_act_is_refused(simulate):
    with pytest.raises(ValueError, match=r"dt = 2 .* type 0.*dt <= 1\.85"):
        simulate(replicates=1, division=[0.14], death=[0.13], initial=[1], dt=2.0, until=ta.Until(total=400))


@pytest.fixture(scope="module")
def detected(simulate):
    return simulate(
        replicates=2_500,
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
    assert theory.detection_time_mean(0.14, 0.13, 1e6) == pytest.approx(mean.expected, rel=1e-12)
    assert theory.detection_time_sd(0.14, 0.13) == pytest.approx(mean.tolerance["sd"], rel=1e-12)
    # dt = 0.1 delays by 0.05%, 0.6 days, within the bias of 1 day allowed for the formula.
    mean.check_mean(detected["day"])


@pytest.mark.slow
def test_attempts_until_a_tumour_survives_are_geometric(case, detected, p_of_law):
    survival = case("BD-CT-DETPROB").expected
    attempts = detected["attempts"].to_numpy().astype(int)
    law = survival * (1 - survival) ** np.arange(80)
    seen = np.bincount(np.minimum(attempts, 81) - 1, minlength=81)
    assert p_of_law(seen, np.append(law, 1 - law.sum())) > 1e-6


def test_probability_to_reach_detection(case, simulate):
    reach = case("BD-CT-DETPROB")
    assert theory.reach_before_extinction(0.14, 0.13, 10**6) == pytest.approx(reach.expected, rel=1e-12)
    # Exact for every dt.
    runs = simulate(
        replicates=60_000, division=[0.14], death=[0.13], initial=[1], until=ta.Until(total=1_000_000)
    )
    reach.check_mean(runs["stopped_by"] == "total")


@pytest.mark.slow
def test_gamblers_ruin_between_none_and_twenty(case, simulate):
    reach = case("BD-CT-RUIN20")
    assert theory.reach_before_extinction(0.14, 0.13, 20, 3) == pytest.approx(reach.expected, rel=1e-12)
    # Divisions of one step may pass over 20: at dt = 0.02 this costs 0.0003, an eighth of a standard error.
    runs = simulate(
        replicates=30_000, division=[0.14], death=[0.13], initial=[3], dt=0.02, until=ta.Until(total=20)
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
