"""What pages are made of: headings, texts, pairs and tables, as plain JSON for the template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, Literal

from services.grants.programmes.rules import Column, Funds, RuleSet, decimal_text

Block = dict[str, Any]
Align = Literal["left", "right", "center"]

EMPTY: Final = "(작성하지 않음)"
UNIT_NAMES: Final = {1: "원", 1_000: "천원", 10_000: "만원", 1_000_000: "백만원"}


@dataclass(frozen=True, slots=True)
class Head:
    """A column of a printed table; `width` is its share of the line."""

    name: str
    align: Align = "left"
    width: float = 2


def heading(level: int, name: str) -> Block:
    return {"type": "heading", "level": level, "text": name}


def paragraph(text: str) -> Block:
    return {"type": "text", "text": text.strip() or EMPTY, "empty": not text.strip()}


def note(text: str) -> Block:
    return {"type": "note", "text": text}


def pairs(rows: Sequence[tuple[str, str]]) -> Block:
    return {"type": "pairs", "rows": [list(row) for row in rows]}


def table(
    heads: Sequence[Head],
    rows: Sequence[Sequence[str]],
    last: Sequence[str] | None = None,
    unit: str = "",
) -> Block:
    """A table with its header, its sums in the last line, and the unit of its amounts."""
    return {
        "type": "table",
        "unit": f"(단위: {unit})" if unit else "",
        "names": [head.name for head in heads],
        "aligns": [head.align for head in heads],
        "widths": [head.width for head in heads],
        "rows": [list(row) for row in rows],
        "last": list(last) if last is not None else None,
    }


@dataclass(frozen=True, slots=True)
class Words:
    """How values read on a page: amounts in the form's unit, cut once, and choices by name."""

    unit_won: int

    @classmethod
    def of(cls, rules: RuleSet) -> "Words":
        return cls(rules.budget.unit_won)

    @property
    def unit(self) -> str:
        return UNIT_NAMES.get(self.unit_won, f"{self.unit_won:,}원")

    def won(self, won: int) -> str:
        return f"{won // self.unit_won:,}"

    def exact(self, won: Fraction) -> str:
        """A monthly rate in the form's unit; it is never rounded, so it has decimals."""
        return decimal_text(won / self.unit_won, 3)

    def rate(self, percent: Fraction) -> str:
        """A rate with its one decimal, as the form asks for."""
        tenths = int(percent * 10)
        return f"{tenths // 10}.{tenths % 10}"

    def funds(self, funds: Funds) -> list[str]:
        """합계, 정부지원금, 민간부담금 소계, 현금, 현물."""
        amounts = (funds.total, funds.grant, funds.private, funds.cash, funds.in_kind)
        return [self.won(amount) for amount in amounts]

    def value(self, column: Column, value: Any) -> str:
        """A cell of the form; nothing for what is not written."""
        if value is None:
            return ""
        match column.type:
            case "won":
                return self.won(int(value))
            case "count":
                return f"{int(value):,}"
            case "year":
                return str(int(value))
            case "choice":
                names: Mapping[str, str] = {o.code: o.name.ko for o in column.options}
                return names.get(value, "")
            case "months":
                return ", ".join(str(int(month)) for month in value)
            case _:
                return str(value)
