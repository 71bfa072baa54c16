"""The settlement of a year: reported, run over a snapshot, objected to, final, refunded."""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Select, Uuid, bindparam, case, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.agreements import moves
from services.grants.agreements.models import Agreement
from services.grants.agreements.service import (
    plan_in_force,
    readable_agreement,
    rules_text,
    tell_agency,
    tell_institution,
)
from services.grants.clients import Counterpart
from services.grants.errors import SettlementOutdated
from services.grants.expenses.models import ExpenseRow
from services.grants.expenses.rules import claim_marks
from services.grants.expenses.service import move_all
from services.grants.expenses.typed import expenses_of
from services.grants.programmes.service import note
from services.grants.settlement.models import Objection, SettlementRun, UsageReport
from services.grants.settlement.outcome import Claims as Claimed
from services.grants.settlement.outcome import Inputs, gathered, kept, outcome_of
from services.grants.settlement.release import rules_sha256
from services.grants.settlement.rules import Comparison, compare
from shared.db import next_number
from shared.http import RemoteProblem
from shared.problems import NotFound, StateConflict, UpstreamUnavailable
from shared.tokens import Claims


async def close_year(session: AsyncSession, agreement_id: UUID, caller: Claims) -> Agreement:
    """No more expenses after this; the agency's act."""
    agreement = await _of_agency(session, agreement_id, caller)
    return await _move(session, agreement, "close", caller)


async def report_usage(
    session: AsyncSession, agreement_id: UUID, caller: Claims, values: Mapping[str, Any]
) -> Agreement:
    """The institution's report on the year (사용실적보고); its expenses go into review."""
    agreement = await session.get(Agreement, agreement_id, with_for_update=True)
    if agreement is None or caller.institution_id != str(agreement.institution_id):
        raise NotFound
    await _move(session, agreement, "report", caller)
    session.add(UsageReport(agreement_id=agreement.id, reported_by=caller.sub, **values))
    registered = ExpenseRow.state == "registered"
    await move_all(session, agreement.id, caller, "report", "in_review", registered)
    await tell_agency(session, agreement, "usage_reported")
    await session.flush()
    return agreement


async def cross_claims(
    session: AsyncSession,
    agreement_id: UUID,
    caller: Claims,
    counterparts: Sequence[Counterpart],
) -> Claimed:
    """Which deposits and documents of the year also serve mileage (C-4). Locks nothing.

    A service that does not answer is named, so that nobody takes silence for a clean record.
    """
    agreement = await readable_agreement(session, agreement_id, caller)
    rules = (await plan_in_force(session, agreement)).rules
    expenses = await expenses_of(session, rules, agreement.id)
    marks = sorted({mark for expense in expenses for mark in claim_marks(expense)})
    claimed: dict[str, str] = {}
    unchecked = []
    for counterpart in counterparts:
        try:
            claimed |= await counterpart.claims(marks)
        except (UpstreamUnavailable, RemoteProblem):
            unchecked.append(counterpart.service)
    return Claimed(claimed, tuple(unchecked))


async def preview(
    session: AsyncSession, agreement_id: UUID, caller: Claims, claimed: Claimed
) -> dict[str, Any]:
    """What a run would say now, for either side. Changes nothing."""
    agreement = await readable_agreement(session, agreement_id, caller)
    plan, inputs = await gathered(session, agreement, claimed)
    return await asyncio.to_thread(outcome_of, plan, inputs)


async def run(
    session: AsyncSession, agreement_id: UUID, caller: Claims, claimed: Claimed
) -> SettlementRun:
    """Settle the year as it stands and keep the snapshot with the outcome (G-048, G-049)."""
    agreement = await _of_agency(session, agreement_id, caller)
    await _move(session, agreement, "settle", caller)
    plan, inputs = await gathered(session, agreement, claimed)
    result = await asyncio.to_thread(outcome_of, plan, inputs)
    before = await _latest(session, agreement)
    made = SettlementRun(
        agreement_id=agreement.id,
        seq=await next_number(
            session, SettlementRun.seq, SettlementRun.agreement_id == agreement.id
        ),
        plan_version=agreement.plan_version,
        rule_set_sha256=await _rule_set_sha256(session, agreement),
        rules_sha256=rules_sha256(),
        inputs=inputs.to_dict(),
        result=result,
        created_by=caller.sub,
    )
    session.add(made)
    await session.flush()
    await _mark_expenses(session, agreement, made, caller)
    if before is None or _sums(before) != _sums(made):
        await tell_institution(session, agreement, "settlement_run", seq=made.seq, **_sums(made))
    await session.refresh(made)
    return made


async def runs(
    session: AsyncSession, agreement_id: UUID, caller: Claims
) -> Sequence[SettlementRun]:
    agreement = await readable_agreement(session, agreement_id, caller)
    query = select(SettlementRun).where(SettlementRun.agreement_id == agreement.id)
    return (await session.scalars(query.order_by(SettlementRun.seq).limit(200))).all()


async def read_run(
    session: AsyncSession, agreement_id: UUID, seq: int, caller: Claims
) -> SettlementRun:
    agreement = await readable_agreement(session, agreement_id, caller)
    query = select(SettlementRun).where(
        SettlementRun.agreement_id == agreement.id, SettlementRun.seq == seq
    )
    found = (await session.scalars(query)).one_or_none()
    if found is None:
        raise NotFound
    return found


async def last_run(session: AsyncSession, agreement: Agreement) -> SettlementRun:
    """What counts of a settlement that was run."""
    found = await _latest(session, agreement)
    assert found is not None
    return found


async def _latest(session: AsyncSession, agreement: Agreement) -> SettlementRun | None:
    query = select(SettlementRun).where(SettlementRun.agreement_id == agreement.id)
    return (await session.scalars(query.order_by(SettlementRun.seq.desc()).limit(1))).one_or_none()


def _sums(run: SettlementRun) -> dict[str, int]:
    """What a run comes to, in won: `disallowed` of all funds, and what is `due` to the agency."""
    return {
        "disallowed": sum(run.result["disallowed"].values()),
        "due": run.result["statement"]["return_won"],
    }


@dataclass(frozen=True, slots=True)
class Replay:
    """What is the same, settled again: the result to the letter, the rule set it went by, and the
    code of the rules (None for a run that did not note it)."""

    result: bool
    rule_set: bool
    code: bool | None


async def replay(session: AsyncSession, agreement_id: UUID, seq: int, caller: Claims) -> Replay:
    """Settle again what a run kept. Changes nothing."""
    agreement = await readable_agreement(session, agreement_id, caller)
    made = await read_run(session, agreement_id, seq, caller)
    plan, inputs = await kept(session, agreement, made)
    result = await asyncio.to_thread(outcome_of, plan, inputs)
    same = json.loads(json.dumps(result)) == made.result
    return Replay(
        same,
        made.rule_set_sha256 == await _rule_set_sha256(session, agreement),
        None if made.rules_sha256 is None else made.rules_sha256 == rules_sha256(),
    )


async def compare_runs(
    session: AsyncSession, agreement_id: UUID, caller: Claims, before: int, after: int
) -> Comparison:
    """Two runs side by side: what came, went and changed."""
    old = await read_run(session, agreement_id, before, caller)
    new = await read_run(session, agreement_id, after, caller)
    return compare(old.result, new.result)


async def advance(
    session: AsyncSession, agreement_id: UUID, caller: Claims, action: str
) -> Agreement:
    """The agency's other moves: open the time of objections, make the settlement final.

    Final is what the last run says; raises `SettlementOutdated` where it would say something else
    by now, `StateConflict` while an objection waits for its answer.
    """
    agreement = await _of_agency(session, agreement_id, caller)
    moved = await _move(session, agreement, action, caller)
    last = await last_run(session, agreement)
    if action == "open_objections":
        await tell_institution(session, agreement, "objections_open", **_sums(last))
    else:
        waiting = await session.execute(_open_objections(agreement).limit(1))
        if waiting.first() is not None:
            raise StateConflict(state="답변하지 않은 이의신청이 있는")
        # The other services were asked for the run; what they would say now is not waited for.
        answered = Inputs.of(last.inputs).claims
        _, now = await gathered(session, agreement, answered)
        if json.loads(json.dumps(now.to_dict())) != last.inputs:
            raise SettlementOutdated
        await move_all(
            session, agreement.id, caller, action, "final", ExpenseRow.state != "cancelled"
        )
        due = _sums(last)["due"]
        await tell_institution(session, agreement, "settlement_final", due=due)
    return moved


async def _mark_expenses(
    session: AsyncSession, agreement: Agreement, made: SettlementRun, caller: Claims
) -> None:
    """Show on each expense what the newest run says of it, save where an answer is awaited: of
    the institution (보완) or of the agency (이의)."""
    lost: dict[UUID, int] = {}
    for part in made.result["disallowances"]:
        expense = UUID(part["expense_id"])
        lost[expense] = lost.get(expense, 0) + part["won"]
    ids = bindparam("ids", list(lost), type_=ARRAY(Uuid))
    wons = bindparam("wons", list(lost.values()), type_=ARRAY(BigInteger))
    taken = select(func.unnest(ids).label("id"), func.unnest(wons).label("won")).subquery()
    won = select(taken.c.won).where(taken.c.id == ExpenseRow.id).scalar_subquery()
    judged = case(
        (won >= ExpenseRow.amount_won, "disallowed"),
        (won > 0, "partly_allowed"),
        else_="allowed",
    )
    await move_all(
        session,
        agreement.id,
        caller,
        "settle",
        judged,
        ExpenseRow.state.not_in(("returned", "cancelled")),
        ExpenseRow.id.not_in(_open_objections(agreement)),
        reason=f"정산 {made.seq}차",
    )


def _open_objections(agreement: Agreement) -> Select[UUID]:
    """The expenses whose objections wait for an answer."""
    return (
        select(Objection.expense_id)
        .join(ExpenseRow, ExpenseRow.id == Objection.expense_id)
        .where(ExpenseRow.agreement_id == agreement.id, Objection.outcome.is_(None))
    )


async def _move(
    session: AsyncSession,
    agreement: Agreement,
    action: str,
    caller: Claims,
    reason: str | None = None,
) -> Agreement:
    target = moves.move(agreement.state, action)
    moved = (agreement.state, target)
    note(session, "agreement", agreement.id, action, caller, moved=moved, reason=reason)
    agreement.state = target
    await session.flush()
    return agreement


async def _rule_set_sha256(session: AsyncSession, agreement: Agreement) -> str:
    return hashlib.sha256((await rules_text(session, agreement)).encode()).hexdigest()


async def _of_agency(session: AsyncSession, agreement_id: UUID, caller: Claims) -> Agreement:
    """An agreement of the caller's agency, locked for the change."""
    agreement = await session.get(Agreement, agreement_id, with_for_update=True)
    if agreement is None or caller.institution_id != str(agreement.agency_id):
        raise NotFound
    return agreement
