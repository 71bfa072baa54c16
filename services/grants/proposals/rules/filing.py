"""Filing a proposal: deadline, eligibility, package, pledge and duties (G-002 … G-014)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from services.grants.errors import (
    COMPANY_COUNT,
    COMPLETION_NOT_MET,
    CRN_CHECK,
    DOCUMENT_COPIES,
    DOCUMENT_MISSING,
    DUTY_SHORT,
    INCUMBENT_NEEDS_PARTNER,
    LATE,
    NO_COMPANY,
    NOT_GRADUATE_SCHOOL,
    NOT_OPEN,
    PLEDGE_MISMATCH,
    SIMILAR_PROGRAMME,
    TEXT_LENGTH,
    UNDER_RESTRICTION,
)
from services.grants.programmes.rules import RuleSet, cited
from services.grants.proposals.errors import (
    CONSORTIUM_MISMATCH,
)
from services.grants.proposals.rules.budget import Totals
from shared.problems import Finding

_UNITS = {"characters": ("자", "characters"), "words": ("개", "words")}


@dataclass(frozen=True, slots=True)
class School:
    """A graduate school of the consortium; `eligible` says it is one the call asks for."""

    university: str
    eligible: bool = True
    lead: bool = False


@dataclass(frozen=True, slots=True)
class Partner:
    """A member of the consortium beside the lead (참여기관)."""

    kind: Literal["company", "association", "university", "institute"]
    name: str
    crn: str = ""
    head: str = ""
    phone: str = ""
    company_type: str = ""


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who applies: the schools, the companies, and what may stand against them.

    The companies are counted among the `partners`; `companies` is their number where the partners
    are not listed. `companies_reason` explains an unusual number.
    """

    schools: tuple[School, ...]
    companies: int | None = None
    incumbent: bool = False
    restricted: bool = False
    runs_similar_programme: bool = False
    partners: tuple[Partner, ...] = ()
    companies_reason: str = ""

    @property
    def company_count(self) -> int:
        if self.partners:
            return sum(partner.kind == "company" for partner in self.partners)
        return self.companies or 0


@dataclass(frozen=True, slots=True)
class Pledge:
    """민간부담금 부담 협약서: cash (A) and in kind (B, with its two parts) in won."""

    cash_won: int
    in_kind_won: int
    total_won: int
    pay_in_kind_won: int
    assets_in_kind_won: int
    cash_paid_on: date | None = None
    pay_content: str = ""
    assets_content: str = ""


def receipt_finding(rules: RuleSet, arrived_at: datetime) -> Finding | None:
    """Whether a proposal arriving now can be received (G-004): up to 17:00:00.000000 inclusive."""
    receipt = rules.call.receipt
    if arrived_at < receipt.opens_at:
        kind = cited(NOT_OPEN, receipt.rule, receipt.citation)
        return kind.at(opens_at=_clock(receipt.opens_at))
    if arrived_at > receipt.closes_at:
        kind = cited(LATE, receipt.rule, receipt.citation)
        return kind.at(closes_at=_clock(receipt.closes_at), arrived_at=arrived_at.isoformat())
    return None


def eligibility_findings(rules: RuleSet, applicant: Applicant) -> Iterator[Finding]:
    """Who may apply (G-002), and who is excluded (G-003)."""
    rule = rules.call.eligibility
    eligible = [school for school in applicant.schools if school.eligible]
    if len(eligible) < rule.graduate_schools_at_least:
        yield cited(NOT_GRADUATE_SCHOOL, rule.rule, rule.citation).at(
            "/schools", required=rule.graduate_schools_at_least, given=len(eligible)
        )
    yield from _company_findings(rules, applicant)
    leads = {school.university for school in applicant.schools if school.lead}
    others = {school.university for school in eligible} - leads
    if applicant.incumbent and rule.incumbent_needs_other_university and not others:
        yield cited(INCUMBENT_NEEDS_PARTNER, rule.rule, rule.incumbent_citation).at("/schools")
    if applicant.restricted:
        yield cited(UNDER_RESTRICTION, rule.exclusion_rule, rule.exclusion_citation).at(
            "/restricted"
        )
    if applicant.runs_similar_programme:
        yield cited(SIMILAR_PROGRAMME, rule.exclusion_rule, rule.exclusion_citation).at(
            "/runs_similar_programme"
        )


def _company_findings(rules: RuleSet, applicant: Applicant) -> Iterator[Finding]:
    rule, given = rules.call.eligibility, applicant.company_count
    if given < rule.companies_at_least:
        yield cited(NO_COMPANY, rule.rule, rule.companies_citation).at(
            "/companies", required=rule.companies_at_least, given=given
        )
    elif not (
        rule.companies_usual_from <= given <= rule.companies_usual_to
        or applicant.companies_reason.strip()
    ):
        yield cited(COMPANY_COUNT, rule.rule, rule.companies_citation).at(
            "/companies",
            usual=(rule.companies_usual_from + rule.companies_usual_to) // 2,
            given=given,
        )
    if applicant.companies not in (None, given):
        yield cited(CONSORTIUM_MISMATCH, rule.rule, rule.companies_citation).at(
            "/companies", stated=applicant.companies, given=given, suggestion=str(given)
        )
    for index, partner in enumerate(applicant.partners):
        if partner.crn and (found := crn_finding(partner.crn, f"/partners/{index}/crn")):
            yield found


def document_findings(
    rules: RuleSet, totals: Totals, copies: Mapping[str, int]
) -> Iterator[Finding]:
    """The package (G-005): every document due for this plan, with its copies."""
    used = {(line.item, line.kind, line.fund) for line, won in totals.lines if won}
    for document in rules.call.documents:
        if not document.required:
            continue
        if document.when and not any(document.when.takes(*use) for use in used):
            continue
        given = copies.get(document.code, 0)
        if given < document.copies:
            kind = DOCUMENT_COPIES if given else DOCUMENT_MISSING
            yield cited(kind, rules.call.documents_rule, document.citation).at(
                f"/documents/{document.code}",
                required=document.copies,
                given=given,
                name_ko=document.name.ko,
                name_en=document.name.en,
            )


def pledge_findings(rules: RuleSet, totals: Totals, pledge: Pledge) -> Iterator[Finding]:
    """The pledge against the plan (G-014): A = C, B = K and its parts, total = A + B."""
    internal = sum(
        totals.items[code].in_kind
        for code, item in rules.leaves.items()
        if item.role == "internal_pay"
    )
    planned = totals.whole
    kind = cited(PLEDGE_MISMATCH, rules.call.pledge_rule, rules.call.pledge_citation)
    for field, name_ko, name_en, pledged_won, planned_won in (
        ("cash_won", "현금(A)", "cash (A)", pledge.cash_won, planned.cash),
        ("in_kind_won", "현물(B)", "in kind (B)", pledge.in_kind_won, planned.in_kind),
        ("total_won", "총계(A+B)", "the total (A+B)", pledge.total_won, planned.private),
        ("pay_in_kind_won", "현물 인건비", "pay in kind", pledge.pay_in_kind_won, internal),
        (
            "assets_in_kind_won",
            "현물 기자재·시설",
            "equipment and facilities in kind",
            pledge.assets_in_kind_won,
            planned.in_kind - internal,
        ),
    ):
        if pledged_won != planned_won:
            yield kind.at(
                f"/pledge/{field}",
                name_ko=name_ko,
                name_en=name_en,
                pledged_won=pledged_won,
                planned_won=planned_won,
            )


def duty_findings(rules: RuleSet, targets: Mapping[str, int]) -> Iterator[Finding]:
    """What a year must reach (G-006); a target left out counts as zero. Warnings: the sheet
    scores a shortfall, it does not exclude."""
    for duty in rules.call.duties:
        given = targets.get(duty.code, 0)
        if given < duty.at_least:
            yield cited(DUTY_SHORT, rules.call.duties_rule, duty.citation).at(
                f"/targets/{duty.code}",
                required=duty.at_least,
                given=given,
                name_ko=duty.name.ko,
                name_en=duty.name.en,
            )


def completion_findings(
    rules: RuleSet, activities: frozenset[str], counts: Mapping[str, int]
) -> Iterator[Finding]:
    """Why a student does not earn the certificate (G-007); nothing when it is earned."""
    completion = rules.call.completion
    kind = cited(COMPLETION_NOT_MET, completion.rule, completion.citation)
    if activities.isdisjoint(completion.any_of):
        any_of = "/".join(completion.any_of)
        yield kind.at("/activities", any_of=any_of, name_ko=any_of, name_en=any_of)
    for duty in completion.at_least:
        given = counts.get(duty.code, 0)
        if given < duty.at_least:
            yield kind.at(
                f"/counts/{duty.code}",
                required=duty.at_least,
                given=given,
                name_ko=duty.name.ko,
                name_en=duty.name.en,
            )


def text_findings(rules: RuleSet, texts: Mapping[str, str | Sequence[str]]) -> Iterator[Finding]:
    """Texts and lists of the form far off their usual length (G-010); warnings only."""
    for length in rules.call.text_lengths:
        text = texts.get(length.code, "")
        given = len(text.strip()) if isinstance(text, str) else len(text)
        if abs(given - length.usual) * 100 > length.usual * length.tolerance_percent:
            unit_ko, unit_en = _UNITS[length.unit]
            yield cited(TEXT_LENGTH, rules.call.text_lengths_rule, length.citation).at(
                f"/texts/{length.code}",
                usual=length.usual,
                given=given,
                unit_ko=unit_ko,
                unit_en=unit_en,
                name_ko=length.name.ko,
                name_en=length.name.en,
            )


def crn_finding(crn: str, pointer: str = "") -> Finding | None:
    """Whether a corporate registration number (13 digits) looks right; a warning at most.

    Its last digit checks the others by weights 1, 2, 1, 2, …; numbers issued lately may lack a
    check digit, so nobody is refused for it.
    """
    digits = crn.replace("-", "")
    if len(digits) == 13 and digits.isascii() and digits.isdigit():
        weighed = sum(int(digit) * (1 + place % 2) for place, digit in enumerate(digits[:12]))
        if int(digits[12]) == -weighed % 10:
            return None
    return CRN_CHECK.at(pointer, crn=crn)


def _clock(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%d %H:%M")
