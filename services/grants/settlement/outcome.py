"""What a settlement is made of, gathered and frozen, and the outcome it leads to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.agreements import moves
from services.grants.agreements.models import Agreement
from services.grants.agreements.service import changes_of, plan_in_force, plan_with
from services.grants.expenses.models import ExpenseRow
from services.grants.expenses.rules import Expense, Plan
from services.grants.expenses.typed import expenses_of, used_earlier
from services.grants.programmes.reading import read
from services.grants.programmes.rules import Funds
from services.grants.settlement.models import Decision, SettlementRun, UsageReport
from services.grants.settlement.rules import (
    Review,
    Settlement,
    Waiver,
    account_findings,
    budget_findings,
    claims_unchecked,
    not_stated,
    settle,
    statement,
)
from services.grants.settlement.snapshot import frozen
from shared.problems import Finding, StateConflict


@dataclass(frozen=True, slots=True)
class Claims:
    """What other services said of our deposits and documents; `unchecked` are those that did not
    answer, which is never the same as nothing found."""

    claimed: Mapping[str, str] = field(default_factory=dict)
    unchecked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a run depends on beside the agreed plan and the rule set."""

    report: UsageReport
    changes: Sequence[Mapping[str, Any]]
    expenses: Sequence[Expense]
    reviews: Sequence[Review]
    waivers: Sequence[Waiver]
    used_earlier: frozenset[str]
    claims: Claims

    def to_dict(self) -> dict[str, Any]:
        return {
            "received_grant_won": self.report.received_grant_won,
            "interest_won": self.report.interest_won,
            "account": self.report.account,
            "budget": self.report.budget,
            "changes": list(self.changes),
            "expenses": [frozen(expense) for expense in self.expenses],
            "reviews": [frozen(review) for review in self.reviews],
            "waivers": [frozen(waiver) for waiver in self.waivers],
            "used_earlier": sorted(self.used_earlier),
            "claims": frozen(self.claims),
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Inputs":
        """What `to_dict` kept."""
        names = ("received_grant_won", "interest_won", "account", "budget")
        return cls(
            UsageReport(**{name: stored[name] for name in names}),
            stored["changes"],
            [read(Expense, item) for item in stored["expenses"]],
            [read(Review, item) for item in stored["reviews"]],
            [read(Waiver, item) for item in stored["waivers"]],
            frozenset(stored["used_earlier"]),
            Claims(stored["claims"]["claimed"], tuple(stored["claims"]["unchecked"])),
        )


async def gathered(
    session: AsyncSession, agreement: Agreement, claims: Claims
) -> tuple[Plan, Inputs]:
    """The year as it stands. Raises `StateConflict` before it was reported."""
    report = await session.get(UsageReport, agreement.id)
    if report is None:
        raise StateConflict(state=moves.NAMES[agreement.state])
    query = (
        select(Decision)
        .join(ExpenseRow, ExpenseRow.id == Decision.expense_id)
        .where(
            ExpenseRow.agreement_id == agreement.id,
            ExpenseRow.state != "cancelled",
            Decision.withdrawn_at.is_(None),
        )
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
    agreed = await plan_in_force(session, agreement)
    changes = [
        {"seq": change.seq, "kind": change.kind, "body": change.body}
        for change in await changes_of(session, agreement)
    ]
    earlier = await used_earlier(session, agreed.rules, agreement.id)
    expenses = await expenses_of(session, agreed.rules, agreement.id)
    inputs = Inputs(report, changes, expenses, reviews, waivers, earlier, claims)
    return _knowing(agreed, inputs), inputs


async def kept(
    session: AsyncSession, agreement: Agreement, run: SettlementRun
) -> tuple[Plan, Inputs]:
    """The year as it stood when a run was made, from what the run kept."""
    inputs = Inputs.of(run.inputs)
    changes = [(change["seq"], change["kind"], change["body"]) for change in inputs.changes]
    return _knowing(await plan_with(session, agreement, run.plan_version, changes), inputs), inputs


def _knowing(plan: Plan, inputs: Inputs) -> Plan:
    """The plan, knowing what other projects and services use of the same documents."""
    return replace(plan, used_earlier=inputs.used_earlier, claimed=inputs.claims.claimed)


def outcome_of(plan: Plan, inputs: Inputs) -> dict[str, Any]:
    """The result of settling (G-048, G-049) as JSON, the same for a preview and a run."""
    outcome = settle(plan, inputs.expenses, inputs.reviews, inputs.waivers)
    sheet = statement(
        plan.rules,
        agreed=plan.funds,
        received_grant_won=inputs.report.received_grant_won,
        spent=outcome.spent,
        disallowed=outcome.disallowed,
        interest_won=inputs.report.interest_won,
        carried_over_won=plan.carried_over_won,
    )
    return {
        "agreed": frozen(plan.funds),
        "spent": frozen(outcome.spent),
        "disallowed": frozen(outcome.disallowed),
        "by_ground": dict(outcome.by_ground),
        "items": [
            {
                "item": line.item,
                "name": line.name.ko,
                "planned": frozen(line.planned),
                "spent": frozen(line.spent),
                "disallowed": frozen(line.disallowed),
            }
            for line in outcome.items
        ],
        "disallowances": _disallowances(outcome),
        "statement": {
            "received_grant_won": inputs.report.received_grant_won,
            "interest_won": inputs.report.interest_won,
            "unspent_won": sheet.unspent_won,
            "carried_over_won": sheet.carried_over_won,
            "disallowed_won": sheet.disallowed_won,
            "interest_share": str(sheet.interest_share),
            "return_won": sheet.return_won,
            "cash_shortfall_won": sheet.cash_shortfall_won,
            "in_kind_shortfall_won": sheet.in_kind_shortfall_won,
        },
        "unchecked": list(inputs.claims.unchecked),
        "findings": [
            *(finding.to_dict() for finding in sheet.findings),
            *(finding.to_dict() for finding in _of_the_year(plan, inputs)),
            *(breach.finding().to_dict() for breach in outcome.breaches),
        ],
    }


def _of_the_year(plan: Plan, inputs: Inputs) -> list[Finding]:
    """What is to be said of the year as a whole (G-033, G-043), and what could not be checked."""
    account, budget = inputs.report.account, inputs.report.budget
    found = [*not_stated(plan.rules, account=account is not None, budget=budget is not None)]
    if account is not None:
        found += account_findings(
            plan.rules,
            separate=account["separate"],
            interest_tracked=account["interest_tracked"],
            documents=frozenset(account["documents"]),
        )
    if budget is not None:
        found += budget_findings(plan, {item: Funds(**won) for item, won in budget.items()})
    return [*found, *claims_unchecked(inputs.claims.unchecked)]


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
