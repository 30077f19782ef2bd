"""The network from genotype and drugs to division and death."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, PathPatch
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D

from tumor_abm._base.genotype import WILD_TYPE
from tumor_abm._base.sinks import figure_text
from tumor_abm.knowledge import Knowledge
from tumor_abm.knowledge.explanation import Explanation
from tumor_abm.knowledge.formula import Name, Space
from tumor_abm.knowledge.influence import Values, reads, signs, state
from tumor_abm.knowledge.usual import DEFAULT_POPULATION
from tumor_abm.plots.layered import Layout, Point, layout
from tumor_abm.plots.style import INK, MUTED, panel, style, title, whole

_RAISES, _LOWERS, _EITHER = "#0072B2", "#D55E00", "#8A8A8A"
_KINDS: Mapping[Space, tuple[str, str, str]] = {
    "drug": ("#A0397A", "●", "where drugs act"),
    "alteration": ("#007A5A", "◆", "what alterations do"),
    "patient": ("#7A5C00", "▲", "differs between patients"),
}
_MARKED, _PLAIN = "#FFF1C2", "#FFFFFF"
# Inches of the drawing, which is scaled to its axes, and columns of characters.
_WIDTH, _GAP, _BETWEEN, _PAD = 0.83, 0.26, 0.16, 0.04
_WIDEST, _BESIDE = 11.7, 0.3
_ROOM_ABOVE, _ROOM_BELOW, _TITLE = 0.06, 0.35, 0.75
_LEGEND_WIDTH, _LEGEND_AT, _LEGEND_GAP = 8.0, -0.25, 0.25
_SIGNS = {
    1: (_RAISES, "+ raises"),
    -1: (_LOWERS, "\N{MINUS SIGN} lowers"),
    0: (_EITHER, "± neither, in this patient"),
}
_SAME = 1e-9


@dataclass(frozen=True)
class _Line:
    text: str
    points: float
    colour: str = INK
    bold: bool = False
    marked: bool = False

    @property
    def height(self) -> float:
        return 1.25 * self.points / 72


@dataclass(frozen=True, kw_only=True)
class _Card:
    lines: Sequence[_Line]
    marked: bool

    @property
    def height(self) -> float:
        return sum(line.height for line in self.lines) + 2 * _PAD


def plot_pathway(
    knowledge: Knowledge | None = None,
    *,
    drugs: Iterable[str] = (),
    alterations: Iterable[str] = (),
    population: str = DEFAULT_POPULATION,
    ax: Axes | None = None,
) -> Figure:
    """Draw the network: a box per node, what it reads to its left, division and death on the right.

    Blue arrows raise, orange ones with a bar lower (by the derivative in an untreated cell of the median
    patient). In a box stand the drugs, alterations and covariates that it reads, with the same signs. Where
    drugs or alterations are given, what they change is marked, with its number before and after.

    Parameters
    ----------
    knowledge
        Whose pathway; the package's when ``None``.
    drugs
        Drugs that the cell is under, at their usual steady state.
    alterations
        Alterations of the cell.
    population
        Whose median patient.
    ax
        Axes to draw into; a new figure, for a landscape page, when ``None``.

    Raises
    ------
    InputError
        A drug, an alteration or a population that is not known.
    """
    explanation = Explanation(knowledge or Knowledge.shipped())
    pathway = explanation.knowledge.pathway
    patient = explanation.median_patient(population)
    carried, given = list(alterations), list(drugs)
    before = state(explanation, patient, {}, [])
    after = state(explanation, patient, dict.fromkeys(given, 1.0), carried)
    arrows = signs(explanation, patient)
    cards = {node: _card(explanation, node, arrows, before, after) for node in pathway.order}
    inner = {
        node: [read.name for read in reads(pathway, node) if read.space == "" and read.name in pathway.nodes]
        for node in pathway.order
    }
    placed = layout(inner, {node: card.height for node, card in cards.items()}, _BETWEEN)
    what = " + ".join(carried) or WILD_TYPE
    what += f" under {' + '.join(given)}" if given else ", untreated"
    with style():
        axes = _drawing(placed, ax)
        for (read, node), sign in arrows.items():
            if (read.name, node) in placed.passing and read.space == "":
                _arrow(axes, placed, cards, inner, read.name, node, sign)
        for node, card in cards.items():
            _draw_card(axes, card, _left(placed, node), placed.middle[node])
        title(axes, "From genotype and drugs to division and death", f"Median patient; {what}")
        _legend(axes)
    return whole(axes)


def _card(
    explanation: Explanation,
    node: str,
    arrows: Mapping[tuple[Name, str], int],
    before: Values,
    after: Values,
) -> _Card:
    pathway = explanation.knowledge.pathway
    name = Name("", node)
    shown = [f"{values[name]:.2g}" for values in (before, after)]
    changed = shown[0] != shown[1]
    lines = [_Line(part, 7.0, bold=True) for part in _broken(node, 12)]
    lines += [_Line(part, 5.2, MUTED) for part in textwrap.wrap(pathway.nodes[node].label, 20)]
    for read in reads(pathway, node):
        if read.space:
            colour, glyph, _ = _KINDS[read.space]
            sign = {1: "+", -1: "\N{MINUS SIGN}", 0: "\N{PLUS-MINUS SIGN}"}[arrows[read, node]]
            first, *more = _broken(read.name, 12)
            marked = read.space != "patient" and abs(after[read] - before[read]) > _SAME
            lines.append(_Line(f"{glyph} {sign} {first}", 6.2, colour, bold=marked, marked=marked))
            lines += [_Line(f"      {part}", 6.2, colour, bold=marked, marked=marked) for part in more]
    if changed:
        lines.append(_Line(" → ".join(shown), 7.0, bold=True))
    return _Card(lines=lines, marked=changed)


def _broken(name: str, columns: int) -> list[str]:
    """Break a name behind underscores, where it is longer than a line."""
    lines = [""]
    for part in name.replace("_", "_\0").split("\0"):
        if lines[-1] and len(lines[-1]) + len(part) > columns:
            lines.append("")
        lines[-1] += part
    return [textwrap.shorten(line, 24, placeholder="…") if len(line) > 24 else line for line in lines]


def _left(placed: Layout, node: str) -> float:
    column = next(at for at, layer in enumerate(placed.layers) if node in layer)
    return column * (_WIDTH + _GAP)


def _drawing(placed: Layout, ax: Axes | None) -> Axes:
    """Return axes in inches of the drawing."""
    wide = max(len(placed.layers) * (_WIDTH + _GAP) - _GAP, _LEGEND_WIDTH)
    top = placed.height
    axes = panel(max(_WIDEST, wide + _BESIDE), top + _ROOM_ABOVE + _ROOM_BELOW + _TITLE, ax)
    axes.set_xlim(-0.03, wide + 0.03)
    axes.set_ylim(-_ROOM_BELOW, top + _ROOM_ABOVE)
    axes.set_aspect("equal")
    axes.set_axis_off()
    return axes


def _draw_card(axes: Axes, card: _Card, left: float, middle: float) -> None:
    top = middle + card.height / 2
    box = FancyBboxPatch(
        (left, top - card.height),
        _WIDTH,
        card.height,
        boxstyle="round,pad=0,rounding_size=0.05",
        facecolor=_MARKED if card.marked else _PLAIN,
        edgecolor=INK if card.marked else MUTED,
        linewidth=1.4 if card.marked else 0.7,
        zorder=3,
    )
    axes.add_artist(box)
    at = top - _PAD
    for line in card.lines:
        at -= line.height
        _write(axes, line, left + _PAD, at + 0.3 * line.height, _WIDTH - 2 * _PAD)


def _write(axes: Axes, line: _Line, x: float, y: float, room: float) -> float:
    """Write in the scale of the drawing, so that it fits at any size; what is too wide is condensed.

    Return how wide it is.
    """
    shown = figure_text(line.text)
    path = TextPath(
        (0, 0), shown, size=line.points / 72, prop=FontProperties(weight="bold" if line.bold else "normal")
    )
    wide = float(path.vertices[:, 0].max()) if len(path.vertices) else 0.0
    narrow = min(1.0, room / wide) if wide > 0 else 1.0
    moved = Affine2D().scale(narrow, 1.0).translate(x, y)
    axes.add_artist(PathPatch(moved.transform_path(path), facecolor=line.colour, edgecolor="none", zorder=4))
    return narrow * wide


def _arrow(
    axes: Axes,
    placed: Layout,
    cards: Mapping[str, _Card],
    inner: Mapping[str, Sequence[str]],
    read: str,
    node: str,
    sign: int,
) -> None:
    """Draw an arrow, by the places between the boxes that are kept free for it."""
    arriving = sorted(inner[node], key=lambda name: [placed.middle[name], *placed.passing[name, node]][-1])
    share = (arriving.index(read) + 1) / (len(arriving) + 1) - 0.5
    height = cards[node].height
    end = (_left(placed, node) - (0.035 if sign < 0 else 0.01), placed.middle[node] + share * height)
    here = (_left(placed, read) + _WIDTH, placed.middle[read])
    vertices: list[Point] = [here]
    codes = [int(Path.MOVETO)]
    column = here[0] + _GAP
    for through in placed.passing[read, node]:
        _bend(vertices, codes, (column, through))
        vertices.append((column + _WIDTH, through))
        codes.append(int(Path.LINETO))
        column += _WIDTH + _GAP
    _bend(vertices, codes, end)
    _draw_arrow(axes, Path(vertices, codes), sign)


def _draw_arrow(axes: Axes, path: Path, sign: int) -> None:
    axes.add_artist(
        FancyArrowPatch(
            path=path,
            arrowstyle="-[,widthB=0.38,lengthB=0" if sign < 0 else "-|>,head_length=0.3,head_width=0.14",
            mutation_scale=12,
            color=_SIGNS[sign][0],
            linewidth=1.1 if sign >= 0 else 1.3,
            capstyle="butt",
            joinstyle="round",
            zorder=2,
        )
    )


def _bend(vertices: list[Point], codes: list[int], end: Point) -> None:
    x, y = vertices[-1]
    half = (end[0] - x) / 2
    vertices += [(x + half, y), (end[0] - half, end[1]), end]
    codes += [int(Path.CURVE4)] * 3


def _legend(axes: Axes) -> None:
    x = 0.0
    for sign, (_, words) in _SIGNS.items():
        line = Path([(x, _LEGEND_AT), (x + 0.3, _LEGEND_AT)], [int(Path.MOVETO), int(Path.LINETO)])
        _draw_arrow(axes, line, sign)
        x += 0.4
        x += _write(axes, _Line(words, 7.5), x, _LEGEND_AT - 0.035, _LEGEND_WIDTH) + _LEGEND_GAP
    for colour, glyph, words in _KINDS.values():
        x += _write(axes, _Line(glyph, 7.5, colour), x, _LEGEND_AT - 0.035, _LEGEND_WIDTH) + 0.08
        x += _write(axes, _Line(words, 7.5), x, _LEGEND_AT - 0.035, _LEGEND_WIDTH) + _LEGEND_GAP
