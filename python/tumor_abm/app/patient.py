"""Who the patient is: controls that count from the next reset on."""

from __future__ import annotations

import solara

from tumor_abm.app.boundary import part
from tumor_abm.app.covariate import MOST_LESIONS, Covariate, flags, main_covariates, more_covariates
from tumor_abm.app.session import Session
from tumor_abm.app.setup import ENGINES, INDIVIDUALS
from tumor_abm.app.text_field import TextField
from tumor_abm.app.toolbar import Slider
from tumor_abm.knowledge.pathway import Pathway
from tumor_abm.knowledge.patient_laws import PatientLaws

MOST_PATIENT = 999

_RATES = (0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)
_DRAWN, _YES, _NO = "as drawn", "yes", "no"


@part("The panel of the patient")
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
    population = catalogue.population(setup.population)
    pathway = catalogue.experiment.knowledge.pathway
    for covariate in main_covariates(population, pathway):
        _Value(session, covariate)
    _More(session, population, pathway)
    solara.Text("What is chosen here counts from the next Reset on.", classes=["tumor-note"])


@part("The panel of the patient")
def _More(session: Session, population: PatientLaws, pathway: Pathway) -> None:
    """Show what is seldom set, if asked for."""
    opened, set_opened = solara.use_state(False)
    chosen = session.setup.value.covariates
    others, yes_or_no = more_covariates(population, pathway), flags(population, pathway)
    rare = {*(other.key for other in others), *yes_or_no, "target_lesions"} & chosen.keys()
    set_already = f" ({len(rare)} set)" if rare else ""
    solara.Button(
        "Less about the patient" if opened else f"More about the patient{set_already}",
        icon_name="mdi-chevron-up" if opened else "mdi-chevron-down",
        text=True,
        small=True,
        on_click=lambda: set_opened(not opened),
    )
    if not opened:
        return
    for key, label in yes_or_no.items():
        _Choice(session, key, label, {_YES: True, _NO: False})
    _Choice(session, "target_lesions", "Target lesions", {str(n): n for n in range(1, MOST_LESIONS + 1)})
    for covariate in others:
        _Value(session, covariate)


def _put(session: Session, key: str, value: float | bool | None) -> None:
    """Set a value of the patient, or have it drawn."""
    others = {name: kept for name, kept in session.setup.value.covariates.items() if name != key}
    session.choose(covariates=others if value is None else {**others, key: value})


@part("The choice {label}")
def _Choice(session: Session, key: str, label: str, choices: dict[str, bool] | dict[str, int]) -> None:
    """Show one of a few values of the patient: drawn, unless it is set."""
    chosen = session.setup.value.covariates.get(key)
    solara.Select(
        label,
        values=[_DRAWN, *choices],
        value=next((words for words, value in choices.items() if value == chosen), _DRAWN),
        on_value=lambda words: _put(session, key, choices.get(words)),
        dense=True,
    )


@part("The choice {covariate.label}")
def _Value(session: Session, covariate: Covariate) -> None:
    """Show a number of the patient: drawn, unless it is set."""
    chosen = session.setup.value.covariates.get(covariate.key)
    values = covariate.values
    solara.Checkbox(
        label=f"{covariate.label}: {covariate.words(chosen)}",
        value=chosen is not None,
        on_value=lambda on: _put(session, covariate.key, values[len(values) // 2] if on else None),
    )
    if chosen is not None:
        Slider(
            "",
            covariate.place(chosen),
            (0, len(values) - 1),
            lambda place: _put(session, covariate.key, values[place]),
            width="100%",
        )


def _key(words: str) -> str:
    return next(key for key, said in ENGINES.items() if said == words)
