"""JSON of the proposals."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from services.grants.programmes.rules import decimal_text, month_text
from services.grants.proposals.document import Check
from services.grants.proposals.models import Proposal
from services.grants.proposals.rules import Meter, Month, Person, Source
from services.grants.proposals.workbook import Imported
from shared.problems import Lang
from shared.schemas import Body, FindingOut, Schema, Version


class ProposalIn(Body):
    title: Annotated[str, Field(min_length=1, max_length=200)]


class DocumentIn(Body):
    """The whole document, as far as it is written; rates are decimal strings ("33.3")."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    document: dict[str, Any]


class EventOut(Schema):
    action: str
    from_state: str | None
    to_state: str | None
    reason: str | None
    at: datetime


class ProposalOut(Schema):
    id: UUID
    programme_id: UUID
    institution_id: UUID
    institution_name: str
    title: str
    state: str
    version: int
    submissions: int
    submitted_at: datetime | None
    year_no: int
    continues_id: UUID | None


class ProposalDetail(ProposalOut):
    document: dict[str, Any]


class MeterOut(BaseModel):
    """A cap: numerator over denominator, and the most that is allowed, in won."""

    rule: str
    citation: str
    name: str
    pointer: str
    numerator_won: int
    denominator_won: int
    limit_won: int
    percent: str | None
    used_percent: str
    exceeded: bool

    @classmethod
    def of(cls, meter: Meter, lang: Lang) -> "MeterOut":
        return cls(
            rule=meter.rule,
            citation=meter.citation,
            name=meter.name.ko if lang == "ko" else meter.name.en,
            pointer=meter.pointer,
            numerator_won=meter.numerator_won,
            denominator_won=meter.denominator_won,
            limit_won=meter.limit_won,
            percent=meter.percent,
            used_percent=meter.used_percent,
            exceeded=meter.finding is not None or meter.numerator_won > meter.limit_won,
        )


class FundsOut(BaseModel):
    grant: int
    cash: int
    in_kind: int
    private: int
    total: int
    share: str | None = None


class CheckOut(BaseModel):
    """What a check says: `ok` means it could be submitted now."""

    ok: bool
    findings: list[FindingOut]
    totals: FundsOut | None
    items: Mapping[str, FundsOut]
    meters: list[MeterOut]

    @classmethod
    def of(cls, check: Check, lang: Lang) -> "CheckOut":
        sums = check.totals
        return cls(
            ok=not check.errors,
            findings=[FindingOut.model_validate(item.to_dict(lang)) for item in check.findings],
            totals=_funds(sums.whole) if sums else None,
            items={code: _funds(funds, sums.shares[code]) for code, funds in sums.items.items()}
            if sums
            else {},
            meters=[MeterOut.of(meter, lang) for meter in check.meters],
        )


def _funds(funds: Any, share: str | None = None) -> FundsOut:
    return FundsOut(
        grant=funds.grant,
        cash=funds.cash,
        in_kind=funds.in_kind,
        private=funds.private,
        total=funds.total,
        share=share,
    )


class OtherProjectOut(BaseModel):
    """Time given to another project; `declared` in the document, or known here."""

    name: str
    source: Source
    rate: str


class MonthOut(BaseModel):
    """`month` is YYYY-MM; rates are percentages as decimal text."""

    month: str
    here: str
    total: str
    over: bool
    others: list[OtherProjectOut]


class ParticipantOut(BaseModel):
    person: str
    name: str
    researcher_no: str | None
    limit: str
    months: list[MonthOut]

    @classmethod
    def of(cls, person: Person, months: Sequence[Month], limit: Fraction) -> "ParticipantOut":
        return cls(
            person=person.ref,
            name=person.name,
            researcher_no=person.researcher_no,
            limit=decimal_text(limit),
            months=[
                MonthOut(
                    month=month_text(month.month),
                    here=decimal_text(month.here, 6),
                    total=decimal_text(month.total, 6),
                    over=month.total > limit,
                    others=[
                        OtherProjectOut(name=name, source=source, rate=decimal_text(rate, 6))
                        for name, source, rate in month.others
                    ],
                )
                for month in months
            ],
        )


class AttachmentOut(Schema):
    """A file that goes with a proposal; `document` is the code of what the call asks for."""

    id: UUID
    proposal_id: UUID
    document: str
    file_name: str
    media_type: str
    size: int
    sha256: str
    created_at: datetime


class WorkbookOut(BaseModel):
    """What an import comes to: the rows of each sheet, and what the rules remark, with the sheet
    and the cell in `params` where it is about one."""

    version: Version | None
    rows: Mapping[str, int]
    findings: list[FindingOut]

    @classmethod
    def of(cls, made: Imported, lang: Lang, version: int | None = None) -> "WorkbookOut":
        return cls(
            version=version,
            rows=made.rows,
            findings=[FindingOut.model_validate(item.to_dict(lang)) for item in made.findings],
        )


class ReceiptOut(Schema):
    """접수증: a version as it was received, with the files that came with it."""

    proposal_id: UUID
    seq: int
    receipt_number: str
    sha256: str
    submitted_at: datetime
    warnings: list[Any]
    attachments: list[Any]


class SubmittedOut(BaseModel):
    proposal: ProposalOut
    receipt: ReceiptOut

    @classmethod
    def of(cls, proposal: Proposal, receipt: object) -> "SubmittedOut":
        return cls(
            proposal=ProposalOut.model_validate(proposal),
            receipt=ReceiptOut.model_validate(receipt),
        )
