"""A number with its unit, its plausible range and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from tumor_abm._base.table import Table

# The source of a number that nobody has measured; its note says why it was chosen.
ASSUMED = "assumed"


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def bare_list(value: Any) -> Any:
    """Accept a bare list in the place of a table with it as ``value``."""
    return {"value": value} if isinstance(value, list) else value


Sources = Annotated[list[str], BeforeValidator(_listed, json_schema_input_type=str | list[str])]


class Quantity(Table):
    """A number from the literature, or an assumption that says so.

    A bare number may be written instead of the table.

    Attributes
    ----------
    value
        The number used.
    low, high
        Range within which the value is plausible; calibration stays inside it.
    unit
        Unit, empty for pure numbers.
    source
        Keys of sources, or ``"assumed"``.
    note
        How the value follows from the sources, or why it is assumed.
    """

    bare_key: ClassVar[str | None] = "value"

    value: float
    low: float | None = None
    high: float | None = None
    unit: str = ""
    source: Sources = Field(default_factory=list)
    note: str = ""

    @model_validator(mode="before")
    @classmethod
    def _bare_number(cls, value: Any) -> Any:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return {"value": value} if is_number else value

    @model_validator(mode="after")
    def _value_in_range(self) -> Quantity:
        low = self.value if self.low is None else self.low
        high = self.value if self.high is None else self.high
        if not low <= self.value <= high:
            raise ValueError(f"value {self.value:g} lies outside its range, {low:g} to {high:g}")
        if ASSUMED in self.source and not self.note:
            raise ValueError("an assumed value needs a note that says why")
        return self


@dataclass(frozen=True)
class Between:
    """A check that a quantity and its range lie between two bounds."""

    low: float
    high: float
    above: bool = False

    def __call__(self, quantity: Quantity) -> Quantity:
        """Return the quantity, if it does."""
        low, high = self.low, self.high
        for value in (quantity.value, quantity.low, quantity.high):
            if value is not None and not (low <= value <= high and not (self.above and value == low)):
                words = f"above {low:g} and at most {high:g}" if self.above else f"from {low:g} to {high:g}"
                raise ValueError(f"found {value:g}; allowed: {words}")
        return quantity


def between(low: float, high: float, *, above: bool = False) -> Between:
    """Return a check that a quantity and its range lie between two bounds."""
    return Between(low, high, above)


Share = Annotated[Quantity, AfterValidator(between(0, 1))]
Hazard = Annotated[Quantity, AfterValidator(between(0, 100))]
Positive = Annotated[Quantity, AfterValidator(between(0, 1e12, above=True))]
Concentration = Annotated[Quantity, AfterValidator(between(1e-12, 1e12))]
NotNegative = Annotated[Quantity, AfterValidator(between(0, 1e12))]
Hours = Annotated[Quantity, AfterValidator(between(0, 1e5))]
Interval = Annotated[Quantity, AfterValidator(between(1e-3, 1e5))]
Slope = Annotated[Quantity, AfterValidator(between(0.1, 20))]
Copies = Annotated[Quantity, AfterValidator(between(1, 1000))]
Cost = Annotated[Quantity, AfterValidator(between(-1, 1))]


def plain(value: Any) -> Any:
    """Return tables with every quantity as its bare number, without what is not set.

    Examples
    --------
    >>> plain(Quantity(value=2.0, unit="h", source=["K1"]))
    2.0
    """
    if isinstance(value, Quantity):
        return value.value
    if isinstance(value, Table):
        return {key: plain(inner) for key, inner in entries(value).items() if inner is not None}
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


def entries(table: Table) -> dict[str, Any]:
    """Return what a table holds, by the keys that a user may write."""
    fields = type(table).model_fields
    own = {field.alias or name: getattr(table, name) for name, field in fields.items()}
    return own | (table.model_extra or {})


def tables(value: Any, where: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Table]]:
    """Every table within `value`, itself included, with its path of keys."""
    if isinstance(value, Table):
        yield where, value
        for key, inner in entries(value).items():
            yield from tables(inner, (*where, key))
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from tables(inner, (*where, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from tables(inner, (*where, i))


def quantities(value: Any) -> Iterator[tuple[tuple[str | int, ...], Quantity]]:
    """Every quantity within `value`, with its path of keys."""
    for where, table in tables(value):
        if isinstance(table, Quantity):
            yield where, table


def citations(value: Any) -> Iterator[tuple[tuple[str | int, ...], list[str]]]:
    """Every list of keys of sources within `value`, with the path of the table that cites them."""
    for where, table in tables(value):
        keys = getattr(table, "source", None)
        if isinstance(keys, list):
            yield where, keys
