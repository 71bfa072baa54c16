"""Opening hours, bookings and what is left between them."""

import itertools
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.exchange.listings.calendar import (
    SEOUL,
    Calendar,
    alternatives,
    check_calendar,
    covers,
    free_periods,
    open_every_day,
    open_periods,
)

OFFICE = ((540, 1080),)
WEEK = Calendar(weekly=(OFFICE,) * 5 + ((), ()))
ALWAYS = Calendar(weekly=(((0, 1440),),) * 7)
MONDAY = datetime(2027, 3, 8, tzinfo=SEOUL)


def at(hour: int, minute: int = 0, day: int = 0) -> datetime:
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


def test_hours_are_korean_whatever_zone_the_question_comes_in():
    start, end = at(9).astimezone(UTC), at(18).astimezone(UTC)
    assert covers(WEEK, start, end)
    assert not covers(WEEK, start - timedelta(minutes=30), end)


def test_a_lunch_break_splits_the_day():
    split = Calendar(weekly=(((540, 720), (780, 1080)),) * 7)
    assert not covers(split, at(11), at(14))
    assert covers(split, at(13), at(15))


def test_round_the_clock_days_join_over_midnight_and_over_the_year():
    assert covers(ALWAYS, at(22), at(4, day=3))
    new_year = datetime(2027, 12, 31, 20, tzinfo=SEOUL)
    assert covers(ALWAYS, new_year, new_year + timedelta(hours=9))


def test_an_exception_closes_or_opens_a_day():
    calendar = Calendar(
        weekly=WEEK.weekly, exceptions={date(2027, 3, 8): (), date(2027, 3, 13): ((600, 720),)}
    )
    assert not covers(calendar, at(9), at(10))
    assert covers(calendar, at(10, day=5), at(12, day=5))
    assert not open_every_day(calendar, at(0), at(0, day=2))
    assert open_every_day(calendar, at(0, day=1), at(0, day=3))


def test_bookings_are_cut_out_of_the_open_time():
    busy = [(at(8), at(10)), (at(12), at(13)), (at(17), at(18))]
    assert free_periods(WEEK, busy, at(0), at(0, day=1)) == [
        (at(10), at(12)),
        (at(13), at(17)),
    ]


def test_alternatives_are_the_nearest_free_times_of_the_same_length():
    busy = [(at(10), at(12))]
    found = alternatives(WEEK, busy, wanted=(at(10), at(12)), earliest=at(9))
    assert found == [(at(12), at(14)), (at(16), at(18)), (at(9, day=1), at(11, day=1))]


def test_alternatives_never_lie_before_the_lead_time_and_stay_on_the_grid():
    found = alternatives(WEEK, [], wanted=(at(10), at(12)), earliest=at(13, 7))
    assert found[0] == (at(13, 30), at(15, 30))


def test_whole_days_are_answered_with_whole_days():
    busy = [(at(0, day=1), at(0, day=2))]
    wanted = (at(0, day=1), at(0, day=2))
    found = alternatives(WEEK, busy, wanted=wanted, earliest=at(0) - timedelta(days=1))
    assert found == [(at(0, day=d), at(0, day=d + 1)) for d in (0, 2, 3)]


def test_a_calendar_with_mistakes_names_every_place():
    stored = {
        "weekly": [
            {"weekday": 0, "opens": "09:00", "closes": "12:00"},
            {"weekday": 0, "opens": "11:00", "closes": "18:00"},
            {"weekday": 1, "opens": "18:00", "closes": "09:00"},
        ],
        "exceptions": [
            {"day": "2027-03-01", "hours": []},
            {"day": "2027-03-01", "hours": [{"opens": "10:00", "closes": "10:00"}]},
        ],
    }
    found = {(finding.pointer, finding.code) for finding in check_calendar(stored)}
    assert found == {
        ("/calendar/weekly/1/opens", "HOURS_OVERLAP"),
        ("/calendar/weekly/2/closes", "HOURS_ORDER"),
        ("/calendar/exceptions/1/day", "DAY_TWICE"),
        ("/calendar/exceptions/1/hours/0/closes", "HOURS_ORDER"),
    }


HOURS = st.lists(
    st.tuples(st.integers(0, 47), st.integers(1, 48)).filter(lambda pair: pair[0] < pair[1]),
    max_size=3,
)


def disjoint(pairs: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    kept: list[tuple[int, int]] = []
    for opens, closes in sorted(pairs):
        if not kept or opens * 30 >= kept[-1][1]:
            kept.append((opens * 30, closes * 30))
    return tuple(kept)


@given(
    st.lists(HOURS.map(disjoint), min_size=7, max_size=7),
    st.lists(st.tuples(st.integers(0, 335), st.integers(1, 20)), max_size=6),
)
def test_free_and_booked_time_together_are_exactly_the_open_time(weekly, wishes):
    calendar = Calendar(weekly=tuple(weekly))
    busy: list[tuple[datetime, datetime]] = []
    for first, length in sorted(wishes):
        start = MONDAY + timedelta(minutes=30 * first)
        if not busy or start >= busy[-1][1]:
            busy.append((start, start + timedelta(minutes=30 * length)))
    end = MONDAY + timedelta(days=9)
    free = free_periods(calendar, busy, MONDAY, end)

    def halves(periods):
        return {
            start + timedelta(minutes=30 * n)
            for start, stop in periods
            for n in range(int((stop - start).total_seconds()) // 1800)
        }

    assert halves(free) == halves(open_periods(calendar, MONDAY, end)) - halves(busy)
    assert all(a[1] < b[0] or a[1] == b[0] for a, b in itertools.pairwise(free))
