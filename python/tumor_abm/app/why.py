"""Why a clone grows or stops: its pathway under the drugs of today, node by node."""

from __future__ import annotations

from dataclasses import replace

import solara

from tumor_abm._base.sinks import html_text
from tumor_abm.app.boundary import part
from tumor_abm.app.chair import SIDES
from tumor_abm.app.picture import Picture
from tumor_abm.app.session import Session
from tumor_abm.app.twin import LegendRow
from tumor_abm.knowledge.explained import Explained
from tumor_abm.knowledge.explanation import Explanation


@part("The panel that says why")
def Why(session: Session) -> None:
    """Choose a clone; show what the drugs of today make of it, beside a cell without alterations."""
    side, set_side = solara.use_state(SIDES[0])
    chosen, set_chosen = solara.use_state("")
    explanation = solara.use_memo(lambda: Explanation(session.catalogue.experiment.knowledge), [])
    pictures = session.pictures.value
    if not pictures:
        return
    picture = pictures[0]
    if len(pictures) > 1:
        solara.Select("Twin", values=list(SIDES), value=side, on_value=set_side, dense=True)
        picture = pictures[SIDES.index(side)]
    rows = {row.name: row for row in picture.legend if row.genotype is not None}
    if not rows:
        solara.Text("No cell is left.", classes=["tumor-note"])
        return
    name = chosen if chosen in rows else next(iter(rows))
    solara.Select("Clone", values=list(rows), value=name, on_value=set_chosen, dense=True)
    _Pathway(of_clone(explanation, picture, rows[name]))


def of_clone(explanation: Explanation, picture: Picture, row: LegendRow) -> Explained:
    """Return the pathway of a clone of the legend, under the drugs of the day of a picture."""
    return Explained(
        explanation=explanation,
        patient=explanation.patient_of(picture.facts["covariates"]),
        treatment={
            drug["drug"]: drug["relative_concentration"]
            for drug in picture.facts["drugs"]
            if drug["relative_concentration"] > 0
        },
        alterations=row.genotype or (),
    )


@part("The pathway of a clone")
def _Pathway(explained: Explained) -> None:
    for sentence in explained.sentences():
        solara.Div(children=[sentence], classes=["tumor-note"])
    solara.HTML(tag="div", unsafe_innerHTML=_table(explained))
    solara.Div(
        children=["In bold: what the drugs change. docs/biology.md has the formulas."], classes=["tumor-note"]
    )


def _table(explained: Explained) -> str:
    """Write every number of the clone, without drugs and under those of today."""
    treated = bool(explained.treatment)
    cells = 2 if treated else 1
    head = (
        "<tr><th></th><th>without drugs</th><th>today</th></tr>"
        if treated
        else "<tr><th></th><th>today</th></tr>"
    )
    rows = []
    for row in (*explained.inputs(), *explained.nodes()):
        own = replace(row, values=row.values[-cells:])
        name = html_text(str(row.name))
        numbers = "".join(f'<td class="number">{number}</td>' for number in own.in_words())
        title = html_text(f"{row.label}, {row.unit}" if row.unit else row.label)
        rows.append(f'<tr title="{title}"><td>{f"<b>{name}</b>" if own.differs else name}</td>{numbers}</tr>')
    return f'<table class="tumor-legend tumor-why">{head}{"".join(rows)}</table>'
