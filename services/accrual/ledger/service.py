"""Use cases of the ledger, for the routes and for the other capabilities of this service.

All of them work inside the caller's transaction, so an approval and what it posts are one. A
refusal is a `Problem`, and it has ended that transaction: nothing of it can be committed.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

import orjson
from sqlalchemy import exists, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.accrual.ledger import errors, rules
from services.accrual.ledger.models import (
    Account,
    HoldEnding,
    HoldExpiry,
    Transfer,
    TransferReversal,
)
from services.accrual.ledger.rules import Balance, Kind, NewReversal, NewTransfer, State
from shared.clock import utc_now
from shared.problems import Invalid, Problem

REFUSED: Final = "MLGED"  # the SQLSTATE of the database functions' refusals

_POST_PLAIN = text(
    "SELECT post_transfer(:id, :kind, :debit_account, :credit_account, :amount,"
    " CAST(:effective_at AS timestamptz), CAST(:field AS text), CAST(:title AS text),"
    " CAST(:reference AS text), CAST(:origin_id AS uuid), CAST(:metadata AS jsonb))::integer"
)
_PLAIN: Final = (
    *("id", "kind", "debit_account", "credit_account", "amount", "effective_at"),
    *("field", "title", "reference", "origin_id", "metadata"),
)
_POST_MANY = text(
    "SELECT post_transfers(array_agg(request)) FROM jsonb_populate_recordset("
    "NULL::transfer_request, CAST(:requests AS jsonb)) AS request"
)
_BALANCE_AS_OF = text("""
    WITH known AS MATERIALIZED (SELECT version_at(:account, :instant) AS version)
    SELECT coalesce((SELECT e.balance FROM entry AS e
            WHERE e.account_id = :account AND e.version = known.version), 0)
        + coalesce((SELECT sum(e.amount)
            FROM entry_dated_back AS later JOIN entry AS e USING (account_id, version)
            WHERE later.account_id = :account AND later.version > known.version
                AND e.effective_at <= :instant), 0)
    FROM known
""")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A transfer as it stands. A hold is `pending` until another transfer ended it."""

    transfer: Transfer
    state: str
    ended_by: UUID | None
    posted: int | None
    reversed: int


async def post_transfers(session: AsyncSession, transfers: Sequence[NewTransfer]) -> int:
    """Post all of these, or none; how many are new, since the same id with the same content is
    a replay and does nothing. At most `rules.MAX_BATCH` at once keep locks short; more are allowed.

    Raises `Invalid`, `Insufficient` (the first transfer that overdraws, in the given order),
    `TransferConflict`, and for transfers that end or undo others `HoldEnded`, `HoldExpired`,
    `ExceedsHold`, `ReversedAlready`.
    """
    if not transfers:
        return 0
    findings = list(rules.findings_of(transfers, now=utc_now()))
    if findings:
        raise Invalid(errors=findings)
    try:
        if len(transfers) == 1 and rules.is_plain(transfers[0]):
            fresh = await session.scalar(_POST_PLAIN, _values(transfers[0]))
        else:
            requests = orjson.dumps(transfers).decode()
            fresh = await session.scalar(_POST_MANY, {"requests": requests})
    except DBAPIError as error:
        raise _refusal(error) from error
    return int(fresh or 0)


async def hold(session: AsyncSession, wanted: NewTransfer) -> bool:
    """Reserve points: they stay in the balance but are no longer available. Whether it is new.

    Raises `Insufficient`, `HoldVoided` (it was voided before it arrived), `TransferConflict`.
    """
    return await post_transfers(session, [replace(wanted, state=State.PENDING)]) == 1


async def post_hold(session: AsyncSession, *, id: UUID, hold_id: UUID, amount: int) -> bool:  # noqa: A002  # the contract's word
    """Move `amount` of the held points; the rest is released. Whether it is new.

    Raises `TransferNotFound`, `HoldVoided`, `HoldEnded`, `HoldExpired`, `ExceedsHold`.
    """
    held = await _hold(session, hold_id)
    if held.kind == Kind.TOMBSTONE:
        raise errors.HoldVoided(transfer_id=str(hold_id))
    ending = _ending(held, id=id, state=State.POSTED, amount=amount)
    return await post_transfers(session, [ending]) == 1


async def void_hold(session: AsyncSession, *, id: UUID, hold_id: UUID) -> bool:  # noqa: A002  # the contract's word
    """Release all of the held points. Whether it is new.

    A hold that never arrived is voided too: it leaves a tombstone that refuses it for ever, so the
    caller's messages may overtake each other. Raises `HoldEnded`.
    """
    held = await session.get(Transfer, hold_id)
    if held is None:
        try:
            async with session.begin_nested():
                return await post_transfers(session, _tombstone(id=id, hold_id=hold_id)) > 0
        except errors.TransferConflict:
            held = await _hold(session, hold_id)  # it arrived at the same moment
    if held.kind == Kind.TOMBSTONE:
        ending = _tombstone(id=id, hold_id=hold_id)[1]
    else:
        ending = _ending(await _hold(session, hold_id), id=id, state=State.VOIDED)
    return await post_transfers(session, [ending]) == 1


async def reverse_transfers(
    session: AsyncSession,
    reversals: Sequence[NewReversal],
    *,
    reason: str,
    kind: Kind = Kind.REVERSAL,
) -> int:
    """Move points of posted transfers back, all or none; how many reversals are new.

    As a `Kind.REVOCATION` it is never refused for lack of points: the account goes below zero and
    what it earns next repays that first (M-051). Raises `TransferNotFound`, `NotReversible`,
    `ReversedAlready`, `Insufficient`, `TransferConflict`.
    """
    ids = [one.transfer_id for one in reversals]
    found = await session.scalars(select(Transfer).where(Transfer.id.in_(ids)))
    originals = {original.id: original for original in found}
    backwards = []
    for one in reversals:
        original = originals.get(one.transfer_id)
        if original is None:
            raise errors.TransferNotFound
        if original.state != State.POSTED or original.reverses_id is not None:
            raise errors.NotReversible
        backwards.append(_backwards(original, one, kind=kind, reason=reason))
    return await post_transfers(session, backwards)


async def reverse(session: AsyncSession, reversal: NewReversal, *, reason: str) -> bool:
    """One reversal. Whether it is new; see `reverse_transfers`."""
    return await reverse_transfers(session, [reversal], reason=reason) == 1


async def due_holds(
    session: AsyncSession, *, now: datetime, since: datetime | None = None, limit: int = 1_000
) -> Sequence[UUID]:
    """Open holds whose time is up, the oldest first. `since` bounds the look back."""
    query = (
        select(HoldExpiry.hold_id)
        .where(HoldExpiry.expires_at <= now)
        .where(~exists().where(HoldEnding.hold_id == HoldExpiry.hold_id))
        .order_by(HoldExpiry.expires_at)
        .limit(limit)
    )
    if since is not None:
        query = query.where(HoldExpiry.expires_at > since)
    return (await session.scalars(query)).all()


async def expire_hold(session: AsyncSession, hold_id: UUID) -> bool:
    """Release a hold whose time is up. Raises `HoldEnded` when somebody else just ended it."""
    held = await _hold(session, hold_id)
    ending = _ending(held, id=uuid5(hold_id, "expired"), state=State.EXPIRED)
    return await post_transfers(session, [ending]) == 1


async def transfer(session: AsyncSession, transfer_id: UUID) -> Recorded:
    """A transfer and what became of it. Raises `TransferNotFound`."""
    ending, back = aliased(Transfer), aliased(Transfer)
    query = (
        select(
            Transfer,
            ending.id,
            ending.state,
            ending.amount,
            select(func.coalesce(func.sum(back.amount), 0))
            .join(TransferReversal, TransferReversal.transfer_id == back.id)
            .where(TransferReversal.reversed_id == transfer_id)
            .scalar_subquery(),
        )
        .outerjoin(HoldEnding, HoldEnding.hold_id == Transfer.id)
        .outerjoin(ending, ending.id == HoldEnding.transfer_id)
        .where(Transfer.id == transfer_id)
    )
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise errors.TransferNotFound
    found, ended_by, ended, amount, undone = row
    state = ended if found.state == State.PENDING and ended else found.state
    return Recorded(found, state, ended_by, amount if state == State.POSTED else None, int(undone))


async def account(session: AsyncSession, institution_id: UUID) -> Balance:
    """The points of an institution; zero for one that never had any."""
    query = select(Account.available, Account.held, Account.debt)
    row = (await session.execute(query.where(Account.id == institution_id))).one_or_none()
    return Balance(*row) if row else Balance(0, 0, 0)


async def balance_as_of(session: AsyncSession, institution_id: UUID, instant: datetime) -> int:
    """The balance at an instant, as known today.

    That is what was recorded by then, a few probes of the primary key, and what was recorded later
    with effect by then: the few entries that are dated back are listed by themselves.
    """
    values = {"account": institution_id, "instant": instant}
    return int(await session.scalar(_BALANCE_AS_OF, values) or 0)


def _ending(held: Transfer, *, id: UUID, state: State, amount: int | None = None) -> NewTransfer:  # noqa: A002
    """The transfer that ends a hold; in full unless `amount` is given."""
    return NewTransfer(
        id=id,
        state=state,
        kind=held.kind,
        debit_account=held.debit_account,
        credit_account=held.credit_account,
        amount=held.amount if amount is None else amount,
        pending_id=held.id,
        field=held.field,
        title=held.title,
        reference=held.reference,
        origin_id=held.origin_id,
    )


def _values(one: NewTransfer) -> dict[str, Any]:
    values = {name: getattr(one, name) for name in _PLAIN}
    if one.metadata is not None:
        values["metadata"] = orjson.dumps(one.metadata).decode()
    return values


def _tombstone(*, id: UUID, hold_id: UUID) -> tuple[NewTransfer, NewTransfer]:  # noqa: A002
    """In place of a hold that has not arrived: a voided one of its id, and the void itself."""
    grave = NewTransfer(
        id=hold_id,
        state=State.VOIDED,
        kind=Kind.TOMBSTONE,
        debit_account=None,
        credit_account=None,
        amount=None,
    )
    return grave, replace(grave, id=id, pending_id=hold_id)


def _backwards(original: Transfer, wanted: NewReversal, *, kind: Kind, reason: str) -> NewTransfer:
    return NewTransfer(
        id=wanted.id,
        kind=kind,
        debit_account=original.credit_account,
        credit_account=original.debit_account,
        amount=original.amount if wanted.amount is None else wanted.amount,
        reverses_id=original.id,
        field=original.field,
        title=original.title,
        reference=original.reference,
        origin_id=original.origin_id,
        metadata={"reason": reason},
    )


async def _hold(session: AsyncSession, hold_id: UUID) -> Transfer:
    held = await session.get(Transfer, hold_id)
    if held is None or (held.state != State.PENDING and held.kind != Kind.TOMBSTONE):
        raise errors.TransferNotFound
    return held


def _refusal(error: DBAPIError) -> Exception:
    """The problem a database function raised, or the error itself when it is of another kind."""
    cause = error.orig
    if getattr(cause, "sqlstate", None) != REFUSED:
        return error
    diagnosis = cause.diag  # type: ignore[union-attr]  # psycopg's error, by its SQLSTATE
    params = json.loads(diagnosis.message_detail or "{}")
    problem: type[Problem] = errors.BY_CODE[diagnosis.message_primary or ""]
    return problem(**params)
