"""Mutations on trees, what is read of them, and what they say."""

import gzip
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import polars as pl
import pytest
import tumor_abm as ta
from scipy import stats
from tumor_abm.evolution.maf import maf, write_maf
from tumor_abm.evolution.neutrality import NEUTRAL_FROM, cumulative, inverse_simpson, neutral_fit

SEED = 20_260_417
DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="module")
def tumour():
    population = ta.Population(
        engine="cells",
        division=[0.5, 0.6],
        death=[0.1, 0.1],
        mutation=[[0.01, 0.01], [0, 0]],
        initial=[1, 0],
        dt=0.25,
        seed=11,
        genealogy=True,
        keep_extinct=True,
    )
    while population.counts.sum() < 2_000:
        population.step()
    return population


@pytest.fixture(scope="module")
def mutations(tumour):
    return ta.Mutations.draw(tumour.genealogy, 3.0, truncal=5, clones=tumour.all_clones, seed=SEED)


def test_carriers_of_passengers_are_the_cells_below(tumour, mutations):
    passenger = mutations.table["origin"].to_numpy() == "passenger"
    counted = np.bincount(mutations.carriers()[passenger], minlength=tumour.genealogy.cells.height + 1)
    assert np.array_equal(counted, tumour.genealogy.site_frequency_spectrum(3.0, seed=SEED))


def test_carriers_of_drivers_are_the_cells_of_their_type(tumour, mutations):
    table = mutations.table
    drivers = table.filter(pl.col("origin") == "driver")
    assert drivers.height > 3
    # All cells of type 1 go back to one driver each: types do not turn back.
    carriers = mutations.carriers()[table["origin"].to_numpy() == "driver"]
    assert carriers.sum() == tumour.counts[1]
    assert (table["origin"].to_numpy()[:5] == "truncal").all()
    assert (mutations.carriers()[:5] == tumour.counts.sum()).all()


def test_carriers_of_samples_add_up(tumour, mutations):
    rows = np.arange(tumour.genealogy.cells.height)
    parts = [mutations.carriers(rows[::2]), mutations.carriers(rows[1::2])]
    assert np.array_equal(sum(parts), mutations.carriers())
    one = mutations.carriers([7])
    assert set(one) == {0, 1}


def test_rare_mutations_can_be_left_out(tumour, mutations):
    fewer = ta.Mutations.draw(tumour.genealogy, 3.0, truncal=5, least_carriers=3, seed=SEED)
    carriers = mutations.carriers()[mutations.table["origin"].to_numpy() == "passenger"]
    assert np.array_equal(fewer.carriers()[5:], carriers[carriers >= 3])


@pytest.mark.parametrize("overdispersion", [0.0, 0.02])
def test_reads_have_the_mean_and_spread_of_their_law(tumour, overdispersion):
    many = ta.Mutations.draw(tumour.genealogy, 0.0, truncal=40_000, seed=1)
    depth, purity = 60.0, 0.7
    reads = ta.Sequencing(depth=depth, purity=purity, overdispersion=overdispersion).bulk(many, seed=SEED)
    assert reads.height == 40_000
    p = purity / 2
    seen, alt = reads["depth"].to_numpy().astype(float), reads["alt_reads"].to_numpy().astype(float)
    # Poisson depths; given a depth n, variance n p q (1 + (n - 1) rho).
    assert abs(seen.mean() - depth) < 4.9 * np.sqrt(depth / seen.size)
    variance = seen * p * (1 - p) * (1 + (seen - 1) * overdispersion)
    z = (alt - p * seen) / np.sqrt(variance)
    assert abs(z.mean()) < 4.9 / np.sqrt(z.size)
    assert abs(z.var() - 1) < 4.9 * np.sqrt((stats.kurtosis(z) + 2) / z.size)


def test_what_is_called_passes_both_thresholds(mutations):
    reads = ta.Sequencing(depth=40, least_reads=4, least_vaf=0.08).bulk(mutations, seed=SEED)
    called = (reads["alt_reads"] >= 4) & (reads["vaf"].fill_null(0.0) >= 0.08)
    assert (called == reads["called"]).all()
    assert 0 < called.sum() < reads.height
    assert (reads["cancer_cell_fraction"] * 2_000 >= 0.9).all()


def test_single_cells_show_their_own_mutations_at_one_half(tumour, mutations):
    rows = tumour.biopsy(ta.RandomCells(cells=10), seed=3).rows
    reads = ta.Sequencing(depth=80).single_cells(mutations, rows, seed=SEED)
    for row in rows:
        own = reads.filter(pl.col("cell") == row)
        assert np.array_equal(own["mutation"].to_numpy(), np.flatnonzero(mutations.carriers([row])))
    total = reads["depth"].sum()
    assert abs(reads["alt_reads"].sum() / total - 0.5) < 4.9 * 0.5 / np.sqrt(total)


def test_the_same_seed_gives_the_same_reads(mutations):
    sequencing = ta.Sequencing(overdispersion=0.01)
    assert sequencing.bulk(mutations, seed=4).equals(sequencing.bulk(mutations, seed=4))
    assert not sequencing.bulk(mutations, seed=4).equals(sequencing.bulk(mutations, seed=5))


def test_a_maf_has_a_row_per_called_mutation(tmp_path, mutations):
    reads = ta.Sequencing(depth=50).bulk(mutations, seed=SEED)
    reads = reads.join(mutations.table.select("mutation", "origin", "type"), on="mutation")
    table = maf(reads, tumour="t1", sample="core")
    assert table.height == reads["called"].sum()
    assert (table["t_ref_count"] + table["t_alt_count"] == table["t_depth"]).all()
    assert table["Start_Position"].n_unique() == table.height
    genes = table.filter(pl.col("Variant_Classification") == "Missense_Mutation")["Hugo_Symbol"].unique()
    drivers = reads.filter(pl.col("called"), origin="driver")
    assert genes.to_list() == (["DRIVER_1"] if drivers.height else [])
    write_maf(table, tmp_path / "t1.maf")
    lines = (tmp_path / "t1.maf").read_text().splitlines()
    assert lines[0].startswith("#version")
    assert pl.read_csv(tmp_path / "t1.maf", separator="\t", comment_prefix="#").height == table.height
    write_maf(table, tmp_path / "t1.maf.gz")
    assert gzip.decompress((tmp_path / "t1.maf.gz").read_bytes()) == (tmp_path / "t1.maf").read_bytes()


def called(**columns):
    rows = {"mutation": [0], "depth": [10], "alt_reads": [5], "vaf": [0.5], "called": [True]}
    rows |= {"origin": ["driver"], "type": ["driver"]}
    return pl.DataFrame(rows | columns)


def test_a_called_driver_is_a_missense_mutation_of_its_gene():
    (row,) = maf(called(type=[1]), tumour="t1", sample="core").to_dicts()
    assert (row["Variant_Classification"], row["Hugo_Symbol"]) == ("Missense_Mutation", "DRIVER_1")


def test_a_maf_without_called_mutations_has_a_header_alone(tmp_path):
    table = maf(called(called=[False]), tumour="t1", sample="core")
    write_maf(table, tmp_path / "t1.maf")
    version, header = (tmp_path / "t1.maf").read_text().splitlines()
    assert version.startswith("#version")
    assert header.split("\t") == table.columns


def test_names_with_tabs_and_quotes_leave_the_columns_of_a_maf_as_they_are(tmp_path):
    nasty = 'a\tb\n"c"'
    table = maf(called(type=[nasty]), tumour=nasty, sample='"core"')
    write_maf(table, tmp_path / "t1.maf")
    lines = (tmp_path / "t1.maf").read_text().splitlines()
    assert len(lines) == 3
    header, row = (line.split("\t") for line in lines[1:])
    assert len(header) == len(row)
    assert '"' not in lines[2]
    fields = dict(zip(header, row, strict=True))
    assert unquote(fields["Hugo_Symbol"]) == f"DRIVER_{nasty}"
    assert unquote(fields["Tumor_Sample_Barcode"]) == f'{nasty}-"core"'
    read = pl.read_csv(tmp_path / "t1.maf", separator="\t", comment_prefix="#")
    assert read["t_depth"].to_list() == [10]


def test_positions_stay_below_what_indices_of_genomes_can_hold():
    sites = [0, 499_999, 500_000, 5_000_000, 4_000_000_000]
    table = maf(
        called(
            mutation=sites,
            **{
                key: [called()[key][0]] * 5
                for key in ("depth", "alt_reads", "vaf", "called", "origin", "type")
            },
        ),
        tumour="t1",
        sample="core",
    )
    assert table["Start_Position"].is_between(1, 2**29 - 1).all()
    assert table.select("Chromosome", "Start_Position").is_unique().all()
    assert table["Chromosome"].to_list()[:3] == ["synthetic", "synthetic", "synthetic_2"]


def test_a_maf_is_packed_whatever_the_case_of_its_ending(tmp_path):
    for name in ("a.maf.gz", "b.maf.GZ"):
        write_maf(maf(called(), tumour="t1", sample="core"), tmp_path / name)
        assert gzip.decompress((tmp_path / name).read_bytes()).startswith(b"#version")


@pytest.mark.parametrize(
    ("key", "value"), [("depth", -1), ("purity", 1.2), ("overdispersion", 1.0), ("least_vaf", np.nan)]
)
def test_impossible_sequencing_is_refused(key, value):
    with pytest.raises(ValueError, match=f"sequencing.{key}: found"):
        ta.Sequencing(**{key: value})


def test_the_neutral_law_fits_itself():
    # M(f) = 3000 (1/f - 1/fmax), but for the rounding to whole mutations.
    numbers = np.arange(1, 12_501)
    vaf = 1 / ((numbers - 0.5) / 3_000 + 1 / 0.24)
    fit = neutral_fit(vaf, lowest=0.12, highest=0.24)
    assert fit.mutation_rate == pytest.approx(3_000, rel=1e-4)
    assert fit.r_squared == pytest.approx(1, abs=1e-6)
    assert fit.area < 1e-4
    assert fit.mean_distance < 1e-4
    assert fit.kolmogorov_distance < 1e-4
    assert fit.mutations == np.sum(vaf > 0.12)


def test_statistics_of_neutrality_are_those_that_neutralitytestr_publishes():
    # What its README prints for its example: neutralitytest(VAFneutral, fmin = 0.1, fmax = 0.25).
    kept = pl.read_csv(DATA / "neutralitytestr_vaf_neutral.csv", comment_prefix="#")
    fit = neutral_fit(kept["vaf"].repeat_by(kept["mutations"]).explode(), lowest=0.1, highest=0.25)
    assert fit.area == pytest.approx(0.03067203, abs=5e-9)
    assert fit.kolmogorov_distance == pytest.approx(0.09036603, abs=5e-9)
    assert fit.mean_distance == pytest.approx(0.04131414, abs=5e-9)
    assert fit.r_squared == pytest.approx(0.98993, abs=5e-6)
    assert fit.mutation_rate == pytest.approx(216.7985, abs=5e-5)


def test_statistics_of_neutrality_agree_with_a_calculation_by_hand():
    # Five mutations at each of 0.245, 0.23 and 0.21; M(f) is 0 at 0.25, then 5, 10 and 15 below them.
    fit = neutral_fit(np.repeat([0.245, 0.23, 0.21], 5), lowest=0.2, highest=0.25)
    f = [0.25 - 0.001 * k for k in range(51)]
    x = [1 / at - 4 for at in f]
    m = [5 * sum(at < vaf for vaf in (0.245, 0.23, 0.21)) for at in f]
    slope = sum(a * b for a, b in zip(x, m, strict=True)) / sum(a * a for a in x)
    residual = sum((b - slope * a) ** 2 for a, b in zip(x, m, strict=True))
    assert fit.mutation_rate == pytest.approx(slope)
    assert fit.r_squared == pytest.approx(1 - residual / sum(b * b for b in m))
    # Of the law, 1 - (1/0.23 - 4) = 0.652 lies below 0.23; of the mutations, a third.
    assert fit.kolmogorov_distance == pytest.approx(5 - 1 / 0.23 - 1 / 3)
    assert fit.mean_distance == pytest.approx(sum(abs(a - b / 15) for a, b in zip(x, m, strict=True)) / 51)
    assert fit.mutations == 15


def test_a_clone_that_swept_does_not_fit():
    tail = 1 / (np.arange(1, 60) / 15 + 1 / 0.24)
    neutral = neutral_fit(tail)
    swept = neutral_fit(np.concatenate([tail, np.full(200, 0.2)]))
    assert swept.r_squared < NEUTRAL_FROM < neutral.r_squared
    assert swept.area > neutral.area
    assert swept.kolmogorov_distance > neutral.kolmogorov_distance
    assert swept.mean_distance > neutral.mean_distance


def test_too_few_mutations_are_not_fitted():
    few = neutral_fit([0.13, 0.15, 0.2, 0.22, 0.23])
    assert few.mutations == 5
    assert np.isnan([few.mutation_rate, few.r_squared, few.area, few.mean_distance]).all()
    with pytest.raises(ValueError, match="lowest, highest: found"):
        neutral_fit([0.2], lowest=0.3, highest=0.2)


def test_mutations_are_counted_above_a_fraction():
    inverse, numbers = cumulative([0.24, 0.2395, 0.2, 0.12, 0.5], lowest=0.12, highest=0.24)
    assert inverse[0] == 0
    assert inverse[-1] == pytest.approx(1 / 0.12 - 1 / 0.24)
    assert (np.diff(inverse) > 0).all()
    assert (numbers[0], numbers[1], numbers[-1]) == (0, 2, 3)


def test_inverse_simpson_counts_equal_clones():
    assert inverse_simpson([5, 5, 5, 5]) == pytest.approx(4)
    assert inverse_simpson([10, 0]) == 1
    assert np.isnan(inverse_simpson([]))
