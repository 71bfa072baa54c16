"""Commands of the auth service that only somebody on the machine may give."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import click
from sqlalchemy import select

from services.auth.accounts import credentials, rules
from services.auth.accounts.models import Account
from services.auth.accounts.rules import Role
from services.auth.app import create_runtime
from services.auth.audit.service import SYSTEM, record
from services.auth.institutions.models import Institution
from services.auth.institutions.rules import Kind
from services.auth.runtime import AuthRuntime
from services.auth.settings import Settings
from services.auth.tokens import keys
from services.auth.tokens.rules import PUBLISHED_BEFORE_USE
from shared.clock import utc_now

T = TypeVar("T")
_HOURS = int(PUBLISHED_BEFORE_USE.total_seconds() // 3_600)


def add_to(cli: click.Group) -> click.Group:
    cli.add_command(rotate_keys)
    cli.add_command(create_operator)
    return cli


@click.command("rotate-keys", help="Publish a new signing key and sign with it after the overlap.")
@click.option("--overlap-hours", default=_HOURS, show_default=True, type=click.IntRange(0, 720))
@click.option(
    "--revoke-others",
    is_flag=True,
    help="A key leaked: sign with the new one at once, and refuse everywhere what others signed.",
)
def rotate_keys(overlap_hours: int, revoke_others: bool) -> None:
    kid = _run(lambda runtime: _rotate(runtime, overlap_hours, revoke_others))
    click.echo(f"{kid} is published.")


@click.command("create-operator", help="Open an operator account and print its activation link.")
@click.argument("login_id")
@click.option("--name", required=True, help="Who will use it.")
@click.option("--institution", default="운영기관", show_default=True)
def create_operator(login_id: str, name: str, institution: str) -> None:
    click.echo(_run(lambda runtime: open_operator(runtime, login_id, name, institution)))


async def _rotate(runtime: AuthRuntime, overlap_hours: int, revoke_others: bool) -> str:
    now = utc_now()
    async with runtime.sessions.begin() as session:
        if revoke_others:
            return await keys.replace_all(session, runtime.vault, now=now)
        overlap = timedelta(hours=overlap_hours)
        return await keys.rotate(session, runtime.vault, overlap=overlap, now=now)


async def open_operator(
    runtime: AuthRuntime, login_id: str, name: str, institution_name: str
) -> str:
    """Open an operator's account, and the operator's institution if there is none yet; returns
    the link to choose a password by. Raises `click.ClickException` for a bad or taken id."""
    folded = rules.login_id_of(login_id)
    if not rules.is_login_id(folded):
        raise click.ClickException(f"{login_id!r} cannot be a login id")
    async with runtime.sessions.begin() as session:
        if await session.scalar(select(Account.id).where(Account.login_id == folded)) is not None:
            raise click.ClickException(f"{folded!r} is taken")
        query = select(Institution).where(Institution.kind == Kind.OPERATOR).limit(1)
        institution = await session.scalar(query)
        if institution is None:
            institution = Institution(kind=Kind.OPERATOR, name=institution_name)
            session.add(institution)
            await session.flush()  # the account needs the id
        account = Account(
            login_id=folded, institution_id=institution.id, role=Role.OPERATOR, name=name
        )
        session.add(account)
        await session.flush()  # the link needs the id
        given = await credentials.give_initial(
            session, replace(runtime.desk, legacy=False), account, institution, now=utc_now()
        )
        record(
            session,
            SYSTEM,
            "account.opened",
            object_type="account",
            object_id=account.id,
            institution_id=institution.id,
            after={"login_id": folded, "role": Role.OPERATOR},
        )
    return str(given.link)


def _run(action: Callable[[AuthRuntime], Awaitable[T]]) -> T:
    async def main() -> T:
        runtime = create_runtime(Settings())
        try:
            return await action(runtime)
        finally:
            await runtime.identity.http.aclose()
            await runtime.database.close()

    return asyncio.run(main())
