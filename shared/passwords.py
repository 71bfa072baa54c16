"""Database passwords that change while we serve.

A file holds those that may be right, one a line: the one in force and the next. It is read for
every new connection, so that nobody has to restart anything, and the moments at which the file and
the server change need not be the same.
"""

from pathlib import Path
from typing import Any, Self

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.engine import Dialect


def passwords_in(file: Path) -> list[str]:
    """Raises `psycopg.OperationalError` without one: as if the server had refused us."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise psycopg.OperationalError("the password file cannot be read") from error
    found = [line for line in lines if line.strip()]  # spaces may be part of a password
    if not found:
        raise psycopg.OperationalError("the password file is empty")
    return found


def follow_passwords(engine: Engine, file: Path) -> None:
    """Have every new connection of `engine` take its password from `file`."""

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Dialect, _record: Any, args: Any, params: dict[str, Any]) -> Any:
        *first, last = passwords_in(file)
        for password in first:
            try:
                return dialect.connect(*args, **params | {"password": password})
            except psycopg.OperationalError as error:
                if not _was_about_the_password(error):
                    raise
        return dialect.connect(*args, **params | {"password": last})


def connection_class(file: Path) -> type[psycopg.AsyncConnection[Any]]:
    """The same for a pool of psycopg's own."""

    class Connection(psycopg.AsyncConnection[Any]):
        @classmethod
        async def connect(cls, conninfo: str = "", **params: Any) -> Self:
            *first, last = passwords_in(file)
            for password in first:
                try:
                    return await super().connect(conninfo, **params | {"password": password})
                except psycopg.OperationalError as error:
                    if not _was_about_the_password(error):
                        raise
            return await super().connect(conninfo, **params | {"password": last})

    return Connection


def _was_about_the_password(error: psycopg.OperationalError) -> bool:
    """A server that is away is not asked again with every password there is."""
    return error.pgconn is not None and error.pgconn.used_password
