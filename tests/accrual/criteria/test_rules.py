"""The arithmetic of mileage: golden results, worked examples, and properties."""

import json
from decimal import ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.accrual import errors
from services.accrual.applications.columns import COLUMNS
from services.accrual.criteria.rules import (
    Posted,
    Power,
    assess,
    criteria_on,
    explain,
    mileage,
    parse_criteria,
    unrounded,
)
from services.accrual.criteria.service import versions

VECTORS = Path(__file__).parents[2] / "vectors" / "accrual.json"
FIELDS = versions()[0].fields
POWER_FIELDS = ["RESEARCH", "TECH_TRANSFER", "EQUIPMENT", "SCHOLARSHIP"]
PRECISE = Context(prec=120)

won = st.integers(min_value=1, max_value=10**13)
power_field = st.sampled_from(POWER_FIELDS)

# The worked examples of M-030 to M-034: won (or people), the result before rounding, the points.
EXAMPLES = {
    "PRACTICE": [
        (1, "0.000100", 0),
        (9_999, "0.999900", 0),
        (10_000, "1.000000", 1),
        (19_999, "1.999900", 1),
        (4_500_000, "450.000000", 450),
        (1_154_400, "115.440000", 115),
        (11_544_000, "1154.400000", 1_154),
        (12_345_678, "1234.567800", 1_234),
    ],
    "CURRICULUM": [
        (5_000, "0.500000", 0),
        (10_001, "1.000100", 1),
        (8_765_432, "876.543200", 876),
        (25_000_000, "2500.000000", 2_500),
        (99_999_999, "9999.999900", 9_999),
        (100_000_000, "10000.000000", 10_000),
    ],
    "HIRING": [
        (1, "300.000000", 300),
        (2, "600.000000", 600),
        (7, "2100.000000", 2_100),
        (10, "3000.000000", 3_000),
        (34, "10200.000000", 10_200),
    ],
    "RESEARCH": [
        (999, "0.999399", 0),
        (1_000, "1.000000", 1),
        (3_125_000, "125.000000", 125),
        (10_000_000, "251.188643", 251),
        (50_000_000, "659.753955", 659),
        (99_833_388, "998.999994", 998),
        (99_833_389, "999.000000", 999),
        (99_999_999, "999.999993", 999),
        (100_000_000, "1000.000000", 1_000),
        (123_456_789, "1134.772980", 1_134),
        (300_000_000, "1933.182044", 1_933),
        (3_200_000_000, "8000.000000", 8_000),
    ],
    "TECH_TRANSFER": [
        (10_000, "2.574666", 2),
        (11_000_000, "346.494126", 346),
        (22_000_000, "562.881368", 562),
        (30_000_000, "699.368190", 699),
        (33_000_000, "747.619731", 747),
        (49_999_999, "999.999985", 999),
        (50_000_000, "1000.000000", 1_000),
        (55_000_000, "1068.993044", 1_068),
        (110_000_000, "1736.584324", 1_736),
        (51_200_000_000, "128000.000000", 128_000),
    ],
    "EQUIPMENT": [
        (2_589, "0.999800", 0),
        (2_590, "1.000070", 1),
        (500_000, "39.810717", 39),
        (1_000_000, "64.672700", 64),
        (1_100_000, "69.134667", 69),
        (1_750_000, "95.685830", 95),
        (3_300_000, "149.169747", 149),
        (10_000_000, "324.131319", 324),
        (35_000_000, "779.055912", 779),
        (134_590_019, "1999.999997", 1_999),
        (134_590_020, "2000.000007", 2_000),
    ],
    "SCHOLARSHIP": [
        (43, "0.987966", 0),
        (44, "1.000768", 1),
        (100_000, "75.857757", 75),
        (1_000_000, "275.422870", 275),
        (5_000_000, "678.302163", 678),
        (9_999_999, "999.999943", 999),
        (10_000_000, "1000.000000", 1_000),
        (10_017_864, "1000.999991", 1_000),
        (10_017_865, "1001.000047", 1_001),
        (12_345_678, "1125.248310", 1_125),
        (50_000_000, "2462.766301", 2_462),
        (1_000_000_000, "13182.567385", 13_182),
    ],
}


def test_every_golden_result_holds():
    vectors = json.loads(VECTORS.read_text())
    wrong = [
        vector
        for vector in vectors
        if mileage(FIELDS[vector["field"]], vector.get("amount_won", vector.get("hires")))
        != vector["mileage"]
    ]
    assert wrong == []
    assert len(vectors) == 485


@pytest.mark.parametrize(
    ("field", "quantity", "before_rounding", "points"),
    [(field, *example) for field, examples in EXAMPLES.items() for example in examples],
)
def test_the_worked_examples_hold(field, quantity, before_rounding, points):
    assert unrounded(FIELDS[field], quantity) == before_rounding
    assert mileage(FIELDS[field], quantity) == points


def test_the_exact_result_is_not_the_one_of_binary_floating_point():
    assert int((3.2e9 / 1e8) ** 0.6 * 1000) == 7_999
    assert mileage(FIELDS["RESEARCH"], 3_200_000_000) == 8_000
    assert int((51.2e9 / 5e7) ** 0.7 * 1000) == 127_999
    assert mileage(FIELDS["TECH_TRANSFER"], 51_200_000_000) == 128_000


def test_a_negative_quantity_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="negative"):
        mileage(FIELDS["PRACTICE"], -1)


@settings(deadline=None)
@given(power_field, won)
def test_a_power_result_is_exact(field, amount):
    """m is the floor exactly if m^q ≤ f^q × (D/B)^p < (m+1)^q, in whole fractions."""
    formula = FIELDS[field].formula
    assert isinstance(formula, Power)
    p, q = formula.exponent.numerator, formula.exponent.denominator
    exact = formula.points_at_base**q * Fraction(amount, formula.base_won) ** p
    points = mileage(FIELDS[field], amount)
    assert points**q <= exact < (points + 1) ** q


@settings(deadline=None)
@given(power_field, won)
def test_the_unrounded_result_agrees_with_decimals_of_high_precision(field, amount):
    formula = FIELDS[field].formula
    ratio = PRECISE.divide(Decimal(amount), Decimal(formula.base_won))
    exponent = PRECISE.divide(
        Decimal(formula.exponent.numerator), Decimal(formula.exponent.denominator)
    )
    value = PRECISE.multiply(PRECISE.power(ratio, exponent), Decimal(formula.points_at_base))
    # Decimal's own last digits waver around exact results; a hair more settles them.
    value = PRECISE.add(value, Decimal(1).scaleb(-90))
    expected = value.quantize(Decimal("0.000001"), rounding=ROUND_FLOOR, context=PRECISE)
    assert unrounded(FIELDS[field], amount) == str(expected)


@settings(deadline=None)
@given(st.sampled_from(list(FIELDS)), won, won)
def test_more_never_earns_less(field, one, other):
    less, more = sorted((one, other))
    assert mileage(FIELDS[field], less) <= mileage(FIELDS[field], more)


@settings(deadline=None)
@given(power_field, st.lists(st.integers(1, 10**11), min_size=1, max_size=8))
def test_a_contract_paid_in_instalments_earns_what_it_earns_at_once(field, instalments):
    rule = FIELDS[field]
    posted = Posted(0, 0, 0)
    for deposit in instalments:
        earned = assess(rule, [("1048203590", "A-1", deposit)], {("1048203590", "A-1"): posted})
        paid = posted.deposited_won + deposit
        posted = Posted(paid, paid, posted.points + earned.total)
    assert posted.points == mileage(rule, sum(instalments))


@settings(deadline=None)
@given(
    st.sampled_from(["PRACTICE", "CURRICULUM"]),
    st.lists(st.integers(1, 10**9), min_size=1, max_size=12),
)
def test_a_linear_field_is_rounded_once_for_a_company(field, amounts):
    earned = assess(FIELDS[field], [("1048203590", None, amount) for amount in amounts])
    assert earned.total == sum(amounts) // 10_000


def test_ten_trainees_earn_the_floor_of_their_sum_not_the_sum_of_their_floors():
    claims = [("1048203590", None, 1_154_400)] * 10
    assert assess(FIELDS["PRACTICE"], claims).total == 1_154
    assert mileage(FIELDS["PRACTICE"], 1_154_400) * 10 == 1_150


def test_a_linear_field_knows_no_contracts():
    claims = [("1048203590", "A-1", 9_999), ("1048203590", "A-2", 9_999)]
    (company,) = assess(FIELDS["CURRICULUM"], claims).companies
    assert (company.points, company.contracts) == (1, ())


def test_splitting_a_contract_of_100_million_does_not_pay():
    rule = FIELDS["RESEARCH"]
    halves = [("1048203590", "A-1", 50_000_000), ("1048203590", "A-1", 50_000_000)]
    assert assess(rule, halves).total == 1_000
    assert mileage(rule, 50_000_000) * 2 == 1_318
    later = assess(rule, halves[1:], {("1048203590", "A-1"): Posted(50_000_000, 50_000_000, 659)})
    assert later.total == 341
    assert later.companies[0].contracts[0].earlier == 50_000_000


def test_two_contracts_of_a_company_are_two_curves():
    claims = [("1048203590", "A-1", 50_000_000), ("1048203590", "A-2", 50_000_000)]
    (company,) = assess(FIELDS["RESEARCH"], claims).companies
    assert [line.points for line in company.contracts] == [659, 659]
    assert (company.points, company.quantity, company.rows) == (1_318, 100_000_000, 2)


def test_an_instalment_never_takes_points_away():
    posted = {("1048203590", "A-1"): Posted(10_000_000, 10_000_000, 9_999)}
    assert assess(FIELDS["RESEARCH"], [("1048203590", "A-1", 1)], posted).total == 0


def test_hires_are_counted_and_each_earns_300():
    claims = [("1048203590", None, 1), ("1048203590", None, 1), ("2158600120", None, 1)]
    earned = assess(FIELDS["HIRING"], claims)
    assert [(company.brn, company.points) for company in earned.companies] == [
        ("1048203590", 600),
        ("2158600120", 300),
    ]
    assert earned.total == 900


def test_the_university_is_credited_the_sum_of_the_companies_floors():
    claims = [("1048203590", None, 19_999), ("2158600120", None, 19_999)]
    earned = assess(FIELDS["PRACTICE"], claims)
    assert [company.points for company in earned.companies] == [1, 1]
    assert earned.total == 2  # the floor of the sum would be 3


def test_an_explanation_can_be_recomputed_by_hand():
    told = explain(FIELDS["RESEARCH"], 123_456_789)
    assert told.formula_ko == "(123,456,789원 ÷ 100,000,000원)^0.6 × 1,000점"
    assert told.formula_en == "(123,456,789 won ÷ 100,000,000 won)^0.6 × 1,000"
    assert (told.base_won, told.exponent) == (100_000_000, "0.6")
    assert (told.unrounded, told.points, told.version) == ("1134.772980", 1_134, "2022")
    assert explain(FIELDS["SCHOLARSHIP"], 1).exponent == "0.56"
    assert explain(FIELDS["PRACTICE"], 4_500_000).formula_ko == "4,500,000원 ÷ 10,000원"
    assert explain(FIELDS["HIRING"], 3).formula_ko == "300점 × 3명"
    assert explain(FIELDS["HIRING"], 3).base_won is None


def test_the_version_in_force_is_the_last_one_that_has_begun():
    data = _shipped()
    first = parse_criteria(data)
    second = parse_criteria({**data, "version": "2027", "valid_from": "2027-03-01"})
    both = [second, first]
    assert criteria_on(both, second.valid_from).version == "2027"
    assert criteria_on(both, second.valid_from.replace(day=28, month=2)).version == "2022"
    assert criteria_on(both, first.valid_from.replace(year=2000)).version == "2022"


@pytest.mark.parametrize(
    "change",
    [
        {"formula": {"kind": "linear", "won_per_point": 0}},
        {"formula": {"kind": "linear", "won_per_point": 10_000.0}},
        {"formula": {"kind": "power", "base_won": 1, "exponent": "1.2", "points_at_base": 1}},
        {"formula": {"kind": "power", "base_won": 1, "exponent": "0", "points_at_base": 1}},
        {"formula": {"kind": "cubic"}},
        {"basis": "person"},
        {"evidence": [["A_POEM"]]},
        {"code": "CURRICULUM"},
    ],
)
def test_a_wrong_data_file_does_not_load(change):
    data = _shipped()
    data["fields"][0] |= change
    with pytest.raises((ValueError, KeyError)):
        parse_criteria(data)


@pytest.mark.parametrize("code", list(FIELDS))
def test_the_criteria_and_the_columns_of_a_field_speak_of_the_same_things(code):
    rule, columns = FIELDS[code], {column.key: column for column in COLUMNS[code]}
    named = {rule.reference, *rule.identity, *rule.likeness}
    named |= {key for key in (rule.amount, rule.less) if key}
    assert named <= columns.keys()
    assert columns[rule.reference].required
    restricted = {restriction.column: restriction for restriction in rule.restrictions}
    for restriction in rule.restrictions:
        assert restriction.otherwise in errors.KINDS
        assert columns[restriction.column].required
        known = {choice.code for choice in columns[restriction.column].choices}
        assert restriction.allowed <= known
    # An unknown word is refused by the restriction of its column, so every choice needs one.
    assert {key for key, column in columns.items() if column.choices} <= restricted.keys()


def _shipped():
    file = Path(parse_criteria.__code__.co_filename).parent / "data" / "2022.json"
    return json.loads(file.read_text(encoding="utf-8"))
