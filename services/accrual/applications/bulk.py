"""Many rows at once, by COPY on the session's own connection and in its transaction."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession


async def copy_rows(
    session: AsyncSession, table: str, columns: Sequence[str], records: Iterable[Sequence[Any]]
) -> None:
    """Append records to a table. `table` and `columns` are ours, never a caller's."""
    connection = await (await session.connection()).get_raw_connection()
    driver: Any = connection.driver_connection
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    async with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for record in records:
            await copy.write_row(record)
