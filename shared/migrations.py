"""Alembic for one service: migrations run alone, wait briefly, and are checked against the models.

`services/<name>/migrations/env.py` is one call of `run_env`.
"""

import re
from pathlib import Path
from time import sleep
from typing import Any

import procrastinate.schema
import structlog
from alembic import command, context, op
from alembic.config import Config
from sqlalchemy import MetaData, create_engine, pool, text
from sqlalchemy.exc import OperationalError

from shared.passwords import follow_passwords

ROOT = Path(__file__).resolve().parent.parent
# Less than the ten seconds a request waits for its locks: whoever has to queue behind us is served.
LOCK_TIMEOUT = "4s"
# A lock not to be had in time; or a circle: an index built beside the traffic waits for another
# migrator's look at the database, which waits for its turn.
GIVES_WAY = frozenset({"55P03", "40P01"})
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0)  # in which those who had to wait go through

log = structlog.get_logger()


def config_for(service: str, database_url: str, password_file: Path | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "services" / service / "migrations"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["database_url"] = database_url
    config.attributes["password_file"] = password_file
    return config


def upgrade(service: str, database_url: str, password_file: Path | None = None) -> None:
    bring_up(config_for(service, database_url, password_file))


def bring_up(config: Config) -> None:
    """To the newest schema, while others use the database. All of it is one transaction: one that
    meets a lock it does not get within four seconds undoes everything and is tried again."""
    for wait in (*PAUSES, None):
        try:
            command.upgrade(config, "head")
        except OperationalError as error:
            if wait is None or getattr(error.orig, "sqlstate", None) not in GIVES_WAY:
                raise
            log.warning("migration_waits_for_a_lock", seconds=wait)
            sleep(wait)
        else:
            return


def check(service: str, database_url: str) -> None:
    """Raise if the models and the migrated database differ."""
    command.check(config_for(service, database_url))


def print_sql(service: str) -> None:
    """The SQL of all migrations, for review by tools."""
    command.upgrade(config_for(service, "postgresql+psycopg://"), "head", sql=True)


def revision(service: str, database_url: str, message: str) -> None:
    """Write a new migration from the difference between the models and the database."""
    existing = len(list((ROOT / "services" / service / "migrations" / "versions").glob("*.py")))
    command.revision(
        config_for(service, database_url),
        message=message,
        autogenerate=True,
        rev_id=f"{existing + 1:04}",
    )


def _ours(thing: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    """The job queue's own tables are procrastinate's business; exclusion constraints have no
    counterpart in reflection."""
    table = getattr(thing, "table", thing)
    return not str(getattr(table, "name", name) or "").startswith("procrastinate_")


def run_env(metadata: MetaData) -> None:
    url = context.config.attributes["database_url"]
    options: dict[str, Any] = {
        "target_metadata": metadata,
        "include_object": _ours,
        "compare_server_default": True,
    }
    if context.is_offline_mode():
        context.configure(dialect_name="postgresql", literal_binds=True, **options)
        with context.begin_transaction():
            context.run_migrations()
        return
    engine = create_engine(url, poolclass=pool.NullPool)
    if password_file := context.config.attributes["password_file"]:
        follow_passwords(engine, password_file)
    with engine.connect() as connection:
        # Two migrators at once must take turns; a lock that live traffic holds must not make us,
        # and everyone queued behind us, wait for long.
        connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.execute(text("SELECT pg_advisory_lock(hashtext('alembic'))"))
        connection.commit()
        context.configure(connection=connection, **options)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


def install_job_queue() -> None:
    """The job queue's tables, for the first migration of a service."""
    op.execute(text(_literally(procrastinate.schema.SchemaManager.get_schema())))


def refuse_changes(table: str) -> None:
    """Make a table append-only: the database itself refuses UPDATE, DELETE and TRUNCATE.

    Two triggers, since one for each row does not see a TRUNCATE.
    """
    op.execute(
        """
        CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    op.execute(
        f"CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_is_never_emptied BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _literally(sql: str) -> str:
    """SQL in which a colon before a word is no bind parameter."""
    return re.sub(r"(?<!:):(?=\w)", r"\\:", sql)
