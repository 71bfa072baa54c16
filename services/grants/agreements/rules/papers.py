"""The documents an agreement is concluded with (G-056): which are due, and what each waits for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from services.grants.programmes.rules import RequiredDocument, RuleSet, cited
from services.grants.proposals.rules import Totals
from shared.problems import Finding, FindingKind

LineState = Literal["missing", "returned", "waiting", "accepted", "not_needed"]

PAPER_MISSING = FindingKind(
    "AGREEMENT_DOCUMENT_MISSING",
    "협약 서류가 없습니다: {name_ko}(필요 {required}건, 제출 {given}건)",
    "A document of the agreement is missing: {name_en} ({required} needed, {given} given)",
)
PAPER_RETURNED = FindingKind(
    "AGREEMENT_DOCUMENT_RETURNED",
    "보완을 요청받은 협약 서류입니다. 고쳐서 다시 제출하세요: {name_ko}",
    "This document of the agreement was sent back; please submit it anew: {name_en}",
)
PAPER_WAITING = FindingKind(
    "AGREEMENT_DOCUMENT_WAITING",
    "전문기관이 아직 확인하지 않은 협약 서류입니다: {name_ko}",
    "The agency has not looked at this document of the agreement yet: {name_en}",
)
PAPER_UNKNOWN = FindingKind(
    "AGREEMENT_DOCUMENT_UNKNOWN",
    "이 사업의 협약 서류가 아닙니다. 가능한 서류: {known}",
    "The call knows no such document of the agreement. Known: {known}",
)
PAPERS_FULL = FindingKind(
    "AGREEMENT_DOCUMENTS_FULL",
    "협약 서류는 돌려보낸 것을 포함하여 {most}개까지 제출할 수 있습니다.",
    "An agreement takes {most} files, those that were sent back included.",
)


@dataclass(frozen=True, slots=True)
class Paper:
    """A file handed in as one of the documents; `state` is submitted, accepted or returned."""

    code: str
    state: str


@dataclass(frozen=True, slots=True)
class ChecklistLine:
    """One document of the call: how many files it has, and how many of them count.

    `due` says that the agreement cannot be concluded without it: the call requires it, and the
    plan has lines it is about.
    """

    document: RequiredDocument
    due: bool
    waiting: int
    accepted: int
    returned: int

    @property
    def given(self) -> int:
        return self.waiting + self.accepted

    @property
    def state(self) -> LineState:
        if self.accepted >= self.document.copies:
            return "accepted"
        if self.given >= self.document.copies:
            return "waiting"
        if self.returned:
            return "returned"
        return "missing" if self.due else "not_needed"


def checklist(rules: RuleSet, totals: Totals, papers: Iterable[Paper]) -> tuple[ChecklistLine, ...]:
    """Every document of the call's set in its order, with what was handed in."""
    used = {(line.item, line.kind, line.fund) for line, won in totals.lines if won}
    states = [(paper.code, paper.state) for paper in papers]
    return tuple(
        ChecklistLine(
            document,
            document.required
            and (document.when is None or any(document.when.takes(*use) for use in used)),
            states.count((document.code, "submitted")),
            states.count((document.code, "accepted")),
            states.count((document.code, "returned")),
        )
        for document in rules.call.agreement_documents
    )


def conclusion_findings(rules: RuleSet, lines: Iterable[ChecklistLine]) -> Iterator[Finding]:
    """Why the agreement cannot be concluded yet, one finding for each document (G-056)."""
    kinds = {"missing": PAPER_MISSING, "returned": PAPER_RETURNED, "waiting": PAPER_WAITING}
    for line in lines:
        kind = kinds.get(line.state)
        if line.due and kind is not None:
            document = line.document
            yield cited(kind, rules.call.agreement_documents_rule, document.citation).at(
                f"/documents/{document.code}",
                field=document.code,
                name_ko=document.name.ko,
                name_en=document.name.en,
                required=document.copies,
                given=line.given,
            )


def unknown_finding(rules: RuleSet, code: str) -> Finding | None:
    """Whether the call's set has a document of this code."""
    known = [document.code for document in rules.call.agreement_documents]
    if code in known:
        return None
    return PAPER_UNKNOWN.at("/code", field="code", known=", ".join(known))
