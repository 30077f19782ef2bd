"""Tables of mutations that others wrote, of every kind, and broken ones."""

from __future__ import annotations

import gzip
from pathlib import Path
from random import Random

import numpy as np
import polars as pl
import pytest
from tumor_abm import InputError
from tumor_abm.evolution.maf import maf, write_maf
from tumor_abm.evolution.mutation_table import SCHEMA, read_mutations
from tumor_abm.evolution.neutrality import cumulative, neutral_fit, spectrum

DATA = Path(__file__).parent / "data"

MAF = (
    "#version gdc-1.0.0\n"
    "Hugo_Symbol\tChromosome\tStart_Position\tReference_Allele\tTumor_Seq_Allele2\tTumor_Sample_Barcode"
    "\tt_depth\tt_ref_count\tt_alt_count\n"
    'DON"T\tchr1\t100\tC\tT\tone\t80\t60\t20\n'
    "Unknown\tchrX\t200\tA\t-\ttwo\t0\t0\t0\n"
)
VCF = (
    "##fileformat=VCFv4.2\n"
    "##FORMAT=<ID=AD,Number=R,Type=Integer>\n"
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tone\ttwo\n"
    "chr1\t100\t.\tC\tT,G\t.\tPASS\t.\tGT:AD:DP\t0/1:60,20,0:99\t0/0:70,0,10\n"
    "chr2\t200\t.\tC\tT\t.\t.\t.\tGT:AF:DP\t0/1:0.25:40\t./.\n"
)
DERIVED = 'CHROM,POS,REF,ALT,AD,sample\nchr1,100,C,T,"60,20",one\n2,200,G,A,"9,1",two\n'
PLAIN = "vaf\n0.25\n0.1\nNA\n"


def written(tmp_path: Path, text: str, name: str = "table.txt") -> Path:
    file = tmp_path / name
    file.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    return file


def refusal(file: Path, **how: object) -> str:
    with pytest.raises(InputError) as error:
        read_mutations(file, **how)  # type: ignore[arg-type]
    assert str(file) in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("name", ["x.maf", "x.maf.gz"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("begin", ["", "\ufeff"])
def test_a_maf_is_read_whatever_its_dress(tmp_path: Path, name: str, end: str, begin: str) -> None:
    table = read_mutations(written(tmp_path, begin + MAF.replace("\n", end), name))
    assert table.schema == pl.Schema(SCHEMA)
    assert table["sample"].to_list() == ["one", "two"]
    assert table["chromosome"].to_list() == ["1", "X"]
    assert table["gene"].to_list() == ['DON"T', "Unknown"]
    assert table["alternative"].to_list() == ["T", "-"]
    assert table["alt_reads"].to_list() == [20, 0]
    assert table["vaf"].to_list() == [0.25, None]


def test_what_is_written_as_maf_is_read_again(tmp_path: Path) -> None:
    reads = pl.DataFrame(
        {
            "mutation": [0, 7, 600_000],
            "origin": ["driver", "passenger", "passenger"],
            "type": [1, None, None],
            "depth": [80, 90, 100],
            "alt_reads": [20, 30, 9],
            "vaf": [20 / 80, 30 / 90, 9 / 100],
            "called": [True, True, True],
        }
    )
    write_maf(maf(reads, tumour="t", sample="s"), tmp_path / "x.maf.gz")
    table = read_mutations(tmp_path / "x.maf.gz")
    assert table["vaf"].to_list() == reads["vaf"].to_list()
    assert table["depth"].to_list() == [80, 90, 100]
    assert table["chromosome"].to_list() == ["synthetic", "synthetic", "synthetic_2"]


def test_a_vcf_gives_a_row_per_sample_and_allele(tmp_path: Path) -> None:
    table = read_mutations(written(tmp_path, VCF, "x.vcf.gz"))
    assert table.select("sample", "alternative", "depth", "alt_reads", "vaf").rows() == [
        ("one", "T", 80, 20, 0.25),
        ("one", "G", 80, 0, 0.0),
        ("two", "T", 80, 0, 0.0),
        ("two", "G", 80, 10, 0.125),
        ("one", "T", 40, None, 0.25),
        ("two", "T", None, None, None),
    ]
    assert table["filter"].to_list() == ["PASS"] * 4 + [None] * 2


def test_a_table_made_of_a_vcf_has_both_reads_in_a_field(tmp_path: Path) -> None:
    table = read_mutations(written(tmp_path, DERIVED), sample="two")
    assert table.select("chromosome", "position", "depth", "vaf").rows() == [("2", 200, 10, 0.1)]


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "vaf;gene\n0.25;a\n0.1;b\n;c\n",
        "name vaf\na 0.25\nb 0.1\nc .\n",
        "VAF\n25%\n10%\n\nNA\n",
        "vaf_percent\n25\n10\n \nNA",
        'x,"Vaf"\n1,"25"\n2,"10"\n3,""\n',
    ],
)
def test_plain_tables_tell_the_same_in_many_ways(tmp_path: Path, text: str) -> None:
    assert read_mutations(written(tmp_path, text))["vaf"].to_list() == [0.25, 0.1, None]


def test_low_fractions_in_percent_have_to_be_said(tmp_path: Path) -> None:
    file = written(tmp_path, "vaf\n0.5\n0.9\n")
    assert read_mutations(file)["vaf"].to_list() == [0.5, 0.9]
    assert read_mutations(file, percent=True)["vaf"].to_list() == pytest.approx([0.005, 0.009])
    assert 'found "25"; allowed: a number from 0 to 1' in refusal(
        written(tmp_path, "vaf\n25\n"), percent=False
    )


def test_columns_of_other_names_can_be_said(tmp_path: Path) -> None:
    file = written(tmp_path, "freq\tn\n0.2\t50\n")
    table = read_mutations(file, columns={"vaf": "freq", "depth": "n"})
    assert table.select("vaf", "depth").rows() == [(0.2, 50)]
    assert 'column of vaf: found "frq"' in refusal(file, columns={"vaf": "frq"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gene\tdepth\na\t10\n", 'columns: found "gene", "depth"; no variant allele fraction'),
        ("vaf\n0.1\nhigh\n", 'line 3, vaf: found "high"; allowed: a number from 0 to 1'),
        ("# note\n\nvaf\n-0.1\n", 'line 4, vaf: found "-0.1"'),
        ("vaf\n0.1\n250\n", 'found "250"; allowed: a number from 0 to 100'),
        ("vaf\n10%\n0.2\n", 'line 3, vaf: found "0.2"; allowed: a sign %'),
        ("vaf\tgene\n0.1\n", "line 2: found 1 fields; allowed: 2, as in the header"),
        ("depth,alt_reads\n10,11\n", "line 2, alt_reads: found 11; allowed: at most the depth"),
        ("depth,alt_reads\n10.5,1\n", 'line 2, depth: found "10.5"; allowed: a whole number'),
        ("ad\tx\n1,2,3\t0\n", 'line 2, reads: found "1,2,3"'),
        ("vaf,VAF\n1,1\n", "column vaf: found twice; allowed: once"),
        ("", "has no header and no rows"),
        ("##fileformat=VCFv4.2\n", "has no line #CHROM"),
        ("##fileformat=VCFv4.2\n#CHROM\tPOS\n", "line 2: found"),
        (VCF.replace("GT:AD:DP", "GT"), 'line 4, FORMAT: found "GT"'),
        (VCF.replace("0/1:0.25:40\t./.", "0/1:0.25:40"), "line 5: found 10 fields; allowed: 11"),
        (VCF.replace("0.25", "1.5"), 'line 5, vaf: found "1.5"'),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    assert said in refusal(written(tmp_path, text))


def test_files_that_are_none_are_said(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "absent.maf")
    assert "no such file" in refusal(tmp_path)
    (tmp_path / "x").write_bytes(b"vaf\n\xff\xfe\n")
    assert "no UTF-8 text" in refusal(tmp_path / "x")
    (tmp_path / "cut.gz").write_bytes(gzip.compress(MAF.encode())[:-12])
    assert "cannot be read" in refusal(tmp_path / "cut.gz")


def test_an_unknown_sample_is_said_with_those_that_there_are(tmp_path: Path) -> None:
    said = refusal(written(tmp_path, MAF), sample="on")
    assert 'sample: found "on"; allowed: "one", "two"; did you mean "one"?' in said


def test_the_neutral_fit_and_spectra_take_what_is_read(tmp_path: Path) -> None:
    counted = pl.read_csv(DATA / "neutralitytestr_vaf_neutral.csv", comment_prefix="#")
    vaf = np.repeat(counted["vaf"].to_numpy(), counted["mutations"].to_numpy())
    percent = "".join(f"{100 * f!r}\n" for f in vaf.tolist())
    table = read_mutations(written(tmp_path, f"vaf\n{percent}NA\n"))
    fit, read = (neutral_fit(values, lowest=0.12, highest=0.24) for values in (vaf, table["vaf"]))
    assert read.mutations == fit.mutations
    assert read.r_squared == pytest.approx(fit.r_squared, rel=1e-9)
    assert np.array_equal(cumulative(table["vaf"])[1][:-1], cumulative(vaf)[1][:-1])
    edges, numbers = spectrum(table["vaf"], bins=20)
    assert numbers.sum() == vaf.size
    assert edges[numbers.argmax()] == pytest.approx(0.1)


def test_broken_tables_are_read_or_refused_in_a_line(tmp_path: Path) -> None:
    rng = Random(1)
    sound = [text.encode() for text in (MAF, VCF, DERIVED, PLAIN)]
    sound += [gzip.compress(text, mtime=0) for text in sound]
    refused: list[str] = []
    for _ in range(1_500):
        data = bytearray(rng.choice(sound))
        for _ in range(rng.choice([1, 1, 2, 5])):
            place = rng.randrange(len(data))
            piece = rng.choice(
                [b"", b"\t", b"\n", b"\0", b'"', b"-", b"1e999", b"\xff", b",", b"9" * 30, b"NaN"]
            )
            data[place : place + rng.choice([0, 1, 3, 20])] = piece
            data = data or bytearray(b"x")
        file = tmp_path / "broken"
        file.write_bytes(bytes(data))
        try:
            table = read_mutations(file)
        except InputError as error:
            refused.append(str(error))
        else:
            assert table.schema == pl.Schema(SCHEMA)
            assert table["vaf"].drop_nulls().is_between(0, 1).all()
            neutral_fit(table["vaf"])
    assert 300 < len(refused) < 1_400
    assert not any("\n" in said for said in refused)
