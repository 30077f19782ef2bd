"""Results as analysis data sets with CDISC's names: ADTTE, ADRS and ADTR, in the manner of ADaM.

A virtual patient lives every arm, a subject of a trial one. So every patient is a subject per arm
(``USUBJID``), and ``SUBJID`` is the number that twins share. There are no dates: ``ADY`` counts days from
enrolment. The data sets are for programs that read such names; they are no submission.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from tumor_abm._base.arguments import must_be
from tumor_abm.analysis.endpoints import Endpoint, Kind, endpoints
from tumor_abm.run.results import Results

_CENSORED: Mapping[str, str] = {
    "censored": "END OF FOLLOW-UP OR LOST TO FOLLOW-UP",
    "completed": "LINE ENDED AS PLANNED",
    "rule": "LINE LEFT BY A RULE",
    "toxicity": "LINE LEFT BY TOXICITY",
    "deterioration": "LINE LEFT BY DETERIORATION WITHOUT PROGRESSION",
}
_FOLLOWED = _CENSORED["censored"]
_THIRD_LINE = "NEXT LINE WITHOUT PROGRESSION, OR END OF FOLLOW-UP"
_CODES = {Kind.PFS_FROM_START: "PFSSTART", Kind.PFS2: "PFS2", Kind.OS: "OS"}
_SUBJECT = ("STUDYID", "USUBJID", "SUBJID", "TRT01P", "TRT01PN")


def adam(results: Results) -> dict[str, pl.DataFrame]:
    """Return ``adtte``, ``adrs`` and ``adtr``; the last two need the table ``assessments``.

    Parameters
    ----------
    results
        Of an experiment.

    Returns
    -------
    dict of str to polars.DataFrame
        ``adtte``: a row per subject and endpoint: ``PARAMCD, PARAM, AVAL`` (months), ``CNSR`` (0 event, 1
        censored), ``EVNTDESC`` (event) and ``CNSDTDSC`` (why censored). ``adrs``: the response of every scan
        (``OVRLRESP``) and the best of every line (``BESTRESP``). ``adtr``: the sum of diameters of every scan
        (``SUMDIAM``, mm) with its change from the baseline of the line.
    """
    must_be("results", results, Results)
    found = {"adtte": adtte(results)}
    if "assessments" in results.tables:
        found |= {"adrs": _adrs(results), "adtr": _adtr(results)}
    return found


def adtte(results: Results) -> pl.DataFrame:
    """Return times to events: a row per subject and endpoint that has a meaning in the arm."""
    tables = [_times(results, endpoint) for endpoint in endpoints(results)]
    return pl.concat(tables).sort("TRT01PN", "SUBJID", "PARAMCD")


def _times(results: Results, endpoint: Endpoint) -> pl.DataFrame:
    observed = endpoint.observations(results).with_columns(pl.col("arm").cast(pl.String))
    if endpoint.kind is Kind.PFS:
        ends = (
            results.scan("outcomes")
            .filter(pl.col("line") == endpoint.line)
            .select("patient", pl.col("arm", "end_reason").cast(pl.String))
            .collect()
        )
        observed = observed.join(ends, on=["patient", "arm"], how="left", maintain_order="left")
        died = pl.col("end_reason") == "death"
        event = pl.when(died).then(pl.lit("DEATH")).otherwise(pl.lit("PROGRESSION"))
        censored = pl.col("end_reason").replace_strict(_CENSORED, default=_FOLLOWED)
    else:
        event = pl.lit(endpoint.event.upper())
        censored = pl.lit(_FOLLOWED if endpoint.kind is Kind.OS else _THIRD_LINE)
    code = _CODES.get(endpoint.kind, f"PFSL{endpoint.line}")
    return observed.select(
        *_subject(results),
        PARAMCD=pl.lit(code),
        PARAM=pl.lit(f"{endpoint.title} (months)"),
        AVAL=pl.col("months"),
        CNSR=(~pl.col("event")).cast(pl.Int8),
        EVNTDESC=pl.when("event").then(event),
        CNSDTDSC=pl.when(~pl.col("event")).then(censored),
    )


def _subject(results: Results) -> list[pl.Expr]:
    """Return who a row is about, of tables with ``patient`` and ``arm``."""
    arm = pl.col("arm").cast(pl.String)
    number = arm.replace_strict(results.arms, range(1, 1 + len(results.arms)), return_dtype=pl.Int64)
    return [
        pl.lit(str(results.experiment.get("title", ""))).alias(_SUBJECT[0]),
        pl.format("{}-{}", pl.col("patient"), number).alias(_SUBJECT[1]),
        pl.col("patient").cast(pl.Int64).alias(_SUBJECT[2]),
        arm.alias(_SUBJECT[3]),
        number.alias(_SUBJECT[4]),
    ]


def _adrs(results: Results) -> pl.DataFrame:
    scans = results.scan("assessments").select(
        *_subject(results),
        PARAMCD=pl.lit("OVRLRESP"),
        PARAM=pl.lit("Overall response by RECIST 1.1"),
        LINE=pl.col("line").cast(pl.Int64),
        ADY=pl.col("day").cast(pl.Int64),
        AVALC=pl.col("response").cast(pl.String),
    )
    best = results.scan("outcomes").select(
        *_subject(results),
        PARAMCD=pl.lit("BESTRESP"),
        PARAM=pl.lit("Best overall response of the line by RECIST 1.1"),
        LINE=pl.col("line").cast(pl.Int64),
        ADY=pl.col("end_day").cast(pl.Int64),
        AVALC=pl.col("response").cast(pl.String),
    )
    return pl.concat([scans, best]).sort("TRT01PN", "SUBJID", "LINE", "PARAMCD", "ADY").collect()


def _adtr(results: Results) -> pl.DataFrame:
    measured, change = pl.col("sld_mm"), pl.col("sld_change")
    base = measured / (1 + change)
    return (
        results.scan("assessments")
        .select(
            *_subject(results),
            PARAMCD=pl.lit("SUMDIAM"),
            PARAM=pl.lit("Sum of diameters of target lesions (mm)"),
            LINE=pl.col("line").cast(pl.Int64),
            ADY=pl.col("day").cast(pl.Int64),
            AVAL=measured,
            BASE=pl.when(change > -1).then(base),
            CHG=pl.when(change > -1).then(measured - base),
            PCHG=100 * change,
            NEWLES=pl.col("new_lesions").cast(pl.Int64),
        )
        .sort("TRT01PN", "SUBJID", "LINE", "ADY")
        .collect()
    )
