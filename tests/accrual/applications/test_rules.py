"""The check of an application's rows: everything at once, one rule a test."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.accrual import errors
from services.accrual.applications.bounds import bounded
from services.accrual.applications.claims import claim_keys, company_key, last_eligible_day
from services.accrual.applications.columns import COLUMNS
from services.accrual.applications.rows import raw_rows
from services.accrual.applications.rules import check_evidence, check_rows
from services.accrual.criteria.rules import Posted, assess
from shared.sheets import errors as sheet_errors
from shared.sheets.cells import Fault
from tests.accrual.applications.sheets import (
    HANBIT,
    KCCI,
    NURI,
    TODAY,
    check,
    codes,
    found,
    right_row,
    rule_of,
)


@pytest.mark.parametrize("field", list(COLUMNS))
def test_the_templates_example_row_is_right(field):
    checked = check(field, {}, evidence=["TAX_INVOICE"])
    assert codes(checked) == []
    assert checked.is_valid
    assert len(checked.rows) == 1
    assert checked.assessment.total > 0


def test_a_row_keeps_what_the_formulas_and_the_database_need():
    (row,) = check("PRACTICE", {"excluded_won": "500000", "note": ""}).rows
    assert (row.number, row.brn, row.company_name) == (2, KCCI, "대한상공회의소")
    assert (row.quantity, row.deposited_won, row.contract) == (4_000_000, 4_500_000, None)
    assert row.reference_on == date(2024, 5, 31)
    assert len(row.key) == 32
    assert row.values["admission_year"] == 2021
    assert row.values["practice_type"] == "STANDARD"
    assert "note" not in row.values


def test_all_findings_of_a_row_come_at_once():
    checked = check(
        "PRACTICE",
        {
            "brn": "104-82-03590",
            "trainee_name": None,
            "admission_year": "1949",
            "practice_type": "자율",
            "hours": "0",
            "start_date": "20240601",
            "end_date": "20240531",
            "allowance_won": "4,500,000",
        },
        {},
    )
    assert sorted(codes(checked)) == [
        "DATE_ORDER",
        "DIGITS_ONLY",
        "DIGITS_ONLY",
        "HOURS_INVALID",
        "NOT_STANDARD_PRACTICE",
        "REQUIRED",
        "YEAR_RANGE",
    ]
    assert [row.number for row in checked.rows] == [3]


def test_a_finding_says_where_what_why_and_how_to_mend_it():
    (finding,) = check("PRACTICE", {}, {"brn": "104-82-03590", "trainee_name": "김길동"}).findings
    assert finding.to_dict() == {
        "pointer": "/rows/3/brn",
        "row": 3,
        "field": "brn",
        "code": "DIGITS_ONLY",
        "message": "3행 사업자번호: 숫자만 입력할 수 있습니다. '104-82-03590' → '1048203590'",
        "params": {
            "value": "104-82-03590",
            "column": "사업자번호",
            "column_en": "Business registration number",
        },
        "level": "error",
        "suggestion": KCCI,
        "rule": "M-012",
        "citation": "S1:422",
    }
    assert finding.message("en").startswith("Row 3, Business registration number: digits only.")


@pytest.mark.parametrize(
    ("change", "field", "params"),
    [
        ({"brn": "1048203591"}, "brn", ("사업자번호", "1048203591")),
        ({"practice_type": "자율"}, "practice_type", ("실습유형", "자율")),
        ({"end_date": "20240101"}, "end_date", ("실습종료일", "20240101")),
        ({"end_date": date(2025, 1, 1)}, "end_date", ("실습종료일", "20250101")),
        ({"department": "가\n" * 60}, "department", ("학(부)과", "가 " * 20)),
        ({"trainee_name": " "}, "trainee_name", ("성명", None)),
    ],
)
def test_every_finding_about_a_cell_repeats_the_column_and_what_stands_there(change, field, params):
    (finding,) = check("PRACTICE", change).findings
    assert finding.field == field
    assert (finding.params["column"], finding.params.get("value")) == params


def test_of_many_findings_the_errors_are_told_first_and_the_others_counted():
    warning, error = errors.ROW_HIDDEN, errors.REQUIRED
    found = [
        (error if row % 3 == 0 else warning).at(row=row, column="열", column_en="column")
        for row in range(1, 13)
    ]
    told = bounded(found, 6)
    assert [(f.row, f.code) for f in told[:-1]] == [
        (1, "ROW_HIDDEN"),
        (2, "ROW_HIDDEN"),
        (3, "REQUIRED"),
        (6, "REQUIRED"),
        (9, "REQUIRED"),
        (12, "REQUIRED"),
    ]
    assert told[-1].message("en").startswith("There are 6 more (12 in all).")
    assert bounded(found, 12) == found


def test_every_finding_has_both_languages():
    for kind in (kind for kind in vars(errors).values() if isinstance(kind, errors.FindingKind)):
        assert kind.ko != kind.en
        assert kind.rule
        assert not any("가" <= letter <= "힣" for letter in kind.en)


# --- the window of M-022 ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "last"),
    [
        (date(2023, 2, 28), date(2024, 2, 29)),
        (date(2024, 2, 28), date(2025, 2, 28)),
        (date(2024, 2, 29), date(2025, 2, 28)),
        (date(2023, 8, 15), date(2024, 8, 15)),
        (date(2023, 12, 31), date(2024, 12, 31)),
        (date(2022, 3, 1), date(2023, 3, 1)),
    ],
)
def test_the_last_eligible_day(reference, last):
    assert last_eligible_day(reference) == last
    row = {"start_date": "20220301", "end_date": f"{reference:%Y%m%d}", "admission_year": "2020"}
    assert codes(check("PRACTICE", row, today=last)) == []
    late = check("PRACTICE", row, today=last + timedelta(days=1))
    assert codes(late) == ["WINDOW_EXPIRED"]
    assert last.isoformat() in late.findings[0].message()


@settings(deadline=None)
@given(st.dates(date(2022, 3, 1), date(2100, 1, 1)))
def test_the_window_is_a_year_and_never_shrinks(reference):
    last = last_eligible_day(reference)
    assert 365 <= (last - reference).days <= 366
    assert last_eligible_day(reference + timedelta(days=1)) >= last


def test_what_happens_today_can_be_claimed_and_what_happens_tomorrow_cannot():
    today = {"end_date": f"{TODAY:%Y%m%d}"}
    tomorrow = {"end_date": f"{TODAY + timedelta(days=1):%Y%m%d}"}
    assert codes(check("PRACTICE", today)) == []
    assert found(check("PRACTICE", tomorrow)) == [(2, "end_date", "DATE_FUTURE")]


def test_nothing_before_the_reform_earns_mileage():
    row = {"start_date": "20220101", "admission_year": "2020"}
    first = check("PRACTICE", {**row, "end_date": "20220301"}, today=date(2022, 4, 1))
    before = check("PRACTICE", {**row, "end_date": "20220228"}, today=date(2022, 4, 1))
    assert codes(first) == []
    assert found(before) == [(2, "end_date", "BEFORE_REFORM")]
    assert before.findings[0].message() == "2022.3.1. 이전 활동은 소급 적립할 수 없습니다."


@pytest.mark.parametrize("day", ["99991231", "00010101"])
def test_the_ends_of_the_calendar_are_no_trouble(day):
    assert codes(check("HIRING", {"hire_date": day})) in (["DATE_FUTURE"], ["BEFORE_REFORM"])


# --- restrictions of M-030 --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "change", "code"),
    [
        ("PRACTICE", {"practice_type": "자율"}, "NOT_STANDARD_PRACTICE"),
        ("PRACTICE", {"practice_type": "비표준"}, "NOT_STANDARD_PRACTICE"),
        ("CURRICULUM", {"course_type": "IPP형 일학습병행"}, "COURSE_TYPE"),
        ("CURRICULUM", {"course_type": "특강"}, "COURSE_TYPE"),
        ("HIRING", {"completed_type": "자율현장실습"}, "HIRE_ROUTE"),
        ("HIRING", {"completed_type": "IPP"}, "HIRE_ROUTE"),
        ("HIRING", {"completed_brn": HANBIT}, "HIRE_OTHER_COMPANY"),
        ("EQUIPMENT", {"usage_type": "공공시설"}, "PUBLIC_FACILITY"),
        ("SCHOLARSHIP", {"donation_type": "가족회사 회비"}, "MEMBERSHIP_FEE"),
        ("SCHOLARSHIP", {"donation_type": "가입비"}, "MEMBERSHIP_FEE"),
    ],
)
def test_what_a_field_does_not_accept(field, change, code):
    checked = check(field, change)
    assert codes(checked) == [code]
    assert found(checked)[0][1] == next(iter(change))
    assert checked.rows == ()


@pytest.mark.parametrize("word", ["계약학과", "주문식", "캡스톤 디자인", "표준 현장실습학기제"])
def test_every_route_into_a_job_is_accepted(word):
    assert codes(check("HIRING", {"completed_type": word})) == []


def test_three_hires_of_whom_one_is_unproven_earn_600():
    rows = [{"trainee_name": name} for name in ("홍길동", "김길동")]
    checked = check("HIRING", *rows, {"trainee_name": "정길동", "completed_brn": HANBIT})
    assert checked.assessment.total == 600


# --- amounts ----------------------------------------------------------------------------------


def test_excluded_money_is_taken_off_before_the_formula():
    paid_less = {"deposit_won": "2500000", "excluded_won": "750000", "contract_won": "2500000"}
    checked = check("EQUIPMENT", {**paid_less, "supply_won": None, "vat_won": None})
    assert codes(checked) == []
    assert checked.assessment.total == 95  # not the 122 of the listed price (M-043)


@pytest.mark.parametrize("excluded", ["5000000", "6000000"])
def test_nothing_left_after_the_exclusions(excluded):
    checked = check("SCHOLARSHIP", {"excluded_won": excluded})
    assert found(checked) == [(2, "excluded_won", "NO_ELIGIBLE_AMOUNT")]


def test_vat_needs_proof_in_technology_transfer_only():
    vat = {"supply_won": "30000000", "vat_won": "3000000", "deposit_won": "33000000"}
    vat |= {"contract_won": "33000000"}
    assert found(check("TECH_TRANSFER", vat, evidence=[])) == [(2, "vat_won", "VAT_UNPROVEN")]
    proven = check("TECH_TRANSFER", vat, evidence=["TAX_INVOICE"])
    assert (codes(proven), proven.assessment.total) == ([], 747)
    assert codes(check("TECH_TRANSFER", vat)) == []  # not judged yet
    assert codes(check("EQUIPMENT", vat, evidence=[])) == []


def test_vat_left_out_of_the_claim_needs_no_proof():
    vat = {"supply_won": "30000000", "vat_won": "3000000", "deposit_won": "33000000"}
    vat |= {"contract_won": "33000000", "excluded_won": "3000000"}
    without = check("TECH_TRANSFER", vat, evidence=[])
    assert (codes(without), without.assessment.total) == ([], 699)


def test_vat_hidden_in_the_deposit_needs_proof_too():
    hidden = {"supply_won": "30000000", "vat_won": None, "deposit_won": "33000000"}
    checked = check("TECH_TRANSFER", {**hidden, "contract_won": None}, evidence=[])
    assert codes(checked) == ["SUPPLY_VAT_SUM", "VAT_UNPROVEN"]


def test_supply_value_and_vat_that_do_not_add_up_are_a_warning():
    odd = {"supply_won": "1", "vat_won": "2", "deposit_won": "33000000", "contract_won": None}
    checked = check("EQUIPMENT", odd)
    assert codes(checked) == ["SUPPLY_VAT_SUM"]
    assert checked.is_valid
    assert len(checked.rows) == 1


# --- between rows -----------------------------------------------------------------------------


def test_the_same_claim_twice_in_a_sheet_counts_once():
    checked = check("PRACTICE", {}, {"trainee_name": "홍 길동", "hours": "300"})
    assert found(checked) == [(3, "brn", "DUPLICATE_CLAIM")]
    assert checked.findings[0].message() == "이미 신청된 실적입니다(2행)."
    assert checked.assessment.total == 450


def test_a_claim_is_the_same_however_it_is_spelled():
    rule = rule_of("RESEARCH")
    one = {"brn": KCCI, "contract_no": "2024-산학-015", "deposit_won": 5}
    other = {"brn": KCCI, "contract_no": "２０２４—산학 —015", "deposit_won": 5}
    different = {**one, "contract_no": "2024-산학-01-5"}
    key, same, another = claim_keys(rule, [one, other, different])
    assert key == same != another
    assert [key] == claim_keys(rule, [one]) != claim_keys(rule_of("TECH_TRANSFER"), [one])


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("PRACTICE", {"trainee_name": "김길동"}),
        ("PRACTICE", {"department": "경영학과"}),
        ("PRACTICE", {"start_date": "20240601", "end_date": "20240831"}),
        ("CURRICULUM", {"course_name": "다른 과정"}),
        ("HIRING", {"brn": HANBIT, "completed_brn": HANBIT, "company_name": "한빛"}),
        ("RESEARCH", {"contract_no": "2024-산학-016"}),
        ("EQUIPMENT", {"deposit_date": "20240416"}),
        ("SCHOLARSHIP", {"donation_type": "발전기금"}),
    ],
)
def test_another_claim_is_not_a_duplicate(field, change):
    assert "DUPLICATE_CLAIM" not in codes(check(field, {}, change))


def test_overlapping_practice_of_one_person_raises_an_eyebrow():
    checked = check(
        "PRACTICE",
        {"start_date": "20240304", "end_date": "20240531"},
        {"start_date": "20240601", "end_date": "20240630"},
        {"start_date": "20240305", "end_date": "20240531"},
    )
    assert found(checked) == [(4, "brn", "SIMILAR_CLAIM")]
    assert checked.is_valid
    assert len(checked.rows) == 3


@pytest.mark.parametrize(("start", "similar"), [("20240531", True), ("20240601", False)])
def test_periods_overlap_if_they_share_a_day(start, similar):
    checked = check("PRACTICE", {}, {"start_date": start, "end_date": "20240731"})
    assert codes(checked) == (["SIMILAR_CLAIM"] if similar else [])


def test_a_second_hire_of_one_person_raises_an_eyebrow():
    checked = check("HIRING", {}, {"hire_date": "20240702"})
    assert found(checked) == [(3, "brn", "SIMILAR_CLAIM")]


def test_two_names_for_one_company_are_a_warning_unless_only_the_legal_form_differs():
    names = ["대한상공회의소", "(주)대한상공회의소", "㈜ 대한상공회의소", "대한상의"]
    rows = [{"trainee_name": f"학생{i}", "company_name": name} for i, name in enumerate(names)]
    checked = check("PRACTICE", *rows)
    assert found(checked) == [(5, "company_name", "COMPANY_NAME_DIFFERS")]
    assert checked.names == {KCCI: "대한상공회의소"}
    assert company_key("주식회사") == "주식회사"


# --- contracts --------------------------------------------------------------------------------


def test_a_research_contract_must_be_paid_in_full():
    checked = check("RESEARCH", {"deposit_won": "109999999", "supply_won": None, "vat_won": None})
    assert found(checked) == [(2, "contract_won", "PAYMENT_INCOMPLETE")]
    assert checked.findings[0].message() == "계약금액 중 1원이 미입금입니다."
    assert checked.rows == ()


def instalments(*paid, **more):
    """Deposits (day, won) of one research contract of 110 million."""
    return [
        {"deposit_date": day, "deposit_won": won, "supply_won": None, "vat_won": None, **more}
        for day, won in paid
    ]


def test_the_deposits_of_a_contract_are_taken_together():
    rows = instalments(("20240115", "50000000"), ("20240415", "60000000"))
    checked = check("RESEARCH", *rows)
    assert codes(checked) == []
    assert checked.assessment.total == 1_058
    assert {row.reference_on for row in checked.rows} == {date(2024, 4, 15)}


def test_the_window_of_a_research_contract_starts_at_its_last_deposit():
    rows = instalments(("20221115", "50000000"), ("20231115", "60000000"))
    assert codes(check("RESEARCH", *rows)) == []
    late = check("RESEARCH", *rows, today=date(2024, 11, 16))
    assert found(late) == [(3, "deposit_date", "WINDOW_EXPIRED")]
    assert late.rows == ()


def test_a_deposit_of_tomorrow_spoils_its_contract_but_is_the_only_finding():
    rows = instalments(("20220415", "50000000"), ("20240903", "60000000"))
    checked = check("RESEARCH", *rows)
    assert found(checked) == [(3, "deposit_date", "DATE_FUTURE")]
    assert checked.rows == ()


def test_a_faulty_row_of_a_contract_is_the_only_finding_of_the_contract():
    rows = instalments(("20240115", "5천만"), ("20240415", "60000000"))
    checked = check("RESEARCH", *rows)
    assert codes(checked) == ["DIGITS_ONLY"]
    assert checked.rows == ()
    typo = check("RESEARCH", *instalments(("20240115", "50000000"), brn="1048203591"), rows[1])
    assert codes(typo) == ["BRN_CHECKSUM"]


def test_a_duplicated_deposit_does_not_complete_a_contract():
    rows = instalments(("20240115", "55000000"), ("20240115", "55000000"))
    assert sorted(codes(check("RESEARCH", *rows))) == ["DUPLICATE_CLAIM", "PAYMENT_INCOMPLETE"]


def test_rows_of_one_contract_must_agree_on_its_amount():
    rows = instalments(("20240115", "50000000"), ("20240415", "60000000"))
    rows[1]["contract_won"] = "120000000"
    assert found(check("RESEARCH", *rows)) == [(3, "contract_won", "CONTRACT_AMOUNT_DIFFERS")]


def test_more_paid_than_agreed_is_a_warning():
    (row,) = instalments(("20240415", "110000001"))
    checked = check("RESEARCH", row)
    assert (codes(checked), checked.is_valid) == (["DEPOSIT_OVER_CONTRACT"], True)


def test_earlier_deposits_of_a_contract_are_counted_and_their_points_taken_off():
    rows = instalments(("20240415", "50000000"), contract_won="100000000", contract_no="A-1")
    first = check("TECH_TRANSFER", *rows)
    (line,) = first.assessment.companies[0].contracts
    posted = {(KCCI, line.contract): Posted(50_000_000, 50_000_000, line.points)}
    second = check("TECH_TRANSFER", *rows, posted=posted)
    assert (first.assessment.total, second.assessment.total) == (1_000, 624)
    before = {(KCCI, line.contract): Posted(50_000_000, 50_000_000, 659)}
    assert codes(check("RESEARCH", *rows, posted=before)) == []  # together they pay it in full


def test_gifts_without_a_number_are_one_contract_a_year():
    gifts = [
        {"deposit_won": "5000000", "deposit_date": day}
        for day in ("20231201", "20240115", "20240315")
    ]
    checked = check("SCHOLARSHIP", *gifts)
    lines = checked.assessment.companies[0].contracts
    assert [(line.contract, line.points) for line in lines] == [("2023년", 678), ("2024년", 1_000)]
    numbered = check("SCHOLARSHIP", {"contract_no": "G-1"}, {"contract_no": "G-2"})
    assert numbered.assessment.total == 678 * 2


# --- the whole sheet --------------------------------------------------------------------------


def many(count):
    return [{"trainee_name": f"학생{number}"} for number in range(count)]


def test_no_rows_and_blank_rows_are_no_application():
    assert codes(check("PRACTICE")) == ["NO_ROWS"]
    blank = dict.fromkeys(right_row("PRACTICE"))
    assert codes(check("PRACTICE", blank, dict.fromkeys(blank, " \t"))) == ["NO_ROWS"]


def test_blank_rows_are_passed_over_and_the_others_keep_their_numbers():
    blank = dict.fromkeys(right_row("PRACTICE"))
    checked = check("PRACTICE", blank, {}, blank, {"brn": "1"}, blank)
    assert [row.number for row in checked.rows] == [3]
    assert [(f.pointer, f.row) for f in checked.findings] == [("/rows/5/brn", 5)]


def test_a_thousand_rows_are_silent_and_one_more_is_a_warning():
    assert codes(check("PRACTICE", *many(1_000))) == []
    checked = check("PRACTICE", *many(1_001))
    assert (codes(checked), checked.is_valid) == (["MANY_ROWS"], True)


def test_too_many_rows_are_not_checked_at_all():
    assert codes(check("PRACTICE", *many(10), max_rows=10)) == []
    checked = check("PRACTICE", *many(11), max_rows=10)
    assert (codes(checked), checked.rows) == (["TOO_MANY_ROWS"], ())
    assert "10행" in checked.findings[0].message()


def test_an_application_of_no_points_is_refused():
    small = {"allowance_won": "9999"}
    checked = check("PRACTICE", small)
    assert codes(checked) == ["ZERO_MILEAGE"]
    other = {"brn": HANBIT, "company_name": "한빛", "trainee_name": "김길동"}
    with_other = check("PRACTICE", small, other)
    assert (codes(with_other), with_other.is_valid) == (["COMPANY_ZERO_MILEAGE"], True)
    assert found(with_other) == [(2, "brn", "COMPANY_ZERO_MILEAGE")]


def test_a_column_a_sheet_lacks_is_not_reported_on_every_row():
    blank = [{"hours": None, "trainee_name": f"학생{n}"} for n in range(3)]
    assert codes(check("PRACTICE", *blank)) == ["REQUIRED"] * 3
    checked = check("PRACTICE", *blank, absent={"hours"})
    assert (codes(checked), checked.rows) == ([], ())


@pytest.mark.parametrize("cells", [(1, True), (True, 1)])
def test_a_true_is_not_taken_for_a_one(cells):
    rows = [{"hours": cell, "trainee_name": f"학생{n}"} for n, cell in enumerate(cells)]
    checked = check("PRACTICE", *rows)
    row = 2 if cells[0] is True else 3
    assert found(checked) == [(row, "hours", "HOURS_INVALID")]


def test_findings_come_in_the_order_of_the_rows():
    checked = check("PRACTICE", {"brn": "1"}, {}, {}, {"brn": "2"})
    assert [finding.row for finding in checked.findings] == [2, 4, 5]


@pytest.mark.parametrize(
    ("attached", "missing", "missing_en"),
    [
        (
            [],
            "공문, 공용장비 사용 계약서, 입금 통장 사본 또는 영수증",
            "official letter, equipment use contract, copy of the bankbook or receipt",
        ),
        (
            ["OFFICIAL_LETTER", "EQUIPMENT_CONTRACT"],
            "입금 통장 사본 또는 영수증",
            "copy of the bankbook or receipt",
        ),
        (["OFFICIAL_LETTER", "RECEIPT"], "공용장비 사용 계약서", "equipment use contract"),
    ],
)
def test_missing_evidence_is_named(attached, missing, missing_en):
    (finding,) = check_evidence(rule_of("EQUIPMENT"), attached)
    assert finding.message() == f"공용장비 활용 필수 증빙({missing})이 없습니다."
    assert finding.message("en").endswith(f"required evidence is missing ({missing_en}).")


def test_complete_evidence_is_silent():
    attached = {"OFFICIAL_LETTER", "EQUIPMENT_CONTRACT", "RECEIPT"}
    assert check_evidence(rule_of("EQUIPMENT"), attached) == []


cell = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.sampled_from([KCCI, HANBIT, NURI, "20240401", "20230101", "표준", "장학금", "100000"]),
    st.integers(-10, 10**16),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.timedeltas(),
    st.just(Fault(sheet_errors.CELL_ERROR)),
)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(list(COLUMNS)), st.data())
def test_whatever_the_cells_hold_the_check_answers(field, data):
    columns = COLUMNS[field]
    right = right_row(field)
    items = [
        (number, {c.key: data.draw(st.one_of(st.just(right[c.key]), cell)) for c in columns})
        for number in range(2, data.draw(st.integers(2, 6)) + 1)
    ]
    rule = rule_of(field)
    checked = check_rows(rule, raw_rows(columns, items), today=TODAY, evidence=[])
    for finding in checked.findings:
        assert finding.message("ko")
        assert finding.message("en")
    by_row = {finding.row for finding in checked.findings if finding.is_error}
    assert not by_row & {row.number for row in checked.rows}
    claims = [(row.brn, row.contract, row.quantity) for row in checked.rows]
    assert checked.assessment == assess(rule, claims)
    assert checked.assessment.total == sum(c.points for c in checked.assessment.companies)
    assert all(row.quantity > 0 for row in checked.rows)
