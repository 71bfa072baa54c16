"""Bringing in many institutions by one sheet: everything in it is right, or nothing is saved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts import credentials
from services.auth.accounts.credentials import Desk
from services.auth.accounts.models import Account
from services.auth.audit.service import Actor
from services.auth.institutions.models import Institution
from services.auth.institutions.service import note
from services.auth.membership import rules
from services.auth.membership.rules import Line, Sheet
from services.auth.sheets import NumberedRow
from shared.db import Sessions
from shared.problems import Invalid


@dataclass(frozen=True, slots=True)
class TakenIn:
    line: Line
    institution: Institution | None


async def take_in(
    sessions: Sessions,
    desk: Desk,
    sheets: Sequence[Sequence[NumberedRow]],
    *,
    save: bool,
    actor: Actor,
    now: datetime,
) -> list[TakenIn]:
    """Register the institutions of a sheet, each with a lead account that is invited by mail.

    Without `save` the same checks run and nothing changes. Raises `Invalid` with every finding of
    every row.
    """
    sheet = rules.read(sheets)
    try:
        async with sessions.begin() as session:
            await _refuse_bad(session, sheet)
            if not save:
                return [TakenIn(line, None) for line in sheet.lines]
            return [
                await _take_in(session, desk, line, actor=actor, now=now) for line in sheet.lines
            ]
    except IntegrityError:  # taken between our look and now: say which
        async with sessions() as session:
            await _refuse_bad(session, sheet)
        raise


async def _refuse_bad(session: AsyncSession, sheet: Sheet) -> None:
    values = {claim.value for claim in sheet.claims}
    brns = await session.scalars(select(Institution.brn).where(Institution.brn.in_(values)))
    ids = await session.scalars(select(Account.login_id).where(Account.login_id.in_(values)))
    known = rules.taken(sheet.claims, {brn for brn in brns if brn}, set(ids))
    findings = [*sheet.findings, *known]
    if findings:
        raise Invalid(errors=sorted(findings, key=lambda finding: finding.row or 0))


async def _take_in(
    session: AsyncSession, desk: Desk, line: Line, *, actor: Actor, now: datetime
) -> TakenIn:
    institution = Institution(
        kind=line.kind,
        name=line.name,
        brn=line.brn,
        homepage=line.homepage,
        capital_area=line.capital_area,
        postcode=line.postcode,
        address=line.address,
        phone=line.phone,
        university_code=line.university_code,
        manager_name=line.person,
        manager_department=line.department,
        manager_mobile=line.mobile,
        manager_email=line.email,
    )
    session.add(institution)
    await session.flush()  # the account needs the id
    account = Account(
        login_id=line.login_id,
        institution_id=institution.id,
        role=rules.LEAD_ROLE[line.kind],
        name=line.person,
        department=line.department,
        phone=line.phone,
        mobile=line.mobile,
        email=line.email,
    )
    session.add(account)
    await session.flush()  # the invitation needs the id
    await credentials.give_initial(session, desk, account, institution, now=now)
    after = {"kind": line.kind, "name": line.name, "brn": line.brn, "login_id": line.login_id}
    note(session, actor, institution, "institution.registered", after=after)
    return TakenIn(line, institution)
