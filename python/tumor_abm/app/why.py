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
from tumor_abm.plots.genotypes import short

MOST_REMEDIES = 8
"""Drugs that are named as what would stop a clone."""

_LEAST = 1e-3  # by how much less net growth per day a drug must make to be named


@part("The panel that says why")
def Why(session: Session) -> None:
    """Show what the drugs of the day make of the chosen clone, and what would stop it."""
    side, set_side = solara.use_state(SIDES[0])
    explanation = solara.use_memo(lambda: Explanation(session.catalogue.experiment.knowledge), [])
    pictures = session.pictures.value
    if not pictures:
        return
    picture = pictures[0]
    if len(pictures) > 1:
        solara.Select("Twin", values=list(SIDES), value=side, on_value=set_side, dense=True)
        picture = pictures[SIDES.index(side)]
    rows = {short(row.genotype, picture.founder): row for row in picture.legend if row.genotype is not None}
    if not rows:
        solara.Text("No cell is left.", classes=["tumor-note"])
        return
    chosen = session.chosen.value
    name = chosen if chosen in rows else next(iter(rows))
    solara.Select("Clone", values=list(rows), value=name, on_value=session.chosen.set, dense=True)
    explained = of_clone(explanation, picture, rows[name])
    _Pathway(explained)
    _Remedies(explained)


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
    for sentence in [*explained.sentences(), *acting(explained)]:
        solara.Div(children=[sentence], classes=["tumor-note"])
    solara.HTML(tag="div", unsafe_innerHTML=_table(explained))
    solara.Div(
        children=["In bold: what the drugs change. docs/biology.md has the formulas."], classes=["tumor-note"]
    )


@part("What would stop a clone")
def _Remedies(explained: Explained) -> None:
    found = remedies(explained)
    rows = "".join(
        f'<tr><td>{html_text(drug)}</td><td class="number">{_per_day(net)}</td></tr>' for drug, net in found
    )
    if not rows:
        solara.Text("No single drug more would make this clone shrink.", classes=["tumor-note"])
        return
    what = "stop it" if explained.cells[-1].net > 0 else "shrink it faster"
    solara.HTML(
        tag="div",
        unsafe_innerHTML=f'<table class="tumor-legend"><thead><tr><th>one drug more would {what}</th>'
        f"<th>net growth, %/day</th></tr></thead><tbody>{rows}</tbody></table>",
    )


def acting(explained: Explained) -> list[str]:
    """Say where each drug of the day acts."""
    knowledge = explained.explanation.knowledge
    targets = knowledge.pathway.targets
    return [
        f"{drug}: {'; '.join(_begun_small(targets[at].label) for at in knowledge.drugs[drug].effects)}."
        for drug in explained.drugs
        if knowledge.drugs[drug].effects
    ]


def remedies(explained: Explained) -> list[tuple[str, float]]:
    """Return the drugs that would make a clone shrink beside those of the day, and its net growth per day.

    The drug is at its usual steady state; the strongest come first.
    """
    explanation, today = explained.explanation, dict(explained.treatment)
    more = [drug for drug in explanation.drugs if drug not in today]
    rates = explanation.numbers(
        dict(explained.patient),
        treatments=[{**today, drug: 1.0} for drug in more],
        genotypes=[list(explained.alterations)],
    )
    net = (rates[:, 0, 0] - rates[:, 0, 1]).tolist()
    own = explained.cells[-1].net
    found = [(drug, after) for drug, after in zip(more, net, strict=True) if after < min(0.0, own - _LEAST)]
    return sorted(found, key=lambda each: each[1])[:MOST_REMEDIES]


def _begun_small(label: str) -> str:
    return label[0].lower() + label[1:]


def _per_day(net: float) -> str:
    return f"{100 * net:+.1f}".replace("-", "−")


def _table(explained: Explained) -> str:
    """Write every number of the clone, without drugs and under those of today."""
    treated = bool(explained.treatment)
    cells = 2 if treated else 1
    head = (
        "<tr><td></td><th>without drugs</th><th>today</th></tr>"
        if treated
        else "<tr><td></td><th>today</th></tr>"
    )
    rows = []
    for row in (*explained.inputs(), *explained.nodes()):
        own = replace(row, values=row.values[-cells:])
        name = html_text(str(row.name))
        numbers = "".join(f'<td class="number">{number}</td>' for number in own.in_words())
        title = html_text(f"{row.label}, {row.unit}" if row.unit else row.label)
        rows.append(f'<tr title="{title}"><td>{f"<b>{name}</b>" if own.differs else name}</td>{numbers}</tr>')
    return f'<table class="tumor-legend tumor-why">{head}{"".join(rows)}</table>'
