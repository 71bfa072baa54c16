"""Use cases of certificates: issue, reissue, revoke, take home, verify (M-052).

A certificate is never changed. Its state is worked out from the day and from whether a revocation
exists; a reissue is a new certificate that names the one it repeats.
"""

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import anyio.to_thread
import orjson
import structlog
from sqlalchemy import ColumnElement, Select, func, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.certificates import rendering, rules
from services.accrual.certificates.errors import CertificateNotFound
from services.accrual.certificates.models import (
    NUMBERS,
    Certificate,
    CertificateEvent,
    CertificateRevocation,
)
from services.accrual.certificates.rules import Result
from services.accrual.clients import Institution, Registry
from services.accrual.criteria.service import versions
from services.accrual.ledger import checkpoints
from services.accrual.ledger.checkpoints import Proof
from services.accrual.ledger.models import Account, Entry, Transfer
from services.accrual.settings import Settings
from shared import typeset
from shared.caller import institution_of
from shared.clock import SEOUL, seoul_day
from shared.files import Files
from shared.logs import trace_id
from shared.paging import PageRequest, paginate
from shared.problems import Invalid, PermissionDenied, StateConflict
from shared.tokens import Claims

log = structlog.get_logger()

DOCUMENT_TYPE = "sanhak-mileage.certificate/1"
SEES_ALL = frozenset({"operator", "ministry"})
MAX_FILE_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be certified: the day, and what the paper is for and goes to, if that is said."""

    as_of: date
    purpose: str | None = None
    recipient: str | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate, and its revocation if there is one."""

    certificate: Certificate
    revocation: CertificateRevocation | None

    def result(self, now: datetime) -> Result:
        return rules.result(
            revoked=self.revocation is not None,
            last_day=self.certificate.valid_until,
            today=seoul_day(now),
        )


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An account as its first `version` entries tell it; `head` is the hash of the last of them.

    `proof` is its newest state that a checkpoint signed, which may be an earlier one.
    """

    version: int
    head: str
    points: dict[str | None, int]
    proof: Proof | None = None


@dataclass(frozen=True, slots=True)
class Press:
    """What issuing needs beside the database: the registry's names, the store, the settings."""

    registry: Registry
    files: Files
    settings: Settings


async def issue(
    session: AsyncSession, press: Press, claims: Claims, wanted: Wanted, *, now: datetime
) -> Issued:
    """A certificate of the caller's institution.

    Raises `Invalid` (AS_OF_FUTURE, GLYPH_MISSING), `PermissionDenied` for a sub-account limited to
    some fields and for sandbox tokens, `UpstreamUnavailable`.
    """
    rules.check_as_of(wanted.as_of, seoul_day(now))
    return await _issue(session, press, claims, wanted, original=None, now=now)


async def reissue(
    session: AsyncSession, press: Press, claims: Claims, certificate_id: UUID, *, now: datetime
) -> Issued:
    """The same day once more, as the ledger knows it now, with a number and 90 days of its own.

    Raises `CertificateNotFound`, `StateConflict` (revoked), and what `issue` raises.
    """
    found = await find(session, claims, certificate_id)
    original = found.certificate
    if original.institution_id != institution_of(claims):
        raise PermissionDenied
    if found.revocation is not None:
        raise StateConflict(state="폐기")
    said = original.document
    wanted = Wanted(original.as_of, said["purpose"], said["recipient"])
    return await _issue(session, press, claims, wanted, original=original, now=now)


async def revoke(
    session: AsyncSession, claims: Claims, certificate_id: UUID, *, reason: str, now: datetime
) -> Issued:
    """The operator withdraws a certificate. Raises `StateConflict` if it is withdrawn already."""
    if claims.institution_kind != "operator":
        raise PermissionDenied
    certificate = (await find(session, claims, certificate_id)).certificate
    fresh = await session.scalar(
        insert(CertificateRevocation)
        .values(certificate_id=certificate.id, at=now, by=claims.sub, reason=reason)
        .on_conflict_do_nothing()
        .returning(CertificateRevocation.certificate_id)
    )
    if fresh is None:
        raise StateConflict(state="폐기")
    _record(session, claims, certificate, "revoke")
    revocation = await session.get_one(CertificateRevocation, certificate.id)
    return Issued(certificate, revocation)


async def find(session: AsyncSession, claims: Claims, certificate_id: UUID) -> Issued:
    """Raises `CertificateNotFound`, for another institution's certificate too."""
    query = _issued().where(Certificate.id == certificate_id, _visible_to(claims))
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise CertificateNotFound
    return Issued(*row)


async def certificates(
    session: AsyncSession, claims: Claims, page: PageRequest, *, institution_id: UUID | None = None
) -> tuple[Sequence[Any], str | None, int]:
    """Certificates the caller may see, the newest first; the next cursor; how many there are."""
    query = _issued().where(_visible_to(claims))
    if institution_id is not None:
        query = query.where(Certificate.institution_id == institution_id)
    rows, cursor, total = await paginate(session, query, keys=[Certificate.id], page=page)
    return [Issued(*row) for row in rows], cursor, total


async def history(
    session: AsyncSession, claims: Claims, certificate_id: UUID, page: PageRequest
) -> tuple[Sequence[Any], str | None, int]:
    """Who did what with a certificate, the newest first. Raises `CertificateNotFound`."""
    await find(session, claims, certificate_id)
    query = select(CertificateEvent).where(CertificateEvent.certificate_id == certificate_id)
    return await paginate(session, query, keys=[CertificateEvent.id], page=page)


async def take(session: AsyncSession, claims: Claims, certificate_id: UUID) -> Certificate:
    """The certificate whose file the caller downloads; that it was is recorded (A7)."""
    certificate = (await find(session, claims, certificate_id)).certificate
    _record(session, claims, certificate, "download")
    return certificate


async def verify(session: AsyncSession, *, number: str, key: str, now: datetime) -> Issued:
    """The certificate with this number, for whoever also knows its second key.

    Raises `Invalid` (NUMBER_MISTYPED) or `CertificateNotFound`, the same for an unknown number and
    for another key.
    """
    query = _issued().where(Certificate.verification_number == rules.parse_number(number))
    row = (await session.execute(query)).one_or_none()
    # Compared even if there is nothing to compare with: an answer takes as long either way.
    expected = row[0].key if row is not None else "-"
    fits = hmac.compare_digest(expected.encode(), rules.parse_key(key).encode())
    if row is None or not fits:
        log.info("certificate_not_verified")
        raise CertificateNotFound
    found = Issued(*row)
    log.info("certificate_verified", number=found.certificate.number, result=found.result(now))
    return found


async def is_the_issued_file(certificate: Certificate, chunks: AsyncIterator[bytes]) -> bool:
    """Whether a file is the issued one, byte for byte. Reads at most `MAX_FILE_BYTES`."""
    digest, size = hashlib.sha256(), 0
    async for chunk in chunks:
        size += len(chunk)
        if size > MAX_FILE_BYTES:
            return False
        digest.update(chunk)
    return hmac.compare_digest(digest.hexdigest(), certificate.file_sha256)


async def snapshot(session: AsyncSession, institution_id: UUID, as_of: date) -> Snapshot:
    """The balance by field at the end of a Korean day, as known now.

    Entries are never changed and numbered without gaps, so those up to the account's version are
    one state of it, whatever is posted meanwhile.
    """
    account = (
        await session.execute(
            select(Account.version, Account.head).where(Account.id == institution_id)
        )
    ).one_or_none()
    if account is None:
        return Snapshot(0, "", {})
    end = datetime.combine(as_of + timedelta(days=1), time(), SEOUL)
    found = await session.execute(
        select(Transfer.field, func.sum(Entry.amount))
        .join(Transfer, Transfer.id == Entry.transfer_id)
        .where(Entry.account_id == institution_id, Entry.version <= account.version)
        .where(Entry.effective_at < end)
        .group_by(Transfer.field)
    )
    points = {field: int(amount) for field, amount in found}
    proof = await checkpoints.proof_of(session, institution_id)
    return Snapshot(account.version, account.head.hex(), points, proof)


async def _issue(
    session: AsyncSession,
    press: Press,
    claims: Claims,
    wanted: Wanted,
    *,
    original: Certificate | None,
    now: datetime,
) -> Issued:
    if claims.fields is not None or claims.test_mode:
        raise PermissionDenied  # a certificate tells the whole balance, of the real ledger
    institution = await press.registry.institution(institution_of(claims))
    number = await session.scalar(select(NUMBERS.next_value()))
    verification_number = rules.verification_number(secrets.token_bytes(rules.RANDOM_BYTES))
    code = None if institution.brn else rules.base32(secrets.token_bytes(rules.KEY_BYTES))
    state = await snapshot(session, institution.institution_id, wanted.as_of)
    document = _document(
        institution,
        wanted,
        state,
        issuer=press.settings.certificate_issuer,
        number=f"{seoul_day(now).year}-{number:06}",
        verification_number=rules.show_number(verification_number),
        original=original,
        now=now,
    )
    pdf = await _print(press.settings, document, code=code, now=now)
    certificate = Certificate(
        number=document["number"],
        verification_number=verification_number,
        key=institution.brn or code,
        institution_id=institution.institution_id,
        institution_name=document["institution"]["name"],
        brn=institution.brn,
        as_of=wanted.as_of,
        balance=document["balance"],
        document=document,
        issued_at=now,
        issued_by=claims.sub,
        valid_until=rules.valid_until(seoul_day(now)),
        reissue_of=None if original is None else original.id,
        file_key=f"certificates/{verification_number}.pdf",
        file_sha256=hashlib.sha256(pdf).hexdigest(),
        file_size=len(pdf),
    )
    session.add(certificate)
    await session.flush()
    _record(session, claims, certificate, "issue" if original is None else "reissue")
    await press.files.put(certificate.file_key, f"{certificate.number}.pdf", _once(pdf))
    return Issued(certificate, None)


def _document(
    institution: Institution,
    wanted: Wanted,
    state: Snapshot,
    *,
    issuer: str,
    number: str,
    verification_number: str,
    original: Certificate | None,
    now: datetime,
) -> dict[str, Any]:
    """What the certificate says, for machines; the page is drawn from it."""
    names = {rule.code: rule.ko for rule in versions()[-1].fields.values()}
    issued_on = seoul_day(now)
    return {
        "type": DOCUMENT_TYPE,
        "issuer": issuer,
        "number": number,
        "verification_number": verification_number,
        "reissue_of": None if original is None else original.number,
        "institution": {
            "id": str(institution.institution_id),
            "name": _composed(institution.name),
            "brn": institution.brn,
        },
        "purpose": _composed(wanted.purpose),
        "recipient": _composed(wanted.recipient),
        "as_of": wanted.as_of.isoformat(),
        "issued_at": now.isoformat(timespec="seconds"),
        "issued_on": issued_on.isoformat(),
        "valid_until": rules.valid_until(issued_on).isoformat(),
        "by_field": [asdict(part) for part in rules.parts(state.points, names)],
        "balance": sum(state.points.values()),
        "ledger": {
            "version": state.version,
            "head": state.head,
            "checkpoint": checkpoints.for_certificate(state.proof),
        },
    }


async def _print(
    settings: Settings, document: dict[str, Any], *, code: str | None, now: datetime
) -> bytes:
    """The page. Raises `Invalid` (GLYPH_MISSING)."""
    texts = {
        "/issuer": document["issuer"],
        "/institution_name": document["institution"]["name"],
        "/purpose": document["purpose"] or "",
        "/recipient": document["recipient"] or "",
    }
    drawable = await anyio.to_thread.run_sync(typeset.drawable)
    findings = rules.glyph_findings(texts, drawable)
    if findings:
        raise Invalid(errors=findings)
    url = f"{settings.portal}/verify/{document['verification_number']}"
    look = rules.look(document, key=code, url=url)
    text = orjson.dumps(document, option=orjson.OPT_INDENT_2)
    return await anyio.to_thread.run_sync(
        lambda: rendering.render(text, look, url=url, timestamp=now)
    )


def _issued() -> Select[Certificate, CertificateRevocation]:
    return select(Certificate, CertificateRevocation).outerjoin(
        CertificateRevocation, CertificateRevocation.certificate_id == Certificate.id
    )


def _visible_to(claims: Claims) -> ColumnElement[bool]:
    """Raises `PermissionDenied` for whoever may not see an institution's whole balance."""
    if claims.fields is not None or claims.test_mode:
        raise PermissionDenied
    if claims.institution_kind in SEES_ALL:
        return true()
    return Certificate.institution_id == institution_of(claims)


def _record(session: AsyncSession, claims: Claims, certificate: Certificate, action: str) -> None:
    session.add(
        CertificateEvent(
            certificate_id=certificate.id,
            by=claims.sub,
            role=claims.role,
            client_id=claims.client_id,
            acting_for=claims.act,
            trace_id=trace_id.get(),
            action=action,
        )
    )


def _composed(text: Any) -> Any:
    return None if text is None else unicodedata.normalize("NFC", text)


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
