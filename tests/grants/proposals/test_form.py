"""The form of a call: what may be written where, said the same by the service and its schema."""

import copy
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from services.grants.programmes.rules import RuleSet
from services.grants.proposals.document import check, shaped
from services.grants.proposals.schema import document_schema
from services.grants.proposals.titles import TITLES
from tests.grants.calls import harbour, keco
from tests.grants.proposals.filled import whole

WHOLE = whole(keco())


def refused(rules: RuleSet, document: Any) -> list[str]:
    """Where the published schema refuses a document."""
    validator = Draft202012Validator(document_schema(rules), format_checker=FormatChecker())
    return [error.json_path for error in validator.iter_errors(document)]


def found(document: dict[str, Any]) -> dict[str, list[str]]:
    """The pointers of what a check finds, by code."""
    result: dict[str, list[str]] = {}
    for finding in check(keco(), document).findings:
        assert finding.message("ko")
        assert finding.message("en")
        result.setdefault(finding.code, []).append(finding.pointer)
    return result


def changed(path: str, value: Any) -> dict[str, Any]:
    document = copy.deepcopy(WHOLE)
    *above, last = path.split("/")
    at: Any = document
    for step in above:
        at = at[int(step)] if isinstance(at, list) else at[step]
    at[int(last) if isinstance(at, list) else last] = value
    return document


def test_the_schema_of_every_call_is_a_schema() -> None:
    for rules in (keco(), harbour()):
        Draft202012Validator.check_schema(document_schema(rules))


def test_a_proposal_with_every_part_written_is_faultless_and_fits_the_schema() -> None:
    assert found(WHOLE) == {}
    assert refused(keco(), WHOLE) == []


def test_an_empty_draft_has_a_shape_too() -> None:
    assert shaped(keco(), {})[1] == ()
    assert refused(keco(), {}) == []


def test_every_typed_field_has_its_korean_name() -> None:
    """A new field without a name would leave a front end with an English key."""
    schema = document_schema(keco())
    assert schema["title"] == "폐자원에너지화 특성화대학원사업 계획서"
    kinds = {kind for kind, _ in TITLES}
    assert set(TITLES) == {(kind, field.name) for kind in kinds for field in fields(kind)}
    workforce = schema["properties"]["sections"]["properties"]["workforce"]
    assert workforce["title"] == "(3) 전문인력 수급현황 및 미래수요 예측"
    assert workforce["items"]["properties"]["supply"]["title"] == "인력 수급현황"


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("sections/workforce/0/supply", 5, "DOCUMENT_VALUE"),
        ("sections/workforce/0/unknown", "x", "DOCUMENT_KEY_UNKNOWN"),
        ("sections/workforce", {}, "DOCUMENT_VALUE"),
        ("sections/unknown", [], "DOCUMENT_KEY_UNKNOWN"),
        ("sections/indicators/courses/total", 3, "DOCUMENT_KEY_UNKNOWN"),  # computed
        ("sections/indicators/courses/first", -1, "DOCUMENT_VALUE"),
        ("sections/indicators/rowing", {}, "DOCUMENT_KEY_UNKNOWN"),
        ("sections/schedule/0/months", [3, 3], "DOCUMENT_VALUE"),
        ("sections/schedule/0/months", [0], "DOCUMENT_VALUE"),
        ("sections/schedule/0/year", "4", "DOCUMENT_VALUE"),
        ("sections/principal_person/born_on", "2020-02-30", "DOCUMENT_VALUE"),
        ("sections/principal_person/born_on", "20200301", "DOCUMENT_VALUE"),
        ("sections/principal_projects/0/rate", "33.33", "DOCUMENT_VALUE"),
        ("sections/participants/0/researcher_no", "1234567", "DOCUMENT_VALUE"),
        ("sections/situation_abroad", "가" * 20_001, "DOCUMENT_VALUE"),
        ("sections/workforce", [{}] * 501, "TABLE_TOO_LONG"),
        ("budget/year/start", "2020-03", "DOCUMENT_VALUE"),
        ("budget/lines/3/amount_won", 2**53, "DOCUMENT_VALUE"),
        ("budget/lines/0/pay/rate", 33.3, "DOCUMENT_VALUE"),
        ("budget/lines/0/pay/rate", "1/0", "DOCUMENT_VALUE"),
        ("budget/lines/0/pay/rate", "33.3\n", "DOCUMENT_VALUE"),
        ("budget/lines/0/fund", "loan", "DOCUMENT_VALUE"),
        ("applicant/partners/0/kind", "friend", "DOCUMENT_VALUE"),
        ("form", "harbour-2031/3", "FORM_OTHER"),
    ],
)  # fmt: skip
def test_what_the_service_refuses_by_shape_the_schema_refuses(
    path: str, value: Any, code: str
) -> None:
    document = changed(path, value)
    assert code in found(document)
    assert refused(keco(), document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("sections/indicators/courses/first", 3.0),
        ("budget/lines/4/amount_won", 100_000_000.0),
        ("sections/workforce/0/supply", None),
        ("sections/workforce", []),
        ("form", None),
    ],
)
def test_what_the_service_takes_the_schema_takes(path: str, value: Any) -> None:
    document = changed(path, value)
    assert not shaped(keco(), document)[1]
    assert not refused(keco(), document)


PLACES = [
    "budget", "budget/year", "budget/year/end", "budget/lines/1", "budget/lines/1/kind",
    "budget/lines/1/heads", "budget/lines/3/goods/quantity", "budget/lines/0/pay/rate",
    "budget/lines/0/pay/start", "budget/people/0/researcher_no", "budget/people/0/role",
    "budget/own_rules", "applicant/schools/0/lead", "pledge/cash_paid_on", "copies", "keywords",
    "sections", "sections/yearly_goals", "sections/yearly_goals/1", "sections/textbooks/0/year",
    "sections/textbooks/0", "sections/university/quota", "sections/principal/email",
    "sections/schedule/0/months", "sections/year_funds/1/grant_won", "sections/organisation",
]  # fmt: skip
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "1", "2020-03-01", "2020-3-1", "12.5", "1/3", "1/00", "grant", "a@b"])
    | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(PLACES), VALUES)
def test_service_and_schema_agree_on_the_shape_of_anything(path: str, value: Any) -> None:
    document = changed(path, value)
    assert bool(shaped(keco(), document)[1]) == bool(refused(keco(), document))


def test_what_is_not_written_yet_is_remarked_and_hinders_nothing() -> None:
    document = copy.deepcopy(WHOLE)
    document["sections"] = {"workforce": [{"technology": " "}], "textbooks": [{"author": "갑"}]}
    findings = found(document)
    assert "/sections/workforce" in findings["SECTION_EMPTY"]
    assert "/sections/situation_abroad" in findings["SECTION_EMPTY"]
    assert findings["CELL_EMPTY"] == ["/sections/textbooks/0/year", "/sections/textbooks/0/title"]
    assert {f.code for f in check(keco(), document).errors} == {"CELL_EMPTY"}


def test_only_a_continuing_project_answers_what_was_remarked_before() -> None:
    document = changed("sections/need_reviews", "")
    assert found(document) == {}
    document["sections"]["project"]["kind"] = "continuing"
    assert found(document) == {"SECTION_EMPTY": ["/sections/need_reviews"]}


def test_everybody_who_is_paid_has_a_task() -> None:
    document = changed("sections/assignments", [{"person": "홍 길동", "task": "총괄"}])
    (finding,) = [f for f in check(keco(), document).findings if f.code == "PERSON_NOT_NAMED"]
    assert (finding.params["name"], finding.pointer) == ("김조교", "/sections/assignments")
    assert (finding.kind.rule, finding.kind.citation) == ("G-011", "S2:491-496")


def test_the_year_of_the_budget_says_the_same_in_the_table_of_years() -> None:
    document = changed("sections/year_funds/1/cash_won", 59_000_000)
    (finding,) = [f for f in check(keco(), document).findings if f.code == "YEAR_MISMATCH"]
    assert finding.suggestion == "60000000"
    assert finding.pointer == "/sections/year_funds/1/cash_won"
    assert found(changed("sections/year_funds/2/cash_won", 1)) == {}  # an estimate


def test_what_is_bought_costs_its_number_times_its_price() -> None:
    (finding,) = [
        f
        for f in check(keco(), changed("budget/lines/3/goods/quantity", 3)).findings
        if f.code == "GOODS_MISMATCH"
    ]
    assert (finding.pointer, finding.suggestion) == ("/budget/lines/3/amount_won", "22500000")
    assert found(changed("budget/lines/3/goods/deal", "rental")) == {}


def test_the_consortium_counts_its_companies_itself() -> None:
    assert found(changed("applicant/companies", 4)) == {
        "CONSORTIUM_MISMATCH": ["/applicant/companies"]
    }
    three = changed("applicant/partners", WHOLE["applicant"]["partners"][:3])
    assert "COMPANY_COUNT" in found(three)
    three["applicant"]["companies_reason"] = "분야의 기업이 적습니다."
    assert found(three) == {}
    assert found(changed("applicant/partners/1/crn", "110111-0062433")) == {
        "CRN_CHECK": ["/applicant/partners/1/crn"]
    }


def test_another_call_has_its_own_form() -> None:
    ports = [{"port": "부산", "tide": "ebb", "cranes": 3}, {"tide": "spring"}]
    document = {"sections": {"ports": ports}}
    findings = {(f.code, f.pointer) for f in shaped(harbour(), document)[1]}
    assert findings == {("DOCUMENT_VALUE", "/sections/ports/1/tide")}
    assert refused(harbour(), document)
    ports.pop()
    assert not refused(harbour(), document)
    found = {(f.code, f.pointer, f.kind.rule) for f in check(harbour(), document).findings}
    assert ("SECTION_EMPTY", "/sections/route", "T-11") in found
    assert {pointer for _, pointer, rule in found if rule == "T-11"} == {"/sections/route"}
    assert shaped(harbour(), {"sections": {"workforce": []}})[1]  # that is keco's


@pytest.mark.parametrize("written", ["x", [1], {"kind": None}, None])
def test_a_call_without_a_form_takes_whatever_sections_it_is_given(written: Any) -> None:
    formless = replace(keco(), form=replace(keco().form, sections=()))
    document = WHOLE | {"sections": {"project": written}, "form": None}
    assert shaped(formless, document)[1] == ()
    assert check(formless, document).totals is not None
