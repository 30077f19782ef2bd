"""Who the patient is: controls that count from the next reset on."""

from __future__ import annotations

from collections.abc import Sequence

import solara

from tumor_abm.app.boundary import part
from tumor_abm.app.covariate import MOST_LESIONS, Covariate, flags, main_covariates, more_covariates
from tumor_abm.app.number_slider import NumberSlider
from tumor_abm.app.only import use_only
from tumor_abm.app.picture import Picture
from tumor_abm.app.session import Session
from tumor_abm.app.setup import ENGINES, INDIVIDUALS, RATES
from tumor_abm.app.text_field import TextField
from tumor_abm.knowledge.pathway import Pathway
from tumor_abm.knowledge.patient_laws import PatientLaws

MOST_PATIENT = 999

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
    NumberSlider(
        label="Patient number",
        hint="Any whole number: the population has as many patients as one likes.",
        places=list(range(MOST_PATIENT + 1)),
        value=setup.patient,
        any_above=True,
        whole=True,
        event_put=lambda number: session.choose(patient=int(number)),
    )
    TextField(label="Seed", initial=setup.seed, event_put=lambda text: session.choose(seed=text))
    _Engine(session)
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
    NumberSlider(
        label="Mutation rates, fold",
        hint=f"A factor on all mutation probabilities, from {RATES[0]:g} to {RATES[-1]:g}.",
        places=list(RATES),
        value=setup.mutation_rate,
        event_put=lambda fold: session.choose(mutation_rate=fold),
    )
    population = catalogue.population(setup.population)
    pathway = catalogue.experiment.knowledge.pathway
    for covariate in main_covariates(population, pathway):
        _Value(session, covariate)
    _More(session, population, pathway)
    solara.Text("What is chosen here counts from the next Reset on.", classes=["tumor-note"])


@part("The choice of the engine")
def _Engine(session: Session) -> None:
    """Choose how cells are held; what is left of the tumour depends on it."""
    setup = session.setup.value
    solara.Select(
        "Engine",
        values=list(ENGINES.values()),
        value=ENGINES[setup.engine],
        on_value=lambda words: session.choose(engine=_key(words)),
        dense=True,
    )
    if setup.engine != "clones":
        solara.Text(
            "An individual stands for many cells. Types of which few individuals are left are counted cell "
            "by cell, so what a treatment leaves is much the same on every engine; on a lattice, where what "
            "is left has room, somewhat more.",
            classes=["tumor-note"],
        )
        solara.Select(
            "Cells in a tumour of lethal size",
            values=list(INDIVIDUALS),
            value=setup.cells,
            on_value=lambda cells: session.choose(cells=cells),
            dense=True,
        )


@part("The panel of the patient")
def _More(session: Session, population: PatientLaws, pathway: Pathway) -> None:
    """Show what is seldom set, if asked for."""
    opened, set_opened = solara.use_state(False)
    chosen = session.setup.value.covariates
    others, yes_or_no = (
        more_covariates(population, pathway),
        flags(population, session.catalogue.experiment.knowledge),
    )
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
    drawn = use_only(session.pictures, lambda pictures: _drawn(session, pictures, covariate.key))
    label = f"{covariate.label}: {covariate.words(chosen, drawn)}"
    with solara.v.Html(tag="div", attributes={"title": covariate.hint()}):
        solara.Checkbox(
            label=label,
            value=chosen is not None,
            on_value=lambda on: _put(
                session, covariate.key, covariate.values[len(covariate.values) // 2] if on else None
            ),
        )
    if chosen is not None:
        NumberSlider(
            label=f"{covariate.label}, {covariate.unit}".rstrip(", "),
            hint=covariate.hint(),
            places=covariate.places,
            value=float(f"{chosen * covariate.fold:.3g}"),
            event_put=lambda number: _put(session, covariate.key, covariate.of_place(number)),
        )


def _drawn(session: Session, pictures: Sequence[Picture], key: str) -> float | None:
    """Return what was drawn of the patient that is shown, if it is the one that is chosen."""
    begun, setup = session.begun, session.setup.value
    if begun is None or not pictures or key in begun.covariates:
        return None
    same = (begun.patient, begun.seed, begun.population) == (setup.patient, setup.seed, setup.population)
    value = pictures[0].facts["covariates"].get(key)
    return float(value) if same and isinstance(value, int | float) else None


def _key(words: str) -> str:
    return next(key for key, said in ENGINES.items() if said == words)
