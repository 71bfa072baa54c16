"""A pushed body on its way to disk: counted, hashed, bounded, never wholly in memory."""

import hashlib
from collections.abc import AsyncIterator
from typing import IO

import orjson

from services.accrual.intake.errors import BatchEmpty, BatchTooLong, BatchUnreadable
from shared.problems import PayloadTooLarge

MAX_BODY_BYTES = 64 * 2**20
MAX_ARRAY_BYTES = 4 * 2**20


async def spool(
    chunks: AsyncIterator[bytes], file: IO[bytes], *, array: bool, max_rows: int, terms: str
) -> tuple[bytes, int]:
    """Write the body to a file as NDJSON; its digest (with `terms`) and its number of rows.

    A JSON array has to be read whole and is bounded more tightly. Raises `BatchEmpty`,
    `BatchTooLong`, `BatchUnreadable`, `PayloadTooLarge`.
    """
    hashed = hashlib.sha256(terms.encode() + b"\n")
    size = total = 0
    filled = False  # whether the line under way holds anything
    async for chunk in chunks:
        size += len(chunk)
        if size > (MAX_ARRAY_BYTES if array else MAX_BODY_BYTES):
            raise PayloadTooLarge
        hashed.update(chunk)
        file.write(chunk)
        if not array:
            total, filled = _count(chunk, total, filled)
            if total > max_rows:
                raise BatchTooLong(limit=max_rows)
    if array:
        total = _unfold(file)
    elif filled:
        total += 1
    if total == 0:
        raise BatchEmpty
    if total > max_rows:
        raise BatchTooLong(limit=max_rows)
    return hashed.digest(), total


def _count(chunk: bytes, total: int, filled: bool) -> tuple[int, bool]:
    """Lines that end in this chunk and hold something; and whether the last one does so far."""
    *ended, rest = chunk.split(b"\n")
    for line in ended:
        total += filled or bool(line.strip())
        filled = False
    return total, filled or bool(rest.strip())


def _unfold(file: IO[bytes]) -> int:
    """Turn the JSON array in the file into NDJSON, in place; the number of its items."""
    file.seek(0)
    try:
        items = orjson.loads(file.read())
    except orjson.JSONDecodeError as error:
        raise BatchUnreadable from error
    if not isinstance(items, list):
        raise BatchUnreadable
    file.seek(0)
    file.truncate()
    for item in items:
        file.write(orjson.dumps(item) + b"\n")
    return len(items)
