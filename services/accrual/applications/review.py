"""The operator's side: queue, claim, decide rows, return, reject.

Approval and posting are in `posting.py`. The reviewer is never the submitter (M-018); a reviewer
holds an application while working on it, so that two do not decide the same one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.accrual.applications import access, audit
from services.accrual.applications.bounds import bounded
from services.accrual.applications.checks import Verdict, duplicates, judge, store_summary
from services.accrual.applications.columns import COLUMNS
from services.accrual.applications.errors import (
    COLUMN_KEY_UNKNOWN,
    ROW_UNKNOWN,
    ClaimedByOther,
)
from services.accrual.applications.listing import letter
from services.accrual.applications.models import (
    Application,
    ApplicationComment,
    ApplicationRow,
    Claim,
)
from services.accrual.applications.moves import conflict, move
from services.accrual.applications.submission import release_claims
from services.accrual.errors import ReasonRequired, SelfReview
from shared.paging import PageRequest, paginate
from shared.problems import Finding, Invalid, NotFound
from shared.tokens import Claims

STALE_HOURS = 24
QUEUED = ("submitted", "in_review", "approved")


@dataclass(frozen=True, slots=True)
class Comment:
    """A request for correction: of a cell, of a row, or of the whole application."""

    text: str
    row: int | None = None
    field: str | None = None


async def queue(
    session: AsyncSession, claims: Claims, page: PageRequest, *, mine: bool
) -> tuple[Sequence[tuple[Application, UUID | None]], str | None, int]:
    """What waits for the operator, the longest waiting first, each with its official letter."""
    query: Any = select(Application, letter()).where(
        access.visible_to(claims), Application.state.in_(QUEUED)
    )
    if mine:
        query = query.where(Application.claimed_by == claims.sub)
    return await paginate(
        session,
        query,
        keys=[Application.submitted_at, Application.id],
        page=page,
        descending=False,
    )


async def claim(
    session: AsyncSession, claims: Claims, application_id: UUID, *, now: datetime
) -> Application:
    """Take an application for review. Claiming one's own again changes nothing.

    Raises `SelfReview`, `ClaimedByOther`, `StateConflict`, `NotFound`.
    """
    application = await access.find(session, claims, application_id, lock=True)
    _not_own(claims, application)
    if application.state == "in_review":
        if application.claimed_by != claims.sub:
            raise ClaimedByOther
        return application
    return await _take(session, claims, application, now)


async def claim_next(session: AsyncSession, claims: Claims, *, now: datetime) -> Application:
    """The longest waiting application the caller may review. Raises `NotFound` when none waits.

    Reviewers who ask at once get different ones.
    """
    application = await session.scalar(
        select(Application)
        .where(
            access.visible_to(claims),
            Application.state == "submitted",
            Application.submitted_by != claims.sub,
        )
        .order_by(Application.submitted_at, Application.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if application is None:
        raise NotFound
    return await _take(session, claims, application, now)


async def release(session: AsyncSession, claims: Claims, application_id: UUID) -> Application:
    application = await held(session, claims, application_id, action="release")
    await _let_go(session, claims, application)
    return application


async def release_stale(session: AsyncSession, *, now: datetime) -> int:
    """Put back what reviewers took and left lying; how many."""
    stale = await session.scalars(
        select(Application)
        .where(
            Application.state == "in_review",
            Application.claimed_at < now - timedelta(hours=STALE_HOURS),
        )
        .with_for_update(skip_locked=True)
    )
    count = 0
    for application in stale:
        await _let_go(session, audit.SYSTEM, application, reason="stale")
        count += 1
    return count


async def decide_rows(
    session: AsyncSession,
    claims: Claims,
    application_id: UUID,
    *,
    reject: Mapping[int, str],
    accept: Collection[int],
    max_rows: int,
) -> tuple[Application, Verdict]:
    """Reject rows with a reason each, or take a rejection back; the mileage follows.

    Raises `Invalid` (ROW_UNKNOWN, or DUPLICATE_CLAIM where another application claimed a row
    after it was rejected), `ClaimedByOther`, `StateConflict`.
    """
    application = await held(session, claims, application_id, action="approve")
    if application.state != "in_review":  # a first approval stands for the rows it saw
        raise conflict(application.state)
    known = set(
        await session.scalars(select(Claim.number).where(Claim.application_id == application_id))
    )
    unknown = sorted({*reject, *accept} - known)
    if unknown:
        wrong = [ROW_UNKNOWN.at("/rows", row=number) for number in unknown]
        raise Invalid(errors=bounded(wrong), total=len(wrong))
    await _accept_rows(session, application, sorted(accept))
    if reject:
        await session.execute(
            _REJECT_ROWS,
            {
                "application_id": application_id,
                "numbers": list(reject),
                "reasons": list(reject.values()),
                "by": claims.sub,
            },
        )
    application.version += 1
    audit.record(
        session,
        claims,
        application_id,
        "decide",
        rejected={str(number): reason for number, reason in reject.items()},
        accepted=sorted(accept),
    )
    verdict = await recompute(session, application, max_rows=max_rows)
    return application, verdict


async def recompute(
    session: AsyncSession,
    application: Application,
    *,
    max_rows: int,
    lock_contracts: bool = False,
    keep: bool = True,
) -> Verdict:
    """Check and score again without the rejected rows, and keep the totals (M-018)."""
    assert application.applied_on is not None  # it was submitted
    rejected = await session.scalars(
        select(Claim.number).where(
            Claim.application_id == application.id, Claim.rejected_reason.is_not(None)
        )
    )
    verdict = await judge(
        session,
        application,
        today=application.applied_on,
        max_rows=max_rows,
        without=list(rejected),
        lock_contracts=lock_contracts,
    )
    if keep:
        await store_summary(session, application, verdict.checked)
    return verdict


async def return_(
    session: AsyncSession,
    claims: Claims,
    application_id: UUID,
    *,
    reason: str,
    comments: Sequence[Comment],
) -> Application:
    """Ask for corrections. The claims stay taken: the application is still alive."""
    application = await held(session, claims, application_id, action="return")
    if not reason.strip():
        raise ReasonRequired
    await _check_places(session, application, comments)
    if comments:
        await session.execute(
            insert(ApplicationComment),
            [
                {
                    "application_id": application_id,
                    "row": comment.row,
                    "field": comment.field,
                    "text": comment.text,
                    "by": claims.sub,
                }
                for comment in comments
            ],
        )
    application.reason = reason
    _unassign(application)
    await audit.apply_move(
        session, claims, application, "return", reason=reason, comments=len(comments)
    )
    return application


async def reject(
    session: AsyncSession, claims: Claims, application_id: UUID, *, reason: str
) -> Application:
    application = await held(session, claims, application_id, action="reject")
    if not reason.strip():
        raise ReasonRequired
    application.reason = reason
    await release_claims(session, application)
    await audit.apply_move(session, claims, application, "reject", reason=reason)
    return application


async def held(
    session: AsyncSession, claims: Claims, application_id: UUID, *, action: str
) -> Application:
    """The locked application, if the caller may take this action on it now.

    While in review it is the claimer's; once approved it waits for anyone else's second look.
    Raises `SelfReview`, `ClaimedByOther`, `StateConflict`, `NotFound`.
    """
    application = await access.find(session, claims, application_id, lock=True)
    _not_own(claims, application)
    if application.state == "approved" and action == "approve":
        return application
    move(application.state, action)
    if application.state == "in_review" and application.claimed_by != claims.sub:
        raise ClaimedByOther
    return application


def _not_own(claims: Claims, application: Application) -> None:
    if claims.sub in {application.submitted_by, application.created_by}:
        raise SelfReview


async def _take(
    session: AsyncSession, claims: Claims, application: Application, now: datetime
) -> Application:
    # The constraint wants a claimer before the state says in_review: set it first.
    move(application.state, "claim")
    application.claimed_by = claims.sub
    application.claimed_at = now
    await audit.apply_move(session, claims, application, "claim")
    return application


async def _let_go(
    session: AsyncSession, claims: Claims, application: Application, **details: str
) -> None:
    await audit.apply_move(session, claims, application, "release", **details)
    _unassign(application)


def _unassign(application: Application) -> None:
    application.claimed_by = None
    application.claimed_at = None
    application.approved_by = None
    application.approved_at = None


_REJECT_ROWS = text(
    """
    UPDATE claim SET live = false, rejected_reason = given.reason, rejected_by = :by
    FROM unnest(CAST(:numbers AS int[]), CAST(:reasons AS text[])) AS given (number, reason)
    WHERE claim.application_id = :application_id AND claim.number = given.number
    """
)


async def _accept_rows(
    session: AsyncSession, application: Application, numbers: Sequence[int]
) -> None:
    """Take the claims again; someone else may hold them by now (M-020)."""
    if not numbers:
        return
    of_rows = (Claim.application_id == application.id, Claim.number.in_(numbers))
    other = aliased(Claim)
    taken = await session.execute(
        select(Claim.number, Application.number)
        .join(
            other, (other.key == Claim.key) & other.live & (other.application_id != application.id)
        )
        .join(Application, Application.id == other.application_id)
        .where(*of_rows)
    )
    lost = dict(taken.all())
    if lost:
        raise Invalid(errors=bounded(duplicates(lost)), total=len(lost))
    try:
        async with session.begin_nested():
            await session.execute(
                update(Claim)
                .where(*of_rows)
                .values(live=True, rejected_reason=None, rejected_by=None)
            )
    except IntegrityError as error:  # taken since we looked
        raise Invalid(errors=duplicates({numbers[0]: None})) from error


async def _check_places(
    session: AsyncSession, application: Application, comments: Sequence[Comment]
) -> None:
    """Raises `Invalid` for a comment on a row or column that is not there."""
    wanted = {comment.row for comment in comments if comment.row is not None}
    known = set(
        await session.scalars(
            select(ApplicationRow.number).where(
                ApplicationRow.application_id == application.id, ApplicationRow.number.in_(wanted)
            )
        )
    )
    columns = {column.key for column in COLUMNS[application.field]}
    wrong: list[Finding] = []
    for position, comment in enumerate(comments):
        if comment.row is not None and comment.row not in known:
            wrong.append(ROW_UNKNOWN.at(f"/comments/{position}/row", row=comment.row))
        if comment.field is not None and comment.field not in columns:
            wrong.append(COLUMN_KEY_UNKNOWN.at(f"/comments/{position}/field", field=comment.field))
    if wrong:
        raise Invalid(errors=wrong)
