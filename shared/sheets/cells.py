"""What a file says of a cell, before anybody makes a value of it. Nothing here ever raises."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from shared.problems import FindingKind

SPACE_LIKE = re.compile(
    # controls; zero-width and direction marks; lone surrogates, which no database stores
    "[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+"
)


class Fault(NamedTuple):
    """Why a cell has no value. The reader of a file may put one in place of the cell."""

    kind: FindingKind
    suggestion: str | None = None
    params: Mapping[str, Any] = {}


Cell = str | int | float | date | datetime | time | timedelta | Fault | None
"""A cell as a workbook, delimited text or JSON gives it."""


def is_blank(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def are_blank(cells: Sequence[Cell]) -> bool:
    """Whether a row is blank; most are not, and their first cell says so."""
    return is_blank(cells[0]) and all(map(is_blank, cells))


def plain(cell: Cell) -> str:
    """A cell as the text a person would type for it; what nobody can read is `#오류`."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, (int, float)) and abs(cell) < 10**22:  # false for NaN as well
        return str(int(cell)) if cell == int(cell) else str(cell)
    if isinstance(cell, int):  # Python refuses to print thousands of digits
        return "#오류"
    if isinstance(cell, datetime):
        return f"{cell:%Y%m%d}" if cell.time() == time() else cell.isoformat(" ")
    if isinstance(cell, date):
        return f"{cell:%Y%m%d}"
    if isinstance(cell, Fault):
        return "#오류"
    return "" if cell is None else str(cell)


def letters(number: int) -> str:
    """A column's letters: A for 1, AA for 27."""
    name = ""
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
