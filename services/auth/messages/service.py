"""Queueing messages in the transaction they belong to, and delivering them afterwards."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.messages.delivery import Postman
from services.auth.messages.models import OutgoingMessage
from services.auth.messages.rules import Message
from services.auth.vault import Vault
from shared.clock import utc_now
from shared.db import Sessions
from shared.jobs import enqueue

DELIVER = "messages.deliver"


async def queue(session: AsyncSession, vault: Vault, message: Message) -> None:
    """Send this message if, and only if, the transaction commits."""
    content = orjson.dumps(asdict(message))
    row = OutgoingMessage(channel=message.channel, content=vault.seal(content))
    session.add(row)
    await session.flush()  # the job needs the id
    await enqueue(session, DELIVER, message_id=str(row.id))


async def deliver(sessions: Sessions, vault: Vault, postman: Postman, message_id: UUID) -> None:
    """Send one message. A crash between sending and noting it sends it a second time: better than
    never. No transaction is open while a mail server takes its time."""
    async with sessions() as session:
        row = await session.get(OutgoingMessage, message_id)
    if row is None or row.content is None:
        return
    await postman.send(Message(**orjson.loads(vault.unseal(row.content))), message_id)
    async with sessions.begin() as session:
        sent = await session.get(OutgoingMessage, message_id)
        if sent is not None:
            sent.content, sent.sent_at = None, utc_now()


async def purge(session: AsyncSession, before: datetime) -> None:
    await session.execute(delete(OutgoingMessage).where(OutgoingMessage.created_at < before))
