"""Files and the rows that know them: bytes go when their row could not be kept, and only after the
row is gone for good."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.grants.base import HasFile
from shared.files import Files, StoredFile
from shared.jobs import enqueue

DELETE_TASK = "files.delete"


async def keep(session: AsyncSession, files: Files, row: HasFile, stored: StoredFile) -> None:
    """Put a stored file on record as `row`."""
    row.file_key, row.file_name = stored.key, stored.name
    row.media_type, row.size, row.sha256 = stored.media_type, stored.size, stored.sha256
    try:
        session.add(row)
        await session.flush()
        await session.refresh(row)
    except Exception:
        await files.delete(stored.key)
        raise


async def delete_file(session: AsyncSession, key: str) -> None:
    """Let the bytes go once this transaction holds."""
    await enqueue(session, DELETE_TASK, key=key)
