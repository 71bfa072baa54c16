"""`python -m services.accrual serve|worker|prepare|verify-ledger|import-legacy|…`."""

from typing import TextIO

import click

from services.accrual.app import create_runtime
from services.accrual.ledger import legacy
from services.accrual.ledger.verification import verify
from services.accrual.settings import Settings
from shared.cli import run, service_cli
from shared.problems import Invalid
from shared.runtime import Runtime

cli = service_cli("accrual")


@cli.command("verify-ledger", help="Recompute the whole ledger; name the first broken row.")
def verify_ledger() -> None:
    run(create_runtime(Settings()), _verify)


async def _verify(runtime: Runtime) -> None:
    async with runtime.sessions() as session:
        report = await verify(session)
    click.echo(
        f"{report.accounts} accounts, {report.transfers} transfers, {report.entries} entries, "
        f"{report.points_issued} points"
    )
    if report.broken is not None:
        raise click.ClickException(f"broken: {report.broken}")
    click.echo("whole")


@cli.command("import-legacy", help="Extinguish balances from before 2022-03-01, given as CSV.")
@click.argument("file", type=click.File(encoding="utf-8-sig"))
def import_legacy(file: TextIO) -> None:
    try:
        balances = legacy.read_balances(file)
    except Invalid as problem:
        raise click.ClickException("\n".join(one.message() for one in problem.errors)) from problem

    async def extinguish(runtime: Runtime) -> None:
        async with runtime.sessions.begin() as session:
            fresh = await legacy.extinguish(session, balances)
        click.echo(f"{len(balances)} balances, {fresh} of them new")

    run(create_runtime(Settings()), extinguish)


cli()
