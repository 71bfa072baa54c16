"""The call part of a rule set: who may apply, until when, with what, and what a year must do."""

from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import Literal

from services.grants.programmes.rules.terms import Period, Selector, Text


@dataclass(frozen=True, slots=True)
class Field:
    code: str
    name: Text
    topics: Text


@dataclass(frozen=True, slots=True)
class Receipt:
    """When proposals are received; what counts is arrival, by the server's clock (G-004)."""

    rule: str
    opens_at: datetime
    closes_at: datetime
    citation: str


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Who may apply (G-002, G-003). `companies_usual` is the range that needs no explanation."""

    rule: str
    citation: str
    graduate_schools_at_least: int
    companies_at_least: int
    companies_usual_from: int
    companies_usual_to: int
    companies_citation: str
    incumbent_needs_other_university: bool
    incumbent_citation: str
    exclusion_rule: str
    exclusion_citation: str


@dataclass(frozen=True, slots=True)
class RequiredDocument:
    """A document of the package and its copies; `when` limits it to plans with such lines.

    One that is not `required` may be handed in, and nothing waits for it.
    """

    code: str
    name: Text
    copies: int
    citation: str
    when: Selector | None = None
    required: bool = True


@dataclass(frozen=True, slots=True)
class Duty:
    """Something a year must reach at least (G-006)."""

    code: str
    name: Text
    at_least: int
    citation: str


@dataclass(frozen=True, slots=True)
class Completion:
    """Who earns the programme's certificate (G-007): one of `any_of`, and all of `at_least`."""

    rule: str
    name: Text
    any_of: tuple[str, ...]
    at_least: tuple[Duty, ...]
    citation: str


@dataclass(frozen=True, slots=True)
class TextLength:
    """A usual length of a text or list of the form; `tolerance_percent` off it warns (G-010)."""

    code: str
    name: Text
    usual: int
    tolerance_percent: Fraction
    unit: Literal["characters", "words"]
    citation: str


@dataclass(frozen=True, slots=True)
class Call:
    notice_on: date
    citation: str
    fields: tuple[Field, ...]
    receipt: Receipt
    awards: int
    programme: Period
    years: tuple[Period, ...]
    years_citation: str
    stage_evaluation_after_year: int
    eligibility: Eligibility
    documents_rule: str
    documents: tuple[RequiredDocument, ...]
    pledge_rule: str
    pledge_citation: str
    agreement_documents_rule: str
    agreement_documents: tuple[RequiredDocument, ...]
    duties_rule: str
    duties: tuple[Duty, ...]
    completion: Completion
    text_lengths_rule: str = ""
    text_lengths: tuple[TextLength, ...] = field(default=())
