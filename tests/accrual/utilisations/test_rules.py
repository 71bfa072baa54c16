"""Steps, points and cost, to the last digit."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accrual.utilisations.rules import BonusRule, decimal

BUSAN = BonusRule("0.1", 1_000, "1.0", "%p", deducts=True, certified_only=False)
DEFAULT = BonusRule("1", 1_000, "5", "점", deducts=True, certified_only=False)


@pytest.mark.parametrize(
    ("rule", "mileage", "steps", "points", "cost"),
    [
        (BUSAN, 10_499, 10, "1.0", 10_000),
        (BUSAN, 999, 0, "0.0", 0),
        (BUSAN, 1_000, 1, "0.1", 1_000),
        (BUSAN, 99_999, 10, "1.0", 10_000),
        (DEFAULT, 4_999, 4, "4.0", 4_000),
        (DEFAULT, 7_000, 5, "5.0", 5_000),
        (BonusRule("0.3", 100, "1", "점", True, False), 400, 4, "1.0", 400),
        (BonusRule("0.25", 100, "1", "점", False, True), 150, 1, "0.25", 0),
    ],
)
def test_what_mileage_buys_and_costs(rule, mileage, steps, points, cost):
    assert rule.steps(mileage) == steps
    assert (rule.points(steps), rule.cost(steps)) == (points, cost)


rates = st.integers(1, 99_999).map(lambda n: decimal(Fraction(n, 10_000)))


@given(rates, rates, st.integers(1, 5_000), st.integers(0, 10**6))
def test_nobody_pays_for_more_than_the_maximum_or_gets_more_for_less(rate, most, step, mileage):
    rule = BonusRule(rate, step, most, "점", deducts=True, certified_only=False)
    steps = rule.steps(mileage)
    assert rule.cost(steps) <= mileage
    assert Fraction(rule.points(steps)) <= Fraction(most)
    assert rule.steps(mileage + 1) >= steps
    if steps and steps == rule.most_steps:
        # One step less would not have reached it.
        assert Fraction(rule.points(steps - 1)) < Fraction(most)


def test_a_number_with_more_than_four_decimals_is_no_rate():
    with pytest.raises(ValueError, match="four decimals"):
        decimal(Fraction(1, 3))
