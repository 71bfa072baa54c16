"""A proposal's document: typed parts that rules read, and free sections as the form has them.

A draft may be half-written; `check` says everything that is wrong or missing, with the same
functions for the live preview and for the gate at submission.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from services.grants.errors import PART_MISSING, RuleSetInvalid
from services.grants.programmes.reading import read
from services.grants.programmes.rules import RuleSet
from services.grants.proposals.rules import (
    Applicant,
    Budget,
    Meter,
    Pledge,
    Totals,
    check_budget,
    document_findings,
    duty_findings,
    eligibility_findings,
    pledge_findings,
    receipt_finding,
    text_findings,
)
from shared.problems import Finding, Invalid

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Document:
    """What an applicant writes (G-010, G-011). `copies` counts the paper documents by code."""

    applicant: Applicant | None = None
    budget: Budget | None = None
    pledge: Pledge | None = None
    copies: Mapping[str, int] = field(default_factory=dict)
    targets: Mapping[str, int] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    keywords: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sections: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """All findings on a document; sums and meters as soon as there is a budget to add up."""

    findings: tuple[Finding, ...]
    totals: Totals | None = None
    meters: tuple[Meter, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.is_error)


def check(rules: RuleSet, raw: Mapping[str, Any]) -> Check:
    """Everything there is to say about a document, by JSON Pointer into it."""
    try:
        document = read(Document, raw)
    except RuleSetInvalid as unreadable:
        return Check(tuple(document_finding(finding) for finding in unreadable.errors))
    if document.budget is None:
        return Check(tuple(_filing(rules, document, None)))
    checked = check_budget(rules, document.budget)
    within = (replace(found, pointer=f"/budget{found.pointer}") for found in checked.findings)
    filing = _filing(rules, document, checked.totals)
    return Check((*within, *filing), checked.totals, checked.meters)


def late_or_early(
    rules: RuleSet, opens_at: datetime, closes_at: datetime, arrived_at: datetime
) -> Finding | None:
    """Whether a proposal is received now (G-004). The published programme says when, which may
    differ from the rule set: an agency may extend a deadline."""
    receipt = replace(rules.call.receipt, opens_at=opens_at, closes_at=closes_at)
    return receipt_finding(replace(rules, call=replace(rules.call, receipt=receipt)), arrived_at)


def _filing(rules: RuleSet, document: Document, totals: Totals | None) -> Iterator[Finding]:
    if document.applicant is None:
        yield PART_MISSING.at("/applicant", field="applicant", part="신청기관·컨소시엄")
    else:
        for found in eligibility_findings(rules, document.applicant):
            yield replace(found, pointer=f"/applicant{found.pointer}")
    if totals is None:
        yield PART_MISSING.at("/budget", field="budget", part="사업비")
    else:
        yield from (
            replace(found, pointer=found.pointer.replace("/documents/", "/copies/", 1))
            for found in document_findings(rules, totals, document.copies)
        )
        if document.pledge is not None:
            yield from pledge_findings(rules, totals, document.pledge)
    if document.pledge is None:
        yield PART_MISSING.at("/pledge", field="pledge", part="민간부담금 부담 협약서")
    yield from duty_findings(rules, document.targets)
    yield from text_findings(rules, {**document.texts, **document.keywords})


def read_part(kind: type[T], value: Mapping[str, Any], pointer: str) -> T:
    """Part of a request as a form of the rules. Raises `Invalid` with every finding."""
    try:
        return read(kind, value, pointer)
    except RuleSetInvalid as unreadable:
        raise Invalid(errors=[document_finding(found) for found in unreadable.errors]) from None


def document_finding(finding: Finding) -> Finding:
    """What the reader says of rule sets, said of a document."""
    code = finding.code.replace("RULE_SET_", "DOCUMENT_")
    return replace(finding, kind=replace(finding.kind, code=code))
