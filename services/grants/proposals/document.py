"""A proposal's document: typed parts that rules read, and the sections of the call's form.

A draft may be half-written; `check` says everything that is wrong or missing, with the same
functions for the live preview and for the gate at submission.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from services.grants.errors import (
    PART_MISSING,
    RuleSetInvalid,
)
from services.grants.programmes.reading import read
from services.grants.programmes.rules import RuleSet
from services.grants.proposals.errors import (
    FORM_OTHER,
)
from services.grants.proposals.rules import (
    Applicant,
    Budget,
    Commitment,
    Meter,
    Pledge,
    Totals,
    check_budget,
    document_findings,
    duty_findings,
    eligibility_findings,
    form_findings,
    pledge_findings,
    receipt_finding,
    shape_findings,
    text_findings,
)
from shared.problems import Finding, Invalid

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Document:
    """What an applicant writes (G-010, G-011). `copies` counts the paper documents by code;
    `form` names the form it was written by, where a document says so."""

    form: str | None = None
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


def form_code(rules: RuleSet) -> str:
    """The name of a form: rule sets never change, nor do their forms."""
    return f"{rules.code}/{rules.version}"


def shaped(rules: RuleSet, raw: Mapping[str, Any]) -> tuple[Document | None, tuple[Finding, ...]]:
    """The document, or everything about it that is not of the form's shape."""
    found: list[Finding] = []
    document = None
    try:
        document = read(Document, raw)
    except RuleSetInvalid as unreadable:
        found += [document_finding(finding) for finding in unreadable.errors]
    if isinstance(sections := raw.get("sections"), dict):
        found += (_below(item, "/sections") for item in shape_findings(rules, sections))
    if (form := raw.get("form")) is not None and form != form_code(rules):
        found.append(FORM_OTHER.at("/form", given=str(form)[:80], expected=form_code(rules)))
    return (None if found else document), tuple(found)


def check(rules: RuleSet, raw: Mapping[str, Any], commitments: Sequence[Commitment] = ()) -> Check:
    """Everything there is to say about a document, by JSON Pointer into it. `commitments` are what
    its people give to other projects here."""
    document, wrong = shaped(rules, raw)
    if document is None:
        return Check(wrong)
    if document.budget is None:
        return Check((*_filing(rules, document, None), *_sections(rules, document, None)))
    checked = check_budget(rules, document.budget, commitments)
    within = (_below(found, "/budget") for found in checked.findings)
    filing = _filing(rules, document, checked.totals)
    sections = _sections(rules, document, checked.totals)
    return Check((*within, *filing, *sections), checked.totals, checked.meters)


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
            yield _below(found, "/applicant")
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


def _sections(rules: RuleSet, document: Document, totals: Totals | None) -> Iterator[Finding]:
    for found in form_findings(rules, document.sections, document.budget, totals):
        yield _below(found, "/sections")


def _below(finding: Finding, pointer: str) -> Finding:
    return replace(finding, pointer=f"{pointer}{finding.pointer}")


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
