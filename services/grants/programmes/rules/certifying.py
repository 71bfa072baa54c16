"""The rules of a certification of excellent institutions (M-061): who may apply, with what, how it
is judged, and how long a certificate is good for. The dates are those of the programme."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal

from services.grants.errors import RULE_SET_SHAPE, RuleSetInvalid
from services.grants.programmes.reading import decode, read
from services.grants.programmes.rules.scoring import Evaluation, sheet_findings
from services.grants.programmes.rules.terms import Text
from shared.problems import Finding


@dataclass(frozen=True, slots=True)
class Applicants:
    """Kinds of institution that may not apply, and the mileage they must have posted by the end
    of the closing day."""

    rule: str
    citation: str
    excluded_kinds: frozenset[str]
    mileage_at_least: int = 1


@dataclass(frozen=True, slots=True)
class Statement:
    """A text an applicant writes, of at most so many characters."""

    code: str
    name: Text
    at_most: int
    citation: str


@dataclass(frozen=True, slots=True)
class Promise:
    """Something an applicant must affirm: no sanction under labour or safety law."""

    code: str
    name: Text
    citation: str


@dataclass(frozen=True, slots=True)
class Attachment:
    code: str
    name: Text
    citation: str


@dataclass(frozen=True, slots=True)
class Validity:
    rule: str
    years: int
    citation: str


@dataclass(frozen=True, eq=False)
class CertificationRules:
    """One version of a certification's rules. Not slotted: the look-ups below are kept once made.

    `number_prefix` begins the numbers of its certificates.
    """

    kind: Literal["certification"]
    code: str
    version: int
    valid_from: date
    name: Text
    authority: Text
    sources: Mapping[str, Text]
    applicants: Applicants
    statements: tuple[Statement, ...]
    promises: tuple[Promise, ...]
    attachments: tuple[Attachment, ...]
    validity: Validity
    number_prefix: str
    evaluation: Evaluation

    @cached_property
    def duty_names(self) -> Mapping[str, Text]:
        return {}


def is_certification(text: str | bytes) -> bool:
    """Whether a rule set's text says it is one of these."""
    body = decode(text)
    return isinstance(body, dict) and body.get("kind") == "certification"


def parse_certification(text: str | bytes) -> CertificationRules:
    """From JSON text; `RuleSetInvalid` lists everything wrong with it by pointer."""
    rules = read(CertificationRules, decode(text))
    if findings := list(_inconsistencies(rules)):
        raise RuleSetInvalid(errors=findings)
    return rules


def _inconsistencies(rules: CertificationRules) -> Iterator[Finding]:
    yield from sheet_findings(rules.evaluation)
    if not 1 <= rules.validity.years <= 20:
        yield RULE_SET_SHAPE.at("/validity/years", problem="between 1 and 20")
    for name in ("statements", "promises", "attachments"):
        codes = [part.code for part in getattr(rules, name)]
        for code in sorted({code for code in codes if codes.count(code) > 1}):
            yield RULE_SET_SHAPE.at(f"/{name}", problem=f"{code} given twice")
