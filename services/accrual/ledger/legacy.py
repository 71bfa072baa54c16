"""Mileage from before the reform of 2022-03-01: brought along, and extinguished (M-021).

An institution's old points become two entries, so that its history is told and its balance is zero:
they are there until the end of 2022-02-28, and expire as the reform begins.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.ledger import errors, rules, service
from services.accrual.ledger.rules import EXPIRY, ISSUANCE, Kind, NewTransfer
from shared.clock import SEOUL
from shared.problems import Finding, Invalid

REFORM: Final = date(2022, 3, 1)
_REFORM_BEGINS: Final = datetime.combine(REFORM, time(), SEOUL)
_BROUGHT: Final = "개편 전 마일리지 이관"
_EXPIRED: Final = "개편 전 마일리지 소멸"
_REFERENCE: Final = "legacy"


@dataclass(frozen=True, slots=True)
class OldBalance:
    institution_id: UUID
    points: int


async def extinguish(session: AsyncSession, balances: Sequence[OldBalance]) -> int:
    """Bring old balances along and let them expire, all or none; how many are new.

    May be repeated: a balance is imported once. Raises `TransferConflict` when an institution was
    imported with other points, `Invalid` for none or too many.
    """
    moves = [move for one in balances for move in _moves(one)]
    fresh = 0
    for start in range(0, len(moves), rules.MAX_BATCH):  # an even number: pairs stay together
        fresh += await service.post_transfers(session, moves[start : start + rules.MAX_BATCH])
    return fresh // 2


def read_balances(lines: Iterable[str]) -> list[OldBalance]:
    """From CSV with the columns `institution_id` and `points`; rows without points are left out.

    Raises `Invalid` with every bad row.
    """
    balances: dict[UUID, OldBalance] = {}
    findings: list[Finding] = []
    for row, cells in enumerate(csv.DictReader(lines), 2):
        try:
            one = OldBalance(
                UUID(cells.get("institution_id") or ""), int(cells.get("points") or "")
            )
        except ValueError:
            findings.append(errors.LEGACY_ROW.at(f"/{row}", row=row))
            continue
        if one.points < 0 or one.institution_id in balances or rules.is_system(one.institution_id):
            findings.append(errors.LEGACY_ROW.at(f"/{row}", row=row))
        balances[one.institution_id] = one
    if findings:
        raise Invalid(errors=findings)
    return [one for one in balances.values() if one.points]


def _moves(one: OldBalance) -> tuple[NewTransfer, NewTransfer]:
    """Ids are made of the institution's: the same balance twice is a replay."""
    brought = NewTransfer(
        id=uuid5(one.institution_id, "legacy brought along"),
        kind=Kind.MIGRATION,
        debit_account=ISSUANCE,
        credit_account=one.institution_id,
        amount=one.points,
        effective_at=_REFORM_BEGINS - timedelta(microseconds=1),
        title=_BROUGHT,
        reference=_REFERENCE,
    )
    expired = NewTransfer(
        id=uuid5(one.institution_id, "legacy expired"),
        kind=Kind.EXPIRY,
        debit_account=one.institution_id,
        credit_account=EXPIRY,
        amount=one.points,
        effective_at=_REFORM_BEGINS,
        title=_EXPIRED,
        reference=_REFERENCE,
    )
    return brought, expired
