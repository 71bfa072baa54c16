"""The set of documents of an agreement (G-056), and what each of them waits for."""

from dataclasses import replace

import pytest

from services.grants.agreements.rules import Paper, checklist, conclusion_findings
from services.grants.programmes.rules import RequiredDocument, RuleSet, Selector, Text
from services.grants.proposals.rules import totals
from tests.grants.agreements.plans import budget, line
from tests.grants.calls import harbour, keco

SET = [
    "agreement",
    "revision_summary",
    "payment_request",
    "syllabus",
    "student_list",
    "pledge",
]


def found(rules: RuleSet, *papers: Paper, uses: tuple[str, ...] = ("books",)) -> dict[str, str]:
    """What stands against the conclusion, by document."""
    sums = totals(rules, budget(*(line(kind, 1_000_000) for kind in uses)))
    lines = checklist(rules, sums, papers)
    return {str(item.field): item.code for item in conclusion_findings(rules, lines)}


def test_each_of_the_six_documents_is_named_while_it_is_missing() -> None:
    missing = found(keco())
    assert missing == dict.fromkeys(SET, "AGREEMENT_DOCUMENT_MISSING")
    lines = checklist(keco(), totals(keco(), budget()), ())
    (finding, *_rest) = conclusion_findings(keco(), lines)
    assert (finding.kind.rule, finding.kind.citation) == ("G-056", "S2:267")


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ([], "AGREEMENT_DOCUMENT_MISSING"),
        (["submitted"], "AGREEMENT_DOCUMENT_WAITING"),
        (["returned"], "AGREEMENT_DOCUMENT_RETURNED"),
        (["returned", "submitted"], "AGREEMENT_DOCUMENT_WAITING"),
        (["accepted"], None),
        (["returned", "accepted"], None),
        (["accepted", "submitted"], None),
    ],
)
def test_a_document_waits_for_whoever_has_to_act(states: list[str], code: str | None) -> None:
    papers = [Paper(other, "accepted") for other in SET if other != "syllabus"]
    papers += [Paper("syllabus", state) for state in states]
    assert found(keco(), *papers) == ({"syllabus": code} if code else {})


def with_set(*documents: RequiredDocument) -> RuleSet:
    rules = keco()
    return replace(rules, call=replace(rules.call, agreement_documents=documents))


PERMIT = RequiredDocument("permit", Text("허가서", "permit"), 2, "T:1")


def test_how_many_are_needed_and_whether_at_all_is_the_calls_data() -> None:
    permit, rules = Paper("permit", "accepted"), with_set(PERMIT)
    assert found(rules, permit) == {"permit": "AGREEMENT_DOCUMENT_MISSING"}
    assert found(rules, permit, permit) == {}
    assert found(with_set(replace(PERMIT, required=False))) == {}
    only_abroad = replace(PERMIT, when=Selector(kinds=frozenset({"overseas_trip"})))
    assert found(with_set(only_abroad)) == {}
    assert found(with_set(only_abroad), uses=("overseas_trip",)) != {}


def test_a_call_without_a_set_asks_for_nothing() -> None:
    assert found(harbour(), uses=()) == {}
