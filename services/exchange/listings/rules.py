"""What may be listed, and what an order of it costs: pure decisions (M-042)."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.exchange import errors
from services.exchange.listings.calendar import SEOUL, Calendar, covers, open_every_day
from shared.problems import Finding

GRID_MINUTES = 30
MAX_QUANTITY = 10_000
MAX_PRICE_WON = 1_000_000_000
MAX_PHOTOS = 10


class Kind(StrEnum):
    EQUIPMENT = "equipment"
    FACILITY = "facility"
    ANALYSIS = "analysis"


class UseMode(StrEnum):
    """The two are different fee accounts of a university, so the receipt words them apart."""

    DIRECT = "direct"
    COMMISSIONED = "commissioned"


class Unit(StrEnum):
    HOUR = "hour"
    DAY = "day"
    SAMPLE = "sample"
    USE = "use"


class Status(StrEnum):
    DRAFT = "draft"
    LISTED = "listed"
    SUSPENDED = "suspended"


def check_listing(*, kind: Kind, use_mode: UseMode, unit: Unit) -> list[Finding]:
    """Whether kind, manner of use and unit belong together."""
    found = []
    wanted = {Kind.ANALYSIS: UseMode.COMMISSIONED, Kind.FACILITY: UseMode.DIRECT}.get(kind)
    if wanted is not None and use_mode != wanted:
        found.append(errors.KIND_USE_MODE.at("/use_mode", field="use_mode"))
    if use_mode is UseMode.COMMISSIONED and unit in {Unit.HOUR, Unit.DAY}:
        found.append(errors.UNIT_NEEDS_SLOT.at("/unit", field="unit"))
    return found


@dataclass(frozen=True, slots=True)
class Terms:
    """What of a listing decides about a wish: taken from the row, so that the rules stay pure."""

    use_mode: UseMode
    unit: Unit
    price_won: int
    min_quantity: int
    max_quantity: int
    lead_time_hours: int
    horizon_days: int
    calendar: Calendar


@dataclass(frozen=True, slots=True)
class Wish:
    """What a buyer asks for. Instants carry a time zone."""

    starts_at: datetime | None
    ends_at: datetime | None
    quantity: int | None


def assess(terms: Terms, wish: Wish, *, now: datetime) -> tuple[int, list[Finding]]:
    """The quantity a wish comes to, and everything that is wrong with it."""
    if terms.use_mode is UseMode.COMMISSIONED:
        found = []
        if wish.starts_at is not None or wish.ends_at is not None:
            found.append(errors.SLOT_NOT_USED.at("/starts_at", field="starts_at"))
        return _counted(terms, wish.quantity, found)
    if wish.starts_at is None or wish.ends_at is None:
        return 0, [errors.SLOT_REQUIRED.at("/starts_at", field="starts_at")]
    if wish.ends_at <= wish.starts_at:
        return 0, [errors.SLOT_ORDER.at("/ends_at", field="ends_at")]
    found = _check_slot(terms, wish.starts_at, wish.ends_at, now)
    if terms.unit in {Unit.SAMPLE, Unit.USE}:
        return _counted(terms, wish.quantity, found)
    quantity = _length(terms.unit, wish.starts_at, wish.ends_at)
    if wish.quantity is not None and wish.quantity != quantity:
        found.append(errors.QUANTITY_MISMATCH.at("/quantity", field="quantity", quantity=quantity))
    return _counted(terms, quantity, found)


def _counted(terms: Terms, quantity: int | None, found: list[Finding]) -> tuple[int, list[Finding]]:
    if quantity is None:
        return 0, [*found, errors.QUANTITY_REQUIRED.at("/quantity", field="quantity")]
    if not terms.min_quantity <= quantity <= terms.max_quantity:
        found = [
            *found,
            errors.QUANTITY_RANGE.at(
                "/quantity",
                field="quantity",
                minimum=terms.min_quantity,
                maximum=terms.max_quantity,
            ),
        ]
    return quantity, found


def _length(unit: Unit, start: datetime, end: datetime) -> int:
    """Started hours or days; whole ones are demanded elsewhere, so nothing is rounded here."""
    seconds = int((end - start).total_seconds())
    return -(-seconds // (3_600 if unit is Unit.HOUR else 86_400))


def _check_slot(terms: Terms, start: datetime, end: datetime, now: datetime) -> list[Finding]:
    found = []
    earliest = now + timedelta(hours=terms.lead_time_hours)
    latest = now + timedelta(days=terms.horizon_days)
    if start < earliest:
        text = _shown(earliest)
        found.append(errors.SLOT_TOO_SOON.at("/starts_at", field="starts_at", earliest=text))
    if end > latest:
        found.append(errors.SLOT_TOO_FAR.at("/ends_at", field="ends_at", latest=_shown(latest)))
    if found:
        return found  # a calendar is not walked through years that cannot be booked
    if terms.unit is Unit.DAY:
        if _minute(start) or _minute(end):
            found.append(errors.SLOT_WHOLE_DAYS.at("/starts_at", field="starts_at"))
        elif not open_every_day(terms.calendar, start, end):
            found.append(errors.SLOT_CLOSED.at("/starts_at", field="starts_at"))
        return found
    if any(_off_grid(instant) for instant in (start, end)):
        found.append(errors.SLOT_GRID.at("/starts_at", field="starts_at", minutes=GRID_MINUTES))
    elif terms.unit is Unit.HOUR and (end - start) % timedelta(hours=1):
        found.append(errors.SLOT_WHOLE_HOURS.at("/ends_at", field="ends_at"))
    if not covers(terms.calendar, start, end):
        found.append(errors.SLOT_CLOSED.at("/starts_at", field="starts_at"))
    return found


def _off_grid(instant: datetime) -> bool:
    return bool(instant.minute % GRID_MINUTES or instant.second or instant.microsecond)


def _minute(instant: datetime) -> bool:
    local = instant.astimezone(SEOUL)
    return (local.hour, local.minute, local.second, local.microsecond) != (0, 0, 0, 0)


def _shown(instant: datetime) -> str:
    return instant.astimezone(SEOUL).strftime("%Y-%m-%d %H:%M KST")


def searchable(*texts: str | None) -> str:
    """One lower-case line of composed Hangul, as it is stored and as queries are matched."""
    line = " ".join(text for text in texts if text)
    return " ".join(unicodedata.normalize("NFC", line).casefold().split())


def bigrams(text: str) -> list[str]:
    """The pairs of neighbouring characters of each word, for an index that knows no language.

    Korean glues particles to nouns and compounds freely, so word indexes miss; every substring
    of two or more characters is found by the pairs it is made of.
    """
    return sorted({word[i : i + 2] for word in text.split() for i in range(len(word) - 1)})
