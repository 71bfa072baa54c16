"""The clock, in one place: instants are UTC, business days are dates of Asia/Seoul."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

SEOUL = ZoneInfo("Asia/Seoul")


def utc_now() -> datetime:
    return datetime.now(UTC)


def seoul_day(instant: datetime) -> date:
    """The Korean calendar day an instant falls on."""
    return instant.astimezone(SEOUL).date()
