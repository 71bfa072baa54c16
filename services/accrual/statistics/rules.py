"""Survey windows: which day belongs to which survey. Pure.

The survey of a year counts what was applied for *and* posted from 1 March of the year before to
the last day of February; when the activity took place does not matter (M-060, S1:617-631).
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from services.accrual.statistics import errors
from shared.problems import Invalid

PILOT_YEAR: Final = 2024
"""The first survey was a pilot: it is not published (S1:617-631)."""


@dataclass(frozen=True, slots=True)
class Window:
    """Both days belong to it. A `pilot` is never published."""

    year: int
    starts_on: date
    ends_on: date
    pilot: bool

    def bounds(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """The first instant of the window, and the first after it."""
        after = self.ends_on + timedelta(days=1)
        return (
            datetime.combine(self.starts_on, time(), zone),
            datetime.combine(after, time(), zone),
        )

    def has_ended(self, today: date) -> bool:
        return today > self.ends_on

    def days_left(self, today: date) -> int:
        """Days until the cut-off, 0 on the last day; none are left of a window that is over."""
        return max(0, (self.ends_on - today).days)


def usual_window(year: int) -> Window:
    """The window of a year as long as nobody sets another one."""
    last = date(year, 3, 1) - timedelta(days=1)
    return Window(year, date(year - 1, 3, 1), last, pilot=year == PILOT_YEAR)


def survey_year(day: date) -> int:
    """The year whose usual window has this day."""
    return day.year + 1 if day.month >= 3 else day.year


def check_window(window: Window, today: date) -> None:
    """Raises `Invalid` (DATE_ORDER, WINDOW_PAST): one that is over cannot be mended."""
    found = []
    if window.ends_on < window.starts_on:
        found.append(errors.WINDOW_ORDER.at("/ends_on", field="ends_on"))
    if window.has_ended(today):
        found.append(errors.WINDOW_PAST.at("/ends_on", field="ends_on", today=today.isoformat()))
    if found:
        raise Invalid(errors=found)


def check_day(day: date, today: date) -> None:
    """Raises `Invalid` (DATE_FUTURE)."""
    if day > today:
        raise Invalid(errors=[errors.ON_FUTURE.at("?on", field="on", today=today.isoformat())])
