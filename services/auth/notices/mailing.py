"""Telling the institutions a post is for: their contacts asked to receive news here (M-005)."""

from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts.credentials import Desk
from services.auth.audit.service import SYSTEM, record
from services.auth.institutions.models import Institution
from services.auth.institutions.rules import Status, clean_text
from services.auth.messages import rules as letters
from services.auth.messages import service as messages
from services.auth.notices.models import Notice
from shared.db import Sessions

MAIL_TASK = "notices.mail"


async def mail(sessions: Sessions, desk: Desk, notice_id: UUID) -> None:
    """Queue a letter to every contact a post is for, once each; none if it was withdrawn."""
    async with sessions.begin() as session:
        notice = await session.get_one(Notice, notice_id)
        if notice.withdrawn_at is not None:
            return
        addresses = await _contacts(session, notice)
        link = f"{desk.portal}/notices/{notice.id}"
        for address in addresses:
            letter = letters.notice_letter(address, title=clean_text(notice.title), link=link)
            await messages.queue(session, desk.vault, letter)
        record(
            session,
            SYSTEM,
            "notice.mailed",
            object_type="notice",
            object_id=notice.id,
            after={"letters": len(addresses)},
        )


async def _contacts(session: AsyncSession, notice: Notice) -> list[str]:
    """The addresses of administrators and officers in charge; two who share one get one letter."""
    query = select(Institution.admin_email, Institution.manager_email).where(
        Institution.status != Status.SUSPENDED
    )
    if not notice.public and (notice.kinds or notice.institution_ids):
        meant = (
            Institution.kind.in_(notice.kinds),
            Institution.id.in_(notice.institution_ids),
        )
        query = query.where(or_(*meant))
    found = (address for row in await session.execute(query) for address in row if address)
    return sorted({address.casefold(): address for address in found}.values())
