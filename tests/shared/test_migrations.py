"""Migrations give way to others, and only to others."""

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from shared import migrations


@pytest.mark.parametrize(
    ("refusal", "attempts"),
    [
        (psycopg.errors.LockNotAvailable, 2),
        (psycopg.errors.DeadlockDetected, 2),
        (psycopg.errors.DiskFull, 1),
    ],
)
def test_a_migration_in_somebodys_way_is_tried_again_and_a_broken_one_is_not(
    monkeypatch, refusal, attempts
):
    tried = []

    def upgrade(_config, revision):
        tried.append(revision)
        if len(tried) == 1:
            raise OperationalError("…", None, refusal())

    monkeypatch.setattr(migrations.command, "upgrade", upgrade)
    monkeypatch.setattr(migrations, "sleep", lambda _seconds: None)
    config = migrations.config_for("exchange", "postgresql+psycopg://nowhere/none")
    if attempts == 1:
        with pytest.raises(OperationalError):
            migrations.bring_up(config)
    else:
        migrations.bring_up(config)
    assert tried == ["head"] * attempts
