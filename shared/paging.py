"""Lists: an opaque keyset cursor, a bounded page, and a total that stops counting at 10,000."""

import base64
from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar

import orjson
from fastapi import Depends, Query
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import QueryableAttribute

from shared.problems import FindingKind, Invalid

MAX_TOTAL = 10_000
CURSOR_INVALID = FindingKind(
    "CURSOR_INVALID", ko="목록 위치 값이 올바르지 않습니다.", en="The cursor is not valid."
)

Limit = Annotated[int, Query(ge=1, le=200, description="한 번에 받을 건수")]
RowLimit = Annotated[int, Query(ge=1, le=1000, description="한 번에 받을 행")]
Cursor = Annotated[str | None, Query(max_length=500, description="이전 응답의 next_cursor")]

T = TypeVar("T")
Key = ColumnElement[Any] | QueryableAttribute[Any]


class Page(BaseModel, Generic[T]):
    """`total` counts at most 10,000; `next_cursor` is null on the last page."""

    items: Sequence[T]
    next_cursor: str | None
    total: int


class PageRequest(BaseModel):
    limit: int = 50
    cursor: str | None = None


async def _page(limit: Limit = 50, cursor: Cursor = None) -> PageRequest:
    return PageRequest(limit=limit, cursor=cursor)


async def _row_page(limit: RowLimit = 200, cursor: Cursor = None) -> PageRequest:
    return PageRequest(limit=limit, cursor=cursor)


Paging = Annotated[PageRequest, Depends(_page)]
RowPaging = Annotated[PageRequest, Depends(_row_page)]
"""For the lines of a sheet, which are short and many."""


async def paginate(
    session: AsyncSession,
    query: Select[*tuple[Any, ...]],
    *,
    keys: Sequence[Key],
    page: PageRequest,
    descending: bool = True,
) -> tuple[Sequence[Any], str | None, int]:
    """Rows after the cursor in the order of `keys` (the last key unique), the next cursor, and the
    total of the query. `query` selects one entity, or several columns (then rows are tuples)."""
    total = await session.scalar(
        select(func.count()).select_from(query.limit(MAX_TOTAL).order_by(None).subquery())
    )
    key_columns = [key.label(f"_key{index}") for index, key in enumerate(keys)]
    paged = query.add_columns(*key_columns)
    if page.cursor is not None:
        after = tuple_(*keys)
        values = tuple_(*_decode(page.cursor, keys))
        paged = paged.where(after < values if descending else after > values)
    order = [key.desc() if descending else key.asc() for key in keys]
    found = (await session.execute(paged.order_by(*order).limit(page.limit + 1))).all()
    rows = found[: page.limit]
    more = len(found) > page.limit
    next_cursor = _encode(rows[-1][-len(keys) :]) if more else None
    items = [row[0] if len(row) == len(keys) + 1 else row[: -len(keys)] for row in rows]
    return items, next_cursor, total or 0


def _encode(values: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(list(values), default=str)).decode().rstrip("=")


def _decode(cursor: str, keys: Sequence[Key]) -> list[Any]:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        values = orjson.loads(raw)
        if not isinstance(values, list) or len(values) != len(keys):
            raise ValueError(cursor)
        return [_typed(value, key) for value, key in zip(values, keys, strict=True)]
    except (ValueError, TypeError) as error:
        raise Invalid(errors=[CURSOR_INVALID.at("?cursor", field="cursor")]) from error


def _typed(value: Any, key: Key) -> Any:
    """A cursor's JSON value as the column's own type; raises ValueError for a made-up one."""
    wanted = key.type.python_type
    if value is None or isinstance(value, wanted):
        return value
    if hasattr(wanted, "fromisoformat"):
        return wanted.fromisoformat(value)
    return wanted(value)
