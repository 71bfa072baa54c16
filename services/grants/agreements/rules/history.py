"""The plan in force, from all that happened to it: versions agreed on, and changes on record.

Versions and changes make one line. A version (G-033, an approved amendment) restates the money of
the whole year; moves of money recorded before it are part of it. What was recorded of people,
journeys and items holds on beyond it. So that an expense is judged by what was in force on its day,
the plan remembers until when earlier amounts bound, and who came or went with which version.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from services.grants.expenses.rules import Participant, Plan, amended
from services.grants.programmes.rules import Period


@dataclass(frozen=True, slots=True)
class PlanStep:
    """A version of the plan. `after_seq` is the last change on record when it was approved;
    `effective_on` the day it took effect, none for the first."""

    plan: Plan
    effective_on: date | None
    after_seq: int


@dataclass(frozen=True, slots=True)
class ChangeStep:
    """A change on record: its number, its kind and its form."""

    seq: int
    kind: str
    form: Any


def plan_after(versions: Sequence[PlanStep], changes: Sequence[ChangeStep]) -> Plan:
    """The plan that all versions and changes lead to, both in the order of their numbers."""
    first, *later = versions
    plan, seen = first.plan, first.after_seq
    for version in later:
        plan = amended(plan, _between(changes, seen, version.after_seq))
        plan, seen = _succeeded(plan, version), version.after_seq
    return amended(plan, _between(changes, seen, None))


def _between(changes: Iterable[ChangeStep], after: int, until: int | None) -> list[tuple[str, Any]]:
    return [
        (change.kind, change.form)
        for change in changes
        if change.seq > after and (until is None or change.seq <= until)
    ]


def _succeeded(old: Plan, version: PlanStep) -> Plan:
    """The new version's money and lines; of the old, what the year keeps.

    Journeys of the old version stay in the plan: what they cost was restated, and those made
    before were planned.
    """
    new, day = version.plan, version.effective_on
    assert day is not None  # only the first version has none
    return replace(
        old,
        planned=new.planned,
        earlier=(*old.earlier, (day, old.planned)),
        people=_people(old, new, day),
        assets={**old.assets, **new.assets},
        lines=new.lines,
        trips=old.trips | new.trips,
        own_rules=new.own_rules,
    )


def _people(old: Plan, new: Plan, day: date) -> dict[str, Participant]:
    """Whoever stays, with the new terms; whoever comes, from the day on; whoever goes, until then.

    Newcomers stand as replacements approved on that day, so that pay before it is not recognised.
    """
    people = {}
    for ref, person in new.people.items():
        known = old.people.get(ref)
        if known is None:
            people[ref] = replace(person, replacement=True, approved_on=day)
        else:
            people[ref] = replace(
                person,
                replacement=known.replacement,
                approved_on=known.approved_on,
                employed_elsewhere=known.employed_elsewhere or person.employed_elsewhere,
                study=known.study,
            )
    for ref, person in old.people.items():
        if ref not in people:
            last = min(person.period.end, day - timedelta(days=1))
            people[ref] = replace(person, period=Period(person.period.start, last))
    return people
