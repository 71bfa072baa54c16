"""`python -m deploy.local run|status|stop|psql|backup|restore|check-migrations`."""

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from deploy.local import backup as backups
from deploy.local import migrations, table
from deploy.local.datadir import DataDir
from deploy.local.errors import LocalError
from deploy.local.postgres import Cluster
from deploy.local.run import run as run_installation

STOP_TIMEOUT_S = 90.0

data_option = click.option(
    "--data",
    "data_path",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var"),
    show_default=True,
    help="Directory of the database, files, secrets and logs.",
)


def archive_option(*, required: bool) -> Callable[[Any], Any]:
    return click.option(
        "--archive",
        type=click.Path(file_okay=False, path_type=Path),
        required=required,
        help="Directory of the backups and of every change since.",
    )


@click.group(help="A whole installation on this machine, for development and evaluation.")
def cli() -> None:
    pass


@cli.command(help="Start everything and keep it running until Ctrl-C.")
@data_option
@click.option(
    "--port",
    type=click.IntRange(0, 65531),
    default=table.DEFAULT_PORT,
    show_default=True,
    help="Port of the gateway; the services take the four behind it. 0 takes any five free ones.",
)
@click.option("--no-demo", is_flag=True, help="Without demo institutions and logins.")
@archive_option(required=False)
def run(data_path: Path, port: int, no_demo: bool, archive: Path | None) -> None:
    port_of = table.default_ports(port) if port else table.free_ports()
    data = DataDir(data_path)
    asyncio.run(run_installation(data, port_of, demo=not no_demo, say=_say, archive=archive))


@cli.command(help="Show what runs.")
@data_option
def status(data_path: Path) -> None:
    data = DataDir(data_path)
    if not data.is_locked():
        raise LocalError(f"Nothing runs on {data.path}.")
    known = data.read_status()
    for name, process in known.get("processes", {}).items():
        state = "ready" if process["ready"] else "not ready"
        port = f"port {process['port']}" if process["port"] else ""
        click.echo(f"{name:<16} {process['pid'] or '-':>8}  {state:<10} {port}")


@cli.command(help="Stop what runs, and wait until it has.")
@data_option
def stop(data_path: Path) -> None:
    data = DataDir(data_path)
    if not data.is_locked():
        click.echo(f"Nothing runs on {data.path}.")
        return
    os.kill(data.read_status()["pid"], signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while data.is_locked():
        if time.monotonic() > deadline:
            raise LocalError(f"It did not stop within {STOP_TIMEOUT_S:g} s.")
        time.sleep(0.2)


@cli.command(help="Open psql, as the superuser, on the running database of a service.")
@data_option
@click.argument("service", type=click.Choice(table.SERVICES))
def psql(data_path: Path, service: str) -> None:
    arguments, env = Cluster(DataDir(data_path).postgres_dir).psql_command(service)
    os.execvpe(arguments[0], arguments, env)  # noqa: S606  # psql takes over the terminal


@cli.command(help="Copy the running server into the archive it was started with.")
@data_option
@archive_option(required=True)
def backup(data_path: Path, archive: Path) -> None:
    data = DataDir(data_path)
    if not data.is_locked():
        raise LocalError(f"Nothing runs on {data.path}.")
    done = backups.back_up(Cluster(data.postgres_dir), archive, beside=[data.secrets_file])
    click.echo(f"{done} is whole.")


@cli.command(help="Make an installation from an archive, as it was at a moment.")
@data_option
@archive_option(required=True)
@click.option("--until", help="The moment, with its offset: 2026-11-22T13:00:00+09:00.")
def restore(data_path: Path, archive: Path, until: str | None) -> None:
    data = DataDir(data_path)
    moment = _instant(until) if until is not None else None
    with data.lock():
        source = backups.restore(archive, data.postgres_dir, moment)
        shutil.copy2(source / data.secrets_file.name, data.secrets_file)
    click.echo(f"{data.path} is as it was. Put the files back into {data.files_dir}, then run it.")


@cli.command("check-migrations", help="Models, migrations and their SQL agree and are safe.")
def check_migrations() -> None:
    migrations.check_all()


@cli.command(help="Write a migration from the difference between models and migrations.")
@click.argument("service", type=click.Choice(table.SERVICES))
@click.argument("message")
def migration(service: str, message: str) -> None:
    migrations.write(service, message)


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise LocalError(f"{text} is no instant like 2026-11-22T13:00:00+09:00.") from None
    if moment.tzinfo is None:
        raise LocalError("Say the offset as well, like +09:00: a moment must have one meaning.")
    return moment.astimezone(UTC)


def _say(text: str) -> None:
    print(text, flush=True)


def main() -> None:
    try:
        cli()
    except LocalError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
