"""Taking on a letter of another service: once for its id, to everybody it is for."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts.credentials import Desk
from services.auth.accounts.models import Account
from services.auth.accounts.rules import Status as AccountStatus
from services.auth.audit.service import Actor, record
from services.auth.errors import LetterConflict
from services.auth.institutions.models import Institution
from services.auth.institutions.rules import Status, clean_text
from services.auth.letters.models import Letter
from services.auth.messages import rules as letters
from services.auth.messages import service as messages


@dataclass(frozen=True, slots=True)
class Asked:
    """A letter as another service wrote it."""

    id: UUID
    institution_id: UUID
    account_ids: Sequence[UUID]
    subject: str
    text: str
    text_en: str


async def send(session: AsyncSession, desk: Desk, asked: Asked, actor: Actor) -> int:
    """Queue a letter to the contacts of an institution and to the people named, each address once;
    returns to how many. Asked for again it answers the same and sends nothing; raises
    `LetterConflict` for another letter under the same id."""
    fingerprint = hashlib.sha256(orjson.dumps(asdict(asked))).digest()
    taken = (
        insert(Letter)
        .values(id=asked.id, client_id=str(actor.client_id), fingerprint=fingerprint)
        .on_conflict_do_nothing()
        .returning(Letter.id)
    )
    fresh = await session.scalar(taken)
    letter = await session.get_one(Letter, asked.id)
    if (letter.client_id, letter.fingerprint) != (str(actor.client_id), fingerprint):
        raise LetterConflict
    if fresh is None:
        return letter.recipients
    addresses = await _addresses(session, asked)
    for address in addresses:
        message = letters.service_letter(
            address,
            subject=clean_text(asked.subject),
            text=asked.text,
            text_en=asked.text_en,
            link=desk.portal,
        )
        await messages.queue(session, desk.vault, message)
    letter.recipients = len(addresses)
    record(
        session,
        actor,
        "letter.taken_on",
        object_type="letter",
        object_id=asked.id,
        institution_id=asked.institution_id,
        after={"recipients": len(addresses)},
    )
    return len(addresses)


async def purge(session: AsyncSession, before: datetime) -> None:
    await session.execute(delete(Letter).where(Letter.created_at < before))


async def _addresses(session: AsyncSession, asked: Asked) -> list[str]:
    """Contacts of the institution (M-005) and people of it who may log in; whoever belongs to
    another institution, and everybody of a suspended one, gets nothing."""
    contacts = select(Institution.admin_email, Institution.manager_email).where(
        Institution.id == asked.institution_id, Institution.status != Status.SUSPENDED
    )
    people = (
        select(Account.email)
        .join(Institution, Institution.id == Account.institution_id)
        .where(
            Account.id.in_(asked.account_ids),
            Account.institution_id == asked.institution_id,
            Account.status == AccountStatus.ACTIVE,
            Institution.status != Status.SUSPENDED,
        )
    )
    found = [
        address
        for query in (contacts, people)
        for row in await session.execute(query)
        for address in row
        if address
    ]
    return sorted({address.casefold(): address for address in found}.values())
