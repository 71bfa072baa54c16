"""A year in which every expense breaks exactly one rule, or none: the settlement's specification.

Each line says what is wrong, the code of the finding, the won that fall and the recovery ground;
0 won is a remark. Whatever is not said is in order (`tests.grants.year`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

from services.grants.expenses.rules import Evidence, Expense, Goods, Trip, Work
from tests.grants.year import ARRIVED, DAY, EVIDENCE, documents, expense

WHOLE = -1
"""The whole amount falls."""


@dataclass(frozen=True)
class Planted:
    """An expense and what the settlement must say of it: nothing where `code` is empty."""

    rule: str
    what: str
    expense: Expense
    code: str = ""
    won: int = 0
    ground: int = 0


def planted() -> list[Planted]:
    """The whole year, numbered in the order of entry."""
    rows = [
        *_faultless(),
        *_missing_documents(),
        *_stated_facts(),
        *_receipts(),
        *_timing(),
        *_people(),
        *_fees_and_travel(),
        *_things(),
        *_remarks(),
        *_over_their_limits(),
    ]
    return [replace(row, expense=replace(row.expense, id=f"{n:04d}")) for n, row in enumerate(rows)]


def breaks(
    rule: str, what: str, row: Expense, code: str, won: int = WHOLE, ground: int = 1
) -> Planted:
    won = row.amount_won if won == WHOLE else won
    return Planted(rule, what, row, code, won, ground if won else 0)


# What every kind of spending needs: one document is missing, the whole amount falls (G-045).
MISSING = {
    "internal_pay": ["expenditure_resolution", "transfer"],
    "operator_pay": [
        "expenditure_resolution",
        "transfer",
        "contract",
        "participation_statement",
    ],
    "severance": ["contract"],
    "insurance_employee": ["transfer"],
    "equipment_purchase": ["expenditure_resolution", "transfer", "trade_statement", "use_record"],
    "equipment_rental": ["use_record"],
    "facility_works": ["transfer"],
    "software": ["use_record"],
    "maintenance": ["maintenance_record"],
    "equipment_in_kind": ["expenditure_resolution", "trade_statement", "use_record"],
    "facility_in_kind": ["use_record"],
    "reagents": ["expenditure_resolution", "transfer", "trade_statement"],
    "outside_analysis": ["trade_statement"],
    "test_rig": ["transfer"],
    "computing": ["trade_statement"],
    "committee": ["transfer", "committee_plan", "committee_result", "minutes"],
    "expert_fee": ["expenditure_resolution", "transfer", "expert_record"],
    "expert_invitation": ["expert_record"],
    "lecture_fee": ["transfer", "lecture_material"],
    "manuscript_fee": ["transfer"],
    "translation_fee": ["expenditure_resolution"],
    "books": ["expenditure_resolution", "book_list"],
    "conference_domestic": ["expenditure_resolution", "conference_receipt"],
    "conference_abroad": ["foreign_invoice", "card_slip"],
    "publication_fee": ["expenditure_resolution"],
    "information": ["expenditure_resolution"],
    "seminar": ["expenditure_resolution"],
    "patent": ["expenditure_resolution"],
    "incentive": ["transfer", "payment_criteria", "payment_list", "contribution_report"],
    "industry_research": ["research_result", "employment_certificate"],
    "research_student": ["transfer", "course_record", "research_result"],
    "thesis_student": ["thesis_plan", "activity_record"],
    "undergraduate": ["programme_report"],
    "internship": ["internship_report"],
    "training_domestic": ["training_report"],
    "training_abroad": ["training_report"],
    "printing": ["transfer", "trade_statement"],
    "office_supplies": ["expenditure_resolution"],
    "utilities": ["trade_statement"],
    "promotion": ["trade_statement"],
    "audit_fee": ["trade_statement"],
    "domestic_trip": ["travel_order", "transfer"],
    "overseas_trip": ["return_report"],
    "local_transport": ["travel_order"],
    "common_support": ["institution_receipt"],
    "lab_safety": ["institution_receipt"],
}

_RULE_OF = {
    "unrelated": "G-048",
    "forged": "G-048",
    "excess_found": "G-048",
    "mileage_discounted": "G-027",
}

# Facts that somebody states, the kind they are stated of, and the ground they lead to (G-045/48).
STATED = [
    ("unrelated", "office_supplies", 5),
    ("forged", "office_supplies", 6),
    ("excess_found", "printing", 4),
    ("general_software", "software", 2),
    ("unrelated_pc", "equipment_purchase", 5),
    ("main_change_unapproved", "equipment_purchase", 3),
    ("mileage_discounted", "equipment_in_kind", 2),
    ("off_purpose", "seminar", 5),
    ("reference_book", "books", 5),
    ("institution_wide", "books", 5),
    ("membership_fee", "conference_domestic", 2),
    ("fixed_monthly_fee", "expert_fee", 2),
    ("wasteful", "conference_abroad", 5),
    ("operating_expense", "utilities", 5),
    ("institution_wide", "utilities", 5),
    ("common_expense", "environment_upkeep", 5),
    ("magazine_newspaper", "periodicals", 5),
    ("vehicle_rental", "local_transport", 5),
]


def outsider() -> str:
    """Somebody who appears once, so that no rule about repetition speaks."""
    return f"x{next(_numbers)}"


_numbers = iter(range(1, 10_000))
_OUTSIDERS = {"committee", "expert_fee", "expert_invitation", "lecture_fee", "manuscript_fee"}
_SMALL = {
    "equipment_in_kind": 200_000,
    "facility_in_kind": 300_000,
    "equipment_purchase": 300_000,
    "equipment_rental": 300_000,
    "facility_works": 300_000,
    "software": 300_000,
    "maintenance": 300_000,
    "incentive": 100_000,
    "industry_research": 100_000,
    "undergraduate": 50_000,
    "internship": 100_000,
    "meeting": 60_000,
}


def one(kind: str, **changes: Any) -> Expense:
    """A faultless expense of a modest amount, by somebody of its own where outsiders are paid."""
    if kind in _OUTSIDERS:
        changes.setdefault("person", outsider())
    if kind in _SMALL:
        changes.setdefault("amount_won", _SMALL[kind])
    if kind in {"equipment_in_kind", "facility_in_kind", "maintenance"}:
        ref = {"equipment_in_kind": "gc", "facility_in_kind": "hall", "maintenance": "lab"}[kind]
        changes.setdefault("goods", Goods(ref))
    return expense(kind, **changes)


def _faultless() -> Iterator[Planted]:
    for kind in sorted({*EVIDENCE, "printing", "reagents"} - {"insurance_employer"}):
        yield Planted("-", f"{kind}: 모두 갖춤", one(kind))


def _missing_documents() -> Iterator[Planted]:
    for kind, missing in MISSING.items():
        for code in missing:
            row = one(kind, without=(code,))
            rule = "G-029" if code == "maintenance_record" else "G-045"
            yield breaks(rule, f"{kind}: {code} 없음", row, "EVIDENCE_MISSING")
    row = one("meeting", without=("card_slip",), also=("tax_invoice",))
    yield breaks("G-045", "meeting: 카드전표 없음", row, "EVIDENCE_MISSING")


def _stated_facts() -> Iterator[Planted]:
    for fact, kind, ground in STATED:
        row = one(kind, facts=frozenset([fact]))
        yield breaks(_RULE_OF.get(fact, "G-045"), f"{kind}: {fact}", row, "EXCLUDED", ground=ground)
    row = one("insurance_employer")
    yield breaks("G-045", "4대 보험 기관부담금", row, "EXCLUDED", ground=2)
    graduated = one("thesis_student", facts=frozenset(["graduated"]))
    yield breaks("G-045", "졸업했으나 학위논문 없음", graduated, "EVIDENCE_MISSING")
    hire = one("operator_pay", facts=frozenset(["planned_hire"]))
    yield breaks("G-045", "충원예정 인원의 확인서류 없음", hire, "EVIDENCE_MISSING")
    replaced = one("operator_pay", facts=frozenset(["replacement"]))
    yield breaks("G-045", "인력 대체의 내부결재 없음", replaced, "EVIDENCE_MISSING")
    actual = one("domestic_trip", facts=frozenset(["actual_cost"]))
    yield breaks("G-045", "실비정산에 카드전표 없음", actual, "EVIDENCE_MISSING")


def _paid(kind: str, won: int, **amounts: int) -> Expense:
    """An expense whose documents state other amounts than the spending."""
    row = one(kind, amount_won=won)
    papers = tuple(replace(p, amount_won=amounts.get(p.kind, p.amount_won)) for p in row.evidence)
    return replace(row, evidence=papers)


def _receipts() -> Iterator[Planted]:
    yield breaks(
        "G-041",
        "이체액이 집행액보다 적음",
        _paid("printing", 500_000, transfer=420_000),
        "AMOUNT_MISMATCH",
        80_000,
    )
    yield breaks(
        "G-041",
        "세금계산서가 집행액보다 적음",
        _paid("office_supplies", 500_000, tax_invoice=499_999),
        "AMOUNT_MISMATCH",
        1,
    )
    for kind in ("printing", "reagents", "office_supplies", "promotion"):
        row = one(kind, amount_won=30_000, without=("tax_invoice",))
        yield breaks("G-042", f"{kind}: 3만원에 적격증빙 없음", row, "NO_QUALIFIED_RECEIPT")
    row = one("printing", amount_won=30_000, without=("tax_invoice",), also=("simple_tax_invoice",))
    yield breaks("G-042", "3만원의 간이세금계산서", row, "SIMPLE_TAX_INVOICE")
    row = one("printing", amount_won=29_999, without=("tax_invoice",), also=("simple_receipt",))
    yield Planted("G-042", "29,999원은 간이영수증으로 충분", row)
    bundle = one("office_supplies", facts=frozenset(["bundle"]))
    yield breaks("G-040", "일괄집행의 세부명세서 없음", bundle, "EVIDENCE_MISSING")
    slip = Evidence("transfer", 200_000, "승인-0001")
    for number, day in enumerate((3, 4)):
        row = one("printing", amount_won=200_000, paid_on=date(2020, 6, day), without=("transfer",))
        row = replace(row, evidence=(*row.evidence, slip))
        if number:
            yield breaks("G-040", "같은 승인번호를 다시 씀", row, "DUPLICATE_EVIDENCE")
        else:
            yield Planted("G-040", "승인번호를 처음 씀", row)
    row = one("meeting", amount_won=300_001, event="산학협의회 2차")
    yield breaks("G-045", "30만원 초과 회의에 서명 없음", row, "MINUTES_UNSIGNED")
    yield Planted("G-045", "정확히 30만원인 회의", one("meeting", amount_won=300_000, event="3차"))
    signed = one("meeting", amount_won=300_001, also=("signed_minutes",), event="4차")
    yield Planted("G-045", "서명 회의록이 있는 회의", signed)


END, AFTER = date(2021, 2, 28), date(2021, 3, 2)
BEFORE = date(2020, 2, 28)


def _timing() -> Iterator[Planted]:
    row = one("printing", obligated_on=BEFORE)
    yield breaks("G-044", "협약 전 원인행위", row, "OUT_OF_PERIOD", ground=2)
    row = one("office_supplies", obligated_on=BEFORE, paid_on=BEFORE)
    yield breaks("G-044", "협약 전 집행", row, "OUT_OF_PERIOD", ground=2)
    row = one("printing", paid_on=AFTER)
    yield breaks("G-044", "승인 없이 종료 후 지출", row, "PAID_AFTER_END", ground=2)
    row = one("printing", obligated_on=AFTER, paid_on=AFTER)
    yield breaks("G-044", "종료 후 원인행위", row, "OBLIGATED_AFTER_END", ground=7)
    row = one("printing", obligated_on=None, paid_on=AFTER)
    yield breaks("G-044", "원인행위 없이 종료 후 지출", row, "OBLIGATED_AFTER_END", ground=7)
    row = one("printing", paid_on=AFTER, facts=frozenset(["late_payment_approved"]))
    yield Planted("G-044", "승인받은 종료 후 지출", row)
    row = one("report_printing", obligated_on=AFTER, paid_on=AFTER)
    yield Planted("G-044", "종료 후 보고서 인쇄비", row)
    row = one("audit_fee", obligated_on=AFTER, paid_on=AFTER)
    yield Planted("G-044", "종료 후 회계감사수수료", row)
    late, used = replace(ARRIVED, arrived_on=date(2020, 12, 1)), date(2020, 12, 2)
    row = one("equipment_rental", goods=replace(late, used_on=used))
    yield breaks("G-044", "종료 3개월 전보다 늦은 입고", row, "ARRIVED_LATE", ground=2)
    row = one("software", goods=replace(ARRIVED, used_on=date(2020, 12, 1)))
    yield breaks("G-044", "기한 뒤의 활용", row, "NOT_USED", ground=2)
    row = one("software", goods=replace(ARRIVED, used_on=None))
    yield breaks("G-044", "활용하지 않음", row, "NOT_USED", ground=2)
    last = date(2020, 11, 30)
    row = one("software", goods=replace(ARRIVED, arrived_on=last, used_on=last))
    yield Planted("G-044", "3개월 전 마지막 날의 입고", row)
    row = one("reagents", goods=Goods(arrived_on=date(2021, 1, 1)))
    yield breaks("G-044", "종료 2개월 전보다 늦은 재료", row, "ARRIVED_LATE", ground=2)
    row = one("reagents", goods=Goods(arrived_on=date(2020, 12, 31)))
    yield Planted("G-044", "2개월 전 마지막 날의 재료", row)
    waived = frozenset(["arrival_waived"])
    row = one("reagents", goods=Goods(arrived_on=date(2021, 1, 1)), facts=waived)
    yield Planted("G-044", "검토자가 예외를 인정한 재료", row)


def _month(number: int, rate: int | str, year: int = 2020) -> Work:
    days = {3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}
    return Work(date(year, number, 1), date(year, number, days[number]), Fraction(rate))


def _people() -> Iterator[Planted]:
    row = one("operator_pay", person="x-op")
    yield breaks("G-045", "계획서에 없는 운영인력", row, "NOT_IN_PLAN", ground=2)
    row = one("internal_pay", person="x-in")
    yield breaks("G-045", "계획서에 없는 내부인력", row, "NOT_IN_PLAN", ground=2)
    row = one("research_student", person="x-rs")
    yield breaks("G-045", "계획서에 없는 학생", row, "NOT_IN_PLAN", ground=2)
    row = one("incentive", person="x-inc")
    yield breaks("G-045", "참여하지 않는 사람의 장려금", row, "NOT_IN_PLAN", ground=5)
    row = one("domestic_trip", person="x-trip")
    yield breaks("G-045", "사업과 관계없는 출장자", row, "NOT_IN_PLAN", ground=5)
    row = one("operator_pay", person="o3")
    yield breaks("G-045", "소속이 있는 사람에게 현금 지급", row, "EMPLOYED_ELSEWHERE", ground=2)
    row = one("operator_pay", person="o4")
    yield breaks("G-045", "내부결재 없는 대체 인력", row, "REPLACEMENT_UNAPPROVED", ground=2)
    row = one("operator_pay", person="o5", work=_month(6, 50), amount_won=1_000_000)
    # The approval of 16 June leaves 15 of the 30 days.
    yield breaks("G-045", "대체 승인일 전의 급여", row, "OUTSIDE_PARTICIPATION", 500_000, ground=2)
    for kind in ("expert_fee", "lecture_fee", "committee"):
        row = one(kind, person="c1")
        yield breaks("G-045", f"{kind}: 참여인력에게 지급", row, "PAYEE_IS_PARTICIPANT", ground=2)
    row = one("research_student", payee="organisation")
    yield breaks("G-045", "개인이 아닌 곳에 지급", row, "WRONG_PAYEE", ground=2)
    row = one("internship", payee="person")
    yield breaks("G-028", "실습비를 학생에게 지급", row, "WRONG_PAYEE", ground=2)
    row = one("operator_pay", amount_won=3_000_001)
    yield breaks("G-030", "계상기준보다 1원 많은 급여", row, "PAY_OVER_STANDARD", 1, ground=2)
    row = one("research_student", amount_won=1_000_500)
    yield breaks("G-030", "계상기준을 넘는 학생 인건비", row, "PAY_OVER_STANDARD", 500, ground=2)
    work = replace(_month(6, 20), other_rates=Fraction(100))
    row = one("internal_pay", work=work, amount_won=1_600_000)
    yield breaks("G-013", "참여율 합계 120%", row, "RATE_OVER_100", ground=2)
    row = one("operator_pay", person="o2", work=_month(6, "49.9"), amount_won=900_000)
    yield breaks("G-030", "운영인력 참여율 49.9%", row, "RATE_UNDER_50", ground=2)
    yield breaks(
        "G-045",
        "자퇴한 학위논문 학생",
        one("thesis_student", person="t2"),
        "STUDENT_DISQUALIFIED",
        ground=2,
    )
    yield breaks(
        "G-045",
        "주제가 다른 학위논문",
        one("thesis_student", person="t3"),
        "STUDENT_DISQUALIFIED",
        ground=2,
    )
    yield breaks(
        "G-045",
        "관련 학점 50% 미달",
        one("thesis_student", person="t4"),
        "STUDENT_DISQUALIFIED",
        ground=2,
    )
    row = one("research_student", person="r2")
    yield breaks("G-046", "휴학 중인 15일", row, "PAID_DURING_LEAVE", 500_000, ground=2)
    row = one("research_student", person="r3")
    yield breaks("G-046", "1년을 넘긴 휴학", row, "LEAVE_TOO_LONG", ground=2)


def _hours(**units: int) -> Work:
    return Work(DAY, DAY, grade="senior", units={u: Fraction(n) for u, n in units.items()})


def _fees_and_travel() -> Iterator[Planted]:
    row = one("lecture_fee", amount_won=300_001)
    yield breaks("G-031", "강사료 2시간 30만원 초과", row, "FEE_OVER_STANDARD", 1, ground=2)
    row = one("expert_fee", work=_hours(hour=1, day=1), amount_won=26_000)
    yield breaks("G-031", "전문가 1시간 2만5천원 초과", row, "FEE_OVER_STANDARD", 1_000, ground=2)
    row = one("expert_fee", work=_hours(hour=10, day=1), amount_won=250_000)
    yield breaks("G-031", "전문가 하루 20만원 초과", row, "FEE_OVER_STANDARD", 50_000, ground=2)
    row = one("manuscript_fee", amount_won=225_000)
    yield breaks("G-031", "원고료 매당 기준 초과", row, "FEE_OVER_STANDARD", 5_000, ground=2)
    row = one("committee", amount_won=190_000)
    yield breaks("G-031", "위원회 수당 18만원 초과", row, "FEE_OVER_STANDARD", 10_000, ground=2)
    same_day = outsider()
    for number in range(2):
        row = one("expert_fee", person=same_day, work=_hours(hour=5), amount_won=125_000)
        if number:  # the later entry bears the excess over 200,000
            yield breaks("G-031", "같은 날의 두 번째 자문", row, "FEE_OVER_DAY", 50_000, ground=2)
        else:
            yield Planted("G-031", "같은 날의 첫 자문", row)
    often = outsider()
    for use in range(1, 6):
        day = date(2020, 7, use)
        work = Work(day, day, grade="senior", units={"hour": Fraction(2), "day": Fraction(1)})
        row = one(
            "expert_fee", person=often, work=work, amount_won=50_000, obligated_on=day, paid_on=day
        )
        if use > 4:
            yield breaks("G-045", "한 달에 다섯 번째 자문", row, "TOO_MANY_USES", ground=2)
        else:
            yield Planted("G-045", f"한 달에 {use}번째 자문", row)
    row = one("domestic_trip", amount_won=342_001)
    yield breaks("G-032", "책임급 2박 3일 기준 초과", row, "TRAVEL_OVER_STANDARD", 1, ground=2)
    trip = Trip(date(2020, 5, 20), date(2020, 5, 22), fare_won=60_000)
    row = one("domestic_trip", person="c1", trip=trip, amount_won=261_000)
    yield breaks("G-032", "선임급 2박 3일 기준 초과", row, "TRAVEL_OVER_STANDARD", 1_000, ground=2)
    abroad = one("overseas_trip").trip
    assert abroad is not None
    row = one("overseas_trip", trip=replace(abroad, planned="berlin"))
    yield breaks("G-047", "계획에 없는 국외출장", row, "NOT_IN_PLAN", ground=3)
    row = one("overseas_trip", trip=replace(abroad, approved_on=abroad.start))
    yield breaks("G-047", "출발일에야 승인된 국외출장", row, "TRIP_NOT_APPROVED", ground=3)
    row = one("overseas_trip", trip=replace(abroad, planned="seoul-osaka"))
    yield Planted("G-047", "협약 뒤 승인된 국외출장", row)
    stay = one("training_abroad").trip
    assert stay is not None
    row = one("training_abroad", trip=replace(stay, end=date(2020, 8, 4)), amount_won=350_000)
    yield breaks("G-047", "35일의 국외연수", row, "STAY_TOO_LONG", 50_000, ground=2)
    row = one("conference_domestic", person="p1", event="한국폐기물학회")
    yield Planted("G-045", "학회참가비", row)
    trip = Trip(date(2020, 5, 20), date(2020, 5, 21), fare_won=50_000, registration_won=100_000)
    row = one("domestic_trip", person="p1", event="한국폐기물학회", trip=trip, amount_won=180_000)
    yield breaks("G-045", "학회참가비와 여비 중복", row, "PAID_TWICE", 100_000, ground=2)


def _things() -> Iterator[Planted]:
    row = one("operator_pay", fund="in_kind", person="o2", work=_month(7, 50), amount_won=1_000_000)
    yield breaks("G-030", "외부인건비의 현물", row, "EXTERNAL_PAY_INKIND", ground=2)
    row = one("internal_pay", fund="cash", amount_won=1_500_000)
    yield breaks("G-030", "내부인건비의 현금", row, "INTERNAL_PAY_CASH", ground=2)
    row = one("domestic_trip", fund="in_kind")
    yield breaks("G-030", "현물 여비", row, "FUND_NOT_ALLOWED", ground=2)
    short = replace(ARRIVED, asset="gc", unit_price_won=300_000, usable_months=0)
    row = one("equipment_purchase", goods=short)
    yield breaks("G-045", "1개월 미만 사용 기기", row, "TOO_SHORT_USE", ground=2)
    big = replace(ARRIVED, asset="annex", unit_price_won=10_000_000, reported_on=DAY)
    row = one("facility_works", goods=big, amount_won=10_000_000, also=("cost_analysis",))
    yield breaks("G-034", "계획에 없는 1,000만원 시설", row, "NOT_IN_PLAN", ground=3)
    row = one("facility_works", amount_won=10_000_000)
    yield breaks("G-034", "1,000만원 시설의 원가계산 없음", row, "EVIDENCE_MISSING")
    row = one("equipment_in_kind", goods=Goods("gc2"), amount_won=500_001)
    yield breaks("G-027", "장비 현물이 구입단가 10% 초과", row, "ASSET_CAP_EXCEEDED", 1, ground=2)
    row = one("facility_in_kind", goods=Goods("hall2"), amount_won=1_000_010)
    yield breaks("G-027", "시설 현물이 공시지가 20% 초과", row, "ASSET_CAP_EXCEEDED", 10, ground=2)
    row = one("maintenance", goods=Goods("lab2"), amount_won=200_100)
    yield breaks("G-029", "유지보수비 2% 초과", row, "ASSET_CAP_EXCEEDED", 100, ground=2)
    row = one("internship", amount_won=1_000_001)
    yield breaks("G-028", "실습생 1인 100만원 초과", row, "HEAD_CAP_EXCEEDED", 1, ground=2)
    row = one("undergraduate", person="u2", amount_won=1_200_000)
    yield breaks("G-028", "학부생 1인 100만원 초과", row, "HEAD_CAP_EXCEEDED", 200_000, ground=2)


NIGHT = datetime(2020, 6, 3, 15, 30, tzinfo=UTC)  # 00:30 in Seoul


def _remarks() -> Iterator[Planted]:
    """Nothing falls, somebody looks."""
    for kind, code in (
        ("equipment_purchase", "procurement_record"),
        ("equipment_purchase", "equipment_register"),
        ("meeting", "minutes"),
        ("manuscript_fee", "manuscript"),
        ("books", "cover_copy"),
        ("publication_fee", "publication_copy"),
        ("domestic_trip", "travel_rule"),
    ):
        row = one(kind, without=(code,))
        rule = "G-008" if code == "publication_copy" else "G-045"
        yield breaks(rule, f"{kind}: {code} 보완", row, "EVIDENCE_SUPPLEMENT", 0)
    more = _paid("printing", 400_000, transfer=400_100, tax_invoice=400_100)
    yield breaks("G-041", "증빙이 집행액보다 많음", more, "EVIDENCE_EXCEEDS", 0)
    row = one("printing", obligated_on=date(2020, 6, 2))
    yield breaks("G-044", "원인행위보다 빠른 지급", row, "PAID_BEFORE_OBLIGATION", 0)
    row = one("lecture_fee", work=None)
    yield breaks("G-031", "강사료의 산출 근거 없음", row, "FEE_BASIS_MISSING", 0)
    trip = Trip(date(2020, 5, 20), date(2020, 5, 20), fare_won=40_000, rail="first")
    row = one("domestic_trip", person="c1", trip=trip, amount_won=80_000)
    yield breaks("G-032", "선임급의 특실", row, "TRAVEL_CLASS", 0)
    row = one("operator_pay", person="o2", work=_month(8, "50.25"), amount_won=900_000)
    yield breaks("G-013", "소수 둘째 자리 참여율", row, "RATE_DECIMAL", 0)
    small = replace(ARRIVED, asset="new", unit_price_won=300_000, usable_months=60)
    row = one("equipment_purchase", goods=small)
    yield breaks("G-034", "계획에 없는 작은 장비의 내부결재", row, "CHANGE_NEEDS_PAPER", 0)
    late = replace(small, asset="gc", unit_price_won=10_000_000, reported_on=date(2020, 6, 16))
    row = one("equipment_purchase", goods=late, also=("cost_analysis",))
    yield breaks("G-034", "늦게 보고한 큰 장비", row, "PURCHASE_UNREPORTED", 0)
    row = one("meeting", event="야간 회의")
    slip = replace(next(p for p in row.evidence if p.kind == "card_slip"), used_at=NIGHT)
    papers = tuple(slip if p.kind == "card_slip" else p for p in row.evidence)
    yield breaks("G-042", "심야의 카드", replace(row, evidence=papers), "CARD_AFTER_HOURS", 0)
    row = one("printing", line=1)
    yield breaks("G-040", "다른 비목의 예산 줄", row, "LINE_MISMATCH", 0)


LAST = date(2021, 2, 26)  # the latest day anything is paid: what is over falls here first

LIMITS: list[tuple[str, str, str, str, str, int, int]] = [
    ("G-021", "외부인건비 20%", "severance", "external_labour", "CAP_EXCEEDED", 72_000_000, 2),
    ("G-033", "여비 예산", "local_transport", "travel", "OVER_PLAN", 20_000_000, 3),
    ("G-033", "수용비 예산", "report_printing", "supplies_fees", "OVER_PLAN", 25_000_000, 3),
    ("G-033", "재료비 예산", "reagents", "materials", "OVER_PLAN", 15_000_000, 3),
    ("G-045", "회의비 예산", "meeting", "meeting", "OVER_PLAN", 6_000_000, 3),
    ("G-045", "연구활동비 예산", "incentive", "research_activity", "OVER_PLAN", 5_000_000, 4),
    ("G-033", "간접비 예산", "common_support", "overhead", "OVER_PLAN", 10_000_000, 4),
]
"""Sums: rule, what, the kind that fills the item up, the item or kind, code, limit and ground."""


def _over_their_limits() -> Iterator[Planted]:
    """For every limit an expense that fills it to the last won, and one of 70,000 won after it."""
    for rule, what, kind, _, code, _, ground in LIMITS:
        fill = _filling(kind)
        yield Planted(rule, f"{what}: 한도까지", fill)
        last = LAST if kind != "report_printing" else date(2021, 3, 3)  # paid late by its nature
        over = replace(fill, paid_on=last, obligated_on=last)
        yield Planted(rule, f"{what}: 한도를 넘음", over, code, 70_000, ground)


def _filling(kind: str) -> Expense:
    if kind == "meeting":
        return one(kind, amount_won=70_000, also=("signed_minutes",))
    if kind == "incentive":
        return one(kind, amount_won=70_000, work=None)
    return one(kind, amount_won=70_000)


def filled(rows: list[Planted], item_of: dict[str, str]) -> list[Planted]:
    """The rows with every filling expense at the amount that reaches its limit exactly.

    What fell for another reason does not count against a limit.
    """
    done = list(rows)
    places = {row.what: place for place, row in enumerate(rows)}
    for _, what, _, part, _, limit, _ in LIMITS:
        place = places[f"{what}: 한도까지"]
        members = [
            row
            for n, row in enumerate(done)
            if part in (row.expense.kind, item_of[row.expense.kind])
            and row.expense.fund != "in_kind"
            and n not in (place, place + 1)
        ]
        used = sum(row.expense.amount_won - row.won for row in members)
        row = done[place]
        won = limit - used
        assert won > 0, (what, won)
        paid = replace(row.expense, amount_won=won)
        papers = documents(tuple(p.kind for p in paid.evidence), won)
        done[place] = replace(row, expense=replace(paid, evidence=papers))
    return done
