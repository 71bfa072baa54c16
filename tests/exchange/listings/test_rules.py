"""What a wish comes to, and everything that can be wrong with it."""

from datetime import UTC, datetime, timedelta

import pytest

from services.exchange.listings.calendar import SEOUL, Calendar
from services.exchange.listings.rules import (
    Kind,
    Terms,
    Unit,
    UseMode,
    Wish,
    assess,
    bigrams,
    check_listing,
    searchable,
)

NOW = datetime(2027, 3, 5, 9, tzinfo=SEOUL)
MONDAY = datetime(2027, 3, 8, tzinfo=SEOUL)


def terms(**changes) -> Terms:
    values = {
        "use_mode": UseMode.DIRECT,
        "unit": Unit.HOUR,
        "price_won": 1_000,
        "min_quantity": 1,
        "max_quantity": 10,
        "lead_time_hours": 24,
        "horizon_days": 90,
        "calendar": Calendar(weekly=(((540, 1080),),) * 5 + ((), ())),
    }
    return Terms(**(values | changes))


def slot(start: float, end: float, quantity: int | None = None) -> Wish:
    return Wish(MONDAY + timedelta(hours=start), MONDAY + timedelta(hours=end), quantity)


def codes(found) -> list[str]:
    return [finding.code for finding in found]


def test_hours_are_counted_from_the_slot():
    assert assess(terms(), slot(9, 12), now=NOW) == (3, [])


def test_days_are_whole_korean_days_that_are_open():
    day = terms(unit=Unit.DAY)
    assert assess(day, slot(0, 48), now=NOW) == (2, [])
    in_utc = Wish(slot(0, 24).starts_at.astimezone(UTC), slot(0, 24).ends_at.astimezone(UTC), None)
    assert assess(day, in_utc, now=NOW) == (1, [])
    assert codes(assess(day, slot(9, 33), now=NOW)[1]) == ["SLOT_WHOLE_DAYS"]
    assert codes(assess(day, slot(96, 144), now=NOW)[1]) == ["SLOT_CLOSED"]


def test_samples_need_a_quantity_beside_the_slot():
    sample = terms(unit=Unit.SAMPLE)
    assert assess(sample, slot(9, 10, 4), now=NOW) == (4, [])
    assert codes(assess(sample, slot(9, 10), now=NOW)[1]) == ["QUANTITY_REQUIRED"]


def test_commissioned_work_takes_no_slot():
    commissioned = terms(use_mode=UseMode.COMMISSIONED, unit=Unit.SAMPLE)
    assert assess(commissioned, Wish(None, None, 5), now=NOW) == (5, [])
    assert codes(assess(commissioned, slot(9, 10, 5), now=NOW)[1]) == ["SLOT_NOT_USED"]


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (Wish(None, None, 2), ["SLOT_REQUIRED"]),
        (slot(12, 12), ["SLOT_ORDER"]),
        (slot(9.1, 10.1), ["SLOT_GRID"]),
        (slot(9, 10.5), ["SLOT_WHOLE_HOURS"]),
        (slot(8, 10), ["SLOT_CLOSED"]),
        (slot(9, 11, 3), ["QUANTITY_MISMATCH"]),
        (slot(-72, -71), ["SLOT_TOO_SOON"]),
        (slot(24 * 100, 24 * 100 + 1), ["SLOT_TOO_FAR"]),
        (
            slot(8, 19.5, 7),
            ["SLOT_WHOLE_HOURS", "SLOT_CLOSED", "QUANTITY_MISMATCH", "QUANTITY_RANGE"],
        ),
    ],
)
def test_everything_wrong_is_found_at_once(wish, expected):
    assert codes(assess(terms(), wish, now=NOW)[1]) == expected


@pytest.mark.parametrize("year", [1, 1900, 9999])
def test_absurd_years_are_refused_quickly(year):
    start = datetime(year, 1, 2, tzinfo=UTC)
    wish = Wish(start, start + timedelta(days=300), None)
    assert codes(assess(terms(), wish, now=NOW)[1])[0] in {"SLOT_TOO_SOON", "SLOT_TOO_FAR"}


@pytest.mark.parametrize("offset", [14, -12])
def test_the_ends_of_time_are_refused_in_every_zone(offset):
    from datetime import timezone

    zone = timezone(timedelta(hours=offset))
    first = datetime(1, 1, 1, tzinfo=zone)
    last = datetime(9999, 12, 31, 23, 30, tzinfo=zone)
    found = assess(terms(), Wish(first, last, None), now=NOW)[1]
    assert {"SLOT_TOO_SOON", "SLOT_TOO_FAR"} <= set(codes(found))


def test_kinds_manners_and_units_belong_together():
    assert check_listing(kind=Kind.EQUIPMENT, use_mode=UseMode.COMMISSIONED, unit=Unit.USE) == []
    found = check_listing(kind=Kind.ANALYSIS, use_mode=UseMode.DIRECT, unit=Unit.SAMPLE)
    assert codes(found) == ["KIND_USE_MODE"]
    found = check_listing(kind=Kind.FACILITY, use_mode=UseMode.COMMISSIONED, unit=Unit.DAY)
    assert codes(found) == ["KIND_USE_MODE", "UNIT_NEEDS_SLOT"]


def test_search_text_is_composed_and_of_one_case():
    decomposed = (
        "\u1112\u1167\u11ab\u1106\u1175\u1100\u1167\u11bc"  # 현미경, as some systems send it
    )
    assert searchable(" FE-SEM ", decomposed, None) == "fe-sem 현미경"
    assert bigrams("현미경 a") == ["미경", "현미"]
