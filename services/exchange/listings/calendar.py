"""Opening hours: weekly hours, days that differ, and the free time between bookings. Pure.

Hours are minutes of the Korean day (0…1440); Korea keeps one offset all year, so a day has always
24 hours and neighbouring days join without a gap: 24-hour facilities are open 0…1440.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.exchange import errors
from shared.problems import Finding

SEOUL = ZoneInfo("Asia/Seoul")

Hours = tuple[tuple[int, int], ...]
Period = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Calendar:
    """`weekly[0]` is Monday; `exceptions` replace a day's hours (empty: closed)."""

    weekly: tuple[Hours, ...] = ((),) * 7
    exceptions: Mapping[date, Hours] = field(default_factory=dict)

    @property
    def ever_open(self) -> bool:
        return any(self.weekly) or any(self.exceptions.values())

    def hours(self, day: date) -> Hours:
        return self.exceptions.get(day, self.weekly[day.weekday()])

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Calendar":
        """From `{weekly: [{weekday, opens, closes}], exceptions: [{day, hours: [...]}]}`."""
        weekly = tuple(
            tuple(sorted(_hours(item) for item in stored["weekly"] if item["weekday"] == weekday))
            for weekday in range(7)
        )
        days = {
            date.fromisoformat(item["day"]): tuple(sorted(map(_hours, item["hours"])))
            for item in stored["exceptions"]
        }
        return cls(weekly, days)


def check_calendar(stored: Mapping[str, Any]) -> list[Finding]:
    """Everything wrong with a calendar: hours back to front or overlapping, a day twice."""
    found: list[Finding] = []
    for weekday in range(7):
        of_day = [
            (f"/calendar/weekly/{index}", _hours(item))
            for index, item in enumerate(stored["weekly"])
            if item["weekday"] == weekday
        ]
        found += _check_hours(of_day)
    seen = set()
    for number, item in enumerate(stored["exceptions"]):
        place = f"/calendar/exceptions/{number}"
        if item["day"] in seen:
            found.append(errors.DAY_TWICE.at(f"{place}/day", field="day"))
        seen.add(item["day"])
        found += _check_hours(
            [(f"{place}/hours/{index}", _hours(hours)) for index, hours in enumerate(item["hours"])]
        )
    return found


def _check_hours(placed: Sequence[tuple[str, tuple[int, int]]]) -> Iterator[Finding]:
    last_close = 0
    for place, (opens, closes) in sorted(placed, key=lambda item: item[1]):
        if closes <= opens:
            yield errors.HOURS_ORDER.at(f"{place}/closes", field="closes")
        elif opens < last_close:
            yield errors.HOURS_OVERLAP.at(f"{place}/opens", field="opens")
        last_close = max(last_close, closes)


def _hours(item: Mapping[str, str]) -> tuple[int, int]:
    return _minutes(item["opens"]), _minutes(item["closes"])


def _minutes(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


def open_periods(calendar: Calendar, start: datetime, end: datetime) -> list[Period]:
    """When it is open between two instants, in order, neighbours joined."""
    periods: list[Period] = []
    day = start.astimezone(SEOUL).date()
    while (midnight := datetime.combine(day, time(), SEOUL)) < end:
        for opens, closes in calendar.hours(day):
            first = max(midnight + timedelta(minutes=opens), start)
            last = min(midnight + timedelta(minutes=closes), end)
            if first >= last:
                continue
            if periods and periods[-1][1] == first:
                first = periods.pop()[0]
            periods.append((first, last))
        day += timedelta(days=1)
    return periods


def covers(calendar: Calendar, start: datetime, end: datetime) -> bool:
    return open_periods(calendar, start, end) == [(start, end)]


def open_every_day(calendar: Calendar, start: datetime, end: datetime) -> bool:
    """Whether every Korean day of a whole-day booking has opening hours."""
    return all(calendar.hours(day) for day in _days(start, end))


def free_periods(
    calendar: Calendar, busy: Sequence[Period], start: datetime, end: datetime
) -> list[Period]:
    """The open time that no booking takes. `busy` is sorted and does not overlap itself."""
    free: list[Period] = []
    for opens, closes in open_periods(calendar, start, end):
        cursor = opens
        for taken_from, taken_to in busy:
            if taken_to <= cursor or taken_from >= closes:
                continue
            if taken_from > cursor:
                free.append((cursor, taken_from))
            cursor = max(cursor, taken_to)
        if cursor < closes:
            free.append((cursor, closes))
    return free


def alternatives(
    calendar: Calendar,
    busy: Sequence[Period],
    *,
    wanted: Period,
    earliest: datetime,
    days: int = 14,
    count: int = 3,
) -> list[Period]:
    """The free times of the wanted length that start nearest to the wanted one."""
    start, end = wanted
    length = end - start
    first = max(earliest, start - timedelta(days=days))
    last = end + timedelta(days=days)
    whole_days = length % timedelta(days=1) == timedelta() and _is_midnight(start)
    found = (
        _whole_days(calendar, busy, first, last, length)
        if whole_days
        else _within(free_periods(calendar, busy, first, last), length, start)
    )
    nearest = sorted(found, key=lambda period: abs(period[0] - start))[:count]
    return sorted(nearest)


def _within(free: Iterable[Period], length: timedelta, near: datetime) -> Iterator[Period]:
    """Of each free time: its first and last fit, and the fit nearest to what was wanted."""
    for opens, closes in free:
        opens = _up_to_grid(opens)
        if closes - opens < length:
            continue
        latest = closes - length
        for begin in {opens, latest, min(max(near, opens), latest)}:
            yield begin, begin + length


def _whole_days(
    calendar: Calendar, busy: Sequence[Period], first: datetime, last: datetime, length: timedelta
) -> Iterator[Period]:
    begin = datetime.combine(first.astimezone(SEOUL).date() + timedelta(days=1), time(), SEOUL)
    while begin + length <= last:
        end = begin + length
        taken = any(start < end and begin < stop for start, stop in busy)
        if not taken and open_every_day(calendar, begin, end):
            yield begin, end
        begin += timedelta(days=1)


def _days(start: datetime, end: datetime) -> Iterator[date]:
    day = start.astimezone(SEOUL).date()
    while datetime.combine(day, time(), SEOUL) < end:
        yield day
        day += timedelta(days=1)


def _is_midnight(instant: datetime) -> bool:
    return instant.astimezone(SEOUL).time() == time()


def _up_to_grid(instant: datetime) -> datetime:
    step = timedelta(minutes=30)
    over = timedelta(
        minutes=instant.minute % 30, seconds=instant.second, microseconds=instant.microsecond
    )
    return instant + step - over if over else instant
