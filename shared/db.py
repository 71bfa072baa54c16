"""The database of one service: engine, declarative base, and the session of a request.

One request is one transaction. Only `open_session` commits, and it does so *before* the answer is
sent: with the default dependency scope FastAPI would send the 200 first and commit after.
"""

import select
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar
from uuid import UUID

import psycopg
import sqlalchemy
from fastapi import Depends, Request
from psycopg.rows import dict_row
from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    DateTime,
    MetaData,
    Uuid,
    event,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import (
    DeclarativeBase,
    InstrumentedAttribute,
    Mapped,
    ORMExecuteState,
    mapped_column,
)
from sqlalchemy.orm import Session as SyncSession
from sqlalchemy.util import greenlet_spawn

from shared.passwords import follow_passwords

Sessions = async_sessionmaker[AsyncSession]

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of the models of every service; each service's tables live in its own database, so a
    service subclasses it once (`class Base(shared.db.Base): metadata = service_metadata()`)."""

    __abstract__ = True
    type_annotation_map: ClassVar = {
        datetime: DateTime(timezone=True),
        UUID: Uuid(),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


def service_metadata() -> MetaData:
    return MetaData(naming_convention=NAMING)


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    """The condition that a text column holds one of these words."""
    allowed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)


class HasId:
    """A time-ordered id made by the server, so that rows lie on disk in the order they came."""

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("uuidv7()"))


class HasTimes:
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


@event.listens_for(SyncSession, "do_orm_execute")
def read_anew_what_is_locked(state: ORMExecuteState) -> None:
    """A row that was waited for is taken as it is now. Without this the session would go on with
    what it read before the wait, and overwrite what it waited for."""
    if state.is_select and getattr(state.statement, "_for_update_arg", None) is not None:
        state.update_execution_options(populate_existing=True)


class Database:
    """An engine with its sessions. Open one per process; `create_app` closes it."""

    name = "database"

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        application_name: str = "",
        password_file: Path | None = None,
    ) -> None:
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=10,
            connect_args={
                "application_name": application_name,
                "connect_timeout": 5,
                # A server that vanished without a word is noticed in a minute, not in two hours.
                "keepalives_idle": 30,
                "keepalives_interval": 10,
                "keepalives_count": 3,
            },
        )
        if password_file is not None:
            follow_passwords(self.engine.sync_engine, password_file)
        self.sessions: Sessions = async_sessionmaker(self.engine, expire_on_commit=False)

        @event.listens_for(self.engine.sync_engine, "connect")
        def bound_every_wait(connection: Any, _record: Any) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '10s'")
                cursor.execute("SET idle_in_transaction_session_timeout = '60s'")
            connection.commit()

        @event.listens_for(self.engine.sync_engine, "checkout")
        def refuse_dead_connections(connection: Any, _record: Any, _proxy: Any) -> None:
            """So that a restarted server costs no failed request. A ping would cost every
            transaction a round trip; an idle connection on which there is something to read has
            been ended by the server."""
            raw = connection.driver_connection
            if raw.closed or _has_something_to_read(raw.fileno()):
                raise InvalidatePoolError

    async def ask(self, statement: str, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """The row, or none, of one statement that is a transaction of its own; parameters are
        written `%(name)s`. For what is done at every login: straight to the driver, in one trip to
        the server instead of three, it costs a quarter of the processor. Raises `psycopg.Error`.
        """
        pooled = await greenlet_spawn(self.engine.sync_engine.raw_connection)
        driver = pooled.driver_connection
        assert isinstance(driver, psycopg.AsyncConnection)
        try:
            await driver.set_autocommit(True)
            cursor = driver.cursor(row_factory=dict_row)
            row = await (await cursor.execute(statement.encode(), values)).fetchone()
            await driver.set_autocommit(False)
        except BaseException:  # whatever state it is in, nobody else shall have it
            await greenlet_spawn(pooled.invalidate)
            raise
        finally:
            await greenlet_spawn(pooled.close)
        return row

    async def ready(self) -> None:
        """Raise unless the database answers."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self.engine.dispose()


def _has_something_to_read(file: int) -> bool:
    poll = select.poll()
    poll.register(file, select.POLLIN)
    return bool(poll.poll(0))


async def next_number(
    session: AsyncSession, column: InstrumentedAttribute[int], *which: ColumnElement[bool]
) -> int:
    """The number after the highest one given. The caller holds a lock by which numbers are given
    one after the other; then there are no gaps."""
    return (await session.scalar(sqlalchemy.select(func.max(column)).where(*which)) or 0) + 1


async def open_session(request: Request) -> AsyncIterator[AsyncSession]:
    sessions: Sessions = request.app.state.sessions
    async with sessions.begin() as session:
        yield session


async def get_sessions(request: Request) -> Sessions:
    sessions: Sessions = request.app.state.sessions
    return sessions


Session = Annotated[AsyncSession, Depends(open_session, scope="function")]
SessionMaker = Annotated[Sessions, Depends(get_sessions)]
"""For the few use cases that need several transactions, with a remote call between them."""
