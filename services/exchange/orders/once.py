"""Value-moving requests that span a call to the ledger: act, ask, answer.

A move that promises the ledger nothing is one transaction. For the others there are three steps,
since no transaction stays open while another service is asked:

1. one transaction takes the Idempotency-Key, makes the move and writes the promise down;
2. the ledger is asked (should it not answer, a job goes on later);
3. one transaction applies what it said and stores the answer under the key.

Until step 3 the key's row holds the order's id in the place of the answer. A process that dies
between 1 and 3 leaves it so; the repeated request finds it, goes on from step 2, and never acts
twice.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.exchange import errors
from services.exchange.base import idempotency_keys as keys
from services.exchange.clients import Ledger
from services.exchange.orders import driver, journal, service
from services.exchange.orders.driver import Outcome, Promise
from services.exchange.orders.models import Order
from services.exchange.orders.rules import PROMISED, Use
from shared import idempotency
from shared.caller import Caller
from shared.db import SessionMaker, Sessions
from shared.http import RemoteProblem
from shared.problems import IdempotencyKeyRequired, IdempotencyKeyReused, UpstreamUnavailable

log = structlog.get_logger()

Answer = Callable[[Order], BaseModel]
Move = Callable[[AsyncSession], Awaitable[Order]]


@dataclass(frozen=True, slots=True)
class Ticket:
    """What makes a repetition the same request: whose, which key, which content."""

    scope: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Run:
    """How a route runs its move: for good, or (`?preview=true`) only to show what would be."""

    sessions: Sessions
    ledger: Ledger
    ticket: Ticket | None

    async def __call__(
        self, order_id: UUID, move: Move, answer: Answer, *, status: int = 200
    ) -> Response:
        if self.ticket is not None:
            return await _perform(self, self.ticket, order_id, move, answer, status)
        shown = await _preview(self.sessions, move, answer)
        return Response(shown.model_dump_json(), media_type="application/json")


async def _run(
    request: Request,
    caller: Caller,
    sessions: SessionMaker,
    key: idempotency.IdempotencyKey = None,
    preview: Annotated[
        bool, Query(description="참이면 같은 응답만 보여 주고 아무것도 바꾸지 않습니다")
    ] = False,
) -> Run:
    ledger: Ledger = request.app.state.ledger
    if preview:
        return Run(sessions, ledger, None)
    if key is None:
        raise IdempotencyKeyRequired
    ticket = Ticket(
        idempotency.scope_of(request, caller), key, await idempotency.fingerprint(request)
    )
    return Run(sessions, ledger, ticket)


Once = Annotated[Run, Depends(_run)]


async def _perform(
    run: Run, ticket: Ticket, order_id: UUID, move: Move, answer: Answer, status: int
) -> Response:
    """Run `move` once per ticket, ask the ledger, and answer with what the order has become.

    Raises `Replayed` for a finished repetition, and `MileageRefused` (422) when the ledger would
    not hold: such a request leaves no key behind, so it may be tried again with another amount.
    """
    async with run.sessions.begin() as session:
        begun = await _claim(session, ticket, order_id)
        if begun is None:
            order = await move(session)
            if order.settlement not in PROMISED:
                await _as_written(session, order)
                return await _store(session, ticket, status, answer(order))
        else:
            order_id = begun
        promise = await driver.open_promise(session, order_id)
    outcome = None if promise is None else await ask(run.ledger, promise)
    async with run.sessions.begin() as session:
        order = await journal.lock(session, order_id)
        if promise is not None and outcome is not None:
            await driver.apply(session, order, promise, outcome)
        if order.use != Use.REFUSED:
            return await _store(session, ticket, status, answer(order))
        await session.execute(delete(keys).where(*_is(ticket)))
        refusal = await service.refusal_of(session, order)
    raise errors.MileageRefused(errors=refusal)


async def ask(ledger: Ledger, promise: Promise) -> Outcome | None:
    """Ask while the caller waits; None when there is no answer: the rest is the job's."""
    try:
        return await driver.ask(ledger, promise)
    except (UpstreamUnavailable, RemoteProblem) as error:
        log.warning("order_left_to_job", order_id=str(promise.order_id), error=repr(error))
        return None


async def _preview(sessions: Sessions, move: Move, answer: Answer) -> BaseModel:
    """What `_perform` would answer before the ledger is asked, and nothing of it stays."""
    async with sessions() as session:
        order = await move(session)
        await _as_written(session, order)
        shown = answer(order)
        await session.rollback()
    return shown


async def _as_written(session: AsyncSession, order: Order) -> None:
    """The order with what the database itself fills in."""
    await session.flush()
    await session.refresh(order)


async def _claim(session: AsyncSession, ticket: Ticket, order_id: UUID) -> UUID | None:
    """Take the key for this order: None, or the order an unfinished run of the same request made.

    Two runs at once wait for each other on the primary key. Raises `Replayed` with the stored
    answer, `IdempotencyKeyReused` for another request under this key.
    """
    taken = (
        insert(keys)
        .values(
            scope=ticket.scope,
            key=ticket.key,
            fingerprint=ticket.fingerprint,
            body=order_id.bytes,
        )
        .on_conflict_do_nothing()
        .returning(keys.c.key)
    )
    row = None
    while row is None:  # gone again: the request before us was refused and took its key along
        if await session.scalar(taken) is not None:
            return None
        row = (await session.execute(select(keys).where(*_is(ticket)))).one_or_none()
    if row.fingerprint != ticket.fingerprint:
        raise IdempotencyKeyReused
    if row.status is not None:
        raise idempotency.Replayed(row.status, row.body)
    return UUID(bytes=row.body)


async def _store(session: AsyncSession, ticket: Ticket, status: int, shown: BaseModel) -> Response:
    """Keep the answer, unless another run of this request did: then that one is the answer."""
    body = shown.model_dump_json().encode()
    stored = (
        update(keys)
        .where(*_is(ticket), keys.c.status.is_(None))
        .values(status=status, body=body)
        .returning(keys.c.key)
    )
    if await session.scalar(stored) is None:
        row = (await session.execute(select(keys).where(*_is(ticket)))).one_or_none()
        if row is not None:
            raise idempotency.Replayed(row.status, row.body)
    return Response(body, status, media_type="application/json")


def _is(ticket: Ticket) -> tuple[Any, Any]:
    return keys.c.scope == ticket.scope, keys.c.key == ticket.key
