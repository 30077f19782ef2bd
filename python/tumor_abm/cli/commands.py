"""The commands. Each imports what it needs itself, so that ``tumor-abm --help`` is quick."""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tumor_abm.cli import precision, sets
from tumor_abm.cli.compare import tell
from tumor_abm.cli.printing import print_json, print_pairs, records, writing

if TYPE_CHECKING:
    from rich.console import Console

    from tumor_abm.analysis.comparison import Comparison
    from tumor_abm.run.results import Results

LISTS = ("drugs", "alterations", "populations", "experiments", "trials")


def run(arguments: argparse.Namespace) -> None:
    """Run an experiment, compare its arms, and draw them."""
    from tumor_abm.analysis.comparison import compare
    from tumor_abm.cli.consoles import log_to, messages, output
    from tumor_abm.cli.progress import counting
    from tumor_abm.config import load_experiment
    from tumor_abm.config.named import experiment_file
    from tumor_abm.run.experiment import run_experiment

    file = experiment_file(arguments.experiment)
    goal = precision.goal_of(arguments)
    patients = arguments.patients if goal is None else arguments.at_most or precision.AT_MOST
    experiment = load_experiment(file, patients=patients, seed=arguments.seed)
    if goal is not None:
        goal.check(experiment.resolved())
    console = messages()
    with log_to(console), counting(console, experiment.patients) as count:
        results = run_experiment(
            experiment,
            arguments.out,
            jobs=arguments.jobs,
            scheduler=arguments.scheduler,
            resume="required" if arguments.resume else True,
            ensemble=sets.named(arguments.ensemble, crossed=arguments.crossed),
            crossed=arguments.crossed,
            enough=None if goal is None else goal.reached,
            progress=count,
        )
    comparison = compare(results)
    with writing(arguments.out):
        comparison.save(arguments.out)
        by_set = sets.of_run(results, arguments.out)
        drawn = {} if arguments.no_figures else _draw(results, comparison, arguments.out, console)
        sampled = _sample(results, arguments.out, console)
    tell(comparison, by_set, output())
    if goal is not None:
        precision.tell(goal, results, output())
    tables = ", ".join(results.tables)
    print_pairs(
        f"\nIn {arguments.out}:",
        {
            "tables": f"{tables} (parquet)",
            "comparison": "comparison, who_gains, neutropenia (parquet, csv)",
            **(
                {}
                if by_set is None
                else {"parameters": f"{', '.join(f'sets_{name}' for name in sets.FILES)} (csv)"}
            ),
            **drawn,
            **sampled,
        },
    )


def _sample(results: Results, directory: Path, console: Console) -> dict[str, str]:
    """Sample and sequence patients, if the experiment asks for it; say what is where."""
    from tumor_abm.cli.progress import counting
    from tumor_abm.model.patient_samples import NOTHING, sampled_lives, takes_samples, write_samples

    if not takes_samples(results):
        return {}
    lives = len(sampled_lives(results))
    with counting(console, lives, "sampled lives") as count:
        count(0)
        tables = write_samples(results, directory / "samples", progress=count)
    told = {"samples": f"samples/{', '.join(tables)} (parquet), maf/, trees/ of {lives} lives"}
    if NOTHING in tables:
        told["no cells"] = f"{tables[NOTHING].height} samples found none where or when they were taken"
    return told


def evolve(arguments: argparse.Namespace) -> None:
    """Run a study of clonal evolution, compare its scenarios, and draw them."""
    from tumor_abm._base.files import write_whole
    from tumor_abm.cli.consoles import log_to, messages, output
    from tumor_abm.cli.progress import counting
    from tumor_abm.cli.scenarios import table_of_scenarios
    from tumor_abm.study import load_study, run_study, summarise, write_mutations, write_trees

    study = load_study(arguments.study, replicates=arguments.replicates, seed=arguments.seed)
    console, out = messages(), arguments.out
    with log_to(console), counting(console, study.tumours, "tumours") as count:
        results = run_study(study, out, jobs=arguments.jobs, progress=count)
    summary = summarise(results)
    with writing(out):
        write_whole(out / "summary.parquet", summary.write_parquet)
        write_whole(out / "summary.csv", summary.write_csv)
        mafs = write_mutations(results, out / "maf")
        trees = write_trees(results, out / "trees")
        drawn = {} if arguments.no_figures else _draw_study(results, out, console)
    output().print(table_of_scenarios(study, summary))
    tables = ", ".join([*results.tables, "summary"])
    print_pairs(
        f"\nIn {out}:",
        {
            "tables": f"{tables} (parquet)",
            "mutations": f"maf/, {mafs} tumours",
            "trees": f"trees/, {trees} samples (newick, tskit)",
            **drawn,
        },
    )


def _draw_study(results: Results, directory: Path, console: Console) -> dict[str, str]:
    from tumor_abm.cli.progress import counting
    from tumor_abm.plots import plot_maps, plot_muller, plot_neutrality, plot_spectra, save_figure

    figures = directory / "figures"
    figures.mkdir(exist_ok=True)
    drawn = []
    draws = {"spectra": plot_spectra, "neutrality": plot_neutrality, "maps": plot_maps, "muller": plot_muller}
    with counting(console, len(draws), "figures") as count:
        count(0)
        for done, (name, draw) in enumerate(draws.items(), start=1):
            figure = draw(results)
            if figure is not None:
                save_figure(figure, figures / name)
                drawn.append(f"figures/{name}")
            count(done)
    return {"figures": f"{', '.join(drawn)} (png, svg)"}


def predict(arguments: argparse.Namespace) -> None:
    """Predict what trials report, with intervals, and write the table."""
    from tumor_abm._base.files import write_whole
    from tumor_abm.cli.consoles import log_to, messages, output
    from tumor_abm.cli.lists import table_of_predictions
    from tumor_abm.cli.progress import counting
    from tumor_abm.config.named import find
    from tumor_abm.knowledge.ensemble import Ensemble
    from tumor_abm.run.experiment import threads_of
    from tumor_abm.trials.parts import Parts
    from tumor_abm.trials.prediction import predict as predicted
    from tumor_abm.trials.prediction import workload

    files = find(arguments.trials)
    ensemble = Ensemble.load(arguments.ensemble) if arguments.ensemble else Ensemble.shipped()
    console = messages()
    with (
        writing(arguments.out),
        Parts.claimed(arguments.out.with_name(arguments.out.name + ".parts")) as parts,
    ):
        with log_to(console), counting(console, workload(files, ensemble, arguments.patients)) as count:
            prediction = predicted(
                files,
                ensemble=ensemble,
                patients=arguments.patients,
                seed=arguments.seed,
                jobs=threads_of(arguments.jobs),
                parts=parts,
                progress=count,
            )
        write_whole(arguments.out, prediction.table.write_parquet)
        if arguments.keep:
            prediction.save(arguments.keep)
        parts.remove()
    if arguments.json:
        print_json({"file": str(arguments.out), "predictions": records(prediction.table)})
        return
    output().print(table_of_predictions(prediction.table))


def app(arguments: argparse.Namespace) -> None:
    """Serve the browser page until Ctrl-C."""
    from tumor_abm._base.paths import is_directory
    from tumor_abm.app.server import serve
    from tumor_abm.config.named import experiment_file

    file = arguments.experiment
    if file is not None and not is_directory(file):
        file = experiment_file(file)
    serve(
        file,
        port=arguments.port,
        allow_hosts=arguments.allow_host,
        visitors=arguments.visitors,
        open_browser=not arguments.no_open,
    )


def list_known(arguments: argparse.Namespace) -> None:
    """Print a table of what experiments can name, or of the experiments."""
    from tumor_abm.cli.consoles import output
    from tumor_abm.cli.lists import records_of, table_of

    if arguments.json:
        print_json({arguments.what: records_of(arguments.what)})
        return
    output().print(table_of(arguments.what))


def check(arguments: argparse.Namespace) -> None:
    """Say that an experiment is sound, and what it is; what is wrong is an `InputError`."""
    from tumor_abm._base.sinks import rich_text
    from tumor_abm.cli.consoles import messages
    from tumor_abm.config import load_experiment
    from tumor_abm.config.named import experiment_file
    from tumor_abm.config.notices import notices
    from tumor_abm.run.experiment import threads_of
    from tumor_abm.run.screening import glance

    file = experiment_file(arguments.experiment)
    experiment = load_experiment(file)
    said = [*notices(experiment), *glance(experiment, threads_of(None))]
    if arguments.json:
        print_json(
            {
                "file": str(file),
                "title": experiment.title,
                "question": experiment.question,
                "patients": experiment.patients,
                "population": experiment.population_name,
                "arms": [arm.name for arm in experiment.arms],
                "control": experiment.control,
                "drugs": list(experiment.drugs),
                "alterations": list(experiment.alterations),
                "notices": said,
            }
        )
        return
    for notice in said:
        messages().print(rich_text(notice), soft_wrap=True)
    arms = ", ".join(arm.name for arm in experiment.arms)
    print_pairs(
        f"{file} is sound",
        {
            "title": experiment.title,
            "question": experiment.question,
            "patients": f"{experiment.patients}, {experiment.population_name}",
            "arms": f"{arms} (control: {experiment.control})",
            "drugs": ", ".join(experiment.drugs),
            "alterations": ", ".join(experiment.alterations),
        },
    )


def explain(arguments: argparse.Namespace) -> None:
    """Print the pathway node by node, and why a cell grows or stops; draw the network on request."""
    from tumor_abm._base.sinks import rich_text
    from tumor_abm.cli.consoles import output
    from tumor_abm.cli.explain import knowledge_with, names, table
    from tumor_abm.knowledge.explained import Explained
    from tumor_abm.knowledge.explanation import Explanation

    explanation = Explanation(knowledge_with(arguments.knowledge))
    knowledge = explanation.knowledge
    population = knowledge.usual_population if arguments.population is None else arguments.population
    explained = Explained(
        explanation=explanation,
        patient=explanation.median_patient(population),
        treatment=dict.fromkeys(names(arguments.drugs, knowledge.drugs), 1.0),
        alterations=names(arguments.alterations, knowledge.alterations),
    )
    record = {"population": population, **explained.record()}
    if arguments.graph is not None:
        from tumor_abm.plots import plot_pathway
        from tumor_abm.plots.style import write_figure

        figure = plot_pathway(
            knowledge,
            drugs=explained.drugs,
            alterations=explained.alterations,
            population=population,
        )
        with writing(arguments.graph):
            write_figure(figure, arguments.graph)
    if arguments.json:
        print_json(record)
        return
    out = output()
    out.print(rich_text(f"The median patient of {population}; drugs at their usual steady state"))
    out.print(table(explained))
    for sentence in record["sentences"]:
        out.print(rich_text(sentence))


def calibrate(arguments: argparse.Namespace) -> None:
    """Search for parameter sets that meet the published trials, and keep an ensemble of them."""
    from tumor_abm._base.sinks import rich_text
    from tumor_abm.calibration import calibrate as calibrated
    from tumor_abm.calibration import simulations, waves_of
    from tumor_abm.cli.consoles import log_to, messages
    from tumor_abm.cli.progress import counting
    from tumor_abm.run.experiment import threads_of

    console = messages()
    waves = waves_of(arguments.plan, from_scratch=arguments.from_scratch, known=arguments.known)
    with (
        writing(arguments.out),
        log_to(console),
        counting(console, simulations(waves), "parameter sets") as count,
    ):
        found = calibrated(
            arguments.out,
            seed=arguments.seed,
            jobs=threads_of(arguments.jobs),
            plan=arguments.plan,
            from_scratch=arguments.from_scratch,
            around=arguments.around,
            known=arguments.known,
            waves=waves,
            progress=count,
            say=lambda message: console.print(rich_text(message), soft_wrap=True),
        )
    fitted = found.targets.filter(fitted=True)
    print_pairs(
        f"\nIn {arguments.out}:",
        {
            "ensemble.json": f"{len(found.members)} parameter sets",
            "targets.csv": f"{fitted['inside'].sum()} of {fitted.height} targets inside their intervals",
            "parameters.csv": "range, ensemble and identifiability of every parameter",
            "sensitivity": "which parameters matter for which endpoint (csv, png)",
        },
    )


def schema(arguments: argparse.Namespace) -> None:
    """Write the JSON schema of experiments, studies or batches."""
    from tumor_abm.schemas import json_schema

    text = json.dumps(json_schema(arguments.what), indent=1)
    if arguments.out is None:
        print(text)
        return
    with writing(arguments.out):
        arguments.out.write_text(text + "\n", encoding="utf-8")


def _draw(results: Results, comparison: Comparison, directory: Path, console: Console) -> dict[str, str]:
    """Draw the survival curves and write the report; say what is where."""
    from tumor_abm.analysis.endpoints import is_defined
    from tumor_abm.cli.progress import counting
    from tumor_abm.plots import plot_kaplan_meier, plot_resistance, save_figure
    from tumor_abm.report import number_of_figures, write_report

    figures = directory / "figures"
    figures.mkdir(exist_ok=True)
    defined = [endpoint for endpoint in comparison.endpoints if is_defined(endpoint, results)]
    draws = {endpoint.stem: partial(plot_kaplan_meier, results, endpoint) for endpoint in defined}
    draws["resistance"] = partial(plot_resistance, results)
    with counting(console, len(draws) + number_of_figures(results, comparison), "figures") as count:
        count(0)
        for done, (stem, draw) in enumerate(draws.items(), start=1):
            save_figure(draw(), figures / stem)
            count(done)
        report = write_report(
            results, directory, comparison, progress=lambda drawn: count(len(draws) + drawn)
        )
    return {
        "figures": f"{', '.join(f'figures/{stem}' for stem in draws)} (png, svg)",
        "report": report.name,
    }
