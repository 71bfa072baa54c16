"""The call part of a rule set: who may apply, until when, with what, and what a year must do."""

from collections.abc import Mapping
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
class RecordField:
    """A field of a record. `people` are references of students, `choice` one of `options`."""

    code: str
    name: Text
    type: Literal["text", "number", "day", "flag", "choice", "people"] = "text"
    options: tuple[str, ...] = ()
    required: bool = True


@dataclass(frozen=True, slots=True)
class RecordKind:
    """Something an institution keeps record of during a year, and whether it proves it by file."""

    code: str
    name: Text
    fields: tuple[RecordField, ...]
    citation: str
    evidence: bool = True


@dataclass(frozen=True, slots=True)
class Counter:
    """How records become a number: of the year for a duty, of a student for the certificate.

    A record counts with every flag of `flags` set, every field of `at_least` reaching its number,
    every field of `among` being one of the options, and, for a student, a record of one of the
    kinds `joined` naming them. `measure` counts them, sums their field `of`, or takes the least.
    The counter of a duty, or of a condition of the certificate, has its code.
    """

    code: str
    name: Text
    record: str
    rule: str
    citation: str
    measure: Literal["records", "sum", "least"] = "records"
    of: str | None = None
    flags: frozenset[str] = frozenset()
    at_least: Mapping[str, int] = field(default_factory=dict)
    among: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    joined: frozenset[str] = frozenset()


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
    records: tuple[RecordKind, ...] = ()
    counters: tuple[Counter, ...] = ()
