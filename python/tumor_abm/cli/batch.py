"""The commands of batches: run one, and ask its tables."""

from __future__ import annotations

import argparse
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tumor_abm.cli.printing import print_json, print_pairs, records, writing

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console
    from rich.table import Table

    from tumor_abm.batch import Batch, BatchStudy, Tally
    from tumor_abm.cli.progress import Count

MOST_ROWS = 40
"""Rows of a table that are printed."""

SHOWN_MEASURES = 6


def batch(arguments: argparse.Namespace) -> None:
    """Run a batch, tell its points, and draw them; or forecast it, compute a part, or join the parts."""
    from tumor_abm.batch import PartOfRuns, load_batch, merge_batch, run_batch, run_part
    from tumor_abm.cli.consoles import log_to, messages
    from tumor_abm.cli.progress import counting
    from tumor_abm.errors import InputError
    from tumor_abm.run.remote import publish

    part = None if arguments.part is None else PartOfRuns.parse(arguments.part)
    study = load_batch(arguments.study, seed=arguments.seed)
    if arguments.publish and (arguments.dry_run or part is not None):
        raise InputError(
            key="publish", found=arguments.publish, allowed="with a whole batch, or with --merge"
        )
    if arguments.dry_run:
        _print_forecast(study, arguments.jobs)
        return
    console = messages()
    with log_to(console):
        if arguments.merge:
            found = merge_batch(study, arguments.out)
        else:
            runs = study.runs if part is None else part.runs_of(study.runs)
            with counting(console, runs, "runs") as count:
                how = {"jobs": arguments.jobs, "scheduler": arguments.scheduler, "progress": _Rate(count)}
                if part is not None:
                    run_part(study, arguments.out, part, **how)
                    print_pairs(f"\nIn {arguments.out}:", {"part": f"{arguments.part}, {runs} runs"})
                    return
                found = run_batch(study, arguments.out, **how)
        _tell(found, arguments.out, console, figures=not arguments.no_figures)
        if arguments.publish:
            published = publish(arguments.out, arguments.publish)
            print_pairs(f"\nAt {arguments.publish}:", {"files": ", ".join(published)})


def query(arguments: argparse.Namespace) -> None:
    """Print the answer to a question."""
    from tumor_abm._base.files import write_whole
    from tumor_abm.batch import Batch
    from tumor_abm.cli.consoles import output

    answer = Batch.open(arguments.directory).query(arguments.sql)
    if arguments.csv:
        with writing(arguments.csv):
            write_whole(arguments.csv, answer.write_csv)
    if arguments.json:
        print_json({"rows": records(answer)})
        return
    output().print(_as_text(answer))


class _Rate:
    """Runs per second since the start, and failures."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._began = time.monotonic()
        self._first: int | None = None

    def __call__(self, tally: Tally) -> None:
        if self._first is None:
            self._first, self._began = tally.done, time.monotonic()
        new, seconds = tally.done - self._first, time.monotonic() - self._began
        rate = new / seconds if new and seconds > 0 else 0.0
        told = [f"{rate:.3g} a second"] if rate else []
        told += [f"{tally.failed} failed"] if tally.failed else []
        self._count(tally.done, ", ".join(told))


def _print_forecast(study: BatchStudy, jobs: int | None) -> None:
    from tumor_abm.batch import forecast
    from tumor_abm.run.experiment import threads_of

    threads = threads_of(jobs)
    told = forecast(study)
    took = timedelta(seconds=round(told.hours(threads) * 3600))
    points, replicates = len(study.points), study.written.replicates
    print_pairs(
        f"{study.file}: nothing was run but {told.probed} probes",
        {
            "runs": f"{told.runs} ({points} points, {replicates} replicates), each of {told.size}",
            "a run": f"{told.seconds:.3g} s on one thread ({told.shortest:.3g} to {told.longest:.3g} s)",
            "time": f"about {took} with {threads} at once",
            "store": f"about {told.megabytes:.3g} MB, twice as much while the shards are joined",
        },
    )


def _tell(found: Batch, out: Path, console: Console, *, figures: bool) -> None:
    from tumor_abm._base.files import write_whole
    from tumor_abm.batch.batch import SUMMARY
    from tumor_abm.cli.consoles import output
    from tumor_abm.cli.progress import counting

    with counting(console, found.points.height, "points") as count:
        count(0)
        summary = found.summary(progress=count)
    with writing(out):
        write_whole(out / f"{SUMMARY}.parquet", summary.write_parquet)
        write_whole(out / f"{SUMMARY}.csv", summary.write_csv)
        drawn = _draw(found, summary, out, console) if figures else {}
    output().print(_of_points(found, summary))
    failed = found.failed.height
    pairs = {
        "tables": f"{', '.join(found.tables)} (parquet), {SUMMARY} (parquet, csv)",
        "runs": f"{found.runs.height}, of which {failed} failed (table runs, column error)"
        if failed
        else f"{found.runs.height}",
        **drawn,
    }
    print_pairs(f"\nIn {out}:", pairs)


def _draw(found: Batch, summary: pl.DataFrame, out: Path, console: Console) -> dict[str, str]:
    """Draw what is told along the one axis, or over the two, and say what is where."""
    from tumor_abm._base.sinks import file_names
    from tumor_abm.cli.progress import counting
    from tumor_abm.plots import save_figure
    from tumor_abm.plots.batch import headline_figures

    draws = dict(headline_figures(found, summary))
    if not draws:
        return {}
    figures, names = out / "figures", file_names(draws)
    figures.mkdir(exist_ok=True)
    with counting(console, len(draws), "figures") as count:
        count(0)
        for done, (name, draw) in enumerate(draws.items(), start=1):
            save_figure(draw(), figures / names[name])
            count(done)
    return {"figures": f"{', '.join(f'figures/{names[name]}' for name in draws)} (png, svg)"}


def _of_points(found: Batch, summary: pl.DataFrame) -> Table:
    """Write a few statistics of every point side by side."""
    import polars as pl

    from tumor_abm.plots.batch import HEADLINES

    statistic = HEADLINES[found.kind][0]
    told = summary.filter(pl.col("statistic") == statistic)
    measures = told["measure"].unique(maintain_order=True).head(SHOWN_MEASURES).to_list()
    told = told.with_columns(
        told=pl.format("{} ± {}", pl.col("value").round_sig_figs(3), pl.col("se").round_sig_figs(2))
    )
    wide = told.filter(pl.col("measure").is_in(measures)).pivot(
        "measure", index=["point", *found.axes, "group"], values="told", aggregate_function="first"
    )
    return _as_text(wide, title=f"{found.title}: {statistic.replace('_', ' ')} ± its Monte Carlo error")


def _as_text(rows: pl.DataFrame, title: str | None = None) -> Table:
    from rich.table import Table

    from tumor_abm._base.sinks import rich_text

    table = Table(
        title=None if title is None else rich_text(title),
        title_justify="left",
        box=None,
        pad_edge=False,
        header_style="bold",
    )
    for name, kind in rows.schema.items():
        table.add_column(rich_text(name), justify="right" if kind.is_numeric() else "left")
    for row in rows.head(MOST_ROWS).iter_rows():
        table.add_row(*(rich_text(_cell(value)) for value in row))
    if rows.height > MOST_ROWS:
        table.caption = f"{rows.height - MOST_ROWS} more rows"
        table.caption_justify = "left"
    return table


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
