"""Write `docs/review.md`: what stands for each claim of the review, and what is asked of it.

``python -m tools.review docs/review.md`` writes the page from `review.toml` and the answers that are kept;
``python -m tools.review --answers results/review`` keeps the answers of the runs that it finds there.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tumor_abm import trials
from tumor_abm._base.files import write_whole
from tumor_abm._base.sinks import markdown_text
from tumor_abm._base.toml import read_toml
from tumor_abm.analysis.comparison import compare
from tumor_abm.analysis.estimates_in_words import median_text
from tumor_abm.knowledge import Knowledge
from tumor_abm.run.results import PROVENANCE, Results

from tools.markdown import limits, paragraph, table

FOLDER = Path(__file__).parent
EXPERIMENTS = FOLDER.parent / "experiments"
SMALL = "review/"
TRIAL = "trials/"
_ANSWERS = FOLDER / "review_answers.json"

Claim = Mapping[str, Any]
Answer = Mapping[str, Any]


def sections() -> Sequence[Mapping[str, Any]]:
    """Return the sections of the review, each with its claims."""
    found: Sequence[Mapping[str, Any]] = tomllib.loads((FOLDER / "review.toml").read_text(encoding="utf-8"))[
        "section"
    ]
    return found


def claims() -> list[Claim]:
    """Return all claims."""
    return [claim for section in sections() for claim in section["claim"]]


def answers() -> Mapping[str, Answer]:
    """Return the answers that are kept, by experiment."""
    if not _ANSWERS.exists():
        return {}
    kept: Mapping[str, Answer] = json.loads(_ANSWERS.read_text(encoding="utf-8"))
    return kept


def state(entry: str, known: Knowledge) -> str:
    """Return what an entry is and whether it acts by default.

    Raises
    ------
    KeyError
        Nothing has this name.
    """
    if entry in known.alterations:
        return "core set" if known.alterations[entry].core else "off by default"
    if entry in known.drugs:
        return "drug"
    if entry in known.pathway.nodes:
        return "node"
    value = known.pathway.values[entry].value
    return "constant" if value else "constant, 0: off by default"


def asked_in(experiment: str) -> Path:
    """Return the file of an experiment, or of a trial of the package."""
    if experiment.startswith(TRIAL):
        return Path(str(trials.files()[experiment.removeprefix(TRIAL)]))
    return EXPERIMENTS / f"{experiment}.toml"


def review() -> str:
    """Return the page."""
    known = Knowledge.shipped()
    kept = answers()
    parts = []
    for section in sections():
        parts.append(f"## {section['number']} {section['title']}\n")
        parts += ["\n".join(_told(claim, known, kept)) + "\n" for claim in section["claim"]]
    filled = {
        "patients": str(max((answer["patients"] for answer in kept.values()), default=100)),
        "counts": paragraph(_counts(known)),
        "claims": "\n".join(parts),
        "answers": "\n".join(_answered(kept)),
    }
    template = (FOLDER / "review.md.in").read_text(encoding="utf-8")
    return re.sub(r"\{\{ (\w+) \}\}", lambda place: filled[place[1]], template)


def _counts(known: Knowledge) -> str:
    entries = {entry for claim in claims() for entry in claim["entries"]}
    states = [state(entry, known) for entry in sorted(entries)]
    off = sum("off" in words for words in states)
    unanswered = [name for name in _small() if name not in answers()]
    waiting = f" {len(unanswered)} of the small experiments have no answer yet." if unanswered else ""
    return (
        f"{len(claims())} claims, {len(entries)} entries: {states.count('core set')} alterations of the"
        f" core set, {states.count('drug')} drugs, {off} that are off by default.{waiting}"
    )


def _told(claim: Claim, known: Knowledge, kept: Mapping[str, Answer]) -> Iterator[str]:
    yield paragraph(f"**{claim['claim']}.**") + "\n"
    entries = ", ".join(f"`{entry}` ({state(entry, known)})" for entry in claim["entries"])
    yield paragraph(f"*Here:* {entries or claim['none']}.", "* ", "  ")
    asked = [_asked(name, kept) for name in claim.get("experiments", ())]
    yield paragraph(f"*Asked by:* {'; '.join(asked) or 'no experiment of its own'}.", "* ", "  ")
    yield paragraph(f"*For:* {claim['for']}.", "* ", "  ")
    yield paragraph(f"*Against:* {claim['against']}.", "* ", "  ")


def _asked(experiment: str, kept: Mapping[str, Answer]) -> str:
    if experiment.startswith(TRIAL):
        return f"`{experiment}` (predicted in [evidence](evidence.md))"
    if not experiment.startswith(SMALL):
        return f"`{experiment}` (answer in [experiments](experiments.md))"
    told = "answer below" if experiment in kept else "no answer yet"
    return f"`{experiment}` ({told})"


def _small() -> list[str]:
    return sorted(f"{SMALL}{file.stem}" for file in (EXPERIMENTS / "review").glob("*.toml"))


def _answered(kept: Mapping[str, Answer]) -> Iterator[str]:
    for name in _small():
        yield f"### {read_toml(asked_in(name))['title']}\n"
        yield paragraph(f"`{name}`: *{markdown_text(read_toml(asked_in(name))['question'])}*") + "\n"
        if name not in kept:
            yield "No answer yet: `make review` runs it.\n"
            continue
        answer = kept[name]
        yield f"{answer['patients']} patients, seed {answer['seed']}, by the defaults of {answer['day']}:\n"
        header = ["endpoint", "arm", "median, months (95% CI)", "HR (paired 95% CI)"]
        yield table(header, answer["arms"])


def answer_of(results: Results) -> dict[str, Any]:
    """Return what a run answers: every endpoint that its arms share from the start."""
    compared = compare(results)
    rows = {(row["arm"], row["endpoint"]): row for row in compared.table.iter_rows(named=True)}
    told = []
    for name in [endpoint.name for endpoint in compared.endpoints if endpoint.randomised]:
        for place, arm in enumerate(results.arms):
            row = rows[arm, name]
            ratio = limits(row["hr"], row["paired_hr_lo"], row["paired_hr_hi"], 2)
            median = median_text(row["median_months"], row["lo"], row["hi"])
            shown = ["" if place else name, markdown_text(arm)]
            if row["not_defined"] is not None:
                told.append([*shown, "not defined", ""])
            else:
                told.append([*shown, median, "control" if arm == compared.control else ratio])
    return {
        "patients": results.enrolled,
        "seed": results.experiment["seed"],
        "day": str(results.provenance["started"])[:10],
        "arms": told,
    }


def keep_answers(folder: Path) -> None:
    """Keep the answers of the small experiments whose runs in a folder are finished."""
    kept = dict(answers())
    for name in _small():
        results = folder / name.removeprefix(SMALL)
        if (results / PROVENANCE).is_file():
            kept[name] = answer_of(Results.load(results))
    text = json.dumps(kept, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    write_whole(_ANSWERS, partial(Path.write_text, data=text, encoding="utf-8"))


def main(arguments: Sequence[str]) -> None:
    """Write the page, whose file is the argument; or, after ``--answers``, keep those of a folder of runs."""
    if arguments[0] == "--answers":
        keep_answers(Path(arguments[1]))
        return
    page = Path(arguments[0])
    write_whole(page, partial(Path.write_text, data=review(), encoding="utf-8"))
    print(page)


if __name__ == "__main__":
    main(sys.argv[1:])
