"""The words every part of a rule set uses: texts, funds, periods, and what a rule applies to."""

from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Final, Literal

from shared.problems import FindingKind

Fund = Literal["grant", "cash", "in_kind"]
"""Where a won comes from: 정부지원금 (G), 민간현금 (C), 민간현물 (K)."""

_ONE_DAY: Final = timedelta(days=1)

FUNDS: Final[tuple[Fund, ...]] = ("grant", "cash", "in_kind")


@dataclass(frozen=True, slots=True)
class Text:
    ko: str
    en: str


FUND_NAMES: Final[Mapping[Fund, Text]] = {
    "grant": Text("정부지원금", "government grant"),
    "cash": Text("민간현금", "private cash"),
    "in_kind": Text("민간현물", "private in kind"),
}


@dataclass(frozen=True, slots=True)
class Funds:
    """An amount in won by its source. `private` is P, `total` is T."""

    grant: int = 0
    cash: int = 0
    in_kind: int = 0

    @property
    def private(self) -> int:
        return self.cash + self.in_kind

    @property
    def total(self) -> int:
        return self.grant + self.cash + self.in_kind

    def of(self, funds: Iterable[Fund]) -> int:
        """The sum of some of the sources: the base of a cap."""
        return sum(getattr(self, fund) for fund in funds)

    def __add__(self, other: "Funds") -> "Funds":
        return Funds(self.grant + other.grant, self.cash + other.cash, self.in_kind + other.in_kind)

    def __sub__(self, other: "Funds") -> "Funds":
        return Funds(self.grant - other.grant, self.cash - other.cash, self.in_kind - other.in_kind)

    @classmethod
    def single(cls, fund: Fund, won: int) -> "Funds":
        return cls(**{fund: won})


def listed(texts: Iterable[Text], ko: str = ", ", en: str = ", ") -> Text:
    """Several texts as one, joined in each language."""
    texts = tuple(texts)
    return Text(ko.join(text.ko for text in texts), en.join(text.en for text in texts))


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start` to `end`, both included."""

    start: date
    end: date

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1

    @property
    def whole_months(self) -> int:
        """The number of calendar months the period consists of; 0 unless it is whole months."""
        if self.start.day != 1 or self.end < self.start or (self.end + _ONE_DAY).day != 1:
            return 0
        return months_between(self.start, self.end)

    def overlap_days(self, other: "Period") -> int:
        first, last = max(self.start, other.start), min(self.end, other.end)
        return max(0, (last - first).days + 1)

    def last_day_before_end(self, months: int) -> date:
        """The last day that still lies `months` whole months before the end (G-044).

        The day after the end is counted back and one day taken off, so a period ending on
        2021-02-28 gives 2020-11-30 for three months; counting back from the 28th would cost
        the applicant two days.
        """
        return add_months(self.end + _ONE_DAY, -months) - _ONE_DAY

    def halves(self) -> tuple["Period", "Period"]:
        """First and second half year without a gap, leap years included (G-012).

        The printed form ends the first half on 30 August and leaves the 31st uncovered.
        """
        second = add_months(self.start, 6)
        return (
            Period(self.start, second - _ONE_DAY),
            Period(second, self.end),
        )


def add_months(day: date, months: int) -> date:
    """The same day `months` later (or earlier), the month's last day where that day is missing."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def month_of(day: date) -> int:
    """The running number of a day's month: year * 12 + month - 1."""
    return day.year * 12 + day.month - 1


def months_of(day: date, count: int) -> range:
    """`count` calendar months from the one of `day`, as running month numbers."""
    first = month_of(day)
    return range(first, first + count)


def months_between(first: date, last: date) -> int:
    """How many calendar months two days touch, both months included."""
    return (last.year - first.year) * 12 + last.month - first.month + 1


def month_text(number: int) -> str:
    """A running month number as YYYY-MM."""
    year, month = divmod(number, 12)
    return f"{year:04d}-{month + 1:02d}"


@dataclass(frozen=True, slots=True)
class Selector:
    """What a rule applies to. An empty part means "any"; every part given must agree."""

    items: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    except_kinds: frozenset[str] = frozenset()
    funds: frozenset[Fund] = frozenset()

    def takes(self, item: str, kind: str, fund: Fund) -> bool:
        return (
            (not self.items or item in self.items)
            and (not self.kinds or kind in self.kinds)
            and kind not in self.except_kinds
            and (not self.funds or fund in self.funds)
        )


@lru_cache(maxsize=4096)
def cited(kind: FindingKind, rule: str, citation: str) -> FindingKind:
    """The finding kind as this rule set means it: with the number and the place of its rule."""
    return replace(kind, rule=rule, citation=citation)


def decimal_text(value: Fraction, places: int = 2) -> str:
    """A number cut (not rounded) to at most `places` decimals, without trailing zeros."""
    sign = "-" if value < 0 else ""
    units, scale = int(abs(value) * 10**places), 10**places
    whole, rest = divmod(units, scale)
    decimals = f"{rest:0{places}d}".rstrip("0") if places else ""
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"


def share_text(part: int, whole: int, places: int = 2) -> str:
    """`part` as a percentage of `whole`; a dash where there is no whole (forms print "–")."""
    return decimal_text(Fraction(part * 100, whole), places) if whole else "–"
