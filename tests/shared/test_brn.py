"""Business registration numbers: the check digit, and what no number is made of."""

import pytest

from shared.brn import check_digit, flaw


@pytest.mark.parametrize(
    ("number", "found"),
    [
        ("1048203590", None),
        ("9998100015", None),
        ("104820359", "length"),
        ("10482035900", "length"),
        ("1048203590\n", "length"),
        ("１０４８２０３５９０", "length"),
        ("", "length"),
        ("1008203590", "component"),
        ("1040003590", "component"),
        ("1048200000", "component"),
        ("0000000000", "component"),
        ("1048203591", "checksum"),
        ("1084203590", "checksum"),
    ],
)
def test_a_number_is_ten_digits_of_known_parts_and_a_check(number: str, found: str | None) -> None:
    assert flaw(number) == found


def test_every_single_wrong_digit_is_noticed() -> None:
    number = "1048203590"
    for place in range(10):
        for digit in "0123456789":
            typed = number[:place] + digit + number[place + 1 :]
            assert (flaw(typed) is None) == (typed == number), typed


def test_the_check_digit_adds_the_tens_of_the_ninth() -> None:
    assert [check_digit("12345678" + ninth) for ninth in "0123456789"] == list("0594837261")
