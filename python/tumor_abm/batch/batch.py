"""A finished batch: its points, its tables with the axes as columns, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from tumor_abm._base.arguments import is_whole
from tumor_abm._base.html import facts
from tumor_abm._base.paths import path_of
from tumor_abm.batch.batch_file import OWN_COLUMNS
from tumor_abm.batch.batch_study import BatchStudy
from tumor_abm.batch.indices import indices_of
from tumor_abm.batch.shard_of_runs import RUNS
from tumor_abm.batch.summary import summary_of
from tumor_abm.errors import InputError
from tumor_abm.run.directory import RunDirectory
from tumor_abm.run.remote import Fetched, is_address
from tumor_abm.run.results import Results

_NUMBERED = {
    "experiment": ("patient", "patients"),
    "study": ("replicate", "replicates"),
    "population": ("population", "replicates"),
}
"""What is numbered within a run, and the key that says how many there are."""

SUMMARY = "summary"
"""The table of statistics that the command writes beside the others."""


class Batch:
    """A finished batch on disk; tables are read when they are asked for, and only what is asked for.

    Parameters
    ----------
    directory
        Of the batch.
    results
        Its tables, the batch as it was run, and where it comes from.
    """

    def __init__(self, directory: Path, results: Results) -> None:
        self.directory = directory
        self._results = results
        self._study: BatchStudy | None = None
        self._summary: pl.DataFrame | None = None

    @classmethod
    def open(cls, directory: str | Path) -> Batch:
        """Open the batch in a directory, or at an address such as ``s3://bucket/doses``.

        Of an address, tables are copied when they are first asked for, into the user's cache.

        Raises
        ------
        InputError
            There is none, it is unfinished, a file of it is missing or damaged, or the store does not answer.
        """
        if isinstance(directory, str) and is_address(directory):
            fetched = Fetched(directory)
            return cls._of(fetched.directory, Results.fetched(fetched.directory, fetched.ask_for), directory)
        path = path_of("directory", directory)
        unfinished = RunDirectory.progress_in(path)
        if unfinished is not None:
            done, runs = unfinished
            problem = f"holds an unfinished batch, {done} of {runs} runs are done; the same command goes on"
            raise InputError(problem, file=path)
        return cls._of(path, Results.load(path), path)

    @classmethod
    def _of(cls, path: Path, results: Results, named: str | Path) -> Batch:
        if RUNS not in results.tables or "axis" not in results.experiment:
            raise InputError("not a batch: it has no table of runs", file=named)
        return cls(path, results)

    def __repr__(self) -> str:
        return f"Batch({self.title!r}, {self.points.height} points, {self.runs.height} runs)"

    def _repr_html_(self) -> str:
        told = {
            "question": str(self.study.get("question", "")),
            "axes": ", ".join(self.axes) or "none",
            "points": str(self.points.height),
            "runs": f"{self.runs.height}, of which {self.failed.height} failed",
            "tables": ", ".join(self.tables),
        }
        return facts(f"Batch: {self.title}", told)

    @property
    def title(self) -> str:
        """Its name."""
        return str(self.study.get("title", ""))

    @property
    def study(self) -> dict[str, Any]:
        """The batch as it was run, its base and every default written out."""
        return self._results.experiment

    @property
    def provenance(self) -> dict[str, Any]:
        """Software, versions, environment and seed."""
        return self._results.provenance

    @property
    def axes(self) -> list[str]:
        """Names of the axes."""
        return [name for name in self.runs.columns if name not in OWN_COLUMNS]

    @property
    def tables(self) -> list[str]:
        """Names of the tables."""
        return sorted(self._results.tables)

    @property
    def runs(self) -> pl.DataFrame:
        """``run, point, replicate, seed, error`` and the axes: a row per run; ``error`` is null if none."""
        return self._results[RUNS]

    @property
    def failed(self) -> pl.DataFrame:
        """The runs that failed, with their messages."""
        return self.runs.filter(pl.col("error").is_not_null())

    @property
    def points(self) -> pl.DataFrame:
        """``point`` and the axes: a row per point."""
        return self.runs.unique("point", keep="first", maintain_order=True).select("point", *self.axes)

    def scan(self, table: str) -> pl.LazyFrame:
        """Return a table to be read lazily, with the axes and the ``batch_replicate`` as columns.

        A column of the table that is called like an axis keeps its name; the axis is then ``axis_NAME``.

        Raises
        ------
        InputError
            There is no such table, or it cannot be read.
        """
        rows = self._results.scan(table)
        if table == RUNS:
            return rows
        held = set(rows.collect_schema().names())
        named = {name: f"axis_{name}" if name in held else name for name in self.axes}
        beside = self.runs.lazy().select(
            "run",
            pl.col("replicate").alias("batch_replicate"),
            *(pl.col(name).alias(alias) for name, alias in named.items()),
        )
        return rows.join(beside, on="run", how="left", maintain_order="left")

    def query(self, sql: str) -> pl.DataFrame:
        """Ask the tables in SQL: ``points`` and all of `tables`, each with the axes as columns.

        Raises
        ------
        InputError
            polars does not understand the question, or there is no such table or column.
        """
        written = self.directory / f"{SUMMARY}.parquet"
        known = ["points", *self.tables, *([SUMMARY] if written.is_file() else [])]
        if not isinstance(sql, str) or not sql.strip():
            raise InputError(key="SQL", found=sql, allowed=f"a question to {', '.join(known)}")
        named = {name for name in known if name in sql} or set(known)  # others are not read at all
        frames = {"points": self.points.lazy()}
        frames |= {name: self.scan(name) for name in self.tables if name in named}
        if written.is_file():
            frames[SUMMARY] = pl.scan_parquet(written.absolute(), glob=False)
        try:
            return pl.SQLContext(frames=frames).execute(sql).collect()
        except pl.exceptions.PolarsError as error:
            said = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(f"{said}; tables: {', '.join(known)}", key="SQL") from None

    def summary(self, *, progress: Callable[[int], None] | None = None) -> pl.DataFrame:
        """Tell the statistics of every point, each with its Monte Carlo error.

        Of an experiment: median, restricted mean and rates of every endpoint and arm, hazard ratios against
        the control, response, and, if ``clones`` are kept, what tumours carry at progression. Of a study:
        means over its tumours. Of populations: means, and how they ended.

        Parameters
        ----------
        progress
            Called with the number of points told so far.

        Returns
        -------
        polars.DataFrame
            ``point``, the axes, ``group`` (the arm, scenario or phase), ``measure`` (an endpoint, a column,
            an alteration and line), ``statistic``, ``value``, its standard error ``se``, and ``n``, the
            patients, tumours or populations that it rests on.

        Notes
        -----
        Errors of medians, restricted means and rates come from a bootstrap over patients, that of a hazard
        ratio from its interval for twins, shares are binomial. They tell of a point by itself: with common
        random numbers, differences between points are known better.
        """
        if self._summary is None:
            self._summary = summary_of(self, progress or (lambda done: None))
        return self._summary

    def indices(
        self, measure: str, statistic: str | None = None, *, where: Mapping[str, Any] | None = None
    ) -> pl.DataFrame:
        """Tell how much each sampled axis moves a statistic; needs ``pip install '.[indices]'`` (SALib).

        The design of the batch says how: with ``saltelli``, by Sobol indices (Saltelli et al. 2010,
        doi:10.1016/j.cpc.2009.09.018), with ``morris``, by elementary effects (Campolongo et al. 2007,
        doi:10.1016/j.envsoft.2006.10.004).

        Parameters
        ----------
        measure, statistic
            As in `summary`; the first statistic of the measure when ``None``. It must be known at all points.
        where
            Axis to value: only these points. Axes that are not sampled must be fixed, if they vary.

        Returns
        -------
        polars.DataFrame
            A row per group (arm, scenario) and axis; axes that move together are one.

            With ``saltelli``: ``first_order``, the share of the statistic's variance that goes if the axis is
            known, and ``total``, the share that stays if all others are.

            With ``morris``: ``mu`` and ``mu_star``, the mean effect and the mean size of effects, and
            ``sigma``, how much effects differ. An effect is the change of the statistic per way of the axis
            from its quantile of 12.5% to that of 87.5%, taken in steps of two thirds. A ``sigma`` as large as
            ``mu_star`` tells of interactions, of bends, or of chance. Chance alone makes ``mu_star`` large,
            and leaves ``mu`` where it is.

            ``_lo`` and ``_hi`` are 95% intervals: normal, with errors by a bootstrap over the points of the
            design; of ``mu``, Student's. They tell how far the design is from an infinite one.

            ``chance``, the mean squared Monte Carlo error of a point (``se``) over the variance between
            points, says what intervals leave out: a point has as few patients or tumours as it has. Luck of
            its own at every point would lower ``first_order`` by that share, raise every ``total`` by up to
            as much, and raise ``mu_star`` and ``sigma``. Points that share their luck (common random numbers)
            suffer less.

        Raises
        ------
        InputError
            The design is another, there is no such measure, statistic or axis, the statistic is unknown at
            some point, or the same at all.
        """
        if not self._sound.table.equals(self.points):
            problem = "the stored points are not those that these versions of numpy and scipy place"
            raise InputError(problem, file=self.directory)
        return indices_of(self._sound, self.summary(), measure, statistic, where)

    def results(self, point: int) -> Results:
        """Return the tables of one point as those of an experiment or study, for what reads these.

        The patients of further replicates are numbered on.

        Raises
        ------
        InputError
            There is no such point.
        """
        last = self.points.height - 1
        if not is_whole(point) or not 0 <= point <= last:
            raise InputError(key="point", found=point, allowed=f"a whole number from 0 to {last}")
        found = {
            name: self._results.scan(name).filter(pl.col("point") == point).collect()
            for name in self.tables
            if name != RUNS
        }
        return self.as_results(int(point), found)

    def as_results(self, point: int, tables: Mapping[str, pl.DataFrame]) -> Results:
        """Return the rows of a point as results of their own."""
        experiment = self._sound.tables_at(point)
        of = experiment.get("population", {}) if self.kind == "population" else experiment
        column, size = _NUMBERED[self.kind]
        replicate = pl.col("run").cast(pl.UInt64) - point * self.study["replicates"]
        numbered = {
            name: table.with_columns((pl.col(column) + replicate * of[size]).alias(column)).drop(
                "point", "run"
            )
            for name, table in tables.items()
        }
        return Results(numbered, experiment, self.provenance)

    def by_point(self, table: str, columns: list[str] | None = None) -> Iterator[tuple[int, pl.DataFrame]]:
        """Yield the rows of each point that has any, in order; those of one point are in memory together."""
        self._results.scan(table)  # that it can be read is seen here
        waiting: list[pl.DataFrame] = []
        at: int | None = None
        wanted = None if columns is None else ["point", "run", *columns]
        with pq.ParquetFile((self.directory / f"{table}.parquet").absolute()) as file:
            for batch in file.iter_batches(columns=wanted):
                for part in pl.DataFrame(batch).partition_by("point", maintain_order=True):
                    point = int(part["point"][0])
                    if waiting and point != at:
                        yield at or 0, pl.concat(waiting)
                        waiting = []
                    at = point
                    waiting.append(part)
        if waiting:
            yield at or 0, pl.concat(waiting)

    @property
    def _sound(self) -> BatchStudy:
        if self._study is None:
            self._study = BatchStudy.from_dict(self.study)
        return self._study

    @property
    def kind(self) -> str:
        """What was moved: ``experiment``, ``study`` or ``population``."""
        return self._sound.base.kind
