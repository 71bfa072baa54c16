"""What happens to a year's plan after the agreement, one recorded change at a time.

People come and go by internal approval, students leave and return, money moves between uses, the
agency approves what needs approval (G-033, G-045 … G-047). The plan the rules see is the agreed one
with every change applied in the order of recording.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Final, Literal

from services.grants.errors import (
    AMOUNT_NEGATIVE,
    BUDGET_FROZEN,
    ITEM_UNKNOWN,
    PERSON_UNKNOWN,
)
from services.grants.expenses.rules.model import Participant, Plan, Study
from services.grants.programmes.rules import Fund, Funds, Period, cited
from services.grants.proposals.rules import Role
from shared.problems import Finding, FindingKind

MOVE_TOO_LARGE = FindingKind(
    "MOVE_TOO_LARGE",
    "{name_ko}에는 옮길 수 있는 금액이 {available_won:,}원입니다(입력 {won:,}원).",
    "{name_en} has {available_won:,} won to move ({won:,} won given).",
)
MOVE_NEEDS_APPROVAL = FindingKind(
    "MOVE_NEEDS_APPROVAL",
    "비목 사이의 변경은 전문기관이 승인합니다. 내부결재로는 같은 비목 안에서만 옮길 수 있습니다.",
    "Money moves between items only with the agency's approval; within an item yours is enough.",
)

Party = Literal["institution", "agency"]


@dataclass(frozen=True, slots=True)
class PersonChange:
    """Someone joins or takes another's place, from the day of the internal approval (G-045).

    `replaces` hands over that person's lines of pay; a `person` already in the plan keeps theirs.
    """

    person: str
    approved_on: date | None
    name: str = ""
    role: Role = "internal"
    grade: str | None = None
    start: date | None = None
    end: date | None = None
    replaces: str | None = None
    employed_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class StudyChange:
    """How a student stands now: leave, graduation, dropping out (G-045, G-046)."""

    person: str
    study: Study


@dataclass(frozen=True, slots=True)
class ItemChange:
    """A change of an item was decided by internal paper, or approved by the agency (G-033)."""

    item: str


@dataclass(frozen=True, slots=True)
class Reallocation:
    """Planned won of one source of funds move from one use to another (G-033).

    With `effective_on` the move counts from that day; without it, for the whole year.
    """

    source: str
    target: str
    fund: Fund
    won: int
    effective_on: date | None = None


@dataclass(frozen=True, slots=True)
class TripApproval:
    """A journey abroad the plan did not have is approved (G-047)."""

    trip: str


@dataclass(frozen=True, slots=True)
class Trait:
    """Something true of the institution that lifts an exclusion, such as `nonprofit`."""

    trait: str


@dataclass(frozen=True, slots=True)
class CarryOver:
    """Unspent grant the agency leaves for the next year (이월, G-049)."""

    won: int


Change = PersonChange | StudyChange | ItemChange | Reallocation | TripApproval | Trait | CarryOver

CHANGES: Final[Mapping[str, tuple[type, frozenset[Party]]]] = MappingProxyType(
    {
        "person": (PersonChange, frozenset({"institution"})),
        "study": (StudyChange, frozenset({"institution", "agency"})),
        "internal_change": (ItemChange, frozenset({"institution"})),
        "approved_change": (ItemChange, frozenset({"agency"})),
        "reallocation": (Reallocation, frozenset({"institution", "agency"})),
        "trip": (TripApproval, frozenset({"agency"})),
        "trait": (Trait, frozenset({"agency"})),
        "carry_over": (CarryOver, frozenset({"agency"})),
    }
)
"""Every kind of change: its form, and who records it."""


def amended(plan: Plan, changes: Iterable[tuple[str, Any]]) -> Plan:
    """The plan with changes (kind and form) applied in order."""
    for kind, change in changes:
        plan = _applied(plan, kind, change)
    return plan


def change_findings(plan: Plan, kind: str, change: Any, party: Party) -> Iterator[Finding]:
    """What is wrong with recording a change of this plan, by place in its form."""
    match change:
        case PersonChange(replaces=str(person)) | StudyChange(person=person):
            if person not in plan.people:
                field = "replaces" if kind == "person" else "person"
                yield PERSON_UNKNOWN.at(f"/{field}", field=field, person=person)
        case ItemChange(item=item) if item not in plan.rules.leaves:
            yield ITEM_UNKNOWN.at("/item", field="item", item=item, kind="-")
        case CarryOver(won=won) if won < 0:
            yield AMOUNT_NEGATIVE.at("/won", field="won")
        case Reallocation():
            yield from _move_findings(plan, change, party)


def _move_findings(plan: Plan, move: Reallocation, party: Party) -> Iterator[Finding]:
    rules, changes = plan.rules, plan.rules.budget.changes
    unknown = False
    for field, kind in (("source", move.source), ("target", move.target)):
        if kind not in rules.kinds:
            unknown = True
            yield ITEM_UNKNOWN.at(f"/{field}", field=field, item="-", kind=kind)
    if move.won <= 0:
        yield AMOUNT_NEGATIVE.at("/won", field="won")
    if unknown or move.won <= 0:
        return
    available = plan.planned.get(move.source, Funds()).of([move.fund])
    name = rules.kinds[move.source].name
    if move.won > available:
        yield cited(MOVE_TOO_LARGE, changes.rule, changes.citation).at(
            "/won",
            field="won",
            name_ko=name.ko,
            name_en=name.en,
            available_won=available,
            won=move.won,
        )
    item = rules.item_of[move.target]
    if party == "institution" and item != rules.item_of[move.source]:
        yield cited(MOVE_NEEDS_APPROVAL, changes.rule, changes.citation).at(
            "/target", field="target"
        )
    if (item in changes.frozen_items and item != rules.item_of[move.source]) or (
        move.target in changes.frozen_kinds
    ):
        before = plan.planned.get(move.target, Funds()).total
        target = rules.kinds[move.target].name
        yield cited(BUDGET_FROZEN, changes.rule, changes.citation).at(
            "/target",
            field="target",
            name_ko=target.ko,
            name_en=target.en,
            before_won=before,
            after_won=before + move.won,
        )


def _person(plan: Plan, change: PersonChange) -> Plan:
    people = dict(plan.people)
    known = people.get(change.person)
    leaver = people.get(change.replaces or "")
    if known is None:
        known = Participant(
            change.person,
            change.name,
            leaver.role if leaver else change.role,
            plan.year,
            change.grade or (leaver.grade if leaver else None),
            leaver.terms if leaver else (),
        )
    period = Period(change.start or known.period.start, change.end or known.period.end)
    people[change.person] = replace(
        known,
        period=period,
        replacement=True,
        approved_on=change.approved_on,
        employed_elsewhere=change.employed_elsewhere or known.employed_elsewhere,
    )
    if leaver and change.approved_on is not None:
        until = min(leaver.period.end, change.approved_on - timedelta(days=1))
        people[leaver.ref] = replace(leaver, period=Period(leaver.period.start, until))
    return replace(plan, people=people)


def _study(plan: Plan, change: StudyChange) -> Plan:
    person = replace(plan.people[change.person], study=change.study)
    return replace(plan, people={**plan.people, change.person: person})


def _move(plan: Plan, move: Reallocation) -> Plan:
    moved = Funds.single(move.fund, move.won)
    planned = dict(plan.planned)
    planned[move.source] -= moved
    planned[move.target] = planned.get(move.target, Funds()) + moved
    if move.effective_on is None:
        return replace(plan, planned=planned)
    earlier = (*plan.earlier, (move.effective_on, plan.planned))
    return replace(plan, planned=planned, earlier=earlier)


def _applied(plan: Plan, kind: str, change: Any) -> Plan:
    match kind:
        case "person":
            return _person(plan, change)
        case "study":
            return _study(plan, change)
        case "internal_change":
            return replace(plan, internal_changes=plan.internal_changes | {change.item})
        case "approved_change":
            return replace(plan, approved_changes=plan.approved_changes | {change.item})
        case "reallocation":
            return _move(plan, change)
        case "trip":
            return replace(plan, trips=plan.trips | {change.trip})
        case "trait":
            return replace(plan, traits=plan.traits | {change.trait})
        case "carry_over":
            return replace(plan, carried_over_won=change.won)
    raise KeyError(kind)
