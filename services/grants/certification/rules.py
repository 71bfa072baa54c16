"""Who may be certified, with what, and for how long (M-061). Pure: the numbers are the call's."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from services.grants.certification.errors import (
    ATTACHMENT_MISSING,
    NO_MILEAGE,
    NOT_ELIGIBLE_UNIVERSITY,
    PART_UNKNOWN,
    PROMISE_MISSING,
    STATEMENT_LONG,
    STATEMENT_MISSING,
)
from services.grants.programmes.rules import CertificationRules, Text, add_months, cited
from shared.problems import Finding


class Status(StrEnum):
    """What a certificate is on a day."""

    VALID = "valid"
    FUTURE = "future"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Application:
    """What an applicant writes: texts, what it affirms."""

    statements: Mapping[str, str] = field(default_factory=dict)
    promises: Mapping[str, bool] = field(default_factory=dict)


def kind_findings(rules: CertificationRules, kind: str) -> Iterator[Finding]:
    """Whether institutions of a kind may apply: no universities, no 산학협력단."""
    rule = rules.applicants
    if kind in rule.excluded_kinds:
        yield cited(NOT_ELIGIBLE_UNIVERSITY, rule.rule, rule.citation).at("", kind=kind)


def mileage_findings(rules: CertificationRules, points: int, on: date) -> Iterator[Finding]:
    """Whether enough mileage was posted by the end of the closing day."""
    rule = rules.applicants
    if points < rule.mileage_at_least:
        yield cited(NO_MILEAGE, rule.rule, rule.citation).at(
            "", points=points, required=rule.mileage_at_least, on=on.isoformat()
        )


def application_findings(
    rules: CertificationRules, given: Application, attached: Collection[str]
) -> Iterator[Finding]:
    """Everything that is missing or too much, by JSON Pointer."""
    known = {one.code for one in rules.statements} | {one.code for one in rules.promises}
    for code in (*given.statements, *given.promises):
        if code not in known:
            yield PART_UNKNOWN.at(f"/{code}", part=code)
    for statement in rules.statements:
        text = given.statements.get(statement.code, "").strip()
        at, names = f"/statements/{statement.code}", _names(statement.name)
        if not text:
            yield cited(STATEMENT_MISSING, rules.applicants.rule, statement.citation).at(
                at, **names
            )
        elif len(text) > statement.at_most:
            kind = cited(STATEMENT_LONG, rules.applicants.rule, statement.citation)
            yield kind.at(at, limit=statement.at_most, given=len(text), **names)
    for promise in rules.promises:
        if given.promises.get(promise.code) is not True:
            kind = cited(PROMISE_MISSING, rules.applicants.rule, promise.citation)
            yield kind.at(f"/promises/{promise.code}", **_names(promise.name))
    for paper in rules.attachments:
        if paper.code not in attached:
            kind = cited(ATTACHMENT_MISSING, rules.applicants.rule, paper.citation)
            yield kind.at(f"/attachments/{paper.code}", **_names(paper.name))


def last_day(valid_from: date, years: int) -> date:
    """The last day a certificate is good for: 2024-04-01 and two years give 2026-03-31."""
    return add_months(valid_from, 12 * years) - timedelta(days=1)


def status(valid_from: date, valid_until: date, revoked_on: date | None, on: date) -> Status:
    """What a certificate is on a day; a revocation counts from its own day on."""
    if revoked_on is not None and on >= revoked_on:
        return Status.REVOKED
    if on < valid_from:
        return Status.FUTURE
    return Status.EXPIRED if on > valid_until else Status.VALID


def certificate_number(rules: CertificationRules, year: int, number: int) -> str:
    return f"{rules.number_prefix}-{year}-{number:04}"


def _names(name: Text) -> dict[str, Any]:
    return {"name_ko": name.ko, "name_en": name.en}
