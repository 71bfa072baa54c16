"""What the people of a proposal give to other projects here (G-013).

Counted are the plans in force of every agreement, up to its stop, and the last submitted version of
every proposal that is still alive, found by researcher number. What somebody else applies for is
told without its name: until it is agreed it is nobody else's business, and it may come to nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import literal_column, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.agreements.models import Agreement, PlanVersion
from services.grants.agreements.moves import NOT_CONCLUDED
from services.grants.errors import RuleSetInvalid
from services.grants.programmes.models import Programme
from services.grants.programmes.reading import read
from services.grants.programmes.rules import month_of
from services.grants.programmes.service import rules_of
from services.grants.proposals.document import Document
from services.grants.proposals.models import Proposal, Submission
from services.grants.proposals.rules import Budget, Commitment, Month, Person, Source, participation
from services.grants.proposals.rules.budget import monthly_rates
from services.grants.proposals.rules.people import RESEARCHER_NO

ALIVE: Final = ("submitted", "pre_review", "completion", "eligible", "scored", "preferred",
                "reserve", "negotiation", "designated")  # fmt: skip
SOMEBODY_ELSES: Final = "심사 중인 다른 기관의 신청"


async def commitments(session: AsyncSession, proposal: Proposal) -> tuple[Commitment, ...]:
    """Everything the participants of a proposal give to other projects we know of."""
    return await commitments_of(session, proposal, proposal.document)


async def commitments_of(
    session: AsyncSession, proposal: Proposal, document: Mapping[str, Any]
) -> tuple[Commitment, ...]:
    """The same for another document of this proposal: one that is not saved yet."""
    numbers = frozenset(_numbers(document))
    if not numbers:
        return ()
    found = [
        *[row async for row in _agreed(session, proposal, numbers)],
        *[row async for row in _applied_for(session, proposal, numbers)],
    ]
    return tuple(
        commitment
        for project, name, source, document, stopped_on in found
        for commitment in _commitments(project, name, source, document, numbers, stopped_on)
    )


async def months(
    session: AsyncSession, proposal: Proposal
) -> tuple[Any, list[tuple[Person, tuple[Month, ...]]]]:
    """The call's rule on participation, and every participant's months. Without a readable budget
    there is nobody yet."""
    programme = await session.get_one(Programme, proposal.programme_id)
    rules = await rules_of(session, programme)
    budget = _budget(proposal.document)
    rule = rules.budget.pay.participation
    if budget is None:
        return rule, []
    return rule, list(participation(budget, await commitments(session, proposal)))


async def _agreed(session: AsyncSession, proposal: Proposal, numbers: Iterable[str]) -> Any:
    query = (
        select(Agreement.proposal_id, Agreement.title, PlanVersion.document, Agreement.stopped_on)
        .join(
            PlanVersion,
            (PlanVersion.agreement_id == Agreement.id)
            & (PlanVersion.version == Agreement.plan_version),
        )
        .where(
            Agreement.proposal_id != proposal.id,
            Agreement.state.not_in(NOT_CONCLUDED),  # counted as the proposal it still is
            _names("plan_version", numbers),
        )
        .order_by(Agreement.id)
    )
    for project, title, document, stopped_on in await session.execute(query):
        yield project, title, "agreed", document, stopped_on


async def _applied_for(session: AsyncSession, proposal: Proposal, numbers: Iterable[str]) -> Any:
    query = (
        select(Proposal, Submission.document)
        .join(
            Submission,
            (Submission.proposal_id == Proposal.id) & (Submission.seq == Proposal.submissions),
        )
        .where(
            Proposal.id != proposal.id,
            Proposal.state.in_(ALIVE),
            _names("submission", numbers),
        )
        .order_by(Proposal.id)
    )
    for other, document in await session.execute(query):
        own = other.institution_id == proposal.institution_id
        name = other.title if own else SOMEBODY_ELSES
        yield other.id, name, "own" if own else "pending", document, None


def _names(table: str, numbers: Iterable[str]) -> Any:
    """Whether a document has any of these researchers; answered from an index."""
    people = literal_column(f"{table}.document #> '{{budget,people}}'", JSONB)
    return or_(*(people.contains([{"researcher_no": number}]) for number in sorted(numbers)))


def _commitments(
    project: UUID,
    name: str,
    source: Source,
    document: Mapping[str, Any],
    numbers: frozenset[str],
    stopped_on: date | None,
) -> Iterator[Commitment]:
    budget = _budget(document)
    if budget is None:
        return
    rates = monthly_rates(budget)
    for person in budget.people:
        number = person.researcher_no
        if number is not None and number in numbers and person.ref in rates:
            given = rates[person.ref]
            if stopped_on is not None:
                last = month_of(stopped_on)
                given = {month: rate for month, rate in given.items() if month <= last}
            yield Commitment(number, str(project), name, source, given)


def _numbers(document: Mapping[str, Any]) -> Iterator[str]:
    budget = _budget(document)
    for person in budget.people if budget else ():
        if person.researcher_no and RESEARCHER_NO.fullmatch(person.researcher_no):
            yield person.researcher_no


def _budget(document: Mapping[str, Any]) -> Budget | None:
    try:
        return _read(orjson.dumps(document.get("budget")))
    except orjson.JSONEncodeError:  # a number beyond all numbers
        return None


@lru_cache(maxsize=256)
def _read(budget: bytes) -> Budget | None:
    """A budget, or nothing where a draft has none that can be read yet."""
    try:
        return read(Document, {"budget": orjson.loads(budget)}).budget
    except RuleSetInvalid:
        return None
