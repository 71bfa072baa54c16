"""Verification numbers that catch every slip, the 90 days, and masking."""

from datetime import date
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.accrual.certificates import rules
from shared.problems import Invalid

NUMBER = rules.verification_number(bytes.fromhex("00112233445566778899"))
random_bytes = st.binary(min_size=rules.RANDOM_BYTES, max_size=rules.RANDOM_BYTES)


def test_a_number_is_four_groups_and_a_check_character():
    assert rules.show_number(NUMBER) == "008J-4CT4-ANK7-F24S-W"
    assert rules.verification_number(bytes(10)) == "0" * 17


@given(random_bytes)
def test_what_was_shown_is_read_back(random):
    number = rules.verification_number(random)
    assert rules.parse_number(rules.show_number(number)) == number
    assert rules.parse_number(f" {number.lower()} ".replace("0", "o").replace("1", "l")) == number


@settings(max_examples=15, deadline=None)
@given(random_bytes)
def test_no_wrong_character_and_no_exchanged_pair_passes(random):
    number = rules.verification_number(random)
    for place, right in enumerate(number):
        for wrong in rules.ALPHABET.replace(right, ""):
            with pytest.raises(Invalid):
                rules.parse_number(number[:place] + wrong + number[place + 1 :])
    for left, right in combinations(range(len(number)), 2):
        if number[left] != number[right]:
            swapped = list(number)
            swapped[left], swapped[right] = swapped[right], swapped[left]
            with pytest.raises(Invalid):
                rules.parse_number("".join(swapped))


@pytest.mark.parametrize("entered", ["", NUMBER[:-1], NUMBER + "0", "U" * 17, "가" * 17, "٣" * 17])
def test_what_is_no_number_is_called_mistyped(entered):
    with pytest.raises(Invalid) as refused:
        rules.parse_number(entered)
    assert [finding.code for finding in refused.value.errors] == ["NUMBER_MISTYPED"]


def test_a_key_is_read_as_people_type_it():
    assert rules.parse_key("104-82-03590") == rules.parse_key(" 1048203590") == "1048203590"
    assert rules.parse_key("abco-1i2l") == "ABC01121"


def test_the_ninetieth_day_counts_and_the_ninety_first_does_not():
    last = rules.valid_until(date(2026, 1, 1))
    assert last == date(2026, 4, 1)
    assert rules.result(revoked=False, last_day=last, today=last) == "genuine"
    assert rules.result(revoked=False, last_day=last, today=date(2026, 4, 2)) == "expired"
    assert rules.result(revoked=True, last_day=last, today=date(2026, 4, 2)) == "revoked"


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("한국대학교", "한국**교"),
        ("한빛정밀", "한**밀"),
        ("두산", "두*산"),
        ("삼", "삼*삼"),
        ("한국산업기술대학교산학협력단", "한국***********단"),
    ],
)
def test_names_are_masked(name, masked):
    assert rules.masked_name(name) == masked
    assert rules.masked_brn("1048203590") == "104-82-*****"


def test_the_parts_of_a_certificate_add_up_whatever_the_fields_are():
    found = rules.parts({"A": 5, None: -3, "GONE": 4}, {"A": "가", "B": "나"})
    assert [(part.name, part.points) for part in found] == [
        ("가", 5),
        ("나", 0),
        (rules.SPENDING, 1),
    ]
    assert rules.parts({}, {"A": "가"}) == [rules.Part("A", "가", 0)]
