"""Many rows at once, by COPY on the session's own connection and in its transaction."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

NULL = r"\N"
_AT_ONCE = 1_000
_SPECIAL = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


async def copy_rows(
    session: AsyncSession, table: str, columns: Sequence[str], records: Iterable[Sequence[Any]]
) -> None:
    """Append records to a table. `table` and `columns` are ours, never a caller's."""
    await copy_lines(session, table, columns, map(line_of, records))


async def copy_lines(
    session: AsyncSession, table: str, columns: Sequence[str], lines: Iterable[str]
) -> None:
    """Append lines in COPY's text format, a thousand a write.

    Row by row the driver takes several times as long, and a partner's rows are many.
    """
    connection = await (await session.connection()).get_raw_connection()
    driver: Any = connection.driver_connection
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    rest = iter(lines)
    async with driver.cursor() as cursor, cursor.copy(statement) as copy:
        while block := "".join(islice(rest, _AT_ONCE)):
            await copy.write(block)


def line_of(record: Iterable[Any]) -> str:
    return "\t".join([_FORMATS.get(type(value), str)(value) for value in record]) + "\n"


def text_field(value: str) -> str:
    """Text as it stands in a line."""
    if "\\" in value or "\t" in value or "\n" in value or "\r" in value:
        return value.translate(_SPECIAL)
    return value


def _null(_: None) -> str:
    return NULL


def _bytea(value: bytes) -> str:
    return rf"\\x{value.hex()}"


# By type; `str` does for numbers, dates, UUIDs and booleans.
_FORMATS: dict[type, Callable[[Any], str]] = {str: text_field, bytes: _bytea, type(None): _null}
