"""What people type into a cell, made into a value or a fault.

Normalised without a word, because the meaning is certain:

- number and date cells of a workbook (`34244785.0` → 34244785; a date, a date with a time);
- decomposed Hangul (NFD) → NFC; line breaks, tabs, control and zero-width characters → a space;
  repeated and surrounding spaces in text;
- the words of a choice in any width, case, spacing and brackets (`표준 현장실습학기제`).

Answered with a fault and a suggestion to accept with one click, because M-012 wants digits only:
separators, blanks, full-width digits and units (`104-82-03590`, `1,500,000원`, `2022.9.1`), and
serial day numbers. Answered with a fault alone, because nobody can know what was meant: negative
or fractional amounts, powers of ten, other letters, dates that do not exist.

Nothing a cell can hold makes these functions raise.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta

from services.accrual import errors
from shared.brn import flaw as brn_flaw
from shared.sheets.cells import Cell, Fault, plain
from shared.sheets.typed import (
    SUGGESTIBLE,
    day_in,
    digits_in,
    exact,
    folded,
    one_line,
    parsed_day,
    shown,
    whole_in,
)

EARLIEST_YEAR = 1950
MAX_HOURS = 10_000
MAX_WON = 10**15 - 1  # below 2^53, hence exact in a number cell too

_SPREADSHEET_DAY_0 = date(1899, 12, 30)
_SERIAL_DAYS = range(36_526, 73_051)  # 2000-01-01 to 2099-12-31: other numbers mean something else

_BRN_FLAWS = {
    "length": errors.BRN_LENGTH,
    "component": errors.BRN_COMPONENT,
    "checksum": errors.BRN_CHECKSUM,
}
_HOURS = re.compile(r"([0-9]+)(?:\.0+)?\s*(?:시간|[hH])?", re.ASCII)
_YEAR = re.compile(r"([0-9]{4})(?:\.0+)?\s*(?:학?년도?)?", re.ASCII)

Value = str | int | date
"""A cell after normalisation; the empty string is a cell left blank."""


def brn(cell: Cell) -> str | Fault:
    """A business registration number: ten digits, the last one a right check digit (M-013)."""
    number = _digits(cell, _brn_in)
    if isinstance(number, Fault):
        return number
    flaw = brn_flaw(number)
    return Fault(_BRN_FLAWS[flaw]) if flaw else number


def day(cell: Cell) -> date | Fault:
    """A date cell, or YYYYMMDD. A bare serial day number is suggested as a date, not taken."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    number = _digits(cell, _suggested_day)
    if isinstance(number, Fault):
        return number
    parsed = parsed_day(number) if len(number) == 8 else None
    return parsed or Fault(errors.DATE_INVALID, _day_of_serial(number))


def year(cell: Cell, latest: int) -> int | Fault:
    """A year from 1950 to `latest` (M-013)."""
    number = _whole(cell, _year_in)
    if isinstance(number, Fault) or (number is not None and EARLIEST_YEAR <= number <= latest):
        return number
    return Fault(errors.YEAR_RANGE, None, {"earliest": EARLIEST_YEAR, "latest": latest})


def hours(cell: Cell) -> int | Fault:
    """Whole hours above zero (M-013)."""
    if isinstance(cell, timedelta):  # a cell shown as [h]:mm
        cell = cell / timedelta(hours=1)
    number = _whole(cell, _hours_in)
    if isinstance(number, Fault) or (number is not None and 0 < number <= MAX_HOURS):
        return number
    return Fault(errors.HOURS_INVALID, None, {"limit": MAX_HOURS})


def won(cell: Cell, minimum: int) -> int | Fault:
    """Whole won of at most 15 digits, `minimum` or more (M-013)."""
    number = _whole(cell, whole_in)
    if isinstance(number, Fault) or (number is not None and minimum <= number <= MAX_WON):
        return number
    return Fault(errors.WON_INVALID, None, {"minimum": minimum})


def text(cell: Cell, limit: int) -> str | Fault:
    """One line of NFC text of at most `limit` characters; number and date cells as they read."""
    if isinstance(cell, Fault):
        return cell
    line = one_line(cell)
    if len(line) > limit:
        return Fault(errors.TEXT_TOO_LONG, None, {"limit": limit, "length": len(line)})
    return line


def are_clean(texts: Iterable[str], limit: int) -> bool:
    """Whether `text` would give back each of these as it is, found out for all of them at once."""
    filled = list(filter(None, texts))
    joined = f" {' '.join(filled)} "
    return (
        "  " not in joined  # inside of one, or at its ends
        and joined.isprintable()
        and unicodedata.is_normalized("NFC", joined)
        and max(map(len, filled), default=0) <= limit
    )


def choice(cell: Cell, words: Mapping[str, str]) -> str | Fault:
    """The code of a word (`words` by `folded`), or the text itself: the criteria judge it."""
    line = text(cell, SUGGESTIBLE)
    return line if isinstance(line, Fault) else words.get(folded(line), line)


def _day_of_serial(number: str) -> str | None:
    if len(number) != 5 or int(number) not in _SERIAL_DAYS:
        return None
    return f"{_SPREADSHEET_DAY_0 + timedelta(days=int(number)):%Y%m%d}"


Suggest = Callable[[str], str | None]


def _digits(cell: Cell, suggest: Suggest) -> str | Fault:
    """ASCII digits or DIGITS_ONLY (M-012); `str.isdigit` alone would accept `１` and `²`."""
    if isinstance(cell, str):
        return cell if cell.isascii() and cell.isdigit() else _digits_only(cell, suggest)
    if isinstance(cell, Fault):
        return cell
    number = exact(cell, MAX_WON)
    return _digits_only(plain(cell), suggest) if number is None else str(number)


def _whole(cell: Cell, suggest: Suggest) -> int | Fault | None:
    """A whole number, DIGITS_ONLY for other text, None for a number that no column accepts."""
    if isinstance(cell, str):
        if cell.isascii() and cell.isdigit():
            # Python refuses to convert thousands of digits, and no column wants more than 15.
            return int(cell) if len(cell) <= SUGGESTIBLE else None
        return _digits_only(cell, suggest)
    if isinstance(cell, Fault):
        return cell
    number = exact(cell, MAX_WON)
    if number is None and not isinstance(cell, (int, float)):
        return _digits_only(plain(cell), suggest)
    return number


def _digits_only(typed: str, suggest: Suggest) -> Fault:
    suggestion = suggest(typed)
    kind = errors.DIGITS_ONLY if suggestion else errors.DIGITS_ONLY_UNCLEAR
    return Fault(kind, suggestion, {"value": shown(typed)})


def _brn_in(typed: str) -> str | None:
    return digits_in(typed, 10)


def _hours_in(typed: str) -> str | None:
    return whole_in(typed, _HOURS)


def _year_in(typed: str) -> str | None:
    return whole_in(typed, _YEAR)


def _suggested_day(typed: str) -> str | None:
    found = day_in(typed)
    return f"{found:%Y%m%d}" if found else None
