"""The columns of a sheet, and how their cells are read: of expenses, and of a proposal's tables.

A cell becomes a value or a fault. What is certain is normalised without a word (number and date
cells, decomposed Hangul, surrounding spaces); what is only likely (1,500,000원, 2020.6.1) is a
fault that suggests the value.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import Final, Literal

from services.grants.expenses.rules import MAX_WON
from services.grants.programmes.rules import decimal_text
from shared.brn import flaw as brn_flaw
from shared.problems import FindingKind
from shared.sheets.cells import Cell, Fault, plain
from shared.sheets.typed import (
    day_in,
    digits_in,
    exact,
    folded,
    narrowed,
    one_line,
    shown,
    whole_in,
)

MAX_DIGITS: Final = 15

COLUMN_MISSING = FindingKind(
    "COLUMN_MISSING", "'{column}' 열이 없습니다.", "The column '{column_en}' is missing."
)
COLUMN_UNKNOWN = FindingKind(
    "COLUMN_UNKNOWN",
    "'{header}' 열은 쓰이지 않습니다.",
    "The column '{header}' is not used.",
    level="warning",
)
CELL_REQUIRED = FindingKind(
    "CELL_REQUIRED", "{column}을(를) 입력하세요.", "'{column_en}' is required."
)
CELL_NUMBER = FindingKind(
    "CELL_NUMBER",
    "숫자만 입력할 수 있습니다: {value}",
    "Only digits are allowed: {value}",
)
CELL_RANGE = FindingKind(
    "CELL_RANGE",
    "{least:,} 이상 {most:,} 이하로 입력하세요.",
    "Enter a number from {least:,} to {most:,}.",
)
CELL_DATE = FindingKind(
    "CELL_DATE",
    "날짜를 YYYY-MM-DD로 입력하세요: {value}",
    "Enter the day as YYYY-MM-DD: {value}",
)
CELL_CHOICE = FindingKind(
    "CELL_CHOICE",
    "입력할 수 없는 값입니다: {value} (가능: {allowed})",
    "'{value}' is not one of: {allowed}",
)
CELL_TOO_LONG = FindingKind(
    "CELL_TOO_LONG",
    "{limit}자 이하로 입력하세요(현재 {length}자).",
    "At most {limit} characters; this has {length}.",
)
CELL_BRN = FindingKind(
    "CELL_BRN",
    "올바른 사업자등록번호가 아닙니다(숫자 10자리, 검증번호 포함): {value}",
    "This is no business number (ten digits, the last one a check): {value}",
)
CELL_PERCENT = FindingKind(
    "CELL_PERCENT",
    "백분율 서식의 칸인지 알 수 없습니다: {value}. 참여율이 {suggestion}%이면 그대로 입력하세요.",
    "{value} may be a percent cell. If the rate is {suggestion}%, please enter just that.",
)

_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}", re.ASCII)
_RATE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?)\s*%?", re.ASCII)

Value = str | int | date | Fraction | frozenset[str]
Type = Literal["text", "won", "count", "day", "brn", "rate", "choice", "facts"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: key, header in both languages, and what its cells may hold."""

    key: str
    ko: str
    en: str
    type: Type = "text"
    required: bool = False
    example: str = ""
    hint: str = ""
    limit: int = 200
    least: int = 0
    width: int = 14


Words = Mapping[str, Mapping[str, str]]
"""For each choice column, the code of every word by which people call it, folded."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads cells, knowing the words of a call. `names` are shown where a word is not known."""

    words: Words
    names: Mapping[str, str] = field(default_factory=dict)

    def value(self, column: Column, cell: Cell) -> Value | Fault:
        """A filled cell as a value, or why it is none."""
        if isinstance(cell, Fault):
            return cell
        match column.type:
            case "won" | "count":
                return _number(cell, column)
            case "day":
                return _day(cell)
            case "brn":
                digits = digits_in(plain(cell), 10)
                good = digits is not None and brn_flaw(digits) is None
                return digits if digits and good else Fault(CELL_BRN, None, {"value": shown(cell)})
            case "rate":
                return _rate(cell)
            case "choice":
                return self._choice(column, cell)
            case "facts":
                parts = [part for part in re.split(r"[,;/]", plain(cell)) if part.strip()]
                codes = [self._choice(column, part) for part in parts]
                faults = [code for code in codes if isinstance(code, Fault)]
                return faults[0] if faults else frozenset(map(str, codes))
            case "text":
                return _text(cell, column.limit)

    def _choice(self, column: Column, cell: Cell) -> str | Fault:
        code = self.words[column.key].get(folded(plain(cell)))
        if code is not None:
            return code
        params = {"value": shown(cell), "allowed": self.names.get(column.key, "")}
        return Fault(CELL_CHOICE, None, params)


def _number(cell: Cell, column: Column) -> int | Fault:
    most = MAX_WON if column.type == "won" else 100_000
    if isinstance(cell, str):
        text = narrowed(cell)
        if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
            meant = whole_in(text) or ""
            suggestion = meant if 0 < len(meant) <= MAX_DIGITS else None
            return Fault(CELL_NUMBER, suggestion, {"value": shown(cell)})
        whole: int | None = int(text)
    else:
        whole = exact(cell, 2**53 - 1)
    if whole is None:
        return Fault(CELL_NUMBER, None, {"value": shown(cell)})
    if not column.least <= whole <= most:
        return Fault(CELL_RANGE, None, {"least": column.least, "most": most})
    return whole


def _day(cell: Cell) -> date | Fault:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = narrowed(plain(cell))
    day = day_in(text)
    if day is not None and _ISO_DAY.fullmatch(text):
        return day
    return Fault(CELL_DATE, f"{day:%Y-%m-%d}" if day else None, {"value": shown(cell)})


def _rate(cell: Cell) -> Fraction | Fault:
    """A rate in percent. A cell formatted as a percentage holds a hundredth of what it shows, and
    a file does not tell: a number cell up to 1 is asked about, not taken (1 may mean 100 %)."""
    if isinstance(cell, int | float) and not isinstance(cell, bool) and 0 < cell <= 1:
        percent = decimal_text(Fraction(str(cell)) * 100, 6)
        return Fault(CELL_PERCENT, percent, {"value": shown(cell)})
    found = _RATE.fullmatch(narrowed(plain(cell)))
    return Fraction(found[1]) if found else Fault(CELL_NUMBER, None, {"value": shown(cell)})


def _text(cell: Cell, limit: int) -> str | Fault:
    line = one_line(cell)
    if len(line) > limit:
        return Fault(CELL_TOO_LONG, None, {"limit": limit, "length": len(line)})
    return line
