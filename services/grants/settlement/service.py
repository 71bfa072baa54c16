"""The settlement of a year: reported, run over a snapshot, objected to, final, refunded."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.agreements import moves
from services.grants.agreements.models import Agreement
from services.grants.agreements.service import plan_in_force, readable_agreement, rules_text
from services.grants.errors import (
    DecisionClosed,
    OneCannotConfirm,
    RefundMismatch,
)
from services.grants.expenses.models import ExpenseRow
from services.grants.expenses.rules import Expense, Plan
from services.grants.expenses.service import expenses_of
from services.grants.programmes.rules import Funds
from services.grants.programmes.service import note
from services.grants.settlement.models import Decision, Objection, SettlementRun, UsageReport
from services.grants.settlement.rules import Review, Settlement, Waiver, settle, statement
from services.grants.settlement.snapshot import frozen
from shared.problems import NotFound, StateConflict
from shared.tokens import Claims


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a run depends on beside the plan and the rule set."""

    report: UsageReport
    expenses: Sequence[Expense]
    reviews: Sequence[Review]
    waivers: Sequence[Waiver]

    def to_dict(self) -> dict[str, Any]:
        return {
            "received_grant_won": self.report.received_grant_won,
            "interest_won": self.report.interest_won,
            "expenses": [frozen(expense) for expense in self.expenses],
            "reviews": [frozen(review) for review in self.reviews],
            "waivers": [frozen(waiver) for waiver in self.waivers],
        }


async def close_year(session: AsyncSession, agreement_id: UUID, caller: Claims) -> Agreement:
    """No more expenses after this; the agency's act."""
    agreement = await _of_agency(session, agreement_id, caller)
    return await _move(session, agreement, "close", caller)


async def report_usage(
    session: AsyncSession,
    agreement_id: UUID,
    caller: Claims,
    *,
    received_grant_won: int,
    interest_won: int,
) -> Agreement:
    """The institution's report on the year (사용실적보고)."""
    agreement = await session.get(Agreement, agreement_id, with_for_update=True)
    if agreement is None or caller.institution_id != str(agreement.institution_id):
        raise NotFound
    await _move(session, agreement, "report", caller)
    session.add(
        UsageReport(
            agreement_id=agreement.id,
            received_grant_won=received_grant_won,
            interest_won=interest_won,
            reported_by=caller.sub,
        )
    )
    await session.flush()
    return agreement


async def preview(session: AsyncSession, agreement_id: UUID, caller: Claims) -> dict[str, Any]:
    """What a run would say now, for either side. Changes nothing."""
    agreement = await readable_agreement(session, agreement_id, caller)
    plan = await plan_in_force(session, agreement)
    return _result(plan, await _inputs(session, agreement))


async def run(session: AsyncSession, agreement_id: UUID, caller: Claims) -> SettlementRun:
    """Settle the year as it stands and keep the snapshot with the outcome (G-048, G-049)."""
    agreement = await _of_agency(session, agreement_id, caller)
    await _move(session, agreement, "settle", caller)
    inputs = await _inputs(session, agreement)
    result = _result(await plan_in_force(session, agreement), inputs)
    last = await session.scalar(
        select(func.max(SettlementRun.seq)).where(SettlementRun.agreement_id == agreement.id)
    )
    made = SettlementRun(
        agreement_id=agreement.id,
        seq=(last or 0) + 1,
        plan_version=agreement.plan_version,
        rule_set_sha256=hashlib.sha256((await rules_text(session, agreement)).encode()).hexdigest(),
        inputs=inputs.to_dict(),
        result=result,
        created_by=caller.sub,
    )
    session.add(made)
    await session.flush()
    await _mark_expenses(session, agreement, result)
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


async def advance(
    session: AsyncSession, agreement_id: UUID, caller: Claims, action: str
) -> Agreement:
    """The agency's other moves: open the time of objections, make the settlement final."""
    agreement = await _of_agency(session, agreement_id, caller)
    if action == "finalise":
        open_ones = await session.scalar(
            select(func.count())
            .select_from(Objection)
            .join(ExpenseRow, ExpenseRow.id == Objection.expense_id)
            .where(ExpenseRow.agreement_id == agreement.id, Objection.outcome.is_(None))
        )
        if open_ones:
            raise StateConflict(state="답변하지 않은 이의신청이 있는")
    return await _move(session, agreement, action, caller)


async def record_refund(
    session: AsyncSession,
    agreement_id: UUID,
    caller: Claims,
    *,
    returned_won: int,
    reference: str,
) -> Agreement:
    """The money came back: exactly what the last run says. Raises `RefundMismatch`."""
    agreement = await _of_agency(session, agreement_id, caller)
    due = await session.scalar(
        select(SettlementRun.result["statement"]["return_won"].as_integer())
        .where(SettlementRun.agreement_id == agreement.id)
        .order_by(SettlementRun.seq.desc())
        .limit(1)
    )
    await _move(session, agreement, "refund", caller, reason=reference)
    if due != returned_won:
        raise RefundMismatch(due=due, returned=returned_won)
    return agreement


# Decisions and objections ------------------------------------------------------------------------


async def decide(
    session: AsyncSession, expense_id: UUID, caller: Claims, values: Mapping[str, Any]
) -> Decision:
    """Propose a decision on an expense of an unsettled year. A waiver waits for a second person."""
    row = await _expense_of_agency(session, expense_id, caller)
    decision = Decision(expense_id=row.id, proposed_by=caller.sub, **values)
    session.add(decision)
    note(session, "expense", row.id, f"decide_{values['kind']}", caller, reason=values["reason"])
    await session.flush()
    await session.refresh(decision)
    return decision


async def confirm(
    session: AsyncSession, decision_id: UUID, caller: Claims, now: datetime
) -> Decision:
    """The second pair of eyes. Raises `OneCannotConfirm` for the proposer."""
    decision = await _open_decision(session, decision_id, caller)
    if decision.proposed_by == caller.sub:
        raise OneCannotConfirm
    decision.confirmed_by, decision.confirmed_at = caller.sub, now
    note(session, "expense", decision.expense_id, "confirm_decision", caller)
    await session.flush()
    return decision


async def withdraw(
    session: AsyncSession, decision_id: UUID, caller: Claims, now: datetime
) -> Decision:
    decision = await _open_decision(session, decision_id, caller)
    decision.withdrawn_at = now
    note(session, "expense", decision.expense_id, "withdraw_decision", caller)
    await session.flush()
    return decision


async def decisions(session: AsyncSession, expense_id: UUID, caller: Claims) -> Sequence[Decision]:
    row = await session.get(ExpenseRow, expense_id)
    if row is None:
        raise NotFound
    await readable_agreement(session, row.agreement_id, caller)
    query = select(Decision).where(Decision.expense_id == row.id).order_by(Decision.id)
    return (await session.scalars(query)).all()


async def object_to(
    session: AsyncSession, expense_id: UUID, caller: Claims, text: str
) -> Objection:
    """이의신청, while objections are open."""
    row = await session.get(ExpenseRow, expense_id)
    agreement = await session.get(Agreement, row.agreement_id) if row else None
    if row is None or agreement is None or caller.institution_id != str(agreement.institution_id):
        raise NotFound
    if agreement.state != "objection":
        raise StateConflict(state=moves.NAMES[agreement.state])
    objection = Objection(expense_id=row.id, text=text, made_by=caller.sub)
    session.add(objection)
    note(session, "expense", row.id, "object", caller, reason=text)
    await session.flush()
    await session.refresh(objection)
    return objection


async def answer_objection(
    session: AsyncSession,
    objection_id: UUID,
    caller: Claims,
    *,
    outcome: str,
    answer: str,
    now: datetime,
) -> Objection:
    objection = await session.get(Objection, objection_id, with_for_update=True)
    if objection is None:
        raise NotFound
    await _expense_of_agency(session, objection.expense_id, caller)
    if objection.outcome is not None:
        raise DecisionClosed
    objection.outcome, objection.answer = outcome, answer
    objection.answered_by, objection.answered_at = caller.sub, now
    note(session, "expense", objection.expense_id, "answer_objection", caller, reason=answer)
    await session.flush()
    return objection


async def objections(
    session: AsyncSession, agreement_id: UUID, caller: Claims
) -> Sequence[Objection]:
    agreement = await readable_agreement(session, agreement_id, caller)
    query = (
        select(Objection)
        .join(ExpenseRow, ExpenseRow.id == Objection.expense_id)
        .where(ExpenseRow.agreement_id == agreement.id)
        .order_by(Objection.id)
        .limit(1000)
    )
    return (await session.scalars(query)).all()


# Inside ------------------------------------------------------------------------------------------


async def _inputs(session: AsyncSession, agreement: Agreement) -> Inputs:
    report = await session.get(UsageReport, agreement.id)
    if report is None:
        raise StateConflict(state=moves.NAMES[agreement.state])
    query = (
        select(Decision)
        .join(ExpenseRow, ExpenseRow.id == Decision.expense_id)
        .where(ExpenseRow.agreement_id == agreement.id, Decision.withdrawn_at.is_(None))
        .order_by(Decision.id)
    )
    found = (await session.scalars(query)).all()
    reviews = [
        Review(str(item.expense_id), item.ground, item.won, item.reason)
        for item in found
        if item.ground is not None and item.won is not None
    ]
    waivers = [
        Waiver(str(item.expense_id), item.rule, item.code)
        for item in found
        if item.rule is not None and item.code is not None and item.confirmed_by is not None
    ]
    return Inputs(report, await expenses_of(session, agreement.id), reviews, waivers)


def _result(plan: Plan, inputs: Inputs) -> dict[str, Any]:
    outcome = settle(plan, inputs.expenses, inputs.reviews, inputs.waivers)
    sheet = statement(
        plan.rules,
        agreed=plan.funds,
        received_grant_won=inputs.report.received_grant_won,
        spent=outcome.spent,
        disallowed=outcome.disallowed,
        interest_won=inputs.report.interest_won,
    )
    return {
        "spent": _funds(outcome.spent),
        "disallowed": _funds(outcome.disallowed),
        "by_ground": dict(outcome.by_ground),
        "items": [
            {
                "item": line.item,
                "name": line.name.ko,
                "planned": _funds(line.planned),
                "spent": _funds(line.spent),
                "disallowed": _funds(line.disallowed),
            }
            for line in outcome.items
        ],
        "disallowances": _disallowances(outcome),
        "statement": {
            "unspent_won": sheet.unspent_won,
            "disallowed_won": sheet.disallowed_won,
            "interest_share": str(sheet.interest_share),
            "return_won": sheet.return_won,
            "cash_shortfall_won": sheet.cash_shortfall_won,
            "in_kind_shortfall_won": sheet.in_kind_shortfall_won,
        },
        "findings": [
            *(finding.to_dict() for finding in sheet.findings),
            *(breach.finding().to_dict() for breach in outcome.breaches),
        ],
    }


def _disallowances(outcome: Settlement) -> list[dict[str, Any]]:
    found = []
    for part in outcome.disallowances:
        finding = part.breach.finding()
        found.append(
            {
                "expense_id": part.expense.id,
                "won": part.won,
                "ground": part.ground,
                "rule": part.breach.source.rule,
                "citation": part.breach.source.citation,
                "code": finding.code,
                "message_ko": finding.message("ko"),
                "message_en": finding.message("en"),
            }
        )
    return found


def _funds(funds: Funds) -> dict[str, int]:
    return {"grant": funds.grant, "cash": funds.cash, "in_kind": funds.in_kind}


async def _mark_expenses(
    session: AsyncSession, agreement: Agreement, result: Mapping[str, Any]
) -> None:
    """Show on each expense what the newest run says of it."""
    lost: dict[str, int] = {}
    for part in result["disallowances"]:
        lost[part["expense_id"]] = lost.get(part["expense_id"], 0) + part["won"]
    rows = await session.scalars(
        select(ExpenseRow).where(ExpenseRow.agreement_id == agreement.id).with_for_update()
    )
    for row in rows:
        won = lost.get(str(row.id), 0)
        row.state = (
            "allowed" if won == 0 else "disallowed" if won >= row.amount_won else "partly_allowed"
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


async def _of_agency(session: AsyncSession, agreement_id: UUID, caller: Claims) -> Agreement:
    """An agreement of the caller's agency, locked for the change."""
    agreement = await session.get(Agreement, agreement_id, with_for_update=True)
    if agreement is None or caller.institution_id != str(agreement.agency_id):
        raise NotFound
    return agreement


async def _expense_of_agency(session: AsyncSession, expense_id: UUID, caller: Claims) -> ExpenseRow:
    row = await session.get(ExpenseRow, expense_id)
    agreement = await session.get(Agreement, row.agreement_id) if row else None
    if row is None or agreement is None or caller.institution_id != str(agreement.agency_id):
        raise NotFound
    if agreement.state not in ("under_settlement", "objection"):
        raise StateConflict(state=moves.NAMES[agreement.state])
    return row


async def _open_decision(session: AsyncSession, decision_id: UUID, caller: Claims) -> Decision:
    decision = await session.get(Decision, decision_id, with_for_update=True)
    if decision is None:
        raise NotFound
    await _expense_of_agency(session, decision.expense_id, caller)
    if decision.withdrawn_at is not None or decision.confirmed_by is not None:
        raise DecisionClosed
    return decision
