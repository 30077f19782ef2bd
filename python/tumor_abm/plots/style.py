"""How figures look and how they are written."""

from __future__ import annotations

import io
import re
import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from threading import RLock
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from matplotlib.font_manager import fontManager
from matplotlib.layout_engine import ConstrainedLayoutEngine

from tumor_abm._base.files import write_whole
from tumor_abm._base.sinks import figure_text, html_text
from tumor_abm.errors import InputError
from tumor_abm.run.results import Results

INK = "#222222"
MUTED = "#6e6e6e"
FAINT = "#d9d9d9"

# Okabe and Ito's colours, told apart with any colour vision; the control arm is grey.
_CONTROL = "#555555"
_ARMS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7A3B00", "#5B2A86")

_STYLE: dict[Any, Any] = {
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.labelsize": 9,
    "font.size": 9,
    "legend.frameon": False,
    "svg.hashsalt": "tumor_abm",
    "text.color": INK,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
}

_FURTHER_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "PingFang SC",
    "Microsoft YaHei",
    "Noto Sans",
    "Noto Emoji",
)

# Of every kind of file, what would differ between two of the same figure.
_UNDATED = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}

_DRAWING = RLock()


@contextmanager
def style() -> Iterator[None]:
    """Draw in the house style; one thread at a time, since matplotlib keeps its style for all.

    A character that no font has is drawn as an empty box, without a warning.
    """
    with _DRAWING, matplotlib.rc_context(_STYLE | {"font.family": _fonts()}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        yield


@cache
def _fonts() -> list[str]:
    """Return the font that comes with matplotlib, then those of this machine that know more scripts."""
    installed = set(fontManager.get_font_names())
    return ["DejaVu Sans", *(font for font in _FURTHER_FONTS if font in installed)]


def new_figure(width_in: float, height_in: float) -> Figure:
    """Return an empty figure that keeps all its text inside."""
    figure = Figure(figsize=(width_in, height_in), layout=ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.06))
    FigureCanvasAgg(figure)
    return figure


def panel(width_in: float, height_in: float, ax: Axes | None = None) -> Axes:
    """Return `ax`, or else the only axes of an empty figure."""
    return new_figure(width_in, height_in).subplots() if ax is None else _checked(ax)


def canvas(width_in: float, height_in: float, ax: Axes | None = None) -> Figure | SubFigure:
    """Return what panels are put into: the place of `ax`, which is emptied, or else a new figure."""
    if ax is None:
        return new_figure(width_in, height_in)
    spec = _checked(ax).get_subplotspec()
    if spec is None:
        raise InputError(key="ax", found=ax, allowed="axes in a grid, as plt.subplots() makes them")
    ax.set_axis_off()
    here = ax.get_figure(root=False)
    assert here is not None  # what has a place in a grid is in a figure
    return here.add_subfigure(spec)


def _checked(ax: Axes) -> Axes:
    if not isinstance(ax, Axes):
        raise InputError(key="ax", found=ax, allowed="axes of matplotlib, or None for a new figure")
    return ax


def whole(drawn: Axes | Figure | SubFigure) -> Figure:
    """Return the figure that holds it all."""
    figure = drawn.get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure


def width_in(figure: Figure | SubFigure) -> float:
    """Width in inches."""
    return float(figure.bbox.width) / figure.dpi


def title(axes: Axes, text: str, subtitle: str) -> None:
    """Put `text`, and smaller `subtitle`, above `axes`."""
    axes.set_title(figure_text(text), loc="left", fontsize=12, fontweight="bold", pad=25)
    axes.annotate(
        figure_text(shortened(subtitle)),
        (0, 1),
        (0, 10),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=9,
        color=MUTED,
    )


def colours(results: Results) -> dict[str, str]:
    """Return the colour of each arm."""
    others = iter(_ARMS * len(results.arms))
    return {arm: _CONTROL if arm == results.control else next(others) for arm in results.arms}


def shortened(text: str) -> str:
    """Cut `text` where it would be wider than a figure."""
    return textwrap.shorten(text, 95, placeholder=" …")


def wrapped(text: str, columns: int) -> str:
    """Break `text` into lines of at most so many characters, where words end."""
    return "\n".join(textwrap.wrap(text, columns, break_long_words=False))


def save_figure(figure: Figure, stem: str | Path) -> list[Path]:
    """Write `figure` as ``stem.png`` (200 dpi) and ``stem.svg``; the same figure gives the same bytes."""
    stem = Path(stem)
    paths = [stem.with_name(f"{stem.name}.{kind}") for kind in ("png", "svg")]
    for path in paths:
        write_figure(figure, path)
    return paths


def write_figure(figure: Figure, path: Path) -> None:
    """Write `figure` as the kind of file that the name says: png (200 dpi), svg or pdf.

    Raises
    ------
    InputError
        The name says another kind.
    """
    kind = path.suffix[1:].lower()
    if kind not in _UNDATED:
        raise InputError(key=str(path), found=path.suffix, allowed=[f".{known}" for known in _UNDATED])
    with style():
        write_whole(path, partial(figure.savefig, format=kind, dpi=200, metadata=_UNDATED[kind]))


def svg(figure: Figure, label: str) -> str:
    """Return `figure` as an SVG element to be put into a page; `label` says what it shows."""
    text = io.StringIO()
    with style():
        figure.savefig(text, format="svg", metadata={"Date": None})
    element = text.getvalue()[text.getvalue().index("<svg") :]
    unnamed = re.sub(r'<g id="[^"]*"', "<g", element)  # ids of groups would repeat in a page of figures
    return unnamed.replace("<svg", f'<svg role="img" aria-label="{html_text(label)}"', 1)


def png(figure: Figure, dots_per_inch: float) -> bytes:
    """Return `figure` as PNG."""
    file = io.BytesIO()
    with style():
        figure.savefig(file, format="png", dpi=dots_per_inch, metadata={"Software": None})
    return file.getvalue()
