"""Value-moving requests that span a call to the ledger: act, drive, answer.

Three steps, since no transaction stays open while another service is asked:

1. one transaction takes the Idempotency-Key, makes the move and writes the promise down;
2. the driver carries the promise to the ledger (should it not answer, a job goes on later);
3. one transaction stores the answer under the key.

A process that dies between 1 and 3 leaves the key without an answer and an `unanswered` row; the
repeated request finds that row and goes on from step 2, so it never acts twice.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from services.exchange import errors
from services.exchange.base import idempotency_keys
from services.exchange.clients import Ledger
from services.exchange.orders import driver, journal, service
from services.exchange.orders.models import Order, Unanswered
from services.exchange.orders.rules import Use
from shared import idempotency
from shared.caller import Caller
from shared.db import SessionMaker, Sessions
from shared.http import RemoteProblem
from shared.problems import IdempotencyKeyRequired, UpstreamUnavailable

log = structlog.get_logger()

Answer = Callable[[AsyncSession, Order], Awaitable[BaseModel]]
Move = Callable[[AsyncSession], Awaitable[Order]]


@dataclass(frozen=True, slots=True)
class Ticket:
    """What makes a repetition the same request: whose, which key, which content."""

    scope: str
    key: str
    fingerprint: bytes

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(f"{self.scope}\n{self.key}".encode() + self.fingerprint).digest()


@dataclass(frozen=True, slots=True)
class Run:
    """How a route runs its move: for good, or (`?preview=true`) only to show what would be."""

    sessions: Sessions
    ledger: Ledger
    ticket: Ticket | None

    async def __call__(self, move: Move, answer: Answer, *, status: int = 200) -> Response:
        if self.ticket is not None:
            return await perform(
                self.sessions, self.ledger, self.ticket, move, answer, status=status
            )
        shown = await preview(self.sessions, move, answer)
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


async def perform(
    sessions: Sessions,
    ledger: Ledger,
    ticket: Ticket,
    move: Move,
    answer: Answer,
    *,
    status: int = 200,
) -> Response:
    """Run `move` once per ticket, drive the order, and answer with what it has become.

    Raises `Replayed` for a finished repetition, and `MileageRefused` (422) when the ledger would
    not hold: such a request leaves no key behind, so it may be tried again with another amount.
    """
    order_id = await _act(sessions, ticket, move)
    await drive_now(sessions, ledger, order_id)
    async with sessions.begin() as session:
        order = await journal.lock(session, order_id)
        # Under the order's lock only one of several runs stores the answer; others replay it.
        claim = await idempotency.claim(
            session, scope=ticket.scope, key=ticket.key, fingerprint=ticket.fingerprint
        )
        await session.execute(delete(Unanswered).where(Unanswered.request == ticket.digest))
        if order.use != Use.REFUSED:
            return await claim.answer(status, await answer(session, order))
        await session.execute(
            delete(idempotency_keys).where(
                idempotency_keys.c.scope == ticket.scope, idempotency_keys.c.key == ticket.key
            )
        )
        refusal = await service.refusal_of(session, order)
    raise errors.MileageRefused(errors=refusal)


async def preview(sessions: Sessions, move: Move, answer: Answer) -> BaseModel:
    """What `perform` would answer before the ledger is asked, and nothing of it stays."""
    async with sessions() as session:
        order = await move(session)
        await session.flush()
        await session.refresh(order)
        shown = await answer(session, order)
        await session.rollback()
    return shown


async def drive_now(sessions: Sessions, ledger: Ledger, order_id: UUID) -> None:
    """Drive while the caller waits; whatever goes wrong is the job's to finish."""
    try:
        await driver.drive(sessions, ledger, order_id)
    except (UpstreamUnavailable, RemoteProblem) as error:
        log.warning("order_left_to_job", order_id=str(order_id), error=repr(error))


async def _act(sessions: Sessions, ticket: Ticket, move: Move) -> UUID:
    async with sessions.begin() as session:
        await idempotency.claim(
            session, scope=ticket.scope, key=ticket.key, fingerprint=ticket.fingerprint
        )
        begun = await session.get(Unanswered, ticket.digest)
        if begun is not None:
            return begun.order_id
        order = await move(session)
        session.add(Unanswered(request=ticket.digest, order_id=order.id))
        return order.id
