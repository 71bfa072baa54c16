"""`python -m services.accrual serve|worker|prepare|verify-ledger|…`."""

import click

from services.accrual.app import create_runtime
from services.accrual.ledger.verification import verify
from services.accrual.settings import Settings
from shared.cli import run, service_cli
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


cli()
