"""What can be written on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NoReturn

from tumor_abm._base.sinks import terminal_text
from tumor_abm._core import __version__
from tumor_abm.cli import batch, commands, compare, export, power, report, window
from tumor_abm.cli.completion import SHELLS, PrintCompletion
from tumor_abm.cli.values import address, count, path, place, port, print_as_json, seed, target
from tumor_abm.errors import shortened

Command = Callable[[argparse.Namespace], None]

_DESCRIPTION = """\
Which drugs, in which order, for whom: virtual patients under sequential lines of therapy, of the cancer that
comes with the package or of one of your own (docs/your_own_cancer.md). For research, not for treating
patients."""

_EXAMPLES = """\
examples:
  tumor-abm list experiments
  tumor-abm check experiments/cdk46_first_or_second_line.toml
  tumor-abm run experiments/cdk46_first_or_second_line.toml --out results/order --patients 200
  tumor-abm compare results/order

exit codes: 0 done, 2 bad input, 130 interrupted (the same command goes on), 1 a defect of tumor_abm
"""

_PREDICT_EXAMPLES = """\
Interrupt it whenever you like: the same command goes on where it stopped.

examples:
  tumor-abm predict --out predictions.parquet
  tumor-abm predict PALOMA-2 monaleesa_2 --out two.parquet --patients 400
"""

_RUN_EXAMPLES = """\
Interrupt it whenever you like, with Ctrl-C or worse: the same command goes on where it stopped. The
results are the same to the byte however it is run.

examples:
  tumor-abm run experiments/cdk46_first_or_second_line.toml --out results/order
  tumor-abm run paloma_2 --out results/paloma_2 --patients 200
  tumor-abm run paloma_2 --out results/precise --until-precise "median PFS1 +- 1" --at-most 2000
  tumor-abm run experiments/chemotherapy_timing.toml --out results/few --patients 100 --seed 7 --jobs 2
  tumor-abm run experiments/chemotherapy_timing.toml --out results/many --patients 100000 \\
      --scheduler tcp://node01:8786
"""

_APP_EXAMPLES = """\
The page is served on this machine only, and to no foreign page. Every browser tab has a patient of its own.
Ctrl-C ends it.

examples:
  tumor-abm app
  tumor-abm app experiments/ctdna_guided_switch.toml --port 8080 --no-open
  tumor-abm app results/timing
  tumor-abm app --allow-host page.example.org --no-open
"""


_EVOLVE_EXAMPLES = """\
Interrupt it whenever you like, with Ctrl-C or worse: the same command goes on where it stopped. The
tables are the same however it is run.

examples:
  tumor-abm evolve experiments/evolution/neutral_or_selected.toml --out results/evolution
  tumor-abm evolve experiments/evolution/neutral_or_selected.toml --out results/few --replicates 2
"""

_BATCH_EXAMPLES = """\
Interrupt it whenever you like, with Ctrl-C or worse: the same command goes on where it stopped. The tables
are the same to the byte however it is run. A run that fails is a row of the table runs with its message.

examples:
  tumor-abm batch experiments/batches/dose_and_schedule.toml --out results/doses
  tumor-abm batch STUDY.toml --out DIR --dry-run
  tumor-abm batch STUDY.toml --out DIR --part 3/100     (a job of an array; after all of them:)
  tumor-abm batch STUDY.toml --out DIR --merge
"""

_QUERY_EXAMPLES = """\
Tables: points, runs, those that the batch keeps, each with the axes as columns, and summary.

examples:
  tumor-abm query results/doses "SELECT * FROM summary WHERE measure = 'PFS2'"
  tumor-abm query results/doses "SELECT dose, arm, avg(best_sld_change) FROM outcomes GROUP BY dose, arm"
"""

_WINDOW_EXAMPLES = """\
examples:
  tumor-abm window
  tumor-abm window IMPACT neoMONARCH --patients 200 --csv ki67.csv
"""
_EXPLAIN_EXAMPLES = """\
Rows with an asterisk differ between the cells. Without alterations and drugs there is one cell, the
untreated wild type.

examples:
  tumor-abm explain --alterations "RB1 loss" --drugs palbociclib,fulvestrant
  tumor-abm explain --drugs letrozole --population first_line_premenopausal
  tumor-abm explain --knowledge mine.toml --graph pathway.svg
"""

_CALIBRATE_EXAMPLES = """\
What is free, what is simulated and what it is held against stands in the file of the plan among the
package's knowledge. Interrupt it whenever you like: the same command goes on where it stopped. It writes the
ensemble of good fits (ensemble.json), published and simulated outcomes (targets.csv), and what was learnt of
every parameter (parameters.csv).

examples:
  tumor-abm calibrate --out results/calibration
  tumor-abm calibrate --out results/other_seed --seed 7 --jobs 2
  tumor-abm calibrate --out results/from_scratch --from-scratch
  tumor-abm calibrate --out results/chemotherapy --plan chemotherapy
"""


class Parser(argparse.ArgumentParser):
    """A parser that says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        """Exit with code 2."""
        self.exit(2, f"{self.prog}: {terminal_text(shortened(message))} (see {self.prog} --help)\n")


def parser() -> Parser:
    """Return the parser; what it parses carries a function of itself, ``command``."""
    top = Parser(
        prog="tumor-abm",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"tumor_abm {__version__}")
    top.add_argument(
        "--print-completion",
        choices=SHELLS,
        action=PrintCompletion,
        help="print what a shell reads to complete this command",
    )
    named = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(name: str, summary: str, command: Command, epilog: str | None = None) -> Parser:
        added = named.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        added.set_defaults(command=command)
        return added

    _describe_run(add("run", "run an experiment and compare its arms", commands.run, _RUN_EXAMPLES))
    _add_results(add)
    _describe_evolve(
        add(
            "evolve",
            "run a study of clonal evolution and compare its scenarios",
            commands.evolve,
            _EVOLVE_EXAMPLES,
        )
    )
    _add_batches(add)
    _add_trials(add)
    _describe_app(add("app", "see one patient's tumour evolve, in the browser", commands.app, _APP_EXAMPLES))
    _describe_list(
        add("list", "list what experiments can name, the experiments, or the trials", commands.list_known)
    )
    _describe_check(add("check", "say what is wrong with an experiment, without running it", commands.check))
    _describe_explain(
        add("explain", "say node by node why a cell grows or stops", commands.explain, _EXPLAIN_EXAMPLES)
    )
    _describe_calibrate(
        add(
            "calibrate",
            "fit the package's model to published trials",
            commands.calibrate,
            _CALIBRATE_EXAMPLES,
        )
    )
    _describe_schema(add("schema", "write the JSON schema of an experiment, study or batch", commands.schema))
    return top


def _add_results(add: Callable[..., Parser]) -> None:
    compare.describe(add("compare", "compare the arms of a finished run", compare.compare, compare.EXAMPLES))
    report.describe(
        add(
            "report",
            "write the page of a finished run, study, batch or prediction anew",
            report.report,
            report.EXAMPLES,
        )
    )
    export.describe(
        add("export", "write the tables of a finished run for other programs", export.export, export.EXAMPLES)
    )


def _add_batches(add: Callable[..., Parser]) -> None:
    _describe_batch(
        add("batch", "run an experiment, study or population along axes", batch.batch, _BATCH_EXAMPLES)
    )
    _describe_query(add("query", "ask the tables of a batch in SQL", batch.query, _QUERY_EXAMPLES))


def _add_trials(add: Callable[..., Parser]) -> None:
    _describe_predict(add("predict", "predict what trials report", commands.predict, _PREDICT_EXAMPLES))
    power.describe(
        add("power", "tell the chance that a trial would show a difference", power.power, power.EXAMPLES)
    )
    _describe_window(
        add(
            "window",
            "compare Ki-67 in window trials with what was published",
            window.window,
            _WINDOW_EXAMPLES,
        )
    )


def _describe_run(run: Parser) -> None:
    _experiment(run)
    run.add_argument("--out", metavar="DIR", type=target, required=True, help="directory for the results")
    run.add_argument("--patients", metavar="N", type=count, help="patients instead of the experiment's")
    run.add_argument(
        "--until-precise",
        metavar="WHAT",
        help='add patients until half the 95%% interval is so narrow in every arm: "median PFS1 +- 0.5"',
    )
    run.add_argument(
        "--at-most", metavar="N", type=count, help="with --until-precise: patients at most (10000)"
    )
    run.add_argument("--seed", metavar="S", type=seed, help="seed instead of the experiment's")
    run.add_argument("--jobs", metavar="J", type=count, help="threads (default: all processors)")
    run.add_argument(
        "--scheduler", metavar="ADDRESS", help="Dask scheduler, or scheduler file, whose workers compute"
    )
    run.add_argument(
        "--ensemble", metavar="FILE", help="share patients over parameter sets: shipped, or a file of them"
    )
    run.add_argument("--crossed", action="store_true", help="with --ensemble: all patients live by every set")
    run.add_argument("--resume", action="store_true", help="fail unless there is a run in DIR to go on with")
    run.add_argument("--no-figures", action="store_true", help="write no figures and no report")


def _describe_evolve(evolve: Parser) -> None:
    evolve.add_argument("study", metavar="STUDY.toml", type=path, help="the study")
    evolve.add_argument("--out", metavar="DIR", type=target, required=True, help="directory for the results")
    evolve.add_argument(
        "--replicates", metavar="N", type=count, help="tumours per scenario instead of the study's"
    )
    evolve.add_argument("--seed", metavar="S", type=seed, help="seed instead of the study's")
    evolve.add_argument("--jobs", metavar="J", type=count, help="tumours at once (default: all processors)")
    evolve.add_argument("--no-figures", action="store_true", help="draw no figures")


def _describe_batch(batch: Parser) -> None:
    batch.add_argument("study", metavar="STUDY.toml", type=path, help="the batch")
    batch.add_argument("--out", metavar="DIR", type=target, required=True, help="directory for the results")
    batch.add_argument("--seed", metavar="S", type=seed, help="seed instead of the batch's")
    batch.add_argument("--jobs", metavar="J", type=count, help="runs at once (default: all processors)")
    batch.add_argument(
        "--scheduler", metavar="ADDRESS", help="Dask scheduler, or scheduler file, whose workers compute"
    )
    what = batch.add_mutually_exclusive_group()
    what.add_argument("--dry-run", action="store_true", help="say how many runs, how long and how large")
    what.add_argument("--part", metavar="K/N", help="compute part K of N only, for job arrays")
    what.add_argument("--merge", action="store_true", help="join the parts")
    batch.add_argument("--no-figures", action="store_true", help="draw no figures")
    batch.add_argument(
        "--publish",
        metavar="ADDRESS",
        type=address,
        help="copy the finished batch there (s3://..., gs://...)",
    )


def _describe_query(query: Parser) -> None:
    query.add_argument(
        "directory", metavar="DIR", type=place, help="directory or address (s3://...) of a finished batch"
    )
    query.add_argument("sql", metavar="SQL", help="the question, in quotes")
    query.add_argument("--csv", metavar="FILE", type=target, help="write the answer as CSV, too")
    print_as_json(query)


def _describe_window(window: Parser) -> None:
    window.add_argument("trials", metavar="TRIAL", nargs="*", help="window trials by name (default: all)")
    window.add_argument(
        "--patients", metavar="N", type=count, default=100, help="patients of each arm (default: 100)"
    )
    window.add_argument("--seed", metavar="S", type=seed, default=1, help="seed (default: 1)")
    window.add_argument("--csv", metavar="FILE", type=target, help="write the table as CSV, too")
    print_as_json(window)


def _describe_predict(predict: Parser) -> None:
    predict.add_argument(
        "trials", metavar="TRIAL", nargs="*", help="trials, by file or by name (default: all)"
    )
    predict.add_argument("--out", metavar="FILE.parquet", type=target, required=True, help="table to write")
    predict.add_argument(
        "--ensemble", metavar="FILE", type=path, help="parameter sets (default: the package's)"
    )
    predict.add_argument(
        "--patients", metavar="N", type=count, default=1000, help="per trial (default: 1000)"
    )
    predict.add_argument("--seed", metavar="S", type=seed, default=1, help="seed (default: 1)")
    predict.add_argument("--jobs", metavar="J", type=count, help="threads (default: all processors)")
    predict.add_argument(
        "--keep", metavar="DIR", type=target, help="also keep the simulated patients, for `report`"
    )
    print_as_json(predict)


def _describe_app(app: Parser) -> None:
    app.add_argument(
        "experiment",
        metavar="EXPERIMENT.toml|DIR",
        type=path,
        nargs="?",
        help="experiment with the patients and strategies to choose from (default: usual ones), or the "
        "directory of a finished run, whose patients can be opened",
    )
    app.add_argument(
        "--port", metavar="N", type=port, help="port of the page (default: 8765, or a free one if taken)"
    )
    app.add_argument(
        "--allow-host",
        metavar="NAME",
        action="append",
        default=[],
        help="name beside localhost by which the page may be reached, e.g. that of a proxy; may be repeated",
    )
    app.add_argument(
        "--visitors",
        metavar="N",
        type=count,
        default=None,
        help="tabs that are served at once (default: 40); who comes later is told so",
    )
    app.add_argument("--no-open", action="store_true", help="do not open the browser")


def _describe_list(list_known: Parser) -> None:
    list_known.add_argument("what", choices=commands.LISTS)
    print_as_json(list_known)


def _describe_explain(explain: Parser) -> None:
    for option, what in (("--alterations", "alterations of the cell"), ("--drugs", "drugs it is under")):
        explain.add_argument(
            option,
            metavar="NAMES",
            action="append",
            default=[],
            help=f"{what}, by names with commas between them; may be repeated",
        )
    explain.add_argument(
        "--population",
        metavar="NAME",
        help="whose median patient (default: the usual population, or the first of --knowledge)",
    )
    explain.add_argument(
        "--knowledge",
        metavar="FILE.toml",
        type=path,
        action="append",
        default=[],
        help="knowledge of yours, laid over the package's; may be repeated",
    )
    explain.add_argument(
        "--graph", metavar="FILE.svg", type=target, help="draw the network, as svg, png or pdf"
    )
    print_as_json(explain)


def _describe_calibrate(calibrate: Parser) -> None:
    calibrate.add_argument(
        "--out", metavar="DIR", type=target, required=True, help="directory for the search and the ensemble"
    )
    calibrate.add_argument(
        "--seed", metavar="S", type=seed, default=1, help="seed of the search (default: 1)"
    )
    calibrate.add_argument("--jobs", metavar="J", type=count, help="threads (default: all processors)")
    calibrate.add_argument(
        "--plan",
        choices=["all", "chemotherapy"],
        default="all",
        help="all lines of therapy (default), or, given an ensemble, chemotherapy alone",
    )
    begin = calibrate.add_mutually_exclusive_group()
    begin.add_argument(
        "--from-scratch",
        action="store_true",
        help="begin in the middle of the plausible ranges (default: at the shipped values)",
    )
    begin.add_argument(
        "--around",
        metavar="ENSEMBLE.json",
        type=path,
        help="begin in the middle of these parameter sets, to see whether the search ends elsewhere",
    )
    begin.add_argument(
        "--known",
        metavar="DIR",
        type=path,
        nargs="+",
        default=[],
        help="do not search: draw the ensemble from what these calibrations of the same trials simulated",
    )


def _describe_schema(schema: Parser) -> None:
    schema.add_argument(
        "what",
        nargs="?",
        choices=["experiment", "study", "batch"],
        default="experiment",
        help="whose: of experiments (default), of studies of evolve, or of batches",
    )
    schema.add_argument("--out", metavar="FILE", type=target, help="file to write (default: print it)")


def _describe_check(check: Parser) -> None:
    _experiment(check)
    print_as_json(check)


def _experiment(command: Parser) -> None:
    command.add_argument(
        "experiment", metavar="EXPERIMENT.toml", type=path, help="the experiment, or the name of a trial"
    )
