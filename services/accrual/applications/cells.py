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
from shared.sheets.cells import SPACE_LIKE, Cell, Fault, plain

EARLIEST_YEAR = 1950
MAX_HOURS = 10_000
MAX_WON = 10**15 - 1  # below 2^53, hence exact in a number cell too

_SHOWN = 40  # characters of a value repeated in a message
_SUGGESTIBLE = 64  # longer text is nobody's number
_SPREADSHEET_DAY_0 = date(1899, 12, 30)
_SERIAL_DAYS = range(36_526, 73_051)  # 2000-01-01 to 2099-12-31: other numbers mean something else

_SEPARATORS = re.compile(r"[\s*·./_\u2010-\u2015\u2212-]+")
_WON = re.compile(r"[₩\\]?\s*([0-9]{1,3}(?:[, ][0-9]{3})+|[0-9]+)(?:\.0+)?\s*원?", re.ASCII)
_HOURS = re.compile(r"([0-9]+)(?:\.0+)?\s*(?:시간|[hH])?", re.ASCII)
_YEAR = re.compile(r"([0-9]{4})(?:\.0+)?\s*(?:학?년도?)?", re.ASCII)
_DAY = re.compile(r"([0-9]{4})\D{1,3}([0-9]{1,2})\D{1,3}([0-9]{1,2})(?:\D.*)?|([0-9]{8})", re.ASCII)


Value = str | int | date
"""A cell after normalisation; the empty string is a cell left blank."""


def brn(cell: Cell) -> str | Fault:
    """A business registration number: ten digits, the last one a right check digit (M-013)."""
    number = _digits(cell, _brn_in)
    if isinstance(number, Fault):
        return number
    return _checked_brn(number) if len(number) == 10 else Fault(errors.BRN_LENGTH)


def day(cell: Cell) -> date | Fault:
    """A date cell, or YYYYMMDD. A bare serial day number is suggested as a date, not taken."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    number = _digits(cell, _suggested_day)
    if isinstance(number, Fault):
        return number
    parsed = _parsed_day(number) if len(number) == 8 else None
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
    number = _whole(cell, _won_in)
    if isinstance(number, Fault) or (number is not None and minimum <= number <= MAX_WON):
        return number
    return Fault(errors.WON_INVALID, None, {"minimum": minimum})


def text(cell: Cell, limit: int) -> str | Fault:
    """One line of NFC text of at most `limit` characters; number and date cells as they read."""
    if isinstance(cell, Fault):
        return cell
    line = cell if isinstance(cell, str) else plain(cell)
    if not (line.isprintable() and unicodedata.is_normalized("NFC", line)):
        line = SPACE_LIKE.sub(" ", unicodedata.normalize("NFC", line))
    line = " ".join(line.split())
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
    line = text(cell, _SUGGESTIBLE)
    return line if isinstance(line, Fault) else words.get(folded(line), line)


def folded(line: str) -> str:
    """Text reduced to what tells words apart: no case, width, spaces, brackets or signs."""
    if line.isalnum() and (line.isascii() or unicodedata.is_normalized("NFKC", line)):
        return line.casefold()
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", line).casefold()))


def _checked_brn(number: str) -> str | Fault:
    # Office codes start at 101; the kind is never 00, the serial never 0000. All zeros add up.
    if number < "101" or number[3:5] == "00" or number[5:9] == "0000":
        return Fault(errors.BRN_COMPONENT)
    return number if brn_check_digit(number[:9]) == number[9] else Fault(errors.BRN_CHECKSUM)


def brn_check_digit(first_nine: str) -> str:
    """Weights 1,3,7,1,3,7,1,3,5, plus the tens of five times the ninth digit (M-013)."""
    weighted = sum(int(d) * w for d, w in zip(first_nine, (1, 3, 7, 1, 3, 7, 1, 3, 5), strict=True))
    return str(-(weighted + int(first_nine[8]) * 5 // 10) % 10)


def _parsed_day(number: str) -> date | None:
    try:
        return date(int(number[:4]), int(number[4:6]), int(number[6:]))
    except ValueError:
        return None


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
    number = _exact(cell)
    return _digits_only(plain(cell), suggest) if number is None else str(number)


def _whole(cell: Cell, suggest: Suggest) -> int | Fault | None:
    """A whole number, DIGITS_ONLY for other text, None for a number that no column accepts."""
    if isinstance(cell, str):
        if cell.isascii() and cell.isdigit():
            # Python refuses to convert thousands of digits, and no column wants more than 15.
            return int(cell) if len(cell) <= _SUGGESTIBLE else None
        return _digits_only(cell, suggest)
    if isinstance(cell, Fault):
        return cell
    number = _exact(cell)
    if number is None and not isinstance(cell, (int, float)):
        return _digits_only(plain(cell), suggest)
    return number


def _exact(cell: Cell) -> int | None:
    """The number of a number cell, if whole, not negative and exact in binary floating point."""
    if isinstance(cell, bool) or not isinstance(cell, (int, float)):
        return None
    if not 0 <= cell <= MAX_WON:  # false for NaN as well
        return None
    return int(cell) if cell == int(cell) else None


def _digits_only(typed: str, suggest: Suggest) -> Fault:
    suggestion = None
    if len(typed) <= _SUGGESTIBLE:
        suggestion = suggest(unicodedata.normalize("NFKC", typed).strip())
    kind = errors.DIGITS_ONLY if suggestion else errors.DIGITS_ONLY_UNCLEAR
    return Fault(kind, suggestion, {"value": shown(typed)})


def _brn_in(typed: str) -> str | None:
    joined = _SEPARATORS.sub("", typed.removesuffix(".0"))
    return joined if len(joined) == 10 and joined.isascii() and joined.isdigit() else None


def _number_in(pattern: re.Pattern[str]) -> Suggest:
    def suggest(typed: str) -> str | None:
        found = pattern.fullmatch(typed)
        return found[1].replace(",", "").replace(" ", "") if found else None

    return suggest


_won_in, _hours_in, _year_in = _number_in(_WON), _number_in(_HOURS), _number_in(_YEAR)


def _suggested_day(typed: str) -> str | None:
    found = _DAY.fullmatch(typed)
    if not found:
        return None
    number = found[4] or f"{found[1]}{found[2]:0>2}{found[3]:0>2}"
    return number if _parsed_day(number) else None


def shown(cell: Cell) -> str:
    """A cell as a finding repeats it: one line, cut short."""
    return SPACE_LIKE.sub(" ", plain(cell)[:_SHOWN])
