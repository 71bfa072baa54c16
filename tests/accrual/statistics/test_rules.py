"""Survey windows: which day belongs to which survey."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.accrual.statistics import rules
from services.accrual.statistics.rules import Window, usual_window
from shared.clock import SEOUL
from shared.problems import Invalid

SURVEY_2024 = Window(2024, date(2023, 3, 1), date(2024, 2, 29), pilot=True)


def test_the_survey_of_2024_is_a_pilot_over_a_leap_february():
    assert usual_window(2024) == SURVEY_2024
    assert usual_window(2025) == Window(2025, date(2024, 3, 1), date(2025, 2, 28), pilot=False)


def test_a_window_ends_with_the_last_instant_of_its_last_korean_day():
    start, end = SURVEY_2024.bounds(SEOUL)
    assert start == datetime(2023, 2, 28, 15, tzinfo=UTC)
    assert end == datetime(2024, 2, 29, 15, tzinfo=UTC)


def test_windows_follow_each_other_without_a_gap():
    for year in range(2024, 2060):
        one = usual_window(year)
        assert usual_window(year + 1).starts_on == one.ends_on + timedelta(days=1)
        assert rules.survey_year(one.starts_on) == rules.survey_year(one.ends_on) == year


def test_the_cut_off_is_counted_down():
    assert SURVEY_2024.days_left(date(2024, 2, 20)) == 9
    assert (SURVEY_2024.days_left(date(2024, 2, 29)), SURVEY_2024.days_left(date(2025, 1, 1))) == (
        0,
        0,
    )
    assert not SURVEY_2024.has_ended(date(2024, 2, 29))
    assert SURVEY_2024.has_ended(date(2024, 3, 1))


def test_a_window_has_an_order_and_an_end_ahead():
    with pytest.raises(Invalid) as refused:
        rules.check_window(
            Window(2027, date(2026, 5, 1), date(2026, 4, 1), False), date(2026, 6, 1)
        )
    assert [one.code for one in refused.value.errors] == ["DATE_ORDER", "WINDOW_PAST"]
