"""Take along what is shown: the data as CSV or Parquet, the figure as SVG or PNG."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Literal

import polars as pl
import solara
from matplotlib.figure import Figure
from polars import selectors as columns

from tumor_abm.app.boundary import part
from tumor_abm.app.film import gif
from tumor_abm.app.only import use_only
from tumor_abm.app.picture import Picture
from tumor_abm.app.session import Session
from tumor_abm.app.twin import Twin
from tumor_abm.plots.style import png, style

_FIGURE_DPI = 200

Kind = Literal["csv", "parquet"]


@part("The list of downloads")
def Downloads(session: Session) -> None:
    """Show a button for each kind of file."""
    ready = use_only(session.pictures, bool)
    files: list[tuple[str, str, Callable[[], bytes]]] = [
        ("Data, CSV", "tumor_abm_csv.zip", lambda: zipped(session.twins, "csv")),
        ("Data, Parquet", "tumor_abm_parquet.zip", lambda: zipped(session.twins, "parquet")),
        ("Figure, SVG", "tumor_abm.svg", lambda: figure_svg(session.figure())),
        ("Figure, PNG", "tumor_abm.png", lambda: figure_png(session.figure())),
        ("Tumour, GIF", "tumor_abm.gif", lambda: gif(session.twins[0])),
        ("experiment.toml", "experiment.toml", lambda: session.experiment().text.encode()),
    ]
    if not ready:
        return
    for label, filename, data in files:
        _Download(session, label, filename, data)
    _Experiment(session)


@part("What is said of experiment.toml")
def _Experiment(session: Session) -> None:
    """Say what to do with the file, and what is not in it."""
    solara.Text(
        "A batch run of experiment.toml lives the same: tumor-abm run experiment.toml --out DIR. This "
        "patient is the last one.",
        classes=["tumor-note"],
    )
    for what in use_only(session.pictures, lambda _: session.left_out):
        solara.Text(f"Not in experiment.toml: {what}.", classes=["tumor-note"])


@part("The download {label}")
def _Download(session: Session, label: str, filename: str, data: Callable[[], bytes]) -> None:
    day = use_only(session.pictures, _day)
    made = solara.use_memo(lambda: lambda: session.at_rest(data), [day, len(session.twins)])
    dated = filename if filename == "experiment.toml" else filename.replace(".", f"_day{day}.", 1)
    with solara.FileDownload(made, filename=dated):
        solara.Button(label, icon_name="mdi-download", small=True, text=True)


def _day(pictures: Sequence[Picture]) -> str:
    return f"{pictures[0].facts['day']:.0f}" if pictures else ""


def zipped(twins: list[Twin], kind: Kind) -> bytes:
    """Return the tables of all twins as a zip of files; a column ``strategy`` tells the twins apart.

    CSV has no lists: there, genotypes have their names alone.
    """
    courses = [(twin.name, twin.course()) for twin in twins]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in courses[0][1].tables:
            table = pl.concat(
                [
                    course.tables[name].select(pl.lit(strategy).alias("strategy"), pl.all())
                    for strategy, course in courses
                ],
                how="vertical_relaxed",
            )
            archive.writestr(f"{name}.{kind}", _written(table, kind))
    return file.getvalue()


def figure_svg(figure: Figure) -> bytes:
    """Return a figure as SVG."""
    file = io.BytesIO()
    with style():
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def figure_png(figure: Figure) -> bytes:
    """Return a figure as PNG."""
    return png(figure, _FIGURE_DPI)


def _written(table: pl.DataFrame, kind: Kind) -> bytes:
    if kind == "csv":
        return table.drop(columns.list()).write_csv().encode()
    file = io.BytesIO()
    table.write_parquet(file)
    return file.getvalue()
