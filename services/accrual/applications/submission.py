"""From draft to submitted: the preview, the submission, the cancellation.

The preview runs the same checks and answers with the same body; the submission alone gets a
number, and takes the claims under a unique index, so that of two applicants at once one wins.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.applications import access, audit
from services.accrual.applications.bounds import bounded
from services.accrual.applications.checks import (
    Verdict,
    duplicates,
    judge,
    live_keys,
    store_summary,
)
from services.accrual.applications.models import (
    Application,
    ApplicationComment,
    Claim,
    NumberCounter,
)
from services.accrual.applications.moves import EDITABLE, conflict, move
from services.accrual.applications.rows import Row
from shared.clock import seoul_day
from shared.jobs import enqueue
from shared.problems import Invalid
from shared.tokens import Claims

CLAIMS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Submission:
    """An application and what the checks say of it; the same for preview and submission."""

    application: Application
    verdict: Verdict
    applied_on: date


async def preview(
    session: AsyncSession, claims: Claims, application_id: UUID, *, now: datetime, max_rows: int
) -> Submission:
    """What `submit` would do now, with errors among the findings. Changes nothing."""
    application = await access.find(session, claims, application_id)
    if application.state not in EDITABLE:
        raise conflict(application.state)
    today = seoul_day(now)
    verdict = await judge(session, application, today=today, max_rows=max_rows)
    return Submission(application, verdict, application.applied_on or today)


async def submit(
    session: AsyncSession, claims: Claims, application_id: UUID, *, now: datetime, max_rows: int
) -> Submission:
    """Hand the application in. Raises `Invalid` with every finding, `StateConflict`, `NotFound`."""
    application = await access.find(session, claims, application_id, lock=True)
    move(application.state, "submit")
    verdict = await judge(session, application, today=seoul_day(now), max_rows=max_rows)
    if not verdict.is_valid:
        raise Invalid(errors=bounded(verdict.findings), total=len(verdict.findings))
    first_time = application.number is None
    application.applied_on = application.applied_on or seoul_day(now)
    application.submitted_at = application.submitted_at or now
    application.submitted_by = claims.sub
    application.criteria_version = verdict.rule.version
    application.reason = None
    await store_summary(session, application, verdict.checked)
    await _take_claims(session, application, verdict)
    await session.execute(
        update(ApplicationComment)
        .where(
            ApplicationComment.application_id == application.id,
            ApplicationComment.resolved_at.is_(None),
        )
        .values(resolved_at=now)
    )
    if first_time:  # last, since the year's counter stays locked until the commit
        application.number = await _next_number(session, application, application.applied_on)
    await audit.apply_move(
        session,
        claims,
        application,
        "submit",
        number=application.number,
        rows=application.row_count,
        mileage=application.mileage,
    )
    await enqueue(session, "applications.names", application_id=str(application.id))
    return Submission(application, verdict, application.applied_on)


async def cancel(
    session: AsyncSession, claims: Claims, application_id: UUID, *, reason: str | None
) -> Application:
    """Withdraw before the review starts, or while it is returned (M-018)."""
    application = await access.find(session, claims, application_id, lock=True)
    await audit.apply_move(session, claims, application, "cancel", reason=reason)
    await release_claims(session, application)
    return application


async def release_claims(session: AsyncSession, application: Application) -> None:
    """Let others claim what this application no longer does."""
    await session.execute(
        update(Claim).where(Claim.application_id == application.id, Claim.live).values(live=False)
    )


async def _take_claims(session: AsyncSession, application: Application, verdict: Verdict) -> None:
    """Write the claims; raises `Invalid` for those another application took meanwhile (M-020)."""
    await session.execute(delete(Claim).where(Claim.application_id == application.id))
    # In the order of the keys, so that two submissions wait for each other but never in a circle.
    rows = verdict.checked.rows
    keyed = sorted(zip(live_keys(application, rows), rows, strict=True))
    taken: dict[int, str | None] = {}
    for start in range(0, len(keyed), CLAIMS_AT_ONCE):
        batch = keyed[start : start + CLAIMS_AT_ONCE]
        written = await _insert_claims(session, application, batch)
        lost = {key: row for key, row in batch if row.number not in written}
        taken |= await _holders(session, lost)
    if taken:
        raise Invalid(errors=bounded(duplicates(taken)), total=len(taken))


async def _insert_claims(
    session: AsyncSession, application: Application, batch: Sequence[tuple[bytes, Row]]
) -> set[int]:
    rows = [row for _, row in batch]
    written = await session.scalars(
        _INSERT_CLAIMS,
        {
            "application_id": application.id,
            "numbers": [row.number for row in rows],
            "brns": [row.brn for row in rows],
            "contracts": [row.contract for row in rows],
            "quantities": [row.quantity for row in rows],
            "deposits": [row.deposited_won for row in rows],
            "days": [row.reference_on for row in rows],
            "keys": [key for key, _ in batch],
        },
    )
    return set(written)


_INSERT_CLAIMS = text(
    """
    INSERT INTO claim (application_id, number, brn, contract, quantity, deposited_won,
                       reference_on, key, live)
    SELECT CAST(:application_id AS uuid), given.*, true
    FROM unnest(CAST(:numbers AS int[]), CAST(:brns AS text[]), CAST(:contracts AS text[]),
                CAST(:quantities AS bigint[]), CAST(:deposits AS bigint[]),
                CAST(:days AS date[]), CAST(:keys AS bytea[])) AS given
    ON CONFLICT (key) WHERE live DO NOTHING
    RETURNING number
    """
)


async def _holders(session: AsyncSession, lost: dict[bytes, Row]) -> dict[int, str | None]:
    """The numbers of the applications that hold these keys, by our row number."""
    if not lost:
        return {}
    found = await session.execute(
        select(Claim.key, Application.number)
        .join(Application, Application.id == Claim.application_id)
        .where(Claim.live, Claim.key.in_(lost))
    )
    numbers = {bytes(key): number for key, number in found}
    return {row.number: numbers.get(key) for key, row in lost.items()}


async def _next_number(session: AsyncSession, application: Application, day: date) -> str:
    """`YY-seq`, without gaps in a year: the counter's row stays locked until we commit (M-017)."""
    series = "test" if application.test_mode else "live"
    statement = insert(NumberCounter).values(series=series, year=day.year, last=1)
    seq = await session.scalar(
        statement.on_conflict_do_update(
            index_elements=["series", "year"], set_={"last": NumberCounter.last + 1}
        ).returning(NumberCounter.last)
    )
    return f"{'T' if application.test_mode else ''}{day:%y}-{seq}"
