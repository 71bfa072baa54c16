"""Bodies and answers of the review."""

from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import ConfigDict, Field

from services.accrual.applications.posting import Approval
from services.accrual.applications.schemas import CheckOut, RowNumber, State
from shared.problems import Lang
from shared.schemas import Body

Reason = Annotated[str, Field(max_length=2000)]


class CommentIn(Body):
    """`row` and `field` bind the comment to a cell; `row` alone to a row."""

    row: RowNumber | None = None
    field: str | None = Field(default=None, max_length=40)
    text: str = Field(min_length=1, max_length=1000)


class ReturnIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "reason": "협약서의 기간과 명단의 기간이 다릅니다.",
                "comments": [
                    {"row": 3, "field": "end_date", "text": "협약서에는 8월 29일까지입니다."}
                ],
            }
        }
    )

    reason: Reason
    comments: list[CommentIn] = Field(default_factory=list, max_length=1000)


class RejectIn(Body):
    reason: Reason


class RowRejectionIn(Body):
    row: RowNumber
    reason: str = Field(min_length=1, max_length=2000)


class DecisionsIn(Body):
    """Rows to reject, each with its reason, and rejections to take back."""

    reject: list[RowRejectionIn] = Field(default_factory=list, max_length=5000)
    accept: list[RowNumber] = Field(default_factory=list, max_length=5000)


class ApproveIn(Body):
    """`mileage` is the total the reviewer saw; another one now is refused (MILEAGE_CHANGED)."""

    mileage: int | None = Field(default=None, ge=0, le=10**15)


class RevokeIn(Body):
    reason: Reason


class DecidedOut(CheckOut):
    """The summary without the rejected rows, and the new version."""

    version: int

    @classmethod
    def of(cls, version: int, verdict: Any, lang: Lang) -> Self:
        return cls(version=version, **cls.parts(verdict, lang))


class ApprovalOut(CheckOut):
    """The same body for the preview and the approval.

    Each company receives its `mileage`, the university their sum (M-019). `second_approval` says
    that another reviewer must approve as well before anything is posted.
    """

    id: UUID
    number: str
    state: State
    university_mileage: int
    second_approval: bool

    @classmethod
    def of(cls, approval: Approval, lang: Lang) -> Self:
        return cls.model_validate(
            {
                "id": approval.application.id,
                "number": approval.application.number,
                "state": approval.state,
                "university_mileage": approval.verdict.checked.assessment.total,
                "second_approval": approval.second_approval,
                **cls.parts(approval.verdict, lang),
            }
        )
