"""Who the patient is: controls that count from the next reset on."""

from __future__ import annotations

import solara

from tumor_abm.app.session import Session
from tumor_abm.app.setup import ENGINES, INDIVIDUALS
from tumor_abm.app.text_field import TextField
from tumor_abm.app.toolbar import Slider

MOST_PATIENT = 999

_RATES = (0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)
_COVARIATES = {
    "net_growth_per_day": ("Net growth, %/day", 0.2, 3.0, 100.0),
    "turnover": ("Turnover, deaths per division", 0.3, 0.95, 1.0),
    "er_dependence": ("Dependence on ER, share", 0.05, 0.99, 1.0),
}


@solara.component
def PatientPanel(session: Session) -> None:
    """Choose population, number, seed, engine, founder, mutation rates and covariates."""
    setup = session.setup.value
    catalogue = session.catalogue
    solara.Select(
        "Population",
        values=catalogue.populations,
        value=setup.population,
        on_value=lambda name: session.choose(population=name),
        dense=True,
    )
    Slider(
        f"Patient number {setup.patient}",
        setup.patient,
        (0, MOST_PATIENT),
        lambda number: session.choose(patient=number),
        width="100%",
    )
    TextField(label="Seed", initial=setup.seed, event_put=lambda text: session.choose(seed=text))
    solara.Select(
        "Engine",
        values=list(ENGINES.values()),
        value=ENGINES[setup.engine],
        on_value=lambda words: session.choose(engine=_key(words)),
        dense=True,
    )
    if setup.engine != "clones":
        solara.Select(
            "Cells in a tumour of lethal size",
            values=list(INDIVIDUALS),
            value=setup.cells,
            on_value=lambda cells: session.choose(cells=cells),
            dense=True,
        )
    drawn = setup.founder is None
    solara.Checkbox(
        label="Draw the founder's alterations",
        value=drawn,
        on_value=lambda draw: session.choose(founder=None if draw else ()),
    )
    if not drawn:
        solara.SelectMultiple(
            "Alterations of the first cell",
            all_values=catalogue.alterations,
            values=list(setup.founder or ()),
            on_value=lambda names: session.choose(founder=tuple(names)),
            dense=True,
        )
    Slider(
        f"Mutation rates × {setup.mutation_rate:g}",
        _RATES.index(setup.mutation_rate),
        (0, len(_RATES) - 1),
        lambda place: session.choose(mutation_rate=_RATES[place]),
        width="100%",
    )
    for key, (label, low, high, factor) in _COVARIATES.items():
        _Covariate(session, key, label, low, high, factor)
    solara.Text("What is chosen here counts from the next Reset on.", classes=["tumor-note"])


@solara.component
def _Covariate(session: Session, key: str, label: str, low: float, high: float, factor: float) -> None:
    """One value of the patient: drawn, unless it is set."""
    chosen = session.setup.value.covariates
    given = key in chosen
    value = chosen[key] * factor if given else round((low + high) / 2, 2)

    def put(new: float | None) -> None:
        others = {name: kept for name, kept in chosen.items() if name != key}
        session.choose(covariates=others if new is None else {**others, key: new / factor})

    solara.Checkbox(
        label=f"{label}: {value:.2f}" if given else f"{label}: drawn",
        value=given,
        on_value=lambda on: put(value if on else None),
    )
    if given:
        solara.SliderFloat("", value=value, min=low, max=high, step=0.01, on_value=put, thumb_label=False)


def _key(words: str) -> str:
    return next(key for key, said in ENGINES.items() if said == words)
