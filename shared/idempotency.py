"""Value-moving POSTs run once per Idempotency-Key.

The key's row is written in the business transaction: two taps at once wait for each other on the
primary key, a failed request leaves no key behind, and a replay answers with the first bytes.

    async def redeem(body: RedeemIn, once: Once, session: Session) -> Response:
        order = await service.redeem(session, ...)
        return await once.answer(201, OrderOut.model_validate(order))
"""

import hashlib
from datetime import timedelta
from typing import Annotated, Any

import orjson
from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy import Column, DateTime, LargeBinary, MetaData, SmallInteger, String, Table, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.caller import Caller
from shared.clock import utc_now
from shared.db import Session
from shared.files import CHUNK_BYTES
from shared.jobs import Jobs
from shared.problems import IdempotencyKeyRequired, IdempotencyKeyReused

MAX_KEY_LENGTH = 255
KEPT_DAYS = 7  # how long a repeated request is sure to get the first answer


def idempotency_table(metadata: MetaData) -> Table:
    """The table of keys; every service that moves value has one among its models."""
    return Table(
        "idempotency_key",
        metadata,
        Column("scope", String(200), primary_key=True),
        Column("key", String(MAX_KEY_LENGTH), primary_key=True),
        Column("fingerprint", LargeBinary(32), nullable=False),
        Column("status", SmallInteger, nullable=True),
        Column("body", LargeBinary, nullable=True),
        Column(
            "created_at",
            DateTime(timezone=True),
            server_default=func.now(),
            nullable=False,
            index=True,
        ),
    )


_keys = idempotency_table(MetaData())


class Replayed(Exception):  # noqa: N818  # not an error: an answer already given
    """Raised instead of running the endpoint again; the application sends the stored answer."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__("replayed")
        self.status = status
        self.body = body

    def response(self) -> Response:
        return Response(
            self.body,
            self.status,
            {"Idempotency-Replayed": "true"},
            media_type="application/json",
        )


class Claim:
    """The right to run this request: `answer` stores what it said, for the replays to come."""

    def __init__(self, session: AsyncSession, scope: str, key: str) -> None:
        self._session = session
        self.scope = scope
        self.key = key

    async def answer(self, status: int, model: BaseModel) -> Response:
        body = model.model_dump_json(by_alias=True).encode()
        await self._session.execute(
            _keys.update()
            .where(_keys.c.scope == self.scope, _keys.c.key == self.key)
            .values(status=status, body=body)
        )
        return Response(body, status, media_type="application/json")


async def claim(session: AsyncSession, *, scope: str, key: str, fingerprint: bytes) -> Claim:
    """Take the key in this transaction. Raises `Replayed` or `IdempotencyKeyReused`."""
    statement = (
        insert(_keys)
        .values(scope=scope, key=key, fingerprint=fingerprint)
        .on_conflict_do_nothing()
        .returning(_keys.c.key)
    )
    if await session.scalar(statement) is None:
        row = (
            await session.execute(_keys.select().where(_keys.c.scope == scope, _keys.c.key == key))
        ).one()
        if row.fingerprint != fingerprint:
            raise IdempotencyKeyReused
        if row.status is not None:
            raise Replayed(row.status, row.body)
        # Taken by a use case of several transactions that has not finished: it resumes.
    return Claim(session, scope, key)


async def fingerprint(request: Request) -> bytes:
    """What makes two requests the same: method, path, query and body."""
    line = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    kind = request.headers.get("content-type", "")
    is_form = kind.startswith(("multipart/", "application/x-www-form-urlencoded"))
    return hashlib.sha256(line + await (_form(request) if is_form else request.body())).digest()


async def _form(request: Request) -> bytes:
    """A form by its fields: its stream has been read by now, and boundaries differ each time."""
    digest = hashlib.sha256()
    for name, value in (await request.form()).multi_items():
        if isinstance(value, str):
            parts = [name, value]
        else:
            content = hashlib.sha256()
            while chunk := await value.read(CHUNK_BYTES):
                content.update(chunk)
            await value.seek(0)
            parts = [name, value.filename or "", content.hexdigest()]
        digest.update(orjson.dumps(parts))
    return digest.digest()


def scope_of(request: Request, caller: Caller) -> str:
    route = request.scope["route"].path
    digest = hashlib.sha256(f"{request.method} {route}".encode()).hexdigest()[:16]
    return f"{caller.client_id}:{caller.sub}:{digest}"


IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", min_length=1, max_length=MAX_KEY_LENGTH)
]


async def _claim_once(
    request: Request, caller: Caller, session: Session, key: IdempotencyKey = None
) -> Claim:
    if key is None:
        raise IdempotencyKeyRequired
    return await claim(
        session,
        scope=scope_of(request, caller),
        key=key,
        fingerprint=await fingerprint(request),
    )


Once = Annotated[Claim, Depends(_claim_once, scope="function")]


def add_purge_job(jobs: Jobs) -> None:
    """Once a night, keys older than the promise made to clients are forgotten."""
    jobs.task("idempotency.purge", every="17 3 * * *")(purge_keys)


async def purge_keys(runtime: Any) -> None:
    before = utc_now() - timedelta(days=KEPT_DAYS)
    async with runtime.sessions.begin() as session:
        await session.execute(_keys.delete().where(_keys.c.created_at < before))
