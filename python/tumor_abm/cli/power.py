"""``tumor-abm power``: the chance that a trial would show a difference."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tumor_abm.cli.printing import print_json, records, writing
from tumor_abm.cli.values import count, months, path, print_as_json, seed, shares, sizes, target

if TYPE_CHECKING:
    from rich.table import Table

    from tumor_abm.trials.planning import TrialPlan

EXAMPLES = """\
Trials of strangers are drawn from a simulated cohort. With --ensemble the chance is averaged over parameter
sets (assurance), and its range over them is told. Schoenfeld's formula stands beside it: where the two part,
hazards are not proportional.

examples:
  tumor-abm power experiments/cdk46_first_or_second_line.toml --arms "CDK4/6i first" "CDK4/6i second" \\
      --n 100,200,400 --accrual 24 --follow-up 12 --looks 0.5,0.75
  tumor-abm power E.toml --arms A B --n 300 --accrual 18 --follow-up 12 --ensemble shipped --patients 500
"""
SHIPPED = "shipped"


def describe(power: argparse.ArgumentParser) -> None:
    """Describe what can be written behind ``power``."""
    power.add_argument("experiment", metavar="EXPERIMENT.toml", type=path, help="the experiment, or a trial")
    power.add_argument("--arms", metavar=("A", "B"), nargs=2, required=True, help="the arm, and its control")
    power.add_argument("--n", metavar="N,N", type=sizes, required=True, help="patients of both arms together")
    power.add_argument("--accrual", metavar="MONTHS", type=months, required=True, help="months of enrolment")
    power.add_argument(
        "--follow-up", metavar="MONTHS", type=months, required=True, help="months from then to the analysis"
    )
    power.add_argument(
        "--looks",
        metavar="SHARE,SHARE",
        type=shares,
        default=(),
        help="interim looks, when these shares of the events are seen (O'Brien-Fleming bounds)",
    )
    power.add_argument(
        "--endpoint", metavar="NAME", default="PFS1", help="PFS1, PFS2, OS ... (default: PFS1)"
    )
    power.add_argument(
        "--ensemble", metavar="FILE", help="parameter sets, or shipped (default: the defaults alone)"
    )
    power.add_argument(
        "--patients", metavar="N", type=count, default=1000, help="of the cohort (default: 1000)"
    )
    power.add_argument("--trials", metavar="N", type=count, default=1000, help="of each size (default: 1000)")
    power.add_argument("--seed", metavar="S", type=seed, default=1, help="seed (default: 1)")
    power.add_argument("--jobs", metavar="J", type=count, help="threads (default: all processors)")
    power.add_argument("--csv", metavar="FILE", type=target, help="write the table as CSV, too")
    print_as_json(power)


def power(arguments: argparse.Namespace) -> None:
    """Print the chance that trials of some sizes would show a difference."""
    from tumor_abm._base.files import write_whole
    from tumor_abm.analysis.power import TrialDesign
    from tumor_abm.cli.consoles import log_to, messages, output
    from tumor_abm.cli.progress import counting
    from tumor_abm.config.named import experiment_file
    from tumor_abm.knowledge.ensemble import Ensemble
    from tumor_abm.trials.planning import plan_trial

    ensemble = Ensemble.defaults()
    if arguments.ensemble is not None:
        shipped = arguments.ensemble == SHIPPED
        ensemble = Ensemble.shipped() if shipped else Ensemble.load(path(arguments.ensemble))
    arm, control = arguments.arms
    console = messages()
    with log_to(console), counting(console, len(ensemble.members), "parameter sets") as done:
        plan = plan_trial(
            experiment_file(arguments.experiment),
            arm,
            control,
            arguments.n,
            TrialDesign(
                accrual_months=arguments.accrual,
                follow_up_months=arguments.follow_up,
                looks=arguments.looks,
            ),
            timed=arguments.endpoint,
            ensemble=ensemble,
            patients=arguments.patients,
            trials=arguments.trials,
            seed=arguments.seed,
            jobs=arguments.jobs,
            progress=done,
        )
    if arguments.csv:
        with writing(arguments.csv):
            write_whole(arguments.csv, plan.table.write_csv)
    if arguments.json:
        tables = {"power": plan.table, "members": plan.members}
        tables |= {"over_time": plan.over_time, "looks": plan.looks}
        print_json({name: records(table) for name, table in tables.items()})
        return
    tables_shown = [_of_sizes(plan), *([_of_looks(plan)] if arguments.looks else []), _over_time(plan)]
    for shown in tables_shown:
        output().print(shown)


def _of_sizes(plan: TrialPlan) -> Table:
    table = _table(f"{plan.endpoint}: chance that a trial shows {plan.arm} to be better than {plan.control}")
    for heading in ("patients", "events", "power", "over parameter sets", "Schoenfeld", "HR (95% of trials)"):
        table.add_column(heading, justify="right")
    for row in plan.table.iter_rows(named=True):
        table.add_row(
            str(row["n"]),
            f"{row['events']:.0f}",
            f"{100 * row['power']:.1f} ± {100 * row['power_se']:.1f}%",
            f"{100 * row['power_lo']:.0f}–{100 * row['power_hi']:.0f}%",
            f"{100 * row['schoenfeld']:.0f}%",
            f"{row['hr']:.2f} ({row['hr_lo']:.2f}–{row['hr_hi']:.2f})",
        )
    return table


def _of_looks(plan: TrialPlan) -> Table:
    table = _table("Looks: when they are, what stops a trial, and how many stop there")
    headings = ("patients", "events seen", "months", "p below", "HR about", f"for {plan.arm}", "against")
    for heading in headings:
        table.add_column(heading, justify="right")
    for row in plan.looks.iter_rows(named=True):
        ratio = "–" if row["bound_hr"] is None else f"{row['bound_hr']:.2f}"
        table.add_row(
            str(row["n"]),
            f"{100 * row['information']:.0f}%",
            f"{row['months']:.1f}",
            f"{row['bound_p']:.4f}",
            ratio,
            f"{100 * row['stopped_for']:.1f}%",
            f"{100 * row['stopped_against']:.1f}%",
        )
    return table


def _over_time(plan: TrialPlan) -> Table:
    import polars as pl

    table = _table("Hazard ratio in the cohort, by months since the start; the mean of parameter sets")
    for heading in ("months", "HR"):
        table.add_column(heading, justify="right")
    periods = plan.over_time.group_by("from_months", "to_months", maintain_order=True).agg(
        pl.col("hr").mean()
    )
    for start, end, ratio in periods.iter_rows():
        table.add_row(f"{start:.0f}–{end:.0f}" if end is not None else f"from {start:.0f}", f"{ratio:.2f}")
    return table


def _table(title: str) -> Table:
    from rich.table import Table

    from tumor_abm._base.sinks import rich_text

    return Table(title=rich_text(title), title_justify="left", box=None, pad_edge=False, header_style="bold")
