"""The law from which something that the pathway reads of the patient is drawn."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, model_validator

from tumor_abm._base.table import Table
from tumor_abm.knowledge.quantity import NotNegative, Positive, Quantity, Share, between, plain

_NEEDED = {
    "log_normal": ("median", "sigma", "low", "high"),
    "logit_normal": ("median", "sigma"),
    "share": ("share",),
}


class CovariateLaw(Table):
    """How a number that the pathway reads is drawn for each patient.

    Attributes
    ----------
    kind
        ``log_normal``, cut at ``low`` and ``high``; ``logit_normal``, between 0 and 1; or ``share``: 1 in a
        share of the patients and 0 in the others.
    median
        Its median.
    sigma
        Standard deviation of the logarithm, or of the logit.
    low, high
        Where a log-normal law is cut.
    share
        Share of the patients.
    correlated_with
        With what it is correlated: ``net_growth_per_day``, or a covariate that the pathway lists before it.
    correlation
        How much, on the scale on which the laws are normal.
    """

    kind: Literal["log_normal", "logit_normal", "share"]
    median: Positive | None = None
    sigma: Annotated[Quantity, AfterValidator(between(0, 10))] | None = None
    low: NotNegative | None = None
    high: Positive | None = None
    share: Share | None = None
    correlated_with: str | None = None
    correlation: Annotated[Quantity, AfterValidator(between(-1, 1))] | None = None

    @model_validator(mode="after")
    def _whole(self) -> CovariateLaw:
        needed = _NEEDED[self.kind]
        for key in ("median", "sigma", "low", "high", "share"):
            if (getattr(self, key) is not None) != (key in needed):
                said = "missing" if key in needed else "found one"
                raise ValueError(f'{key}: {said}; kind = "{self.kind}" has {" and ".join(needed)}')
        if (self.correlated_with is None) != (self.correlation is None):
            raise ValueError("correlated_with and correlation: name both, or neither")
        if self.kind == "logit_normal" and self.median is not None:
            between(1e-6, 1 - 1e-6)(self.median)
        if self.low is not None and self.high is not None and self.high.value < self.low.value:
            raise ValueError(f"high = {self.high.value:g} lies below low = {self.low.value:g}")
        return self

    @property
    def is_flag(self) -> bool:
        """Whether a patient has it or not."""
        return self.kind == "share"

    @property
    def middle(self) -> float:
        """The median."""
        if self.median is not None:
            return self.median.value
        return float(self.share is not None and self.share.value > 0.5)

    def to_core(self, name: str) -> dict[str, Any]:
        """Return it as the core reads it."""
        law = {key: plain(getattr(self, key)) for key in _NEEDED[self.kind]}
        return {
            "name": name,
            "law": {"kind": self.kind, **law},
            "correlated_with": self.correlated_with,
            "correlation": 0.0 if self.correlation is None else self.correlation.value,
        }
