"""JSON of the settlement."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.grants.expenses.schemas import FundsWonOut, SpentWon, Won
from shared.schemas import Body, Day, Schema

Note = Annotated[str, Field(min_length=1, max_length=4000)]


class FundsIn(Body):
    grant: Won = 0
    cash: Won = 0
    in_kind: Won = 0


class AccountIn(Body):
    """How the money was kept (G-043): `documents` by their codes, where it had no own account."""

    separate: bool
    interest_tracked: bool
    documents: Annotated[list[str], Field(max_length=20)] = Field(default_factory=list)


class UsageReportIn(Body):
    """사용실적보고. What is left out of `account` and `budget` (won by item) is not checked, and
    the settlement says so."""

    received_grant_won: Won
    interest_won: Won
    account: AccountIn | None = None
    budget: Annotated[dict[str, FundsIn], Field(max_length=200)] | None = None


class RefundIn(Body):
    """A payment of what is due, or of a part of it; `paid_on` is today where it is left out."""

    returned_won: Won
    reference: Annotated[str, Field(min_length=1, max_length=100)]
    paid_on: Day | None = None


class RefundPaymentOut(Schema):
    seq: int
    won: int
    paid_on: date
    reference: str
    recorded_at: datetime


class RefundOut(Schema):
    """반납 현황: `due_won` by the final run, what came of it, and what is left."""

    due_won: int
    returned_won: int
    left_won: int
    payments: list[RefundPaymentOut]


class DisallowIn(Body):
    kind: Literal["disallow"]
    ground: Annotated[int, Field(ge=1, le=7)]
    won: SpentWon
    reason: Note


class WaiveIn(Body):
    kind: Literal["waive"]
    rule: Annotated[str, Field(min_length=1, max_length=20)]
    code: Annotated[str, Field(min_length=1, max_length=60)]
    reason: Note


class AskIn(Body):
    """Ask for a supplement: the expense goes back to the institution."""

    kind: Literal["ask"]
    reason: Note


class DecisionOut(Schema):
    """`effective`: it counts in the next run."""

    id: UUID
    expense_id: UUID
    kind: str
    ground: int | None
    won: int | None
    rule: str | None
    code: str | None
    reason: str
    proposed_by: str
    proposed_at: datetime
    confirmed_by: str | None
    confirmed_at: datetime | None
    withdrawn_at: datetime | None


class ObjectionIn(Body):
    text: Note


class AnswerIn(Body):
    outcome: Literal["accepted", "partly_accepted", "refused"]
    answer: Note


class ObjectionOut(Schema):
    id: UUID
    expense_id: UUID
    text: str
    made_at: datetime
    outcome: str | None
    answer: str | None
    answered_at: datetime | None


class DisallowanceOut(BaseModel):
    """Won of an expense that fall, on exactly one ground (G-048)."""

    expense_id: str
    won: int
    ground: int
    rule: str
    citation: str
    code: str
    message_ko: str
    message_en: str


class ItemLineOut(BaseModel):
    item: str
    name: str
    planned: FundsWonOut
    spent: FundsWonOut
    disallowed: FundsWonOut


class StatementOut(BaseModel):
    """What goes back to the agency (G-049); `interest_share` is an exact fraction as text."""

    unspent_won: int
    carried_over_won: int = 0  # runs before carry-over was known have none
    disallowed_won: int
    interest_share: str
    return_won: int
    cash_shortfall_won: int
    in_kind_shortfall_won: int


class SettlementOut(BaseModel):
    """The outcome of a run; a preview has the same shape and is not kept."""

    spent: FundsWonOut
    disallowed: FundsWonOut
    by_ground: dict[int, int]
    items: list[ItemLineOut]
    disallowances: list[DisallowanceOut]
    statement: StatementOut
    unchecked: list[str] = Field(
        default_factory=list, description="답하지 않아 중복 여부를 확인하지 못한 서비스"
    )
    findings: list[dict[str, Any]]


class RunOut(Schema):
    agreement_id: UUID
    seq: int
    plan_version: int
    rule_set_sha256: str
    rules_sha256: str | None
    created_at: datetime
    result: SettlementOut


class ReplayOut(BaseModel):
    """Whether what a run kept leads to its result again, under the rule set it went by, and
    whether by the rules' code of then. `same_code` is null for runs that did not note theirs; where
    it is false, a difference of the result may come from the code."""

    seq: int
    same_result: bool
    same_rule_set: bool
    same_code: bool | None


class RunSummary(Schema):
    seq: int
    plan_version: int
    created_by: str
    created_at: datetime


class ChangeOut(Schema):
    """Won of an expense that a rule took in the earlier and in the later run."""

    expense_id: str
    rule: str
    code: str
    ground: int
    before_won: int
    after_won: int


class ComparisonOut(Schema):
    came: list[ChangeOut]
    went: list[ChangeOut]
    changed: list[ChangeOut]
    disallowed_before_won: int
    disallowed_after_won: int
    return_before_won: int
    return_after_won: int
