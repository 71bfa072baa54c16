"""The rules, applied to an application as it lies in the database.

One function for the preview, the submission and the approval, so that they cannot disagree.
"""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import any_, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual import errors
from services.accrual.applications import cells, evidence
from services.accrual.applications.columns import COLUMNS
from services.accrual.applications.models import (
    Application,
    ApplicationCompany,
    ApplicationRow,
    Claim,
    ContractCredit,
)
from services.accrual.applications.rows import RawRow, Row, raw_rows
from services.accrual.applications.rules import Checked, check_evidence, check_rows
from services.accrual.criteria.rules import Assessment, FieldRule, Posted
from services.accrual.criteria.service import field_rule
from shared.problems import Finding


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checks say of an application on a day."""

    rule: FieldRule
    raw: Sequence[RawRow]
    checked: Checked
    findings: tuple[Finding, ...]

    @property
    def is_valid(self) -> bool:
        return not any(finding.is_error for finding in self.findings)

    def with_findings(self, more: Iterable[Finding]) -> "Verdict":
        return replace(self, findings=(*self.findings, *more))


async def judge(
    session: AsyncSession,
    application: Application,
    *,
    today: date,
    max_rows: int,
    without: Sequence[int] = (),
    lock_contracts: bool = False,
) -> Verdict:
    """Every check: rows, evidence, claims of others. `without` are rejected rows.

    The day of the first submission counts, not the day of a correction (M-022).
    """
    rule = field_rule(application.field, application.applied_on or today)
    raw = await load_rows(session, application, without=without)
    posted = await posted_contracts(session, application, raw, rule, lock=lock_contracts)
    attached = await evidence.kinds_attached(session, application.id)
    checked = await asyncio.to_thread(
        check_rows,
        rule,
        raw,
        today=application.applied_on or today,
        posted=posted,
        evidence=attached,
        max_rows=max_rows,
    )
    findings = [
        *checked.findings,
        *check_evidence(rule, attached),
        *await claimed_by_others(session, application, checked.rows),
    ]
    return Verdict(rule, raw, checked, tuple(findings))


async def load_rows(
    session: AsyncSession, application: Application, *, without: Sequence[int] = ()
) -> list[RawRow]:
    query = (
        select(ApplicationRow.number, ApplicationRow.cells)
        .where(ApplicationRow.application_id == application.id)
        .order_by(ApplicationRow.number)
    )
    left_out = frozenset(without)
    found = [(number, cells) for number, cells in await session.execute(query)]
    return raw_rows(
        COLUMNS[application.field],
        ((number, cells) for number, cells in found if number not in left_out),
    )


async def posted_contracts(
    session: AsyncSession,
    application: Application,
    raw: Sequence[RawRow],
    rule: FieldRule,
    *,
    lock: bool = False,
) -> dict[tuple[str, str], Posted]:
    """What earlier applications posted for the contracts of these companies (M-031)."""
    if rule.basis != "contract" or application.test_mode:
        return {}
    position = [column.key for column in COLUMNS[rule.code]].index("brn")
    brns = {brn for row in raw if isinstance(brn := cells.brn(row.cells[position]), str)}
    query = select(ContractCredit).where(
        ContractCredit.institution_id == application.institution_id,
        ContractCredit.field == rule.code,
        ContractCredit.brn.in_(brns),
    )
    if lock:
        query = query.order_by(ContractCredit.brn, ContractCredit.contract).with_for_update()
    return {
        (credit.brn, credit.contract): Posted(
            credit.deposited_won, credit.eligible_won, credit.points
        )
        for credit in await session.scalars(query)
    }


def live_keys(application: Application, rows: Iterable[Row]) -> list[bytes]:
    """The keys under which claims are unique; the sandbox has claims of its own.

    A gift without a pledge's number is told from others of that day by who received it.
    """
    sandbox = b"test" if application.test_mode else b""
    receiver = sandbox + application.institution_id.bytes

    def live_key(row: Row) -> bytes:
        is_gift = row.contract is not None and "contract_no" not in row.values
        apart = receiver if is_gift else sandbox
        return hashlib.sha256(apart + row.key).digest() if apart else row.key

    return list(map(live_key, rows))


async def claimed_by_others(
    session: AsyncSession, application: Application, rows: Sequence[Row]
) -> list[Finding]:
    """DUPLICATE_CLAIM for rows that another live application holds (M-020)."""
    by_key = dict(zip(live_keys(application, rows), rows, strict=True))
    hexes = ",".join(map(bytes.hex, by_key))
    keys = select(func.decode(func.unnest(func.string_to_array(hexes, ",")), "hex"))
    query = (
        select(Claim.key, Application.number)
        .join(Application, Application.id == Claim.application_id)
        .where(
            Claim.live,
            # One text, not a parameter a row, which takes longer than the search; and an array,
            # for which the index is used whatever the statistics say.
            Claim.key == any_(func.array(keys.scalar_subquery())),
            Claim.application_id != application.id,
        )
    )
    taken = {by_key[bytes(key)].number: number for key, number in await session.execute(query)}
    return duplicates(taken)


def duplicates(taken: Mapping[int, str | None]) -> list[Finding]:
    """DUPLICATE_CLAIM for each row number in `taken`, which names the other application."""
    return [
        errors.DUPLICATE_CLAIM.at(f"/rows/{row}/brn", row=row, field="brn", number=number or "-")
        for row, number in sorted(taken.items())
    ]


async def store_summary(
    session: AsyncSession, application: Application, checked: Checked | None
) -> None:
    """Keep the totals of the last check with the application (M-016)."""
    assessment = checked.assessment if checked else Assessment(())
    names = checked.names if checked else {}
    known = {
        company.brn: company
        for company in await session.execute(
            select(
                ApplicationCompany.brn,
                ApplicationCompany.registered_name,
                ApplicationCompany.registered_status,
                ApplicationCompany.closed_on,
                ApplicationCompany.institution_id,
            ).where(ApplicationCompany.application_id == application.id)
        )
    }
    await session.execute(
        delete(ApplicationCompany).where(ApplicationCompany.application_id == application.id)
    )
    records: list[dict[str, Any]] = [
        {
            "application_id": application.id,
            "brn": company.brn,
            "position": position,
            "name": names[company.brn],
            **_registered(known.get(company.brn)),
            "row_count": company.rows,
            "quantity": company.quantity,
            "mileage": company.points,
            "contracts": [
                {
                    "contract": line.contract,
                    "quantity": line.quantity,
                    "earlier": line.earlier,
                    "points": line.points,
                }
                for line in company.contracts
            ],
        }
        for position, company in enumerate(assessment.companies, 1)
    ]
    if records:
        await session.execute(insert(ApplicationCompany), records)
    application.company_count = len(records)
    application.mileage = assessment.total


def _registered(known: Any) -> dict[str, Any]:
    """What the registry said of a company before; a new total does not change that."""
    names = ("registered_name", "registered_status", "closed_on", "institution_id")
    return {name: getattr(known, name, None) for name in names}
