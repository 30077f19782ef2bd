"""Lines of therapy, and who is given them, in words, from an experiment as it was run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tumor_abm.strategy import Line

Words = Mapping[str, Any]


def line_in_words(line: Mapping[str, Any]) -> list[str]:
    """Say what a line gives, until when, and which rules it has: one clause each."""
    return Line.model_validate(line).in_words()


def eligibility_in_words(asked: Words) -> str:
    """Say what is asked of patients; empty if nothing is.

    Examples
    --------
    >>> eligibility_in_words({"visceral": True, "altered": ["PIK3CA", "ESR1"]})
    'with visceral disease, and with PIK3CA and ESR1 altered'
    """
    return ", and ".join(_asked(asked))


def _asked(asked: Words) -> Iterator[str]:
    flags = {
        "visceral": ("with visceral disease", "without visceral disease"),
        "measurable": ("with measurable disease", "with bone-only disease"),
        "premenopausal": ("before menopause", "after menopause"),
        "endocrine_sensitive": ("sensitive to endocrine therapy", "not sensitive to endocrine therapy"),
    }
    for key, (holds, fails) in flags.items():
        if asked.get(key) is not None:
            yield holds if asked[key] else fails
    lists = {
        "altered": ("with {} altered", " and "),
        "altered_any": ("with {} altered", " or "),
        "not_altered": ("without {} altered", " or "),
        "detected": ("with {} seen in ctDNA", " and "),
        "not_detected": ("without {} seen in ctDNA", " or "),
        "taken": ("who have taken {}", " or "),
        "not_taken": ("who have not taken {}", " or "),
        "history": ("who come as: {}", " or "),
        "prior_ended": ("whose last line ended by {}", " or "),
        "endocrine_resistance": ("whose endocrine resistance is {}", " or "),
    }
    for key, (words, joint) in lists.items():
        if asked.get(key):
            yield words.format(joint.join(asked[key]))
    if asked.get("exposure"):
        exposure = asked["exposure"]
        drugs = " or ".join(exposure["drugs"])
        yield f"with {_between(exposure, 'months_at_least', 'months_below')} on {drugs}"
    if any(asked.get(key) is not None for key in ("prior_months_at_least", "prior_months_below")):
        yield f"with {_between(asked, 'prior_months_at_least', 'prior_months_below')} on the last line"


def _between(asked: Words, at_least: str, below: str) -> str:
    bounds = {"at least": asked.get(at_least), "less than": asked.get(below)}
    return (
        " and ".join(f"{words} {bound:g}" for words, bound in bounds.items() if bound is not None) + " months"
    )
