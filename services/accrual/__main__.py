"""`python -m services.accrual serve|worker|prepare|verify-ledger|…`."""

import click

from services.accrual.ledger.verification import verify
from shared.cli import service_cli
from shared.runtime import Runtime


async def verify_ledger(runtime: Runtime) -> None:
    """Recompute the whole ledger; name the first broken row and exit with 1 if there is one."""
    async with runtime.sessions() as session:
        report = await verify(session)
    click.echo(
        f"{report.accounts} accounts, {report.transfers} transfers, {report.entries} entries, "
        f"{report.points_issued} points"
    )
    if report.broken is not None:
        raise click.ClickException(f"broken: {report.broken}")
    click.echo("whole")


service_cli("accrual", actions={"verify-ledger": verify_ledger})()
