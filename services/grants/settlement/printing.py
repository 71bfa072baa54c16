"""The final statement (G-049) and the notice of recovery as pages, from the last run alone."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.agreements import moves
from services.grants.agreements.models import Agreement
from services.grants.agreements.service import plan_in_force, readable_agreement
from services.grants.expenses.models import ExpenseRow
from services.grants.programmes.models import Programme
from services.grants.programmes.rules import RuleSet
from services.grants.settlement.models import SettlementRun
from services.grants.settlement.service import last_run
from shared.clock import seoul_day
from shared.problems import StateConflict
from shared.tokens import Claims
from shared.typeset import Template, legible_json

Page = Literal["statement", "notice"]
TITLES: Final[Mapping[Page, str]] = {
    "statement": "사업비 정산 확정서",
    "notice": "환수금 납부 통지서",
}
MAX_LINES: Final = 5_000
_template = Template(Path(__file__).parent / "notice.typ")


@dataclass(frozen=True, slots=True)
class _Year:
    """What a page is made of."""

    agreement: Agreement
    programme: Programme
    rules: RuleSet
    run: SettlementRun
    numbers: Mapping[str, int]


async def settlement_pdf(
    session: AsyncSession, agreement_id: UUID, caller: Claims, page: Page, now: datetime
) -> bytes:
    """A page about a final settlement, for either side. Raises `StateConflict` before that."""
    year = await _year(session, agreement_id, caller)
    document = legible_json(_document(year, page, now))
    timestamp = year.run.created_at
    return await asyncio.to_thread(_template.pdf, {"page": document}, timestamp=timestamp)


async def _year(session: AsyncSession, agreement_id: UUID, caller: Claims) -> _Year:
    agreement = await readable_agreement(session, agreement_id, caller)
    if agreement.state not in ("final", "refunded"):
        raise StateConflict(state=moves.NAMES[agreement.state])
    run = await last_run(session, agreement)
    programme = await session.get_one(Programme, agreement.programme_id)
    rows = await session.execute(
        select(ExpenseRow.id, ExpenseRow.number).where(ExpenseRow.agreement_id == agreement.id)
    )
    numbers = {str(expense): number for expense, number in rows}
    rules = (await plan_in_force(session, agreement)).rules
    return _Year(agreement, programme, rules, run, numbers)


def _document(year: _Year, page: Page, now: datetime) -> dict[str, Any]:
    result, sheet = year.run.result, year.run.result["statement"]
    notice = page == "notice"
    reference = f"정산 {year.run.seq}차 · 규정 {year.run.rule_set_sha256[:12]}"
    closing = (
        "위 금액을 통지받은 날부터 정한 기한 안에 반납하여 주시기 바랍니다."
        if notice
        else "위와 같이 당해 연도 사업비의 정산을 확정합니다."
    )
    return {
        "title": TITLES[page],
        "description": f"{year.agreement.title} {TITLES[page]}",
        "reference": reference,
        "agency": year.programme.agency_name,
        "programme": year.programme.name,
        "project": year.agreement.title,
        "institution": year.agreement.institution_name,
        "period": f"{year.agreement.year_start} ~ {year.agreement.year_end}",
        "settled_on": str(seoul_day(year.run.created_at)),
        "issued_on": f"{seoul_day(now):%Y. %m. %d.}",
        "amounts": _amounts(sheet),
        "return_won": sheet["return_won"],
        "items": [] if notice else [_item(line) for line in result["items"]],
        "grounds": _grounds(year.rules, result["by_ground"]) if notice else [],
        "disallowed": _lines(year, result["disallowances"]) if notice else [],
        "closing": closing,
    }


def _amounts(sheet: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parts the return is made of; the share of the interest is cut with the whole, once."""
    rest = sheet["return_won"] - sheet["unspent_won"] - sheet["disallowed_won"]
    carried = sheet.get("carried_over_won", 0)
    named = (
        ("정부지원금 집행 잔액", sheet["unspent_won"]),
        ("이월 승인액", -carried),
        ("불인정액(정부지원금)", sheet["disallowed_won"]),
        ("이자 중 정부지원금 해당액", rest + carried),
    )
    return [{"name": name, "won": won} for name, won in named if won or name != "이월 승인액"]


def _item(line: Mapping[str, Any]) -> dict[str, Any]:
    sums = {key: sum(line[key].values()) for key in ("planned", "spent", "disallowed")}
    return {"name": line["name"], **sums}


def _grounds(rules: RuleSet, by_ground: Mapping[str, int]) -> list[dict[str, Any]]:
    names = {str(g.number): f"{g.number}. {g.name.ko}" for g in rules.spending.recovery.grounds}
    return [{"name": names[str(number)], "won": won} for number, won in by_ground.items()]


def _lines(year: _Year, parts: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "number": year.numbers[part["expense_id"]],
            "rule": part["rule"],
            "message": part["message_ko"],
            "won": part["won"],
        }
        for part in sorted(parts, key=lambda part: year.numbers[part["expense_id"]])[:MAX_LINES]
    ]
