"""Populations: the laws from which virtual patients are drawn."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from tumor_abm._base.table import Table
from tumor_abm.knowledge.covariate_law import CovariateLaw
from tumor_abm.knowledge.quantity import (
    Hazard,
    NotNegative,
    Positive,
    Quantity,
    Share,
    Sources,
    bare_list,
    between,
    plain,
)
from tumor_abm.treatment import Eligibility, History, Line, Standard

_Sigma = Annotated[Quantity, AfterValidator(between(0, 10))]
_Inner = Annotated[Quantity, AfterValidator(between(1e-6, 1 - 1e-6))]


_OF_ADJUVANT = ("primary_volume_cm3", "residual_cells", "adjuvant_discontinuation_per_year")
GROWTH = "_growth"
"""What follows the name of a site in the key of its factor on net growth."""
UNSAID = "missing; the pathway reads what is drawn from it"
"""What is said of a law that a population leaves out although the pathway needs it."""


def _neutral(value: float) -> Quantity:
    return Quantity(value=value)


class LogNormal(Table):
    """A log-normal law, cut at both ends.

    Attributes
    ----------
    median
        Its median.
    sigma
        Standard deviation of the logarithm.
    low, high
        Where it is cut.
    """

    median: Positive
    sigma: _Sigma
    low: NotNegative
    high: Positive

    @model_validator(mode="after")
    def _ordered(self) -> LogNormal:
        if self.high.value < self.low.value:
            raise ValueError(f"high = {self.high.value:g} lies below low = {self.low.value:g}")
        return self


class LogitNormal(Table):
    """A law on (0, 1), normal on the logit scale.

    Attributes
    ----------
    median
        Its median.
    sigma
        Standard deviation of the logit.
    """

    median: _Inner
    sigma: _Sigma


class _Weights(Table):
    """Probabilities of 1, 2, ... with where they come from.

    Attributes
    ----------
    value
        The probabilities, in order.
    unit
        Empty.
    source
        Keys of sources, or ``"assumed"``.
    note
        How they follow from the sources, or why they are assumed.
    """

    bare_key: ClassVar[str | None] = "value"

    value: list[Annotated[float, Field(ge=0, le=1)]] = Field(min_length=1, max_length=5)
    unit: str = ""
    source: Sources = Field(default_factory=list)
    note: str = ""

    @model_validator(mode="after")
    def _not_all_zero(self) -> _Weights:
        if not sum(self.value) > 0:
            raise ValueError("at least one probability must be above 0")
        return self


Weights = Annotated[_Weights, BeforeValidator(bare_list)]


class PatientLaws(Table):
    """Laws of the patients.

    What belongs to some pathways, sites or pasts alone has a neutral default, and is asked for where it
    matters. Further keys are names of sites: the share of patients whose disease is there, and
    ``NAME_growth``, the factor on net growth there.

    Attributes
    ----------
    label
        Who they are, in words.
    net_growth_per_day
        Net growth of the untreated tumour.
    turnover
        Death rate over division rate of the untreated tumour; cut where cells would divide more
        often than 0.22 times a day.
    covariate
        Law of each covariate of the pathway.
    diagnosis_volume_cm3
        Tumour volume at diagnosis.
    lethal_volume_cm3
        Tumour volume at which the patient dies.
    target_lesions
        Probabilities of 1, 2, ... target lesions.
    target_share
        Share of the tumour volume that lies in target lesions.
    exposure_sigma
        Standard deviation of the logarithm of drug exposure.
    mutation_rate_sigma
        Standard deviation of the logarithm of a patient's multiplier of all mutation rates.
    shedding
        Genome equivalents shed into plasma per dying cell.
    seeding
        New lesions per visible lesion's worth of newly grown cells.
    neutrophils
        Neutrophils before treatment, 1e9 per litre.
    founder
        Alteration to the share of patients whose first tumour cell carries it.
    loss_to_follow_up_per_year
        Hazard of loss to follow-up.
    other_death_per_year
        Hazard of death from other causes.
    carrying_capacity_cm3
        Volume at which an untreated tumour no longer grows, because its cells compete: division is held
        back in proportion to living cells (logistic growth). Absent: cells do not compete. A tumour that is
        to reach its lethal volume needs a larger one.
    primary_volume_cm3
        Volume of the primary tumour that surgery removes, in histories with adjuvant therapy.
    residual_cells
        Tumour cells that surgery leaves behind there; each cell had the same chance to stay.
    adjuvant_discontinuation_per_year
        Rate at which patients stop taking their adjuvant therapy; the record has them on it.
    prior
        Lines that every patient has lived through before the arms begin; or ...
    history
        ... ways to have come to the trial, each with its share of the patients.
    eligibility
        What is asked of all patients on the day of enrolment.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Quantity]

    label: str = ""
    net_growth_per_day: LogNormal
    turnover: LogitNormal
    covariate: dict[str, CovariateLaw] = Field(default_factory=dict)
    diagnosis_volume_cm3: LogNormal
    lethal_volume_cm3: LogNormal
    target_lesions: Weights
    target_share: LogitNormal
    exposure_sigma: Annotated[Quantity, AfterValidator(between(0, 3))]
    mutation_rate_sigma: Annotated[Quantity, AfterValidator(between(0, 5))]
    shedding: LogNormal
    seeding: LogNormal
    neutrophils: LogNormal
    founder: dict[str, Share] = Field(default_factory=dict)
    loss_to_follow_up_per_year: Hazard
    other_death_per_year: Hazard
    carrying_capacity_cm3: Annotated[Quantity, AfterValidator(between(1e-6, 1e9))] | None = None
    primary_volume_cm3: Annotated[Quantity, AfterValidator(between(1e-6, 1e5))] = _neutral(1.0)
    residual_cells: LogNormal = Field(
        default_factory=lambda: LogNormal(
            median=_neutral(1.0), sigma=_neutral(0.0), low=_neutral(1.0), high=_neutral(1.0)
        )
    )
    adjuvant_discontinuation_per_year: Hazard = _neutral(0.0)
    prior: list[Line] = Field(default_factory=list)
    history: list[History] = Field(default_factory=list)
    eligibility: Eligibility = Field(default_factory=Eligibility)

    @model_validator(mode="after")
    def _one_past(self) -> PatientLaws:
        if self.prior and self.history:
            raise ValueError("name either prior or history")
        names = [history.name for history in self.history]
        twice = [name for i, name in enumerate(names) if name in names[:i]]
        if twice:
            raise ValueError(f'history "{twice[0]}" is named twice')
        unknown = [name for name in self.eligibility.history if name not in names]
        if unknown:
            raise ValueError(f'eligibility: no history is called "{unknown[0]}"')
        if any(history.adjuvant is not None for history in self.history):
            missing = [key for key in _OF_ADJUVANT if key not in self.model_fields_set]
            if missing:
                raise ValueError(f"a history with adjuvant therapy needs {' and '.join(missing)}")
        return self

    @property
    def of_sites(self) -> Mapping[str, Quantity]:
        """What is said of sites, by key."""
        return self.model_extra or {}

    def share_at(self, site: str) -> float:
        """Return the share of patients with disease at a site, of those with disease at none before it."""
        found = self.of_sites.get(site)
        return 0.0 if found is None else found.value

    def growth_at(self, site: str) -> float:
        """Return the factor on net growth at a site."""
        found = self.of_sites.get(f"{site}{GROWTH}")
        return 1.0 if found is None else found.value

    def unsaid(self, covariates: Collection[str]) -> list[str]:
        """Covariates of a pathway that no law is given for."""
        return [name for name in covariates if name not in self.covariate]

    @property
    def pasts(self) -> list[tuple[tuple[str | int, ...], list[Line]]]:
        """Therapy before enrolment, history by history, each with its place."""
        if not self.history:
            return [(("prior",), self.prior)]
        found: list[tuple[tuple[str | int, ...], list[Line]]] = []
        for h, history in enumerate(self.history):
            found.append((("history", h, "prior"), history.prior))
            if history.adjuvant is not None:
                found.append((("history", h, "adjuvant"), [history.adjuvant.line]))
        return found

    def eligibilities(self) -> Iterator[tuple[tuple[str | int, ...], Eligibility]]:
        """Everything that is asked of patients, with its place."""
        yield ("eligibility",), self.eligibility
        for h, history in enumerate(self.history):
            yield ("history", h, "eligibility"), history.eligibility

    @property
    def median_cells(self) -> dict[str, float]:
        """What a pathway can read of the patient who has the median of everything."""
        net, turnover = self.net_growth_per_day.median.value, self.turnover.median.value
        division = net / (1 - turnover)
        return {
            "division": division,
            "death": division - net,
            **{name: law.middle for name, law in self.covariate.items()},
        }

    def to_core(
        self,
        name: str,
        *,
        covariates: Collection[str],
        measurable: Mapping[str, bool],
        alterations: Collection[str],
        drugs: Mapping[str, Standard],
    ) -> dict[str, Any]:
        """Return the laws as the core reads them.

        Parameters
        ----------
        name
            Of the population.
        covariates
            What the pathway reads beside division and death, in its order.
        measurable
            Whether lesions at each site can be measured, in the order in which sites are drawn.
        alterations
            Those in play; founders carry no others.
        drugs
            By name.
        """
        laws = {
            key: plain(getattr(self, key))
            for key in type(self).model_fields
            if key
            not in ("label", "covariate", "target_lesions", "founder", "prior", "history", "eligibility")
        }
        return {
            "name": name,
            **laws,
            "covariates": [self.covariate[covariate].to_core(covariate) for covariate in covariates],
            "sites": [
                {
                    "name": site,
                    "share": self.share_at(site),
                    "growth": self.growth_at(site),
                    "measurable": is_measured,
                }
                for site, is_measured in measurable.items()
            ],
            "target_lesions": self.target_lesions.value,
            "founder": [
                {"alteration": alteration, "probability": share.value}
                for alteration, share in self.founder.items()
                if alteration in alterations
            ],
            "prior": [line.to_core(drugs) for line in self.prior],
            "history": [history.to_core(drugs) for history in self.history],
            "eligibility": self.eligibility.to_core(),
        }
