"""Lines of therapy, and who is given them, in words, from an experiment as it was run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Words = Mapping[str, Any]


def line_in_words(line: Words) -> list[str]:
    """Say what a line gives, until when, and which rules it has: one clause each.

    Examples
    --------
    >>> line_in_words({"regimen": [{"drug": "palbociclib"}, {"drug": "letrozole", "dose": 0.5}]})
    ['palbociclib + letrozole (0.5 × standard dose)', 'until progression']
    """
    return [
        _choice(line),
        f"until {_until(line.get('until', {}))}",
        *_pauses(line),
        *(f"when {_condition(rule['when'])}: {_action(rule['then'])}" for rule in line.get("rule", [])),
    ]


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


def _choice(line: Words) -> str:
    if "choose" not in line:
        return _regimen(line["regimen"])
    return "; else ".join(_option(option) for option in line["choose"])


def _option(option: Words) -> str:
    drawn = f" (drawn with weight {option['share']:g})" if "share" in option else ""
    condition = f" if {_condition(option['if'])}" if "if" in option else ""
    return f"{_regimen(option['regimen'])}{condition}{drawn}"


def _regimen(regimen: list[Any]) -> str:
    return " + ".join(_dosing(dosing) for dosing in regimen)


def _dosing(dosing: Any) -> str:
    if isinstance(dosing, str):
        return dosing
    changes = ", ".join(_changes(dosing))
    return f"{dosing['drug']} ({changes})" if changes else str(dosing["drug"])


def _changes(dosing: Words) -> Iterator[str]:
    if dosing.get("dose", 1) != 1:
        yield f"{dosing['dose']:g} × standard dose"
    for key, unit in (("dose_mg", "mg"), ("dose_mg_m2", "mg/m²")):
        if key in dosing:
            yield f"{dosing[key]:g} {unit}"
    if "doses_per_day" in dosing:
        yield f"{dosing['doses_per_day']} times a day"
    if "days" in dosing or "cycle_days" in dosing:
        days = f"days {_days(dosing['days'])}" if "days" in dosing else "usual days"
        yield f"{days} of {dosing['cycle_days']}" if "cycle_days" in dosing else days


def _days(days: Any) -> str:
    return days if isinstance(days, str) else ", ".join(map(str, days))


def _until(until: Words) -> str:
    reasons = ["progression"] if until.get("progression", True) else []
    if "months" in until:
        reasons.append(f"{until['months']:g} months")
    if "cycles" in until:
        reasons.append(f"{until['cycles']} cycles")
    if until.get("toxicity"):
        reasons.append("toxicity")
    if "response" in until:
        reasons.append(f"the sum of diameters has changed by {_percent(until['response'])}")
    return " or ".join(reasons) or "death"


def _pauses(line: Words) -> Iterator[str]:
    if "holiday" in line:
        holiday = line["holiday"]
        drugs = " + ".join(holiday.get("drugs", [])) or "all drugs"
        yield f"{drugs} {holiday['on_weeks']:g} weeks on, {holiday['off_weeks']:g} weeks off"
    if "adaptive" in line:
        adaptive = line["adaptive"]
        drugs = " + ".join(adaptive.get("drugs", [])) or "all drugs"
        stop, resume = _percent(adaptive["stop_at"]), _percent(adaptive["resume_at"])
        yield f"{drugs} stopped at {stop} of the sum of diameters, resumed at {resume}"


def _condition(condition: Words) -> str:
    if "all" in condition:
        return " and ".join(_condition(each) for each in condition["all"])
    if "not" in condition:
        return f"not ({_condition(condition['not'])})"
    return " and ".join(_simple_conditions(condition))


def _simple_conditions(condition: Words) -> Iterator[str]:
    above = condition.get("above")
    if "ctdna" in condition:
        yield f"{condition['ctdna']} is seen in ctDNA" + (f" at {100 * above:g}% or more" if above else "")
    if "tissue" in condition:
        yield f"{condition['tissue']} is in {100 * (above or 0.05):g}% or more of the cells"
    if "months" in condition:
        yield f"{condition['months']:g} months have passed"
    if "sld_change" in condition:
        yield _sld_change(condition["sld_change"])
    if "prior_months_below" in condition:
        yield f"the line before lasted less than {condition['prior_months_below']:g} months"
    if "taken" in condition:
        yield f"{condition['taken']} was taken before"
    if "premenopausal" in condition:
        yield (
            "the patient is before menopause"
            if condition["premenopausal"]
            else "the patient is after menopause"
        )
    if "visceral" in condition:
        yield "there is visceral disease" if condition["visceral"] else "there is no visceral disease"


def _sld_change(change: Words) -> str:
    bounds = {"above": "or more", "below": "or less"}
    parts = [f"{_percent(change[key])} {words}" for key, words in bounds.items() if key in change]
    return "the sum of diameters has changed by " + " and ".join(parts)


def _action(action: Words) -> str:
    if "replace" in action:
        return f"replace {action['replace']} by {_dosing(action['with'])}"
    if "add" in action:
        return f"add {_dosing(action['add'])}"
    if "stop" in action:
        return f"stop {action['stop']}"
    return "go to the next line"


def _percent(change: float) -> str:
    return f"{100 * change:+.0f}%".replace("-", "−").replace("+0%", "0%")
