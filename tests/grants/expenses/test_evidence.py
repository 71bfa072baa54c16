"""Evidence rules: amounts, qualified receipts, the lists of every item, duplicates, minutes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.grants.expenses.rules import Evidence, Expense
from tests.grants.calls import keco
from tests.grants.year import COMMON, EVIDENCE, breaches, documents, expense, plan, said, the

# G-041 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("transfer", "invoice", "lost"),
    [
        (500_000, 500_000, 0),
        (450_000, 500_000, 50_000),
        (500_000, 450_000, 50_000),
        (1, 0, 500_000),
    ],
)
def test_what_payment_and_receipt_do_not_both_prove_falls(
    transfer: int, invoice: int, lost: int
) -> None:
    papers = (
        Evidence("expenditure_resolution"),
        Evidence("transfer", transfer),
        Evidence("tax_invoice", invoice),
        Evidence("trade_statement", 123),
    )
    row = expense("printing", evidence=papers)
    assert said(row) == ({"AMOUNT_MISMATCH": lost} if lost else {})
    if lost:
        breach = the("AMOUNT_MISMATCH", row)
        assert (breach.ground, breach.limit_won) == (1, 500_000 - lost)
        assert breach.finding().kind.rule == "G-041"


def test_several_receipts_add_up() -> None:
    papers = (
        Evidence("expenditure_resolution"),
        Evidence("card_slip", 200_000),
        Evidence("card_slip", 300_000),
        Evidence("trade_statement"),
    )
    assert said(expense("printing", evidence=papers)) == {}


def test_evidence_of_more_than_was_spent_is_only_remarked() -> None:
    papers = documents(COMMON, 600_000)
    assert said(expense("printing", evidence=papers)) == {"EVIDENCE_EXCEEDS": 0}


def test_two_kinds_of_receipt_do_not_hide_a_short_payment() -> None:
    papers = (
        Evidence("expenditure_resolution"),
        Evidence("card_slip", 400_000),
        Evidence("tax_invoice", 400_000),
        Evidence("trade_statement"),
    )
    assert said(expense("printing", evidence=papers)) == {"AMOUNT_MISMATCH": 100_000}


@given(
    st.integers(1, 10**9),
    st.lists(
        st.tuples(st.sampled_from(["transfer", "card_slip", "tax_invoice"]), st.integers(0, 10**9))
    ),
)
def test_recognised_money_is_never_more_than_the_evidence_shows(
    won: int, shown: list[tuple[str, int]]
) -> None:
    papers = tuple(Evidence(kind, amount) for kind, amount in shown)
    row = expense("expert_invitation", amount_won=won, evidence=papers)
    lost = sum(b.disallowed_won for b in breaches(row) if b.kind.code == "AMOUNT_MISMATCH")
    paid = [amount for kind, amount in shown if kind != "tax_invoice"]
    received = [amount for kind, amount in shown if kind != "transfer"]
    proven = [sum(part) for part in (paid, received) if part]
    assert won - lost == min([won, *proven])


# G-042 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("won", "receipt", "code"),
    [
        (29_999, "simple_receipt", None),
        (30_000, "simple_receipt", "NO_QUALIFIED_RECEIPT"),
        (30_000, "simple_tax_invoice", "SIMPLE_TAX_INVOICE"),
        (29_999, "simple_tax_invoice", None),
        (30_000, "tax_invoice", None),
        (30_000, "invoice", None),
        (30_000, "brn_receipt", None),
        (30_000, "card_slip", None),
    ],
)
def test_from_thirty_thousand_won_a_receipt_must_be_qualified(
    won: int, receipt: str, code: str | None
) -> None:
    papers = documents(("expenditure_resolution", "transfer", "trade_statement", receipt), won)
    found = said(expense("printing", amount_won=won, evidence=papers))
    assert found == ({code: won} if code else {})


def test_a_simple_invoice_beside_a_proper_one_does_no_harm() -> None:
    row = expense("printing", also=("simple_tax_invoice",))
    assert said(row) == {}


def test_the_receipt_rule_names_its_source_and_ground() -> None:
    breach = the("NO_QUALIFIED_RECEIPT", expense("printing", without=("tax_invoice",)))
    finding = breach.finding()
    assert (breach.ground, finding.kind.rule, finding.kind.citation) == (1, "G-042", "S2:1043")
    assert finding.params["disallowed_won"] == 500_000


# G-045: the lists -------------------------------------------------------------------------------

SOFT = {
    "procurement_record",
    "equipment_register",
    "cover_copy",
    "manuscript",
    "travel_rule",
    "minutes",
    "publication_copy",
}
RECEIPTS = {"tax_invoice", "foreign_invoice"}


@pytest.mark.parametrize(
    ("kind", "paper"),
    sorted((kind, paper) for kind, papers in EVIDENCE.items() for paper in papers),
)
def test_each_document_of_each_kind_is_needed(kind: str, paper: str) -> None:
    if kind == "insurance_employer":
        return  # never recognised at all; see the exclusions
    found = said(expense(kind, without=(paper,)))
    soft = paper in SOFT and (kind, paper) != ("committee", "minutes")
    if soft:
        assert found == {"EVIDENCE_SUPPLEMENT": 0}
    else:
        assert found
        assert set(found) <= {"EVIDENCE_MISSING", "NO_QUALIFIED_RECEIPT", "EVIDENCE_SUPPLEMENT"}
        assert sum(found.values()) > 0


@pytest.mark.parametrize("paper", COMMON)
@pytest.mark.parametrize("kind", ["reagents", "printing", "utilities", "equipment_purchase"])
def test_the_common_set_is_needed_whole(kind: str, paper: str) -> None:
    breach = breaches(expense(kind, without=(paper,)))[0]
    assert (breach.disallowed_won, breach.ground) == (500_000, 1)


def test_all_missing_documents_are_named_at_once() -> None:
    breach = the("EVIDENCE_MISSING", expense("expert_fee", evidence=()))
    assert breach.finding().message() == (
        "필수 증빙이 없습니다: 지출결의서, 전문가활용내역서, 원천징수영수증 또는 계좌이체영수증"
    )
    assert breach.finding().message("en") == (
        "Required evidence is missing: expenditure resolution, record of the expert's work, "
        "withholding tax receipt or bank transfer receipt"
    )


@pytest.mark.parametrize(
    ("kind", "fact", "paper"),
    [
        ("printing", "bundle", "itemisation"),
        ("operator_pay", "planned_hire", "hire_proof"),
        ("operator_pay", "replacement", "replacement_paper"),
        ("thesis_student", "graduated", "thesis"),
        ("domestic_trip", "actual_cost", "card_slip"),
    ],
)
def test_some_documents_are_needed_only_where_a_fact_holds(
    kind: str, fact: str, paper: str
) -> None:
    row = expense(kind, facts=frozenset([fact]))
    assert said(row) == {"EVIDENCE_MISSING": row.amount_won}
    assert said(expense(kind, facts=frozenset([fact]), also=(paper,))) == {}


@pytest.mark.parametrize(("price", "needed"), [(9_999_999, False), (10_000_000, True)])
def test_big_equipment_needs_a_cost_analysis(price: int, needed: bool) -> None:
    base = expense("equipment_purchase", fund="cash", amount_won=price)
    assert base.goods is not None
    goods = replace(base.goods, unit_price_won=price, reported_on=base.paid_on)
    found = said(expense("equipment_purchase", amount_won=price, goods=goods))
    assert found == ({"EVIDENCE_MISSING": price} if needed else {})


def test_a_big_facility_needs_a_cost_analysis_by_its_total() -> None:
    assert said(expense("facility_works", amount_won=9_999_999)) == {}
    assert said(expense("facility_works", amount_won=10_000_000)) == {
        "EVIDENCE_MISSING": 10_000_000
    }


def test_internal_pay_may_be_proven_by_the_withholding_receipt() -> None:
    row = expense("internal_pay", without=("transfer",), also=("withholding_receipt",))
    assert said(row) == {}


# Minutes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("won", "papers", "expected"),
    [
        (300_000, ("minutes",), {}),
        (300_000, (), {"EVIDENCE_SUPPLEMENT": 0}),
        (300_001, ("minutes",), {"MINUTES_UNSIGNED": 300_001}),
        (300_001, (), {"MINUTES_UNSIGNED": 300_001}),
        (300_001, ("signed_minutes",), {}),
    ],
)
def test_a_meeting_over_300_000_won_needs_signed_minutes(
    won: int, papers: tuple[str, ...], expected: dict[str, int]
) -> None:
    row = expense("meeting", amount_won=won, without=("minutes",), also=papers)
    assert said(row) == expected


def test_splitting_a_meeting_over_two_payments_does_not_avoid_the_minutes() -> None:
    halves = [expense("meeting", id=f"m{i}", amount_won=200_000, event="kickoff") for i in (1, 2)]
    assert said(*halves) == {"MINUTES_UNSIGNED": 400_000}
    signed = replace(halves[1], evidence=(*halves[1].evidence, Evidence("signed_minutes")))
    assert said(halves[0], signed) == {}
    apart = replace(halves[1], event="other")
    assert said(halves[0], apart) == {}


def test_signed_minutes_are_announced_before_spending() -> None:
    planned = expense("meeting", amount_won=400_000, evidence=())
    found = said(planned, stage="plan")
    assert found["MINUTES_TO_PROVIDE"] == 0


# Duplicates -------------------------------------------------------------------------------------


def _numbered(row_id: str, won: int, number: str, stated: int, day: int = 1) -> dict[str, object]:
    papers = (
        Evidence("expenditure_resolution"),
        Evidence("card_slip", stated, number),
        Evidence("trade_statement"),
    )
    return {"id": row_id, "amount_won": won, "evidence": papers}


def test_a_slip_used_twice_proves_only_the_first() -> None:
    first = expense("printing", **_numbered("a", 500_000, "A-1", 500_000))
    second = expense("office_supplies", **_numbered("b", 500_000, "A-1", 500_000))
    found = the("DUPLICATE_EVIDENCE", first, second)
    assert (found.expense.id, found.disallowed_won, found.ground) == ("b", 500_000, 1)
    assert "a" in found.finding().message()


def test_a_slip_may_be_split_as_far_as_it_goes() -> None:
    rows = [expense("printing", **_numbered(i, 200_000, "A-1", 500_000)) for i in "abc"]
    found = [b for b in breaches(*rows) if b.kind.code == "DUPLICATE_EVIDENCE"]
    assert [b.expense.id for b in found] == ["c"]


def test_a_bundle_keeps_the_slip_it_used_first() -> None:
    papers = (
        Evidence("expenditure_resolution"),
        Evidence("card_slip", 500_000, "A-1"),
        Evidence("card_slip", 500_000, "A-2"),
        Evidence("trade_statement"),
    )
    bundle = expense("printing", id="a", amount_won=1_000_000, evidence=papers)
    again = expense("office_supplies", **_numbered("b", 200_000, "A-1", 500_000))
    found = [b for b in breaches(bundle, again) if b.kind.code == "DUPLICATE_EVIDENCE"]
    assert [b.expense.id for b in found] == ["b"]


def test_a_contract_serves_every_month() -> None:
    rows = [
        replace(
            row := expense("operator_pay", id=f"m{i}"),
            evidence=(*row.evidence[:2], Evidence("contract", None, "sha"), row.evidence[3]),
        )
        for i in range(3)
    ]
    assert "DUPLICATE_EVIDENCE" not in said(*rows)


def test_the_same_file_under_another_number_proves_nothing_again() -> None:
    file = "f" * 64

    def row(row_id: str, number: str | None) -> Expense:
        papers = (
            Evidence("expenditure_resolution"),
            Evidence("card_slip", 500_000, number, file),
            Evidence("trade_statement"),
        )
        return expense("printing", id=row_id, amount_won=500_000, evidence=papers)

    for first, second in (("A-1", "A-2"), ("A-1", None), (None, None)):
        found = the("DUPLICATE_EVIDENCE", row("a", first), row("b", second))
        assert (found.expense.id, found.params["number"]) == ("b", "ffffffffffff…")
    # By number and by file it is one document: one finding, which names the number.
    found = the("DUPLICATE_EVIDENCE", row("a", "A-1"), row("b", "A-1"))
    assert (found.expense.id, found.params["number"]) == ("b", "A-1")
    elsewhere = plan(used_earlier=frozenset([file]))
    assert said(row("b", "A-2"), plan=elsewhere) == {"DUPLICATE_EVIDENCE": 500_000}
    both = plan(used_earlier=frozenset([file, "A-2"]))
    assert the("DUPLICATE_EVIDENCE", row("b", "A-2"), plan=both).params == {"number": "A-2"}


def test_what_proves_no_amount_is_no_duplicate_whatever_it_states() -> None:
    contract = Evidence("contract", 3_000_000, "C-1", "c" * 64)
    rows = [
        replace(
            row := expense("operator_pay", id=f"m{i}"),
            evidence=(*row.evidence[:2], contract, row.evidence[3]),
        )
        for i in range(3)
    ]
    elsewhere = plan(used_earlier=frozenset(["C-1", "c" * 64]))
    assert "DUPLICATE_EVIDENCE" not in said(*rows, plan=elsewhere)


def test_a_proof_that_states_no_amount_proves_the_first_expense_only() -> None:
    papers = (*documents(("expenditure_resolution", "trade_statement"), 1), Evidence("card_slip"))
    numbered = (*papers[:2], replace(papers[2], number="A-1"))
    rows = [expense("printing", id=i, amount_won=200_000, evidence=numbered) for i in "ab"]
    found = [b for b in breaches(*rows) if b.kind.code == "DUPLICATE_EVIDENCE"]
    assert [b.expense.id for b in found] == ["b"]


def test_every_evidence_kind_of_the_call_is_used_somewhere() -> None:
    rules = keco()
    named = str([rule.params for rule in rules.spending.rules]) + str(rules.spending.evidence_sets)
    named += str(rules.spending.account)
    assert [code for code in rules.evidence_names if f"'{code}'" not in named] == []
