"""The budget check: every cap at its boundary, people, totals, filing, amendments."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.grants.programmes.rules import Fund, Funds, RuleSet
from services.grants.proposals.rules import (
    Applicant,
    Asset,
    Budget,
    BudgetCheck,
    Career,
    Line,
    OtherProject,
    Pay,
    Person,
    Pledge,
    School,
    change_findings,
    check_budget,
    completion_findings,
    crn_finding,
    document_findings,
    duty_findings,
    eligibility_findings,
    needs_approval,
    pledge_findings,
    proven_grade,
    receipt_finding,
    text_findings,
    totals,
)
from shared.problems import Finding
from tests.grants.calls import harbour, keco

YEAR = keco().call.years[0]
MARCH = YEAR.start
OPERATOR = Person("o1", "김운영", "operator", post="teaching_assistant")


def line(kind: str, won: int, fund: Fund = "grant", **more: Any) -> Line:
    return Line(keco().item_of[kind], kind, fund, won, **more)


def paid(
    kind: str, person: str, monthly: int, months: int, rate: str, fund: Fund = "grant"
) -> Line:
    return line(kind, 0, fund, pay=Pay(person, Fraction(monthly), MARCH, months, Fraction(rate)))


def budget(*lines: Line, people: Iterable[Person] = (OPERATOR,), **more: Any) -> Budget:
    return Budget(YEAR, lines, tuple(people), **more)


def check(*lines: Line, **more: Any) -> BudgetCheck:
    return check_budget(keco(), budget(*lines, **more))


def codes(findings: Iterable[Finding], *but: str) -> list[str]:
    return [finding.code for finding in findings if finding.code not in but]


def only(findings: Iterable[Finding], code: str) -> Finding:
    (finding,) = (finding for finding in findings if finding.code == code)
    assert finding.message("ko")
    assert finding.message("en")
    return finding


def funded(grant: int, cash: int = 0, in_kind: int = 0) -> list[Line]:
    """Lines that make G, C and K without touching any cap but the ones on the whole."""
    parts = [line("printing", grant), line("printing", cash, "cash")]
    internal = Pay("p1", Fraction(in_kind), MARCH, 1, Fraction(100))
    return [*parts, Line("internal_labour", "internal_pay", "in_kind", pay=internal)]


PRINCIPAL = Person("p1", "이책임", "principal", grade="principal")
WHOLE = [*funded(300_000_000, 60_000_000, 70_000_000)]
PEOPLE = (OPERATOR, PRINCIPAL)


# Totals -----------------------------------------------------------------------------------------


def test_a_line_is_cut_to_thousands_only_at_its_total() -> None:
    pay = Pay("p1", Pay.monthly(72_345_678), MARCH, 12, Fraction(20))
    result = check(Line("internal_labour", "internal_pay", "in_kind", pay=pay), people=PEOPLE)
    assert pay.total_won == Fraction("14469135.6")
    assert result.totals.items["internal_labour"] == Funds(in_kind=14_469_000)


@pytest.mark.parametrize(
    ("monthly", "months", "rate", "thousand"),
    [
        (2_000_000, 12, "50", 12_000),
        (3_000_000, 12, "100", 36_000),
        (2_500_000, 6, "40", 6_000),
        (2_000_000, 12, "30.5", 7_320),
    ],
)
def test_the_worked_people_costs(monthly: int, months: int, rate: str, thousand: int) -> None:
    result = check(paid("research_student", "s", monthly, months, rate))
    assert result.totals.whole.total == thousand * 1000


def test_subtotals_are_sums_of_cut_lines_up_the_tree() -> None:
    sums = check(line("printing", 1_999), line("utilities", 1_999, "cash")).totals
    assert sums.items["supplies_fees"] == Funds(grant=1000, cash=1000)
    assert sums.items["direct"] == sums.whole == Funds(grant=1000, cash=1000)
    assert sums.items["labour"] == Funds()
    assert sums.shares["direct"] == "100"


def test_a_ratio_of_an_empty_budget_is_a_dash() -> None:
    assert check().totals.shares["travel"] == "–"


def test_a_form_whose_totals_do_not_add_up_is_told_where() -> None:
    result = check(
        line("printing", 5_000_000, declared_won=5_001_000),
        declared={"supplies_fees": Funds(grant=5_000_000), "total": Funds(grant=4_000_000)},
    )
    found = [finding for finding in result.findings if finding.code == "TOTAL_MISMATCH"]
    assert [finding.pointer for finding in found] == [
        "/lines/0/declared_won",
        "/declared/total/grant",
    ]
    assert found[1].message() == "소계와 총계가 다릅니다: 총계 4,000,000원, 계산 5,000,000원"
    assert not result.ok


@given(st.lists(st.integers(0, 10**9), max_size=8))
def test_the_whole_always_equals_the_sum_of_the_printed_lines(amounts: list[int]) -> None:
    sums = totals(keco(), budget(*(line("printing", won) for won in amounts)))
    assert sums.whole.grant == sum(won // 1000 * 1000 for won in amounts)
    assert sums.items["direct"] == sums.whole


# Caps -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "kind", "limit_thousand"),
    [
        ("G-022", "incentive", 6_000),
        ("G-023", "thesis_student", 108_000),
        ("G-024", "undergraduate", 45_000),
        ("G-025", "common_support", 25_200),
        ("G-026", "equipment_purchase", 60_000),
    ],
)
def test_caps_are_inclusive_and_name_amount_limit_base_and_percent(
    rule: str, kind: str, limit_thousand: int
) -> None:
    """G = 300,000천원 and C = 60,000천원, as in the call."""
    limit = limit_thousand * 1000

    def findings(won: int) -> list[Finding]:
        lines = [line(kind, won, heads=100), *funded(300_000_000 - won, 60_000_000, 70_000_000)]
        result = check(*lines, people=PEOPLE)
        (meter,) = (m for m in result.meters if m.rule == rule and not m.name.en.startswith("All"))
        assert meter.numerator_won == won
        assert (meter.finding is not None) == (won > limit)
        return [f for f in result.findings if f.is_error and f.kind.rule == rule]

    assert findings(limit) == []
    found = only(findings(limit + 1000), "CAP_EXCEEDED")
    assert found.params["amount_won"] == limit + 1000
    assert found.params["limit_won"] == limit
    assert found.params["excess_won"] == 1000
    assert found.kind.citation
    assert found.params["base_won"] in (60_000_000, 300_000_000, 360_000_000)


@pytest.mark.parametrize(
    ("rule", "kind", "most"),
    [
        ("G-022", "incentive", 4_000_000),
        ("G-024", "undergraduate", 34_588_000),
        ("G-025", "common_support", 19_268_000),
        ("G-026", "equipment_purchase", 60_000_000),
    ],
)
def test_the_most_a_part_may_come_to_counts_that_its_base_sinks_with_it(
    rule: str, kind: str, most: int
) -> None:
    """All else stays: G = 196,000천원 and C = 60,000천원 beside the part."""

    def over(won: int) -> Finding | None:
        rest = funded(196_000_000, 60_000_000, 130_000_000)
        result = check(line(kind, won, heads=200), *rest, people=PEOPLE)
        found = [f for f in result.findings if f.code == "CAP_EXCEEDED" and f.kind.rule == rule]
        return found[0] if found else None

    told = over(150_000_000)
    assert told is not None
    assert told.params["most_won"] == most
    assert over(most) is None
    assert over(most + 1000) is not None


def test_external_personnel_may_reach_twenty_percent_and_not_one_thousand_more() -> None:
    people = (
        replace(OPERATOR, ref="a", post="contract_professor"),
        replace(OPERATOR, ref="b"),
        PRINCIPAL,
    )
    pay = [
        paid("operator_pay", "a", 3_000_000, 12, "100"),
        paid("operator_pay", "b", 2_000_000, 12, "100"),
    ]
    rest = funded(240_000_000, 0, 130_000_000)
    assert "CAP_EXCEEDED" not in codes(check(*pay, *rest, people=people).findings)
    over = check(*pay, line("severance", 1_000), *rest, people=people)
    found = only(over.findings, "CAP_EXCEEDED")
    assert found.message() == (
        "외부인건비 60,001천원이 한도 60,000천원(20% × 정부지원금·민간현금 합계)을 초과했습니다."
    )
    assert (found.kind.rule, found.kind.citation) == ("G-021", "S2:949,1051")


def test_all_graduate_payments_over_thirty_percent_are_only_a_remark() -> None:
    lines = [line("research_student", 150_000_000), *funded(150_000_000, 0, 200_000_000)]
    result = check(*lines, people=PEOPLE)
    assert only(result.findings, "CAP_REMARK").kind.level == "warning"
    assert "CAP_EXCEEDED" not in codes(result.findings)


@pytest.mark.parametrize(
    ("grant", "private", "ok"),
    [
        (300_000_000, 128_571_000, True),
        (300_000_000, 128_570_000, False),
        (300_000_000, 200_000_000, True),
        (70_000_000, 30_000_000, True),
        (70_000_000, 29_999_000, False),
        (7_000, 3_000, True),
        (1_000, 0, True),
        (3_000, 0, False),
    ],
)
def test_private_money_is_three_sevenths_of_the_grant_cut_to_thousands(
    grant: int, private: int, ok: bool
) -> None:
    result = check(*funded(grant, 0, private), people=PEOPLE)
    assert ("PRIVATE_SHARE_SHORT" not in codes(result.findings)) is ok
    meter = next(m for m in result.meters if m.rule == "G-020")
    assert (meter.numerator_won <= meter.limit_won) is ok


@given(st.integers(0, 300_000), st.integers(0, 400_000))
def test_the_meter_of_the_grant_share_and_its_finding_always_agree(g: int, p: int) -> None:
    result = check(*funded(g * 1000, p * 1000), people=PEOPLE)
    meter = next(m for m in result.meters if m.rule == "G-020")
    assert (meter.finding is None) == (p >= g * 3 // 7) == (meter.numerator_won <= meter.limit_won)


def test_the_grant_of_a_year_is_limited() -> None:
    assert "GRANT_LIMIT" not in codes(check(line("printing", 300_000_000)).findings)
    found = only(check(line("printing", 300_001_000)).findings, "GRANT_LIMIT")
    assert found.message().startswith("정부지원금 300,001천원이 연간 한도 300,000천원을")


@pytest.mark.parametrize(
    ("kind", "price", "limit_thousand"),
    [
        ("facility_in_kind", 812_345_678, 162_469),
        ("equipment_in_kind", 33_333_333, 3_333),
        ("maintenance", 50_000_000, 1_000),
    ],
)
def test_assets_count_up_to_their_percentage_of_the_price(
    kind: str, price: int, limit_thousand: int
) -> None:
    def found(thousand: int, elsewhere: int = 0) -> list[str]:
        asset = Asset("a1", price, pledged_elsewhere_won=elsewhere)
        fund: Fund = "in_kind" if kind.endswith("in_kind") else "grant"
        return codes(check(line(kind, thousand * 1000, fund, asset=asset)).findings)

    assert "ASSET_CAP_EXCEEDED" not in found(limit_thousand)
    assert "ASSET_CAP_EXCEEDED" in found(limit_thousand + 1)
    assert "ASSET_CAP_EXCEEDED" in found(limit_thousand, elsewhere=1_000)


def test_one_asset_on_two_lines_is_counted_once_with_its_sum() -> None:
    asset = Asset("a1", 10_000_000)
    halves = [line("equipment_in_kind", 600_000, "in_kind", asset=asset) for _ in range(2)]
    assert only(check(*halves).findings, "ASSET_CAP_EXCEEDED").params["amount_won"] == 1_200_000


def test_an_asset_without_a_price_cannot_be_checked_and_says_so() -> None:
    found = only(check(line("facility_in_kind", 1000, "in_kind")).findings, "PRICE_MISSING")
    assert found.message() == "시설 현물 한도를 확인하려면 공시지가 입력이 필요합니다."


def test_an_intern_gets_at_most_a_million() -> None:
    assert "HEAD_CAP_EXCEEDED" not in codes(check(line("internship", 3_000_000, heads=3)).findings)
    found = only(check(line("internship", 3_001_000, heads=3)).findings, "HEAD_CAP_EXCEEDED")
    assert found.params["limit_won"] == 3_000_000
    named = [paid("undergraduate", "u", 700_000, 1, "100") for _ in range(2)]
    student = Person("u", "박학부", "undergraduate")
    assert "HEAD_CAP_EXCEEDED" in codes(check(*named, people=[OPERATOR, student]).findings)


def test_big_equipment_is_announced_while_planning() -> None:
    small = check(line("equipment_purchase", 20_000_000, asset=Asset("e", 9_999_999, 2)))
    assert "BIG_PURCHASE" not in codes(small.findings)
    big = check(line("equipment_purchase", 10_000_000, asset=Asset("e", 10_000_000)))
    assert only(big.findings, "BIG_PURCHASE").kind.level == "warning"


@pytest.mark.parametrize(
    ("kind", "fund", "code"),
    [
        ("operator_pay", "in_kind", "EXTERNAL_PAY_INKIND"),
        ("internal_pay", "grant", "INTERNAL_PAY_CASH"),
        ("internal_pay", "cash", "INTERNAL_PAY_CASH"),
        ("domestic_trip", "in_kind", "FUND_NOT_ALLOWED"),
    ],
)
def test_each_item_takes_only_its_funds(kind: str, fund: Fund, code: str) -> None:
    finding = only(check(line(kind, 1000, fund)).findings, code)
    assert finding.pointer == "/lines/0/fund"


def test_a_use_that_does_not_belong_to_its_item_is_found() -> None:
    result = check(Line("travel", "reagents", "grant", 1000), Line("nothing", "x", "grant", 1000))
    assert codes(result.findings).count("ITEM_UNKNOWN") == 2
    assert result.totals.whole.grant == 2000


def test_a_negative_amount_is_refused() -> None:
    assert only(check(line("printing", -1)).findings, "AMOUNT_NEGATIVE").pointer == (
        "/lines/0/amount_won"
    )


# People -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "code"),
    [
        ("50", None),
        ("50.0", None),
        ("49.9", "RATE_UNDER_50"),
        ("33.33", "RATE_DECIMAL"),
        ("100", None),
        ("100.1", "RATE_RANGE"),
        ("0", "RATE_RANGE"),
    ],
)
def test_an_operators_rate(rate: str, code: str | None) -> None:
    found = codes(check(paid("operator_pay", "o1", 2_000_000, 12, rate)).findings)
    assert (code in found) if code else not [c for c in found if c.startswith("RATE")]


def test_an_operator_paid_from_two_sources_is_judged_by_the_sum() -> None:
    halves = [paid("operator_pay", "o1", 2_000_000, 12, "30", fund) for fund in ("grant", "cash")]
    assert not [c for c in codes(check(*halves).findings) if c.startswith("RATE")]


def test_rates_over_all_projects_are_summed_month_by_month() -> None:
    other = OtherProject("미생물 과제", date(2020, 11, 1), 12, Fraction("30.1"))
    person = replace(OPERATOR, other_projects=(other,))
    result = check(paid("operator_pay", "o1", 2_000_000, 12, "70"), people=[person])
    found = only(result.findings, "RATE_OVER_100")
    assert found.message() == (
        "김운영의 참여율 합계가 2020-11에 100.1%로 100%를 초과했습니다(미생물 과제 30.1%)."
    )
    assert found.params["months"] == ["2020-11", "2020-12", "2021-01", "2021-02"]
    before = replace(other, start=date(2019, 3, 1))
    assert "RATE_OVER_100" not in codes(
        check(
            paid("operator_pay", "o1", 2_000_000, 12, "70"),
            people=[replace(OPERATOR, other_projects=(before,))],
        ).findings
    )


def test_different_rates_in_different_months_are_one_hundred_at_most() -> None:
    def at(start: date, months: int, rate: int) -> Line:
        return line("operator_pay", 0, pay=Pay("o1", Fraction(1), start, months, Fraction(rate)))

    fine = [at(MARCH, 6, 60), at(date(2020, 9, 1), 6, 100)]
    assert "RATE_OVER_100" not in codes(check(*fine).findings)
    assert "RATE_OVER_100" in codes(check(*fine, at(date(2020, 8, 1), 1, 50)).findings)


@pytest.mark.parametrize(("count", "ok"), [(0, False), (1, True), (2, True), (3, False)])
def test_there_are_one_or_two_operators(count: int, ok: bool) -> None:
    people = [replace(OPERATOR, ref=f"o{i}") for i in range(count)]
    assert ("OPERATOR_COUNT" not in codes(check(people=people).findings)) is ok


def test_an_operator_is_employed_nowhere_else() -> None:
    people = [replace(OPERATOR, employed_elsewhere=True)]
    assert "OPERATOR_EMPLOYED" in codes(check(people=people).findings)


@pytest.mark.parametrize(
    ("post", "monthly", "ok"),
    [
        ("contract_professor", 3_000_000, True),
        ("contract_professor", 3_000_001, False),
        ("teaching_assistant", 2_000_000, True),
        ("teaching_assistant", 2_500_000, False),
    ],
)
def test_pay_stays_within_the_grade(post: str, monthly: int, ok: bool) -> None:
    people = [replace(OPERATOR, post=post)]
    pay = paid("operator_pay", "o1", monthly, 12, "60")
    assert ("PAY_GRADE_EXCEEDED" not in codes(check(pay, people=people).findings)) is ok
    own = check(pay, people=people, own_rules=frozenset(["pay"]))
    assert "PAY_GRADE_EXCEEDED" not in codes(own.findings)


def test_students_are_paid_by_their_course() -> None:
    student = Person("s", "최박사", "research_student", course="doctoral")
    pay = paid("research_student", "s", 2_500_001, 6, "40")
    assert "PAY_GRADE_EXCEEDED" in codes(check(pay, people=[OPERATOR, student]).findings)


def test_internal_staff_is_paid_as_it_is() -> None:
    pay = paid("internal_pay", "p1", 9_000_000, 12, "20", "in_kind")
    assert not codes(check(pay, people=PEOPLE).findings, "CAP_REMARK")


def test_someone_without_a_grade_or_off_the_list_is_found() -> None:
    unknown = replace(OPERATOR, post=None)
    assert "GRADE_MISSING" in codes(
        check(paid("operator_pay", "o1", 1, 12, "60"), people=[unknown]).findings
    )
    assert "PERSON_UNKNOWN" in codes(check(paid("operator_pay", "x", 1, 12, "60")).findings)


@pytest.mark.parametrize(
    ("start", "months"), [("2020-02-01", 12), ("2020-03-01", 13), ("2020-03-01", 0)]
)
def test_months_outside_the_year_are_found(start: str, months: int) -> None:
    pay = Pay("o1", Fraction(1000), date.fromisoformat(start), months, Fraction(60))
    assert "MONTHS_OUTSIDE" in codes(check(line("operator_pay", 0, pay=pay)).findings)


@pytest.mark.parametrize(
    ("career", "grade"),
    [
        (Career("university", rank="associate_professor"), "principal"),
        (Career("university", rank="full_time_lecturer"), "senior"),
        (Career("university", rank="doctoral_student"), "associate"),
        (Career("university", rank="masters_student"), "technical"),
        (Career("public_institute", rank="class_4"), "principal"),
        (Career("public_institute", rank="class_5"), "senior"),
        (Career("public_institute", rank="class_9"), "associate"),
        (Career("company", degree="bachelor", years=15), "principal"),
        (Career("company", degree="bachelor", years=14), "senior"),
        (Career("company", degree="bachelor", years=6), "associate"),
        (Career("company", degree="master", years=12), "principal"),
        (Career("company", degree="master", years=5), "senior"),
        (Career("company", degree="doctor", years=5), "principal"),
        (Career("company", degree="doctor"), "senior"),
        (Career("company", degree="professional_engineer", years=4), "senior"),
        (Career("company"), "technical"),
        (Career("university", rank="gardener"), None),
    ],
)
def test_a_career_shows_a_grade(career: Career, grade: str | None) -> None:
    assert proven_grade(keco(), career) == grade


def test_a_grade_above_the_career_asks_for_a_reason() -> None:
    person = Person(
        "o1",
        "김운영",
        "operator",
        grade="senior",
        career=Career("company", degree="bachelor", years=6),
    )
    pay = paid("operator_pay", "o1", 3_000_000, 12, "60")
    found = only(check(pay, people=[person]).findings, "GRADE_UNPROVEN")
    assert found.kind.level == "warning"
    noted = replace(person, equivalent_note="기술사 준하는 경력")
    assert "GRADE_UNPROVEN" not in codes(check(pay, people=[noted]).findings)


# Filing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arrived", "code"),
    [
        ("2020-02-07T08:00:00+00:00", None),
        ("2020-02-07T17:00:00+09:00", None),
        ("2020-02-07T17:00:00.000001+09:00", "LATE"),
        ("2020-02-07T17:00:01+09:00", "LATE"),
        ("2020-02-07T08:00:01+00:00", "LATE"),
        ("2020-01-06T00:00:00+09:00", None),
        ("2020-01-05T23:59:59+09:00", "NOT_OPEN"),
    ],
)
def test_what_counts_is_arrival_by_seventeen_hours_in_korea(arrived: str, code: str | None) -> None:
    finding = receipt_finding(keco(), datetime.fromisoformat(arrived).astimezone(UTC))
    assert (finding and finding.code) == code


def test_the_late_message_is_the_one_of_the_call() -> None:
    finding = receipt_finding(keco(), datetime(2020, 3, 1, tzinfo=UTC))
    assert finding is not None
    assert finding.message() == ("접수 마감(2020-02-07 17:00) 이후 도착하여 접수할 수 없습니다.")


LEAD = School("한빛대학교", lead=True)


@pytest.mark.parametrize(
    ("applicant", "expected"),
    [
        (Applicant((LEAD,), 5), []),
        (Applicant((LEAD,), 4), []),
        (Applicant((LEAD,), 6), []),
        (Applicant((LEAD,), 3), ["COMPANY_COUNT"]),
        (Applicant((LEAD,), 7), ["COMPANY_COUNT"]),
        (Applicant((LEAD,), 0), ["NO_COMPANY"]),
        (Applicant((replace(LEAD, eligible=False),), 5), ["NOT_GRADUATE_SCHOOL"]),
        (Applicant((LEAD,), 5, incumbent=True), ["INCUMBENT_NEEDS_PARTNER"]),
        (Applicant((LEAD, School("한빛대학교")), 5, incumbent=True), ["INCUMBENT_NEEDS_PARTNER"]),
        (Applicant((LEAD, School("새길대학교")), 5, incumbent=True), []),
        (
            Applicant((LEAD,), 5, restricted=True, runs_similar_programme=True),
            ["UNDER_RESTRICTION", "SIMILAR_PROGRAMME"],
        ),
    ],
)
def test_who_may_apply(applicant: Applicant, expected: list[str]) -> None:
    assert codes(eligibility_findings(keco(), applicant)) == expected


def test_the_package_is_complete_with_every_copy() -> None:
    plan = totals(keco(), budget(*WHOLE, people=PEOPLE))
    full = {
        "proposal": 12,
        "proposal_disc": 1,
        "internal_pay_proof": 2,
        "demand_survey": 2,
        "pledge": 1,
    }
    assert not list(document_findings(keco(), plan, full))
    short = list(document_findings(keco(), plan, full | {"proposal": 11, "pledge": 0}))
    assert [(f.code, f.pointer) for f in short] == [
        ("DOCUMENT_COPIES", "/documents/proposal"),
        ("DOCUMENT_MISSING", "/documents/pledge"),
    ]
    assert short[0].message() == "제출 부수가 모자랍니다: 사업계획서(원본 1부 포함) 12부 중 11부"


def test_proof_of_prices_is_due_only_where_assets_are_pledged() -> None:
    plan = totals(keco(), budget(line("equipment_in_kind", 1_000_000, "in_kind")))
    missing = {f.pointer for f in document_findings(keco(), plan, {})}
    assert "/documents/asset_value_proof" in missing
    assert "/documents/internal_pay_proof" not in missing


def test_the_pledge_equals_the_plan() -> None:
    plan = totals(keco(), budget(*WHOLE, people=PEOPLE))
    pledge = Pledge(60_000_000, 70_000_000, 130_000_000, 70_000_000, 0)
    assert not list(pledge_findings(keco(), plan, pledge))
    wrong = replace(pledge, cash_won=50_000_000, assets_in_kind_won=1)
    found = list(pledge_findings(keco(), plan, wrong))
    assert [f.pointer for f in found] == ["/pledge/cash_won", "/pledge/assets_in_kind_won"]
    assert found[0].message() == (
        "부담 협약서의 현금(A) 50,000,000원이 사업계획서의 60,000,000원과 다릅니다."
    )


def test_yearly_duties_are_compared_with_the_plan() -> None:
    targets = {duty.code: duty.at_least for duty in keco().call.duties}
    assert not list(duty_findings(keco(), targets))
    short = list(duty_findings(keco(), targets | {"textbooks": 1}))
    assert short[0].message() == "교재 개발(권) 계획(1)이 연간 기준(2)보다 적습니다."
    assert short[0].kind.level == "warning"


@pytest.mark.parametrize(
    ("activities", "papers", "points", "earned"),
    [
        ({"internship"}, 1, 9, True),
        ({"basic_research"}, 1, 9, True),
        (set(), 1, 9, False),
        ({"internship"}, 0, 9, False),
        ({"internship"}, 1, 8, False),
    ],
)
def test_the_certificate_needs_practice_a_paper_and_nine_credits(
    activities: set[str], papers: int, points: int, earned: bool
) -> None:
    counts = {"papers": papers, "reformed_credits": points}
    assert (not list(completion_findings(keco(), frozenset(activities), counts))) is earned


@pytest.mark.parametrize(("length", "ok"), [(400, True), (600, True), (399, False), (601, False)])
def test_texts_far_off_their_usual_length_are_remarked(length: int, ok: bool) -> None:
    texts = {
        "goals": "가" * length,
        "effects": "나" * 200,
        "keywords_ko": ["열"] * 5,
        "keywords_en": ["heat"] * 4,
    }
    assert (not list(text_findings(keco(), texts))) is ok


@pytest.mark.parametrize(
    ("crn", "ok"),
    [
        ("110111-0062432", True),
        ("1101110062432", True),
        ("110111-0062433", False),
        ("110111-006243", False),
        ("１１０１１１0062432", False),
        ("", False),
    ],
)
def test_a_corporate_number_is_only_ever_remarked(crn: str, ok: bool) -> None:
    finding = crn_finding(crn, "/lead/crn")
    assert (finding is None) is ok
    if finding:
        assert finding.kind.level == "warning"


# Amendments -------------------------------------------------------------------------------------


def changed(before: list[Line], after: list[Line]) -> list[str]:
    plans = [totals(keco(), budget(*lines)) for lines in (before, after)]
    return codes(change_findings(keco(), *plans))


def test_overhead_and_travel_abroad_never_grow() -> None:
    for kind in ("common_support", "overseas_trip"):
        assert changed([line(kind, 5_000_000)], [line(kind, 5_001_000)]) == ["BUDGET_FROZEN"]
        assert changed([line(kind, 5_000_000)], [line(kind, 4_000_000)]) == []
    assert changed([line("domestic_trip", 1000)], [line("domestic_trip", 9000)]) == []


@pytest.mark.parametrize(
    ("now", "needed"),
    [(114_900_000, False), (115_000_000, True), (85_000_000, True), (85_100_000, False)],
)
def test_personnel_changed_by_fifteen_percent_needs_approval(now: int, needed: bool) -> None:
    assert needs_approval(keco(), 100_000_000, now) is needed
    found = changed([line("severance", 100_000_000)], [line("severance", now)])
    assert found == (["CHANGE_NEEDS_APPROVAL"] if needed else [])


# Another call -----------------------------------------------------------------------------------


def test_another_call_has_its_own_units_caps_and_people() -> None:
    rules: RuleSet = harbour()
    year = rules.call.years[0]
    mate = Person("m", "갑", "operator", grade="mate")
    crew = Pay("m", Fraction(5_000_000), year.start, 1, Fraction("20.5"))
    plan = Budget(
        year,
        (
            Line("wages", "crew", "grant", pay=crew),
            Line("gear", "buoys", "grant", 8_178_000),
            Line("gear", "loaned_ship", "in_kind", 3_340_000, asset=Asset("s", 10_000_000)),
            Line("gear", "tickets", "cash", 150_000, heads=2),
        ),
        (mate,),
    )
    result = check_budget(rules, plan)
    assert result.totals.whole == Funds(
        grant=1_020_000 + 8_170_000, cash=150_000, in_kind=3_340_000
    )
    found = {(finding.code, finding.kind.rule) for finding in result.findings}
    assert found == {
        ("PRIVATE_SHARE_SHORT", "T-20"),
        ("HEAD_CAP_EXCEEDED", "T-28"),
        ("ASSET_CAP_EXCEEDED", "T-27"),
        ("RATE_DECIMAL", "T-32"),
        ("BIG_PURCHASE", "T-34"),
    }
    wages = next(m for m in result.meters if m.rule == "T-21")
    assert (wages.percent, wages.limit_won) == ("12.5", (9_190_000 + 3_340_000) // 8)


def test_the_receipt_of_another_call_closes_at_its_own_hour() -> None:
    closes = harbour().call.receipt.closes_at
    assert receipt_finding(harbour(), closes) is None
    late = receipt_finding(harbour(), closes + timedelta(microseconds=1))
    assert late is not None
    assert late.kind.rule == "T-04"
