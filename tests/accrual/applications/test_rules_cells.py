"""What a single cell may hold: taken silently, or answered with a finding and a fix."""

import math
import unicodedata
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.accrual.applications import cells
from services.accrual.applications.columns import COLUMNS
from shared.sheets import errors as sheet_errors
from shared.sheets.cells import Fault
from tests.accrual.applications.sheets import KCCI, TODAY

COURSE_WORDS = {c.key: c for c in COLUMNS["CURRICULUM"]}["course_type"].words


def outcome(value):
    """A value, or the code of the fault and its suggestion."""
    return (value.kind.code, value.suggestion) if isinstance(value, Fault) else value


@pytest.mark.parametrize(
    ("cell", "result"),
    [
        ("1048203590", KCCI),
        (1048203590, KCCI),
        (1048203590.0, KCCI),
        ("104-82-03590", ("DIGITS_ONLY", KCCI)),
        ("104 82 03590", ("DIGITS_ONLY", KCCI)),
        ("1048203590\n", ("DIGITS_ONLY", KCCI)),  # `$` of a regular expression lets it pass
        ("１０４８２０３５９０", ("DIGITS_ONLY", KCCI)),  # `str.isdigit` lets it pass
        ("104—82—03590", ("DIGITS_ONLY", KCCI)),
        ("*1048203590*", ("DIGITS_ONLY", KCCI)),
        ("1048203590.0", ("DIGITS_ONLY", KCCI)),  # as pandas writes numbers
        ("¹048203590", ("DIGITS_ONLY", KCCI)),
        ("1048203590²", ("DIGITS_ONLY", None)),
        ("104820359O", ("DIGITS_ONLY", None)),
        ("٣", ("DIGITS_ONLY", None)),
        (-1048203590, ("DIGITS_ONLY", KCCI)),
        (1.5, ("DIGITS_ONLY", None)),
        (True, ("DIGITS_ONLY", None)),
        (math.nan, ("DIGITS_ONLY", None)),
        (date(2024, 1, 1), ("DIGITS_ONLY", None)),
        ("104820359", ("BRN_LENGTH", None)),
        ("10482035901", ("BRN_LENGTH", None)),
        ("1048203900", ("BRN_CHECKSUM", None)),  # the misread number of the source
        ("0000000000", ("BRN_COMPONENT", None)),  # its check digit is right
        ("1008203591", ("BRN_COMPONENT", None)),  # office codes start at 101
        ("1040003595", ("BRN_COMPONENT", None)),
        ("1048200002", ("BRN_COMPONENT", None)),
    ],
)
def test_a_business_registration_number(cell, result):
    assert outcome(cells.brn(cell)) == result


@pytest.mark.parametrize("digit", [d for d in "123456789" if d != "0"])
def test_any_other_last_digit_is_refused(digit):
    assert outcome(cells.brn(KCCI[:9] + digit)) == ("BRN_CHECKSUM", None)


@pytest.mark.parametrize(
    ("cell", "result"),
    [
        ("20240229", date(2024, 2, 29)),
        (20240229.0, date(2024, 2, 29)),
        (date(2024, 2, 29), date(2024, 2, 29)),
        (datetime(2024, 2, 29, 13, 5), date(2024, 2, 29)),  # noqa: DTZ001  # a cell has no zone
        ("20230229", ("DATE_INVALID", None)),
        ("20241301", ("DATE_INVALID", None)),
        ("00000000", ("DATE_INVALID", None)),
        ("240229", ("DATE_INVALID", None)),
        (45351, ("DATE_INVALID", "20240229")),  # the serial day of an unformatted cell
        ("45351", ("DATE_INVALID", "20240229")),
        (12345, ("DATE_INVALID", None)),
        ("2024-02-29", ("DIGITS_ONLY", "20240229")),
        ("2024.2.9", ("DIGITS_ONLY", "20240209")),
        ("2024. 2. 9.", ("DIGITS_ONLY", "20240209")),
        ("2024년 2월 9일", ("DIGITS_ONLY", "20240209")),
        ("2024-02-29 00:00:00", ("DIGITS_ONLY", "20240229")),
        ("２０２４０２２９", ("DIGITS_ONLY", "20240229")),
        ("2024-02-30", ("DIGITS_ONLY", None)),
        ("작년", ("DIGITS_ONLY", None)),
        (time(12, 0), ("DIGITS_ONLY", None)),
    ],
)
def test_a_date(cell, result):
    assert outcome(cells.day(cell)) == result


@pytest.mark.parametrize(
    ("cell", "result"),
    [
        ("4500000", 4_500_000),
        (4500000.0, 4_500_000),
        ("0004500000", 4_500_000),
        ("999999999999999", 999_999_999_999_999),
        (999999999999999.0, 999_999_999_999_999),
        ("4,500,000", ("DIGITS_ONLY", "4500000")),
        ("4 500 000", ("DIGITS_ONLY", "4500000")),
        ("4,500,000원", ("DIGITS_ONLY", "4500000")),
        ("₩4,500,000", ("DIGITS_ONLY", "4500000")),
        ("￦4，500，000", ("DIGITS_ONLY", "4500000")),
        ("4500000.00", ("DIGITS_ONLY", "4500000")),
        ("45,00,000", ("DIGITS_ONLY", None)),  # nobody can know what was meant
        ("450만원", ("DIGITS_ONLY", None)),
        ("-4500000", ("DIGITS_ONLY", None)),
        ("4500000.5", ("DIGITS_ONLY", None)),
        ("1e8", ("DIGITS_ONLY", None)),
        pytest.param("1" * 64 + "원" * 5_000, ("DIGITS_ONLY", None), id="a long text"),
        (-4500000.0, ("WON_INVALID", None)),
        (4500000.5, ("WON_INVALID", None)),
        (0, ("WON_INVALID", None)),
        ("0", ("WON_INVALID", None)),
        (1e15, ("WON_INVALID", None)),
        (2.0**53 + 2, ("WON_INVALID", None)),
        (math.inf, ("WON_INVALID", None)),
        (math.nan, ("WON_INVALID", None)),
        ("9" * 16, ("WON_INVALID", None)),
        pytest.param("9" * 10_000, ("WON_INVALID", None), id="more than Python converts"),
        pytest.param(10**5_000, ("WON_INVALID", None), id="five thousand digits"),
        (True, ("WON_INVALID", None)),
    ],
)
def test_an_amount(cell, result):
    assert outcome(cells.won(cell, 1)) == result


def test_the_smallest_and_largest_amounts_of_a_column():
    assert [cells.won("1", 1), cells.won("0", 0), cells.won(0, 0)] == [1, 0, 0]
    assert cells.won(cells.MAX_WON, 1) == cells.MAX_WON
    assert outcome(cells.won(cells.MAX_WON + 1, 1)) == ("WON_INVALID", None)


@pytest.mark.parametrize(
    ("cell", "result"),
    [
        ("2021", 2021),
        (1950, 1950),
        (2024.0, 2024),
        (1949, ("YEAR_RANGE", None)),
        ("2025", ("YEAR_RANGE", None)),
        ("21", ("YEAR_RANGE", None)),
        ("2021년", ("DIGITS_ONLY", "2021")),
        ("2021학년도", ("DIGITS_ONLY", "2021")),
        ("이천이십일", ("DIGITS_ONLY", None)),
    ],
)
def test_a_year_of_admission(cell, result):
    assert outcome(cells.year(cell, TODAY.year)) == result


@pytest.mark.parametrize(
    ("cell", "result"),
    [
        ("320", 320),
        (320.0, 320),
        (timedelta(hours=320), 320),  # a cell shown as [h]:mm
        (timedelta(hours=320, minutes=30), ("HOURS_INVALID", None)),
        (320.5, ("HOURS_INVALID", None)),
        (0, ("HOURS_INVALID", None)),
        ("10001", ("HOURS_INVALID", None)),
        ("320시간", ("DIGITS_ONLY", "320")),
        (time(8, 0), ("DIGITS_ONLY", None)),
    ],
)
def test_hours(cell, result):
    assert outcome(cells.hours(cell)) == result


@pytest.mark.parametrize(
    ("cell", "result"),
    [
        ("대한상공회의소", "대한상공회의소"),
        (unicodedata.normalize("NFD", "대한상공회의소"), "대한상공회의소"),
        ("  ㈜뚝섬\n바이오 \t", "㈜뚝섬 바이오"),
        ("한빛\u200b정밀\u00a0(주)\ufeff", "한빛 정밀 (주)"),
        pytest.param("이름\x00\ud800끝", "이름 끝", id="what no database stores"),
        ("\u3000\u200b", ""),
        (20240015.0, "20240015"),
        (1.5, "1.5"),
        (True, "TRUE"),
        (date(2024, 1, 5), "20240105"),
        (datetime(2024, 1, 5, 9, 30), "2024-01-05 09:30:00"),  # noqa: DTZ001
        pytest.param(10**5_000, "#오류", id="five thousand digits"),
        ("가" * 11, ("TEXT_TOO_LONG", None)),
    ],
)
def test_text(cell, result):
    assert outcome(cells.text(cell, 10 if cell == "가" * 11 else 50)) == result


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("캡스톤디자인", "CAPSTONE"),
        (" 캡스톤 디자인 ", "CAPSTONE"),
        (unicodedata.normalize("NFD", "주문식 교육과정"), "CUSTOMISED"),
        ("주문식(교육과정)", "CUSTOMISED"),
        ("capstone", "CAPSTONE"),
        ("ＩＰＰ형 일학습병행", "IPP"),
        ("특강", "특강"),
    ],
)
def test_a_word_of_a_choice_in_any_spelling(word, code):
    assert cells.choice(word, COURSE_WORDS) == code


def test_a_fault_of_the_reader_passes_through_every_parser():
    fault = Fault(sheet_errors.CELL_ERROR)
    for column in (column for columns in COLUMNS.values() for column in columns):
        assert column.parser(TODAY)(fault) is fault


anything = st.one_of(
    st.text(),
    st.text(alphabet="0123456789-,. 원₩년월일１²٣\t\n\x00", max_size=30),
    st.integers(),
    st.floats(allow_nan=True, allow_infinity=True),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.times(),
    st.timedeltas(),
)


@settings(deadline=None)
@given(anything, st.sampled_from([column for columns in COLUMNS.values() for column in columns]))
def test_nothing_a_cell_can_hold_raises_and_every_suggestion_is_accepted(cell, column):
    parse = column.parser(TODAY)
    result = parse(cell)
    if isinstance(result, Fault):
        finding = result.kind.at(
            row=2, suggestion=result.suggestion, column="열", column_en="column", **result.params
        )
        assert finding.message("ko")
        assert finding.message("en")
        if result.suggestion is not None:
            again = parse(result.suggestion)
            # Digits at last; whether they are a right number is another question.
            assert not isinstance(again, Fault) or again.kind.code != "DIGITS_ONLY"
    elif isinstance(result, str):
        result.encode()  # no half of a surrogate pair: it can be stored
        assert parse(result) == result


@settings(deadline=None)
@given(st.lists(st.text(max_size=12), min_size=1, max_size=6), st.integers(0, 12))
def test_text_that_is_clean_together_is_clean_one_by_one(texts, limit):
    if cells.are_clean(texts, limit):
        assert [cells.text(text, limit) for text in texts] == texts
