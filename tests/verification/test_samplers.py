"""Random numbers and the laws that counts are drawn from, at the sizes of a tumour.

The cases name the traps of published samplers; here the numbers that the engine itself draws pass
through them.
"""

import functools
import operator

import numpy as np
import pytest
import tumor_abm as ta
from scipy import stats
from tumor_abm import _core
from verification.ledger import number

MILLION = 1_000_000

pytestmark = pytest.mark.engine("core")


def binomials(seed, n, p, size):
    return np.frombuffer(_core.draw_binomial(seed, n, p, size), dtype=np.uint64)


def poissons(seed, mean, size):
    return np.frombuffer(_core.draw_poisson(seed, mean, size), dtype=np.uint64)


def splits(seed, n, weights, size):
    return np.frombuffer(_core.draw_split(seed, n, weights, size), dtype=np.uint64).reshape(size, -1)


def test_philox_gives_the_known_answer(case):
    answer = case("RNG-PHILOX4x64-NUMPY")
    words = [f"{word:016x}" for word in _core.philox(answer.params["key"], answer.params["counter"])]
    answer.record(found=words, tolerance="exact", passed=words == answer.expected)


def test_philox_gives_the_known_answers_of_its_authors(case):
    answers, found = case("RNG-PHILOX4x32"), []
    for counter, key, _ in answers.expected:
        words = _core.philox32([int(word, 16) for word in key], [int(word, 16) for word in counter])
        found.append([f"{word:08x}" for word in words])
    expected = [answer for _, _, answer in answers.expected]
    answers.record(expected=expected, found=found, tolerance="exact", passed=found == expected)


def test_philox_is_the_generator_of_numpy():
    for key, first in [((1, 2), 0), ((2**64 - 1, 12345), 2**63), ((0, 0), 2**64 - 2)]:
        # numpy counts up before it generates.
        numpy_words = np.random.Philox(key=np.array(key, dtype=np.uint64), counter=first).random_raw(4)
        assert list(numpy_words) == _core.philox(list(key), [first + 1, 0, 0, 0])


def test_a_uniform_number_is_the_top_53_bits_of_a_word(case, seed):
    grid = case("RNG-F64")
    largest, smallest = ((2**64 - 1) >> 11) * 2.0**-53, 2.0**-53
    assert [largest, smallest] == grid.expected
    assert largest < 1
    # One trial succeeds when the uniform number is at least 1 - p: its words are the stream's.
    size, p = 40_000, 0.3
    words = np.array(
        [_core.philox([seed, 0], [block, 8, 0, 0]) for block in range(size // 4)], dtype=np.uint64
    )
    uniform = (words.ravel() >> np.uint64(11)) * 2.0**-53
    agree = np.count_nonzero(binomials(seed, 1, p, size) == (uniform >= np.exp(np.log1p(-p))))
    grid.record(
        what="trials that succeed as the top 53 bits of their word say, so that they lie on this grid",
        expected=f"{size} of {size}",
        found=f"{agree} of {size}",
        tolerance="exact",
        passed=agree == size,
    )


def test_binomial_of_a_tiny_probability_has_its_mean(case, seed):
    none = case("SAMP-BINV-BIAS")
    draws = binomials(seed, int(none.params["n"]), none.params["p"], 300_000)
    none.check_mean(draws == 0)
    assert abs(draws.mean() - 1) < 4.5 / np.sqrt(draws.size)


def test_binomial_of_many_rare_events_is_poisson(case, seed):
    law = case("SAMP-BINOM-1e+12-1e-12")
    probabilities = np.append(law.expected[:-1], 1 - sum(law.expected[:-1]))
    draws = np.minimum(binomials(seed, law.params["n"], law.params["p"], MILLION), len(law.expected) - 1)
    law.check_law(np.bincount(draws.astype(int), minlength=probabilities.size), probabilities)


@pytest.mark.parametrize("name", ["1e+09-0.14", "1e+12-0.14", "1e+06-0.5", "8e+01-0.2"])
def test_binomial_follows_its_distribution_function(case, seed, name):
    law = case(f"SAMP-BINOM-CDF-{name}")
    edges, cdf = law.expected
    draws = binomials(seed, law.params["n"], law.params["p"], law.tolerance["n"])
    seen = np.bincount(np.searchsorted(edges, draws, side="left"), minlength=len(edges) + 1)
    law.check_law(seen, np.diff([0, *cdf, 1]))


@pytest.mark.parametrize(
    ("n", "p"),
    [(62, 0.2), (63, 0.2), (47, 0.3), (48, 0.3), (40, 0.5), (256, 0.04), (10_000, 0.001), (10_000, 0.00101)],
)
def test_binomial_is_exact_on_both_sides_of_the_change_of_method(seed, p_of_law, n, p):
    for chance in (p, 1 - p):
        draws = binomials(seed, n, chance, 400_000).astype(int)
        law = stats.binom(n, chance).pmf(np.arange(n + 1))
        assert p_of_law(np.bincount(draws, minlength=n + 1), law / law.sum()) > 1e-6


@pytest.mark.parametrize("p", [1e-6, 1e-3, 0.02, 0.2, 0.37, 0.5])
@pytest.mark.parametrize("mean", [10.5, 16, 40, 300, 1e4, 1e8])
def test_binomial_follows_its_law_over_a_grid(seed, p_of_law, mean, p):
    n = round(mean / p)
    law = stats.binom(n, p)
    edges = np.unique(law.ppf(np.linspace(0.0005, 0.9995, 120)))
    draws = binomials(seed, n, p, 400_000).astype(float)
    seen = np.bincount(np.searchsorted(edges, draws, side="left"), minlength=edges.size + 1)
    assert p_of_law(seen, np.diff([0, *law.cdf(edges), 1])) > 1e-6
    variance = n * p * (1 - p)
    assert abs(draws.mean() - n * p) < 4.9 * np.sqrt(variance / draws.size)
    kurtosis = 2 + (1 - 6 * p * (1 - p)) / variance
    assert abs(draws.var() / variance - 1) < 4.9 * np.sqrt(kurtosis / draws.size)


def test_binomial_at_its_edges(case, seed):
    edges = case("SAMP-BINOM-EDGE")
    edges.check_value([int(binomials(seed, n, p, 1)[0]) for n, p in ((0, 0.3), (5, 0.0), (5, 1.0))])
    half = binomials(seed, 2**53, 0.5, 1000).astype(float)
    assert abs(half.mean() - 2.0**52) < 4.5 * np.sqrt(2.0**51) / np.sqrt(1000)
    assert not binomials(seed, 2**40, 1e-300, 1000).any()
    # The sampler itself never fails: outside [0, 1] it is at the nearer end. Rates are checked before.
    assert [int(binomials(seed, 5, p, 1)[0]) for p in (-0.1, 1 + 1e-15, float("nan"))] == [0, 5, 0]
    for rate in (-0.1, float("nan"), 1.1):
        with pytest.raises(ValueError, match=r"division|dt"):
            ta.Population(division=[rate], death=[0.0], initial=[5])


def test_shares_of_a_split_never_need_a_probability_above_one(case, seed):
    rounding = case("SAMP-COND-ROUND")
    p1, p2, p3 = rounding.params["p"][1]
    assert p3 / (1 - p1 - p2) == rounding.expected[1] > 1
    for split, weights in enumerate(rounding.params["p"]):
        shares = splits(seed + split, 10**12, weights, 1000)
        assert (shares.sum(axis=1) == 10**12).all()
        error = np.sqrt(1e12 * np.array(weights) * (1 - np.array(weights)) / 1000)
        away = (shares.mean(axis=0) - 1e12 * np.array(weights)) / error
        rounding.record(
            what=f"mean shares of 1e12 split as {number(weights)}, where f64 may round a share above 1",
            expected=[1e12 * weight for weight in weights],
            found=f"{number(shares.mean(axis=0))} (1,000 splits, {number(away)} SE)",
            tolerance="4.5 SE",
            passed=(abs(away) < 4.5).all(),
        )


def test_splits_of_few_are_multinomial(seed, p_of_law):
    weights = [0.2, 0.5, 0.3]
    shares = splits(seed, 4, weights, 200_000).astype(int)
    cells = [(a, b, 4 - a - b) for a in range(5) for b in range(5 - a)]
    law = [stats.multinomial(4, weights).pmf(cell) for cell in cells]
    seen = [(shares == cell).all(axis=1).sum() for cell in cells]
    assert p_of_law(seen, law) > 1e-6


@pytest.mark.engine("clones")
def test_dividing_and_dying_cells_of_a_step_are_drawn_together(case, simulate):
    covariance = case("SAMP-MULTINOM-COV")
    n = covariance.params["n"]
    divide, die, mutate, _ = covariance.params["p"]
    runs = simulate(
        replicates=1_000_000,
        division=[divide, divide],
        death=[die, die],
        mutation=[[0, mutate / divide], [0, 0]],
        initial=[n, 0],
        until=ta.Until(day=1),
    )
    divided = runs["divisions"].to_numpy().astype(np.int64) - round(n * divide)
    died = n + runs["divisions"] - runs["n_0"] - runs["n_1"]
    died = died.to_numpy().astype(np.int64) - round(n * die)
    # Independent draws of the two would have no covariance.
    covariance.check_mean(divided.astype(float) * died)
    # Mutants are drawn from the divisions, not from a difference of large numbers.
    mutants = runs["n_1"].to_numpy().astype(float)
    assert abs(mutants.mean() - n * mutate) < 4.5 * np.sqrt(n * mutate / runs.height)
    assert mutants.var() == pytest.approx(n * mutate, rel=4.5 * np.sqrt(2.1 / runs.height))


@pytest.mark.parametrize("name", ["1000", "1e+12"])
def test_poisson_has_the_variance_of_its_mean(case, seed, name):
    ratio = case(f"SAMP-POISSON-VAR-{name}")
    mean = ratio.params["lam"]
    draws = poissons(seed, mean, 400_000) - mean
    ratio.check_estimate(float((draws**2).mean() / mean), draws.size)
    assert abs(draws.mean()) < 4.5 * np.sqrt(mean / draws.size)


@pytest.mark.parametrize("mean", [1e-9, 0.3, 5.0, 11.9, 12.1, 100.0])
def test_poisson_of_small_means_follows_its_law(seed, p_of_law, mean):
    draws = poissons(seed, mean, 400_000).astype(int)
    law = stats.poisson(mean).pmf(np.arange(400))
    if mean < 1e-6:
        assert draws.sum() == 0
    else:
        assert p_of_law(np.bincount(draws, minlength=400), law / law.sum()) > 1e-6


def test_poisson_of_nothing_is_nothing(seed):
    for mean in (0.0, -1.0, float("nan"), float("inf")):
        assert not poissons(seed, mean, 10).any()


def test_time_is_a_count_of_steps(case):
    time = case("NUM-TIME")
    # What a sum of steps would give is not what is found.
    assert functools.reduce(operator.add, [0.1] * 100_000) == time.expected != 10_000
    population = ta.Population(division=[0.0], death=[0.0], initial=[1], dt=0.1, seed=1)
    population.step(100_000)
    time.record(
        what=f"day of a population after 100,000 steps of 0.1, which add up to {time.expected:.9f}",
        expected=10_000.0,
        found=f"{population.day:.9f}",
        tolerance="exact",
        passed=population.day == 10_000.0,
    )


def test_counts_are_whole_numbers_and_stay_exact(case):
    lost = case("NUM-U64F64")
    assert float(2**53 + 1) - 2**53 == lost.expected == 0
    # So 2^53 cells are held exactly and one more is refused.
    population = ta.Population(division=[0.0], death=[0.0], initial=[2**53], seed=1)
    population.step(3)
    lost.record(
        what="cells after three idle steps from 2^53",
        expected=str(2**53),
        found=str(population.counts[0]),
        tolerance="exact",
        passed=int(population.counts[0]) == 2**53,
        engine="clones",
    )
    assert population.counts.dtype == np.uint64
    assert int(population.counts[0]) == 2**53
    with pytest.raises(ValueError, match=r"initial\[0\].*2\^53"):
        ta.Population(division=[0.0], death=[0.0], initial=[2**53 + 1])
    with pytest.raises(ValueError, match=r"2\^53"):
        ta.Population(division=[0.1], death=[0.0], initial=[2**53], seed=1).step()
