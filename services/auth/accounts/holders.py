"""Who a token is for: what it says of its holder, and what decides whether there is one.

Read in one statement, because every login and every refresh does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts.rules import Role, Status
from services.auth.institutions.rules import Status as InstitutionStatus

COLUMNS = """
    account.id, account.institution_id, account.role, account.status, account.pv, account.password,
    account.parent_id IS NULL AS lead, account.must_change_password,
    account.totp_confirmed_at IS NOT NULL OR account.passkeys > 0 AS has_second_factor,
    institution.kind, institution.status AS institution_status,
    ARRAY(
        SELECT field FROM field_permission
        WHERE account_id = account.id AND enabled ORDER BY field
    ) AS fields
"""
"""Of `account` and `institution`."""

_FIND = text(f"""
SELECT {COLUMNS} FROM account JOIN institution ON institution.id = account.institution_id
WHERE account.id = :id
""")  # noqa: S608  # our own words


@dataclass(frozen=True, slots=True)
class Holder:
    """As the database had him at one moment. While `pv` is the same, so is all the rest but
    `has_second_factor`: whoever changes what an account may do, or its password, raises it.
    `fields` are the accrual fields of a sub-account; None for accounts that are not limited."""

    id: UUID
    institution_id: UUID
    institution_kind: str
    role: Role
    lead: bool
    fields: list[str] | None
    pv: int
    status: Status
    is_open: bool
    password: str | None
    must_change_password: bool
    has_second_factor: bool


def holder_of(row: Mapping[Any, Any]) -> Holder:
    """Of a row with `COLUMNS`."""
    role, status = Role(row["role"]), Status(row["status"])
    suspended = row["institution_status"] == InstitutionStatus.SUSPENDED
    return Holder(
        id=row["id"],
        institution_id=row["institution_id"],
        institution_kind=row["kind"],
        role=role,
        lead=row["lead"],
        fields=row["fields"] if role is Role.SUB_ACCOUNT else None,
        pv=row["pv"],
        status=status,
        is_open=status is Status.ACTIVE and not suspended,
        password=row["password"],
        must_change_password=row["must_change_password"],
        has_second_factor=row["has_second_factor"],
    )


async def find(session: AsyncSession, account_id: UUID) -> Holder:
    found = await session.execute(_FIND, {"id": account_id})
    return holder_of(found.mappings().one())
