"""The command line of a service: `python -m services.<name> serve|worker|migrate|…`."""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from typing import Any

import click

from shared import logs, migrations
from shared.jobs import Jobs
from shared.runtime import Runtime
from shared.serve import serve


async def _nothing(_runtime: Runtime) -> None:
    pass


def service_cli(
    name: str,
    *,
    bootstrap: Callable[[Runtime], Awaitable[None]] = _nothing,
    seed_demo: Callable[[Runtime], Awaitable[None]] = _nothing,
) -> click.Group:
    """The commands every service has; a service adds its own to the group that is returned.
    Modules are imported by the commands that need them."""

    def settings() -> Any:
        return importlib.import_module(f"services.{name}.settings").Settings()

    def runtime() -> Runtime:
        made: Runtime = importlib.import_module(f"services.{name}.app").create_runtime(settings())
        return made

    def migrate() -> None:
        chosen = settings()
        migrations.upgrade(name, chosen.database_url, chosen.database_password_file)

    @click.group(help=f"Commands of the {name} service.")
    def cli() -> None:
        pass

    @cli.command("serve", help="Serve the HTTP API.")
    def serve_command() -> None:
        module = importlib.import_module(f"services.{name}.app")
        chosen = settings()
        serve(
            module.create_app(chosen),
            name=name,
            host=chosen.host,
            port=chosen.port,
            log_level=chosen.log_level,
            drain_seconds=chosen.drain_seconds,
        )

    @cli.command("worker", help="Run background jobs and schedules.")
    def worker_command() -> None:
        jobs: Jobs = importlib.import_module(f"services.{name}.jobs").jobs
        logs.configure(f"{name}-worker", settings().log_level)
        made = runtime()

        async def work() -> None:
            async with made.open():
                await jobs.work(made, made.settings.database_url)

        asyncio.run(work())

    @cli.command("migrate", help="Bring the database to the newest schema.")
    def migrate_command() -> None:
        migrate()

    @cli.command("bootstrap", help="Load reference data; safe to run again.")
    def bootstrap_command() -> None:
        run(runtime(), bootstrap)

    @cli.command("seed-demo", help="Add the demo institutions and their things; safe to run again.")
    def seed_demo_command() -> None:
        chosen = settings()
        if chosen.environment == "production":
            raise click.ClickException("demo data does not belong into production")
        run(runtime(), seed_demo)

    @cli.command("prepare", help="migrate, bootstrap and (with --demo) seed-demo in one process.")
    @click.option("--demo", is_flag=True)
    def prepare_command(demo: bool) -> None:
        migrate()
        run(runtime(), bootstrap)
        if demo:
            run(runtime(), seed_demo)

    @cli.command("check-migrations", help="Fail if the models and the migrations differ.")
    def check_command() -> None:
        migrations.check(name, settings().database_url)

    @cli.command("migration-sql", help="Print the SQL of all migrations.")
    def sql_command() -> None:
        migrations.print_sql(name)

    @cli.command("migration", help="Write a new migration from the models.")
    @click.argument("message")
    def migration_command(message: str) -> None:
        migrations.revision(name, settings().database_url, message)

    return cli


def run(runtime: Runtime, action: Callable[[Runtime], Awaitable[None]]) -> None:
    """Run one action with a runtime of its own, closed afterwards: for commands."""

    async def main() -> None:
        try:
            await action(runtime)
        finally:
            await runtime.identity.http.aclose()
            await runtime.database.close()

    asyncio.run(main())
