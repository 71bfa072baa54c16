"""JSON of the expenses."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from services.grants.expenses.bulk import Import
from services.grants.expenses.rules import MAX_WON, ExpenseCheck
from services.grants.proposals.schemas import MeterOut
from shared.problems import Lang
from shared.schemas import Body, FindingOut, Schema

Code = Annotated[str, Field(min_length=1, max_length=40)]
Won = Annotated[int, Field(ge=0, le=MAX_WON)]
SpentWon = Annotated[int, Field(gt=0, le=MAX_WON)]


class ExpenseIn(Body):
    """An expense, spent or about to be. `details` is what the rules of its kind look at: `work`,
    `trip`, `goods`, `facts`, `person`, `payee`, `heads`, `line`, `event`, `deposit`; decimals as
    text."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "kind": "meeting",
                "fund": "grant",
                "amount_won": 310_000,
                "vat_won": 28_181,
                "purpose": "교육위원회 회의",
                "payee_name": "가람식당",
                "payee_brn": "9998100015",
                "obligated_on": "2020-06-10",
                "paid_on": "2020-06-10",
                "details": {"event": "2020-06-10 교육위원회"},
            }
        }
    )

    kind: Code
    fund: Literal["grant", "cash", "in_kind"]
    amount_won: SpentWon
    vat_won: Won = 0
    purpose: Annotated[str, Field(min_length=1, max_length=500)]
    payee_name: Annotated[str, Field(min_length=1, max_length=200)]
    payee_brn: Annotated[str | None, Field(pattern=r"^[0-9]{10}$")] = None
    payee_account: Annotated[str | None, Field(max_length=60)] = None
    obligated_on: date | None = None
    paid_on: date | None = None
    details: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _vat_is_part_of_the_amount(self) -> "ExpenseIn":
        if self.vat_won > self.amount_won:
            raise ValueError("vat_won must not exceed amount_won")
        return self


class EvidenceIn(Body):
    """A document named before it is uploaded, for the check before spending."""

    kind: Code
    amount_won: Won | None = None
    number: Annotated[str | None, Field(max_length=100)] = None
    used_at: AwareDatetime | None = None


class PreCheckIn(ExpenseIn):
    """What would be spent, with the documents there will be."""

    evidence: Annotated[list[EvidenceIn], Field(max_length=50)] = Field(default_factory=list)


class ExpenseCheckOut(BaseModel):
    """What the rules say: findings with won, ground and citation, and what would be recognised."""

    ok: bool
    amount_won: int
    recognisable_won: int
    findings: list[FindingOut]

    @classmethod
    def of(cls, check: ExpenseCheck, lang: Lang) -> "ExpenseCheckOut":
        return cls(
            ok=check.ok,
            amount_won=check.expense.amount_won,
            recognisable_won=check.recognisable_won,
            findings=[FindingOut.model_validate(item.to_dict(lang)) for item in check.findings],
        )


class EvidenceOut(Schema):
    id: UUID
    kind: str
    amount_won: int | None
    number: str | None
    used_at: datetime | None
    file_name: str
    media_type: str
    size: int
    sha256: str
    created_at: datetime


class ExpenseOut(Schema):
    id: UUID
    agreement_id: UUID
    number: int
    state: str
    version: int
    kind: str
    fund: str
    amount_won: int
    vat_won: int
    purpose: str
    payee_name: str
    payee_brn: str | None
    payee_account: str | None
    obligated_on: date | None
    paid_on: date | None
    details: dict[str, Any]


class ExpenseVersionOut(Schema):
    """What an expense said from this version on."""

    version: int
    document: dict[str, Any]
    changed_by: str
    changed_at: datetime


class ExpenseDetail(BaseModel):
    """`project_month` counts from the year's first month; null outside of the year."""

    expense: ExpenseOut
    project_month: int | None
    evidence: list[EvidenceOut]
    check: ExpenseCheckOut


class FundsWonOut(Schema):
    grant: int
    cash: int
    in_kind: int


class ImportOut(BaseModel):
    """A sheet's rows as entered, or as they would be: the numbers they get, their won by source,
    and what the rules remark by row. A sheet with errors is refused with all of them."""

    rows: int
    first: int
    last: int
    won: FundsWonOut
    findings: list[FindingOut]

    @classmethod
    def of(cls, made: Import, lang: Lang) -> "ImportOut":
        return cls(
            rows=made.rows,
            first=made.first,
            last=made.last,
            won=FundsWonOut.model_validate(made.won),
            findings=[FindingOut.model_validate(item.to_dict(lang)) for item in made.findings],
        )


class MetersOut(BaseModel):
    items: list[MeterOut]
