"""Finding institutions, the company registry behind mileage (M-008), and profiles (M-005)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.audit.service import Actor, record
from services.auth.errors import NAME_REQUIRED
from services.auth.institutions.models import Campus, Institution
from services.auth.institutions.rules import Kind, brn_finding, clean_text, plain_brn
from shared.problems import Finding, Invalid


@dataclass(frozen=True, slots=True)
class NamedCompany:
    """A company as someone wrote it down: number and name."""

    brn: str
    name: str


def note(
    session: AsyncSession,
    actor: Actor,
    institution: Institution,
    action: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    *,
    purpose: str | None = None,
) -> None:
    """Put on record what was done to an institution."""
    record(
        session,
        actor,
        action,
        object_type="institution",
        object_id=institution.id,
        institution_id=institution.id,
        before=before,
        after=after,
        purpose=purpose,
    )


async def lookup(session: AsyncSession, ids: Iterable[UUID]) -> Sequence[Institution]:
    query = select(Institution).where(Institution.id.in_(set(ids))).order_by(Institution.id)
    return (await session.scalars(query)).all()


async def campuses_by_institution(
    session: AsyncSession, ids: Iterable[UUID]
) -> dict[UUID, list[Campus]]:
    query = select(Campus).where(Campus.institution_id.in_(set(ids))).order_by(Campus.name)
    found: dict[UUID, list[Campus]] = {}
    for campus in await session.scalars(query):
        found.setdefault(campus.institution_id, []).append(campus)
    return found


def checked(companies: Sequence[NamedCompany], *, names_needed: bool) -> list[NamedCompany]:
    """The companies in clean writing; raises `Invalid` with every finding, by position."""
    findings: list[Finding] = []
    clean: list[NamedCompany] = []
    for place, company in enumerate(companies):
        brn, name = plain_brn(company.brn), clean_text(company.name)
        if (kind := brn_finding(brn)) is not None:
            findings.append(kind.at(f"/companies/{place}/brn", field="brn", value=company.brn))
        if names_needed and not name:
            findings.append(NAME_REQUIRED.at(f"/companies/{place}/name", field="name"))
        clean.append(NamedCompany(brn, name))
    if findings:
        raise Invalid(errors=findings)
    return clean


async def by_brn(session: AsyncSession, numbers: Iterable[str]) -> dict[str, Institution]:
    query = select(Institution).where(Institution.brn.in_(set(numbers)))
    return {str(row.brn): row for row in await session.scalars(query)}


async def add_companies(session: AsyncSession, companies: Iterable[NamedCompany]) -> set[UUID]:
    """Register companies that are not there yet; returns the ids of those we added.

    Two callers with the same new company at once: one adds it, the other waits and finds it.
    Sorted, so that they never wait for each other in a circle. The first name given stays.
    """
    wanted: dict[str, str] = {}
    for company in companies:
        wanted.setdefault(company.brn, company.name)
    if not wanted:
        return set()
    rows = [
        {"kind": Kind.COMPANY, "brn": brn, "name": name[:200]}
        for brn, name in sorted(wanted.items())
    ]
    statement = insert(Institution).values(rows).on_conflict_do_nothing(index_elements=["brn"])
    return set((await session.scalars(statement.returning(Institution.id))).all())
