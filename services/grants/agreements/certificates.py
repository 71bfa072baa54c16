"""Certificates of the programme (수료증, G-007): who earned one, issued, printed, revoked."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.agreements.duties import records_of
from services.grants.agreements.models import (
    Agreement,
    CompletionCertificate,
    certificate_numbers,
)
from services.grants.agreements.rules import STUDENT, Standing, standing
from services.grants.agreements.service import (
    own_agreement,
    project_number,
    readable_agreement,
    rules_of_agreement,
)
from services.grants.agreements.years import years_of_project
from services.grants.errors import CertificateIssued
from services.grants.programmes.models import Programme
from services.grants.programmes.service import note
from shared.clock import seoul_day
from shared.problems import Invalid, NotFound, StateConflict
from shared.tokens import Claims
from shared.typeset import Template, legible_json

TITLE: Final = "수료증"
REVOKED: Final = "취소된 수료증"
_template = Template(Path(__file__).parent / "certificate.typ")


async def standings(session: AsyncSession, agreement_id: UUID, caller: Claims) -> list[Standing]:
    """Every student of the project against the conditions, over all its years."""
    agreement = await readable_agreement(session, agreement_id, caller)
    return list((await _standings(session, agreement)).values())


async def issue(
    session: AsyncSession,
    agreement_id: UUID,
    institution_id: UUID,
    caller: Claims,
    *,
    student: str,
    now: datetime,
) -> CompletionCertificate:
    """Issue a numbered certificate to who earned it.

    Raises `Invalid` with each condition that is not met, `NotFound` for nobody's reference, or
    `CertificateIssued`.
    """
    await own_agreement(session, agreement_id, institution_id)
    agreement = await session.get_one(Agreement, agreement_id, with_for_update=True)
    found = (await _standings(session, agreement)).get(student)
    if found is None:
        raise NotFound
    if not found.earned:
        raise Invalid(errors=found.findings)
    if agreement.project_no is None:  # agreed on before projects had numbers
        agreement.project_no = await project_number(session, agreement)
    number = await session.scalar(select(certificate_numbers.next_value()))
    certificate = CompletionCertificate(
        agreement_id=agreement.id,
        programme_id=agreement.programme_id,
        project_no=agreement.project_no,
        number=f"{seoul_day(now):%Y}-{number:05}",
        student_ref=found.ref,
        student_name=found.name,
        facts=dict(found.counts),
        issued_by=caller.sub,
        issued_at=now,
    )
    session.add(certificate)
    try:
        await session.flush()
    except IntegrityError as error:
        if "uq_completion_certificate_valid" in str(error.orig):
            raise CertificateIssued from error
        raise
    note(session, "certificate", certificate.id, "issue", caller, reason=certificate.number)
    await session.refresh(certificate)
    return certificate


async def revoke(
    session: AsyncSession, certificate_id: UUID, caller: Claims, reason: str, now: datetime
) -> CompletionCertificate:
    """Take a certificate back, by either side; it stays on the list with the reason."""
    certificate = await readable_certificate(session, certificate_id, caller)
    await session.refresh(certificate, with_for_update=True)
    if certificate.revoked_at is not None:
        raise StateConflict(state=REVOKED)
    certificate.revoked_at, certificate.revoked_by = now, caller.sub
    certificate.revoke_reason = reason
    note(session, "certificate", certificate.id, "revoke", caller, reason=reason)
    await session.flush()
    return certificate


async def certificates_of(
    session: AsyncSession, agreement_id: UUID, caller: Claims
) -> Sequence[CompletionCertificate]:
    """The certificates of the project, over all its years."""
    agreement = await readable_agreement(session, agreement_id, caller)
    ids = [year.id for year in await years_of_project(session, agreement)]
    query = select(CompletionCertificate).where(CompletionCertificate.agreement_id.in_(ids))
    return (await session.scalars(query.order_by(CompletionCertificate.id).limit(1000))).all()


async def readable_certificate(
    session: AsyncSession, certificate_id: UUID, caller: Claims
) -> CompletionCertificate:
    certificate = await session.get(CompletionCertificate, certificate_id)
    if certificate is None:
        raise NotFound
    await readable_agreement(session, certificate.agreement_id, caller)
    return certificate


async def certificate_pdf(
    session: AsyncSession, certificate_id: UUID, caller: Claims
) -> tuple[bytes, str]:
    """The certificate as a page, and its number. Raises `StateConflict` once it was revoked."""
    certificate = await readable_certificate(session, certificate_id, caller)
    if certificate.revoked_at is not None:
        raise StateConflict(state=REVOKED)
    agreement = await session.get_one(Agreement, certificate.agreement_id)
    page = legible_json(await _page(session, certificate, agreement))
    note(session, "certificate", certificate.id, "print", caller, reason=certificate.number)
    pdf = await asyncio.to_thread(_template.pdf, {"page": page}, timestamp=certificate.issued_at)
    return pdf, certificate.number


async def _page(
    session: AsyncSession, certificate: CompletionCertificate, agreement: Agreement
) -> dict[str, Any]:
    rules = await rules_of_agreement(session, agreement)
    programme = await session.get_one(Programme, agreement.programme_id)
    names = {counter.code: counter.name.ko for counter in rules.call.counters}
    return {
        "title": TITLE,
        "number": certificate.number,
        "course": rules.call.completion.name.ko,
        "programme": programme.name,
        "project": agreement.title,
        "project_no": certificate.project_no,
        "name": certificate.student_name,
        "reference": certificate.student_ref,
        "facts": [
            {"name": names.get(code, code), "value": str(value)}
            for code, value in certificate.facts.items()
        ],
        "issued_on": f"{seoul_day(certificate.issued_at):%Y. %m. %d.}",
        "institution": agreement.institution_name,
        "rule": f"{rules.call.completion.rule} · {rules.call.completion.citation}",
    }


async def _standings(session: AsyncSession, agreement: Agreement) -> dict[str, Standing]:
    """Students by reference; one registered in several years counts once, as last written."""
    rules = await rules_of_agreement(session, agreement)
    records = await records_of(session, rules, await years_of_project(session, agreement))
    return {
        str(record.body["ref"]): standing(rules, record, records)
        for record in records
        if record.kind == STUDENT
    }
