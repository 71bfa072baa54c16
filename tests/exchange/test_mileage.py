"""M-041: one point is 1,000 won, up to 30 % of the fee, and never a fraction of a point."""

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.exchange.mileage import cash_won, check_mileage, mileage_cap, usable

FEES = st.integers(min_value=0, max_value=10**13)


@pytest.mark.parametrize(
    ("fee_won", "points", "cash"),
    [
        (2_500_000, 750, 1_750_000),
        (999_000, 299, 700_000),
        (3_333, 0, 3_333),
        (3_334, 1, 2_334),
        (1_000_000, 300, 700_000),
        (0, 0, 0),
    ],
)
def test_the_examples_of_the_rule_hold(fee_won, points, cash):
    assert mileage_cap(fee_won) == points
    assert cash_won(fee_won, points) == cash


@given(FEES)
def test_the_cap_is_the_floor_of_the_exact_fraction(fee_won):
    assert mileage_cap(fee_won) == floor(Fraction(fee_won) * Fraction(3, 10) / 1_000)


@given(FEES, st.integers(-(10**6), 10**12), st.integers(0, 10**12))
def test_what_is_usable_keeps_every_limit_and_could_not_be_more(fee_won, available, requested):
    points = usable(available=available, fee_won=fee_won, requested=requested)
    limits = (max(0, available), mileage_cap(fee_won), requested)
    assert points == min(limits)
    assert cash_won(fee_won, points) >= 0


def test_every_finding_is_told_at_once_and_names_the_maximum():
    found = check_mileage(requested=301, fee_won=1_000_000, available=120)
    assert [(finding.code, finding.params["maximum"]) for finding in found] == [
        ("DISCOUNT_CAP", 300),
        ("INSUFFICIENT", 120),
    ]
    assert found[0].message("ko") == "최대 300점(사용료의 30%)까지 사용할 수 있습니다."


def test_a_negative_balance_is_told_as_nothing():
    [finding] = check_mileage(requested=1, fee_won=1_000_000, available=-40)
    assert finding.params == {"available": 0, "maximum": 0}
