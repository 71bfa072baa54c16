"""The operator's register of institutions, and what is known of companies (M-008, M-055)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.audit.service import Actor
from services.auth.errors import (
    BRN_REQUIRED,
    BRN_TAKEN,
    COMPANY_FIELD_ONLY,
    COMPANY_MERGED,
    COMPANY_NAME_DIFFERS,
    COMPANY_NOT_ACTIVE,
    KIND_FIXED,
    MERGE_TARGET,
)
from services.auth.institutions import profiles, rules
from services.auth.institutions.models import Institution
from services.auth.institutions.rules import Kind, Status, clean_text, plain_brn
from services.auth.institutions.service import note
from shared.problems import Finding, Invalid, NotFound


@dataclass(frozen=True, slots=True)
class Entry:
    """What the operator keeps of an institution. `status` is the business registry's word."""

    kind: Kind
    name: str
    brn: str | None
    corporate_no: str | None
    homepage: str | None
    capital_area: bool
    status: Status = Status.ACTIVE
    closed_on: date | None = None
    ceo_name: str | None = None
    company_size: str | None = None
    industry: str | None = None


def listed(
    *, kinds: list[Kind] | None, status: Status | None, text: str | None
) -> Select[Institution]:
    """Institutions by kind, status, and a part of the name or the beginning of the number."""
    query = select(Institution)
    if kinds:
        query = query.where(Institution.kind.in_(kinds))
    if status is not None:
        query = query.where(Institution.status == status)
    if text:
        named = Institution.name.icontains(text, autoescape=True)
        query = query.where(or_(named, Institution.brn.startswith(text, autoescape=True)))
    return query


async def enter(session: AsyncSession, entry: Entry, *, actor: Actor, now: datetime) -> Institution:
    """Register an institution. Raises `Invalid` for a bad or taken business number."""
    clean = await _checked(session, entry, None)
    institution = Institution(**asdict(clean), registry_checked_at=now)
    async with _number_may_be_taken(session, clean):
        session.add(institution)
    note(session, actor, institution, "institution.registered", None, _facts(institution))
    return institution


async def correct(
    session: AsyncSession,
    institution_id: UUID,
    entry: Entry,
    *,
    seen: int,
    actor: Actor,
    now: datetime,
) -> Institution:
    """Correct a register entry. Suspension is a measure of its own, not a correction."""
    institution = await profiles.locked(session, institution_id, seen)
    clean = await _checked(session, entry, institution)
    before = _facts(institution)
    kept = institution.status if institution.status == Status.SUSPENDED else clean.status
    async with _number_may_be_taken(session, clean):
        for name, value in (asdict(clean) | {"status": kept}).items():
            setattr(institution, name, value)
        institution.registry_checked_at = now
        institution.version += 1
    note(session, actor, institution, "institution.corrected", before, _facts(institution))
    return institution


async def merge(
    session: AsyncSession, institution_id: UUID, into_brn: str, *, seen: int, actor: Actor
) -> Institution:
    """Note that a company became part of another: linked, and nothing is rewritten (M-055)."""
    # Both locked, in one order everywhere: of two merges that would make a circle one sees the
    # other. The lower id may be the target's.
    pair = or_(Institution.id == institution_id, Institution.brn == plain_brn(into_brn))
    query = select(Institution).where(pair).order_by(Institution.id).with_for_update()
    found = {row.id: row for row in await session.scalars(query)}
    institution = await profiles.locked(session, institution_id, seen)
    target = next((row for row in found.values() if row.id != institution_id), None)
    both = {Kind.COMPANY} == {row.kind for row in (institution, target) if row is not None}
    if target is None or target.merged_into_id is not None or not both:
        raise Invalid(errors=[MERGE_TARGET.at("/into_brn", field="into_brn")])
    institution.merged_into_id = target.id
    institution.status = Status.CLOSED
    institution.version += 1
    note(session, actor, institution, "institution.merged", None, {"into": target.brn})
    return institution


@asynccontextmanager
async def _number_may_be_taken(session: AsyncSession, entry: Entry) -> AsyncIterator[None]:
    """Save what is done inside; a business number taken since we looked is a finding."""
    try:
        async with session.begin_nested():
            yield
    except IntegrityError as error:
        taken = BRN_TAKEN.at("/brn", field="brn", name=entry.name)
        raise Invalid(errors=[taken]) from error


async def _checked(session: AsyncSession, entry: Entry, own: Institution | None) -> Entry:
    facts = asdict(entry) | {"name": clean_text(entry.name)}
    facts["brn"] = plain_brn(entry.brn) if entry.brn else None
    findings: list[Finding] = []
    if own is not None and not rules.may_become(own.kind, entry.kind):
        findings.append(KIND_FIXED.at("/kind", field="kind"))
    if entry.kind != Kind.COMPANY:
        given = [name for name in profiles.COMPANY_FIELDS if facts[name] is not None]
        findings += [COMPANY_FIELD_ONLY.at(f"/{name}", field=name) for name in given]
    if facts["brn"] is None and entry.kind == Kind.COMPANY:
        findings.append(BRN_REQUIRED.at("/brn", field="brn"))
    if facts["brn"] is not None:
        wrong = rules.brn_finding(facts["brn"])
        if wrong is not None:
            findings.append(wrong.at("/brn", field="brn", value=entry.brn))
        else:
            query = select(Institution).where(Institution.brn == facts["brn"])
            other = await session.scalar(query)
            if other is not None and other is not own:
                findings.append(BRN_TAKEN.at("/brn", field="brn", name=other.name))
    if findings:
        raise Invalid(errors=findings)
    return Entry(**facts)


# --- companies as others see them ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CompanyCheck:
    """A company as somebody wrote it down, beside what the register knows of it."""

    brn: str
    company: Institution | None
    shown_name: str
    findings: list[Finding]


async def company(session: AsyncSession, brn: str) -> tuple[Institution, Institution | None]:
    """A company by its number, and the one that goes on for it, if it was merged; raises
    `NotFound`."""
    query = select(Institution).where(
        Institution.brn == plain_brn(brn), Institution.kind == Kind.COMPANY
    )
    found = await session.scalar(query)
    if found is None:
        raise NotFound
    return found, await _merged_into(session, found)


async def check_company(session: AsyncSession, brn: str, name: str) -> CompanyCheck:
    """Check a number and a name before they are used: a wrong number is an error, a differing
    name only a warning (M-008)."""
    number, given = plain_brn(brn), clean_text(name)
    wrong = rules.brn_finding(number)
    if wrong is not None:
        return CompanyCheck(number, None, given, [wrong.at("/brn", field="brn", value=brn)])
    found = await session.scalar(select(Institution).where(Institution.brn == number))
    if found is None:
        return CompanyCheck(number, None, given, [])
    findings: list[Finding] = []
    if rules.plain_company_name(given) != rules.plain_company_name(found.name):
        findings.append(
            COMPANY_NAME_DIFFERS.at("/name", field="name", given=given, registered=found.name)
        )
    successor = await _merged_into(session, found)
    if successor is not None:
        findings.append(
            COMPANY_MERGED.at("/brn", field="brn", name=successor.name, brn=successor.brn)
        )
    elif found.status in {Status.DORMANT, Status.CLOSED}:
        findings.append(COMPANY_NOT_ACTIVE.at("/brn", field="brn"))
    return CompanyCheck(number, found, rules.shown_name(given, found.name), findings)


async def _merged_into(session: AsyncSession, found: Institution) -> Institution | None:
    """The company that goes on after every merger that followed."""
    last = found
    while last.merged_into_id is not None:  # ends: merging never closes a circle
        last = await session.get_one(Institution, last.merged_into_id)
    return None if last is found else last


def _facts(institution: Institution) -> dict[str, Any]:
    names = ("kind", "name", "brn", "status", "homepage", "capital_area", "company_size")
    return {name: getattr(institution, name) for name in names}
