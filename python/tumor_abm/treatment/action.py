"""What a rule does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from tumor_abm._base.table import Table
from tumor_abm.treatment.condition import Condition
from tumor_abm.treatment.dosing import Dosing, Standard


class TreatmentChange(Table):
    """One change of treatment.

    Attributes
    ----------
    replace
        Replace this drug of the regimen ...
    with
        ... by this one.
    add
        Add a drug.
    stop
        Stop a drug.
    next_line
        Go to the next line.
    """

    replace: str | None = None
    with_: Dosing | None = Field(default=None, alias="with")
    add: Dosing | None = None
    stop: str | None = None
    next_line: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> TreatmentChange:
        given = {"replace": self.replace, "add": self.add, "stop": self.stop, "next_line": self.next_line}
        kinds = [kind for kind, value in given.items() if value is not None]
        if len(kinds) != 1:
            raise ValueError(
                f"found {' and '.join(kinds) or 'no action'}; name exactly one of {', '.join(given)}"
            )
        if (self.replace is None) != (self.with_ is None):
            raise ValueError('replace and with belong together: { replace = "ONE", with = "ANOTHER" }')
        return self

    def in_words(self) -> str:
        """Say what is done.

        Examples
        --------
        >>> TreatmentChange.model_validate({"replace": "letrozole", "with": "fulvestrant"}).in_words()
        'replace letrozole by fulvestrant'
        """
        if self.replace is not None and self.with_ is not None:
            return f"replace {self.replace} by {self.with_.in_words()}"
        if self.add is not None:
            return f"add {self.add.in_words()}"
        return "go to the next line" if self.stop is None else f"stop {self.stop}"

    def to_core(self, drugs: Mapping[str, Standard]) -> dict[str, Any]:
        """Return the action as the core reads it."""
        if self.replace is not None and self.with_ is not None:
            return {"kind": "replace", "drug": self.replace, "with": self.with_.to_core(drugs)}
        if self.add is not None:
            return {"kind": "add", "with": self.add.to_core(drugs)}
        if self.stop is not None:
            return {"kind": "stop", "drug": self.stop}
        return {"kind": "next_line"}


class Rule(Table):
    """Something to do when something holds.

    Attributes
    ----------
    when
        Condition, looked at on every scan and liquid biopsy before progression.
    then
        What is done, at most once in a line.
    """

    when: Condition
    then: TreatmentChange

    def in_words(self) -> str:
        """Say when something is done, and what."""
        return f"when {self.when.in_words()}: {self.then.in_words()}"

    def to_core(self, drugs: Mapping[str, Standard]) -> dict[str, Any]:
        """Return the rule as the core reads it."""
        return {"when": self.when.to_core(), "then": self.then.to_core(drugs)}
