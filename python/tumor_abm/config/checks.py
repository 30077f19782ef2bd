"""What a schema cannot say: names that must exist, and treatment that must make sense."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from tumor_abm._base.problems import Problems, Step, shown
from tumor_abm.config.samples import PlannedSample
from tumor_abm.config.written import CORE, Written
from tumor_abm.knowledge import Alteration, Knowledge, PatientLaws
from tumor_abm.treatment import Arm, Condition, Dosing, Eligibility, Line
from tumor_abm.treatment.condition import TUMOUR_FRACTION
from tumor_abm.treatment.eligibility import RESISTANCE, RESISTANCES, SENSITIVE
from tumor_abm.treatment.scan_period import shortest_days

_MOST_ALTERATIONS, _MOST_OF_TWO_HITS = 54, 10


def check_names(
    written: Written,
    population: PatientLaws,
    alterations: Sequence[str],
    knowledge: Knowledge,
    problems: Problems,
) -> None:
    """Note alterations, genes and arms that do not exist or are named twice."""
    listed = written.alterations or []
    again = set(_named_again(listed))
    for i, name in enumerate(listed):
        where: list[Step] = ["alterations", i]
        if name not in knowledge.alterations and name != CORE:
            problems.add_unknown(where, name, "alteration", [CORE, *knowledge.alterations])
        elif i in again:
            problems.add(where, f"{shown(name)} is named twice")
    if len(alterations) > _MOST_ALTERATIONS:
        problems.add(
            ["alterations"],
            f"found {len(alterations)}; allowed: at most {_MOST_ALTERATIONS} in one experiment",
        )
    known = [knowledge.alterations[name] for name in alterations if name in knowledge.alterations]
    of_two_hits = sum(alteration.origin.kind == "two_hit" for alteration in known)
    if of_two_hits > _MOST_OF_TWO_HITS:
        problems.add(
            ["alterations"], f"found {of_two_hits} that take two hits; allowed: at most {_MOST_OF_TWO_HITS}"
        )
    for name in population.founder:
        if name not in knowledge.alterations:
            problems.add_unknown(["population", "founder", name], name, "alteration", knowledge.alterations)
    in_play = {name: knowledge.alterations[name] for name in alterations if name in knowledge.alterations}
    measured = written.liquid_biopsy.genes if written.liquid_biopsy else []
    asked = [(("population", *at), eligibility) for at, eligibility in population.eligibilities()]
    asked += [(("arm", a, "among"), arm.among) for a, arm in enumerate(written.arm)]
    for at, eligibility in asked:
        _check_eligibility([*at], eligibility, in_play, knowledge, measured, problems)
    histories = [history.name for history in population.history]
    for a, arm in enumerate(written.arm):
        for h, name in enumerate(arm.among.history):
            if name not in histories:
                problems.add_unknown(["arm", a, "among", "history", h], name, "history", histories)
    _check_genes(["liquid_biopsy"], measured, in_play, knowledge, problems)
    _check_samples(written, in_play, knowledge, problems)
    names = [arm.name for arm in written.arm]
    for a in _named_again(names):
        problems.add(["arm", a, "name"], f"{shown(names[a])} is named twice")
    if written.control is not None and written.control not in names:
        problems.add_unknown(["control"], written.control, "arm", names)
    if written.accrual_months > written.horizon_months:
        problems.add(
            ["accrual_months"],
            f"found {written.accrual_months:g}; allowed: at most horizon_months = {written.horizon_months:g}",
        )


def unmeasured_share(population: PatientLaws, knowledge: Knowledge) -> float:
    """Return the share of patients whose disease is where it cannot be measured."""
    left, found = 1.0, 0.0
    for name, site in knowledge.sites.items():
        here = left * population.share_at(name)
        left -= here
        found += 0.0 if site.measurable else here
    return found


def _check_genes(
    at: Sequence[Step],
    genes: Sequence[str],
    in_play: dict[str, Alteration],
    knowledge: Knowledge,
    problems: Problems,
) -> None:
    """Note genes of a liquid biopsy that do not exist or leave no trace in DNA."""
    for i, gene in enumerate(genes):
        where = [*at, "genes", i]
        if gene == TUMOUR_FRACTION:
            continue
        _check_gene(where, gene, in_play, knowledge, problems)
        found = _of_gene(gene, in_play)
        if found and not any(alteration.in_dna for alteration in found.values()):
            problems.add(where, f"{shown(gene)} leaves no trace in DNA, so no liquid biopsy can read it")


def _check_samples(
    written: Written, in_play: dict[str, Alteration], knowledge: Knowledge, problems: Problems
) -> None:
    """Note samples that cannot be taken, or are named twice."""
    tables: dict[str, Sequence[PlannedSample]] = {
        "biopsy": written.biopsy,
        "liquid_biopsy_panel": written.liquid_biopsy_panel,
    }
    places: list[list[Step]] = [[key, i] for key, samples in tables.items() for i in range(len(samples))]
    names = [sample.name for samples in tables.values() for sample in samples]
    for i in _named_again(names):
        problems.add([*places[i], "name"], f"{shown(names[i])} is named twice")
    for i, panel in enumerate(written.liquid_biopsy_panel):
        _check_genes(["liquid_biopsy_panel", i], panel.genes or [], in_play, knowledge, problems)
    if names and written.stride_days != 1:
        problems.add(["stride_days"], f"found {written.stride_days}; allowed: 1 with [[{places[0][0]}]]")
    _check_places(written, problems)


def _check_places(written: Written, problems: Problems) -> None:
    """Note biopsies of places where cells have none, and needles that point nowhere."""
    dimensions = written.lattice.dimensions
    for i, biopsy in enumerate(written.biopsy):
        where: list[Step] = ["biopsy", i]
        if biopsy.aim is not None and written.engine != "lattice":
            allowed = f'allowed: "random" with engine = {shown(written.engine)}, whose cells have no places'
            problems.add([*where, "shape"], f'found {shown(biopsy.shape)}; {allowed}; engine = "lattice" has')
        elif biopsy.direction is not None and not any(biopsy.direction[:dimensions]):
            problems.add([*where, "direction"], f"points nowhere on a lattice of {dimensions} dimensions")


def check_sums(written: Written, population: PatientLaws, knowledge: Knowledge, problems: Problems) -> None:
    """Note rules on sums of diameters where no patient has one."""
    unmeasured = unmeasured_share(population, knowledge) == 1 or population.eligibility.measurable is False
    treatment: list[tuple[list[Step], list[Line], bool]] = [
        (["arm", a, "line"], arm.line, arm.among.measurable is False) for a, arm in enumerate(written.arm)
    ]
    treatment.append((["afterwards"], written.afterwards, False))
    for at, lines, nobody in treatment:
        for i, line in enumerate(lines):
            if line.asks_for_sums and (unmeasured or nobody):
                problems.add(
                    [*at, i],
                    "disease that cannot be measured has no sum of diameters to ask for (adaptive,"
                    " sld_change, until.response); allowed: such rules where disease can be measurable",
                )


def check_lines(
    lines: Sequence[Line],
    where: Sequence[Step],
    *,
    knowledge: Knowledge,
    alterations: Sequence[str],
    measured: Collection[str],
    problems: Problems,
) -> None:
    """Note drugs, genes and rules of consecutive lines that cannot be."""
    in_play = {name: knowledge.alterations[name] for name in alterations if name in knowledge.alterations}
    for i, line in enumerate(lines):
        place = [*where, i]
        for at, dosing in line.dosings():
            _check_dosing([*place, *at], dosing, knowledge, problems)
        for at, condition in line.conditions():
            _check_condition([*place, *at], condition, in_play, knowledge, measured, problems)
        _check_options(line, place, problems)
        _check_observation(line, place, problems)
        _check_rules(line, place, problems)
        if i + 1 < len(lines) and not _can_end(line):
            problems.add([*place, "until"], "no reason to leave this line, so those after it never begin")


def check_arms(
    arms: Sequence[Arm],
    *,
    knowledge: Knowledge,
    alterations: Sequence[str],
    measured: Collection[str],
    problems: Problems,
) -> None:
    """Note what cannot be in the lines of every arm."""
    for a, arm in enumerate(arms):
        check_lines(
            arm.line,
            ["arm", a, "line"],
            knowledge=knowledge,
            alterations=alterations,
            measured=measured,
            problems=problems,
        )


def check_calendars(written: Written, problems: Problems) -> None:
    """Note calendars of arms whose scans come so soon that the window of one holds the next."""
    window = written.assessment.window
    for a, arm in enumerate(written.arm):
        if arm.calendar and window > shortest_days(arm.calendar) / 2:
            problems.add(
                ["arm", a, "calendar"],
                f"scans every {shortest_days(arm.calendar):g} days; allowed: at least {2 * window:g}, twice "
                "assessment.window_days",
            )


def check_value(written: Written, known: Collection[str], problems: Problems) -> None:
    """Note drugs without a price or of which nothing is known, and follow-up that is too short."""
    for key, table in (("utility", written.utility), ("price", written.price)):
        if table is not None and written.end_with_last_line:
            problems.add([key], "needs follow-up to death; allowed: with end_with_last_line = false")
    if written.price is None or not written.price.drug:
        return
    priced = written.price.drug
    for name in priced:
        if name not in known:
            problems.add_unknown(["price", "drug", name], name, "drug", known)
    lines = [*written.afterwards, *(line for arm in written.arm for line in arm.line)]
    given = {dosing.drug for line in lines for _, dosing in line.dosings()}
    without = sorted(name for name in given & set(known) if name not in priced)
    if without:
        problems.add(
            ["price", "drug"],
            f"no price of {', '.join(without)}, which arms give; allowed: a price of each, or 0",
        )


def _named_again(names: Sequence[str]) -> list[int]:
    """Return the places of names that stand before them already."""
    first = {name: place for place, name in reversed(list(enumerate(names)))}
    return [place for place, name in enumerate(names) if first[name] < place]


def _of_gene(gene: str, in_play: dict[str, Alteration]) -> dict[str, Alteration]:
    found = {name: alteration for name, alteration in in_play.items() if alteration.gene == gene}
    return found or {name: alteration for name, alteration in in_play.items() if name == gene}


def _check_gene(
    where: Sequence[Step], gene: str, in_play: dict[str, Alteration], knowledge: Knowledge, problems: Problems
) -> None:
    if _of_gene(gene, in_play):
        return
    dormant = [*_of_gene(gene, dict(knowledge.alterations))]
    if dormant:
        listed = " and ".join(shown(name) for name in dormant)
        problems.add(where, f"{shown(gene)} is not in play; add {listed} to alterations")
        return
    known = dict.fromkeys([*(alteration.gene for alteration in in_play.values()), *in_play])
    problems.add_unknown(where, gene, "gene of this experiment", known)


def _check_eligibility(
    where: Sequence[Step],
    eligibility: Eligibility,
    in_play: dict[str, Alteration],
    knowledge: Knowledge,
    measured: Collection[str],
    problems: Problems,
) -> None:
    for key in ("altered", "altered_any", "not_altered"):
        for i, gene in enumerate(getattr(eligibility, key)):
            _check_gene([*where, key, i], gene, in_play, knowledge, problems)
    _check_named(where, eligibility, knowledge, problems)
    for key in ("detected", "not_detected"):
        for i, gene in enumerate(getattr(eligibility, key)):
            _check_measured([*where, key, i], gene, measured, problems)
    for at, drug in eligibility.drugs():
        if drug not in knowledge.drugs:
            problems.add_unknown([*where, *at], drug, "drug", knowledge.drugs)


def _check_named(
    where: Sequence[Step], eligibility: Eligibility, knowledge: Knowledge, problems: Problems
) -> None:
    """Note what is asked under names that are none of a site or a kind of therapy, or in another form."""
    sensitive = [f"{kind}{SENSITIVE}" for kind in knowledge.therapies]
    resistance = [f"{kind}{RESISTANCE}" for kind in knowledge.therapies]
    known = [*Eligibility.keys(), *knowledge.sites, *sensitive, *resistance]
    for key, wanted in eligibility.named.items():
        if key not in known:
            problems.add_unknown([*where, key], key, "key", known)
        elif key in resistance:
            _check_resistances([*where, key], wanted, problems)
        elif not isinstance(wanted, bool):
            problems.add([*where, key], f"found {shown(wanted)}; allowed: true or false")


def _check_resistances(where: Sequence[Step], wanted: object, problems: Problems) -> None:
    allowed = ", ".join(map(shown, RESISTANCES))
    if not isinstance(wanted, list):
        problems.add(where, f"found {shown(wanted)}; allowed: a list of {allowed}")
        return
    for i, word in enumerate(wanted):
        if word not in RESISTANCES:
            problems.add([*where, i], f"found {shown(word)}; allowed: {allowed}")


def _check_measured(where: Sequence[Step], gene: str, measured: Collection[str], problems: Problems) -> None:
    if gene not in measured:
        listed = ", ".join(measured) or "no liquid biopsy is taken"
        problems.add(
            where, f"nobody measures {shown(gene)}; add it to genes of [liquid_biopsy] (measured: {listed})"
        )


def _check_dosing(where: Sequence[Step], dosing: Dosing, knowledge: Knowledge, problems: Problems) -> None:
    drug = knowledge.drugs.get(dosing.drug)
    if drug is None:
        problems.add_unknown(where, dosing.drug, "drug", knowledge.drugs)
        return
    try:
        dosing.relative_dose(drug)
    except ValueError as error:
        problems.add(where, str(error))
    schedule = drug.schedule
    cycle = schedule.cycle_days if dosing.cycle_days is None else dosing.cycle_days
    days = schedule.days if dosing.days is None else dosing.days
    loading = schedule.loading_days if dosing.loading_days is None else dosing.loading_days
    outside = [day for day in [*days, *loading] if day > cycle]
    if outside:
        problems.add(where, f"day {outside[0]} lies outside the cycle of {cycle} days")


def _check_condition(
    where: Sequence[Step],
    condition: Condition,
    in_play: dict[str, Alteration],
    knowledge: Knowledge,
    measured: Collection[str],
    problems: Problems,
) -> None:
    for key, wanted in condition.named.items():
        if key not in knowledge.sites:
            problems.add_unknown([*where, key], key, "key", [*Condition.keys(), *knowledge.sites])
        elif not isinstance(wanted, bool):
            problems.add([*where, key], f"found {shown(wanted)}; allowed: true or false")
    if condition.tissue is not None:
        _check_gene([*where, "tissue"], condition.tissue, in_play, knowledge, problems)
    if condition.taken is not None and condition.taken not in knowledge.drugs:
        problems.add_unknown([*where, "taken"], condition.taken, "drug", knowledge.drugs)
    outputs = knowledge.pathway.outputs
    if condition.output is not None and condition.output not in outputs:
        problems.add_unknown([*where, "output"], condition.output, "output of the pathway", outputs)
    if condition.ctdna is not None:
        _check_measured([*where, "ctdna"], condition.ctdna, measured, problems)


def _check_options(line: Line, where: Sequence[Step], problems: Problems) -> None:
    last = len(line.options) - 1
    drawn = any(option.share is not None for option in line.options)
    if drawn and any(option.share is None for option in line.options):
        problems.add([*where, "choose"], "where one option has a share, all need one")
    if drawn and all(option.if_ is not None for option in line.options):
        problems.add([*where, "choose"], "one option must have no condition, for patients whom no other fits")
    for o, option in enumerate(line.options):
        start: list[Step] = [*where] if line.choose is None else [*where, "choose", o]
        if not drawn and o < last and option.if_ is None:
            problems.add(start, "has no condition, so the options after it are never reached; put it last")
        if not drawn and o == last and option.if_ is not None:
            problems.add(start, "the last option must have no condition, for patients whom no other fits")
        drugs = [dosing.drug for dosing in option.regimen]
        for d in _named_again(drugs):
            problems.add([*start, "regimen", d], f"{shown(drugs[d])} is named twice")


def _check_observation(line: Line, where: Sequence[Step], problems: Problems) -> None:
    """Note what needs a drug where there may be none."""
    without = [not option.regimen for option in line.options]
    if any(without) and line.until.cycles is not None:
        problems.add([*where, "until", "cycles"], "observation has no cycles; allowed: until.months")
    if all(without) and not any(rule.then.add for rule in line.rule):
        for key in ("holiday", "adaptive"):
            if getattr(line, key) is not None:
                problems.add([*where, key], "observation has no drug that could pause")


def _check_rules(line: Line, where: Sequence[Step], problems: Problems) -> None:
    regimens = [{dosing.drug for dosing in option.regimen} for option in line.options]
    brought = {rule.then.with_.drug for rule in line.rule if rule.then.with_ is not None}
    brought |= {rule.then.add.drug for rule in line.rule if rule.then.add is not None}
    taken = set().union(*regimens) | brought
    for r, rule in enumerate(line.rule):
        then: list[Step] = [*where, "rule", r, "then"]
        for key, drug in (("replace", rule.then.replace), ("stop", rule.then.stop)):
            if drug is not None:
                _check_taken([*then, key], drug, taken, problems)
        new = rule.then.with_ or rule.then.add
        key = "with" if rule.then.with_ else "add"
        if new is not None and new.drug != rule.then.replace and all(new.drug in drugs for drugs in regimens):
            problems.add([*then, key], f"{shown(new.drug)} is in the regimen already")
    for key, pause in (("holiday", line.holiday), ("adaptive", line.adaptive)):
        for d, drug in enumerate(pause.drugs if pause else []):
            _check_taken([*where, key, "drugs", d], drug, taken, problems)


def _check_taken(where: Sequence[Step], drug: str, taken: Iterable[str], problems: Problems) -> None:
    taken = sorted(taken)
    if drug not in taken:
        given = ", ".join(taken) or "nothing"
        problems.add(where, f"{shown(drug)} is not given in this line (given: {given})")


def _can_end(line: Line) -> bool:
    until = line.until
    planned = until.months is not None or until.cycles is not None or until.response is not None
    return until.progression or until.toxicity or planned or any(rule.then.next_line for rule in line.rule)
