"""What people type into cells, as far as its meaning does not depend on whose sheet it is.

Nothing here raises, whatever a cell holds, and nothing decides: a reader of a sheet takes a value,
or shows what was probably meant (`whole_in`, `day_in`) for one click.
"""

import re
import unicodedata
from datetime import date

from shared.sheets.cells import SPACE_LIKE, Cell, plain

SUGGESTIBLE = 64  # longer text is nobody's number
_SHOWN = 40

_AMOUNT = re.compile(r"[₩\\]?\s*([0-9]{1,3}(?:[, ][0-9]{3})+|[0-9]+)(?:\.0+)?\s*원?", re.ASCII)
_DAY = re.compile(r"([0-9]{4})\D{1,3}([0-9]{1,2})\D{1,3}([0-9]{1,2})(?:\D.*)?|([0-9]{8})", re.ASCII)
_SEPARATORS = re.compile(r"[\s*·./_\u2010-\u2015\u2212-]+")


def shown(cell: Cell) -> str:
    """A cell as a finding repeats it: one line, cut short."""
    return SPACE_LIKE.sub(" ", plain(cell)[:_SHOWN])


def folded(line: str) -> str:
    """Text reduced to what tells words apart: no case, width, spaces, brackets or signs."""
    if line.isalnum() and (line.isascii() or unicodedata.is_normalized("NFKC", line)):
        return line.casefold()
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", line).casefold()))


def one_line(cell: Cell) -> str:
    """One line of NFC text with single spaces; number and date cells as they read."""
    line = cell if isinstance(cell, str) else plain(cell)
    if not (line.isprintable() and unicodedata.is_normalized("NFC", line)):
        line = SPACE_LIKE.sub(" ", unicodedata.normalize("NFC", line))
    return " ".join(line.split())


def exact(cell: Cell, most: int) -> int | None:
    """The number of a number cell, if whole, not negative and within `most`, which is below 2^53:
    a number cell is a binary fraction, and exact only so far."""
    if isinstance(cell, bool) or not isinstance(cell, (int, float)):
        return None
    if not 0 <= cell <= most:  # false for NaN as well
        return None
    return int(cell) if cell == int(cell) else None


def narrowed(typed: str) -> str:
    """Text in ordinary width, without what surrounds it."""
    return unicodedata.normalize("NFKC", typed).strip()


def whole_in(typed: str, pattern: re.Pattern[str] = _AMOUNT) -> str | None:
    """The digits of a whole number written as people write one: 1,500,000원, ₩ 1 500 000.0.

    Another `pattern` has them in its first group.
    """
    found = pattern.fullmatch(narrowed(typed)) if len(typed) <= SUGGESTIBLE else None
    return found[1].replace(",", "").replace(" ", "") if found else None


def digits_in(typed: str, count: int) -> str | None:
    """So many digits, however they are separated: 104-82-03590."""
    if len(typed) > SUGGESTIBLE:
        return None
    joined = _SEPARATORS.sub("", narrowed(typed).removesuffix(".0"))
    return joined if len(joined) == count and joined.isascii() and joined.isdigit() else None


def day_in(typed: str) -> date | None:
    """A day written as people write one: 2022.9.1, 2022년 9월 1일(목), 20220901."""
    found = _DAY.fullmatch(narrowed(typed)) if len(typed) <= SUGGESTIBLE else None
    if not found:
        return None
    return parsed_day(found[4] or f"{found[1]}{found[2]:0>2}{found[3]:0>2}")


def parsed_day(number: str) -> date | None:
    """The day of eight digits (YYYYMMDD), if there is one."""
    try:
        return date(int(number[:4]), int(number[4:6]), int(number[6:]))
    except ValueError:
        return None
