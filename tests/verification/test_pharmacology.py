"""Drug concentrations, effects, growth and response: cases without chance."""

import math

import numpy as np
import pytest
from tumor_abm import _core, survival, theory

pytestmark = pytest.mark.engine("core")

# What Python offers and no patient runs; patients are in `test_patients_under_drugs.py`.
APART = "function apart, known answer"


@pytest.fixture(scope="module")
def oral(case):
    """Dose over volume, absorption, elimination and dosing interval of the oral cases."""
    p = case("PK-ORAL-SS").params
    return p["F"] * p["dose"] / p["V"], p["ka"], p["ke"], p["tau"]


def test_oral_doses_add_up_to_a_steady_state(case, oral):
    level, ka, ke, tau = oral
    hours = [0.0, 1.0, 2.0, 4.0, 8.0, 12.0, 24.0]
    # A dose at the very time of reading has not been absorbed: at 24 h it adds nothing.
    doses = [tau * i for i in range(-100, 1)]
    steady = case("PK-ORAL-SS")
    steady.check_value(_core.oral_concentration(level, ka, ke, doses, hours), compared=APART)
    steady.check_value([theory.oral_steady_state(level, ka, ke, tau, t) for t in hours], engine="theory")


def test_five_oral_doses_add_up(case, oral):
    level, ka, ke, tau = oral
    doses = [tau * i for i in range(5)]
    found = _core.oral_concentration(level, ka, ke, doses, [doses[-1] + 6])[0]
    case("PK-ORAL-DOSE5").check_value(found, compared=APART)


def test_equal_absorption_and_elimination_are_a_limit_not_a_hole(case):
    single = case("PK-ORAL-KA=KE")
    p = single.params
    level = p["F"] * p["dose"] / p["V"]
    single.check_value(_core.oral_concentration(level, p["ka"], p["ke"], [0.0], [6.0])[0], compared=APART)
    for nearly in (1 + 1e-9, 1 - 1e-6, 1 + 1e-4):
        value = _core.oral_concentration(level, p["ka"] * nearly, p["ke"], [0.0], [6.0])[0]
        assert value == pytest.approx(single.expected, rel=1e-4)


def test_no_drug_before_the_dose():
    assert _core.oral_concentration(1.0, 1.2, 0.08, [5.0], [0.0, 4.999, 5.0]) == [0.0, 0.0, 0.0]


def test_accumulation_and_time_to_steady_state(case, oral):
    level, ka, ke, tau = oral
    ratio = case("PK-ACC")
    ratio.check_value([theory.accumulation_ratio(ke, tau), theory.time_to_steady_state(ke)], engine="theory")
    # What the ratio means: troughs, once absorption is over, of the hundredth dose and the first.
    late, first = (
        _core.oral_concentration(level, ka, ke, [tau * i for i in range(n)], [tau * n])[0] for n in (100, 1)
    )
    ratio.record(
        what="trough of the hundredth dose over that of the first",
        expected=ratio.expected[0],
        found=late / first,
        tolerance="rel 1e-06",
        passed=late / first == pytest.approx(ratio.expected[0], rel=1e-6),
        compared=APART,
    )


def test_hill_effect_at_its_landmarks(case):
    landmarks = case("PD-HILL-POINTS")
    p = landmarks.params
    ninth = 9 ** (1 / p["h"])
    concentrations = [0.0, p["EC50"], p["EC50"] * ninth, p["EC50"] / ninth]
    landmarks.check_value([_core.hill(c, p["Emax"], p["EC50"], p["h"]) for c in concentrations])
    assert _core.hill(math.inf, 0.7, p["EC50"], p["h"]) == 0.7


def test_hill_effect_rises_with_concentration():
    for h in (0.5, 1.0, 2.5, 8.0):
        effects = [_core.hill(c, 0.9, 3.0, h) for c in np.logspace(-6, 6, 200)]
        assert all(np.diff(effects) >= 0)
        assert 0 <= effects[0] < effects[-1] <= 0.9


def test_log_kill_of_a_dosing_interval_is_the_integrated_hill_effect(case):
    kill = case("PD-HILL-LOGKILL")
    p = kill.params
    integral = _core.integrated_hill(p["Emax"], p["EC50"], p["h"], p["C0"], p["ke"], p["tau"])
    kill.check_value(integral, compared=APART)
    # The effect itself, which patients run, by Simpson's rule.
    t = np.linspace(0, p["tau"], 2001)
    effect = [_core.hill(p["C0"] * math.exp(-p["ke"] * x), p["Emax"], p["EC50"], p["h"]) for x in t]
    weights = np.concatenate([[1], np.tile([4, 2], 1000)[:-1], [1]])
    kill.check_value(weights @ effect * t[1] / 3, what=f"{kill.statistic}, by Simpson's rule over the effect")


def test_bliss_effects_survive_independently(case):
    bliss = case("PD-BLISS")
    fa, fb = bliss.params["fa"], bliss.params["fb"]
    bliss.check_value(_core.bliss(fa, fb), compared=APART)
    assert 1 - _core.bliss(fa, fb) == pytest.approx((1 - fa) * (1 - fb))
    assert (_core.bliss(fa, 0), _core.bliss(0, fb), _core.bliss(1, fb)) == (fa, fb, 1)


@pytest.mark.engine("theory")
def test_each_cycle_kills_a_constant_fraction(case):
    kill = case("PD-LOGKILL")
    p = kill.params
    kill.check_value(theory.log_kill(p["N0"], p["S"], p["r"], p["T"], p["cycles"]))


@pytest.mark.engine("theory")
def test_growth_closed_forms(case):
    gompertz, logistic, norton_simon = map(case, ("GROWTH-GOMPERTZ", "GROWTH-LOGISTIC", "PD-NORTONSIMON"))
    p = gompertz.params
    gompertz.check_value(theory.gompertz(p["N0"], p["K"], p["a"], p["t"]))
    p = logistic.params
    logistic.check_value(theory.logistic(p["N0"], p["K"], p["r"], p["t"]))
    p = norton_simon.params
    norton_simon.check_value(theory.norton_simon(p["N0"], p["K"], p["a"], p["c"], p["t"]))


def test_growth_closed_forms_solve_their_equations():
    h = 1e-3
    for grow, rate in [
        (lambda t: theory.gompertz(1e8, 1e12, 0.005, t), lambda n: 0.005 * n * math.log(1e12 / n)),
        (lambda t: theory.logistic(1e8, 1e12, 0.02, t), lambda n: 0.02 * n * (1 - n / 1e12)),
        (
            lambda t: theory.norton_simon(1e8, 1e12, 0.005, 2.2, t),
            lambda n: 0.005 * n * math.log(1e12 / n) * (1 - 2.2),
        ),
    ]:
        assert grow(0) == pytest.approx(1e8)
        for t in (10, 100, 400):
            assert (grow(t + h) - grow(t - h)) / (2 * h) == pytest.approx(rate(grow(t)), rel=1e-5)


@pytest.mark.engine("theory")
def test_nadir_and_progression_of_a_mixed_lesion(case):
    nadir = case("RESP-NADIR")
    p = nadir.params
    response = theory.response_nadir(p["phi"], p["d"], p["g"])
    nadir.check_value(response)

    def diameter(day):
        return _core.sphere_diameter_mm(
            (1 - p["phi"]) * math.exp(-p["d"] * day) + p["phi"] * math.exp(p["g"] * day)
        )

    assert diameter(response.progression_day) / diameter(response.nadir_day) == pytest.approx(1.2)
    assert diameter(response.nadir_day) / diameter(0) - 1 == pytest.approx(response.best_diameter_change)
    assert theory.response_nadir(0.9, 0.001, 0.01).nadir_day == 0


@pytest.mark.engine("theory")
def test_relapse_after_one_drug_without_chance(case):
    relapse = case("RESP-RELAPSE-TIME")
    p = relapse.params
    arguments = p["M"], p["n"] * p["u"], p["b"], p["d"]
    relapse.check_value([theory.expected_resistant(*arguments), theory.relapse_time(*arguments)])


def test_recist_thresholds_are_cubes_of_diameters(case):
    volumes = case("RECIST-ARITH")

    def volume_ratio(diameter_ratio):
        return _core.sphere_volume_mm3(30.0 * diameter_ratio) / _core.sphere_volume_mm3(30.0)

    # The product of two diameters, WHO's measure, changes by -50% and +25%.
    volumes.check_value([volume_ratio(x) for x in (0.7, 1.2, 0.5**0.5, 1.25**0.5)], compared=APART)


def test_a_billion_cells_measure_twelve_millimetres(case):
    sizes = case("SIZE-DIAMETER")
    per_mm3 = sizes.params["density"] / 1000
    sizes.check_value(
        [
            _core.sphere_diameter_mm(1e9 / per_mm3),
            _core.sphere_diameter_mm(1e8 / per_mm3),
            _core.sphere_volume_mm3(10.0) * per_mm3,
        ]
    )
    for diameter in (0.1, 5.0, 200.0):
        assert _core.sphere_diameter_mm(_core.sphere_volume_mm3(diameter)) == pytest.approx(
            diameter, rel=1e-14
        )
    assert _core.sphere_diameter_mm(0.0) == 0


def test_progression_is_seen_on_the_next_scan(case):
    scans = case("RESP-SCANPFS")
    interval = scans.params["interval"]
    found = [_core.first_scan_on_or_after(day, interval) for day in scans.params["t_true"]]
    scans.check_value(found, compared=APART)


def test_kaplan_meier_of_the_first_leukaemia_trial(case):
    curve = case("KM-FREIREICH")
    weeks, events = np.transpose(curve.params["data"])
    estimate = survival.kaplan_meier(weeks.astype(float), events.astype(bool))
    curve.check_value(estimate.at([6, 7, 10, 13, 16, 22, 23]))
